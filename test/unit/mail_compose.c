#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/text.h"
#include "mail/address.h"
#include "mail/compose.h"
#include "mail/content.h"
#include "mail/derive.h"

static void expect(struct str got, const char *want)
{
        if (!str_eq(got, str_of(want))) {
                print_error("[%.*s]\nnot\n[%s]\n", STR_ARG(got), want);
                fail();
        }
}

static void plain(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct buf out = {0};
        compose(arena,
                &(struct composition){
                        .from = STR("Baton <digest@team.example>"),
                        .subject = STR("Your day"),
                        .message_id = STR("<1@team.example>"),
                        .date = 1795505400,
                        .offset = 3600,
                        .fields = STR("Baton-Kind: digest\r\n"),
                        .text = STR("one\n.two"),
                        .automatic = true,
                },
                &out);
        expect(buf_str(&out),
                "From: Baton <digest@team.example>\r\n"
                "Subject: Your day\r\n"
                "Date: Tue, 24 Nov 2026 08:30:00 +0100\r\n"
                "Message-ID: <1@team.example>\r\n"
                "Auto-Submitted: auto-generated\r\n"
                "Baton-Kind: digest\r\n"
                "MIME-Version: 1.0\r\n"
                "Content-Type: text/plain; charset=utf-8; format=fixed\r\n"
                "Content-Transfer-Encoding: 7bit\r\n\r\n"
                "one\r\n.two\r\n");
        buf_release(&out);
        arena_free(arena);
}

static void alternatives_come_back(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct buf out = {0}, text = {0};
        struct derived d;
        compose(arena,
                &(struct composition){
                        .from = address_field(arena, STR("Jörg \"J\" M"), STR("j@team.example")),
                        .to = STR("ana@team.example"),
                        .subject = STR("Grüße\r\nBcc: x@y"),
                        .message_id = STR("<2@team.example>"),
                        .in_reply_to = STR("<1@x>"),
                        .references = STR("<0@x> <1@x>"),
                        .date = 1795505400,
                        .text = STR("grün\n--=_x\n"),
                        .html = STR("<p>grün</p>"),
                },
                &out);
        assert_true(text_is_ascii(buf_str(&out)));
        derive(arena, buf_str(&out), &d);
        expect(d.from, "j@team.example");
        expect(d.from_name, "Jörg \"J\" M");
        expect(d.subject, "Grüße Bcc: x@y");
        assert_int_equal(d.reference_count, 2);
        assert_int_equal(d.date, 1795505400);
        const struct part *top = mime_parse(arena, buf_str(&out));
        assert_true(top->first && top->first->next && !top->first->next->next);
        content_text(arena, top, 1000, &text);
        expect(buf_str(&text), "grün\n--=_x\n");
        buf_clear(&text);
        content_text(arena, top->first->next, 1000, &text);
        expect(buf_str(&text), "grün\n");
        buf_release(&text);
        buf_release(&out);
        arena_free(arena);
}

static void long_lines_are_encoded(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct buf out = {0}, long_line = {0};
        for (unsigned i = 0; i < 2000; i++)
                buf_add_char(&long_line, 'a');
        compose(arena,
                &(struct composition){.from = STR("a@b"), .message_id = STR("<1@b>"),
                        .text = buf_str(&long_line)},
                &out);
        struct str rest = buf_str(&out), line;
        while (str_line(&rest, &line))
                assert_true(line.len <= 78);
        buf_release(&long_line);
        buf_release(&out);
        arena_free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(plain), cmocka_unit_test(alternatives_come_back),
                cmocka_unit_test(long_lines_are_encoded),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
