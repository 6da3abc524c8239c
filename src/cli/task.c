/* task.c - tasks as a list, and one with its history. */
#include "cli/task.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/commands.h"
#include "cli/show.h"
#include "team/journal.h"
#include "team/task.h"

enum { EVENTS_AT_ONCE = 100, WIDTH_MOST = 80 };

/* ---- one task ---- */

static int64_t today_of(struct cli *c, uint32_t person)
{
        struct person p = {.id = 0};
        const struct zone *zone;
        if (person && person_get(c->site->store, person, c->arena, &p) != OK)
                p.zone = STR_NONE;
        if (zone_find(p.zone, &zone) != OK && zone_find(STR("UTC"), &zone) != OK)
                return clock_now() / 86400;
        return when_today(zone, clock_now());
}

/* Its day is gone where one of its people lives; told as it is there. */
static void say_due(struct cli *c, struct shown_task *out)
{
        const struct task *t = &out->task;
        struct buf text = {0};
        int64_t today = today_of(c, t->assignee_count ? t->assignees[0] : 0);
        if (t->due == DAY_NONE)
                return;
        for (size_t i = 1; i < t->assignee_count; i++) {
                int64_t there = today_of(c, t->assignees[i]);
                today = there > today ? there : today;
        }
        out->late = !t->closed && t->due < today;
        if (t->closed)
                when_date(t->due, today, &text);
        else
                when_say(t->due, today, &text);
        out->due = arena_copy(c->arena, buf_str(&text));
        buf_release(&text);
}

enum status task_shown(struct cli *c, uint32_t number, struct shown_task *out)
{
        *out = (struct shown_task){0};
        enum status st = task_get(c->site->store, number, c->arena, &out->task);
        if (st == OK)
                st = topic_get(c->site->store, out->task.topic, c->arena, &out->topic);
        if (st == OK)
                st = field_value(c->site, &out->task, FIELD_ASSIGNEES, c->arena, &out->people);
        if (st == OK)
                say_due(c, out);
        return st;
}

struct topic_memory {
        struct topic topic;
        struct topic_memory *next;
};

static enum status remember_topic(
        struct cli *c, uint32_t id, struct topic_memory **memory, struct topic *out)
{
        struct topic_memory *m = *memory;
        while (m && m->topic.id != id)
                m = m->next;
        if (!m) {
                m = arena_alloc(c->arena, sizeof *m);
                enum status st = topic_get(c->site->store, id, c->arena, &m->topic);
                if (st != OK)
                        return st;
                m->next = *memory;
                *memory = m;
        }
        *out = m->topic;
        return OK;
}

enum status task_brief(
        struct cli *c, uint32_t number, struct topic_memory **memory, struct shown_task *out)
{
        struct arena *kept = c->arena;
        struct shown_task all;
        c->arena = arena_new(); /* texts of thousands of tasks need not be there at once */
        enum status st = task_shown(c, number, &all);
        struct arena *passing = c->arena;
        c->arena = kept;
        if (st == OK) {
                *out = (struct shown_task){.task = {.number = all.task.number,
                                                   .topic = all.task.topic,
                                                   .due = all.task.due,
                                                   .closed = all.task.closed,
                                                   .card = all.task.card},
                        .late = all.late};
                out->task.title = arena_copy(kept, all.task.title);
                out->task.status = arena_copy(kept, all.task.status);
                out->task.priority = arena_copy(kept, all.task.priority);
                out->people = arena_copy(kept, all.people);
                out->due = arena_copy(kept, all.due);
                st = remember_topic(c, all.task.topic, memory, &out->topic);
        }
        arena_free(passing);
        return st;
}

bool task_is_given(const struct shown_task *t, struct str person)
{
        struct str rest = t->people, name;
        while (str_cut(&rest, ',', &name))
                if (str_eq(str_trim(name), person))
                        return true;
        return false;
}

enum status cli_task(struct cli *c, struct str name, struct shown_task *out)
{
        uint32_t number;
        if (!task_name_read(name, &number) && (str_u32(name, &number) != OK || !number)) {
                cli_fail(c, "'%.*s' is not a task's name like T-142", STR_ARG(name));
                return INVALID;
        }
        enum status st = task_shown(c, number, out);
        if (st == ABSENT)
                cli_fail(c, "there is no task T-%u; 'baton task list' shows those that are open",
                        number);
        else if (st != OK)
                cli_fail_status(c, st, "reading the task");
        return st;
}

struct str task_due_day(struct cli *c, const struct shown_task *t)
{
        struct buf text = {0};
        if (t->task.due != DAY_NONE)
                when_iso(t->task.due, &text);
        struct str day = arena_copy(c->arena, buf_str(&text));
        buf_release(&text);
        return day;
}

