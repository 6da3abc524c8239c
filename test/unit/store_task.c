/* Tasks: versions, cards that vanish exactly once, what a card's number means afterwards, indices,
 * boards, and what stands after a crash. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/clock.h"
#include "store/task.h"
#include "store_kit.h"
#include <signal.h>
#include <sys/wait.h>

enum { DAY = 86400, NOW = 1700000000 };

struct scene {
        uint32_t ana, bo, topic, todo, doing, done, mine;
        uint32_t mail; /* counts messages, so that each has an id of its own */
};

static uint32_t box(struct kit *k, uint32_t owner, const char *name)
{
        struct mailbox m;
        assert_int_equal(mailbox_find(k->store, owner, str_of(name), k->arena, &m), OK);
        return m.id;
}

static uint32_t add_topic(struct kit *k, const char *name)
{
        static struct str columns[] = {{"To do", 5}, {"Doing", 5}, {"Done", 4}};
        struct topic t = {.name = str_of(name), .columns = columns, .column_count = 3};
        struct change *change = change_new(k->store);
        change_topic(change, &t, &t.id);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        return t.id;
}

static struct scene scene(struct kit *k)
{
        struct scene s = {.ana = kit_person(k, "ana"), .bo = kit_person(k, "bo")};
        s.topic = add_topic(k, "eng");
        s.todo = box(k, 0, "eng/1 To do");
        s.doing = box(k, 0, "eng/2 Doing");
        s.done = box(k, 0, "eng/3 Done");
        s.mine = box(k, s.ana, "Tasks/Mine");
        return s;
}

static struct filing *letter(struct kit *k, struct scene *s, const char *kind, unsigned n,
        const uint32_t *boxes)
{
        struct filing *f = arena_alloc(k->arena, sizeof *f);
        struct str id = arena_printf(k->arena, "%s.%u.%u@x", kind, n, s->mail++);
        *f = (struct filing){.bytes = arena_printf(k->arena, "Subject: %s\r\n\r\nbody\r\n", id.at),
                .derived = kit_derived(k, id.at, ""),
                .entries = arena_alloc(k->arena, 8 * sizeof *f->entries)};
        for (; boxes && *boxes; boxes++)
                f->entries[f->entry_count++].mailbox = *boxes;
        return f;
}

static struct task_event *event(struct kit *k, uint32_t person)
{
        struct task_event *e = arena_alloc(k->arena, sizeof *e);
        struct task_change *c = arena_alloc(k->arena, sizeof *c);
        *c = (struct task_change){FIELD_STATUS, STR("before"), STR("after")};
        *e = (struct task_event){.person = person, .at = NOW, .changes = c, .change_count = 1};
        return e;
}

