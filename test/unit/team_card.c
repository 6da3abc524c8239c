/* Cards: how they read, where they lie, and when they go elsewhere. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "task_kit.h"
#include "team/list.h"

static void opens(void **state)
{
        struct office *o = *state;
        struct task_edit edit = {.fields = 1u << FIELD_ASSIGNEES | 1u << FIELD_DUE | 1u << FIELD_LABELS,
                .assign = &o->bo,
                .assign_count = 1,
                .due = 20784, /* 2026-11-27 */
                .label_add = (struct str[]){{"iOS", 3}, {"auth", 4}},
                .label_add_count = 2};
        struct str prefix, card;
        uint32_t n = open_task(o, "Fix login", &edit);
        struct task t = get(o, n);
        assert_str(t.title, "Fix login");
        assert_str(t.text, "It has to be done.");
        assert_str(t.status, "to-do");
        assert_int_equal(t.version, 1);
        assert_str(o->done.text, "T-1 is open in To do: Fix login");
        assert_column(o, n, "eng/1 To do");
        assert_int_equal(cards_in(o, box(o, o->bo, "Tasks/Mine"), n), 1);
        assert_int_equal(cards_in(o, box(o, o->bo, "Tasks/Late"), n), 0);
        assert_int_equal(count_in(o, o->eng), 1);

        card = newest(o, box(o, 0, "eng/1 To do"), &prefix);
        assert_holds(card, "Subject: T-1 Fix login (bo, due Fri 27 Nov)\r\n");
        assert_holds(card, "Message-ID: <card.T-1.1@team.example>\r\n");
        assert_holds(card, "References: <1@x.example>\r\n");
        assert_holds(card, "Reply-To: T-1@team.example\r\n");
        assert_holds(card, "From: Ana M <T-1@team.example>\r\n");
        assert_holds(card, "\r\nStatus: To do\r\nAssign: bo (Bo B)\r\nDue: Fri 27 Nov 2026\r\n");
        assert_holds(card, "UID:T-1@team.example\r\n");
        assert_holds(card, "DUE;VALUE=DATE:20261127\r\n");
        assert_holds(card, "STATUS:NEEDS-ACTION\r\n");
        assert_holds(prefix, "Baton-Kind: card\r\n");
        assert_holds(prefix, "Baton-Task: T-1; status=to-do; assignee=bo; due=2026-11-27;");
        assert_holds(prefix, "labels=auth,ios");
        (void)newest(o, o->eng, &prefix);
        assert_holds(prefix, "Baton-Kind: task\r\nBaton-Task: T-1; status=to-do;");
        (void)newest(o, box(o, o->bo, "INBOX"), &prefix);
        assert_holds(prefix, "Baton-Kind: task\r\n");
        assert_holds(prefix, "Baton-Reason: assigned\r\n");
}

/* Late is when the day after has begun where the person is. */
static void comes_late(void **state)
{
        struct office *o = *state;
        uint32_t people[] = {o->ana, o->bo};
        struct task_edit edit = {.fields = 1u << FIELD_ASSIGNEES | 1u << FIELD_DUE,
                .assign = people,
                .assign_count = 2,
                .due = 20784};
        uint32_t n = open_task(o, "Late", &edit), tokyo = box(o, o->bo, "Tasks/Late"),
                 lisbon = box(o, o->ana, "Tasks/Late");
        time_t night, at;
        struct task before = get(o, n);
        assert_int_equal(date_parse_iso(STR("2026-11-27T15:00:00Z"), &night), OK);
        assert_int_equal(due_next(o->site.store, &at), OK);
        assert_int_equal(at, night); /* midnight in Tokyo */
        assert_int_equal(task_look_due(&o->site, night - 1), OK);
        assert_int_equal(cards_in(o, tokyo, n), 0);
        assert_int_equal(task_look_due(&o->site, night), OK);
        assert_int_equal(cards_in(o, tokyo, n), 1);
        assert_int_equal(cards_in(o, lisbon, n), 0);
        assert_int_equal(due_next(o->site.store, &at), OK);
        assert_int_equal(at, night + 9 * HOUR); /* midnight in Lisbon */
        assert_int_equal(task_look_due(&o->site, at), OK);
        assert_int_equal(cards_in(o, lisbon, n), 1);
        assert_int_equal(due_next(o->site.store, &at), ABSENT);
        /* the card in the column is the same one under the same number, and so is the message */
        struct task after = get(o, n);
        assert_int_equal(after.version, 1);
        assert_int_equal(after.cards[0].number, before.cards[0].number);
        assert_int_equal(after.card, before.card);
        assert_column(o, n, "eng/1 To do");
        /* another look does nothing */
        assert_int_equal(task_look(&o->site, n, night + 10 * HOUR), OK);
        assert_int_equal(get(o, n).card_count, after.card_count);
        assert_int_equal(cards_in(o, tokyo, n), 1);
        /* a later day: late no more */
        edit = (struct task_edit){.fields = 1u << FIELD_DUE, .due = 20790};
        o->now = night + 10 * HOUR;
        assert_int_equal(act(o, o->bo, n, edit, 0), OK);
        assert_int_equal(cards_in(o, tokyo, n), 0);
        assert_int_equal(cards_in(o, lisbon, n), 0);
        assert_column(o, n, "eng/1 To do");
}

