#include "team/folder.h"
#include "base/text.h"
#include "store/task.h"

/* The shared parts of the tree (RFC 2342): no folder of a person's own begins so. */
static const char *const shared_names[] = {
        "Topics", "Boards", "Notes", "Decisions", "Files", "Tasks", "Search", "Today",
};
static const struct str topics_start = {"Topics/", 7}, boards_start = {"Boards/", 7};

/* "eng.backend" -> "Topics/eng/backend" */
static struct str topic_folder_name(struct arena *arena, struct str start, struct str topic)
{
        char *at = arena_alloc(arena, start.len + topic.len + 1);
        memcpy(at, start.at, start.len);
        for (size_t i = 0; i < topic.len; i++)
                at[start.len + i] = topic.at[i] == '.' ? '/' : topic.at[i];
        return str_make(at, start.len + topic.len);
}

/* What lies in Tasks/ is put there and taken away by what happens to the tasks. */
static struct folder own_folder(const struct mailbox *box)
{
        bool own = box->kind == MAILBOX_FOLDER;
        return (struct folder){
                .name = box->name,
                .mailbox = box->id,
                .kind = box->kind,
                .use = box->use,
                .rights = {.read = true, .post = own, .expunge = own, .flags = true},
        };
}

static enum status own_folders(struct site *site, uint32_t person, struct arena *arena,
        struct folder **out, size_t *count)
{
        struct mailbox *boxes;
        size_t n;
        enum status st = mailbox_list(site->store, person, arena, &boxes, &n);
        if (st != OK)
                return st;
        *count = 0;
        *out = arena_alloc(arena, (n + 1) * sizeof **out);
        for (size_t i = 0; i < n; i++)
                (*out)[(*count)++] = own_folder(&boxes[i]);
        return OK;
}

static enum status topic_folders(struct site *site, uint32_t person, struct arena *arena,
        struct folder **out, size_t *count)
{
        struct topic *topics;
        enum status st = rules_topics(site, person, arena, &topics, count);
        if (st != OK)
                return st;
        *out = arena_alloc(arena, (*count + 1) * sizeof **out);
        for (size_t i = 0; i < *count; i++) {
                struct folder *f = &(*out)[i];
                *f = (struct folder){
                        .name = topic_folder_name(arena, topics_start, topics[i].name),
                        .mailbox = topics[i].id,
                        .topic = topics[i].id,
                        .kind = MAILBOX_TOPIC,
                };
                /* to be listed is to be readable: posting and flags go with it (rules.c) */
                f->rights = (struct rights){true, true, topics[i].owner == person, true};
        }
        return OK;
}

/* "Boards/eng/backend/2 Doing" */
static struct str column_folder_name(
        struct arena *arena, const struct topic *topic, struct str mailbox)
{
        struct str board = topic_folder_name(arena, boards_start, topic->name);
        return arena_printf(arena, "%.*s%.*s", STR_ARG(board),
                STR_ARG(str_from(mailbox, topic->name.len)));
}

/* A card may be moved by whoever may post; one that is removed comes again (team/board.h). */
static enum status find_column(struct site *site, const struct topic *topic, size_t i,
        struct arena *arena, struct folder *out)
{
        struct mailbox box;
        struct str name = column_mailbox_name(arena, topic->name, i, topic->columns[i]);
        enum status st = mailbox_find(site->store, 0, name, arena, &box);
        if (st == OK)
                *out = (struct folder){
                        .name = column_folder_name(arena, topic, name),
                        .mailbox = box.id,
                        .kind = MAILBOX_BOARD,
                        .topic = topic->id,
                        .rights = {true, true, true, true},
                };
        return st;
}

/* CHANGED: a column has no mailbox of its name; so many were found without it. */
static enum status board_folders_once(struct site *site, uint32_t person, struct arena *arena,
        struct folder **out, size_t *count)
{
        struct topic *topics;
        size_t topic_count, room = 0;
        bool lacking = false;
        enum status st = rules_topics(site, person, arena, &topics, &topic_count);
        for (size_t i = 0; st == OK && i < topic_count; i++)
                room += topics[i].column_count;
        *out = arena_alloc(arena, (room + 1) * sizeof **out);
        *count = 0;
        for (size_t i = 0; st == OK && i < topic_count; i++)
                for (size_t c = 0; st == OK && c < topics[i].column_count; c++) {
                        st = find_column(site, &topics[i], c, arena, &(*out)[*count]);
                        *count += st == OK;
                        lacking = lacking || st == ABSENT;
                        st = st == ABSENT ? OK : st;
                }
        return st == OK && lacking ? CHANGED : st;
}

/* Columns that were called otherwise between two looks are looked for again: a client that keeps a
 * copy would drop one that is not listed. */