/* Everything of `put` that is a filing goes before it. */
static enum status commit(struct kit *k, struct task_put *put, struct filing *opening,
        struct filing *card, struct place *burned)
{
        struct change *change = change_new(k->store);
        put->burn = burned;
        if (burned)
                change_burn(change, burned);
        put->opening = opening;
        put->card = card;
        if (opening)
                assert_int_equal(change_file(change, opening), OK);
        if (card)
                assert_int_equal(change_file(change, card), OK);
        change_task(change, put);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

static struct task fresh(struct kit *k, struct scene *s, uint32_t assignee)
{
        struct task t = {.version = 1, .topic = s->topic, .opener = s->ana, .opened = NOW,
                .changed = NOW, .title = STR("Title"), .text = STR("[ ] one"), .status = STR("to-do"),
                .start = DAY_NONE, .due = DAY_NONE};
        assert_int_equal(task_reserve(k->store, &t.number), OK);
        t.assignees = arena_alloc(k->arena, 8);
        if (assignee)
                t.assignees[t.assignee_count++] = assignee;
        return t;
}

static struct task get(struct kit *k, uint32_t number)
{
        struct task t;
        assert_int_equal(task_get(k->store, number, k->arena, &t), OK);
        return t;
}

static struct task open_one(struct kit *k, struct scene *s, uint32_t assignee)
{
        struct task t = fresh(k, s, assignee);
        struct task_put put = {.task = &t, .event = event(k, s->ana), .now = NOW};
        struct filing *opening = letter(k, s, "open", t.number, (uint32_t[]){s->topic, 0}),
                      *card = letter(k, s, "card", t.number,
                              (uint32_t[]){s->todo, assignee == s->ana ? s->mine : 0, 0});
        assert_int_equal(commit(k, &put, opening, card, NULL), OK);
        assert_false(put.skipped);
        return get(k, t.number);
}

/* The next version, with its card in one column. */
static enum status move(struct kit *k, struct scene *s, struct task *t, uint32_t column)
{
        struct task_put put = {.task = t, .event = event(k, s->bo), .now = NOW};
        t->version++;
        return commit(k, &put, NULL,
                column ? letter(k, s, "card", t->number, (uint32_t[]){column, 0}) : NULL, NULL);
}

static void assert_numbers(struct kit *k, uint32_t mailbox, const char *text)
{
        const struct view *v;
        assert_int_equal(view_open(k->store, mailbox, &v), OK);
        assert_set(v->numbers, text);
        view_close(k->store, v);
}

static void assert_vanished(struct kit *k, uint32_t mailbox, uint64_t since, const char *text)
{
        const struct view *v;
        struct numset *gone = numset_new();
        assert_int_equal(view_open(k->store, mailbox, &v), OK);
        assert_int_equal(mailbox_changes(k->store, v, 1, since, NULL, gone), OK);
        assert_set(gone, text);
        numset_free(gone);
        view_close(k->store, v);
}

static void assert_memory(struct kit *k, uint32_t mailbox, uint32_t number, struct card_memory want)
{
        struct card_memory m;
        assert_int_equal(card_find(k->store, (struct place){mailbox, number}, &m), OK);
        assert_int_equal(m.task, want.task);
        assert_int_equal(m.version, want.version);
        assert_int_equal(m.gone, want.gone);
}

static void opens_and_moves(void **state)
{
        struct kit *k = *state;
        struct scene s = scene(k);
        struct task t = open_one(k, &s, s.ana);
        uint32_t number;
        assert_int_equal(t.number, 1);
        assert_int_equal(t.card_count, 2);
        assert_str(t.text, "[ ] one");
        assert_int_equal(task_of_root(k->store, t.root, &number), OK);
        assert_int_equal(number, 1);
        assert_int_equal(task_of_root(k->store, t.card, &number), ABSENT);
        assert_numbers(k, s.todo, "1");
        assert_numbers(k, s.mine, "1");
        assert_memory(k, s.todo, 1, (struct card_memory){1, 1, false});

        assert_int_equal(move(k, &s, &t, s.doing), OK);
        t = get(k, 1);
        assert_int_equal(t.version, 2);
        assert_numbers(k, s.todo, "");
        assert_numbers(k, s.mine, "");
        assert_numbers(k, s.doing, "1");
        assert_vanished(k, s.todo, 1, "1");
        assert_vanished(k, s.mine, 1, "1");
        assert_vanished(k, s.doing, 1, "");
        assert_memory(k, s.todo, 1, (struct card_memory){1, 1, true});
        assert_memory(k, s.mine, 1, (struct card_memory){1, 1, true});
        assert_memory(k, s.doing, 1, (struct card_memory){1, 2, false});
        kit_check(k);
        kit_reopen(k);
        t = get(k, 1);
        assert_int_equal(t.version, 2);
        assert_numbers(k, s.doing, "1");
        assert_memory(k, s.todo, 1, (struct card_memory){1, 1, true});
}

/* Who read an older state writes nothing at all: no journal, no card, no number. */
static void refuses_old_versions(void **state)
{
        struct kit *k = *state;
        struct scene s = scene(k);
        struct task t = open_one(k, &s, s.ana), old = t, placed = t;
        assert_int_equal(move(k, &s, &t, s.doing), OK);
        assert_int_equal(move(k, &s, &old, s.done), CHANGED);
        assert_numbers(k, s.done, "");
        assert_int_equal(get(k, 1).version, 2);
        /* the version is right, but the card has been placed anew in between */
        struct task now = get(k, 1);
        struct task_put put = {.task = &now, .now = NOW};
        placed = now;
        assert_int_equal(commit(k, &put, NULL, letter(k, &s, "card", 1, (uint32_t[]){s.doing, 0}), NULL),
                OK);
        assert_numbers(k, s.doing, "2");
        assert_int_equal(get(k, 1).version, 2);
        assert_int_equal(move(k, &s, &placed, s.done), CHANGED);
        /* a number that is taken */
        struct task again = fresh(k, &s, 0);
        again.number = 1;
        put = (struct task_put){.task = &again, .event = event(k, s.ana)};
        assert_int_equal(commit(k, &put, letter(k, &s, "open", 9, (uint32_t[]){s.topic, 0}), NULL, NULL),
                CHANGED);
        assert_numbers(k, s.topic, "1");
}

static void opens_once(void **state)
{
        struct kit *k = *state;
        struct scene s = scene(k);
        struct task t = fresh(k, &s, 0), again = fresh(k, &s, 0), third = fresh(k, &s, 0);
        struct filing *opening = letter(k, &s, "open", 1, (uint32_t[]){s.topic, 0});
        struct place burned = {.mailbox = s.doing};
        uint32_t number;
        opening->once = true;
        struct task_put put = {.task = &t, .event = event(k, s.ana)};
        assert_int_equal(
                commit(k, &put, opening, letter(k, &s, "card", 1, (uint32_t[]){s.todo, 0}), NULL), OK);
        put = (struct task_put){.task = &again, .event = event(k, s.ana)};
        assert_int_equal(commit(k, &put, opening, letter(k, &s, "card", 2, (uint32_t[]){s.todo, 0}),
                                 &burned), OK);
        assert_true(put.skipped);
        assert_int_equal(task_get(k->store, again.number, k->arena, &again), ABSENT);
        assert_int_equal(task_of_root(k->store, opening->message, &number), OK);
        assert_int_equal(number, t.number);
        assert_numbers(k, s.todo, "1");
        assert_numbers(k, s.topic, "1");
        assert_int_equal(burned.number, 1);
        assert_memory(k, s.doing, 1, (struct card_memory){t.number, 1, true});
        /* with a message that lies there: the same, but as a refusal */
        third.root = opening->message;
        put = (struct task_put){.task = &third, .event = event(k, s.ana)};
        assert_int_equal(
                commit(k, &put, NULL, letter(k, &s, "card", 3, (uint32_t[]){s.todo, 0}), NULL), EXISTS);
}

/* A client is told a number that is nobody's any more, and what it means is known. */
static void burns(void **state)
{
        struct kit *k = *state;
        struct scene s = scene(k);
        struct task t = open_one(k, &s, 0);
        struct place burned = {.mailbox = s.doing};
        struct task_put put = {.task = &t, .event = event(k, s.bo), .now = NOW};
        t.version = 2;
        assert_int_equal(commit(k, &put, NULL, letter(k, &s, "card", 1, (uint32_t[]){s.doing, 0}),
                                 &burned), OK);
        assert_int_equal(burned.number, 1);
        assert_numbers(k, s.doing, "2"); /* above it, where a client looks for what is new */
        assert_vanished(k, s.doing, 1, "1");
        assert_memory(k, s.doing, 1, (struct card_memory){1, 2, true});
        t = get(k, 1);
        assert_int_equal(move(k, &s, &t, s.doing), OK);
        assert_numbers(k, s.doing, "3");
}

static void forgets(void **state)
{
        struct kit *k = *state;
        struct scene s = scene(k);
        struct task t = open_one(k, &s, 0);
        struct card_memory m;
        for (unsigned i = 0; i < 30; i++) {
                assert_int_equal(move(k, &s, &t, i % 2 ? s.todo : s.doing), OK);
                t = get(k, 1);
        }
        struct task_put put = {.task = &t, .now = NOW + 90 * DAY};
        assert_int_equal(
                commit(k, &put, NULL, letter(k, &s, "card", 1, (uint32_t[]){s.todo, 0}), NULL), OK);
        assert_memory(k, s.todo, 1, (struct card_memory){1, 1, true});
        for (unsigned i = 0; i < 4; i++) { /* a few at a time */
                t = get(k, 1);
                put = (struct task_put){.task = &t, .now = NOW + 91 * DAY};
                assert_int_equal(
                        commit(k, &put, NULL, letter(k, &s, "card", 1, (uint32_t[]){s.todo, 0}), NULL), OK);
        }
        assert_int_equal(card_find(k->store, (struct place){s.todo, 1}, &m), ABSENT);
        assert_int_equal(card_find(k->store, (struct place){s.doing, 15}, &m), ABSENT);
        t = get(k, 1);
        assert_memory(k, t.cards[0].mailbox, t.cards[0].number,
                (struct card_memory){1, t.version, false});
}

static void assert_list(struct kit *k, enum status (*list)(struct store *, uint32_t, struct numset *),
        uint32_t of, const char *text)
{
        struct numset *set = numset_new();
        assert_int_equal(list(k->store, of, set), OK);
        assert_set(set, text);
        numset_free(set);
}

static enum status all_of(struct store *store, uint32_t topic, struct numset *out)
{
        return tasks_of_topic(store, topic, true, out);
}

static enum status open_of(struct store *store, uint32_t topic, struct numset *out)
{
        return tasks_of_topic(store, topic, false, out);
}

static void keeps_indices(void **state)
{
        struct kit *k = *state;
        struct scene s = scene(k);
        struct task a = open_one(k, &s, s.ana), b = open_one(k, &s, s.bo);
        uint32_t other = add_topic(k, "web"), web = box(k, 0, "web/1 To do");
        bool awaited;
        time_t at;
        assert_list(k, tasks_of_person, s.ana, "1");
        assert_list(k, tasks_of_person, s.bo, "2");
        assert_list(k, open_of, s.topic, "1:2");

        b.waits = &a.number;
        b.wait_count = 1;
        assert_int_equal(due_next(k->store, &at), ABSENT);
        assert_int_equal(move(k, &s, &b, s.todo), OK);
        assert_list(k, tasks_waiting, a.number, "2");
        assert_int_equal(task_is_awaited(k->store, a.number, &awaited), OK);
        assert_true(awaited);
        struct due due[4];
        size_t count = 4;
        assert_int_equal(due_read(k->store, DUE_CARD, NOW, due, &count), OK);
        assert_int_equal(count, 1);
        assert_int_equal(due[0].person, a.number);
        /* who read the other before it was waited for has read too early */
        struct task early = a;
        assert_int_equal(move(k, &s, &early, s.doing), CHANGED);

        a = get(k, 1);
        a.assignees[0] = s.bo;
        assert_int_equal(move(k, &s, &a, s.doing), OK);
        assert_int_equal(due_next(k->store, &at), ABSENT); /* it has been placed, with look 0 */
        assert_list(k, tasks_of_person, s.ana, "");
        assert_list(k, tasks_of_person, s.bo, "1:2");

        b = get(k, 2);
        b.closed = NOW;
        assert_int_equal(move(k, &s, &b, 0), OK);
        assert_int_equal(get(k, 2).card_count, 0);
        assert_list(k, tasks_waiting, a.number, "");
        assert_list(k, open_of, s.topic, "1");
        assert_list(k, all_of, s.topic, "1:2");
        assert_list(k, tasks_of_person, s.bo, "1");
        assert_int_equal(due_next(k->store, &at), OK);

        b = get(k, 2);
        b.closed = 0;
        b.topic = other;
        assert_int_equal(move(k, &s, &b, web), OK);
        assert_list(k, all_of, s.topic, "1");
        assert_list(k, open_of, other, "2");
        assert_list(k, all_of, other, "2");
        assert_list(k, tasks_waiting, a.number, "2");
}

static void tells_events(void **state)
{
        struct kit *k = *state;
        struct scene s = scene(k);
        struct task t = open_one(k, &s, 0);
        struct task_event *events;
        size_t count = 100;
        uint32_t version;
        uint64_t between[3];
        for (unsigned i = 0; i < 3; i++) {
                struct filing *say = letter(k, &s, "said", i, (uint32_t[]){s.topic, 0}),
                              *journal = letter(k, &s, "journal", i, (uint32_t[]){s.topic, 0});
                struct filing *card = letter(k, &s, "card", i, (uint32_t[]){s.doing, 0});
                struct task_put put = {.task = &t,
                        .event = event(k, s.bo),
                        .journal = journal,
                        .card = card};
                struct change *change = change_new(k->store);
                t.version++;
                assert_int_equal(message_file(k->store, say), OK);
                between[i] = say->message;
                assert_int_equal(change_file(change, journal), OK);
                assert_int_equal(change_file(change, card), OK);
                change_task(change, &put);
                assert_int_equal(store_commit(change), OK);
                change_free(change);
                t = get(k, 1);
        }
        assert_int_equal(task_events(k->store, 1, 0, k->arena, &events, &count), OK);
        assert_int_equal(count, 4);
        assert_int_equal(events[0].version, 1);
        assert_int_equal(events[0].journal, t.root);
        assert_int_equal(events[3].version, 4);
        assert_int_equal(events[3].person, s.bo);
        assert_str(events[3].changes[0].after, "after");
        count = 2;
        assert_int_equal(task_events(k->store, 1, 1, k->arena, &events, &count), OK);
        assert_int_equal(count, 2);
        assert_int_equal(events[0].version, 2);
        for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(task_version_at(k->store, 1, between[i], &version), OK);
                assert_int_equal(version, i + 1);
        }
        assert_int_equal(task_version_at(k->store, 1, UINT64_MAX, &version), OK);
        assert_int_equal(version, 4);
        assert_int_equal(task_version_at(k->store, 7, 1, &version), ABSENT);
}

