#include "team/journal.h"
#include "base/clock.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/compose.h"

enum { SHOWN_MOST = 200, SUBJECT_TITLE_MOST = 120 };

struct lines {
        const struct telling *t;
        struct arena *arena;
        struct str who; /* the actor */
        struct buf out;
};

/* A value as part of a sentence. */
static struct str say(struct lines *l, enum task_field field, struct str value)
{
        const struct topic *topic = l->t->topic;
        struct str said = field_say(l->t->site, topic, field, value, l->arena);
        struct buf flat = {0};
        text_flatten(text_cut(said, SHOWN_MOST), &flat);
        said = arena_copy(l->arena, buf_str(&flat));
        buf_release(&flat);
        return said;
}

static void say_status(struct lines *l, const struct task_change *c)
{
        struct str from = field_say(l->t->site, l->t->was, FIELD_STATUS, c->before, l->arena),
                   to = say(l, FIELD_STATUS, c->after);
        if (str_eq(c->after, STR("dropped")))
                buf_addf(&l->out, "%.*s dropped this (it was in %.*s).\n", STR_ARG(l->who),
                        STR_ARG(from));
        else if (str_eq(c->before, STR("dropped")))
                buf_addf(&l->out, "%.*s took this up again: it is in %.*s.\n", STR_ARG(l->who),
                        STR_ARG(to));
        else
                buf_addf(&l->out, "%.*s moved this from %.*s to %.*s.\n", STR_ARG(l->who),
                        STR_ARG(from), STR_ARG(to));
}

static void add_list(struct lines *l, const struct str *items, size_t count)
{
        for (size_t i = 0; i < count; i++)
                buf_addf(&l->out, "%s%.*s", i == 0 ? "" : i + 1 < count ? ", " : " and ",
                        STR_ARG(items[i]));
}

/* The items in full names, those who act themselves taken out. */
static size_t name_all(struct lines *l, struct str *names, size_t count, bool *self)
{
        size_t kept = 0;
        *self = false;
        for (size_t i = 0; i < count; i++) {
                struct person p;
                bool known = person_find(l->t->site->store, names[i], l->arena, &p) == OK;
                if (known && l->t->event->person && p.id == l->t->event->person)
                        *self = true;
                else
                        names[kept++] = known && p.full_name.len ? p.full_name : names[i];
        }
        return kept;
}

static void say_people(struct lines *l, const struct task_change *c)
{
        struct str *added, *gone;
        bool takes, leaves;
        size_t add_count = field_items(c->after, c->before, l->arena, &added),
               gone_count = field_items(c->before, c->after, l->arena, &gone);
        add_count = name_all(l, added, add_count, &takes);
        gone_count = name_all(l, gone, gone_count, &leaves);
        if (takes)
                buf_addf(&l->out, "%.*s took this.\n", STR_ARG(l->who));
        if (leaves)
                buf_addf(&l->out, "%.*s gave this up.\n", STR_ARG(l->who));
        if (add_count) {
                buf_addf(&l->out, "%.*s gave this to ", STR_ARG(l->who));
                add_list(l, added, add_count);
                buf_add_text(&l->out, ".\n");
        }
        if (gone_count) {
                buf_addf(&l->out, "%.*s took this from ", STR_ARG(l->who));
                add_list(l, gone, gone_count);
                buf_add_text(&l->out, ".\n");
        }
}

/* "the label" or "the labels". */
static const char *several(const struct task_change *c, size_t count)
{
        return c->field == FIELD_LABELS && count > 1 ? "s" : "";
}

static void say_items(struct lines *l, const struct task_change *c, const char *add,
        const char *remove)
{
        struct str *items;
        size_t count = field_items(c->after, c->before, l->arena, &items);
        if (count) {
                buf_addf(&l->out, "%.*s %s%s ", STR_ARG(l->who), add, several(c, count));
                add_list(l, items, count);
                buf_add_text(&l->out, ".\n");
        }
        count = field_items(c->before, c->after, l->arena, &items);
        if (count) {
                buf_addf(&l->out, "%.*s %s%s ", STR_ARG(l->who), remove, several(c, count));
                add_list(l, items, count);
                buf_add_text(&l->out, ".\n");
        }
}

static void say_value(struct lines *l, const struct task_change *c)
{
        const char *name = field_words[c->field];
        struct str was = say(l, c->field, c->before), is = say(l, c->field, c->after);
        const char *quote = c->field == FIELD_TITLE ? "\"" : "";
        if (!c->after.len)
                buf_addf(&l->out, "%.*s removed the %s (was %.*s).\n", STR_ARG(l->who), name,
                        STR_ARG(was));
        else if (!c->before.len)
                buf_addf(&l->out, "%.*s set the %s to %.*s.\n", STR_ARG(l->who), name, STR_ARG(is));
        else
                buf_addf(&l->out, "%.*s set the %s to %s%.*s%s (was %s%.*s%s).\n", STR_ARG(l->who),
                        name, quote, STR_ARG(is), quote, quote, STR_ARG(was), quote);
}