static enum status board_folders(struct site *site, uint32_t person, struct arena *arena,
        struct folder **out, size_t *count)
{
        enum { TRIES = 5 };
        enum status st = CHANGED;
        for (unsigned i = 0; st == CHANGED && i < TRIES; i++)
                st = board_folders_once(site, person, arena, out, count);
        return st == CHANGED ? OK : st;
}

static int by_name(const void *a, const void *b)
{
        const struct folder *x = a, *y = b;
        return str_cmp(x->name, y->name);
}

/* Behind the search for repeats and children, which need the order of names. */
static void inbox_first(struct folder *v, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                struct folder inbox = v[i];
                if (inbox.use != USE_INBOX)
                        continue;
                memmove(v + 1, v, i * sizeof *v);
                v[0] = inbox;
        }
}

static size_t levels_of(struct str name)
{
        size_t n = 0;
        for (size_t i = 0; i < name.len; i++)
                n += name.at[i] == '/';
        return n;
}

static bool is_below(struct str name, struct str parent)
{
        return name.len > parent.len && name.at[parent.len] == '/' && str_starts(name, parent);
}

/* Every level above `name` that is not the same as above `before` (its neighbour in order) and
 * does not stand in the list as a folder of its own gets a row. */
static void add_levels(struct folder *out, size_t *count, struct str before, struct str name)
{
        for (size_t i = 0; i < name.len; i++) {
                if (name.at[i] != '/')
                        continue;
                struct str level = str_sub(name, 0, i);
                if (!is_below(before, level) && !str_eq(before, level))
                        out[(*count)++] = (struct folder){.name = level};
        }
}

/* "eng", "eng-x", "eng/a": '-' sorts below '/', so a level may have stood earlier: once only. */
static size_t without_repeats(struct folder *v, size_t count)
{
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
                if (kept && str_eq(v[kept - 1].name, v[i].name)) {
                        if (v[i].mailbox)
                                v[kept - 1] = v[i];
                        continue;
                }
                v[kept++] = v[i];
        }
        return kept;
}

static void mark_children(struct folder *v, size_t count)
{
        for (size_t i = 0; i < count; i++)
                for (size_t j = i + 1; j < count && str_starts(v[j].name, v[i].name); j++)
                        v[i].children |= is_below(v[j].name, v[i].name);
}

CHECKED enum status folder_list(struct site *site, uint32_t person, struct arena *arena,
        struct folder **out, size_t *count)
{
        struct folder *own, *topics, *boards;
        size_t own_count, topic_count, board_count, n = 0, rows = 0;
        enum status st = own_folders(site, person, arena, &own, &own_count);
        if (st == OK)
                st = topic_folders(site, person, arena, &topics, &topic_count);
        if (st == OK)
                st = board_folders(site, person, arena, &boards, &board_count);
        if (st != OK)
                return st;
        size_t all_count = own_count + topic_count + board_count;
        struct folder *all = arena_alloc(arena, (all_count + 1) * sizeof *all);
        memcpy(all, own, own_count * sizeof *all);
        memcpy(all + own_count, topics, topic_count * sizeof *all);
        memcpy(all + own_count + topic_count, boards, board_count * sizeof *all);
        for (size_t i = 0; i < all_count; i++)
                rows += 1 + levels_of(all[i].name);
        qsort(all, all_count, sizeof *all, by_name);
        struct folder *v = arena_alloc(arena, (rows + 1) * sizeof *v);
        struct str before = STR_NONE;
        for (size_t i = 0; i < all_count; i++) {
                add_levels(v, &n, before, all[i].name);
                v[n++] = all[i];
                before = all[i].name;
        }
        qsort(v, n, sizeof *v, by_name);
        n = without_repeats(v, n);
        mark_children(v, n);
        inbox_first(v, n);
        *out = v;
        *count = n;
        return OK;
}

/* "eng/backend" -> the topic eng.backend, if this person may read it. */
static enum status find_topic(struct site *site, uint32_t person, struct str path,
        struct arena *arena, struct topic *out)
{
        char *name = arena_alloc(arena, path.len + 1);
        struct rights rights;
        for (size_t i = 0; i < path.len; i++) {
                if (path.at[i] == '.') /* "Topics/eng.backend" is not another spelling */
                        return ABSENT;
                name[i] = path.at[i] == '/' ? '.' : path.at[i];
        }
        enum status st = topic_find(site->store, str_make(name, path.len), arena, out);
        if (st == OK)
                st = rules_topic(site, person, out->id, &rights);
        return st == OK && !rights.read ? ABSENT : st;
}

