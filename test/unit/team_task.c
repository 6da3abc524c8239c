/* What people do with tasks: after every step the card lies in exactly one column. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "task_kit.h"
#include <pthread.h>

static void opens_once(void **state)
{
        struct office *o = *state;
        struct task_edit none = {0};
        struct task_doing doing = by(o, o->ana);
        enum refusal why;
        struct submission *m = mail(o, o->ana, "ana", "[task] Once", "x"), again = *m;
        assert_int_equal(task_open(&o->site, &doing, m, &none, o->arena, &o->done, &why), OK);
        uint32_t n = o->done.number;
        assert_str(get(o, n).title, "Once");
        assert_int_equal(task_open(&o->site, &doing, &again, &none, o->arena, &o->done, &why), OK);
        assert_false(o->done.opened);
        assert_int_equal(o->done.number, n);
        assert_column(o, n, "eng/1 To do");
        assert_int_equal(count_in(o, o->eng), 1);
        assert_int_equal(count_in(o, box(o, 0, "eng/1 To do")), 1);
}

static void moves(void **state)
{
        struct office *o = *state;
        uint32_t n = open_task(o, "Move me", NULL);
        struct str text, prefix;
        assert_int_equal(act(o, o->bo, n, to("doing"), 0), OK);
        assert_int_equal(o->done.applied, 1u << FIELD_STATUS);
        assert_str(o->done.text, "T-1: Bo B moved this from To do to Doing.");
        assert_column(o, n, "eng/2 Doing");
        text = newest(o, o->eng, &prefix);
        assert_holds(text, "From: Bo B <T-1@team.example>\r\n");
        assert_holds(text, "Subject: [T-1] doing: Move me\r\n");
        assert_holds(text, "Message-ID: <journal.T-1.2@team.example>\r\n");
        assert_holds(text, "In-Reply-To: <1@x.example>\r\n");
        assert_holds(text, "\r\n\r\nBo B moved this from To do to Doing.\r\n");
        assert_holds(prefix, "Baton-Kind: journal\r\nBaton-Task: T-1; status=doing\r\n");
        /* what is so already is told to nobody */
        assert_int_equal(act(o, o->bo, n, to("Doing"), 0), OK);
        assert_int_equal(o->done.same, 1u << FIELD_STATUS);
        assert_int_equal(count_in(o, o->eng), 2);
        assert_int_equal(get(o, n).version, 2);
        assert_int_equal(act(o, o->bo, n, to("nowhere"), 0), INVALID);
        assert_holds(o->done.text, "Its columns are: To do, Doing, Waiting, Done.");
        assert_column(o, n, "eng/2 Doing");
        /* the actor has read the journal; others have not */
        struct numset *seen;
        assert_int_equal(seen_load(o->site.store, o->eng, o->bo, &seen), OK);
        assert_set(seen, "2");
        numset_free(seen);
}

/* Two people, the same field: the second one is told, and nothing is lost in silence. */
/* What was no directive when the mail was read is part of the description. */
static void describes(void **state)
{
        struct office *o = *state;
        struct task_edit none = {0};
        struct task_doing doing = by(o, o->ana);
        enum refusal why;
        static const char text[] = "Status: still broken\r\nSeen: today\r\n\r\nPlease look.\r\n\r\n/task Look";
        for (unsigned i = 0; i < 2; i++) {
                struct submission *m = mail(o, o->ana, "ana", i ? "[task] Look" : "A thing", text);
                assert_int_equal(
                        task_open(&o->site, &doing, m, &none, o->arena, &o->done, &why), OK);
                struct task task = get(o, o->done.number);
                assert_str(task.text, i ? "Seen: today\n\nPlease look."
                                        : "Status: still broken\nSeen: today\n\nPlease look.");
        }
}

/* Each field has its own reason, whatever words are in the other's value. */
static void conflicts_apart(void **state)
{
        struct office *o = *state;
        uint32_t n = open_task(o, "Ours", NULL);
        struct task_edit both = to("doing");
        both.fields |= 1u << FIELD_TITLE;
        both.title = STR("Theirs");
        assert_int_equal(act(o, o->bo, n, both, 1), OK);
        both = to("waiting");
        both.fields |= 1u << FIELD_TITLE;
        both.title = STR("The status of all");
        assert_int_equal(act(o, o->cem, n, both, 1), OK);
        assert_holds(o->done.conflicts[FIELD_STATUS], "Cem Aydin wanted Waiting as the status, but");
        assert_holds(o->done.conflicts[FIELD_TITLE], "The status of all");
        assert_int_equal(str_find(o->done.conflicts[FIELD_STATUS], STR("of all")), STR_NOWHERE);
}

