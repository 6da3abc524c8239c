#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/text.h"

static uint32_t dice = 2463534242u;

static uint32_t roll(uint32_t below)
{
        dice ^= dice << 13;
        dice ^= dice >> 17;
        dice ^= dice << 5;
        return dice % below;
}

static void must_be(const char *name, struct str got, struct str want)
{
        if (!str_eq(got, want))
                fail_msg("%s: \"%.*s\", not \"%.*s\"", name, STR_ARG(got), STR_ARG(want));
}

static void kinds(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                struct str text;
                bool ascii, utf8;
        } cases[] = {
                {"none", {NULL, 0}, true, true},
                {"plain", STR("a\tb\r\n~"), true, true},
                {"nul", STR("a\0b"), false, true},
                {"escape", STR("\x1b"), false, true},
                {"delete", STR("\x7f"), false, true},
                {"two octets", STR("\xc3\xa9"), false, true},
                {"four octets", STR("\xf0\x9f\x98\x80"), false, true},
                {"last of all", STR("\xf4\x8f\xbf\xbf"), false, true},
                {"past the last", STR("\xf4\x90\x80\x80"), false, false},
                {"latin", STR("caf\xe9"), false, false},
                {"cut off", STR("\xe2\x82"), false, false},
                {"overlong slash", STR("\xc0\xaf"), false, false},
                {"overlong three", STR("\xe0\x80\xaf"), false, false},
                {"surrogate", STR("\xed\xa0\x80"), false, false},
                {"continuation alone", STR("\x80"), false, false},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++)
                if (text_is_ascii(cases[i].text) != cases[i].ascii ||
                        text_is_utf8(cases[i].text) != cases[i].utf8)
                        fail_msg("%s", cases[i].name);
}

#define GONE "\xef\xbf\xbd" /* U+FFFD */

