#include "team/task.h"
#include "base/zone.h"
#include "mail/content.h"
#include "mail/header.h"
#include "team/directive.h"
#include "team/gather.h"
#include "team/tasking.h"
#include "team/directive.h"

/* ---- opening ---- */

/* At most so many octets; no character is cut in two. */
static struct str cut(struct str text, size_t most)
{
        struct str out = str_sub(text, 0, most);
        while (out.len < text.len && out.len && ((unsigned char)text.at[out.len] & 0xc0) == 0x80)
                out.len--;
        return out;
}

/* "[task] Login fails" and "Re: Login fails" are about "Login fails". */
static struct str title_of(struct str subject)
{
        struct str title;
        while (str_starts_same(subject, STR("Re:")))
                subject = str_trim(str_from(subject, 3));
        if (directive_subject_task(subject, &title))
                subject = title;
        return str_trim(cut(str_trim(subject), TASK_TITLE_MOST));
}

/* What was not asked for is taken from the message. */
static struct task_edit complete(const struct task_edit *edit, struct str subject, struct str text)
{
        struct task_edit out = *edit;
        if (!(out.fields & 1u << FIELD_TITLE))
                out.title = title_of(subject);
        if (!out.title.len)
                out.title = STR("(no subject)");
        if (!(out.fields & 1u << FIELD_TEXT))
                out.text = cut(text, TASK_TEXT_MOST);
        out.fields |= 1u << FIELD_TITLE | 1u << FIELD_TEXT;
        out.fields &= ~(1u << FIELD_TOPIC);
        return out;
}

/* A task that is nothing yet, in the topic's first column. */
static enum status begin(struct tasking *t, uint32_t topic, struct task_done *out)
{
        enum status st = topic_get(t->site->store, topic, t->arena, &t->was);
        if (st == OK)
                st = tasking_may(t, topic);
        if (st == OK && t->was.column_count == 0) {
                out->text = STR("That topic has no board.");
                st = INVALID;
        }
        if (st == OK)
                st = task_reserve(t->site->store, &t->old.number);
        if (st != OK)
                return st;
        t->old.topic = topic;
        t->old.opener = t->doing->person;
        t->old.opened = t->now;
        t->old.start = t->old.due = DAY_NONE;
        t->old.status = column_word(t->arena, t->was.columns[0]);
        return OK;
}

/* The opening was there before: the task that it opened then. */
static enum status find_opened(struct tasking *t, uint64_t message, struct task_done *out)
{
        struct task task;
        enum status st = task_of_root(t->site->store, message, &out->number);
        if (st == OK)
                st = task_get(t->site->store, out->number, t->arena, &task);
        if (st != OK)
                return st;
        out->version = task.version;
        out->applied = 0;
        out->text = arena_printf(t->arena, "T-%u was opened by this message before.", out->number);
        return OK;
}

/* The description: what the author says, without the directives, read as strictly as they were. */
static struct str own_text(const struct submission *opening, struct parsed_mail *parsed,
        struct str subject, time_t now)
{
        struct directives directives;
        struct str title;
        const struct zone *zone;
        bool opens = opening->opens || directive_subject_task(subject, &title);
        if (zone_find(STR("UTC"), &zone) != OK)
                return STR_NONE;
        directive_read(parsed, zone, now, opens ? STRICT : LENIENT, &directives);
        return directives.rest;
}

enum status task_open(struct site *site, const struct task_doing *doing, struct submission *opening,
        const struct task_edit *edit, struct arena *arena, struct task_done *out, enum refusal *why)
{
        struct tasking *t = tasking_new(site, doing, arena);
        struct parsed_mail *parsed = submit_parsed(opening, arena);
        struct str subject = header_text(arena, parsed->top->header, "Subject");
        struct task_edit want = complete(
                edit, subject, own_text(opening, parsed, subject, doing->now));
        *out = (struct task_done){0};
        *why = REFUSED_NOT;
        if (!opening->to_count)
                return INVALID;
        t->opening = opening;
        enum status st = begin(t, opening->to[0].mailbox, out);
        if (st == OK)
                st = tasking_edit(t, &want, 0, out);
        if (st == OK)
                st = tasking_finish(t, out, why);
        if (st == CHANGED)
                st = BUSY;
        if (st != OK)
                return st;
        out->opened = !t->skipped;
        return t->skipped ? find_opened(t, opening->message, out) : OK;
}

