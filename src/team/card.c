#include "team/card.h"
#include "base/text.h"
#include "base/when.h"
#include "mail/address.h"
#include "mail/compose.h"
#include "mail/vtodo.h"
#include "team/gather.h"

enum {
        COLUMNS = 72,
        COMMENTS_MOST = 3,
        COMMENT_LINES_MOST = 4,
        LOOKED_AT_MOST = 32, /* newest messages of the thread */
        PLACES_MOST = 16,
        SECONDS_A_DAY = 86400,
};

/* ---- Baton-Task ---- */

static void add_joined(struct buf *out, const char *name, struct str items)
{
        if (!items.len)
                return;
        buf_addf(out, "; %s=", name);
        for (size_t i = 0; i < items.len; i++)
                if (items.at[i] != ' ')
                        buf_add_char(out, items.at[i]);
}

enum status card_fields(
        struct site *site, const struct task *task, struct arena *arena, struct str *out)
{
        static const struct {
                const char *name;
                enum task_field field;
        } shown[] = {{"status", FIELD_STATUS}, {"assignee", FIELD_ASSIGNEES}, {"due", FIELD_DUE},
                {"labels", FIELD_LABELS}, {"priority", FIELD_PRIORITY}};
        struct buf text = {0};
        enum status st = OK;
        buf_addf(&text, "T-%u", task->number);
        for (size_t i = 0; st == OK && i < COUNT_OF(shown); i++) {
                struct str value;
                st = field_value(site, task, shown[i].field, arena, &value);
                if (st == OK)
                        add_joined(&text, shown[i].name, value);
        }
        *out = arena_copy(arena, buf_str(&text));
        buf_release(&text);
        return st;
}

/* ---- text ---- */

void card_checklist(struct str text, unsigned *done, unsigned *all)
{
        struct str line;
        *done = *all = 0;
        while (str_line(&text, &line)) {
                line = str_trim(line);
                if (line.len && strchr("-*+", line.at[0]))
                        line = str_trim(str_from(line, 1));
                bool open = str_starts(line, STR("[ ]")),
                     ticked = str_starts_same(line, STR("[x]"));
                *all += open || ticked;
                *done += ticked;
        }
}

static void add_field(struct buf *out, enum task_field field, struct str value)
{
        struct buf first = {0};
        if (!value.len)
                return;
        buf_addf(&first, "%s: ", field_names[field]);
        text_wrap(value, COLUMNS, buf_str(&first), STR("  "), out);
        buf_release(&first);
}

static enum status add_people(const struct card *c, struct arena *arena, struct buf *out)
{
        struct buf names = {0};
        enum status st = OK;
        for (size_t i = 0; st == OK && i < c->task->assignee_count; i++) {
                struct person p;
                st = person_get(c->site->store, c->task->assignees[i], arena, &p);
                if (st != OK)
                        break;
                buf_addf(&names, "%s%.*s", i ? ", " : "", STR_ARG(p.name));
                if (p.full_name.len && !str_same(p.full_name, p.name))
                        buf_addf(&names, " (%.*s)", STR_ARG(p.full_name));
        }
        add_field(out, FIELD_ASSIGNEES, buf_str(&names));
        buf_release(&names);
        return st;
}

static enum status add_fields(const struct card *c, struct arena *arena, struct buf *out)
{
        static const enum task_field after[] = {
                FIELD_DUE, FIELD_START, FIELD_LABELS, FIELD_PRIORITY, FIELD_WAITS};
        unsigned done, all;
        add_field(out, FIELD_STATUS,
                field_say(c->site, c->topic, FIELD_STATUS, c->task->status, arena));
        enum status st = add_people(c, arena, out);
        for (size_t i = 0; st == OK && i < COUNT_OF(after); i++) {
                struct str value;
                st = field_value(c->site, c->task, after[i], arena, &value);
                if (st == OK && value.len)
                        add_field(out, after[i],
                                field_say(c->site, c->topic, after[i], value, arena));
        }
        card_checklist(c->task->text, &done, &all);
        if (all)
                buf_addf(out, "Checklist: %u of %u done\n", done, all);
        return st;
}

/* ---- comments ---- */

/* Only what lies in the topic is shown to its readers: a thread goes on in private mail, too. */
static enum status lies_in(const struct card *c, uint64_t message, bool *is)
{
        struct place places[PLACES_MOST];
        size_t count = PLACES_MOST;
        enum status st = message_places(c->site->store, message, places, &count);
        *is = false;
        for (size_t i = 0; st == OK && i < count; i++)
                *is = *is || places[i].mailbox == c->topic->id;
        return st;
}

struct comment {
        struct stored by;
        struct str text;
};

