#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "mail/derive.h"

static void expect(const char *name, struct str got, const char *want)
{
        if (!str_eq(got, str_of(want))) {
                print_error("%s:\n  %.*s\nnot\n  %s\n", name, STR_ARG(got), want);
                fail();
        }
}

#define ANA "((\"Ana M\" NIL \"ana\" \"team.example\"))"

static void envelopes(void **state)
{
        (void)state;
        static const struct {
                const char *name, *header, *want;
        } cases[] = {
                {"all",
                        "Date: Tue, 24 Nov 2026 07:30:00 +0000\r\nSubject: Re: hello\r\n"
                        "From: Ana M <ana@team.example>\r\nSender: s@x\r\nReply-To: r@x\r\n"
                        "To: bo@y, Cy <c@z>\r\nCc: d@x\r\nBcc: e@x\r\nIn-Reply-To: <1@x>\r\n"
                        "Message-ID: <2@x>\r\n",
                        "(\"Tue, 24 Nov 2026 07:30:00 +0000\" \"Re: hello\" " ANA
                        " ((NIL NIL \"s\" \"x\")) ((NIL NIL \"r\" \"x\"))"
                        " ((NIL NIL \"bo\" \"y\")(\"Cy\" NIL \"c\" \"z\")) ((NIL NIL \"d\" \"x\"))"
                        " ((NIL NIL \"e\" \"x\")) \"<1@x>\" \"<2@x>\")"},
                {"nothing", "", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"},
                {"sender and reply-to are from", "From: Ana M <ana@team.example>\r\nSender: \r\n",
                        "(NIL NIL " ANA " " ANA " " ANA " NIL NIL NIL NIL NIL)"},
                {"empty subject", "Subject:\r\n", "(NIL \"\" NIL NIL NIL NIL NIL NIL NIL NIL)"},
                {"quotes", "Subject: a \"b\" \\c\r\n",
                        "(NIL \"a \\\"b\\\" \\\\c\" NIL NIL NIL NIL NIL NIL NIL NIL)"},
                {"8-bit is a literal", "Subject: J\xf6rg\r\n",
                        "(NIL {4}\r\nJ\xf6rg NIL NIL NIL NIL NIL NIL NIL NIL)"},
                {"encoded words stay", "Subject: =?utf-8?q?J=C3=B6rg?=\r\n",
                        "(NIL \"=?utf-8?q?J=C3=B6rg?=\" NIL NIL NIL NIL NIL NIL NIL NIL)"},
                {"folded", "Subject: a\r\n\tb\r\n", "(NIL \"a b\" NIL NIL NIL NIL NIL NIL NIL NIL)"},
                {"group", "To: Team: ana@x;, none:;\r\n",
                        "(NIL NIL NIL NIL NIL ((NIL NIL \"Team\" NIL)(NIL NIL \"ana\" \"x\")"
                        "(NIL NIL NIL NIL)(NIL NIL \"none\" NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL)"},
                {"no host", "To: root\r\n",
                        "(NIL NIL NIL NIL NIL ((NIL NIL \"root\" \"\")) NIL NIL NIL NIL)"},
                {"several To", "To: a@x\r\nTo: b@x\r\n",
                        "(NIL NIL NIL NIL NIL ((NIL NIL \"a\" \"x\")(NIL NIL \"b\" \"x\")) NIL NIL NIL NIL)"},
                {"broken addresses", "To: \"x <a@b>, , ,;\r\n",
                        "(NIL NIL NIL NIL NIL ((\"x\" NIL \"a\" \"b\")) NIL NIL NIL NIL)"},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf message = {0};
                struct derived d;
                buf_addf(&message, "%s\r\nbody\r\n", cases[i].header);
                derive(arena, buf_str(&message), &d);
                expect(cases[i].name, d.envelope, cases[i].want);
                buf_release(&message);
        }
        arena_free(arena);
}

#define NO_ENVELOPE "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"
#define ASCII "(\"charset\" \"us-ascii\")"

static void structures(void **state)
{
        (void)state;
        static const struct {
                const char *name, *message, *structure, *body;
        } cases[] = {
                {"no fields", "\r\none\r\n",
                        "(\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 5 1 NIL NIL NIL NIL)",
                        "(\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 5 1)"},
                {"empty", "",
                        "(\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL)",
                        "(\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 0 0)"},
                {"everything",
                        "Content-Type: image/gif; name=\"a \\\"b\\\"\"; x*=utf-8''%C3%B6\r\n"
                        "Content-Transfer-Encoding: Base64\r\nContent-ID: <1@x>\r\n"
                        "Content-Description: d\r\nContent-MD5: m\r\nContent-Language: en, de\r\n"
                        "Content-Location: l\r\nContent-Disposition: inline; filename=f\r\n\r\nYQ==",
                        "(\"image\" \"gif\" (\"name\" \"a \\\"b\\\"\" \"x*\" \"utf-8''%C3%B6\") \"<1@x>\" \"d\""
                        " \"base64\" 4 \"m\" (\"inline\" (\"filename\" \"f\")) (\"en\" \"de\") \"l\")",
                        "(\"image\" \"gif\" (\"name\" \"a \\\"b\\\"\" \"x*\" \"utf-8''%C3%B6\") \"<1@x>\" \"d\""
                        " \"base64\" 4)"},
                {"disposition alone", "Content-Type: a/b\r\nContent-Disposition: attachment\r\n"
                        "Content-Language: en\r\n\r\n",
                        "(\"a\" \"b\" NIL NIL NIL \"7bit\" 0 NIL (\"attachment\" NIL) \"en\" NIL)",
                        "(\"a\" \"b\" NIL NIL NIL \"7bit\" 0)"},
                {"8-bit parameter", "Content-Type: a/b; name=\"\xf6\"\r\n\r\n",
                        "(\"a\" \"b\" (\"name\" {1}\r\n\xf6) NIL NIL \"7bit\" 0 NIL NIL NIL NIL)",
                        "(\"a\" \"b\" (\"name\" {1}\r\n\xf6) NIL NIL \"7bit\" 0)"},
                {"multipart",
                        "Content-Type: multipart/alternative; boundary=b\r\nContent-Language: en\r\n\r\n"
                        "--b\r\n\r\none\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>\r\n--b--\r\n",
                        "((\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 5 1 NIL NIL NIL NIL)"
                        "(\"text\" \"html\" NIL NIL NIL \"7bit\" 3 0 NIL NIL NIL NIL)"
                        " \"alternative\" (\"boundary\" \"b\") NIL \"en\" NIL)",
                        "((\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 5 1)"
                        "(\"text\" \"html\" NIL NIL NIL \"7bit\" 3 0) \"alternative\")"},
                {"empty multipart", "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
                        "((\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL)"
                        " \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)",
                        "((\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 0 0) \"mixed\")"},
                {"message", "Content-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\none\r\n",
                        "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 19"
                        " (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL)"
                        " (\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 5 1 NIL NIL NIL NIL)"
                        " 3 NIL NIL NIL NIL)",
                        "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 19"
                        " (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL)"
                        " (\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 5 1) 3)"},
                {"message without octets", "Content-Type: message/rfc822\r\n\r\n",
                        "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 0 " NO_ENVELOPE
                        " (\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL)"
                        " 0 NIL NIL NIL NIL)",
                        "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 0 " NO_ENVELOPE
                        " (\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 0 0) 0)"},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct derived d;
                derive(arena, str_of(cases[i].message), &d);
                expect(cases[i].name, d.structure, cases[i].structure);
                expect(cases[i].name, d.body, cases[i].body);
        }
        arena_free(arena);
}

/* As in RFC 9051 6.4.5.1: 3 is a message with a multipart, 4.2 one inside a multipart whose own
 * body is plain. */
static const char nested[] =
        "Subject: top\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"
        "--o\r\nContent-Transfer-Encoding: base64\r\n\r\none\r\n"
        "--o\r\nContent-Type: application/octet-stream\r\n\r\ntwo\r\n"
        "--o\r\nContent-Type: message/rfc822\r\n\r\n"
        "Subject: three\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"
        "--i\r\nX: 31\r\n\r\n3one\r\n--i\r\n\r\n3two\r\n--i--\r\n"
        "\r\n--o\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n"
        "--m\r\nContent-Type: image/gif\r\n\r\n4one\r\n"
        "--m\r\nContent-Type: message/rfc822\r\n\r\nSubject: four\r\n\r\n4two\r\n--m--\r\n"
        "--o--\r\n";

static void sections(void **state)
{
        (void)state;
        static const struct {
                const char *path;
                enum section section;
                const char *want; /* NULL: ABSENT */
        } cases[] = {
                {"", SECTION_ALL, nested},
                {"", SECTION_HEADER, "Subject: top\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"},
                {"", SECTION_MIME, NULL},
                {"1", SECTION_ALL, "one"},
                {"1", SECTION_MIME, "Content-Transfer-Encoding: base64\r\n\r\n"},
                {"1", SECTION_HEADER, NULL},
                {"1", SECTION_TEXT, NULL},
                {"1.1", SECTION_ALL, NULL},
                {"2", SECTION_MIME, "Content-Type: application/octet-stream\r\n\r\n"},
                {"3", SECTION_MIME, "Content-Type: message/rfc822\r\n\r\n"},
                {"3", SECTION_HEADER,
                        "Subject: three\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"},
                {"3", SECTION_TEXT, "--i\r\nX: 31\r\n\r\n3one\r\n--i\r\n\r\n3two\r\n--i--\r\n"},
                {"3.1", SECTION_ALL, "3one"},
                {"3.1", SECTION_MIME, "X: 31\r\n\r\n"},
                {"3.2", SECTION_ALL, "3two"},
                {"3.2", SECTION_MIME, "\r\n"},
                {"3.3", SECTION_ALL, NULL},
                {"4.1", SECTION_MIME, "Content-Type: image/gif\r\n\r\n"},
                {"4.2", SECTION_ALL, "Subject: four\r\n\r\n4two"},
                {"4.2", SECTION_HEADER, "Subject: four\r\n\r\n"},
                {"4.2", SECTION_TEXT, "4two"},
                {"4.2.1", SECTION_ALL, "4two"},
                {"4.2.1", SECTION_MIME, "Subject: four\r\n\r\n"},
                {"4.2.1", SECTION_HEADER, NULL},
                {"4.2.1.1", SECTION_ALL, NULL},
                {"4", SECTION_HEADER, NULL},
                {"5", SECTION_ALL, NULL},
                {"0", SECTION_ALL, NULL},
                {"1.", SECTION_ALL, NULL},
                {"x", SECTION_ALL, NULL},
        };
        struct arena *arena = arena_new();
        struct derived d;
        struct str encoding;
        derive(arena, str_of(nested), &d);
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct range r;
                enum status st = parts_find(d.parts, str_of(cases[i].path), cases[i].section, &r, NULL);
                if ((st == OK) != (cases[i].want != NULL))
                        fail_msg("%s: %s", cases[i].path, status_name(st));
                if (st == OK)
                        expect(cases[i].path, str_sub(str_of(nested), r.start, r.len), cases[i].want);
        }
        struct range r;
        assert_int_equal(parts_find(d.parts, STR("1"), SECTION_ALL, &r, &encoding), OK);
        expect("encoding", encoding, "base64");
        assert_int_equal(parts_find(d.parts, STR("2"), SECTION_ALL, &r, &encoding), OK);
        expect("encoding", encoding, "7bit");
        arena_free(arena);
}