static void leaves_the_board(void **state)
{
        struct office *o = *state;
        struct task_edit mine = {
                .fields = 1u << FIELD_ASSIGNEES, .assign = &o->ana, .assign_count = 1};
        uint32_t n = open_task(o, "Done", &mine), dropped = open_task(o, "Dropped", &mine),
                 mine_box = box(o, o->ana, "Tasks/Mine");
        assert_int_equal(cards_in(o, mine_box, n), 1);
        assert_int_equal(act(o, o->ana, n, to("done"), 0), OK);
        time_t done = o->now;
        assert_int_equal(get(o, n).closed, done);
        assert_column(o, n, "eng/4 Done");
        assert_int_equal(cards_in(o, mine_box, n), 0);
        assert_int_equal(act(o, o->ana, dropped, to("dropped"), 0), OK);
        assert_column(o, dropped, "");
        assert_int_equal(cards_in(o, mine_box, dropped), 0);
        assert_holds(newest(o, o->eng, NULL), "Ana M dropped this (it was in To do).\r\n");
        assert_int_equal(task_look_due(&o->site, done + 14 * DAY - 1), OK);
        assert_column(o, n, "eng/4 Done");
        assert_int_equal(task_look_due(&o->site, done + 14 * DAY), OK);
        assert_column(o, n, "");
        assert_str(get(o, n).status, "done");
        /* and comes back */
        o->now = done + 20 * DAY;
        assert_int_equal(act(o, o->ana, n, to("doing"), 0), OK);
        assert_column(o, n, "eng/2 Doing");
        assert_int_equal(cards_in(o, mine_box, n), 1);
        assert_int_equal(act(o, o->ana, dropped, to("to do"), 0), OK);
        assert_column(o, dropped, "eng/1 To do");
        assert_holds(o->done.text, "took this up again: it is in To do.");
}

static void waits(void **state)
{
        struct office *o = *state;
        struct task_edit edit = {
                .fields = 1u << FIELD_ASSIGNEES, .assign = &o->bo, .assign_count = 1};
        uint32_t first = open_task(o, "First", &edit), second = open_task(o, "Second", NULL),
                 waiting = box(o, o->bo, "Tasks/Waiting on me"), none = 99;
        edit = (struct task_edit){.fields = 1u << FIELD_WAITS, .waits = &first, .wait_count = 1};
        assert_int_equal(act(o, o->ana, first, edit, 0), INVALID); /* for itself */
        assert_int_equal(act(o, o->ana, second, edit, 0), OK);
        assert_holds(o->done.text, "Ana M made this wait for T-1.");
        assert_int_equal(cards_in(o, waiting, first), 1);
        assert_int_equal(get(o, first).version, 1);
        assert_column(o, first, "eng/1 To do");
        edit.waits = &none;
        assert_int_equal(act(o, o->ana, second, edit, 0), INVALID);
        assert_str(o->done.text, "There is no task T-99.");
        /* a change of the first keeps it there; the end of the second takes it away */
        assert_int_equal(act(o, o->bo, first, to("doing"), 0), OK);
        assert_int_equal(cards_in(o, waiting, first), 1);
        assert_int_equal(act(o, o->ana, second, to("done"), 0), OK);
        assert_int_equal(cards_in(o, waiting, first), 0);
        assert_int_equal(act(o, o->ana, second, to("doing"), 0), OK);
        assert_int_equal(cards_in(o, waiting, first), 1);
        edit = (struct task_edit){.fields = 1u << FIELD_WAITS, .waits_replace = true};
        assert_int_equal(act(o, o->ana, second, edit, 0), OK);
        assert_int_equal(cards_in(o, waiting, first), 0);
        assert_column(o, first, "eng/2 Doing");
        assert_column(o, second, "eng/2 Doing");
}

