#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "imap/fetch_body.h"

static struct arena *arena;

static bool parsed(const char *text, struct items *items)
{
        struct parse p = parse_of(arena, str_of(text));
        items_parse(&p, items);
        return parse_end(&p);
}

static void plain(void **state)
{
        (void)state;
        enum { FAST = ITEM_FLAGS | ITEM_DATE | ITEM_SIZE };
        static const struct { const char *text; unsigned what; } cases[] = {
                {"ALL", FAST | ITEM_ENVELOPE}, {"fast", FAST}, {"FULL", FAST | ITEM_ENVELOPE | ITEM_BODY},
                {"UID", ITEM_UID}, {"(UID flags)", ITEM_UID | ITEM_FLAGS}, {"BODY", ITEM_BODY},
                {"(BODYSTRUCTURE INTERNALDATE)", ITEM_STRUCTURE | ITEM_DATE}, {"RFC822.SIZE", ITEM_SIZE},
                {"(BODY BODY[] ENVELOPE)", ITEM_BODY | ITEM_ENVELOPE}};
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct items items;
                if (!parsed(cases[i].text, &items) || items.what != cases[i].what)
                        fail_msg("%s: %u", cases[i].text, items.what);
        }
}

struct piece_case {
        const char *text, *label, *path;
        enum section what;
        size_t fields;
        bool sees;
};

static void pieces(void **state)
{
        (void)state;
        static const struct piece_case cases[] = {
                {"BODY[]", "BODY[]", "", SECTION_ALL, 0, true},
                {"body.peek[]", "BODY[]", "", SECTION_ALL, 0, false},
                {"BODY[TEXT]<5.10>", "BODY[TEXT]<5>", "", SECTION_TEXT, 0, true},
                {"BODY.PEEK[header]", "BODY[HEADER]", "", SECTION_HEADER, 0, false},
                {"BODY.PEEK[1.2.MIME]", "BODY[1.2.MIME]", "1.2", SECTION_MIME, 0, false},
                {"BODY.PEEK[12]", "BODY[12]", "12", SECTION_ALL, 0, false},
                {"BODY.PEEK[2.HEADER.FIELDS (Subject \"X-A\")]", "BODY[2.HEADER.FIELDS (Subject X-A)]", "2",
                        SECTION_HEADER, 2, false},
                {"BODY.PEEK[HEADER.FIELDS.NOT (a)]<0.9>", "BODY[HEADER.FIELDS.NOT (a)]<0>", "", SECTION_HEADER, 1, false},
                {"BODY[HEADER.FIELDS (\"a(b\")]", "BODY[HEADER.FIELDS (\"a(b\")]", "", SECTION_HEADER, 1, true},
                {"BINARY[1.2]", "BINARY[1.2]", "1.2", SECTION_ALL, 0, true},
                {"binary.peek[3]<7.1>", "BINARY[3]<7>", "3", SECTION_ALL, 0, false},
                {"BINARY.SIZE[1]", "BINARY.SIZE[1]", "1", SECTION_ALL, 0, false},
                {"BINARY.PEEK[]", "BINARY[]", "", SECTION_ALL, 0, false},
                {"RFC822", "RFC822", "", SECTION_ALL, 0, true},
                {"RFC822.HEADER", "RFC822.HEADER", "", SECTION_HEADER, 0, false},
                {"RFC822.TEXT", "RFC822.TEXT", "", SECTION_TEXT, 0, true}};
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                const struct piece_case *c = &cases[i];
                struct items items;
                if (!parsed(c->text, &items) || items.count != 1)
                        fail_msg("%s", c->text);
                const struct piece *piece = &items.pieces[0];
                if (!str_eq(piece->label, str_of(c->label)) || !str_eq(piece->path, str_of(c->path)))
                        fail_msg("%s: %.*s", c->text, STR_ARG(piece->label));
                assert_int_equal(piece->what, c->what);
                assert_int_equal(piece->field_count, c->fields);
                assert_int_equal(items.sees, c->sees);
        }
}

static void refused(void **state)
{
        (void)state;
        static const char *const cases[] = {"", "()", "(FLAGS", "NOSUCH", "FLAGS)", "(FLAGS  )", "BODY[", "BODY[NOSUCH]",
                "BODY[MIME]", "BODY[0]", "BODY[1.]", "BODY[1.0]", "BODY[.1]", "BODY[1MIME]", "BODY[1.MIMEX]", "BODY[]<5>",
                "BODY[]<5.0>", "BODY[]<.5>", "BODY[]<5.5", "BODY[HEADER.FIELDS]", "BODY[HEADER.FIELDS ()]",
                "BODY[HEADER.FIELDS (a:b)]", "BODY[HEADER.FIELDS (a]", "(ALL)", "BODYSTRUCTURE[]", "BODY.PEEK",
                "FLAGS UID", "RFC822[]", "BODY[4294967296]"};
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct items items;
                if (parsed(cases[i], &items))
                        fail_msg("%s was taken", cases[i]);
        }
}

static void bounds(void **state)
{
        (void)state;
        struct buf b = {0};
        struct items items;
        buf_add_text(&b, "(UID");
        for (int i = 0; i < PIECES_MAX; i++)
                buf_add_text(&b, " BODY[]");
        size_t fits = b.len;
        buf_add_char(&b, ')');
        assert_true(parsed(buf_text(&b), &items));
        b.len = fits;
        buf_add_text(&b, " BODY[])");
        assert_false(parsed(buf_text(&b), &items));
        buf_clear(&b);
        buf_add_text(&b, "BODY[1");
        for (int i = 0; i < MIME_DEPTH_MAX; i++)
                buf_add_text(&b, ".1");
        buf_add_char(&b, ']');
        assert_false(parsed(buf_text(&b), &items));
        buf_release(&b);
}

static void filtering(void **state)
{
        (void)state;
        static const char header[] = "From: a\r\nSubject: b\r\n c\r\nX-A: 1\r\nsubject: d\r\n\r\n";
        static const struct { const char *item, *want; } cases[] = {
                {"BODY[HEADER.FIELDS (subject)]", "Subject: b\r\n c\r\nsubject: d\r\n\r\n"},
                {"BODY[HEADER.FIELDS.NOT (Subject From)]", "X-A: 1\r\n\r\n"},
                {"BODY[HEADER.FIELDS (nosuch)]", "\r\n"}};
        struct buf b = {0};
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct items items;
                assert_true(parsed(cases[i].item, &items));
                buf_clear(&b);
                fields_filter(str_of(header), &items.pieces[0], &b);
                assert_string_equal(buf_text(&b), cases[i].want);
        }
        buf_release(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(plain), cmocka_unit_test(pieces),
                cmocka_unit_test(refused), cmocka_unit_test(bounds), cmocka_unit_test(filtering)};
        arena = arena_new();
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        arena_free(arena);
        return failed;
}
