#include "team/columns.h"
#include "base/log.h"
#include "team/field.h"
#include "team/task.h"

struct recolumn {
        struct site *site;
        struct arena *arena;
        uint32_t person;
        struct str *why; /* the caller's */
        struct folder_column at;
        struct columns_put put;
        struct str *columns; /* as they will be */
};

static enum status refuse(struct recolumn *r, enum status st, const char *format, ...)
        PRINTF(3, 4);

static enum status refuse(struct recolumn *r, enum status st, const char *format, ...)
{
        struct buf text = {0};
        va_list ap;
        va_start(ap, format);
        buf_vaddf(&text, format, ap);
        va_end(ap);
        *r->why = arena_copy(r->arena, buf_str(&text));
        buf_release(&text);
        return st;
}

/* Who may, is told with the refusal: they can be asked. */
static enum status check_owner(struct recolumn *r)
{
        struct rights rights;
        struct target owner;
        const struct topic *t = &r->at.topic;
        enum status st = rules_topic(r->site, r->person, t->id, &rights);
        if (st != OK || rights.expunge)
                return st;
        if (rules_owner(r->site, t->id, r->arena, &owner) != OK)
                return refuse(r, FORBIDDEN, "The columns of %.*s are changed by who looks after it",
                        STR_ARG(t->name));
        return refuse(r, FORBIDDEN,
                "Only %.*s, who looks after %.*s, adds, renames, moves and removes its columns",
                STR_ARG(owner.name), STR_ARG(t->name));
}

/* The folder's topic, and what it says of a column. */
static enum status look(struct recolumn *r, struct str folder)
{
        enum status st = folder_column(r->site, r->person, folder, r->arena, &r->at);
        if (st != OK && st != INVALID)
                return st == ABSENT ? UNSUPPORTED : st;
        enum status may = check_owner(r);
        if (may != OK)
                return may;
        if (st == INVALID)
                return refuse(r, INVALID,
                        "A column's folder is called by its place and its name, as \"2 Doing\"");
        const struct topic *t = &r->at.topic;
        r->put = (struct columns_put){
                .topic = t->id, .was = t->columns, .was_count = t->column_count};
        r->columns = arena_alloc(r->arena, (t->column_count + 1) * sizeof *r->columns);
        r->put.columns = r->columns;
        return OK;
}

/* The place (from 0) of the column that a folder is, or column_count. */
static size_t place_of(const struct topic *t, const struct folder_column *f)
{
        size_t i = f->place - 1;
        return i < t->column_count && str_eq(t->columns[i], f->name) ? i : t->column_count;
}

bool column_divides(struct str name)
{
        return str_chr(name, ',') != STR_NOWHERE || str_chr(name, ';') != STR_NOWHERE;
}

/* May a column be called so? `but`: the one that is called so from now on. */
static enum status check_name(struct recolumn *r, size_t but)
{
        const struct topic *t = &r->at.topic;
        struct str word = column_word(r->arena, r->at.name);
        if (r->at.name.len > COLUMN_OCTETS_MOST)
                return refuse(r, INVALID, "A column's name has at most %d octets",
                        COLUMN_OCTETS_MOST);
        if (column_divides(r->at.name))
                return refuse(r, INVALID, "A column's name holds no ',' and no ';'");
        if (str_eq(word, STR("dropped")))
                return refuse(r, INVALID,
                        "No column is called Dropped: that is how a task ends undone");
        size_t same = field_column(t, word, r->arena);
        if (same < t->column_count && same != but)
                return refuse(r, EXISTS, "%.*s has a column of this name already, the %zu. of %zu",
                        STR_ARG(t->name), same + 1, t->column_count);
        return OK;
}

static enum status check_place(struct recolumn *r, size_t most)
{
        if (r->at.place <= most)
                return OK;
        return refuse(r, INVALID, "The places of columns in %.*s are 1 to %zu",
                STR_ARG(r->at.topic.name), most);
}

static void insert(struct recolumn *r, struct str name, size_t at)
{
        memmove(r->columns + at + 1, r->columns + at,
                (r->put.count - at) * sizeof *r->columns);
        r->columns[at] = name;
        r->put.count++;
}

static void copy_but(struct recolumn *r, size_t but)
{
        const struct topic *t = &r->at.topic;
        for (size_t i = 0; i < t->column_count; i++)
                if (i != but)
                        r->columns[r->put.count++] = t->columns[i];
}

static enum status commit(struct recolumn *r)
{
        struct change *change = change_new(r->site->store);
        change_columns(change, &r->put);
        enum status st = store_commit(change);
        change_free(change);
        if (st == INVALID)
                return refuse(r, INVALID, "A column cannot be called so");
        return st == ABSENT ? CHANGED : st; /* the topic has gone */
}

/* ---- what is wanted ---- */

