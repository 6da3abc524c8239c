#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/encode.h"

static uint32_t dice = 2463534242u;

static uint32_t roll(uint32_t below)
{
        dice ^= dice << 13;
        dice ^= dice >> 17;
        dice ^= dice << 5;
        return dice % below;
}

static void must_be(const char *name, const struct buf *got, struct str want)
{
        if (!str_eq(buf_str(got), want))
                fail_msg("%s: \"%.*s\", not \"%.*s\"", name, STR_ARG(buf_str(got)), STR_ARG(want));
}

/* RFC 4648 10, in small letters and without padding */
static void base32_texts(void **state)
{
        (void)state;
        static const struct {
                const char *plain, *coded;
        } cases[] = {
                {"", ""}, {"f", "my"}, {"fo", "mzxq"}, {"foo", "mzxw6"}, {"foob", "mzxw6yq"},
                {"fooba", "mzxw6ytb"}, {"foobar", "mzxw6ytboi"}, {"\xff\xff", "777q"},
        };
        static const char *const bad[] = {
                "a", "mzx", "mzxw6y", "mz", "m1", "my======", "m y", "mzxw6z", "m\xff"};
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf coded = {0}, back = {0};
                base32_encode(str_of(cases[i].plain), &coded);
                must_be(cases[i].plain, &coded, str_of(cases[i].coded));
                assert_int_equal(base32_decode(buf_str(&coded), &back), OK);
                must_be(cases[i].coded, &back, str_of(cases[i].plain));
                for (size_t k = 0; k < coded.len; k++)
                        coded.at[k] = ascii_upper(coded.at[k]);
                buf_clear(&back);
                assert_int_equal(base32_decode(buf_str(&coded), &back), OK);
                must_be(cases[i].coded, &back, str_of(cases[i].plain));
                buf_release(&coded);
                buf_release(&back);
        }
        for (size_t i = 0; i < COUNT_OF(bad); i++) {
                struct buf out = {0};
                buf_add_text(&out, "kept");
                if (base32_decode(str_of(bad[i]), &out) != INVALID)
                        fail_msg("\"%s\" was taken", bad[i]);
                must_be(bad[i], &out, STR("kept"));
                buf_release(&out);
        }
}

/* RFC 4648 10 */
static void base64_texts(void **state)
{
        (void)state;
        static const struct {
                const char *plain, *coded;
        } cases[] = {
                {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xff\xfe\xfd>?", "//79Pj8="},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf coded = {0}, strict = {0}, lax = {0};
                base64_encode(str_of(cases[i].plain), &coded);
                must_be(cases[i].plain, &coded, str_of(cases[i].coded));
                assert_int_equal(base64_decode(buf_str(&coded), &strict), OK);
                must_be(cases[i].coded, &strict, str_of(cases[i].plain));
                base64_decode_lax(buf_str(&coded), &lax);
                must_be(cases[i].coded, &lax, str_of(cases[i].plain));
                buf_release(&coded);
                buf_release(&strict);
                buf_release(&lax);
        }
}

static void base64_that_is_not(void **state)
{
        (void)state;
        static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg===", "====", "=", "==", "Zm9v\n",
                "Zm 9", "Zm9vZg==Zm9v", "Zh==", "Zm9=", "Zm-_", "Zm9v====", "A===", "Zg==Zg=="};
        struct buf out = {0};
        buf_add_text(&out, "kept");
        for (size_t i = 0; i < COUNT_OF(bad); i++)
                if (base64_decode(str_of(bad[i]), &out) != INVALID)
                        fail_msg("\"%s\" is taken", bad[i]);
        must_be("after refusals", &out, STR("kept"));
        buf_release(&out);
}

static void base64_from_mail(void **state)
{
        (void)state;
        static const struct {
                const char *coded, *plain;
        } cases[] = {
                {"Zm9v\r\nYmFy\r\n", "foobar"},
                {" Z m 9 v!", "foo"},
                {"Zm9v=YmFy", "foo"},
                {"Zm9", "fo"},
                {"Z", ""},
                {"", ""},
                {"\xff\xff", ""},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf out = {0};
                base64_decode_lax(str_of(cases[i].coded), &out);
                must_be(cases[i].coded, &out, str_of(cases[i].plain));
                buf_release(&out);
        }
}

static void quoted_from_mail(void **state)
{
        (void)state;
        static const struct {
                const char *coded, *plain;
        } cases[] = {
                {"caf=C3=A9\r\n", "caf\xc3\xa9\r\n"},
                {"caf=c3=a9", "caf\xc3\xa9"},
                {"soft=\r\nbreak", "softbreak"},
                {"soft= \t\r\nbreak", "softbreak"},
                {"soft =\nbreak", "soft break"},
                {"soft at the end=", "soft at the end"},
                {"blanks go \t\r\nhere", "blanks go\r\nhere"},
                {"blanks go \nhere", "blanks go\nhere"},
                {"kept=20\r\nhere", "kept \r\nhere"},
                {"a=3Db", "a=b"},
                {"2=2 =GG =4", "2=2 =GG =4"},
                {"a==3D", "a=="},
                {"raw \xe9", "raw \xe9"},
                {"\r\n\r\n", "\r\n\r\n"},
                {"cr\rlf", "cr\rlf"},
                {"=", ""},
                {"", ""},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf out = {0};
                quoted_decode(str_of(cases[i].coded), &out);
                must_be(cases[i].coded, &out, str_of(cases[i].plain));
                buf_release(&out);
        }
}