static void conflicts(void **state)
{
        struct office *o = *state;
        uint32_t n = open_task(o, "Ours", NULL);
        assert_int_equal(act(o, o->bo, n, to("doing"), 1), OK);
        assert_int_equal(act(o, o->cem, n, to("waiting"), 1), OK);
        assert_int_equal(o->done.applied, 0);
        assert_int_equal(o->done.conflicted, 1u << FIELD_STATUS);
        assert_holds(o->done.text,
                "Not done: Cem Aydin wanted Waiting as the status, but Bo B has changed it meanwhile "
                "(23 Nov 2026 10:01 UTC). It stays Doing.");
        assert_int_equal(o->done.conflicts[FIELD_TITLE].len, 0);
        assert_column(o, n, "eng/2 Doing");
        assert_holds(newest(o, o->eng, NULL), "Subject: [T-1] not changed: Ours\r\n");
        /* who wants what the other did already has no conflict */
        assert_int_equal(act(o, o->cem, n, to("doing"), 1), OK);
        assert_int_equal(o->done.same, 1u << FIELD_STATUS);
        /* against what stands now it goes */
        assert_int_equal(act(o, o->cem, n, to("waiting"), get(o, n).version), OK);
        assert_column(o, n, "eng/3 Waiting");
        struct task_event *events;
        size_t count = 10;
        assert_int_equal(task_events(o->site.store, n, 0, o->arena, &events, &count), OK);
        assert_int_equal(count, 4);
        assert_true(events[2].conflict);
        assert_int_equal(events[2].change_count, 0);
        /* nobody is in conflict with himself by mail; folders may say late what was said before */
        struct task_doing doing = by(o, o->cem);
        struct task_edit done = to("done"), doing_again = to("doing");
        doing.against = 1;
        assert_int_equal(task_change(&o->site, &doing, n, &done, o->arena, &o->done), OK);
        assert_int_equal(o->done.conflicted, 1u << FIELD_STATUS);
        doing.knows_own = true;
        assert_int_equal(task_change(&o->site, &doing, n, &done, o->arena, &o->done), OK);
        assert_int_equal(o->done.applied, 1u << FIELD_STATUS);
        doing.person = o->bo;
        assert_int_equal(task_change(&o->site, &doing, n, &doing_again, o->arena, &o->done), OK);
        assert_int_equal(o->done.conflicted, 1u << FIELD_STATUS);
}

static void different_fields_both_win(void **state)
{
        struct office *o = *state;
        uint32_t n = open_task(o, "Ours", NULL);
        struct task_edit due = {.fields = 1u << FIELD_DUE, .due = 20784};
        struct task_edit take = {
                .fields = 1u << FIELD_ASSIGNEES, .assign = &o->bo, .assign_count = 1};
        struct task_edit both = to("done");
        assert_int_equal(act(o, o->bo, n, to("doing"), 1), OK);
        assert_int_equal(act(o, o->cem, n, due, 1), OK);
        assert_int_equal(o->done.applied, 1u << FIELD_DUE);
        assert_str(o->done.text, "T-1: Cem Aydin set the due date to Fri 27 Nov 2026.");
        assert_int_equal(act(o, o->bo, n, take, 1), OK);
        assert_str(o->done.text, "T-1: Bo B took this.");
        struct task t = get(o, n);
        assert_str(t.status, "doing");
        assert_int_equal(t.due, 20784);
        assert_int_equal(t.assignees[0], o->bo);
        /* one of two fields conflicts: the other one is done */
        both.fields |= 1u << FIELD_PRIORITY;
        both.priority = STR("High");
        assert_int_equal(act(o, o->cem, n, both, 1), OK);
        assert_int_equal(o->done.applied, 1u << FIELD_PRIORITY);
        assert_int_equal(o->done.conflicted, 1u << FIELD_STATUS);
        assert_str(get(o, n).priority, "high");
        assert_column(o, n, "eng/2 Doing");
        /* sets never conflict */
        take.assign = &o->cem;
        assert_int_equal(act(o, o->cem, n, take, 1), OK);
        assert_int_equal(get(o, n).assignee_count, 2);
        assert_int_equal(cards_in(o, box(o, o->cem, "Tasks/Mine"), n), 1);
        assert_int_equal(cards_in(o, box(o, o->bo, "Tasks/Mine"), n), 1);
        assert_int_equal(count_in(o, box(o, o->cem, "INBOX")), 0); /* took it himself */
}

