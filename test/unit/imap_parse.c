#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "imap/parse.h"
#include "mail/envelope.h"

static struct arena *arena;

static void must_be(const char *text, struct str got, const char *want)
{
        if (!str_eq(got, str_of(want)))
                fail_msg("%s: \"%.*s\", not \"%s\"", text, STR_ARG(got), want);
}

struct text_case {
        const char *text, *want; /* want NULL: refused */
};

static void try_strings(struct str (*run)(struct parse *), const struct text_case *cases, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                struct parse p = parse_of(arena, str_of(cases[i].text));
                struct str got = run(&p);
                bool good = parse_end(&p);
                if (good != (cases[i].want != NULL))
                        fail_msg("%s: %s", cases[i].text, good ? "taken" : "refused");
                if (good)
                        must_be(cases[i].text, got, cases[i].want);
        }
}

static void astrings(void **state)
{
        (void)state;
        static const struct text_case cases[] = {
                {"abc", "abc"}, {"a]b", "a]b"}, {"a+b", "a+b"}, {"\"\"", ""}, {"\"a b\"", "a b"},
                {"\"q\\\"b\\\\\"", "q\"b\\"}, {"{3}\r\nabc", "abc"}, {"{3+}\r\na\"b", "a\"b"}, {"{0}\r\n", ""},
                {"{2}\r\n\r\n", "\r\n"}, {"abc ", "abc"}, {"\"\xc3\xa9\"", "\xc3\xa9"},
                {"{1}\r\n\xff", "\xff"}, {"\"a\xff\"", NULL}, {"\"\xc0\xaf\"", NULL}, {"\"\\\"\xed\xa0\x80\"", NULL},
                {"", NULL}, {" a", NULL}, {"\"abc", NULL}, {"\"a\\", NULL}, {"\"a\\n\"", NULL}, {"\"a\rb\"", NULL},
                {"a b", NULL}, {"a(", NULL}, {"a%", NULL}, {"a*", NULL}, {"{3}\r\nab", NULL}, {"{3}abc", NULL},
                {"{}\r\n", NULL}, {"{-1}\r\n", NULL}, {"{18446744073709551616}\r\n", NULL},
                {"{4294967297}\r\nabc", NULL}, {"{3\r\nabc", NULL}, {"\xc3\xa9", NULL}, {"\"a\"b", NULL}, {"\x7f", NULL},
        };
        try_strings(parse_astring, cases, COUNT_OF(cases));
}

static void mailboxes(void **state)
{
        (void)state;
        static const struct text_case cases[] = {
                {"inBOX", "INBOX"}, {"\"inbox\"", "INBOX"}, {"inbox/a", "inbox/a"}, {"a&-b", "a&b"},
                {"Entw&APw-rfe", "Entw\xc3\xbcrfe"}, {"{5}\r\nINBOX", "INBOX"}, {"\"[Gmail]/x\"", "[Gmail]/x"},
                {"a&b", NULL}, {"\"\"", NULL}, {"&AP", NULL}, {"\"\xc3\xa9\"", "\xc3\xa9"}, {"\"a& \xc3\xa9\"", "a& \xc3\xa9"},
                {"\"a\x01\"", NULL}, {"{1}\r\n\xe9", NULL},
        };
        try_strings(parse_mailbox, cases, COUNT_OF(cases));
}

static void sets(void **state)
{
        (void)state;
        static const struct text_case cases[] = {
                {"1", "1"}, {"*", "*"}, {"1:3,5,9:*", "1:3,5,9:*"}, {"5:1", "5:1"}, {"*:4", "*:4"},
                {"4294967295", "4294967295"},
                {"0", NULL}, {"1:0", NULL}, {"", NULL}, {",", NULL}, {"1,", NULL}, {"1,,2", NULL}, {"1:", NULL},
                {":1", NULL}, {"-1", NULL}, {"1:2:3", NULL}, {"4294967296", NULL}, {"x", NULL}, {"1x", NULL},
                {"99999999999999999999999", NULL},
        };
        try_strings(parse_set, cases, COUNT_OF(cases));
}

static void patterns(void **state)
{
        (void)state;
        static const struct text_case cases[] = {
                {"%", "%"}, {"*", "*"}, {"a/%/b*", "a/%/b*"}, {"\"%\"", "%"}, {"\"\"", ""}, {"(", NULL}, {"", NULL}};
        try_strings(parse_pattern, cases, COUNT_OF(cases));
}