static void a_plain_message_has_part_1(void **state)
{
        (void)state;
        static const char message[] = "Subject: s\r\n\r\nbody\r\n";
        struct arena *arena = arena_new();
        struct derived d;
        struct range r;
        derive(arena, str_of(message), &d);
        assert_int_equal(parts_find(d.parts, STR("1"), SECTION_ALL, &r, NULL), OK);
        expect("1", str_sub(str_of(message), r.start, r.len), "body\r\n");
        assert_int_equal(parts_find(d.parts, STR("1"), SECTION_MIME, &r, NULL), OK);
        expect("1.MIME", str_sub(str_of(message), r.start, r.len), "Subject: s\r\n\r\n");
        assert_int_equal(parts_find(d.parts, STR("1"), SECTION_TEXT, &r, NULL), ABSENT);
        assert_int_equal(parts_find(d.parts, STR("2"), SECTION_ALL, &r, NULL), ABSENT);
        arena_free(arena);
}

static void damaged_indexes_are_absent(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct derived d;
        struct range r;
        derive(arena, str_of(nested), &d);
        for (size_t n = 0; n < d.parts.len; n++) {
                char *cut = mem_copy(d.parts.at, n);
                (void)!parts_find(str_make(cut, n), STR("4.2.1"), SECTION_ALL, &r, NULL);
                free(cut);
        }
        assert_int_equal(parts_find(STR(""), STR(""), SECTION_ALL, &r, NULL), ABSENT);
        assert_int_equal(parts_find(STR("\7abc"), STR("1"), SECTION_ALL, &r, NULL), ABSENT);
        arena_free(arena);
}