/* ---- boards ---- */

static enum status set_columns(struct kit *k, uint32_t topic, const char *text)
{
        struct topic t;
        struct str rest = str_of(text);
        assert_int_equal(topic_get(k->store, topic, k->arena, &t), OK);
        t.columns = arena_alloc(k->arena, 30 * sizeof *t.columns);
        t.column_count = 0;
        while (str_cut(&rest, ',', &t.columns[t.column_count]))
                t.column_count++;
        struct change *change = change_new(k->store);
        change_topic(change, &t, NULL);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

static void keeps_columns(void **state)
{
        static const char *const bad[] = {"One", "A,a", "To do,to-do", "A,B/C", "A,Dropped", "A,"};
        struct kit *k = *state;
        struct scene s = scene(k);
        struct task t = open_one(k, &s, 0);
        struct topic *topics;
        struct mailbox m;
        size_t count;
        assert_int_equal(topic_list(k->store, k->arena, &topics, &count), OK);
        assert_int_equal(count, 1); /* columns are no topics */
        assert_int_equal(set_columns(k, s.topic, "Ideas,Doing,TO DO,Finished"), OK);
        assert_int_equal(box(k, 0, "eng/3 TO DO"), s.todo); /* moved and kept, with its card */
        assert_int_equal(box(k, 0, "eng/2 Doing"), s.doing);
        assert_int_equal(mailbox_find(k->store, 0, STR("eng/3 Done"), k->arena, &m), ABSENT);
        assert_int_equal(mailbox_get(k->store, s.done, k->arena, &m), ABSENT);
        assert_numbers(k, s.todo, "1");
        assert_int_equal(set_columns(k, s.topic, "Ideas,Doing,Finished"), FORBIDDEN);
        assert_int_equal(set_columns(k, s.topic, "Doing,To do"), OK);
        for (size_t i = 0; i < COUNT_OF(bad); i++)
                assert_int_equal(set_columns(k, s.topic, bad[i]), INVALID);
        struct change *change = change_new(k->store);
        change_mailbox_remove(change, s.doing);
        assert_int_equal(store_commit(change), FORBIDDEN);
        change_free(change);
        change = change_new(k->store);
        change_mailbox_remove(change, s.topic);
        assert_int_equal(store_commit(change), FORBIDDEN);
        change_free(change);
        struct numset *all = kit_set("1:9");
        change = change_new(k->store);
        change_expunge(change, s.todo, all, NULL);
        assert_int_equal(store_commit(change), FORBIDDEN);
        change_free(change);
        numset_free(all);
        assert_int_equal(get(k, t.number).card_count, 1);
}

static struct str *columns_of(struct kit *k, const char *text, size_t *count)
{
        struct str *out = arena_alloc(k->arena, 30 * sizeof *out), rest = str_of(text);
        for (*count = 0; str_cut(&rest, ',', &out[*count]);)
                ++*count;
        return out;
}

static enum status change_to(struct kit *k, struct columns_put put)
{
        struct change *change = change_new(k->store);
        change_columns(change, &put);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

/* A column that is called otherwise keeps its mailbox and cards, and its tasks go along. */
static void renames_columns(void **state)
{
        struct kit *k = *state;
        struct scene s = scene(k);
        struct task open = open_one(k, &s, s.ana), done = open_one(k, &s, 0),
                    late = open_one(k, &s, 0);
        struct columns_put put = {.topic = s.topic, .from = STR("to-do"), .to = STR("next-up")};
        struct due due[8];
        size_t count = COUNT_OF(due);
        done.status = STR("done");
        done.closed = NOW;
        assert_int_equal(move(k, &s, &done, s.done), OK);
        open = get(k, open.number);
        put.was = columns_of(k, "To do,Doing,Done", &put.was_count);
        put.columns = columns_of(k, "Doing,Next up,Done", &put.count);
        assert_int_equal(change_to(k, put), OK);
        assert_int_equal(box(k, 0, "eng/2 Next up"), s.todo);
        assert_int_equal(box(k, 0, "eng/1 Doing"), s.doing);
        assert_numbers(k, s.todo, "1,3");
        struct task now = get(k, open.number);
        assert_str(now.status, "next-up");
        assert_int_equal(now.version, open.version);
        assert_int_equal(now.card_count, open.card_count);
        assert_memory(k, s.todo, 1, (struct card_memory){open.number, 1, false});
        assert_str(get(k, done.number).status, "done");
        assert_int_equal(due_read(k->store, DUE_CARD, clock_now() + 60, due, &count), OK);
        assert_int_equal(count, 2);
        /* who read it before has to read it again; so has who means a status that went */
        assert_int_equal(move(k, &s, &open, s.doing), CHANGED);
        assert_int_equal(move(k, &s, &late, s.todo), CHANGED);
        late = get(k, late.number);
        late.status = STR("to-do");
        assert_int_equal(move(k, &s, &late, s.todo), CHANGED);
        late = get(k, late.number);
        late.status = STR("dropped");
        late.closed = NOW;
        assert_int_equal(move(k, &s, &late, 0), OK);
        /* as they were read, or not at all; sound; no card goes with its column */
        assert_int_equal(change_to(k, put), CHANGED);
        put = (struct columns_put){.topic = s.topic};
        put.was = columns_of(k, "Doing,Next up,Done", &put.was_count);
        put.columns = columns_of(k, "Doing,Done", &put.count);
        assert_int_equal(change_to(k, put), FORBIDDEN);
        put.columns = columns_of(k, "Doing,Next up,Done,done", &put.count);
        assert_int_equal(change_to(k, put), INVALID);
        put.count = 0;
        assert_int_equal(change_to(k, put), INVALID);
        put.columns = columns_of(k, "Doing,Review,Next up,Done", &put.count);
        assert_int_equal(change_to(k, put), OK);
        assert_int_equal(box(k, 0, "eng/3 Next up"), s.todo);
        put.topic += 1000;
        assert_int_equal(change_to(k, put), ABSENT);
}

/* Who changes something else of a topic that they read before the columns were changed takes none of
 * that back. */
static void leaves_columns(void **state)
{
        struct kit *k = *state;
        struct scene s = scene(k);
        struct columns_put put = {.topic = s.topic, .from = STR("doing"), .to = STR("in-work")};
        struct topic t;
        (void)open_one(k, &s, 0);
        assert_int_equal(topic_get(k->store, s.topic, k->arena, &t), OK);
        put.was = columns_of(k, "To do,Doing,Done", &put.was_count);
        put.columns = columns_of(k, "To do,In work,Review,Done", &put.count);
        assert_int_equal(change_to(k, put), OK);
        t.about = STR("about it");
        t.column_count = 0;
        struct change *change = change_new(k->store);
        change_topic(change, &t, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_int_equal(topic_get(k->store, s.topic, k->arena, &t), OK);
        assert_str(t.about, "about it");
        assert_int_equal(t.column_count, 4);
        assert_str(t.columns[1], "In work");
        assert_int_equal(box(k, 0, "eng/2 In work"), s.doing);
        (void)box(k, 0, "eng/3 Review");
}

/* A topic from before there were boards. */
static void completes_boards(void **state)
{
        struct kit *k = *state;
        struct mailbox *all;
        struct topic t;
        size_t count;
        uint32_t old = kit_topic(k, "old");
        assert_int_equal(boards_complete(k->store), OK);
        assert_int_equal(topic_get(k->store, old, k->arena, &t), OK);
        assert_int_equal(t.column_count, 4);
        (void)box(k, 0, "old/4 Done");
        assert_int_equal(boards_complete(k->store), OK);
        assert_int_equal(mailbox_list(k->store, 0, k->arena, &all, &count), OK);
        assert_int_equal(count, 5);
        struct change *change = change_new(k->store);
        change_mailbox_remove(change, old);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_int_equal(mailbox_list(k->store, 0, k->arena, &all, &count), OK);
        assert_int_equal(count, 0);
}

/* ---- after a crash ---- */

static uint32_t row_of_moves(struct kit *k, struct scene *s, int told)
{
        struct task t = open_one(k, s, s->ana);
        for (uint32_t i = 0;; i++) {
                uint32_t to[] = {s->todo, s->doing, s->done};
                if (move(k, s, &t, to[i % 3]) != OK || write(told, &i, sizeof i) != sizeof i)
                        return 0;
                t = get(k, t.number);
        }
}

/* A process that moves a card is killed at any moment: what it was told stands, and the card lies
 * in one column. */
static void survives(void **state)
{
        struct kit *k = *state;
        struct scene s = scene(k);
        for (unsigned round = 0; round < 3; round++) {
                int told[2];
                uint32_t last = 0, number, i;
                store_close(k->store);
                k->store = NULL;
                assert_int_equal(pipe(told), 0);
                pid_t child = fork();
                if (child == 0) {
                        close(told[0]);
                        kit_open(k);
                        s.mail = 100000 * (round + 1);
                        row_of_moves(k, &s, told[1]);
                        _exit(1);
                }
                close(told[1]);
                do
                        assert_int_equal(read(told[0], &i, sizeof i), sizeof i);
                while ((last = i) < 20 + 11 * round);
                kill(child, SIGKILL);
                while (read(told[0], &i, sizeof i) == sizeof i)
                        last = i;
                waitpid(child, NULL, 0);
                close(told[0]);
                kit_open(k);
                kit_check(k);
                assert_int_equal(task_reserve(k->store, &number), OK);
                struct task t = get(k, number - 1);
                assert_in_range(t.version, last + 2, last + 3);
                assert_int_equal(t.card_count, 1);
                struct entry e;
                unsigned cards = 0;
                const uint32_t columns[] = {s.todo, s.doing, s.done};
                for (unsigned c = 0; c < 3; c++) {
                        const struct view *v;
                        assert_int_equal(view_open(k->store, columns[c], &v), OK);
                        for (struct walk w = numset_walk(v->numbers); walk_next(&w, &i);) {
                                assert_int_equal(entry_read(k->store, columns[c], i, &e), OK);
                                cards += e.message == t.card;
                        }
                        view_close(k->store, v);
                }
                assert_int_equal(cards, 1);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(opens_and_moves, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(refuses_old_versions, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(opens_once, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(burns, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(forgets, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(keeps_indices, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(tells_events, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(keeps_columns, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(renames_columns, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(leaves_columns, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(completes_boards, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(survives, kit_begin, kit_end),
        };
        return cmocka_run_group_tests_name("store_task", tests, NULL, NULL);
}