static enum status add(struct recolumn *r, const struct str *folders)
{
        enum status st = look(r, folders[0]);
        size_t count = r->at.topic.column_count;
        if (st == OK)
                st = check_name(r, SIZE_MAX);
        if (st == OK && count >= BOARD_COLUMNS_MOST)
                return refuse(r, TOO_MANY, "A board has at most %d columns", BOARD_COLUMNS_MOST);
        if (st == OK)
                st = check_place(r, count + 1);
        if (st != OK)
                return st;
        copy_but(r, SIZE_MAX);
        insert(r, r->at.name, r->at.place - 1);
        return commit(r);
}

static enum status remove_one(struct recolumn *r, const struct str *folders)
{
        enum status st = look(r, folders[0]);
        if (st != OK)
                return st;
        const struct topic *t = &r->at.topic;
        size_t i = place_of(t, &r->at);
        if (i == t->column_count)
                return refuse(r, ABSENT, "%.*s has no such column", STR_ARG(t->name));
        if (t->column_count <= 2)
                return refuse(r, INVALID, "A board needs two columns at least");
        copy_but(r, i);
        st = commit(r);
        if (st == FORBIDDEN)
                return refuse(r, BUSY, "It still holds cards: move them to other columns first");
        return st;
}

/* Cards tell the status. So many are rendered again while the client waits, for some seconds; the
 * others by the clock: they are due. */
static void look_at_cards(struct recolumn *r)
{
        enum { AT_ONCE = 1000 };
        struct numset *numbers = numset_new();
        unsigned looked = 0;
        uint32_t number;
        enum status st = tasks_of_topic(r->site->store, r->put.topic, true, numbers);
        for (struct walk w = numset_walk(numbers);
                st == OK && looked < AT_ONCE && walk_next(&w, &number);) {
                struct arena *arena = arena_new();
                struct task t;
                st = task_get(r->site->store, number, arena, &t);
                if (st == OK && t.card_count && str_eq(t.status, r->put.to)) {
                        st = task_look_by(r->site, number, r->person);
                        looked++;
                }
                arena_free(arena);
        }
        if (st != OK)
                log_error("cards of a column that is called otherwise: %s", status_name(st));
        numset_free(numbers);
}

/* The second folder is where it goes: r->at from now on. *place: of the column, as it is now. */
static enum status look_at_both(struct recolumn *r, const struct str *folders, size_t *place)
{
        enum status st = look(r, folders[0]);
        struct folder_column from = r->at;
        const struct topic *t = &r->at.topic;
        if (st == OK && place_of(t, &from) == t->column_count)
                return refuse(r, ABSENT, "%.*s has no such column", STR_ARG(t->name));
        if (st != OK)
                return st;
        st = look(r, folders[1]);
        if (st == UNSUPPORTED || (st == OK && t->id != from.topic.id))
                return refuse(r, INVALID, "A column stays on its board");
        *place = place_of(t, &from);
        return st == OK && *place == t->column_count ? CHANGED : st;
}

static enum status rename_one(struct recolumn *r, const struct str *folders)
{
        const struct topic *t = &r->at.topic;
        size_t i = 0;
        enum status st = look_at_both(r, folders, &i);
        if (st == OK && i == place_of(t, &r->at))
                return refuse(r, EXISTS, "It is called so already");
        if (st == OK)
                st = check_name(r, i);
        if (st == OK)
                st = check_place(r, t->column_count);
        if (st != OK)
                return st;
        r->put.from = column_word(r->arena, t->columns[i]);
        r->put.to = column_word(r->arena, r->at.name);
        copy_but(r, i);
        insert(r, r->at.name, r->at.place - 1);
        st = commit(r);
        if (st == OK && !str_eq(r->put.from, r->put.to))
                look_at_cards(r);
        return st;
}

/* Others may change the same columns meanwhile. */
static enum status try(struct recolumn *r, const struct str *folders,
        enum status (*act)(struct recolumn *, const struct str *))
{
        enum { TRIES = 20 };
        enum status st = CHANGED;
        for (unsigned i = 0; st == CHANGED && i < TRIES; i++)
                st = act(r, folders);
        return st == CHANGED ? BUSY : st;
}

enum status columns_add(struct site *site, uint32_t person, struct str folder, struct arena *arena,
        struct str *why)
{
        struct recolumn r = {.site = site, .arena = arena, .person = person, .why = why};
        *why = STR_NONE;
        return try(&r, &folder, add);
}

enum status columns_rename(struct site *site, uint32_t person, const struct str folders[2],
        struct arena *arena, struct str *why)
{
        struct recolumn r = {.site = site, .arena = arena, .person = person, .why = why};
        *why = STR_NONE;
        return try(&r, folders, rename_one);
}

enum status columns_remove(struct site *site, uint32_t person, struct str folder,
        struct arena *arena, struct str *why)
{
        struct recolumn r = {.site = site, .arena = arena, .person = person, .why = why};
        *why = STR_NONE;
        return try(&r, &folder, remove_one);
}