static void takes_back(void **state)
{
        struct office *o = *state;
        uint32_t n = open_task(o, "Back", NULL);
        struct task_edit edit = to("doing");
        assert_int_equal(undo(o, o->ana, n), OK);
        assert_holds(o->done.text, "nothing of yours");
        edit.fields |= 1u << FIELD_ASSIGNEES | 1u << FIELD_DUE;
        edit.assign = &o->cem;
        edit.assign_count = 1;
        edit.due = 20784;
        assert_int_equal(act(o, o->bo, n, edit, 0), OK);
        assert_int_equal(undo(o, o->ana, n), OK); /* it was not hers */
        assert_int_equal(o->done.applied, 0);
        assert_int_equal(undo(o, o->bo, n), OK);
        struct task t = get(o, n);
        assert_str(t.status, "to-do");
        assert_int_equal(t.due, DAY_NONE);
        assert_int_equal(t.assignee_count, 0);
        assert_column(o, n, "eng/1 To do");
        assert_holds(o->done.text, "Bo B took back what was done (23 Nov 2026 10:02 UTC):");
        /* taking back what was taken back */
        assert_int_equal(undo(o, o->bo, n), OK);
        t = get(o, n);
        assert_str(t.status, "doing");
        assert_int_equal(t.due, 20784);
        assert_int_equal(t.assignees[0], o->cem);
        assert_column(o, n, "eng/2 Doing");
        /* what another one changed since stays, the rest goes back */
        assert_int_equal(act(o, o->cem, n, to("waiting"), 0), OK);
        assert_int_equal(undo(o, o->bo, n), OK);
        assert_int_equal(o->done.conflicted, 1u << FIELD_STATUS);
        t = get(o, n);
        assert_str(t.status, "waiting");
        assert_int_equal(t.due, DAY_NONE);
        assert_column(o, n, "eng/3 Waiting");
        /* and not for ever */
        o->now += 15 * DAY;
        assert_int_equal(undo(o, o->bo, n), OK);
        assert_holds(o->done.text, "nothing of yours");
}

static void knows_who_may(void **state)
{
        struct office *o = *state;
        uint32_t n = open_task(o, "Ours", NULL);
        struct task_edit edit = {
                .fields = 1u << FIELD_ASSIGNEES, .assign = &o->eve, .assign_count = 1};
        assert_int_equal(act(o, o->eve, n, to("doing"), 0), ABSENT);
        assert_int_equal(act(o, o->ana, n, edit, 0), INVALID);
        assert_holds(o->done.text, "Eve cannot have this task: they may not read eng.");
        assert_int_equal(act(o, 0, n, to("doing"), 0), OK); /* by hand, on the machine */
        assert_str(o->done.text, "T-1: Baton moved this from To do to Doing.");
        assert_int_equal(act(o, o->ana, 77, to("doing"), 0), ABSENT);
        edit = (struct task_edit){.fields = 1u << FIELD_TOPIC, .topic = o->secret};
        assert_int_equal(act(o, o->bo, n, edit, 0), INVALID);
        assert_str(o->done.text, "There is no such topic.");
}

static void count_call(void *arg)
{
        ++*(unsigned *)arg;
}

/* A journal goes out as any post does, and at once. */
static void wakes_the_relay(void **state)
{
        struct office *o = *state;
        static struct str outside = {"bo@out.example", 14};
        struct person p;
        unsigned calls = 0;
        o->config.relay_host = STR("relay.example");
        assert_int_equal(person_get(o->site.store, o->bo, o->arena, &p), OK);
        p.addresses = &outside;
        p.address_count = 1;
        struct subscription s = {.person = o->bo, .topic = o->eng, .mode = MODE_EACH};
        struct change *change = change_new(o->site.store);
        change_person(change, &p, NULL);
        change_subscribe(change, &s);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        uint32_t n = open_task(o, "Mailed", NULL);
        o->site.queued = count_call;
        o->site.relay = &calls;
        assert_int_equal(act(o, o->cem, n, to("doing"), 0), OK);
        assert_true(calls > 0);
}

static void changes_topics(void **state)
{
        struct office *o = *state;
        uint32_t n = open_task(o, "Wander", NULL);
        struct task_edit edit = {.fields = 1u << FIELD_TOPIC, .topic = o->secret};
        assert_int_equal(act(o, o->ana, n, to("done"), 0), OK);
        assert_int_equal(act(o, o->ana, n, edit, 0), OK);
        assert_str(get(o, n).status, "shipped"); /* the last column there */
        assert_column(o, n, "secret/4 Shipped");
        assert_int_equal(count_in(o, o->secret), 2); /* the thread begins with the same message */
        assert_holds(newest(o, o->eng, NULL), "moved this from the topic eng to secret.");
        assert_holds(newest(o, o->secret, NULL), "moved this from the topic eng to secret.");
        assert_int_equal(undo(o, o->ana, n), OK);
        assert_column(o, n, "eng/4 Done");
}