/* What a client is told when it moves, copies or removes a card. */
static void burns_and_refiles(void **state)
{
        struct office *o = *state;
        struct task_edit mine = {
                .fields = 1u << FIELD_ASSIGNEES, .assign = &o->ana, .assign_count = 1};
        uint32_t n = open_task(o, "Card", &mine), doing_box = box(o, 0, "eng/2 Doing"), version,
                 number;
        struct task_doing doing = by(o, o->ana);
        struct task_edit edit = to("doing");
        struct card_memory m;
        doing.burn = doing_box;
        assert_int_equal(task_change(&o->site, &doing, n, &edit, o->arena, &o->done), OK);
        assert_int_equal(o->done.burned, 1);
        struct task t = get(o, n);
        assert_int_equal(t.cards[0].number, 2);
        assert_int_equal(card_find(o->site.store, (struct place){doing_box, 1}, &m), OK);
        assert_int_equal(m.version, 2);
        /* to where it lies: a fresh number, the same message, no event */
        assert_int_equal(task_change(&o->site, &doing, n, &edit, o->arena, &o->done), OK);
        assert_int_equal(o->done.burned, 3);
        struct task again = get(o, n);
        assert_int_equal(again.cards[0].number, 4);
        assert_int_equal(again.version, 2);
        assert_int_equal(again.card, t.card);
        assert_column(o, n, "eng/2 Doing");
        assert_int_equal(cards_in(o, box(o, o->ana, "Tasks/Mine"), n), 1);
        /* EXPUNGE */
        assert_int_equal(task_refile(&o->site, n, again.cards[0]), OK);
        assert_int_equal(get(o, n).cards[0].number, 5);
        assert_int_equal(task_refile(&o->site, n, again.cards[0]), OK); /* gone already */
        assert_int_equal(get(o, n).cards[0].number, 5);
        assert_int_equal(get(o, n).cards[0].mailbox, doing_box);
        assert_int_equal(task_refile(&o->site, n, get(o, n).cards[1]), OK);
        assert_int_equal(cards_in(o, box(o, o->ana, "Tasks/Mine"), n), 1);
        assert_column(o, n, "eng/2 Doing");
        assert_true(task_id_read(&o->site, STR("<card.T-1.7@team.example>"), &number, &version));
        assert_int_equal(number * 100 + version, 107);
        assert_false(task_id_read(&o->site, STR("<card.T-1.7@other.example>"), &number, &version));
        assert_false(task_id_read(&o->site, STR("<note.T-1.7@team.example>"), &number, &version));
        struct str status;
        uint32_t where;
        assert_int_equal(task_column(&o->site, doing_box, o->arena, &status, &where), OK);
        assert_str(status, "doing");
        assert_int_equal(where, o->eng);
        assert_int_equal(task_column(&o->site, o->eng, o->arena, &status, &where), ABSENT);
}

/* The card shows what was said last in the topic, and nothing that was said elsewhere. */
static void shows_comments(void **state)
{
        struct office *o = *state;
        uint32_t n = open_task(o, "Talk", NULL);
        enum refusal why;
        for (unsigned i = 0; i < 5; i++) {
                struct submission *m = mail(o, o->bo, "bo", "Re: Talk",
                        i == 4 ? "a secret word" : i == 3 ? "/label +x" : i == 2 ? "number three"
                                                                                 : "number less");
                m->bytes = arena_printf(o->arena, "References: <1@x.example>\r\n%.*s",
                        STR_ARG(m->bytes));
                if (i == 4)
                        m->to->mailbox = box(o, o->ana, "INBOX");
                assert_int_equal(submit(&o->site, m, o->arena, &why), OK);
        }
        assert_int_equal(act(o, o->cem, n, to("doing"), 0), OK);
        struct str card = newest(o, box(o, 0, "eng/2 Doing"), NULL);
        assert_holds(card, "Last comments\r\n");
        assert_holds(card, "number three\r\n");
        assert_int_equal(str_find(card, STR("secret")), STR_NOWHERE);
        assert_int_equal(str_find(card, STR("moved this")), STR_NOWHERE);
        assert_int_equal(str_find(card, STR("/label +x")), STR_NOWHERE); /* it only commands */
}

