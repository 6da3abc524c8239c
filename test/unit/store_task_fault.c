/* A change of a task in which the n-th write fails, for every n: nothing of it is there, and the next
 * try does all of it. The linker puts this file's functions before the store's (domain.mk: --wrap). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store/env.h"
#include "store/task.h"
#include "store_kit.h"
#include <stdatomic.h>

static atomic_uint writes, fail_from; /* the writes of a change; from which on they fail, 0: none */

enum status __real_table_put(struct txn *, enum table, struct str key, struct str value);
enum status __wrap_table_put(struct txn *, enum table, struct str key, struct str value);
enum status __real_table_remove(struct txn *, enum table, struct str key);
enum status __wrap_table_remove(struct txn *, enum table, struct str key);

static bool fails(void)
{
        unsigned from = atomic_load(&fail_from), n = atomic_fetch_add(&writes, 1) + 1;
        return from && n >= from;
}

enum status __wrap_table_put(struct txn *txn, enum table table, struct str key, struct str value)
{
        return fails() ? FULL : __real_table_put(txn, table, key, value);
}

enum status __wrap_table_remove(struct txn *txn, enum table table, struct str key)
{
        return fails() ? FULL : __real_table_remove(txn, table, key);
}

struct scene {
        struct kit *k;
        uint32_t ana, bo, topic, todo, doing;
        unsigned mails;
};

static uint32_t box(struct kit *k, uint32_t owner, const char *name)
{
        struct mailbox m;
        assert_int_equal(mailbox_find(k->store, owner, str_of(name), k->arena, &m), OK);
        return m.id;
}

static struct scene scene(struct kit *k)
{
        static struct str columns[] = {{"To do", 5}, {"Doing", 5}};
        struct topic t = {.name = STR("eng"), .columns = columns, .column_count = 2};
        struct change *change = change_new(k->store);
        change_topic(change, &t, &t.id);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        return (struct scene){.k = k,
                .ana = kit_person(k, "ana"),
                .bo = kit_person(k, "bo"),
                .topic = t.id,
                .todo = box(k, 0, "eng/1 To do"),
                .doing = box(k, 0, "eng/2 Doing")};
}

static void letter(struct scene *s, struct filing *f, uint32_t first, uint32_t second)
{
        struct arena *arena = s->k->arena;
        struct str id = arena_printf(arena, "%u@x", ++s->mails);
        *f = (struct filing){.bytes = arena_printf(arena, "Subject: %s\r\n\r\nbody\r\n", id.at),
                .derived = kit_derived(s->k, id.at, ""),
                .entries = arena_alloc(arena, 2 * sizeof *f->entries),
                .entry_count = second ? 2 : 1};
        f->entries[0].mailbox = first;
        if (second)
                f->entries[1].mailbox = second;
}