static void quoted_texts(void **state)
{
        (void)state;
        static const struct {
                const char *plain, *coded;
        } cases[] = {
                {"caf\xc3\xa9\n", "caf=C3=A9\r\n"},
                {"a=b\r\nc", "a=3Db\r\nc"},
                {"blank \n\tx\t", "blank=20\r\n\tx=09"},
                {"blank \r\n", "blank=20\r\n"},
                {"From here\nFrom there\nxFrom ", "=46rom here\r\n=46rom there\r\nxFrom=20"},
                {".\n..\na.", "=2E\r\n=2E.\r\na."},
                {"cr\rlf", "cr=0Dlf"},
                {"", ""},
                {"0123456789012345678901234567890123456789012345678901234567890123456789012345678",
                        "01234567890123456789012345678901234567890123456789012345678901234567890123"
                        "4=\r\n"
                        "5678"},
                {"01234567890123456789012345678901234567890123456789012345678901234567890123\xe9",
                        "01234567890123456789012345678901234567890123456789012345678901234567890123"
                        "=\r\n"
                        "=E9"},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf out = {0};
                quoted_encode(str_of(cases[i].plain), &out);
                must_be(cases[i].plain, &out, str_of(cases[i].coded));
                buf_release(&out);
        }
}

static void check_quoted(struct str coded)
{
        struct str line;
        while (str_line(&coded, &line)) {
                assert_true(line.len <= 76);
                assert_true(line.len == 0 ||
                            (line.at[line.len - 1] != ' ' && line.at[line.len - 1] != '\t'));
                assert_false(str_starts(line, STR("From ")));
                for (size_t i = 0; i < line.len; i++)
                        assert_in_range(line.at[i] == '\t' ? ' ' : line.at[i], ' ', '~');
        }
}

/* Texts of what is awkward: blanks, dots, line ends, octets above 127. */
static void any_text_comes_back(void **state)
{
        (void)state;
        static const char letters[] = "aF .=\t\n\n\xc3\xff~";
        for (int round = 0; round < 3000; round++) {
                struct buf plain = {0}, coded = {0}, back = {0}, want = {0};
                for (uint32_t n = roll(200); n > 0; n--)
                        buf_add_char(&plain, letters[roll(sizeof letters - 1)]);
                for (size_t i = 0; i < plain.len; i++) {
                        if (plain.at[i] == '\n')
                                buf_add_char(&want, '\r');
                        buf_add_char(&want, plain.at[i]);
                }
                quoted_encode(buf_str(&plain), &coded);
                check_quoted(buf_str(&coded));
                quoted_decode(buf_str(&coded), &back);
                must_be("quoted", &back, buf_str(&want));
                buf_clear(&coded);
                buf_clear(&back);
                base64_encode(buf_str(&plain), &coded);
                assert_int_equal(base64_decode(buf_str(&coded), &back), OK);
                must_be("base64", &back, buf_str(&plain));
                buf_release(&plain);
                buf_release(&coded);
                buf_release(&back);
                buf_release(&want);
        }
}

static const struct {
        const char *name, *given, *plain;
} xtexts[] = {
        {"nothing", "", ""},
        {"plain", "Bob@a.example", "Bob@a.example"},
        {"codes", "a+2Bb+3D+20c", "a+b= c"},
        {"a code at the end", "x+0A", "x\n"},
        {"small letters", "+2b", NULL},
        {"half a code", "a+2", NULL},
        {"a plus alone", "a+", NULL},
        {"a plus and a word", "a+bc", NULL},
        {"an equals sign", "a=b", NULL},
        {"a blank", "a b", NULL},
        {"an octet", "\303\251", NULL},
};

static void xtext(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(xtexts); i++) {
                struct buf out = {0};
                buf_add_text(&out, "<");
                enum status st = xtext_decode(str_of(xtexts[i].given), &out);
                assert_int_equal(st, xtexts[i].plain ? OK : INVALID);
                assert_string_equal(buf_text(&out) + 1, xtexts[i].plain ? xtexts[i].plain : "");
                buf_release(&out);
        }
}

static void escapes(void **state)
{
        (void)state;
        struct buf out = {0};
        hex_encode(STR("\0\x0f\xa5\xff"), &out);
        must_be("hex", &out, STR("000fa5ff"));
        buf_clear(&out);
        html_escape(STR("<a href=\"x?a=1&b=2\">caf\xc3\xa9 'it'</a>"), &out);
        must_be("html", &out,
                STR("&lt;a href=&quot;x?a=1&amp;b=2&quot;&gt;caf\xc3\xa9 'it'&lt;/a&gt;"));
        buf_clear(&out);
        url_escape(STR("AZaz09-._~ /?#[]@!$&'()*+,;=%\"<>\xc3\xa9"), &out);
        must_be("url", &out,
                STR("AZaz09-._~%20%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25"
                    "%22%3C%3E%C3%A9"));
        buf_clear(&out);
        hex_encode(STR_NONE, &out);
        html_escape(STR_NONE, &out);
        url_escape(STR_NONE, &out);
        base64_decode_lax(STR_NONE, &out);
        quoted_decode(STR_NONE, &out);
        quoted_encode(STR_NONE, &out);
        assert_int_equal(base64_decode(STR_NONE, &out), OK);
        assert_int_equal(out.len, 0);
        buf_release(&out);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(base32_texts), cmocka_unit_test(base64_texts),
                cmocka_unit_test(base64_that_is_not),
                cmocka_unit_test(base64_from_mail),
                cmocka_unit_test(quoted_from_mail),
                cmocka_unit_test(quoted_texts),
                cmocka_unit_test(any_text_comes_back),
                cmocka_unit_test(xtext),
                cmocka_unit_test(escapes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