static void dates(void **state)
{
        (void)state;
        static const struct { const char *text; int64_t days; } good[] = {
                {"1-Jan-1970", 0}, {"\"2-jan-1970\"", 1}, {"01-Feb-1970", 31}, {"29-Feb-2000", 11016},
                {"31-Dec-1969", -1}};
        static const char *const bad[] = {"32-Jan-2020", "30-Feb-2020", "29-Feb-2021", "0-Jan-2020", "1-Foo-2020",
                "1-Jan-20", "\"1-Jan-2020", "1 Jan 2020", "-Jan-2020", "1-Jan-20200"};
        for (size_t i = 0; i < COUNT_OF(good); i++) {
                struct parse p = parse_of(arena, str_of(good[i].text));
                assert_int_equal(parse_date(&p), good[i].days);
                assert_true(parse_end(&p));
        }
        for (size_t i = 0; i < COUNT_OF(bad); i++) {
                struct parse p = parse_of(arena, str_of(bad[i]));
                (void)parse_date(&p);
                if (parse_end(&p))
                        fail_msg("%s was taken", bad[i]);
        }
}

static void date_times(void **state)
{
        (void)state;
        static const struct { const char *text; int64_t at; } good[] = {
                {"\"17-Jul-1996 02:44:25 -0700\"", 837596665}, {"\" 1-Feb-2003 04:05:06 +0000\"", 1044072306},
                {"\"1-Feb-2003 04:05:06 +0000\"", 1044072306}, {"\"01-Jan-1970 05:30:00 +0530\"", 0}};
        static const char *const bad[] = {"\"31-Foo-2020 00:00:00 +0000\"", "\"17-Jul-1996 24:44:25 -0700\"",
                "\"17-Jul-1996 02:44:25\"", "17-Jul-1996 02:44:25 -0700", "\"17-Jul-1996 02:44:25 -0700",
                "\"17-Jul-1996 2:44:25 -0700\"", "\"17-Jul-1996 02:44:25 0700\"",
                "\"31-Dec-9999 23:59:60 -9959\"", "\"01-Jan-0000 00:00:00 +0001\""};
        for (size_t i = 0; i < COUNT_OF(good); i++) {
                struct parse p = parse_of(arena, str_of(good[i].text));
                assert_int_equal(parse_date_time(&p), good[i].at);
                assert_true(parse_end(&p));
        }
        for (size_t i = 0; i < COUNT_OF(bad); i++) {
                struct parse p = parse_of(arena, str_of(bad[i]));
                (void)parse_date_time(&p);
                if (parse_end(&p))
                        fail_msg("%s was taken", bad[i]);
        }
}

static void flags(void **state)
{
        (void)state;
        static const struct { const char *text; bool bare, good; unsigned flags; size_t keywords; } cases[] = {
                {"()", false, true, 0, 0}, {"(\\Seen)", false, true, FLAG_SEEN, 0},
                {"(\\sEEN \\Deleted $Label1 x)", false, true, FLAG_SEEN | FLAG_DELETED, 2},
                {"(x X x)", false, true, 0, 1}, {"\\Draft", true, true, FLAG_DRAFT, 0},
                {"\\Draft kw", true, true, FLAG_DRAFT, 1}, {"(\\Recent \\Answered)", false, true, FLAG_ANSWERED, 0},
                {"\\Draft", false, false, 0, 0}, {"(\\Nosuch)", false, false, 0, 0}, {"(\\Seen", false, false, 0, 0},
                {"", true, false, 0, 0}, {"(a  b)", false, false, 0, 0}, {"(a(b))", false, false, 0, 0}};
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct flag_list list;
                struct parse p = parse_of(arena, str_of(cases[i].text));
                parse_flags(&p, cases[i].bare, &list);
                bool good = parse_end(&p);
                if (good != cases[i].good)
                        fail_msg("%s: %s", cases[i].text, good ? "taken" : "refused");
                if (good) {
                        assert_int_equal(list.flags, cases[i].flags);
                        assert_int_equal(list.keyword_count, cases[i].keywords);
                }
        }
}

