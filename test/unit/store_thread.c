#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store_kit.h"

/* Messages filed in order; "a" answers what its references say. Expected: the parent and the root
 * of each by name, "-" for none, "?" for a ghost. */
struct filed {
        const char *id, *references, *parent, *root;
};
struct thread_case {
        const char *name;
        struct filed filed[8];
        unsigned ghosts;
};

static const struct thread_case cases[] = {
        /* clang-format off */
        {"in order",
                {{"a", "", "-", "a"}, {"b", "a", "a", "a"}, {"c", "a b", "b", "a"},
                        {"d", "a", "a", "a"}}, 0},
        {"the parent comes late", {{"b", "a", "a", "a"}, {"a", "", "-", "a"}}, 0},
        {"the parent never comes", {{"b", "a", "?", "?"}, {"c", "a", "?", "?"}}, 1},
        {"only parent and root become ghosts", {{"d", "a b c", "?", "?"}}, 2},
        {"all come late, last first",
                {{"d", "a b c", "c", "a"}, {"c", "a b", "b", "a"}, {"b", "a", "a", "a"},
                        {"a", "", "-", "a"}}, 0},
        {"trees join",
                {{"c", "b", "b", "a"}, {"d", "c", "c", "a"}, {"a", "", "-", "a"},
                        {"b", "a", "a", "a"}}, 0},
        {"answers itself", {{"a", "a", "-", "a"}, {"b", "a b", "a", "a"}}, 0},
        {"two answer each other", {{"a", "b", "b", "b"}, {"b", "a", "-", "b"}}, 0},
        {"three in a ring", {{"a", "c", "c", "c"}, {"b", "a", "a", "c"}, {"c", "b", "-", "c"}}, 0},
        {"a ring through a guess",
                {{"d", "a b c", "c", "a"}, {"c", "d", "a", "a"}, {"a", "", "-", "a"}}, 0},
        {"a ghost that would hang nowhere",
                {{"x", "m", "m", "m"}, {"m", "x y", "-", "m"}}, 0},
}; /* clang-format on */

static struct str name_of(
        struct kit *k, const struct thread_case *c, const uint64_t *ids, uint64_t id)
{
        for (size_t i = 0; i < COUNT_OF(c->filed) && c->filed[i].id; i++)
                if (ids[i] == id)
                        return str_of(c->filed[i].id);
        (void)k;
        return STR("?");
}

static void run_case(struct kit *k, const struct thread_case *c)
{
        uint64_t ids[8] = {0}, parent, root;
        uint32_t topic = kit_topic(k, "t");
        size_t count = 0;
        for (; count < COUNT_OF(ids) && c->filed[count].id; count++) {
                struct letter l = {c->filed[count].id, NULL, c->filed[count].references, topic};
                ids[count] = kit_file(k, &l, NULL);
        }
        for (size_t i = 0; i < count; i++) {
                enum status st = thread_parent(k->store, ids[i], &parent);
                struct str name = st == ABSENT ? STR("-") : name_of(k, c, ids, parent);
                if (!str_eq(name, str_of(c->filed[i].parent)))
                        print_error("%s: parent of %s\n", c->name, c->filed[i].id);
                assert_str(name, c->filed[i].parent);
                assert_int_equal(thread_root(k->store, ids[i], &root), OK);
                assert_str(name_of(k, c, ids, root), c->filed[i].root);
                uint64_t all[8], previous = 0;
                size_t n = COUNT_OF(all);
                bool found = false;
                assert_int_equal(thread_messages(k->store, root, all, &n), OK);
                for (size_t j = 0; j < n; j++) {
                        assert_true(all[j] > previous);
                        previous = all[j];
                        found = found || all[j] == ids[i];
                        assert_true(str_chr(name_of(k, c, ids, all[j]), '?') == STR_NOWHERE);
                }
                assert_true(found);
        }
        struct check_report report;
        assert_int_equal(store_check(k->store, NULL, &report), OK);
        assert_int_equal(report.ghosts, c->ghosts);
        assert_int_equal(report.faults, 0);
}

static void late_and_hostile(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                void *kit;
                kit_begin(&kit);
                run_case(kit, &cases[i]);
                kit_end(&kit);
        }
}

