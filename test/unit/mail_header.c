#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/text.h"
#include "mail/header.h"
#include "mail/word.h"

static void expect(const char *name, struct str got, const char *want)
{
        if (!str_eq(got, str_of(want))) {
                print_error("%s: [%.*s], not [%s]\n", name, STR_ARG(got), want);
                fail();
        }
}

static void next_cuts_fields(void **state)
{
        (void)state;
        static const struct {
                const char *name, *header, *want;
        } cases[] = {
                {"two", "A: 1\r\nB: 2\r\n\r\nC: 3\r\n", "A= 1|B= 2|"},
                {"folded", "A: 1\r\n 2\r\n\t3\r\nB:4\r\n\r\n", "A= 1\r\n 2\r\n\t3|B=4|"},
                {"blank before the colon", "A : 1\r\n", "A= 1|"},
                {"no field", "A: 1\r\nnonsense\r\n more\r\nB: 2\r\n", "A= 1|B= 2|"},
                {"mbox line", "From ana Tue\r\nA: 1\r\n", "A= 1|"},
                {"blank line of blanks goes on", "A: 1\r\n  \r\nB: 2\r\n", "A= 1\r\n  |B= 2|"},
                {"bare LF", "A: 1\nB: 2\n\nC: 3", "A= 1|B= 2|"},
                {"no line end", "A: 1", "A= 1|"},
                {"empty value", "A:\r\nB:\r\n", "A=|B=|"},
                {"name with a blank", "A B: 1\r\nC: 2\r\n", "C= 2|"},
                {"8-bit name", "\xc3\xa4: 1\r\nC: 2\r\n", "C= 2|"},
                {"colon alone", ": 1\r\nC: 2\r\n", "C= 2|"},
                {"starts folded", " x: 1\r\nC: 2\r\n", "C= 2|"},
                {"nothing", "", ""},
                {"empty line", "\r\nA: 1\r\n", ""},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf got = {0};
                struct str rest = str_of(cases[i].header);
                struct field f;
                while (header_next(&rest, &f))
                        buf_addf(&got, "%.*s=%.*s|", STR_ARG(f.name), STR_ARG(f.value));
                expect(cases[i].name, buf_str(&got), cases[i].want);
                buf_release(&got);
        }
}

static void fields_are_found(void **state)
{
        (void)state;
        struct str header = STR("To: a\r\nSUBJECT: one\r\nSubject: two\r\n\r\nbody: x\r\n"), value;
        assert_true(header_find(header, "subject", &value));
        expect("first", value, " one");
        assert_int_equal(header_count(header, "subject"), 2);
        assert_int_equal(header_count(header, "body"), 0);
        assert_false(header_find(header, "Cc", &value));
        assert_int_equal(header_length(header), 37);
        assert_int_equal(header_length(STR("\r\nx")), 2);
        assert_int_equal(header_length(STR("A: b\n\nx")), 6);
        assert_int_equal(header_length(STR("A: b")), 4);
        assert_int_equal(header_length(STR("")), 0);
}

static void values_are_unfolded(void **state)
{
        (void)state;
        static const struct {
                const char *name, *raw, *want;
        } cases[] = {
                {"CRLF goes, white space stays", " a\r\n b", "a b"},
                {"two blanks stay", "a\r\n  b", "a  b"},
                {"TAB", "a\r\n\tb\tc", "a b c"},
                {"bare CR and LF", "a\rb\nc", "a b c"},
                {"ends", " \r\n a \r\n ", "a"},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++)
                expect(cases[i].name, header_unfold(arena, str_of(cases[i].raw)), cases[i].want);
        expect("NUL", header_unfold(arena, STR("a\0b")), "a b");
        arena_free(arena);
}