static void decoding(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                struct str octets, charset, want;
        } cases[] = {
                {"none", {NULL, 0}, STR("utf-8"), STR("")},
                {"utf-8", STR("caf\xc3\xa9"), STR("UTF-8"), STR("caf\xc3\xa9")},
                {"utf-8 called latin", STR("caf\xc3\xa9"), STR("iso-8859-1"), STR("caf\xc3\xa9")},
                {"utf-8, nothing declared", STR("caf\xc3\xa9"), {NULL, 0}, STR("caf\xc3\xa9")},
                {"latin, nothing declared", STR("caf\xe9"), {NULL, 0}, STR("caf\xc3\xa9")},
                {"latin, unknown name", STR("caf\xe9"), STR("x-klingon"), STR("caf\xc3\xa9")},
                {"a name for iconv", STR("caf\xe9"), STR("utf-8//TRANSLIT"), STR("caf\xc3\xa9")},
                {"a path for iconv", STR("caf\xe9"), STR("../../tmp/evil"), STR("caf\xc3\xa9")},
                {"a long name", STR("\xe9"), STR("iso-8859-1-iso-8859-1-iso-8859-1-iso"),
                        STR("\xc3\xa9")},
                {"quotes of windows", STR("\x93hi\x94"), STR("ISO-8859-1"),
                        STR("\xe2\x80\x9chi\xe2\x80\x9d")},
                {"and of ascii", STR("\x93hi\x94"), STR("us-ascii"),
                        STR("\xe2\x80\x9chi\xe2\x80\x9d")},
                {"holes of windows",
                        STR("\x81\x8d"
                            "a\x9d"),
                        STR("windows-1252"), STR(GONE GONE "a" GONE)},
                {"cut off utf-8", STR("caf\xc3"), STR("utf-8"), STR("caf" GONE)},
                {"bad utf-8",
                        STR("a\xff"
                            "b\xc3\xa9"),
                        STR("utf-8"), STR("a" GONE "b\xc3\xa9")},
                {"latin 2", STR("\xb9\xb6\xbc"), STR("iso-8859-2"),
                        STR("\xc5\xa1\xc5\x9b\xc5\xba")},
                {"koi8", STR("\xd0\xd2\xc9"), STR("KOI8-R"), STR("\xd0\xbf\xd1\x80\xd0\xb8")},
                {"greek", STR("\xe1\xe2"), STR("ISO_8859-7"), STR("\xce\xb1\xce\xb2")},
                {"gb2312", STR("\xd6\xd0\xce\xc4"), STR("gb2312"), STR("\xe4\xb8\xad\xe6\x96\x87")},
                {"big5", STR("\xa4\xa4\xa4\xe5"), STR("Big5"), STR("\xe4\xb8\xad\xe6\x96\x87")},
                {"shift-jis", STR("\x93\xfa\x96\x7b"), STR("Shift_JIS"),
                        STR("\xe6\x97\xa5\xe6\x9c\xac")},
                {"x-sjis", STR("\x93\xfa\x96\x7b"), STR("x-sjis"), STR("\xe6\x97\xa5\xe6\x9c\xac")},
                {"euc-jp", STR("\xc6\xfc\xcb\xdc"), STR("EUC-JP"), STR("\xe6\x97\xa5\xe6\x9c\xac")},
                {"korean", STR("\xc7\xd1"), STR("ks_c_5601-1987"), STR("\xed\x95\x9c")},
                {"seven bits", STR("\x1b$BF|K\\\x1b(B!"), STR("ISO-2022-JP"),
                        STR("\xe6\x97\xa5\xe6\x9c\xac!")},
                {"by its other name", STR("\x1b$BF|\x1b(B"), STR("csISO2022JP"),
                        STR("\xe6\x97\xa5")},
                {"utf-8 called 2022", STR("\xe6\x97\xa5"), STR("ISO-2022-JP"), STR("\xe6\x97\xa5")},
                {"utf-7", STR("caf+AOk-"), STR("utf-7"), STR("caf\xc3\xa9")},
                {"utf-16", STR("\xfe\xff\0a\0\xe9"), STR("utf-16"), STR("a\xc3\xa9")},
                {"utf-16be", STR("\0a\0b"), STR("UTF-16BE"), STR("ab")},
                {"ascii called utf-16", STR("abcd"), STR("UTF-16"), STR("abcd")},
                {"half a pair", STR("\xd8\0\0a"), STR("UTF-16BE"), STR(GONE "a")},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf out = {0};
                text_decode(cases[i].octets, cases[i].charset, &out);
                must_be(cases[i].name, buf_str(&out), cases[i].want);
                buf_release(&out);
        }
}

/* Noise in every charset ends, and gives UTF-8. */
static void decoding_noise(void **state)
{
        (void)state;
        static const char *const names[] = {"utf-8", "iso-8859-1", "iso-8859-8-i", "windows-1255",
                "windows-1258", "tis-620", "gb18030", "big5", "euc-tw", "euc-jp", "shift_jis",
                "euc-kr", "johab", "iso-2022-jp", "iso-2022-jp-2", "iso-2022-kr", "iso-2022-cn",
                "utf-7", "utf-16", "utf-16le", "utf-16be", "viscii", "koi8-u", "macintosh",
                "x-mac-cyrillic", "cp950", ""};
        static const char spice[] = "\x1b$B(J)A*H.ANO\x0e\x0f~{}+-/&\0\xff\x80";
        for (size_t i = 0; i < COUNT_OF(names); i++) {
                for (int round = 0; round < 60; round++) {
                        struct buf in = {0}, out = {0};
                        uint32_t mask = round % 2 ? 0x7f : 0xff;
                        for (uint32_t n = roll(round % 10 ? 60 : 6000); n > 0; n--)
                                buf_add_char(&in, roll(3) ? (char)(unsigned char)(roll(256) & mask)
                                                          : spice[roll(sizeof spice - 1)]);
                        text_decode(buf_str(&in), str_of(names[i]), &out);
                        if (!text_is_utf8(buf_str(&out)))
                                fail_msg("%s gives no UTF-8", names[i]);
                        assert_true(out.len <= 6 * in.len + 6);
                        buf_release(&in);
                        buf_release(&out);
                }
        }
}

