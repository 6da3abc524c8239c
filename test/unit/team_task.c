/* What people do with tasks, from the opening to the day when the card leaves the board: after every
 * step each card lies in exactly one column. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/clock.h"
#include "mail/header.h"
#include "store_kit.h"
#include "team/card.h"
#include "team/task.h"

enum { HOUR = 3600, DAY = 86400 };

struct office {
        struct kit *k;
        struct config config;
        struct site site;
        struct arena *arena;
        uint32_t ana, bo, cem, eve; /* eve may not read eng */
        uint32_t eng, secret;
        time_t now;
        unsigned mails;
        struct task_done done; /* of the last act */
};

static uint32_t person(struct kit *k, const char *name, const char *full, const char *zone)
{
        struct person p = {.name = str_of(name), .full_name = str_of(full), .zone = str_of(zone)};
        struct change *change = change_new(k->store);
        uint32_t id = 0;
        change_person(change, &p, &id);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        return id;
}

static uint32_t topic(struct kit *k, const char *name, enum access access, const char *last)
{
        struct str columns[] = {{"To do", 5}, {"Doing", 5}, {"Waiting", 7}, str_of(last)};
        struct topic t = {
                .name = str_of(name), .access = access, .columns = columns, .column_count = 4};
        struct change *change = change_new(k->store);
        change_topic(change, &t, &t.id);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        return t.id;
}

static void join(struct kit *k, uint32_t who, uint32_t where)
{
        struct subscription s = {.person = who, .topic = where, .mode = MODE_DIGEST};
        struct change *change = change_new(k->store);
        change_subscribe(change, &s);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
}

static int begin(void **state)
{
        struct office *o = mem_new(sizeof *o);
        void *kit;
        kit_begin(&kit);
        o->k = kit;
        o->arena = o->k->arena;
        o->config = (struct config){.domain = STR("team.example"),
                .host = STR("mail.team.example"),
                .message_size = 1 << 20,
                .separator = '+'};
        o->site = (struct site){.config = &o->config, .store = o->k->store};
        o->ana = person(o->k, "ana", "Ana M", "Europe/Lisbon");
        o->bo = person(o->k, "bo", "Bo B", "Asia/Tokyo");
        o->cem = person(o->k, "cem", "Cem Aydin", "UTC");
        o->eve = person(o->k, "eve", "Eve", "UTC");
        o->eng = topic(o->k, "eng", ACCESS_MEMBERS, "Done");
        o->secret = topic(o->k, "secret", ACCESS_MEMBERS, "Shipped");
        join(o->k, o->ana, o->eng);
        join(o->k, o->bo, o->eng);
        join(o->k, o->cem, o->eng);
        join(o->k, o->ana, o->secret);
        join(o->k, o->eve, o->secret);
        assert_int_equal(date_parse_iso(STR("2026-11-23T10:00:00Z"), &o->now), OK);
        *state = o;
        return 0;
}

static int end(void **state)
{
        struct office *o = *state;
        void *kit = o->k;
        kit_end(&kit);
        free(o);
        return 0;
}

/* ---- acting ---- */

static struct task_doing by(struct office *o, uint32_t who)
{
        return (struct task_doing){.person = who, .now = o->now};
}

static struct submission *mail(struct office *o, uint32_t who, const char *name, const char *subject,
        const char *body)
{
        struct submission *m = arena_alloc(o->arena, sizeof *m);
        struct sender *sender = arena_alloc(o->arena, sizeof *sender);
        *sender = (struct sender){.way = WAY_SUBMISSION, .person = who};
        m->to = arena_alloc(o->arena, sizeof *m->to);
        m->to->mailbox = o->eng;
        m->to_count = 1;
        m->sender = sender;
        m->bytes = arena_printf(o->arena,
                "From: %s@team.example\r\nTo: eng@team.example\r\nSubject: %s\r\n"
                "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%u@x.example>\r\n\r\n%s\r\n",
                name, subject, ++o->mails, body);
        return m;
}

static uint32_t open_task(struct office *o, const char *title, const struct task_edit *edit)
{
        struct task_edit none = {0};
        struct task_doing doing = by(o, o->ana);
        enum refusal why;
        struct submission *m = mail(o, o->ana, "ana", title, "It has to be done.");
        assert_int_equal(
                task_open(&o->site, &doing, m, edit ? edit : &none, o->arena, &o->done, &why), OK);
        assert_true(o->done.opened);
        return o->done.number;
}

static struct task_edit to(const char *status)
{
        return (struct task_edit){.fields = 1u << FIELD_STATUS, .status = str_of(status)};
}

static enum status act(struct office *o, uint32_t who, uint32_t number, struct task_edit edit,
        uint32_t against)
{
        struct task_doing doing = by(o, who);
        doing.against = against;
        o->now += 60;
        doing.now = o->now;
        return task_change(&o->site, &doing, number, &edit, o->arena, &o->done);
}

static enum status undo(struct office *o, uint32_t who, uint32_t number)
{
        struct task_doing doing = by(o, who);
        o->now += 60;
        doing.now = o->now;
        return task_undo(&o->site, &doing, number, o->arena, &o->done);
}

static struct task get(struct office *o, uint32_t number)
{
        struct task t;
        assert_int_equal(task_get(o->site.store, number, o->arena, &t), OK);
        return t;
}

