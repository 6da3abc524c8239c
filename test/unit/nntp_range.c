#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "nntp/range.h"

static const struct {
        const char *given;
        enum status status;
        uint32_t low, high;
} ranges[] = {
        {"1", OK, 1, 1},
        {"0005", OK, 5, 5},
        {"3-", OK, 3, UINT32_MAX},
        {"3-9", OK, 3, 9},
        {"9-3", OK, 9, 3},
        {"1-99999999999", OK, 1, UINT32_MAX},
        {"", INVALID, 0, 0},
        {"-", INVALID, 0, 0},
        {"-3", INVALID, 0, 0},
        {"abc", INVALID, 0, 0},
        {"1-b", INVALID, 0, 0},
        {"1-2-3", INVALID, 0, 0},
        {"+1", INVALID, 0, 0},
        {"12345678901234567", INVALID, 0, 0},
};

static void reads_ranges(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(ranges); i++) {
                uint32_t low = 0, high = 0;
                enum status st = range_parse(str_of(ranges[i].given), &low, &high);
                if (st != ranges[i].status ||
                        (st == OK && (low != ranges[i].low || high != ranges[i].high)))
                        fail_msg("%s: %s %u %u", ranges[i].given, status_name(st), low, high);
        }
}

enum { NOW = 1795305600 }; /* 2026-11-22 00:00:00 UTC */

static const struct {
        const char *date, *time;
        enum status status;
        time_t at;
} dates[] = {
        {"20261122", "000000", OK, NOW},
        {"261122", "000001", OK, NOW + 1},
        {"19700101", "000000", OK, 0},
        {"700101", "000000", OK, 0},
        {"991231", "235959", OK, 946684799},
        {"20000229", "120000", OK, 951825600},
        {"20230229", "120000", INVALID, 0},
        {"20261399", "000000", INVALID, 0},
        {"20261100", "000000", INVALID, 0},
        {"20261122", "240000", INVALID, 0},
        {"20261122", "006000", INVALID, 0},
        {"20261122", "0000", INVALID, 0},
        {"2026112", "000000", INVALID, 0},
        {"foo", "bar", INVALID, 0},
        {"2026-1-1", "000000", INVALID, 0},
};

static void reads_dates(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(dates); i++) {
                time_t at = 0;
                enum status st = range_date(str_of(dates[i].date), str_of(dates[i].time), NOW, &at);
                if (st != dates[i].status || (st == OK && at != dates[i].at))
                        fail_msg("%s %s: %s %lld", dates[i].date, dates[i].time, status_name(st),
                                (long long)at);
        }
}

static const struct {
        const char *pattern, *text;
        bool matches;
} patterns[] = {
        {"*", "", true},
        {"*", "anything", true},
        {"", "", true},
        {"", "x", false},
        {"abc", "abc", true},
        {"abc", "abcd", false},
        {"a?c", "abc", true},
        {"*setup?[23]*", "conformance setup 2 x", true},
        {"*setup?[23]*", "conformance setup 4 x", false},
        {"[a-c]x", "bx", true},
        {"[a-c]x", "dx", false},
        {"[^a-c]x", "dx", true},
        {"[^a-c]x", "ax", false},
        {"[]]", "]", true},
        {"[a-]", "-", true},
        {"[", "[", true},
        {"[abc", "[abc", true},
        {"\\*", "*", true},
        {"\\*", "x", false},
        {"\\", "\\", true},
        {"*a*b*c", "xxaxxbxxc", true},
        {"*a*b*c", "xxaxxbxx", false},
        {"a,b", "a,b", true},
        {"!a", "!a", true},
};

static void matches_patterns(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(patterns); i++)
                if (range_pattern(str_of(patterns[i].pattern), str_of(patterns[i].text)) !=
                        patterns[i].matches)
                        fail_msg("%s against %s", patterns[i].pattern, patterns[i].text);
}

/* 10,000 stars against 10,000 letters end at once. */
static void pattern_is_not_exponential(void **state)
{
        (void)state;
        static char pattern[10001], text[10000];
        for (size_t i = 0; i + 1 < sizeof pattern; i += 2) {
                pattern[i] = '*';
                pattern[i + 1] = 'a';
        }
        pattern[sizeof pattern - 1] = 'b';
        memset(text, 'a', sizeof text);
        assert_false(range_pattern(str_make(pattern, sizeof pattern), str_make(text, sizeof text)));
}

static const struct {
        const char *given;
        bool one;
        enum status status;
        enum named_kind kind;
        uint32_t low, high;
} names[] = {
        {"", false, OK, NAMED_CURRENT, 0, 0},
        {"7", true, OK, NAMED_NUMBERS, 7, 7},
        {"3-9", false, OK, NAMED_NUMBERS, 3, 9},
        {"3-9", true, INVALID, NAMED_NUMBERS, 0, 0},
        {"99999999999", true, OK, NAMED_NUMBERS, UINT32_MAX, UINT32_MAX},
        {"12345678901234567", true, INVALID, NAMED_NUMBERS, 0, 0},
        {"<a@b>", true, OK, NAMED_ID, 0, 0},
        {"<a@b>", false, OK, NAMED_ID, 0, 0},
        {"<a@b", false, INVALID, NAMED_ID, 0, 0},
        {"<>", true, INVALID, NAMED_ID, 0, 0},
        {"a@b", false, INVALID, NAMED_NUMBERS, 0, 0},
};

static void reads_names(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(names); i++) {
                struct named n;
                enum status st = range_named(str_of(names[i].given), names[i].one, &n);
                if (st != names[i].status || n.kind != names[i].kind ||
                        (st == OK && (n.low != names[i].low || n.high != names[i].high)))
                        fail_msg("%s: %s %u-%u", names[i].given, status_name(st), n.low, n.high);
        }
}

static void reads_since(void **state)
{
        (void)state;
        struct args a;
        time_t at;
        assert_int_equal(args_split(STR("NEWNEWS * 20261122 000000 gmt"), &a), OK);
        assert_int_equal(range_since(&a, 1, NOW, &at), OK);
        assert_int_equal(at, NOW);
        assert_int_equal(range_since(&a, 0, NOW, &at), INVALID);
        assert_int_equal(args_split(STR("NEWGROUPS 20261122 000000 CET"), &a), OK);
        assert_int_equal(range_since(&a, 0, NOW, &at), INVALID);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_ranges),
                cmocka_unit_test(reads_dates),
                cmocka_unit_test(reads_names),
                cmocka_unit_test(reads_since),
                cmocka_unit_test(matches_patterns),
                cmocka_unit_test(pattern_is_not_exponential),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