/* Most of a task's thread may be its journals, which its events name: these are not read. */
static enum status list_journals(const struct card *c, struct arena *arena,
        struct task_event **events, size_t *count)
{
        uint32_t version = c->task->version;
        *count = LOOKED_AT_MOST;
        return task_events(c->site->store, c->task->number,
                version > LOOKED_AT_MOST ? version - LOOKED_AT_MOST : 0, arena, events, count);
}

static bool is_journal(const struct task_event *events, size_t count, uint64_t message)
{
        while (count)
                if (events[--count].journal == message)
                        return true;
        return false;
}

/* What only commands is no comment. */
static enum status read_comment(
        const struct card *c, uint64_t message, struct arena *arena, struct comment *out, bool *is)
{
        struct buf text = {0};
        enum status st = messages_read(c->site->store, &message, 1, READ_SUMMARY, arena, &out->by);
        *is = false;
        if (st == OK && out->by.id && !out->by.automatic)
                st = lies_in(c, message, is);
        if (st == OK && *is)
                st = gather_words(c->site, message, &text, is);
        if (st == OK && *is)
                out->text = arena_copy(arena, buf_str(&text));
        buf_release(&text);
        return st == ABSENT ? OK : st;
}

/* The newest messages of the thread that people wrote, the newest first. */
static enum status find_comments(
        const struct card *c, struct arena *arena, struct comment *out, size_t *count)
{
        uint64_t ids[LOOKED_AT_MOST];
        size_t n = LOOKED_AT_MOST, events = 0;
        struct task_event *event;
        bool is;
        *count = 0;
        if (!c->thread)
                return OK;
        enum status st = thread_newest(c->site->store, c->thread, ids, &n);
        if (st == OK && n)
                st = list_journals(c, arena, &event, &events);
        for (size_t i = 0; st == OK && i < n && *count < COMMENTS_MOST; i++) {
                if (ids[i] == c->task->root || is_journal(event, events, ids[i]))
                        continue;
                st = read_comment(c, ids[i], arena, &out[*count], &is);
                *count += st == OK && is;
        }
        return st;
}

static void add_lines(struct str text, struct buf *out)
{
        struct buf wrapped = {0};
        struct str line, rest = text;
        unsigned lines = 0;
        while (lines < COMMENT_LINES_MOST && str_line(&rest, &line)) {
                line = str_trim(line);
                if (!line.len)
                        continue;
                buf_clear(&wrapped);
                text_wrap(line, COLUMNS, STR("  "), STR("  "), &wrapped);
                struct str one, all = buf_str(&wrapped);
                for (; lines < COMMENT_LINES_MOST && str_line(&all, &one); lines++) {
                        buf_add(out, one);
                        buf_add_char(out, '\n');
                }
                if (all.len)
                        rest = all; /* there is more */
        }
        if (str_trim(rest).len)
                buf_add_text(out, "  ...\n");
        buf_release(&wrapped);
}

static enum status add_comments(const struct card *c, struct arena *arena, struct buf *out)
{
        struct comment comments[COMMENTS_MOST];
        size_t count;
        enum status st = find_comments(c, arena, comments, &count);
        if (st == OK && count)
                buf_add_text(out, "\nLast comments\n");
        for (size_t i = count; st == OK && i-- > 0;) {
                int y, m, d;
                civil_from_days(comments[i].by.date / SECONDS_A_DAY, &y, &m, &d);
                buf_addf(out, "\n%.*s, %d %s %d:\n", STR_ARG(comments[i].by.from_name), d,
                        month_names[m - 1], y);
                add_lines(comments[i].text, out);
        }
        return st;
}

static void add_help(const struct card *c, struct buf *out)
{
        struct str last = c->topic->column_count
                                  ? c->topic->columns[c->topic->column_count - 1]
                                  : STR("Done");
        buf_addf(out, "\n"
                      "How to answer\n"
                      "  Reply: what you write is a comment in the thread. A line of its own\n"
                      "  like /take, /start, /done or /due fri changes the task.\n"
                      "  Or move this message to another column, like %.*s.\n",
                STR_ARG(last));
}

static enum status write_text(const struct card *c, struct arena *arena, struct buf *out)
{
        struct str rest = c->task->text, line;
        buf_addf(out, "T-%u in %.*s\n", c->task->number, STR_ARG(c->topic->name));
        enum status st = add_fields(c, arena, out);
        if (rest.len)
                buf_add_char(out, '\n');
        while (str_line(&rest, &line)) {
                buf_add(out, line);
                buf_add_char(out, '\n');
        }
        if (st == OK)
                st = add_comments(c, arena, out);
        add_help(c, out);
        return st;
}

/* ---- the message ---- */

