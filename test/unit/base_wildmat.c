#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/wildmat.h"

static void patterns(void **state)
{
        (void)state;
        static const struct {
                const char *pattern, *text;
                bool want;
        } cases[] = {
                /* RFC 3977 4.4 */
                {"abc", "abc", true},
                {"abc", "abcd", false},
                {"abc", "ab", false},
                {"a*d", "ad", true},
                {"a*d", "abbcd", true},
                {"a*d", "abbc", false},
                {"a?d", "abd", true},
                {"a?d", "ad", false},
                {"a*,!*b,*c*", "aaa", true},
                {"a*,!*b,*c*", "abb", false},
                {"a*,!*b,*c*", "ccb", true},
                {"a*,!*b,*c*", "xxx", false},
                {"a*,c*,!*b", "ccb", false},
                /* topics */
                {"eng.*,!eng.private.*", "eng.backend", true},
                {"eng.*,!eng.private.*", "eng.private.pay", false},
                {"!eng.private.*,eng.*", "eng.private.pay", true},
                {"*", "", true},
                {"*", "x.y", true},
                {"**", "x", true},
                {"*?*", "", false},
                {"?*?", "ab", true},
                {"?*?", "a", false},
                {"*aab", "aaaaab", true},
                {"*a*b", "aaaa", false},
                {"A", "a", false},
                {"", "", false},
                {"", "a", false},
                {",,a", "a", true},
                {"!", "", false},
                {"!a", "b", false},
                {"[a]", "a", false},
                {"[a]", "[a]", true},
                {"\\*", "\\x", true},
                /* '?' is one character (RFC 3977 4.2) */
                {"caf?", "caf\xc3\xa9", true},
                {"caf??", "caf\xc3\xa9", false},
                {"*??", "\xc3\xa9", false},
                {"?", "\xf0\x9f\x98\x80", true},
                {"*\xc3\xa9", "\xc3\xa9\xc3\xa9", true},
                {"??", "\xc3\xc3", true},
                {"?", "\xe2\x82", false},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++)
                if (wildmat(str_of(cases[i].pattern), str_of(cases[i].text)) != cases[i].want)
                        fail_msg("\"%s\" on \"%s\"", cases[i].pattern, cases[i].text);
        assert_false(wildmat(STR_NONE, STR_NONE));
        assert_true(wildmat(STR("*"), STR_NONE));
}

/* A hundred stars against a long row of the wrong letter: a careless matcher does not come back from it. */
static void hostile_patterns(void **state)
{
        (void)state;
        char pattern[400], text[4000];
        for (size_t i = 0; i < sizeof pattern; i++)
                pattern[i] = "*a"[i % 2];
        pattern[sizeof pattern - 1] = 'b';
        memset(text, 'a', sizeof text);
        assert_false(wildmat(str_make(pattern, sizeof pattern), str_make(text, sizeof text)));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(patterns),
                cmocka_unit_test(hostile_patterns),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
