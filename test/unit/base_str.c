#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/str.h"

static void must_be(const char *name, struct str got, const char *want)
{
        if (!str_eq(got, str_of(want)))
                fail_msg("%s: \"%.*s\", not \"%s\"", name, STR_ARG(got), want);
}

static void comparing(void **state)
{
        (void)state;
        assert_true(str_eq(STR(""), STR_NONE));
        assert_true(str_eq(str_of(NULL), STR_NONE));
        assert_false(str_eq(STR("a"), STR("A")));
        assert_false(str_eq(STR("a\0b"), STR("a\0c")));
        assert_true(str_same(STR("INBOX"), STR("inBox")));
        assert_false(str_same(STR("[a"), STR("{a")));
        assert_false(str_same(STR("\xc3\xa9"), STR("\xc3\x89"))); /* ASCII only */
        assert_true(str_cmp(STR("a"), STR("b")) < 0);
        assert_true(str_cmp(STR("a"), STR("")) > 0);
        assert_true(str_cmp(STR("ab"), STR("abc")) < 0);
        assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
        assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
        assert_true(str_starts(STR("abc"), STR("ab")));
        assert_true(str_starts(STR("abc"), STR("")));
        assert_false(str_starts(STR("ab"), STR("abc")));
        assert_false(str_starts(STR("ABC"), STR("ab")));
        assert_true(str_starts_same(STR("ABC"), STR("ab")));
        assert_true(str_ends(STR("abc"), STR("bc")));
        assert_true(str_ends(STR("abc"), STR("")));
        assert_false(str_ends(STR("bc"), STR("abc")));
}

static void finding(void **state)
{
        (void)state;
        static const struct {
                const char *text, *needle;
                size_t find, find_same;
        } cases[] = {
                {"abcabc", "bc", 1, 1},
                {"abc", "BC", STR_NOWHERE, 1},
                {"abc", "", 0, 0},
                {"", "a", STR_NOWHERE, STR_NOWHERE},
                {"aab", "ab", 1, 1},
                {"ab", "abc", STR_NOWHERE, STR_NOWHERE},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct str text = str_of(cases[i].text), needle = str_of(cases[i].needle);
                assert_int_equal(str_find(text, needle), cases[i].find);
                assert_int_equal(str_find_same(text, needle), cases[i].find_same);
        }
        assert_int_equal(str_chr(STR("abab"), 'b'), 1);
        assert_int_equal(str_rchr(STR("abab"), 'b'), 3);
        assert_int_equal(str_chr(STR("abab"), 'c'), STR_NOWHERE);
        assert_int_equal(str_rchr(STR_NONE, 'c'), STR_NOWHERE);
        assert_int_equal(str_chr(STR_NONE, 'c'), STR_NOWHERE);
}

static void cutting(void **state)
{
        (void)state;
        struct str s = STR("hello");
        must_be("from 2", str_from(s, 2), "llo");
        must_be("from the end", str_from(s, 5), "");
        must_be("from behind the end", str_from(s, 6), "");
        must_be("sub", str_sub(s, 1, 3), "ell");
        must_be("sub clamps", str_sub(s, 3, SIZE_MAX), "lo");
        must_be("sub to nowhere", str_sub(s, 0, STR_NOWHERE), "hello");
        must_be("trim", str_trim(STR(" \t\r\n a b\r\n ")), "a b");
        must_be("trim all", str_trim(STR(" \t ")), "");
        must_be("trim none", str_trim(STR_NONE), "");
}

static void nothing_at_all(void **state)
{
        (void)state;
        assert_int_equal(str_from(STR_NONE, 0).len, 0);
        assert_int_equal(str_from(STR_NONE, 5).len, 0);
        assert_int_equal(str_sub(STR_NONE, 0, STR_NOWHERE).len, 0);
        struct str rest = STR_NONE, out;
        assert_false(str_cut(&rest, ',', &out));
        assert_false(str_word(&rest, &out));
        assert_false(str_line(&rest, &out));
}

static void parts(void **state)
{
        (void)state;
        struct str rest = STR("a,,b,"), out;
        static const char *const want[] = {"a", "", "b"};
        for (size_t i = 0; i < COUNT_OF(want); i++) {
                assert_true(str_cut(&rest, ',', &out));
                must_be("part", out, want[i]);
        }
        assert_false(str_cut(&rest, ',', &out));
}

static void words(void **state)
{
        (void)state;
        struct str rest = STR(" \tGROUP  eng.backend \t"), out;
        assert_true(str_word(&rest, &out));
        must_be("first", out, "GROUP");
        assert_true(str_word(&rest, &out));
        must_be("second", out, "eng.backend");
        assert_false(str_word(&rest, &out));
}

static void lines(void **state)
{
        (void)state;
        struct str rest = STR("a\r\n\nb\r\r\nc\rd"), out;
        static const char *const want[] = {"a", "", "b\r", "c\rd"};
        for (size_t i = 0; i < COUNT_OF(want); i++) {
                assert_true(str_line(&rest, &out));
                must_be("line", out, want[i]);
        }
        assert_false(str_line(&rest, &out));
}

static void numbers(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                enum status as32, as64;
                uint64_t value;
        } cases[] = {
                {"0", OK, OK, 0},
                {"007", OK, OK, 7},
                {"4294967295", OK, OK, UINT32_MAX},
                {"4294967296", INVALID, OK, 4294967296u},
                {"18446744073709551615", INVALID, OK, UINT64_MAX},
                {"18446744073709551616", INVALID, INVALID, 0},
                {"99999999999999999999999", INVALID, INVALID, 0},
                {"", INVALID, INVALID, 0},
                {"+1", INVALID, INVALID, 0},
                {"-1", INVALID, INVALID, 0},
                {" 1", INVALID, INVALID, 0},
                {"1 ", INVALID, INVALID, 0},
                {"0x1", INVALID, INVALID, 0},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                uint32_t n32 = 0;
                uint64_t n64 = 0;
                assert_int_equal(str_u32(str_of(cases[i].text), &n32), cases[i].as32);
                assert_int_equal(str_u64(str_of(cases[i].text), &n64), cases[i].as64);
                if (cases[i].as32 == OK)
                        assert_true(n32 == cases[i].value);
                if (cases[i].as64 == OK)
                        assert_true(n64 == cases[i].value);
        }
}

static void hashes_and_copies(void **state)
{
        (void)state;
        assert_true(str_hash(STR("a")) == str_hash(str_sub(STR("xax"), 1, 1)));
        assert_true(str_hash(STR("a")) != str_hash(STR("b")));
        assert_true(str_hash(STR("ab")) != str_hash(STR("ba")));
        char *text = str_text(str_sub(STR("hello"), 1, 3));
        assert_string_equal(text, "ell");
        free(text);
        text = str_text(STR_NONE);
        assert_string_equal(text, "");
        free(text);
        assert_int_equal(ascii_lower('A'), 'a');
        assert_int_equal(ascii_lower('['), '[');
        assert_int_equal(ascii_upper('z'), 'Z');
        assert_int_equal(ascii_upper('{'), '{');
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(comparing),
                cmocka_unit_test(finding),
                cmocka_unit_test(cutting),
                cmocka_unit_test(nothing_at_all),
                cmocka_unit_test(parts),
                cmocka_unit_test(words),
                cmocka_unit_test(lines),
                cmocka_unit_test(numbers),
                cmocka_unit_test(hashes_and_copies),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
