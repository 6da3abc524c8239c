#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store_kit.h"
#include "store/renew.h"
#include "store/view.h"
#include <pthread.h>
#include <stdatomic.h>

static void commit_expunge(struct kit *k, uint32_t mailbox, const char *numbers)
{
        struct numset *set = kit_set(numbers);
        struct change *change = change_new(k->store);
        change_expunge(change, mailbox, set, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        numset_free(set);
}

static void assert_view(
        struct kit *k, uint32_t mailbox, const char *numbers, const uint32_t low_high_next[3])
{
        const struct view *v;
        assert_int_equal(view_open(k->store, mailbox, &v), OK);
        assert_set(v->numbers, numbers);
        assert_int_equal(v->count, numset_count(v->numbers));
        assert_int_equal(v->low, low_high_next[0]);
        assert_int_equal(v->high, low_high_next[1]);
        assert_int_equal(v->next, low_high_next[2]);
        view_close(k->store, v);
}

static void what_is_there(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t");
        struct letter l = {.mailbox = topic};
        const struct view *old, *same;
        assert_view(k, topic, "", (uint32_t[]){1, 0, 1});
        for (unsigned i = 0; i < 5; i++) {
                l.id = arena_printf(k->arena, "%u@x", i).at;
                kit_file(k, &l, NULL);
        }
        assert_view(k, topic, "1:5", (uint32_t[]){1, 5, 6});
        assert_int_equal(view_open(k->store, topic, &old), OK);
        assert_int_equal(view_open(k->store, topic, &same), OK);
        assert_ptr_equal(old, same);
        view_close(k->store, same);
        commit_expunge(k, topic, "1:2,5");
        assert_view(k, topic, "3:4", (uint32_t[]){3, 5, 6});
        assert_set(old->numbers, "1:5");
        view_close(k->store, old);
        kit_reopen(k);
        assert_view(k, topic, "3:4", (uint32_t[]){3, 5, 6});
        commit_expunge(k, topic, "1:*");
        assert_view(k, topic, "", (uint32_t[]){6, 5, 6});
        assert_int_equal(view_open(k->store, 4711, &old), ABSENT);
        struct change *change = change_new(k->store);
        change_mailbox_remove(change, topic);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_int_equal(view_open(k->store, topic, &old), ABSENT);
}

/* What is read anew is what was there, however much of it has vanished, and behind a gap. */
static void read_anew(void **state)
{
        static const char *const expunged[] = {NULL, "7", "1:3,50:52,90", "10:40", "4:95", "1:*"};
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t");
        struct letter l = {.mailbox = topic};
        for (unsigned i = 0; i < 100; i++) {
                l.id = arena_printf(k->arena, "%u@x", i).at;
                kit_file(k, &l, NULL);
        }
        for (unsigned i = 0; i < COUNT_OF(expunged); i++) {
                const struct view *kept, *anew;
                if (i == 3) {
                        assert_int_equal(store_renew(k->store), OK);
                        l.id = "behind@x";
                        kit_file(k, &l, NULL);
                        views_trim(k->store, 0); /* UIDVALIDITY is another one */
                }
                if (expunged[i])
                        commit_expunge(k, topic, expunged[i]);
                assert_int_equal(view_open(k->store, topic, &kept), OK);
                views_trim(k->store, 0);
                assert_int_equal(view_open(k->store, topic, &anew), OK);
                assert_ptr_not_equal(kept, anew);
                assert_true(numset_equal(kept->numbers, anew->numbers));
                assert_int_equal(kept->next, anew->next);
                assert_int_equal(kept->modseq, anew->modseq);
                view_close(k->store, kept);
                view_close(k->store, anew);
        }
}

static void keeping_up(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t"), ana = kit_person(k, "ana"), bo = kit_person(k, "bo");
        struct letter l = {.mailbox = topic};
        const struct view *before, *after;
        struct numset *flags = numset_new(), *vanished = numset_new(), *one = kit_set("2,4");
        for (unsigned i = 0; i < 5; i++) {
                l.id = arena_printf(k->arena, "%u@x", i).at;
                kit_file(k, &l, NULL);
        }
        assert_int_equal(view_open(k->store, topic, &before), OK);
        struct marking m = {.mailbox = topic, .person = ana, .flags = FLAG_SEEN, .numbers = one};
        assert_int_equal(marks_store(k->store, &m), OK);
        commit_expunge(k, topic, "4:5");
        assert_int_equal(view_open(k->store, topic, &after), OK);
        assert_true(after->position > before->position);
        assert_int_equal(
                mailbox_changes(k->store, after, ana, before->position, flags, vanished), OK);
        assert_set(flags, "2,4");
        assert_set(vanished, "4:5");
        numset_clear(flags);
        numset_clear(vanished);
        assert_int_equal(
                mailbox_changes(k->store, after, bo, before->position, flags, vanished), OK);
        assert_set(flags, "");
        assert_set(vanished, "4:5");
        numset_clear(vanished);
        assert_int_equal(mailbox_changes(k->store, before, ana, 0, flags, vanished),
                OK); /* clipped to the view */
        assert_set(flags, "");
        assert_set(vanished, "");
        view_close(k->store, before);
        view_close(k->store, after);
        numset_free(flags);
        numset_free(vanished);
        numset_free(one);
}

static void wake(void *arg)
{
        atomic_fetch_add((_Atomic unsigned *)arg, 1);
}

static void watches(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t"), other = kit_topic(k, "u"), ana = kit_person(k, "ana"),
                 bo = kit_person(k, "bo");
        _Atomic unsigned woken[3] = {0};
        struct numset *one = kit_set("1");
        struct watch *a = watch_begin(k->store, topic, ana, wake, &woken[0]);
        struct watch *b = watch_begin(k->store, topic, bo, wake, &woken[1]);
        struct watch *c = watch_begin(k->store, other, ana, wake, &woken[2]);
        struct letter l = {.id = "a@x", .mailbox = topic};
        kit_file(k, &l, NULL);
        struct marking m = {.mailbox = topic, .person = ana, .flags = FLAG_SEEN, .numbers = one};
        assert_int_equal(marks_store(k->store, &m), OK);
        assert_int_equal(marks_store(k->store, &m), OK); /* changes nothing */
        assert_int_equal(woken[0], 2);
        assert_int_equal(woken[1], 1);
        assert_int_equal(woken[2], 0);
        watch_end(k->store, a);
        commit_expunge(k, topic, "1");
        assert_int_equal(woken[0], 2);
        assert_int_equal(woken[1], 2);
        watch_end(k->store, b);
        watch_end(k->store, c);
        watch_end(k->store, NULL);
        numset_free(one);
}

/* ---- many at once: every view is exactly what its position says ---- */

enum { TOPICS = 24, WRITERS = 3, READERS = 3, STEPS = 250 };

struct crowd {
        struct store *store;
        uint32_t topics[TOPICS];
        atomic_uint turn, wrong;
};
struct member {
        struct crowd *crowd;
        uint64_t dice;
        struct kit own; /* its arena */
};

static uint32_t roll(struct member *m, uint32_t below)
{
        m->dice ^= m->dice << 13;
        m->dice ^= m->dice >> 7;
        m->dice ^= m->dice << 17;
        return (uint32_t)(m->dice >> 20) % below;
}

static void *write_much(void *arg)
{
        struct member *m = arg;
        for (unsigned i = 0; i < STEPS; i++) {
                uint32_t mailbox = m->crowd->topics[roll(m, TOPICS)];
                struct change *change = change_new(m->crowd->store);
                struct numset *numbers = numset_new();
                struct filing_entry e = {.mailbox = mailbox};
                struct str id = arena_printf(
                        m->own.arena, "%llu.%u@x", (unsigned long long)m->dice, i);
                struct filing f = {.bytes = id,
                        .derived = kit_derived(&m->own, id.at, ""),
                        .entries = &e,
                        .entry_count = 1};
                for (unsigned n = 0; n < 4; n++)
                        numset_add(numbers, 1 + roll(m, 40));
                bool files = roll(m, 3) > 0;
                if (!files)
                        change_expunge(change, mailbox, numbers, NULL);
                else if (change_file(change, &f) != OK)
                        m->crowd->wrong++;
                if (store_commit(change) != OK)
                        m->crowd->wrong++;
                change_free(change);
                const struct view *v; /* what was acknowledged is shown */
                if (files && (view_open(m->crowd->store, mailbox, &v) != OK || v->next <= e.number))
                        m->crowd->wrong++;
                if (files)
                        view_close(m->crowd->store, v);
                numset_free(numbers);
                atomic_fetch_add(&m->crowd->turn, 1);
        }
        return NULL;
}

/* The first view and what is told since make the second. */
static bool follows(struct store *store, const struct view *first, const struct view *second)
{
        struct numset *made = numset_copy(first->numbers), *vanished = numset_new(),
                      *new = numset_copy(second->numbers);
        bool right = mailbox_changes(store, second, 1, first->position, NULL, vanished) == OK;
        numset_remove_range(new, 0, first->next - 1);
        numset_or(made, new);
        numset_andnot(made, vanished);
        right = right && numset_equal(made, second->numbers) &&
                second->position >= first->position && second->next >= first->next;
        numset_free(made);
        numset_free(vanished);
        numset_free(new);
        return right;
}

static void *read_much(void *arg)
{
        struct member *m = arg;
        const struct view *last[TOPICS] = {NULL};
        unsigned turn;
        do { /* a new mailbox is looked at every now and then, for the first time */
                turn = atomic_load(&m->crowd->turn);
                unsigned i = roll(m, 1 + turn * TOPICS / (WRITERS * STEPS + 1));
                const struct view *v;
                if (view_open(m->crowd->store, m->crowd->topics[i], &v) != OK) {
                        m->crowd->wrong++;
                        break;
                }
                if (last[i] && !follows(m->crowd->store, last[i], v))
                        m->crowd->wrong++;
                view_close(m->crowd->store, last[i]);
                last[i] = v;
                views_trim(m->crowd->store, 0); /* so that the next one reads it for the first time */
        } while (turn < WRITERS * STEPS);
        for (unsigned i = 0; i < TOPICS; i++)
                view_close(m->crowd->store, last[i]);
        return NULL;
}

static void many_at_once(void **state)
{
        struct kit *k = *state;
        struct crowd crowd = {0};
        struct member members[WRITERS + READERS];
        pthread_t threads[WRITERS + READERS];
        for (unsigned i = 0; i < TOPICS; i++) {
                crowd.topics[i] = kit_topic(k, arena_printf(k->arena, "t%u", i).at);
                struct letter l = {.mailbox = crowd.topics[i]};
                for (unsigned n = 0; n < 4; n++) {
                        l.id = arena_printf(k->arena, "%u.%u@y", i, n).at;
                        kit_file(k, &l, NULL);
                }
        }
        kit_reopen(k);
        crowd.store = k->store;
        for (unsigned i = 0; i < COUNT_OF(members); i++) {
                members[i] = (struct member){
                        .crowd = &crowd, .dice = 88172645463325252u + i * 7919};
                members[i].own.arena = arena_new();
                pthread_create(
                        &threads[i], NULL, i < WRITERS ? write_much : read_much, &members[i]);
        }
        for (unsigned i = 0; i < COUNT_OF(members); i++) {
                pthread_join(threads[i], NULL);
                arena_free(members[i].own.arena);
        }
        assert_int_equal(crowd.wrong, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_is_there, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(read_anew, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(keeping_up, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(watches, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(many_at_once, kit_begin, kit_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
