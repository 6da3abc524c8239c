#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "team/limit.h"

static void once(void **state)
{
        (void)state;
        struct limit *l = limit_new(3600, 100);
        assert_int_equal(limit_take(l, STR("a")), OK);
        assert_int_equal(limit_take(l, STR("a")), EXISTS);
        assert_int_equal(limit_take(l, STR("b")), OK);
        limit_forget(l, STR("a"));
        limit_forget(l, STR("nobody"));
        assert_int_equal(limit_take(l, STR("a")), OK);
        assert_int_equal(limit_take(l, STR("a")), EXISTS);
        limit_free(l);
        limit_free(NULL);
}

static void its_time_passes(void **state)
{
        (void)state;
        struct limit *l = limit_new(0, 1);
        for (unsigned i = 0; i < 3; i++)
                assert_int_equal(limit_take(l, STR("a")), OK);
        limit_free(l);
}

/* A flood of addresses ends in nothing, and forgets none. */
static void full(void **state)
{
        (void)state;
        struct limit *l = limit_new(3600, 50);
        char key[16];
        for (int i = 0; i < 50; i++) {
                (void)snprintf(key, sizeof key, "k%d", i);
                assert_int_equal(limit_take(l, str_of(key)), OK);
        }
        for (int i = 50; i < 100; i++) {
                (void)snprintf(key, sizeof key, "k%d", i);
                assert_int_equal(limit_take(l, str_of(key)), BUSY);
        }
        assert_int_equal(limit_take(l, STR("k0")), EXISTS);
        limit_forget(l, STR("k0"));
        assert_int_equal(limit_take(l, STR("k99")), OK);
        limit_free(l);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(once),
                cmocka_unit_test(its_time_passes),
                cmocka_unit_test(full),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