static void references(void **state)
{
        (void)state;
        static const struct {
                const char *header, *want;
        } cases[] = {
                {"References: <a@x> <b@x>\r\n", "<a@x><b@x>"},
                {"References: <a@x>\r\nIn-Reply-To: <c@x>\r\n", "<a@x>"},
                {"References:\r\nIn-Reply-To: mail of <c@x> <d@x>\r\n", "<c@x>"},
                {"In-Reply-To: <c@x>\r\n", "<c@x>"},
                {"In-Reply-To: yours\r\n", ""},
                {"References: <a@x> <b@x> <a@x>\r\n", "<b@x><a@x>"},
                {"Message-ID: <m@x>\r\nReferences: <a@x> <m@x>\r\n", "<a@x>"},
                {"Message-ID: <m@x>\r\nIn-Reply-To: <m@x>\r\n", ""},
                {"", ""},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf message = {0}, got = {0};
                struct derived d;
                buf_addf(&message, "%s\r\nbody\r\n", cases[i].header);
                derive(arena, buf_str(&message), &d);
                for (size_t j = 0; j < d.reference_count; j++)
                        buf_add(&got, d.references[j]);
                expect(cases[i].header, buf_str(&got), cases[i].want);
                buf_release(&message);
                buf_release(&got);
        }
        arena_free(arena);
}