/* RFC 5051, RFC 4790 9.2: as capitals. */
static void order(void **state)
{
        (void)state;
        static const char *const ascending[] = {
                "", "!", "0", "@", "a", "a long text with more than thirty-two octets!",
                "a long text with more than thirty-two octetsa", "ab", "b", "z", "[patch", "_exit", "`a",
                "{", "\xc3\xa4", "\xe4\xb8\xad"};
        for (size_t i = 0; i < COUNT_OF(ascending); i++)
                for (size_t k = 0; k < COUNT_OF(ascending); k++) {
                        int c = str_order(str_of(ascending[i]), str_of(ascending[k]));
                        assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
                }
}

static void folding(void **state)
{
        (void)state;
        static const struct {
                const char *text, *want;
        } cases[] = {
                {"", ""}, {"Hello", "hello"}, {"\xc3\x89t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
                {"e\xcc\x81", "\xc3\xa9"}, /* e and an accent */
                {"stra\xc3\x9f"
                 "e",
                        "strasse"},
                {"\xce\xa3\xce\xaf\xcf\x83\xcf\x82",
                        "\xcf\x83\xce\xaf\xcf\x83\xcf\x83"}, /* final sigma */
                {"\xef\xac\x81n", "fin"},                    /* ligature */
                {"\xe2\x84\xa1", "tel"},                     /* TEL in one sign */
                {"\xef\xbc\xa1\xef\xbc\x91", "a1"},          /* full width */
                {"caf\xe9", "caf\xc3\xa9"},                  /* latin */
                {"\xc4\xb0", "i\xcc\x87"},                   /* capital i with dot, no locale */
                /* marks behind long runs of plain letters */
                {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                 "E\xcc\x81"
                 "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC\xcc\xa7"
                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa9"
                        "ccccccccccccccccccccccccccccccc\xc3\xa7"
                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf once = {0}, twice = {0};
                text_fold(str_of(cases[i].text), &once);
                must_be(cases[i].text, buf_str(&once), str_of(cases[i].want));
                text_fold(buf_str(&once), &twice);
                must_be("folded twice", buf_str(&twice), buf_str(&once));
                buf_release(&once);
                buf_release(&twice);
        }
}

static void columns(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                size_t columns, at_most;
                const char *cut;
        } cases[] = {
                {"", 0, 5, ""},
                {"hello", 5, 3, "hel"},
                {"hello", 5, 5, "hello"},
                {"hello", 5, 0, ""},
                {"caf\xc3\xa9!", 5, 4, "caf\xc3\xa9"},
                {"cafe\xcc\x81!", 5, 4, "cafe\xcc\x81"},      /* an accent stays on its letter */
                {"\xe6\x97\xa5\xe6\x9c\xac", 4, 3, "\xe6\x97\xa5"},
                {"\xe6\x97\xa5", 2, 1, ""},
                {"\xf0\x9f\x98\x80x", 3, 2, "\xf0\x9f\x98\x80"},
                {"a\x1b\x07z", 2, 1, "a\x1b\x07"},
                {"caf\xe9", 4, 9, "caf\xe9"},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct str text = str_of(cases[i].text);
                if (text_columns(text) != cases[i].columns)
                        fail_msg("%s: %zu columns", cases[i].text, text_columns(text));
                must_be(cases[i].text, text_cut(text, cases[i].at_most), str_of(cases[i].cut));
        }
        assert_int_equal(text_cut(STR_NONE, 4).len, 0);
}

static void wrapping(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                size_t columns;
                const char *first, *rest, *want;
        } cases[] = {
                {"", 20, "", "", "\n"},
                {"", 20, "* ", "  ", "* \n"},
                {"one two three", 20, "", "", "one two three\n"},
                {"one two three", 9, "", "", "one two\nthree\n"},
                {"one two three", 7, "", "", "one two\nthree\n"},
                {"one two three", 6, "", "", "one\ntwo\nthree\n"},
                {"one two three", 9, "* ", "  ", "* one two\n  three\n"},
                {"one two three", 8, "* ", "  ", "* one\n  two\n  three\n"},
                {" one\r\n\ttwo \n", 20, "> ", "> ", "> one two\n"},
                {"see https://team.example/eng/backend/142 now", 12, "", "",
                        "see\nhttps://team.example/eng/backend/142\nnow\n"},
                {"https://team.example/eng/backend/142", 12, "- ", "",
                        "- https://team.example/eng/backend/142\n"},
                {"non\xc2\xa0"
                 "breaking x",
                        8, "", "",
                        "non\xc2\xa0"
                        "breaking\nx\n"},
                {"e\xcc\x81"
                 "e\xcc\x81 aa",
                        5, "", "",
                        "e\xcc\x81"
                        "e\xcc\x81 aa\n"},
                {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4, "", "",
                        "\xe6\x97\xa5\xe6\x9c\xac\n\xe8\xaa\x9e\n"},
                /* a full stop begins no line */
                {"\xe6\x97\xa5\xe6\x9c\xac\xe3\x80\x82", 4, "", "",
                        "\xe6\x97\xa5\n\xe6\x9c\xac\xe3\x80\x82\n"},
                {"a\x1b[2Jb", 20, "", "", "a[2Jb\n"},
                {"abc", 0, "", "", "abc\n"},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf out = {0};
                text_wrap(str_of(cases[i].text), cases[i].columns, str_of(cases[i].first),
                        str_of(cases[i].rest), &out);
                must_be(cases[i].text, buf_str(&out), str_of(cases[i].want));
                buf_release(&out);
        }
}

