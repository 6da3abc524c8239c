#include "team/wish.h"
#include "base/text.h"
#include "team/near.h"

struct making {
        const struct wishing *in;
        struct arena *arena;
        struct topic topic;
        struct wish *wish;
        struct person named; /* by the word before, of the same directive; id 0 */
};

static void add_number(struct making *m, uint32_t **list, size_t *count, uint32_t number)
{
        uint32_t *more = arena_alloc(m->arena, (*count + 1) * sizeof *more);
        if (*count)
                memcpy(more, *list, *count * sizeof *more);
        more[(*count)++] = number;
        *list = more;
}

static void add_text(struct making *m, struct str **list, size_t *count, struct str text)
{
        struct str *more = arena_alloc(m->arena, (*count + 1) * sizeof *more);
        if (*count)
                memcpy(more, *list, *count * sizeof *more);
        more[(*count)++] = text;
        *list = more;
}

/* One more sentence. */
PRINTF(3, 4)
static void say(struct making *m, struct outcome *o, const char *format, ...)
{
        struct buf out = {0};
        va_list list;
        if (o->why.len)
                buf_addf(&out, "%.*s ", STR_ARG(o->why));
        va_start(list, format);
        buf_vaddf(&out, format, list);
        va_end(list);
        o->why = arena_copy(m->arena, buf_str(&out));
        buf_release(&out);
}

static void want(struct making *m, struct outcome *o, enum task_field field)
{
        o->fields |= 1u << field;
        m->wish->edit.fields |= 1u << field;
}

/* ---- people ---- */

/* "Marques" is part of "Ana Marques". */
static bool is_part(struct str word, struct str full_name)
{
        struct buf a = {0}, b = {0};
        struct str rest, part;
        bool is = false;
        text_fold(word, &a);
        text_fold(full_name, &b);
        rest = buf_str(&b);
        while (!is && str_word(&rest, &part))
                is = str_eq(part, buf_str(&a));
        buf_release(&a);
        buf_release(&b);
        return is;
}

/* The login name that was probably meant. */
static enum status nearest_person(struct making *m, struct str name, struct str *out)
{
        enum { LOOKED_AT = 1000 };
        struct person *people;
        size_t count;
        unsigned best = 99;
        enum status st = person_list(m->in->site->store, m->arena, &people, &count);
        *out = STR_NONE;
        for (size_t i = 0; st == OK && i < count && i < LOOKED_AT; i++) {
                bool part = is_part(name, people[i].full_name);
                unsigned distance = part ? 0 : near_distance(name, people[i].name);
                bool near = part || near_enough(name, people[i].name);
                if (people[i].disabled || !near || distance >= best)
                        continue;
                best = distance;
                *out = people[i].name;
        }
        return st;
}

static enum status no_such_person(struct making *m, struct outcome *o, struct str name)
{
        struct str meant;
        enum status st = nearest_person(m, name, &meant);
        say(m, o, "There is nobody called \"%.*s\" here.", STR_ARG(name));
        if (st == OK && meant.len)
                say(m, o, "Do you mean %.*s?", STR_ARG(meant));
        return st;
}

/* *out is 0 where nobody is meant: that is said, or the word goes on with a name: "Ana Marques". */
static enum status find_person(struct making *m, struct outcome *o, struct str name, uint32_t *out)
{
        struct target target;
        *out = str_eq(name, STR("me")) ? m->in->person : 0;
        if (*out)
                return OK;
        enum status st = rules_target(m->in->site, name, m->arena, &target);
        if (st == OK && target.kind == TARGET_PERSON) {
                *out = target.id;
                return person_get(m->in->site->store, target.id, m->arena, &m->named);
        }
        if (m->named.id && is_part(name, m->named.full_name))
                return OK;
        if (st == OK || st == ABSENT || st == FORBIDDEN || st == UNSUPPORTED || st == INVALID)
                st = no_such_person(m, o, name);
        return st;
}

static enum status add_person(struct making *m, struct outcome *o, const struct directive_item *item)
{
        struct task_edit *e = &m->wish->edit;
        uint32_t person;
        bool may = true;
        bool leaves = item->remove || o->directive->name == DO_UNASSIGN;
        enum status st = find_person(m, o, item->text, &person);
        if (st != OK || !person)
                return st;
        if (!leaves)
                st = task_may_assign(m->in->site, person, m->in->topic, &may);
        if (st != OK)
                return st;
        if (!may) {
                say(m, o, "%.*s may not read this topic, and so cannot be given its tasks: ask its "
                          "owner to subscribe them.",
                        STR_ARG(item->text));
                return OK;
        }
        if (leaves)
                add_number(m, &e->unassign, &e->unassign_count, person);
        else
                add_number(m, &e->assign, &e->assign_count, person);
        want(m, o, FIELD_ASSIGNEES);
        return OK;
}

/* ---- columns ---- */

static struct str column_status(struct making *m, size_t i)
{
        return column_word(m->arena, m->topic.columns[i]);
}

static void set_status(struct making *m, struct outcome *o, struct str status)
{
        m->wish->edit.status = status;
        want(m, o, FIELD_STATUS);
}

static void say_columns(struct making *m, struct outcome *o)
{
        struct buf list = {0};
        for (size_t i = 0; i < m->topic.column_count; i++)
                buf_addf(&list, "%.*s, ", STR_ARG(column_status(m, i)));
        buf_add_text(&list, "dropped");
        say(m, o, "It has: %s.", buf_text(&list));
        buf_release(&list);
}