static struct str value_of(struct cli *c, const struct task *t, enum task_field field)
{
        struct str value;
        return field_value(c->site, t, field, c->arena, &value) == OK ? value : STR_NONE;
}

static void show_value(struct cli *c, struct show *s, const struct shown_task *t,
        const char *heading, enum task_field field)
{
        static const char *const keys[FIELD_COUNT] = {[FIELD_START] = "start",
                [FIELD_LABELS] = "labels",
                [FIELD_PRIORITY] = "priority",
                [FIELD_WAITS] = "waits"};
        struct str value = value_of(c, &t->task, field), *items;
        bool list = field == FIELD_LABELS || field == FIELD_WAITS;
        size_t count = list ? field_items(value, STR_NONE, c->arena, &items) : 0;
        if (!value.len)
                heading = NULL;
        if (list)
                show_texts(s, keys[field], heading, items, count);
        else
                show_text(s, keys[field], heading, value);
}

/* ---- list ---- */

struct wanted {
        struct cli *cli;
        uint32_t topic, person; /* 0: any */
        struct str name;        /* the person's */
        struct str status;      /* a column's word; empty: any */
        bool late, all;
};

static bool is_wanted(const struct wanted *w, const struct shown_task *t)
{
        bool mine = !w->person || task_is_given(t, w->name);
        return mine && (!w->topic || t->task.topic == w->topic) && (!w->late || t->late) &&
               (!w->status.len || str_eq(t->task.status, w->status));
}

static enum status find_numbers(const struct wanted *w, struct numset *out)
{
        struct store *store = w->cli->site->store;
        bool closed = w->all || w->status.len;
        struct topic *topics;
        size_t count;
        if (w->person && !closed)
                return tasks_of_person(store, w->person, out);
        if (w->topic)
                return tasks_of_topic(store, w->topic, closed, out);
        enum status st = topic_list(store, w->cli->arena, &topics, &count);
        for (size_t i = 0; i < count && st == OK; i++)
                st = tasks_of_topic(store, topics[i].id, closed, out);
        return st;
}

/* What is due first; what is never due last. */
static int by_due(const void *x, const void *y)
{
        const struct shown_task *a = x, *b = y;
        int64_t i = a->task.due == DAY_NONE ? INT64_MAX : a->task.due,
                k = b->task.due == DAY_NONE ? INT64_MAX : b->task.due;
        if (i != k)
                return i < k ? -1 : 1;
        return a->task.number < b->task.number ? -1 : a->task.number > b->task.number;
}

static enum status find_tasks(const struct wanted *w, struct shown_task **out, size_t *count)
{
        struct numset *numbers = numset_new();
        struct topic_memory *memory = NULL;
        enum status st = find_numbers(w, numbers);
        uint32_t number;
        *count = 0;
        *out = arena_alloc(w->cli->arena, (numset_count(numbers) + 1) * sizeof **out);
        for (struct walk walk = numset_walk(numbers); st == OK && walk_next(&walk, &number);) {
                st = task_brief(w->cli, number, &memory, &(*out)[*count]);
                *count += st == OK && is_wanted(w, &(*out)[*count]);
                st = st == ABSENT ? OK : st;
        }
        numset_free(numbers);
        if (*count)
                qsort(*out, *count, sizeof **out, by_due);
        return st;
}

static void show_task(struct cli *c, struct show *s, const struct shown_task *t)
{
        const struct task *task = &t->task;
        struct str *people;
        size_t count = field_items(t->people, STR_NONE, c->arena, &people);
        struct str status = field_say(c->site, &t->topic, FIELD_STATUS, task->status, c->arena);
        bool json = show_is_json(s);
        show_text(s, "task", "Task", arena_printf(c->arena, "T-%u", task->number));
        show_text(s, "status", "Status", json ? task->status : status);
        show_text(s, "due", "Due", json ? task_due_day(c, t) : t->due);
        show_bool(s, "late", NULL, t->late);
        show_texts(s, "assignees", "Who", people, count);
        show_text(s, "topic", "Topic", t->topic.name);
        show_text(s, "title", "Title", task->title);
}

static int read_wanted(struct wanted *w, const struct options *o)
{
        struct cli *c = w->cli;
        const char *topic = option_value(o, "topic"), *person = option_value(o, "assignee"),
                   *status = option_value(o, "status");
        struct topic t;
        struct person p;
        if (topic && cli_topic(c, str_of(topic), &t) != OK)
                return FAILED;
        if (person && cli_person(c, str_of(person), &p) != OK)
                return FAILED;
        w->topic = topic ? t.id : 0;
        w->person = person ? p.id : 0;
        w->name = person ? p.name : STR_NONE;
        w->status = status ? column_word(c->arena, str_of(status)) : STR_NONE;
        w->late = option_on(o, "late");
        w->all = option_on(o, "all");
        return DONE;
}

