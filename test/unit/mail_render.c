#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "mail/render.h"

static void documents(void **state)
{
        (void)state;
        static const struct {
                const char *name, *markdown, *want;
        } cases[] = {
                {"paragraph", "a *b*\n", "<p>a <em>b</em></p>\n"},
                {"raw html", "a <script>x</script>", "<p>a <!-- raw HTML omitted -->x<!-- raw HTML omitted --></p>\n"},
                {"bad link", "[a](javascript:x)", "<p><a href=\"\">a</a></p>\n"},
                {"image", "a ![b *c*](http://x/y.png) d", "<p>a b <em>c</em> d</p>\n"},
                {"image in an image", "![a ![b](c) d](e)", "<p>a b d</p>\n"},
                {"image in a link", "[![a](b)](http://c)", "<p><a href=\"http://c\">a</a></p>\n"},
                {"tasks", "- [ ] a\n- [x] b\n- [X] c\n- [y] d\n",
                        "<ul>\n<li>☐ a</li>\n<li>☑ b</li>\n<li>☑ c</li>\n<li>[y] d</li>\n</ul>\n"},
                {"task in a paragraph", "[ ] a", "<p>[ ] a</p>\n"},
                {"empty item", "-\n- a\n", "<ul>\n<li></li>\n<li>a</li>\n</ul>\n"},
                {"bad utf-8", "a\xff", "<p>a\xef\xbf\xbd</p>\n"},
                {"nothing", "", ""},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf html = {0};
                render_markdown(str_of(cases[i].markdown), &html);
                if (!str_eq(buf_str(&html), str_of(cases[i].want)))
                        print_error("%s: %s\n", cases[i].name, buf_text(&html));
                assert_true(str_eq(buf_str(&html), str_of(cases[i].want)));
                buf_release(&html);
        }
}

static void large_input_is_plain(void **state)
{
        (void)state;
        struct buf text = {0}, html = {0};
        for (unsigned i = 0; i < 40000; i++)
                buf_add_text(&text, "![[]()");
        render_markdown(buf_str(&text), &html);
        assert_true(str_starts(buf_str(&html), STR("<pre>![[]()")));
        buf_release(&text);
        buf_release(&html);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(documents), cmocka_unit_test(large_input_is_plain),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
