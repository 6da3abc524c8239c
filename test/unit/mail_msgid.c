#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "mail/msgid.h"

static void ids_are_cut(void **state)
{
        (void)state;
        static const struct {
                const char *raw, *want;
        } cases[] = {
                {"<a@b>", "<a@b>|"},
                {"<a@b> <c@d>", "<a@b>|<c@d>|"},
                {"<a@b><c@d>\r\n\t<e@f>", "<a@b>|<c@d>|<e@f>|"},
                {"Your mail of <a@b>, Tue", "<a@b>|"},
                {"<a@\r\n b>", "<a@b>|"},
                {"<a <b@c>", "<b@c>|"},
                {"<> <x>", "<x>|"},
                {"a@b", ""},
                {"<a@b", ""},
                {"", ""},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct str rest = str_of(cases[i].raw), id;
                struct buf got = {0};
                while (msgid_next(arena, &rest, &id))
                        buf_addf(&got, "%.*s|", STR_ARG(id));
                assert_string_equal(buf_text(&got), cases[i].want);
                buf_release(&got);
        }
        arena_free(arena);
}

static void too_long_ids_are_left_out(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct buf raw = {0};
        buf_add_char(&raw, '<');
        for (unsigned i = 0; i < 997; i++)
                buf_add_char(&raw, 'a');
        buf_add_text(&raw, "><b@c>");
        struct str rest = buf_str(&raw), id;
        assert_true(msgid_next(arena, &rest, &id));
        assert_true(str_eq(id, STR("<b@c>")));
        assert_false(msgid_next(arena, &rest, &id));
        buf_release(&raw);
        arena_free(arena);
}

static void news_ids(void **state)
{
        (void)state;
        assert_true(msgid_is_news(STR("<a@b>")));
        assert_true(msgid_is_news(STR("<x>")));
        assert_false(msgid_is_news(STR("<>")));
        assert_false(msgid_is_news(STR("a@b")));
        assert_false(msgid_is_news(STR("<a b>")));
        assert_false(msgid_is_news(STR("<a>b>")));
        assert_false(msgid_is_news(STR("<\xc3\xa4@b>")));
        struct buf b = {0};
        buf_add_char(&b, '<');
        while (b.len < 249)
                buf_add_char(&b, 'a');
        buf_add_char(&b, '>');
        assert_true(msgid_is_news(buf_str(&b)));
        b.at[249] = 'a';
        buf_add_char(&b, '>');
        assert_false(msgid_is_news(buf_str(&b)));
        buf_release(&b);
}

static void ids_are_made(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct str domain = STR("team.example");
        struct str one = msgid_new(arena, domain), two = msgid_new(arena, domain);
        assert_true(msgid_is_news(one));
        assert_true(str_ends(one, STR("@team.example>")));
        assert_false(str_eq(one, two));
        struct str made = msgid_of(arena, STR("A: b\r\n\r\nc"), domain);
        assert_true(msgid_is_news(made));
        assert_true(str_eq(made, msgid_of(arena, STR("A: b\r\n\r\nc"), domain)));
        assert_false(str_eq(made, msgid_of(arena, STR("A: b\r\n\r\nd"), domain)));
        arena_free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ids_are_cut), cmocka_unit_test(too_long_ids_are_left_out),
                cmocka_unit_test(news_ids), cmocka_unit_test(ids_are_made),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