static int run_list(struct cli *c, const struct options *o)
{
        struct wanted w = {.cli = c};
        struct shown_task *tasks;
        size_t count;
        int status = read_wanted(&w, o);
        if (status != DONE)
                return status;
        enum status st = find_tasks(&w, &tasks, &count);
        if (st != OK)
                return cli_fail_status(c, st, "reading the tasks");
        struct show *s = show_begin(c, option_on(o, "json"), true);
        for (size_t i = 0; i < count; i++) {
                show_item(s);
                show_task(c, s, &tasks[i]);
        }
        show_end(s, o->given_count > (size_t)option_on(o, "json")
                            ? "No such tasks."
                            : "No open tasks: 'baton task add TOPIC --title TEXT' opens one.");
        return DONE;
}

/* ---- show ---- */

struct history {
        struct cli *cli;
        struct show *show;
        const struct shown_task *task;
        bool json;
};

static struct str event_words(const struct history *h, const struct task_event *e)
{
        struct telling telling = {.site = h->cli->site,
                .task = &h->task->task,
                .topic = &h->task->topic,
                .was = &h->task->topic,
                .event = e,
                .undone = e->at};
        struct str words = journal_lines(&telling, h->cli->arena);
        if (words.len || !e->conflict)
                return str_trim(words);
        return arena_printf(h->cli->arena,
                "%.*s wanted what somebody else had changed meanwhile: nothing was done.",
                STR_ARG(field_person(h->cli->site, e->person, h->cli->arena)));
}

static struct str person_name(struct cli *c, uint32_t person)
{
        struct person p;
        return person && person_get(c->site->store, person, c->arena, &p) == OK ? p.name : STR_NONE;
}

static void show_event(const struct history *h, const struct task_event *e)
{
        struct cli *c = h->cli;
        struct str words = event_words(h, e), line;
        if (h->json) {
                show_item(h->show);
                show_number(h->show, "version", NULL, e->version);
                show_time(h->show, "at", NULL, e->at);
                show_text(h->show, "person", NULL, person_name(c, e->person));
                show_bool(h->show, "conflict", NULL, e->conflict);
                show_text(h->show, "text", NULL, words);
                return;
        }
        struct buf out = {0}, first = {0};
        date_print_iso(e->at, &first);
        struct str when = str_sub(buf_str(&first), 0, 16); /* "2026-11-24T07:30" */
        first.at[10] = ' ';
        struct str lead = arena_printf(c->arena, "  %.*s  ", STR_ARG(when));
        while (str_line(&words, &line)) {
                text_wrap(line, WIDTH_MOST - 2, lead, STR("                    "), &out);
                lead = STR("                    ");
        }
        fwrite(out.at, 1, out.len, c->out);
        buf_release(&out);
        buf_release(&first);
}

static enum status show_history(const struct history *h)
{
        struct task_event *events;
        uint32_t after = 0;
        size_t count = EVENTS_AT_ONCE;
        enum status st = OK;
        while (st == OK && count == EVENTS_AT_ONCE) {
                st = task_events(h->cli->site->store, h->task->task.number, after, h->cli->arena,
                        &events, &count);
                for (size_t i = 0; st == OK && i < count; i++)
                        show_event(h, &events[i]);
                after = st == OK && count ? events[count - 1].version : after;
        }
        return st;
}

static void print_text(struct cli *c, struct str text)
{
        struct str line;
        struct buf out = {0};
        if (!text.len)
                return;
        buf_add_char(&out, '\n');
        while (str_line(&text, &line)) {
                struct buf flat = {0};
                text_flatten(line, &flat);
                if (flat.len)
                        text_wrap(buf_str(&flat), WIDTH_MOST, STR("  "), STR("  "), &out);
                else
                        buf_add_char(&out, '\n');
                buf_release(&flat);
        }
        fwrite(out.at, 1, out.len, c->out);
        buf_release(&out);
}