/* The task in one more version, in the column, for one person, with a burned number. */
static enum status step(
        struct scene *s, struct task *t, uint32_t column, uint32_t *person, const uint32_t *waits)
{
        struct kit *k = s->k;
        struct task_change c = {FIELD_STATUS, STR("a"), STR("b")};
        struct task_event e = {.person = s->bo, .changes = &c, .change_count = 1};
        struct filing said, card;
        struct place burned = {.mailbox = column};
        struct change *change = change_new(k->store);
        struct task new = *t;
        new.version++;
        new.status = column == s->todo ? STR("to-do") : STR("doing");
        new.assignees = person;
        new.assignee_count = 1;
        new.waits = (uint32_t[]){waits ? *waits : 0};
        new.wait_count = waits != NULL;
        letter(s, &said, s->topic, 0);
        letter(s, &card, column, box(k, *person, "Tasks/Mine"));
        struct task_put put = {.task = &new, .event = &e, .card = &card, .burn = &burned,
                .opening = t->version ? NULL : &said, .journal = t->version ? &said : NULL,
                .look = 1000};
        change_burn(change, &burned);
        assert_int_equal(change_file(change, &said), OK);
        assert_int_equal(change_file(change, &card), OK);
        change_task(change, &put);
        atomic_store(&writes, 0);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

static unsigned count_in(struct kit *k, uint32_t mailbox)
{
        const struct view *v;
        assert_int_equal(view_open(k->store, mailbox, &v), OK);
        unsigned count = v->count;
        view_close(k->store, v);
        return count;
}

/* A column that is called otherwise: its tasks and their cards go along, or nothing is done. */
static void each_write_of_a_rename_fails(void **state)
{
        static const struct str was[] = {{"To do", 5}, {"Doing", 5}}, is[] = {{"Next", 4}, {"Doing", 5}};
        struct kit *k = *state;
        struct scene s = scene(k);
        struct task one = {.topic = s.topic}, now;
        struct columns_put put = {s.topic, was, 2, is, 2, STR("to-do"), STR("next")};
        struct mailbox m;
        unsigned n = 0;
        enum status st = FULL;
        assert_int_equal(task_reserve(k->store, &one.number), OK);
        assert_int_equal(step(&s, &one, s.todo, &s.ana, NULL), OK);
        while (st != OK) {
                struct change *change = change_new(k->store);
                change_columns(change, &put);
                atomic_store(&writes, 0);
                atomic_store(&fail_from, ++n);
                st = store_commit(change);
                atomic_store(&fail_from, 0);
                change_free(change);
                assert_int_equal(task_get(k->store, one.number, k->arena, &now), OK);
                assert_true(str_eq(now.status, st == OK ? STR("next") : STR("to-do")));
                assert_int_equal(mailbox_get(k->store, s.todo, k->arena, &m), OK);
                assert_true(str_eq(m.name, st == OK ? STR("eng/1 Next") : STR("eng/1 To do")));
        }
        assert_true(n > 4);
        assert_int_equal(count_in(k, s.todo), 1);
}

static void each_write_fails(void **state)
{
        struct kit *k = *state;
        struct scene s = scene(k);
        struct task first = {.topic = s.topic}, second = {.topic = s.topic}, now;
        assert_int_equal(task_reserve(k->store, &first.number), OK);
        assert_int_equal(task_reserve(k->store, &second.number), OK);
        assert_int_equal(step(&s, &first, s.todo, &s.ana, NULL), OK);
        assert_int_equal(step(&s, &second, s.todo, &s.ana, NULL), OK);
        assert_int_equal(task_get(k->store, second.number, k->arena, &second), OK);
        unsigned n = 0;
        enum status st;
        do {
                atomic_store(&fail_from, ++n);
                st = step(&s, &second, s.doing, &s.bo, &first.number);
                atomic_store(&fail_from, 0);
                if (st == OK)
                        break;
                assert_int_equal(st, FULL);
                assert_int_equal(task_get(k->store, second.number, k->arena, &now), OK);
                assert_int_equal(now.version, 1);
                assert_int_equal(count_in(k, s.todo), 2);
                assert_int_equal(count_in(k, s.doing), 0);
                assert_int_equal(count_in(k, s.topic), 2);
                if (n % 16 == 0)
                        kit_check(k);
        } while (n < 1000);
        assert_int_equal(st, OK);
        assert_true(n > 40); /* it is a change of many writes */
        assert_int_equal(task_get(k->store, second.number, k->arena, &now), OK);
        assert_int_equal(now.version, 2);
        assert_int_equal(now.cards[0].number, 2); /* no number was lost by those that failed */
        assert_int_equal(count_in(k, s.todo), 1);
        assert_int_equal(count_in(k, s.doing), 1);
        kit_check(k);
        kit_reopen(k);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(each_write_of_a_rename_fails, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(each_write_fails, kit_begin, kit_end),
        };
        return cmocka_run_group_tests_name("store_task_fault", tests, NULL, NULL);
}