/* ---- with a message that lies there ---- */

static enum status open_message(struct tasking *t, uint32_t topic, uint64_t message,
        const struct task_edit *edit, struct task_done *out)
{
        struct stored s;
        struct buf text = {0};
        enum refusal why;
        enum status st = messages_read(t->site->store, &message, 1, READ_SUMMARY, t->arena, &s);
        if (st == OK && !s.id)
                st = ABSENT;
        if (st == OK)
                st = begin(t, topic, out);
        if (st == OK)
                st = gather_text(t->site, message, &text);
        t->old.root = message;
        t->root_id = s.message_id;
        struct task_edit want = complete(edit, s.subject, arena_copy(t->arena, buf_str(&text)));
        buf_release(&text);
        if (st == OK)
                st = tasking_edit(t, &want, 0, out);
        if (st == OK)
                st = tasking_finish(t, out, &why);
        out->opened = st == OK;
        return st == EXISTS ? CHANGED : st;
}

static enum status open_once(struct site *site, const struct task_doing *doing, struct place at,
        const struct task_edit *edit, struct arena *arena, struct task_done *out)
{
        struct tasking *t = tasking_new(site, doing, arena);
        struct entry entry;
        uint32_t number;
        enum status st = tasking_may(t, at.mailbox);
        if (st == OK)
                st = entry_read(site->store, at.mailbox, at.number, &entry);
        if (st != OK)
                return st;
        st = task_of_message(site->store, entry.message, &number);
        if (st == OK)
                return task_change(site, doing, number, edit, arena, out);
        return st == ABSENT ? open_message(t, at.mailbox, entry.message, edit, out) : st;
}

enum status task_open_here(struct site *site, const struct task_doing *doing, struct place message,
        const struct task_edit *edit, struct arena *arena, struct task_done *out)
{
        enum status st = CHANGED;
        for (unsigned i = 0; st == CHANGED && i < TASKING_TRIES; i++) {
                *out = (struct task_done){0};
                st = open_once(site, doing, message, edit, arena, out);
        }
        return st == CHANGED ? BUSY : st;
}

/* ---- changing ---- */

enum status task_change(struct site *site, const struct task_doing *doing, uint32_t number,
        const struct task_edit *edit, struct arena *arena, struct task_done *out)
{
        enum status st = CHANGED;
        enum refusal why;
        for (unsigned i = 0; st == CHANGED && i < TASKING_TRIES; i++) {
                struct tasking *t = tasking_new(site, doing, arena);
                *out = (struct task_done){.number = number};
                st = tasking_load(t, number);
                if (st == OK)
                        st = tasking_edit(t, edit, doing->against, out);
                if (st == OK)
                        st = tasking_finish(t, out, &why);
        }
        return st == CHANGED ? BUSY : st;
}

/* ---- taking back ---- */

/* The actor's last event that changed something, not older than may be taken back. ABSENT. */
static enum status find_last(struct tasking *t, struct task_event *out)
{
        enum { STEP = 16 };
        time_t oldest = t->now - (time_t)UNDO_DAYS * SECONDS_A_DAY;
        for (uint32_t upto = t->old.version; upto > 1;) {
                uint32_t after = upto > STEP ? upto - STEP : 0;
                struct task_event *events;
                size_t count = upto - after;
                enum status st = task_events(
                        t->site->store, t->old.number, after, t->arena, &events, &count);
                if (st != OK)
                        return st;
                while (count-- > 0) {
                        *out = events[count];
                        if (out->at < oldest)
                                return ABSENT;
                        if (out->version > 1 && out->person == t->doing->person &&
                                out->change_count)
                                return OK;
                }
                upto = after;
        }
        return ABSENT;
}