static void words_are_decoded(void **state)
{
        (void)state;
        static const struct {
                const char *name, *raw, *want;
        } cases[] = {
                {"plain", "hello", "hello"},
                {"q", "=?utf-8?q?J=C3=B6rg_M?=", "Jörg M"},
                {"b", "=?UTF-8?B?SsO2cmc=?=", "Jörg"},
                {"joined", "=?utf-8?q?a?= =?utf-8?q?b?=", "ab"},
                {"joined over a fold", "=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab"},
                {"character cut in two", "=?utf-8?q?=C3?= =?utf-8?q?=B6?=", "ö"},
                {"other charset", "=?iso-8859-1?q?=F6?= =?utf-8?q?=C3=B6?=", "öö"},
                {"text around", "Re: =?utf-8?q?a?= b", "Re: a b"},
                {"text between", "=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b"},
                {"language", "=?utf-8*en?q?a?=", "a"},
                {"unknown charset", "=?x-nonsense?q?a=E4?=", "aä"},
                {"no charset", "=??q?a=5B?=", "a["},
                {"raw 8-bit", "J\xf6rg", "Jörg"},
                {"raw utf-8", "J\xc3\xb6rg", "Jörg"},
                {"question mark inside", "=?utf-8?q?a?b?=", "a?b"},
                {"blank inside", "=?utf-8?q?a b?=", "a b"},
                {"never ends", "=?utf-8?q?a", "=?utf-8?q?a"},
                {"no encoding", "=?utf-8?x?a?=", "=?utf-8?x?a?="},
                {"line end inside", "=?utf-8?q?a=0D=0ABcc:_x?=", "a  Bcc: x"},
                {"japanese", "=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "日本"},
                {"in quotes", "\"=?utf-8?q?a=C3=B6?=\"", "\"aö\""},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++)
                expect(cases[i].name, header_decode(arena, str_of(cases[i].raw)), cases[i].want);
        arena_free(arena);
}

static void fields_are_written(void **state)
{
        (void)state;
        static const struct {
                const char *name, *value, *want;
        } cases[] = {
                {"plain", "hello", "Subject: hello\r\n"},
                {"smuggled", "a\r\nBcc: x", "Subject: a  Bcc: x\r\n"},
                {"utf-8", "für Bo", "Subject: =?utf-8?q?f=C3=BCr?= Bo\r\n"},
                {"two words", "für müde", "Subject: =?utf-8?q?f=C3=BCr_m=C3=BCde?=\r\n"},
                {"base64 where shorter", "日本語", "Subject: =?utf-8?b?5pel5pys6Kqe?=\r\n"},
                {"encoded word stays", "=?utf-8?q?a?= <a@b>", "Subject: =?utf-8?q?a?= <a@b>\r\n"},
                {"half a word", "=?utf-8", "Subject: =?utf-8?q?=3D=3Futf-8?=\r\n"},
                {"empty", "", "Subject:\r\n"},
                {"folded", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccc",
                        "Subject: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n"
                        " cccccc\r\n"},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf out = {0};
                header_add(&out, "Subject", str_of(cases[i].value));
                expect(cases[i].name, buf_str(&out), cases[i].want);
                buf_release(&out);
        }
}

/* What is written reads back as it was, in lines and words of the lengths that the RFCs allow. */
static void long_values_come_back(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        for (size_t n = 1; n < 400; n += 7) {
                struct buf value = {0}, out = {0};
                for (size_t i = 0; i < n; i++)
                        buf_add_text(&value, i % 13 == 12 ? " " : i % 5 ? "ä" : "x");
                header_add(&out, "Subject", buf_str(&value));
                struct str rest = buf_str(&out), line;
                while (str_line(&rest, &line)) {
                        assert_true(line.len <= 78);
                        assert_true(text_is_ascii(line));
                }
                struct str rest2 = buf_str(&out);
                struct field f;
                assert_true(header_next(&rest2, &f));
                struct str want = str_trim(buf_str(&value));
                assert_true(str_eq(header_decode(arena, f.value), want));
                buf_release(&value);
                buf_release(&out);
        }
        arena_free(arena);
}

static void a_long_word_is_encoded(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct buf value = {0}, out = {0};
        for (size_t i = 0; i < 3000; i++)
                buf_add_char(&value, 'a');
        header_add(&out, "Subject", buf_str(&value));
        struct str rest = buf_str(&out), line;
        while (str_line(&rest, &line))
                assert_true(line.len <= 998);
        rest = buf_str(&out);
        struct field f;
        assert_true(header_next(&rest, &f));
        assert_true(str_eq(header_decode(arena, f.value), buf_str(&value)));
        buf_release(&value);
        buf_release(&out);
        arena_free(arena);
}

static void base_subjects(void **state)
{
        (void)state;
        static const struct {
                const char *subject, *want;
                bool reply;
        } cases[] = {
                {"Hello", "hello", false},
                {"Re: Hello", "hello", true},
                {"RE:hello", "hello", true},
                {"Re: re: Fwd: FW: hello", "hello", true},
                {"Re[2]: hello", "hello", true},
                {"[eng] Re: hello", "hello", true},
                {"Re: [eng] hello", "hello", true},
                {"[a] [b] hello", "hello", false},
                {"[eng]", "[eng]", false},
                {"hello (fwd) (FWD)", "hello", false},
                {"[Fwd: hello]", "hello", false},
                {"[fwd: Re: hello (fwd)]", "hello", false},
                {"Reading list", "reading list", false},
                {"Aw: hello", "aw: hello", true},
                {"Re:", "", true},
                {"", "", false},
                {"GRÜSSE", "grüsse", false},
                {"a  b", "a b", false},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct str subject = str_of(cases[i].subject);
                expect(cases[i].subject, header_base_subject(arena, subject), cases[i].want);
                assert_int_equal(header_is_reply(subject), cases[i].reply);
        }
        arena_free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(next_cuts_fields),
                cmocka_unit_test(fields_are_found),
                cmocka_unit_test(values_are_unfolded),
                cmocka_unit_test(words_are_decoded),
                cmocka_unit_test(fields_are_written),
                cmocka_unit_test(long_values_come_back),
                cmocka_unit_test(a_long_word_is_encoded),
                cmocka_unit_test(base_subjects),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