static void say_change(struct lines *l, const struct task_change *c)
{
        switch (c->field) {
        case FIELD_STATUS:
                say_status(l, c);
                break;
        case FIELD_ASSIGNEES:
                say_people(l, c);
                break;
        case FIELD_LABELS:
                say_items(l, c, "added the label", "removed the label");
                break;
        case FIELD_WAITS:
                say_items(l, c, "made this wait for", "says that this no longer waits for");
                break;
        case FIELD_TEXT:
                buf_addf(&l->out, "%.*s changed the description.\n", STR_ARG(l->who));
                break;
        case FIELD_TOPIC:
                buf_addf(&l->out, "%.*s moved this from the topic %.*s to %.*s.\n", STR_ARG(l->who),
                        STR_ARG(c->before), STR_ARG(c->after));
                break;
        default:
                say_value(l, c);
        }
}

static void add_instant(time_t at, struct buf *out)
{
        struct buf date = {0};
        date_print(at, 0, &date);
        struct str text = buf_str(&date); /* "Tue, 24 Nov 2026 07:30:00 +0000" */
        buf_add(out, str_sub(text, 5, text.len - 14));
        buf_add_text(out, " UTC");
        buf_release(&date);
}

struct str journal_conflict(
        const struct telling *t, const struct edit_conflict *c, struct arena *arena)
{
        struct lines l = {.t = t, .arena = arena};
        struct str by = field_person(t->site, c->person, arena);
        l.who = field_person(t->site, t->event->person, arena);
        if (c->field == FIELD_TEXT)
                buf_addf(&l.out, "%.*s wanted another description", STR_ARG(l.who));
        else
                buf_addf(&l.out, "%.*s wanted %.*s as the %s", STR_ARG(l.who),
                        STR_ARG(say(&l, c->field, c->wanted)), field_words[c->field]);
        buf_addf(&l.out, ", but %.*s has changed it meanwhile (", STR_ARG(by));
        add_instant(c->at, &l.out);
        if (c->field == FIELD_TEXT)
                buf_add_text(&l.out, "). It stays as it is.");
        else
                buf_addf(&l.out, "). It stays %.*s.", STR_ARG(say(&l, c->field, c->stays)));
        struct str said = arena_copy(arena, buf_str(&l.out));
        buf_release(&l.out);
        return said;
}

struct str journal_lines(const struct telling *t, struct arena *arena)
{
        struct lines l = {.t = t, .arena = arena};
        const struct task_event *e = t->event;
        l.who = field_person(t->site, e->person, arena);
        if (e->version == 1)
                buf_addf(&l.out, "%.*s opened this as the task T-%u.\n", STR_ARG(l.who), e->task);
        if (e->undoes) {
                buf_addf(&l.out, "%.*s took back what was done (", STR_ARG(l.who));
                add_instant(t->undone, &l.out);
                buf_add_text(&l.out, "):\n");
        }
        for (size_t i = 0; e->version > 1 && i < e->change_count; i++)
                say_change(&l, &e->changes[i]);
        for (size_t i = 0; i < t->conflict_count; i++)
                buf_addf(&l.out, "Not done: %.*s\n",
                        STR_ARG(journal_conflict(t, &t->conflicts[i], arena)));
        struct str text = arena_copy(arena, buf_str(&l.out));
        buf_release(&l.out);
        return text;
}

/* ---- the message ---- */

static struct str subject_of(const struct telling *t, struct arena *arena)
{
        struct str title = text_cut(t->task->title, SUBJECT_TITLE_MOST);
        struct str what = t->event->change_count ? t->task->status : STR("not changed");
        return arena_printf(arena, "[T-%u] %.*s: %.*s", t->task->number, STR_ARG(what), STR_ARG(title));
}

static void add_text(const struct telling *t, struct str lines, struct buf *out)
{
        struct str line;
        while (str_line(&lines, &line))
                text_wrap(line, 72, STR(""), STR("  "), out);
        struct str why = str_trim(text_cut(t->why, WHY_MOST));
        if (why.len) {
                buf_add_char(out, '\n');
                buf_add(out, why);
                buf_add_char(out, '\n');
        }
}

struct str journal_compose(const struct telling *t, struct str lines, struct arena *arena)
{
        struct str domain = site_config(t->site)->domain;
        struct str who = field_person(t->site, t->event->person, arena);
        struct str task = arena_printf(arena, "T-%u@%.*s", t->task->number, STR_ARG(domain));
        bool replies = t->source_id.len && !str_eq(t->source_id, t->root_id);
        struct buf text = {0}, message = {0};
        add_text(t, lines, &text);
        struct composition c = {
                .from = address_field(arena, who, task),
                .to = arena_printf(arena, "%.*s@%.*s", STR_ARG(t->topic->name), STR_ARG(domain)),
                .subject = subject_of(t, arena),
                .message_id = arena_printf(arena, "<journal.T-%u.%u@%.*s>", t->task->number,
                        t->event->version, STR_ARG(domain)),
                .in_reply_to = replies ? t->source_id : t->root_id,
                .references = replies ? str_trim(arena_printf(arena, "%.*s %.*s",
                                                STR_ARG(t->root_id), STR_ARG(t->source_id)))
                                      : t->root_id,
                .date = t->event->at,
                .text = buf_str(&text),
                .automatic = true,
        };
        compose(arena, &c, &message);
        struct str out = arena_copy(arena, buf_str(&message));
        buf_release(&text);
        buf_release(&message);
        return out;
}