static enum vtodo_status vtodo_status_of(const struct card *c, struct arena *arena)
{
        if (str_eq(c->task->status, STR("dropped")))
                return VTODO_CANCELLED;
        if (c->task->closed)
                return VTODO_COMPLETED;
        return field_column(c->topic, c->task->status, arena) ? VTODO_IN_PROCESS
                                                              : VTODO_NEEDS_ACTION;
}

static enum status address_of(
        const struct card *c, uint32_t person, struct arena *arena, struct str *out)
{
        struct person p;
        struct str domain = site_config(c->site)->domain;
        *out = STR_NONE;
        enum status st = person ? person_get(c->site->store, person, arena, &p) : ABSENT;
        if (st == OK)
                *out = arena_printf(arena, "%.*s@%.*s", STR_ARG(p.name), STR_ARG(domain));
        return st == ABSENT ? OK : st;
}

static enum status write_calendar(const struct card *c, struct arena *arena, struct buf *out)
{
        const struct task *t = c->task;
        struct str domain = site_config(c->site)->domain;
        enum vtodo_status state = vtodo_status_of(c, arena);
        struct str *people = arena_alloc(arena, (t->assignee_count + 1) * sizeof *people);
        unsigned done, all;
        card_checklist(t->text, &done, &all);
        struct vtodo v = {
                .uid = arena_printf(arena, "T-%u@%.*s", t->number, STR_ARG(domain)),
                .summary = t->title,
                .description = t->text,
                .status = state,
                .start = t->start == DAY_NONE ? VTODO_NO_DAY : t->start,
                .due = t->due == DAY_NONE ? VTODO_NO_DAY : t->due,
                .created = t->opened,
                .changed = t->changed,
                .completed = state == VTODO_COMPLETED ? t->closed : 0,
                .sequence = t->version - 1,
                .percent = state == VTODO_COMPLETED ? 100 : all ? 100 * done / all : 0,
                .priority = str_eq(t->priority, STR("high")) ? 1 : t->priority.len ? 9 : 0,
                .labels = t->labels,
                .label_count = t->label_count,
                .attendees = people,
                .attendee_count = t->assignee_count,
        };
        enum status st = address_of(c, t->opener, arena, &v.organizer);
        for (size_t i = 0; st == OK && i < t->assignee_count; i++)
                st = address_of(c, t->assignees[i], arena, &people[i]);
        if (st == OK)
                vtodo_write(&v, out);
        return st;
}

/* "T-142 Title (bo, due Fri 27 Nov)" */
static enum status write_subject(const struct card *c, struct arena *arena, struct buf *out)
{
        struct str names;
        enum status st = field_value(c->site, c->task, FIELD_ASSIGNEES, arena, &names);
        buf_addf(out, "T-%u %.*s", c->task->number, STR_ARG(c->task->title));
        bool due = c->task->due != DAY_NONE && !c->task->closed;
        if (names.len || due)
                buf_addf(out, " (%.*s%s%s", STR_ARG(names), names.len && due ? ", " : "",
                        due ? "due " : "");
        if (due)
                when_date(c->task->due, c->task->changed / SECONDS_A_DAY, out);
        if (names.len || due)
                buf_add_char(out, ')');
        return st;
}

enum status card_compose(const struct card *c, struct arena *arena, struct str *bytes)
{
        struct str domain = site_config(c->site)->domain;
        struct str task = arena_printf(arena, "T-%u@%.*s", c->task->number, STR_ARG(domain));
        struct buf text = {0}, calendar = {0}, subject = {0}, message = {0};
        enum status st = write_subject(c, arena, &subject);
        if (st == OK)
                st = write_text(c, arena, &text);
        if (st == OK)
                st = write_calendar(c, arena, &calendar);
        struct composition m = {
                .from = address_field(arena, field_person(c->site, c->task->opener, arena), task),
                .to = arena_printf(arena, "%.*s@%.*s", STR_ARG(c->topic->name), STR_ARG(domain)),
                .subject = buf_str(&subject),
                .message_id = arena_printf(arena, "<card.T-%u.%u@%.*s>", c->task->number,
                        c->task->version, STR_ARG(domain)),
                .in_reply_to = c->root_id,
                .references = c->root_id,
                .date = c->task->changed,
                .fields = arena_printf(arena, "Reply-To: %.*s\r\n", STR_ARG(task)),
                .text = buf_str(&text),
                .calendar = buf_str(&calendar),
                .calendar_name = arena_printf(arena, "T-%u.ics", c->task->number),
                .automatic = true,
        };
        if (st == OK)
                compose(arena, &m, &message);
        *bytes = arena_copy(arena, buf_str(&message));
        buf_release(&text);
        buf_release(&calendar);
        buf_release(&subject);
        buf_release(&message);
        return st;
}
