#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>
#include "base/buf.h"
#include "imap/pattern.h"

static void matching(void **state)
{
        (void)state;
        static const struct { const char *pattern, *name; bool yes; } cases[] = {
                {"*", "a/b/c", true}, {"%", "a", true}, {"%", "a/b", false}, {"%/%", "a/b", true}, {"%/%", "a/b/c", false},
                {"a/%", "a/b", true}, {"a/%", "a", false}, {"a/*", "a/b/c", true}, {"a*", "a", true}, {"*c", "a/b/c", true},
                {"*%", "a/b", true}, {"%*", "a/b", true}, {"*/%", "a/b/c", true}, {"a%c", "abbbc", true},
                {"a%c", "ab/c", false}, {"a%c*", "abc/d", true}, {"*b%d", "a/b/bcd", true}, {"", "", true}, {"", "a", false},
                {"a", "", false}, {"inbox", "INBOX", true}, {"InB%", "INBOX", true}, {"inbox/x", "INBOX/x", true}, {"inbox/%", "INBOX/x", true}, {"inbox/X", "INBOX/x", false},
                {"A", "a", false}, {"Topics/%", "Topics/eng", true}, {"%/%/%", "a/b/c", true}, {"%%", "ab", true},
                {"a*b*c", "a1b2b3c", true}, {"a*b*c", "a1b2b3", false}, {"%a%/b", "xay/b", true}, {"%a%/b", "xy/b", false}};
        for (size_t i = 0; i < COUNT_OF(cases); i++)
                if (pattern_matches(str_of(cases[i].pattern), str_of(cases[i].name)) != cases[i].yes)
                        fail_msg("%s on %s", cases[i].pattern, cases[i].name);
}

/* What would take for ever if every wildcard were tried with every other. */
static void hostile(void **state)
{
        (void)state;
        struct buf pattern = {0}, name = {0};
        for (int i = 0; i < 300; i++)
                buf_add_text(&pattern, "*a%");
        buf_add_char(&pattern, 'b');
        for (int i = 0; i < 1000; i++)
                buf_add_char(&name, 'a');
        clock_t start = clock();
        assert_false(pattern_matches(buf_str(&pattern), buf_str(&name)));
        assert_true(clock() - start < CLOCKS_PER_SEC);
        buf_release(&pattern);
        buf_release(&name);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(matching), cmocka_unit_test(hostile)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