static void find_status(struct making *m, struct outcome *o, struct str status)
{
        bool known = str_eq(status, STR("dropped"));
        struct str meant = STR_NONE;
        for (size_t i = 0; !known && i < m->topic.column_count; i++) {
                known = str_eq(status, column_status(m, i));
                if (near_enough(status, column_status(m, i)))
                        meant = column_status(m, i);
        }
        if (known) {
                set_status(m, o, status);
                return;
        }
        say(m, o, "The board has no column \"%.*s\".", STR_ARG(status));
        if (meant.len)
                say(m, o, "Do you mean %.*s?", STR_ARG(meant));
        say_columns(m, o);
}

/* ---- one directive ---- */

static void set_day(struct making *m, struct outcome *o, enum task_field field, int32_t *out)
{
        int64_t day = o->directive->day;
        *out = day == WHEN_NONE ? DAY_NONE : (int32_t)day; /* years to 9999 */
        want(m, o, field);
}

static void set_labels(struct making *m, struct outcome *o)
{
        struct task_edit *e = &m->wish->edit;
        const struct directive *d = o->directive;
        e->labels_replace = e->labels_replace || d->clear;
        for (size_t i = 0; i < d->item_count; i++)
                if (d->items[i].remove)
                        add_text(m, &e->label_remove, &e->label_remove_count, d->items[i].text);
                else
                        add_text(m, &e->label_add, &e->label_add_count, d->items[i].text);
        want(m, o, FIELD_LABELS);
}

static void set_waits(struct making *m, struct outcome *o)
{
        struct task_edit *e = &m->wish->edit;
        const struct directive *d = o->directive;
        e->waits_replace = e->waits_replace || d->clear;
        for (size_t i = 0; i < d->item_count; i++)
                if (d->items[i].remove)
                        add_number(m, &e->unwaits, &e->unwait_count, d->items[i].number);
                else
                        add_number(m, &e->waits, &e->wait_count, d->items[i].number);
        want(m, o, FIELD_WAITS);
}

static void set_priority(struct making *m, struct outcome *o)
{
        enum priority p = o->directive->priority;
        m->wish->edit.priority = p == PRIORITY_HIGH  ? STR("high")
                                 : p == PRIORITY_LOW ? STR("low")
                                                     : STR("normal");
        want(m, o, FIELD_PRIORITY);
}

static enum status set_people(struct making *m, struct outcome *o)
{
        const struct directive *d = o->directive;
        enum status st = OK;
        if (d->clear) {
                m->wish->edit.assign_replace = true;
                want(m, o, FIELD_ASSIGNEES);
        }
        m->named.id = 0;
        for (size_t i = 0; st == OK && i < d->item_count; i++)
                st = add_person(m, o, &d->items[i]);
        return st;
}

static enum status set_task(struct making *m, struct outcome *o)
{
        const struct directive_item me = {.text = STR("me")};
        const struct directive *d = o->directive;
        struct task_edit *e = &m->wish->edit;
        switch (d->name) {
        case DO_STATUS:
                find_status(m, o, d->status);
                break;
        case DO_ASSIGN:
        case DO_UNASSIGN:
                return set_people(m, o);
        case DO_TAKE:
                return add_person(m, o, &me);
        case DO_DUE:
                set_day(m, o, FIELD_DUE, &e->due);
                break;
        case DO_START_ON:
                set_day(m, o, FIELD_START, &e->start);
                break;
        case DO_LABELS:
                set_labels(m, o);
                break;
        case DO_PRIORITY:
                set_priority(m, o);
                break;
        case DO_WAITS_ON:
                set_waits(m, o);
                break;
        case DO_TITLE:
                e->title = d->argument;
                want(m, o, FIELD_TITLE);
                break;
        case DO_SUMMARY:
                m->wish->why = d->clear ? STR_NONE : d->argument;
                break;
        case DO_START:
                set_status(m, o, column_status(m, m->topic.column_count > 1));
                break;
        case DO_DONE:
                set_status(m, o, column_status(m, m->topic.column_count - 1));
                break;
        case DO_DROP:
                set_status(m, o, STR("dropped"));
                break;
        case DO_REOPEN:
                set_status(m, o, column_status(m, 0));
                break;
        case DO_UNDO:
                m->wish->undo = true;
                break;
        case DO_MUTE:
        case DO_FOLLOW:
        case DO_TASK:
        case DO_LATER:
                break;
        }
        return OK;
}

static enum status make_one(struct making *m, struct outcome *o)
{
        const struct directive *d = o->directive;
        if (d->fault != FAULT_NONE) {
                struct buf why = {0};
                directive_fault_say(d, &why);
                o->why = arena_copy(m->arena, buf_str(&why));
                buf_release(&why);
                return OK;
        }
        if (d->name == DO_MUTE || d->name == DO_FOLLOW) {
                m->wish->attends = true;
                m->wish->attention = d->name == DO_MUTE ? ATTENTION_MUTED : ATTENTION_FOLLOWED;
                return OK;
        }
        if (d->name == DO_TASK) {
                m->wish->opens = true;
                m->wish->title = d->argument;
                return OK;
        }
        if (!m->in->has_task || !m->topic.column_count) {
                say(m, o, "This thread is no task. Make it one by a line \"/task\", or write "
                          "to the address of a task (T-142@...).");
                return OK;
        }
        return set_task(m, o);
}

CHECKED enum status wish_make(const struct wishing *in, const struct directives *directives,
        struct arena *arena, struct wish *out)
{
        struct making m = {.in = in, .arena = arena, .wish = out};
        enum status st = OK;
        *out = (struct wish){.count = directives->count};
        out->outcomes = arena_alloc(arena, (directives->count + 1) * sizeof *out->outcomes);
        if (in->topic)
                st = topic_get(in->site->store, in->topic, arena, &m.topic);
        for (size_t i = 0; st == OK && i < directives->count; i++) {
                out->outcomes[i] = (struct outcome){.directive = &directives->v[i]};
                st = make_one(&m, &out->outcomes[i]);
        }
        return st;
}
