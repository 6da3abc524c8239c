#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store/listed.h"
#include "store_kit.h"

static enum status say(struct kit *k, uint32_t person, struct str name, bool on)
{
        struct change *change = change_new(k->store);
        change_listed(change, person, &(struct listed){.name = name, .on = on});
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

static void said_is_kept(void **state)
{
        struct kit *k = *state;
        struct listed *all;
        size_t count;
        uint32_t ana = kit_person(k, "ana"), bo = kit_person(k, "bo");
        assert_int_equal(listed_read(k->store, ana, k->arena, &all, &count), OK);
        assert_int_equal(count, 0);
        assert_int_equal(say(k, ana, STR("z/kept"), true), OK);
        assert_int_equal(say(k, ana, STR("Topics/eng"), false), OK);
        assert_int_equal(say(k, ana, STR("z/kept"), true), OK);
        assert_int_equal(say(k, bo, STR("other"), true), OK);
        kit_reopen(k);
        assert_int_equal(listed_read(k->store, ana, k->arena, &all, &count), OK);
        assert_int_equal(count, 2);
        assert_str(all[0].name, "Topics/eng");
        assert_false(all[0].on);
        assert_str(all[1].name, "z/kept");
        assert_true(all[1].on);
        assert_int_equal(say(k, ana, STR("Topics/eng"), true), OK);
        assert_int_equal(listed_read(k->store, ana, k->arena, &all, &count), OK);
        assert_true(count == 2 && all[0].on);
        assert_int_equal(listed_read(k->store, bo, k->arena, &all, &count), OK);
        assert_int_equal(count, 1);
}

static void refused(void **state)
{
        struct kit *k = *state;
        char name[LISTED_NAME_MAX + 1];
        memset(name, 'a', sizeof name);
        uint32_t ana = kit_person(k, "ana");
        assert_int_equal(say(k, ana, STR_NONE, true), INVALID);
        assert_int_equal(say(k, ana, str_make(name, sizeof name), true), INVALID);
        assert_int_equal(say(k, ana, str_make(name, sizeof name - 1), true), OK);
        assert_int_equal(say(k, ana + 100, STR("a"), true), ABSENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(said_is_kept, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(refused, kit_begin, kit_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