static void flattening(void **state)
{
        (void)state;
        static const struct {
                const char *text, *want;
        } cases[] = {
                {"", ""},
                {" \r\n ", ""},
                {"  a \t\r\n b  ", "a b"},
                {"a\x1b[31mb\x07", "a[31mb"},
                {"a\xc2\x9b"
                 "2Jb",
                        "a2Jb"}, /* C1 control */
                {"a\xe2\x80\xae"
                 "evil",
                        "aevil"}, /* right-to-left override */
                {"a\xe2\x80\xa8"
                 "b\xe3\x80\x80"
                 "c",
                        "a b c"}, /* line separator, wide blank */
                {"a \x01 b", "a b"},
                {"caf\xe9", "caf" GONE},
                {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
                        "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf out = {0};
                buf_add_text(&out, "x ");
                text_flatten(str_of(cases[i].text), &out);
                must_be(cases[i].text, str_from(buf_str(&out), 2), str_of(cases[i].want));
                buf_release(&out);
        }
}

/* Any octets at all: what comes out is UTF-8 on one line, and no line is longer than it must be. */
static void noise(void **state)
{
        (void)state;
        static const char *const parts[] = {"a", "word", " ", "\n", "\xcc\x81", "\xe6\x97\xa5",
                "\xe3\x80\x82", "\xf0\x9f\x98\x80", "\xff", "\xe2\x80", "\x1b", "-", "/",
                "\xc2\xa0", "\xd7\x90", "\xe2\x80\x8d"};
        for (int round = 0; round < 1000; round++) {
                struct buf in = {0}, out = {0};
                for (uint32_t n = roll(80); n > 0; n--)
                        buf_add_text(&in, parts[roll(COUNT_OF(parts))]);
                text_flatten(buf_str(&in), &out);
                assert_true(text_is_utf8(buf_str(&out)));
                assert_int_equal(str_chr(buf_str(&out), '\n'), STR_NOWHERE);
                struct str cut = text_cut(buf_str(&in), 10);
                assert_true(text_columns(cut) <= 10);
                struct str rest, line;
                buf_clear(&out);
                text_wrap(buf_str(&in), 30, STR("* "), STR("  "), &out);
                assert_true(text_is_utf8(buf_str(&out)));
                for (rest = buf_str(&out); str_line(&rest, &line);)
                        if (text_columns(line) > 30 &&
                                str_chr(str_from(line, 2), ' ') != STR_NOWHERE)
                                fail_msg("too long: %.*s", STR_ARG(line));
                buf_clear(&out);
                text_fold(buf_str(&in), &out);
                assert_true(text_is_utf8(buf_str(&out)));
                buf_release(&in);
                buf_release(&out);
        }
}

/* Work grows with the length, whatever is in it: what grows with its square does not come to an end
 * here. */
static void hostile_texts(void **state)
{
        (void)state;
        static const char *const parts[] = {"\xcc\x81", "\xcc\x81\xcc\xa3", "e\xcc\x81",
                "\xef\xb7\xba", "\xe6\x97\xa5", "\xe1\x84\x80", "\xf0\x9f\x87\xa6", "\xff", "a ",
                " "};
        for (size_t i = 0; i < COUNT_OF(parts); i++) {
                struct buf in = {0}, out = {0};
                while (in.len < 300000)
                        buf_add_text(&in, parts[i]);
                text_fold(buf_str(&in), &out);
                (void)text_cut(buf_str(&in), SIZE_MAX);
                text_wrap(buf_str(&in), 72, STR(""), STR(""), &out);
                buf_release(&in);
                buf_release(&out);
        }
}

static void mailbox_names(void **state)
{
        (void)state;
        static const struct {
                const char *utf8, *mutf7;
        } cases[] = {
                {"", ""},
                {"INBOX", "INBOX"},
                {"Topics/eng/backend", "Topics/eng/backend"},
                {"R&D", "R&-D"},
                {"&", "&-"},
                {"&&", "&-&-"},
                {"\xc3\xa9", "&AOk-"},
                {"\xc3\xa9&", "&AOk-&-"},
                {"Entw\xc3\xbcrfe", "Entw&APw-rfe"},
                {"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
                        "~peter/mail/&U,BTFw-/&ZeVnLIqe-"}, /* RFC 3501 5.1.3 */
                {"\xf0\x9f\x98\x80", "&2D3eAA-"},
                {"\xef\xbf\xbf", "&,,8-"},
                {"a\tb", "a&AAk-b"},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf out = {0};
                mutf7_encode(str_of(cases[i].utf8), &out);
                must_be(cases[i].utf8, buf_str(&out), str_of(cases[i].mutf7));
                buf_set(&out, STR("x"));
                assert_int_equal(mutf7_decode(str_of(cases[i].mutf7), &out), OK);
                must_be(cases[i].mutf7, str_from(buf_str(&out), 1), str_of(cases[i].utf8));
                buf_release(&out);
        }
}

static void names_that_are_not_canonical(void **state)
{
        (void)state;
        static const char *const bad[] = {
                "&",            /* never closed */
                "R&D",          /* not base64 up to a '-' */
                "&AOk",         /* never closed */
                "&AGE-",        /* "a" needs no shift */
                "&ACY-",        /* '&' is "&-" */
                "&AOk-&AOk-",   /* one shift, not two */
                "&AOl-",        /* bits left over */
                "&AOkA-",       /* half a unit */
                "&AO-",         /* less than a unit */
                "&A-", "&AOk=-", "&AO/-", "&AO k-", "&2D0-", "&3gA-", "&3gDYPQ-", "&2D0AYQ-",
                "caf\xc3\xa9", "caf\xe9", "a\tb", "a\x7f", "&AOk-\x01", "&\xff-",
        };
        struct buf out = {0};
        buf_add_text(&out, "kept");
        for (size_t i = 0; i < COUNT_OF(bad); i++)
                if (mutf7_decode(str_of(bad[i]), &out) != INVALID)
                        fail_msg("\"%s\" is taken", bad[i]);
        must_be("after refusals", buf_str(&out), STR("kept"));
        buf_release(&out);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(kinds),
                cmocka_unit_test(decoding),
                cmocka_unit_test(decoding_noise),
                cmocka_unit_test(folding), cmocka_unit_test(order),
                cmocka_unit_test(columns),
                cmocka_unit_test(wrapping),
                cmocka_unit_test(flattening),
                cmocka_unit_test(noise),
                cmocka_unit_test(hostile_texts),
                cmocka_unit_test(mailbox_names),
                cmocka_unit_test(names_that_are_not_canonical),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