static void counts_checklists(void **state)
{
        unsigned done, all;
        (void)state;
        card_checklist(STR("Do:\n[ ] one\n- [x] two\n  * [X] three\n[y] no\n"), &done, &all);
        assert_int_equal(done, 2);
        assert_int_equal(all, 3);
}

/* Late is another time where the person moves to. */
static void moves_house(void **state)
{
        struct office *o = *state;
        struct task_edit edit = {.fields = 1u << FIELD_ASSIGNEES | 1u << FIELD_DUE,
                .assign = &o->cem,
                .assign_count = 1,
                .due = 20784};
        uint32_t n = open_task(o, "Far", &edit), late = box(o, o->cem, "Tasks/Late");
        struct person p;
        time_t at;
        assert_int_equal(date_parse_iso(STR("2026-11-27T16:00:00Z"), &at), OK);
        assert_int_equal(task_look_person(&o->site, o->cem, at), OK);
        assert_int_equal(cards_in(o, late, n), 0);
        assert_int_equal(person_get(o->site.store, o->cem, o->arena, &p), OK);
        p.zone = STR("Asia/Tokyo");
        struct change *change = change_new(o->site.store);
        change_person(change, &p, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_int_equal(task_look_person(&o->site, o->cem, at), OK);
        assert_int_equal(cards_in(o, late, n), 1);
}

/* Who may not read the topic any more is told nothing of what becomes of the task. */
static void leaves_who_left(void **state)
{
        struct office *o = *state;
        struct task_edit his = {
                .fields = 1u << FIELD_ASSIGNEES, .assign = &o->cem, .assign_count = 1};
        uint32_t n = open_task(o, "His", &his), mine = box(o, o->cem, "Tasks/Mine");
        assert_int_equal(cards_in(o, mine, n), 1);
        struct change *change = change_new(o->site.store);
        change_unsubscribe(change, o->cem, o->eng);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_int_equal(act(o, o->bo, n, to("doing"), 0), OK);
        assert_int_equal(cards_in(o, mine, n), 0);
        assert_int_equal(get(o, n).assignee_count, 1);
        assert_column(o, n, "eng/2 Doing");
        /* and at once, when they leave in the usual way */
        join(o->k, o->cem, o->eng);
        assert_int_equal(task_look(&o->site, n, o->now), OK);
        assert_int_equal(cards_in(o, mine, n), 1);
        assert_int_equal(list_leave(&o->site, o->cem, o->eng), OK);
        assert_int_equal(cards_in(o, mine, n), 0);
        assert_column(o, n, "eng/2 Doing");
}

/* A column after the last one opens nothing that is done. */
static void stays_done(void **state)
{
        struct office *o = *state;
        struct str columns[] = {
                {"To do", 5}, {"Doing", 5}, {"Waiting", 7}, {"Done", 4}, {"Archived", 8}};
        uint32_t n = open_task(o, "Done", NULL);
        struct task_edit edit = {.fields = 1u << FIELD_TITLE, .title = STR("Done indeed")};
        struct topic t;
        assert_int_equal(act(o, o->ana, n, to("done"), 0), OK);
        time_t closed = get(o, n).closed;
        assert_int_equal(topic_get(o->site.store, o->eng, o->arena, &t), OK);
        t.columns = columns;
        t.column_count = 5;
        struct change *change = change_new(o->site.store);
        change_topic(change, &t, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_int_equal(act(o, o->ana, n, edit, 0), OK);
        assert_int_equal(get(o, n).closed, closed);
        assert_column(o, n, "eng/4 Done");
        assert_int_equal(act(o, o->ana, n, to("archived"), 0), OK);
        assert_int_equal(get(o, n).closed, closed);
        assert_int_equal(act(o, o->ana, n, to("done"), 0), OK);
        assert_int_equal(get(o, n).closed, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(opens, begin, end),
                cmocka_unit_test_setup_teardown(comes_late, begin, end),
                cmocka_unit_test_setup_teardown(leaves_the_board, begin, end),
                cmocka_unit_test_setup_teardown(waits, begin, end),
                cmocka_unit_test_setup_teardown(burns_and_refiles, begin, end),
                cmocka_unit_test_setup_teardown(shows_comments, begin, end),
                cmocka_unit_test_setup_teardown(moves_house, begin, end),
                cmocka_unit_test_setup_teardown(leaves_who_left, begin, end),
                cmocka_unit_test_setup_teardown(stays_done, begin, end),
                cmocka_unit_test(counts_checklists),
        };
        return cmocka_run_group_tests_name("team_card", tests, NULL, NULL);
}
