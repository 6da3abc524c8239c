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
#include "mail/vtodo.h"

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

/* A task goes along as a file; the same composition gives the same octets. */
static void calendars(void **state)
{
        (void)state;
        static const struct str labels[] = {{"a,b", 3}, {"c", 1}};
        static const struct str people[] = {{"bo@team.example", 15}};
        struct arena *arena = arena_new();
        struct buf calendar = {0}, again = {0}, out = {0}, second = {0}, body = {0};
        struct vtodo v = {
                .uid = STR("T-1@team.example"),
                .summary = STR("One; two, three\\"),
                .description = STR("\xc3\x9c\n[ ] one"),
                .status = VTODO_COMPLETED,
                .start = 20784,
                .due = 20785,
                .created = 1795505400,
                .changed = 1795505460,
                .completed = 1795505460,
                .sequence = 3,
                .percent = 100,
                .priority = 1,
                .labels = labels,
                .label_count = 2,
                .organizer = STR("ana@team.example"),
                .attendees = people,
                .attendee_count = 1,
        };
        vtodo_write(&v, &calendar);
        vtodo_write(&v, &again);
        assert_true(str_eq(buf_str(&calendar), buf_str(&again)));
        static const char *const lines[] = {"BEGIN:VTODO\r\n", "UID:T-1@team.example\r\n",
                "SUMMARY:One\\; two\\, three\\\\\r\n", "DESCRIPTION:\xc3\x9c\\n[ ] one\r\n",
                "DTSTART;VALUE=DATE:20261127\r\n", "DUE;VALUE=DATE:20261128\r\n",
                "STATUS:COMPLETED\r\n", "COMPLETED:20261124T073100Z\r\n", "PERCENT-COMPLETE:100\r\n",
                "PRIORITY:1\r\n", "SEQUENCE:3\r\n", "ORGANIZER:mailto:ana@team.example\r\n",
                "ATTENDEE:mailto:bo@team.example\r\n"};
        for (size_t i = 0; i < COUNT_OF(lines); i++)
                if (str_find(buf_str(&calendar), str_of(lines[i])) == STR_NOWHERE)
                        fail_msg("no %s in %s", lines[i], buf_text(&calendar));
        v.start = v.due; /* RFC 5545 3.8.2.3: DUE is later than DTSTART */
        buf_clear(&again);
        vtodo_write(&v, &again);
        assert_true(str_find(buf_str(&again), STR("DTSTART")) == STR_NOWHERE);

        struct composition c = {
                .from = STR("Ana <ana@team.example>"),
                .subject = STR("T-1"),
                .message_id = STR("<card.T-1.1@team.example>"),
                .date = 1795505400,
                .text = STR("one"),
                .calendar = buf_str(&calendar),
                .calendar_name = STR("T-1.ics"),
        };
        compose(arena, &c, &out);
        compose(arena, &c, &second);
        assert_true(str_eq(buf_str(&out), buf_str(&second)));
        struct part *top = mime_parse(arena, buf_str(&out));
        assert_true(str_eq(top->subtype, STR("mixed")));
        assert_true(str_eq(top->first->type, STR("text")));
        const struct part *file = top->first->next;
        assert_true(str_eq(file->subtype, STR("calendar")));
        expect(mime_filename(file), "T-1.ics");
        mime_decode(file, &body);
        assert_true(str_starts(buf_str(&body), str_trim(buf_str(&calendar))));
        buf_release(&calendar);
        buf_release(&again);
        buf_release(&out);
        buf_release(&second);
        buf_release(&body);
        arena_free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(plain), cmocka_unit_test(alternatives_come_back),
                cmocka_unit_test(long_lines_are_encoded),
                cmocka_unit_test(calendars),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