static void long_references_keep_the_ends(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct buf message = {0};
        struct derived d;
        buf_add_text(&message, "References:");
        for (unsigned i = 0; i < 600; i++)
                buf_addf(&message, " <%u@x>\r\n", i);
        buf_add_text(&message, "\r\n");
        derive(arena, buf_str(&message), &d);
        assert_int_equal(d.reference_count, 50);
        expect("root", d.references[0], "<0@x>");
        expect("next", d.references[1], "<551@x>");
        expect("parent", d.references[49], "<599@x>");
        assert_true(d.overview.len <= 8192);
        assert_true(str_ends(d.overview, STR(" <599@x>")));
        buf_release(&message);
        arena_free(arena);
}

static void scalars(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct derived d;
        derive(arena,
                STR("From: =?utf-8?q?J=C3=B6rg?= <J@Team.Example>\r\n"
                    "Subject: Re: [eng]\r\n =?utf-8?q?=C3=9Cber?=  x\r\nDate: Tue, 24 Nov 2026 07:30:00 +0000\r\n"
                    "Message-Id: <1@x>\r\nReferences: <0@x>\r\n\t<9@x>\r\n\r\n.dot\r\nline\r\nend"),
                &d);
        expect("id", d.message_id, "<1@x>");
        expect("name", d.from_name, "Jörg");
        expect("from", d.from, "J@team.example");
        expect("subject", d.subject, "Re: [eng] Über x");
        expect("base", d.base_subject, "über x");
        expect("overview", d.overview,
                "Re: [eng] =?utf-8?q?=C3=9Cber?=  x\t=?utf-8?q?J=C3=B6rg?= <J@Team.Example>\t"
                "Tue, 24 Nov 2026 07:30:00 +0000\t<1@x>\t<0@x> <9@x>");
        assert_int_equal(d.date, 1795505400);
        assert_int_equal(d.lines, 3);
        assert_true(d.dots);
        assert_false(d.attachment);
        assert_false(d.automatic);
        derive(arena, STR("From: root\r\nDate: nonsense\r\n\r\nx\r\n"), &d);
        expect("name", d.from_name, "root");
        expect("from", d.from, "");
        expect("id", d.message_id, "");
        expect("overview", d.overview, "\troot\tnonsense\t\t");
        assert_int_equal(d.date, 0);
        assert_int_equal(d.lines, 1);
        assert_int_equal(d.header_size, 30);
        assert_false(d.dots);
        derive(arena, STR(".: x\r\n\r\n"), &d);
        assert_true(d.dots);
        arena_free(arena);
}

static void automatic_mail(void **state)
{
        (void)state;
        static const struct {
                const char *header;
                bool want;
        } cases[] = {
                {"Auto-Submitted: auto-replied; x=y\r\n", true},
                {"Auto-Submitted: no\r\n", false},
                {"Auto-Submitted: NO ; owner=x\r\n", false},
                {"Auto-Submitted:\r\n", true},
                {"Precedence: bulk\r\n", true},
                {"Precedence: List\r\n", true},
                {"Precedence: first-class\r\n", false},
                {"List-Id: <x>\r\n", true},
                {"X-Auto-Response-Suppress: All\r\n", true},
                {"Return-Path: <>\r\n", true},
                {"Return-Path: <ana@x>\r\n", false},
                {"", false},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf message = {0};
                struct derived d;
                buf_addf(&message, "%s\r\nbody\r\n", cases[i].header);
                derive(arena, buf_str(&message), &d);
                if (d.automatic != cases[i].want)
                        fail_msg("%s", cases[i].header);
                buf_release(&message);
        }
        arena_free(arena);
}

static void attachments(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct derived d;
        derive(arena, str_of(nested), &d);
        assert_false(d.attachment);
        derive(arena,
                STR("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n"
                    "Content-Type: message/rfc822\r\n\r\nContent-Type: a/b; name=c\r\n\r\n--b--\r\n"), &d);
        assert_true(d.attachment);
        arena_free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(envelopes),
                cmocka_unit_test(structures),
                cmocka_unit_test(sections),
                cmocka_unit_test(a_plain_message_has_part_1),
                cmocka_unit_test(damaged_indexes_are_absent),
                cmocka_unit_test(references),
                cmocka_unit_test(long_references_keep_the_ends),
                cmocka_unit_test(scalars),
                cmocka_unit_test(automatic_mail),
                cmocka_unit_test(attachments),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