static void opens_what_lies_there(void **state)
{
        struct office *o = *state;
        struct arena *arena = o->arena;
        struct submission *first = mail(o, o->bo, "bo", "A talk", "Shall we?");
        enum refusal why;
        assert_int_equal(submit(&o->site, first, arena, &why), OK);
        struct place at = {o->eng, first->to->number};
        struct task_edit edit = to("doing");
        struct task_doing doing = by(o, o->cem);
        doing.burn = box(o, 0, "eng/2 Doing");
        assert_int_equal(task_open_here(&o->site, &doing, at, &edit, arena, &o->done), OK);
        assert_true(o->done.opened);
        assert_int_equal(o->done.burned, 1);
        uint32_t n = o->done.number;
        struct task t = get(o, n);
        assert_int_equal(t.root, first->message);
        assert_str(t.title, "A talk");
        assert_str(t.text, "Shall we?");
        assert_int_equal(t.opener, o->cem);
        assert_column(o, n, "eng/2 Doing");
        assert_holds(newest(o, o->eng, NULL), "Cem Aydin opened this as the task T-1.\r\n");
        /* again, and with a message of the same thread: the task moves */
        edit = to("waiting");
        assert_int_equal(task_open_here(&o->site, &doing, at, &edit, arena, &o->done), OK);
        assert_false(o->done.opened);
        assert_int_equal(o->done.number, n);
        assert_column(o, n, "eng/3 Waiting");
        at.number = 3; /* the journal of the move */
        edit = to("done");
        assert_int_equal(task_open_here(&o->site, &doing, at, &edit, arena, &o->done), OK);
        assert_int_equal(o->done.number, n);
        assert_column(o, n, "eng/4 Done");
        at.number = 400;
        assert_int_equal(task_open_here(&o->site, &doing, at, &edit, arena, &o->done), ABSENT);
}

enum { HANDS = 4, LABELS_EACH = 10 };
struct hand {
        struct office *o;
        uint32_t task;
        unsigned which;
        bool done;
};

static void *add_labels(void *arg)
{
        struct hand *h = arg;
        struct task_doing doing = {.person = h->which % 2 ? h->o->bo : h->o->cem, .now = h->o->now};
        h->done = true;
        for (unsigned i = 0; i < LABELS_EACH; i++) {
                struct arena *arena = arena_new();
                struct str label = arena_printf(arena, "label-%u-%u", h->which, i);
                struct task_edit edit = {.fields = 1u << FIELD_LABELS | 1u << FIELD_STATUS,
                        .label_add = &label,
                        .label_add_count = 1,
                        .status = i % 2 ? STR("doing") : STR("waiting")};
                struct task_done done;
                enum status st = BUSY;
                while (st == BUSY)
                        st = task_change(&h->o->site, &doing, h->task, &edit, arena, &done);
                h->done = h->done && st == OK;
                arena_free(arena);
        }
        return NULL;
}

/* Many at once: nobody's change gets lost, and the card is in one column. */
static void many_at_once(void **state)
{
        struct office *o = *state;
        struct hand hands[HANDS];
        pthread_t threads[HANDS];
        uint32_t n = open_task(o, "Busy", NULL);
        for (unsigned i = 0; i < HANDS; i++) {
                hands[i] = (struct hand){.o = o, .task = n, .which = i};
                assert_int_equal(pthread_create(&threads[i], NULL, add_labels, &hands[i]), 0);
        }
        for (unsigned i = 0; i < HANDS; i++)
                pthread_join(threads[i], NULL);
        struct task t = get(o, n);
        for (unsigned i = 0; i < HANDS; i++)
                assert_true(hands[i].done);
        assert_int_equal(t.label_count, HANDS * LABELS_EACH);
        assert_int_equal(t.version, 1 + HANDS * LABELS_EACH); /* each added a label */
        assert_int_equal(count_in(o, o->eng), t.version);
        assert_column(o, n, str_eq(t.status, STR("doing")) ? "eng/2 Doing" : "eng/3 Waiting");
        assert_int_equal(count_in(o, box(o, 0, "eng/2 Doing")) +
                                 count_in(o, box(o, 0, "eng/3 Waiting")),
                1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(opens_once, begin, end),
                cmocka_unit_test_setup_teardown(moves, begin, end),
                cmocka_unit_test_setup_teardown(conflicts, begin, end),
                cmocka_unit_test_setup_teardown(conflicts_apart, begin, end),
                cmocka_unit_test_setup_teardown(describes, begin, end),
                cmocka_unit_test_setup_teardown(different_fields_both_win, begin, end),
                cmocka_unit_test_setup_teardown(takes_back, begin, end),
                cmocka_unit_test_setup_teardown(knows_who_may, begin, end),
                cmocka_unit_test_setup_teardown(wakes_the_relay, begin, end),
                cmocka_unit_test_setup_teardown(changes_topics, begin, end),
                cmocka_unit_test_setup_teardown(opens_what_lies_there, begin, end),
                cmocka_unit_test_setup_teardown(many_at_once, begin, end),
        };
        return cmocka_run_group_tests_name("team_task", tests, NULL, NULL);
}