static void show_state(struct cli *c, struct show *s, const struct shown_task *t)
{
        struct str due = t->due;
        struct str exact = value_of(c, &t->task, FIELD_DUE);
        show_text(s, "task", "Task", arena_printf(c->arena, "T-%u", t->task.number));
        show_text(s, "title", "Title", t->task.title);
        show_text(s, "topic", "Topic", t->topic.name);
        if (show_is_json(s))
                show_text(s, "status", NULL, t->task.status);
        else
                show_text(s, "", "Status",
                        field_say(c->site, &t->topic, FIELD_STATUS, t->task.status, c->arena));
        struct str *people;
        size_t count = field_items(t->people, STR_NONE, c->arena, &people);
        if (show_is_json(s))
                show_texts(s, "assignees", NULL, people, count);
        else
                show_text(s, "", "Who",
                        field_say(c->site, &t->topic, FIELD_ASSIGNEES, t->people, c->arena));
        if (due.len && !show_is_json(s))
                due = arena_printf(c->arena, "%.*s (%.*s)", STR_ARG(exact), STR_ARG(due));
        show_text(s, "due", due.len ? "Due" : NULL, show_is_json(s) ? exact : due);
        show_bool(s, "late", NULL, t->late);
        show_value(c, s, t, "From", FIELD_START);
        show_value(c, s, t, "Labels", FIELD_LABELS);
        show_value(c, s, t, "Priority", FIELD_PRIORITY);
        show_value(c, s, t, "Waits for", FIELD_WAITS);
        show_time(s, "opened", "Opened", t->task.opened);
        show_time(s, "changed", "Changed", t->task.changed);
        show_time(s, "closed", t->task.closed ? "Closed" : NULL, t->task.closed);
        show_number(s, "version", NULL, t->task.version);
        show_text(s, "text", NULL, t->task.text);
}

static int run_show(struct cli *c, const struct options *o)
{
        struct shown_task t;
        struct history h = {.cli = c, .task = &t, .json = option_on(o, "json")};
        enum status st = OK;
        if (cli_task(c, cli_word(o, 0), &t) != OK)
                return FAILED;
        h.show = show_begin(c, h.json, false);
        show_state(c, h.show, &t);
        if (h.json) {
                show_inside(h.show, "history");
                st = show_history(&h);
        }
        show_end(h.show, NULL);
        if (!h.json) {
                struct str domain = site_config(c->site)->domain, last = STR("dropped");
                if (t.topic.column_count)
                        last = column_word(c->arena, t.topic.columns[t.topic.column_count - 1]);
                print_text(c, t.task.text);
                fprintf(c->out, "\nHistory (UTC)\n");
                st = show_history(&h);
                fprintf(c->out,
                        "\nTo answer: mail T-%u@%.*s; a first line /done, /take or Due: fri "
                        "changes "
                        "it.\nHere:      baton task set T-%u status=%.*s assign=ana due=fri\n",
                        t.task.number, STR_ARG(domain), t.task.number, STR_ARG(last));
        }
        return st == OK ? DONE : cli_fail_status(c, st, "reading the history");
}

/* clang-format off */
static const struct option list_options[] = {
        { "topic",    "TOPIC",  "of this topic" },
        { "assignee", "PERSON", "given to this person" },
        { "status",   "STATUS", "in this column, or dropped; closed ones, too" },
        { "late",     NULL,     "past their day, where their people live" },
        { "all",      NULL,     "closed ones, too" },
        { "json",     NULL,     "for programs" },
        { NULL,       NULL,     NULL },
};
static const struct option json_options[] = {
        { "json",     NULL,     "for programs" },
        { NULL,       NULL,     NULL },
};
const struct command task_commands[] = {
        { "list", "",                    "list tasks, what is due first",     run_list,    list_options,      0, 0,         NEEDS_SITE,
          "Open ones, unless --all or --status says otherwise." },
        { "show", "TASK",                "show one task and its history",     run_show,    json_options,      1, 1,         NEEDS_SITE, NULL },
        { "add",  "TOPIC",               "open a task",                       task_add,    task_add_options,  1, 1,         NEEDS_SITE,
          "Example: baton task add eng.backend --title \"Renew the certificate\" --set due=fri --set assign=bo\n\n"
          "It is posted to the topic, where the thread is its history." },
        { "set",  "TASK KEY=VALUE...",   "change a task",                     task_set,    task_set_options,  2, WORDS_ANY, NEEDS_SITE,
          "Example: baton task set T-142 status=doing assign=bo due=fri labels=\"+auth -ios\"\n\n"
          "The words are those of mail (baton-directives(7)): status, assign, unassign, due, start,\n"
          "labels, priority, waits-on, title, summary; or a verb like /done. All of them are done, or\n"
          "none. The thread tells it." },
        { "undo", "TASK",                "take a person's last change back",  task_undone, task_undo_options, 1, 1,         NEEDS_SITE, NULL },
        { NULL,   NULL,                  NULL,                                NULL,        NULL,              0, 0,         NEEDS_NOTHING, NULL },
};
/* clang-format on */
