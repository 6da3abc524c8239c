#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/buf.h"
#include "mail/verbatim.h"

/* What is left of a text, with a dot for each blank that code became. */
static void blanks(void **state)
{
        (void)state;
        static const struct {
                const char *name, *text, *want;
        } cases[] = { /* clang-format off */
                {"no code", "say a\n", "say a\n"},
                {"a span", "say `a` b", "say ..` b"},
                {"two spans", "`a` b `c`", "..` b ..`"},
                {"never closed", "say `a b", "say `a b"},
                {"longer marks", "``a`b`` c", ".....`` c"},
                {"other lengths do not close", "`a`` b", "`a`` b"},
                {"over a line's end", "`a\nb` c", "..\n.` c"},
                {"not over a paragraph's", "`a\n\nb` c", "`a\n\nb` c"},
                {"after that it goes on", "`a\n\n`b` c", "`a\n\n..` c"},
                {"marks to be read", "\\`a` b", "\\`a` b"},
                {"a backslash in code", "`a\\` b", "...` b"},
                {"a fence", "a\n```\nb\n```\nc\n", "a\n...\n.\n...\nc\n"},
                {"of tildes", "~~~ sh\nb\n~~~\nc\n", "......\n.\n...\nc\n"},
                {"the other mark does not close", "```\nb\n~~~\nc\n```\nd", "...\n.\n...\n.\n...\nd"},
                {"nor does a shorter one", "````\nb\n```\nc\n````\nd", "....\n.\n...\n.\n....\nd"},
                {"a longer one does", "```\nb\n````\nd", "...\n.\n....\nd"},
                {"words behind it do not", "```\nb\n``` c\nd\n```\ne", "...\n.\n.....\n.\n...\ne"},
                {"a fence never closed is text", "a\n~~~~~~\nb\n", "a\n~~~~~~\nb\n"},
                {"and a span may begin behind it", "```\n\n`a` b\n", "```\n\n..` b\n"},
                {"indented", "  ```\n  b\n  ```\nc", ".....\n...\n.....\nc"},
                {"a span of three marks", "```a``` b\nc\n", "....``` b\nc\n"},
                {"a fence ends a paragraph", "`a\n```\nb\n```\nc`", "`a\n...\n.\n...\nc`"},
                {"nothing", "", ""},
                {"marks alone", "`", "`"},
                {"very many marks", "`````````````````````````````````a"
                                    "`````````````````````````````````",
                        "`````````````````````````````````a`````````````````````````````````"},
        }; /* clang-format on */
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct str text = str_of(cases[i].text), got = verbatim_blank(text, arena);
                assert_int_equal(got.len, text.len);
                for (size_t k = 0; k < got.len; k++) {
                        bool was = text.at[k] != ' ' && got.at[k] == ' ';
                        char want = cases[i].want[k];
                        if (was ? want != '.' : want != got.at[k] && !(want == '.' && got.at[k] == ' '))
                                fail_msg("%s: got \"%.*s\"", cases[i].name, STR_ARG(got));
                }
        }
        arena_free(arena);
}

/* Marks that never find another cost no more than their number. */
static void many(void **state)
{
        (void)state;
        static const char *const lines[] = {"```a\n", "~~~~\n~~~a\n", "`a", "``a`b```c````d"};
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(lines); i++) {
                struct buf text = {0};
                while (text.len < 4 << 20)
                        buf_add_text(&text, lines[i]);
                assert_int_equal(verbatim_blank(buf_str(&text), arena).len, text.len);
                buf_release(&text);
        }
        arena_free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(blanks),
                cmocka_unit_test(many),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
