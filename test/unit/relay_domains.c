#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "relay/domains.h"
#include <stdio.h>

static enum status enter(struct domains *d, const char *name)
{
        struct buf why = {0};
        enum status st = domains_enter(d, str_of(name), &why);
        assert_string_equal(buf_text(&why), st == CLOSED ? "it is silent" : "");
        buf_release(&why);
        return st;
}

static void leave(struct domains *d, const char *name, unsigned seconds)
{
        struct buf why = {0};
        buf_add_text(&why, "it is silent");
        domains_leave(d, str_of(name), seconds, &why);
        buf_release(&why);
}

/* Half of the senders at most are in one domain, however it is written. */
static void half_of_them(void **state)
{
        (void)state;
        struct domains *d = domains_new(5), *one = domains_new(1);
        assert_int_equal(enter(d, "a.example"), OK);
        assert_int_equal(enter(d, "A.example"), OK);
        assert_int_equal(enter(d, "a.example"), BUSY);
        assert_int_equal(enter(d, "b.example"), OK);
        leave(d, "a.EXAMPLE", 0);
        assert_int_equal(enter(d, "a.example"), OK);
        assert_int_equal(enter(one, "a.example"), OK);
        assert_int_equal(enter(one, "a.example"), BUSY);
        domains_free(d);
        domains_free(one);
}

/* A silent one is left alone, and only that one; who comes back from it well ends that. */
static void left_alone(void **state)
{
        (void)state;
        struct domains *d = domains_new(4);
        assert_int_equal(enter(d, "a.example"), OK);
        assert_int_equal(enter(d, "a.example"), OK);
        leave(d, "a.example", 1000);
        assert_int_equal(enter(d, "a.example"), CLOSED);
        assert_int_equal(enter(d, "b.example"), OK);
        leave(d, "a.example", 0);
        assert_int_equal(enter(d, "a.example"), OK);
        domains_free(d);
}

/* More than can be remembered: those with a sender are, and nobody is refused for it. */
static void many(void **state)
{
        (void)state;
        struct domains *d = domains_new(2);
        char name[300];
        assert_int_equal(enter(d, "kept.example"), OK);
        for (unsigned i = 0; i < 3000; i++) {
                snprintf(name, sizeof name, "d%u.example", i);
                assert_int_equal(enter(d, name), OK);
                leave(d, name, 1000 + i);
                assert_int_equal(enter(d, name), CLOSED);
        }
        assert_int_equal(enter(d, "kept.example"), BUSY);
        assert_int_equal(enter(d, "d0.example"), OK); /* forgotten */
        memset(name, 'x', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        assert_int_equal(enter(d, name), OK); /* too long to be one: not kept */
        assert_int_equal(enter(d, name), OK);
        leave(d, name, 5);
        domains_free(d);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(half_of_them),
                cmocka_unit_test(left_alone),
                cmocka_unit_test(many),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