static enum status find_topic_folder(struct site *site, uint32_t person, struct str name,
        struct arena *arena, struct folder *out)
{
        struct topic topic;
        enum status st = find_topic(site, person, str_from(name, topics_start.len), arena, &topic);
        if (st != OK)
                return st;
        *out = (struct folder){
                .name = arena_copy(arena, name),
                .mailbox = topic.id,
                .kind = MAILBOX_TOPIC,
                .topic = topic.id};
        return rules_topic(site, person, topic.id, &out->rights);
}

/* The topic to whose board a folder of that name belongs, there or not. */
static enum status find_board(struct site *site, uint32_t person, struct str name,
        struct arena *arena, struct topic *out)
{
        size_t slash = str_rchr(name, '/');
        if (!str_starts(name, boards_start) || slash <= boards_start.len)
                return ABSENT;
        struct str path = str_sub(name, boards_start.len, slash - boards_start.len);
        return find_topic(site, person, path, arena, out);
}

static enum status find_board_folder(struct site *site, uint32_t person, struct str name,
        struct arena *arena, struct folder *out)
{
        struct topic topic;
        enum status st = find_board(site, person, name, arena, &topic);
        for (size_t i = 0; st == OK && i < topic.column_count; i++) {
                st = find_column(site, &topic, i, arena, out);
                if (st == OK && str_eq(out->name, name))
                        return OK;
                st = st == ABSENT ? OK : st;
        }
        return st == OK ? ABSENT : st;
}

/* A level of the tree that is no folder itself. */
static enum status find_level(struct site *site, uint32_t person, struct str name,
        struct arena *arena, struct folder *out)
{
        struct folder *all;
        size_t count;
        enum status st = folder_list(site, person, arena, &all, &count);
        for (size_t i = 0; st == OK && i < count; i++)
                if (str_eq(all[i].name, name)) {
                        *out = all[i];
                        return OK;
                }
        return st == OK ? ABSENT : st;
}

CHECKED enum status folder_find(struct site *site, uint32_t person, struct str name,
        struct arena *arena, struct folder *out)
{
        struct mailbox box;
        enum status st = ABSENT;
        if (str_starts(name, topics_start))
                st = find_topic_folder(site, person, name, arena, out);
        if (str_starts(name, boards_start))
                st = find_board_folder(site, person, name, arena, out);
        if (st != ABSENT)
                return st;
        st = mailbox_find(site->store, person, name, arena, &box);
        if (st == ABSENT)
                return find_level(site, person, name, arena, out);
        if (st != OK)
                return st;
        *out = own_folder(&box);
        return OK;
}

/* RFC 6855 3, RFC 9051 5.1: U+0000 to U+001F, U+007F to U+009F, U+2028, U+2029. The name is UTF-8. */
static bool has_controls(struct str name)
{
        for (size_t i = 0; i < name.len; i++) {
                struct str from = str_from(name, i);
                if ((unsigned char)from.at[0] < ' ' || from.at[0] == 0x7f)
                        return true;
                if (str_starts(from, STR("\xc2")) && (unsigned char)from.at[1] < 0xa0)
                        return true;
                if (str_starts(from, STR("\xe2\x80\xa8")) || str_starts(from, STR("\xe2\x80\xa9")))
                        return true;
        }
        return false;
}

CHECKED enum status folder_name_free(struct str name)
{
        enum { OCTETS_MAX = 250, LEVELS_MAX = 10 };
        struct str rest = name, level, first;
        size_t levels = 0;
        if (name.len == 0 || name.len > OCTETS_MAX || !text_is_utf8(name) || str_ends(name, STR("/")))
                return INVALID;
        if (has_controls(name) || str_chr(name, '*') != STR_NOWHERE ||
                str_chr(name, '%') != STR_NOWHERE)
                return INVALID;
        while (str_cut(&rest, '/', &level)) {
                if (level.len == 0 || ++levels > LEVELS_MAX)
                        return INVALID;
                if (levels == 1)
                        first = level;
        }
        for (size_t i = 0; i < COUNT_OF(shared_names); i++)
                if (str_same(first, str_of(shared_names[i])))
                        return FORBIDDEN;
        return OK;
}

CHECKED enum status folder_column(struct site *site, uint32_t person, struct str name,
        struct arena *arena, struct folder_column *out)
{
        uint32_t place;
        struct str rest = str_from(name, str_rchr(name, '/') + 1), digits;
        enum status st = find_board(site, person, name, arena, &out->topic);
        if (st != OK)
                return st;
        if (!str_cut(&rest, ' ', &digits) || str_u32(digits, &place) != OK || !rest.len ||
                !place || digits.at[0] == '0')
                return INVALID;
        out->place = place;
        out->name = arena_copy(arena, rest);
        bool sound = str_eq(str_trim(rest), rest) &&
                     folder_name_free(arena_printf(arena, "-/%.*s", STR_ARG(rest))) == OK;
        return sound ? OK : INVALID;
}