static uint32_t box(struct office *o, uint32_t owner, const char *name)
{
        struct mailbox m;
        assert_int_equal(mailbox_find(o->site.store, owner, str_of(name), o->arena, &m), OK);
        return m.id;
}

/* How many cards of the task lie in a mailbox. */
static unsigned cards_in(struct office *o, uint32_t mailbox, uint32_t number)
{
        const struct view *v;
        unsigned count = 0;
        uint32_t n;
        assert_int_equal(view_open(o->site.store, mailbox, &v), OK);
        for (struct walk w = numset_walk(v->numbers); walk_next(&w, &n);) {
                struct card_memory m;
                assert_int_equal(card_find(o->site.store, (struct place){mailbox, n}, &m), OK);
                assert_false(m.gone);
                count += m.task == number;
        }
        view_close(o->site.store, v);
        return count;
}

/* The column in which its one card lies; "" when it is on no board. */
static void assert_column(struct office *o, uint32_t number, const char *want)
{
        struct mailbox *all;
        size_t count;
        unsigned cards = 0;
        assert_int_equal(mailbox_list(o->site.store, 0, o->arena, &all, &count), OK);
        for (size_t i = 0; i < count; i++) {
                if (all[i].kind != MAILBOX_BOARD || !cards_in(o, all[i].id, number))
                        continue;
                cards += cards_in(o, all[i].id, number);
                assert_str(all[i].name, want);
        }
        assert_int_equal(cards, *want ? 1 : 0);
}

static struct str newest(struct office *o, uint32_t mailbox, struct str *prefix)
{
        const struct view *v;
        struct entry e;
        struct buf octets = {0}, fields = {0};
        assert_int_equal(view_open(o->site.store, mailbox, &v), OK);
        assert_true(v->count > 0);
        uint32_t last = numset_high(v->numbers);
        view_close(o->site.store, v);
        assert_int_equal(entry_read(o->site.store, mailbox, last, &e), OK);
        assert_int_equal(message_octets(o->site.store, e.message, 0, 1 << 20, &octets), OK);
        assert_int_equal(prefix_read(o->site.store, mailbox, last, &fields), OK);
        struct str out = arena_copy(o->arena, buf_str(&octets));
        if (prefix)
                *prefix = arena_copy(o->arena, buf_str(&fields));
        buf_release(&octets);
        buf_release(&fields);
        return out;
}

static void assert_holds(struct str text, const char *part)
{
        if (str_find(text, str_of(part)) == STR_NOWHERE)
                fail_msg("not in it: %s\n%.*s", part, STR_ARG(text));
}

static unsigned count_in(struct office *o, uint32_t mailbox)
{
        const struct view *v;
        assert_int_equal(view_open(o->site.store, mailbox, &v), OK);
        unsigned count = v->count;
        view_close(o->site.store, v);
        return count;
}

/* ---- tests ---- */

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

static void opens_once(void **state)
{
        struct office *o = *state;
        struct task_edit none = {0};
        struct task_doing doing = by(o, o->ana);
        enum refusal why;
        struct submission *m = mail(o, o->ana, "ana", "Once", "x"), again = *m;
        assert_int_equal(task_open(&o->site, &doing, m, &none, o->arena, &o->done, &why), OK);
        uint32_t n = o->done.number;
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
        assert_column(o, n, "eng/2 Doing");
        assert_holds(newest(o, o->eng, NULL), "Subject: [T-1] not changed: doing: Ours\r\n");
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

/* The card shows what was said last in the topic, and nothing that was said elsewhere. */
static void shows_comments(void **state)
{
        struct office *o = *state;
        uint32_t n = open_task(o, "Talk", NULL);
        enum refusal why;
        for (unsigned i = 0; i < 5; i++) {
                struct submission *m = mail(o, o->bo, "bo", "Re: Talk",
                        i == 4 ? "a secret word" : i == 3 ? "number three" : "number less");
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
}

static void counts_checklists(void **state)
{
        unsigned done, all;
        (void)state;
        card_checklist(STR("Do:\n[ ] one\n- [x] two\n  * [X] three\n[y] no\n"), &done, &all);
        assert_int_equal(done, 2);
        assert_int_equal(all, 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(opens, begin, end),
                cmocka_unit_test_setup_teardown(opens_once, begin, end),
                cmocka_unit_test_setup_teardown(moves, begin, end),
                cmocka_unit_test_setup_teardown(conflicts, begin, end),
                cmocka_unit_test_setup_teardown(different_fields_both_win, begin, end),
                cmocka_unit_test_setup_teardown(takes_back, begin, end),
                cmocka_unit_test_setup_teardown(comes_late, begin, end),
                cmocka_unit_test_setup_teardown(leaves_the_board, begin, end),
                cmocka_unit_test_setup_teardown(waits, begin, end),
                cmocka_unit_test_setup_teardown(knows_who_may, begin, end),
                cmocka_unit_test_setup_teardown(changes_topics, begin, end),
                cmocka_unit_test_setup_teardown(burns_and_refiles, begin, end),
                cmocka_unit_test_setup_teardown(opens_what_lies_there, begin, end),
                cmocka_unit_test_setup_teardown(shows_comments, begin, end),
                cmocka_unit_test(counts_checklists),
        };
        return cmocka_run_group_tests_name("team_task", tests, NULL, NULL);
}