/* Persons of "bo, cem"; those who are gone are left out. */
static uint32_t *persons_of(
        struct tasking *t, struct str all, struct str but, size_t *count)
{
        struct str *names;
        size_t n = field_items(all, but, t->arena, &names);
        uint32_t *out = arena_alloc(t->arena, n * sizeof *out + 1);
        *count = 0;
        for (size_t i = 0; i < n; i++) {
                struct person p;
                if (person_find(t->site->store, names[i], t->arena, &p) == OK)
                        out[(*count)++] = p.id;
        }
        return out;
}

static uint32_t *tasks_of(struct tasking *t, struct str all, struct str but, size_t *count)
{
        struct str *names;
        size_t n = field_items(all, but, t->arena, &names);
        uint32_t *out = arena_alloc(t->arena, n * sizeof *out + 1);
        *count = 0;
        for (size_t i = 0; i < n; i++)
                *count += task_name_read(names[i], &out[*count]);
        return out;
}

static int32_t day_of(struct str value)
{
        time_t at;
        return value.len && date_parse_iso(value, &at) == OK ? (int32_t)(at / SECONDS_A_DAY)
                                                            : DAY_NONE;
}

/* Makes the edit that takes one change back. */
static enum status take_back(struct tasking *t, const struct task_change *c, struct task_edit *e)
{
        struct topic topic;
        enum status st = OK;
        e->fields |= 1u << c->field;
        switch (c->field) {
        case FIELD_STATUS:
                e->status = c->before;
                break;
        case FIELD_ASSIGNEES:
                e->assign = persons_of(t, c->before, c->after, &e->assign_count);
                e->unassign = persons_of(t, c->after, c->before, &e->unassign_count);
                break;
        case FIELD_DUE:
                e->due = day_of(c->before);
                break;
        case FIELD_START:
                e->start = day_of(c->before);
                break;
        case FIELD_LABELS:
                e->label_add_count = field_items(c->before, c->after, t->arena, &e->label_add);
                e->label_remove_count = field_items(
                        c->after, c->before, t->arena, &e->label_remove);
                break;
        case FIELD_PRIORITY:
                e->priority = c->before;
                break;
        case FIELD_TITLE:
                e->title = c->before;
                break;
        case FIELD_TEXT:
                e->text = c->before;
                break;
        case FIELD_WAITS:
                e->waits = tasks_of(t, c->before, c->after, &e->wait_count);
                e->unwaits = tasks_of(t, c->after, c->before, &e->unwait_count);
                break;
        case FIELD_TOPIC:
                st = topic_find(t->site->store, c->before, t->arena, &topic);
                e->topic = topic.id;
                break;
        case FIELD_COUNT:
                break;
        }
        return st;
}

static enum status undo_once(struct tasking *t, uint32_t number, struct task_done *out)
{
        struct task_edit edit = {0};
        struct task_event event = {0};
        enum refusal why;
        enum status st = tasking_load(t, number);
        if (st != OK)
                return st;
        st = find_last(t, &event);
        if (st == ABSENT) {
                out->version = t->old.version;
                out->text = arena_printf(t->arena,
                        "There is nothing of yours in T-%u from the last %d days to take back.",
                        number, UNDO_DAYS);
                return OK;
        }
        for (size_t i = 0; st == OK && i < event.change_count; i++)
                st = take_back(t, &event.changes[i], &edit);
        t->undoes = event.version;
        t->undone = event.at;
        if (st == OK)
                st = tasking_edit(t, &edit, event.version, out);
        return st == OK ? tasking_finish(t, out, &why) : st;
}

enum status task_undo(struct site *site, const struct task_doing *doing, uint32_t number,
        struct arena *arena, struct task_done *out)
{
        enum status st = CHANGED;
        for (unsigned i = 0; st == CHANGED && i < TASKING_TRIES; i++) {
                *out = (struct task_done){.number = number};
                st = undo_once(tasking_new(site, doing, arena), number, out);
        }
        return st == CHANGED ? BUSY : st;
}