static void bounds(void **state)
{
        (void)state;
        struct buf b = {0};
        buf_add_text(&b, "(a0");
        for (int i = 1; i <= KEYWORDS_MAX; i++)
                buf_addf(&b, " a%d", i);
        buf_add_char(&b, ')');
        struct flag_list list;
        struct parse p = parse_of(arena, buf_str(&b));
        parse_flags(&p, false, &list);
        assert_false(parse_end(&p));
        buf_clear(&b);
        for (int i = 0; i < 1001; i++)
                buf_add_char(&b, 'x');
        p = parse_of(arena, buf_str(&b));
        (void)parse_mailbox(&p);
        assert_false(parse_end(&p));
        buf_release(&b);
}

static void words(void **state)
{
        (void)state;
        struct parse p = parse_of(arena, STR("ReTURN (x) RETURNED"));
        assert_false(parse_word(&p, "RET"));
        assert_true(parse_word(&p, "RETURN"));
        parse_space(&p);
        assert_true(parse_char(&p, '('));
        must_be("atom", parse_atom(&p), "x");
        assert_true(parse_char(&p, ')'));
        parse_space(&p);
        assert_false(parse_word(&p, "RETURN"));
        parse_space(&p);
        assert_true(p.bad);
        must_be("after a fault", parse_atom(&p), "");
}

static void literals(void **state)
{
        (void)state;
        static const struct { const char *line; bool there, waits; uint64_t size; size_t start; } cases[] = {
                {"a LOGIN {3}", true, true, 3, 8}, {"a LOGIN {3+}", true, false, 3, 8},
                {"a APPEND x ~{99}", true, true, 99, 11}, {"{0}", true, true, 0, 0},
                {"a b \"{3}", false, false, 0, 0}, {"a \"x\\\"\" {4}", true, true, 4, 8},
                {"a {3} ", false, false, 0, 0}, {"a {}", false, false, 0, 0}, {"a {x}", false, false, 0, 0},
                {"a {+}", false, false, 0, 0}, {"a 3}", false, false, 0, 0}, {"", false, false, 0, 0},
                {"a {99999999999999999999}", false, false, 0, 0}, {"a {3+}", true, false, 3, 2}};
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                uint64_t size = 0;
                bool waits = false;
                size_t start = 0;
                if (literal_announced(str_of(cases[i].line), &size, &waits, &start) != cases[i].there)
                        fail_msg("%s", cases[i].line);
                if (!cases[i].there)
                        continue;
                assert_int_equal(size, cases[i].size);
                assert_int_equal(waits, cases[i].waits);
                assert_int_equal(start, cases[i].start);
        }
}

static void printing(void **state)
{
        (void)state;
        static const struct { struct str in; const char *want; } cases[] = {
                {{"", 0}, "\"\""}, {{"a b", 3}, "\"a b\""}, {{"a\"b\\", 4}, "\"a\\\"b\\\\\""},
                {{"a\rb", 3}, "{3}\r\na\rb"}, {{"\xc3\xa9", 2}, "{2}\r\n\xc3\xa9"}};
        struct buf b = {0};
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                buf_clear(&b);
                string_add(&b, cases[i].in);
                must_be(cases[i].want, buf_str(&b), cases[i].want);
        }
        buf_clear(&b);
        nstring_add(&b, STR_NONE);
        must_be("NIL", buf_str(&b), "NIL");
        buf_clear(&b);
        print_mailbox(&b, STR("Entw\xc3\xbcrfe & \"x\""), false);
        must_be("mailbox", buf_str(&b), "\"Entw&APw-rfe &- \\\"x\\\"\"");
        buf_clear(&b);
        print_mailbox(&b, STR("Entw\xc3\xbcrfe & \"x\""), true);
        must_be("mailbox in UTF-8", buf_str(&b), "\"Entw\xc3\xbcrfe & \\\"x\\\"\"");
        buf_release(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(astrings), cmocka_unit_test(mailboxes), cmocka_unit_test(sets),
                cmocka_unit_test(patterns), cmocka_unit_test(dates), cmocka_unit_test(date_times),
                cmocka_unit_test(flags), cmocka_unit_test(bounds), cmocka_unit_test(words),
                cmocka_unit_test(literals), cmocka_unit_test(printing)};
        arena = arena_new();
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        arena_free(arena);
        return failed;
}
