#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "team/subaddress.h"

static void words(void **state)
{
        (void)state;
        static const struct {
                const char *local, *name;
                enum subaddress what;
                const char *token;
        } cases[] = {
                {"eng.backend+subscribe", "eng.backend", SUB_SUBSCRIBE, ""},
                {"eng.backend-subscribe", "eng.backend", SUB_SUBSCRIBE, ""},
                {"eng.backend+unsubscribe", "eng.backend", SUB_UNSUBSCRIBE, ""},
                {"eng.backend-unsubscribe", "eng.backend", SUB_UNSUBSCRIBE, ""},
                {"on-call+each", "on-call", SUB_EACH, ""},
                {"on-call-each", "on-call", SUB_EACH, ""},
                {"a-digest", "a", SUB_DIGEST, ""},
                {"a+named", "a", SUB_NAMED, ""},
                {"a+mute", "a", SUB_MUTE, ""},
                {"a+help", "a", SUB_HELP, ""},
                {"a-owner", "a", SUB_OWNER, ""},
                {"help", "", SUB_HELP, ""},
                {"help-help", "help", SUB_HELP, ""},
                {"a+confirm-mzxw6", "a", SUB_CONFIRM, "mzxw6"},
                {"a-confirm-mzxw6", "a", SUB_CONFIRM, "mzxw6"},
                {"on-call-confirm-mzxw6", "on-call", SUB_CONFIRM, "mzxw6"},
                {"on-call+bounce-mzxw6", "on-call", SUB_BOUNCE, "mzxw6"},
                {"help+bounce-mzxw6", "help", SUB_BOUNCE, "mzxw6"},
                {"a-bounce-bounce-mzxw6", "a-bounce", SUB_BOUNCE, "mzxw6"},
                {"r+mzxw6", "", SUB_ANSWER, "mzxw6"},
                {"digest", "", SUB_ANSWER, ""},
                {"a+task", "a", SUB_TASK, ""},
                {"a+note", "a", SUB_RESERVED, ""},
                {"find", "", SUB_RESERVED, ""},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct subaddress_parts p;
                bool is = subaddress_read(str_of(cases[i].local), '+', &p);
                if (!is || p.what != cases[i].what || !str_eq(p.name, str_of(cases[i].name)) ||
                        !str_eq(p.token, str_of(cases[i].token)))
                        fail_msg("%s: %d \"%.*s\" %d \"%.*s\"", cases[i].local, is, STR_ARG(p.name),
                                p.what, STR_ARG(p.token));
        }
}

static void no_words(void **state)
{
        (void)state;
        static const char *const cases[] = {"", "+", "-", "eng.backend", "eng.backend+", "+subscribe",
                "-subscribe", "subscribe", "a+subscribes", "a+xsubscribe", "asubscribe",
                "a+confirm", "a+confirm-", "a-confirm", "a-confirm-", "-confirm-mzxw6",
                "a+subscribe-mzxw6", "a-subscribe-mzxw6", "a+b+subscribe", "a+b-subscribe",
                "helpx", "rx+mzxw6", "a-helpx", "confirm-mzxw6"};
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct subaddress_parts p;
                if (subaddress_read(str_of(cases[i]), '+', &p))
                        fail_msg("\"%s\" was read as %d", cases[i], p.what);
        }
}

static void another_separator(void **state)
{
        (void)state;
        struct subaddress_parts p;
        assert_true(subaddress_read(STR("a=each"), '=', &p));
        assert_int_equal(p.what, SUB_EACH);
        assert_false(subaddress_read(STR("a+each"), '=', &p));
        assert_true(subaddress_read(STR("a-confirm-mzxw6"), '-', &p));
        assert_true(str_eq(p.token, STR("mzxw6")));
}

static void reserved_names(void **state)
{
        (void)state;
        static const char *const taken[] = {
                "help", "find", "digest", "r", "a-subscribe", "a-owner", "a-task", "x-bounce"};
        static const char *const free_ones[] = {
                "a", "subscribe", "helper", "rest", "a-b", "unsubscribe", "taskforce", "a.help"};
        for (size_t i = 0; i < COUNT_OF(taken); i++)
                if (!subaddress_reserves(str_of(taken[i])))
                        fail_msg("%s may be a name", taken[i]);
        for (size_t i = 0; i < COUNT_OF(free_ones); i++)
                if (subaddress_reserves(str_of(free_ones[i])))
                        fail_msg("%s may not be a name", free_ones[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(words),
                cmocka_unit_test(no_words),
                cmocka_unit_test(another_separator),
                cmocka_unit_test(reserved_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