static void expunge_one(struct kit *k, uint32_t mailbox, uint32_t number)
{
        struct numset *set = numset_new();
        struct change *change = change_new(k->store);
        numset_add(set, number);
        change_expunge(change, mailbox, set, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        numset_free(set);
}

/* An answered message that goes stays as a ghost; ghosts go with their last answer. */
static void ghosts_come_and_go(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t");
        struct letter a = {"a", NULL, "", topic}, b = {"b", NULL, "a", topic},
                      c = {"c", NULL, "a b", topic};
        uint64_t ida = kit_file(k, &a, NULL), idb = kit_file(k, &b, NULL),
                 idc = kit_file(k, &c, NULL), got;
        struct check_report report;
        expunge_one(k, topic, 2);
        assert_int_equal(thread_parent(k->store, idc, &got), OK);
        assert_int_equal(got, idb);
        assert_int_equal(thread_root(k->store, idc, &got), OK);
        assert_int_equal(got, ida);
        assert_int_equal(store_check(k->store, NULL, &report), OK);
        assert_int_equal(report.ghosts, 1);
        assert_int_equal(kit_file(k, &b, NULL), idb); /* it comes again */
        assert_int_equal(thread_parent(k->store, idb, &got), OK);
        assert_int_equal(got, ida);
        expunge_one(k, topic, 4);
        expunge_one(k, topic, 1);
        assert_int_equal(store_check(k->store, NULL, &report), OK);
        assert_int_equal(report.ghosts, 2);
        expunge_one(k, topic, 3);
        assert_int_equal(store_check(k->store, NULL, &report), OK);
        assert_int_equal(report.ids, 0);
}

static uint64_t dice = 88172645463325252u;

static uint32_t roll(uint32_t below)
{
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        return (uint32_t)(dice >> 20) % below;
}

/* Any references in any order, with expunges between: kit_end checks that the tables agree (roots
 * reached, answers counted, no rings, no ghost without need). */
static void anything(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t"), number = 0;
        for (unsigned i = 0; i < 500; i++) {
                char id[16], references[64];
                struct letter l = {id, NULL, references, topic};
                (void)snprintf(id, sizeof id, "%u", roll(60));
                (void)snprintf(
                        references, sizeof references, "%u %u %u", roll(60), roll(60), roll(60));
                if (roll(5) == 0)
                        references[0] = '\0';
                if (roll(3))
                        kit_file(k, &l, &number);
                else if (number)
                        expunge_one(k, topic, 1 + roll(number));
        }
        kit_check(k);
        for (uint32_t n = 1; n <= number; n++)
                expunge_one(k, topic, n);
        struct check_report report;
        assert_int_equal(store_check(k->store, NULL, &report), OK);
        assert_int_equal(report.ids, 0);
}

/* A late parent moves at most a thousand; above that, its answers stay a thread of their own. */
static void long_thread(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t");
        struct letter root = {"root", NULL, "", topic}, late = {"late", NULL, "root", topic};
        uint64_t r = kit_file(k, &root, NULL), got;
        enum { EACH = 101, ROUNDS = 10 };
        struct filing f[EACH];
        struct filing_entry e[EACH];
        for (unsigned round = 0; round < ROUNDS; round++) {
                struct change *change = change_new(k->store);
                for (unsigned i = 0; i < EACH; i++) {
                        struct str id = arena_printf(k->arena, "%u@x", round * EACH + i);
                        e[i] = (struct filing_entry){.mailbox = topic};
                        f[i] = (struct filing){.bytes = id,
                                .derived = kit_derived(k, id.at, "late"),
                                .entries = &e[i],
                                .entry_count = 1};
                        assert_int_equal(change_file(change, &f[i]), OK);
                }
                assert_int_equal(store_commit(change), OK);
                change_free(change);
        }
        uint64_t l = kit_file(k, &late, NULL);
        assert_int_equal(thread_root(k->store, f[0].message, &got), OK);
        assert_int_equal(got, l);
        assert_int_equal(thread_root(k->store, l, &got), OK);
        assert_int_equal(got, l);
        assert_int_not_equal(got, r);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(late_and_hostile),
                cmocka_unit_test_setup_teardown(ghosts_come_and_go, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(anything, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(long_thread, kit_begin, kit_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
