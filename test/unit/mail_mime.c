#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "mail/mime.h"

static void expect(const char *name, struct str got, const char *want)
{
        if (!str_eq(got, str_of(want))) {
                print_error("%s: [%.*s], not [%s]\n", name, STR_ARG(got), want);
                fail();
        }
}

/* "multipart/mixed(text/plain[hello])" */
static void show(const struct part *p, struct buf *out)
{
        buf_addf(out, "%.*s/%.*s", STR_ARG(p->type), STR_ARG(p->subtype));
        if (!p->first) {
                buf_addf(out, "[%.*s]%u", STR_ARG(p->body), p->lines);
                return;
        }
        buf_add_char(out, '(');
        for (const struct part *c = p->first; c; c = c->next) {
                show(c, out);
                if (c->next)
                        buf_add_char(out, ' ');
        }
        buf_add_char(out, ')');
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

static void trees(void **state)
{
        (void)state;
        static const struct {
                const char *name, *message, *want;
        } cases[] = {
                {"plain", "A: b\r\n\r\nhello\r\n", "text/plain[hello\r\n]1"},
                {"nothing", "", "text/plain[]0"},
                {"header only", "A: b\r\n", "text/plain[]0"},
                {"no last line end", "A: b\r\n\r\nhello", "text/plain[hello]0"},
                {"two parts", MIXED "--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
                        "multipart/mixed(text/plain[one]0 text/plain[two]0)"},
                {"preamble and epilogue", MIXED "pre\r\n--b\r\n\r\none\r\n--b--\r\npost\r\n--b\r\nx",
                        "multipart/mixed(text/plain[one]0)"},
                {"padding behind the boundary", MIXED "--b \t\r\n\r\none\r\n--b-- \r\n",
                        "multipart/mixed(text/plain[one]0)"},
                {"longer line is no boundary", MIXED "--b\r\n\r\n--bb\r\n--b-\r\n--b\r\n\r\n\r\n--b--",
                        "multipart/mixed(text/plain[--bb\r\n--b-]1 text/plain[]0)"},
                {"no last boundary", MIXED "--b\r\n\r\none\r\n",
                        "multipart/mixed(text/plain[one\r\n]1)"},
                {"no boundary line", MIXED "one\r\ntwo\r\n",
                        "multipart/mixed(text/plain[one\r\ntwo\r\n]2)"},
                {"no boundary parameter", "Content-Type: multipart/mixed\r\n\r\none\r\n",
                        "multipart/mixed(text/plain[one\r\n]1)"},
                {"empty", MIXED "--b--\r\n", "multipart/mixed(text/plain[--b--\r\n]1)"},
                {"empty parts", MIXED "--b\r\n--b\r\n--b--\r\n",
                        "multipart/mixed(text/plain[]0 text/plain[]0)"},
                {"part without an empty line", MIXED "--b\r\nContent-Type: text/html\r\n--b--\r\n",
                        "multipart/mixed(text/html[]0)"},
                {"inner never closed",
                        MIXED "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\none\r\n"
                              "--b\r\n\r\ntwo\r\n--b--\r\n",
                        "multipart/mixed(multipart/mixed(text/plain[one]0) text/plain[two]0)"},
                {"inner of the same boundary",
                        MIXED "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n"
                              "--b--\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
                        "multipart/mixed(multipart/mixed(text/plain[one]0) text/plain[two]0)"},
                {"one boundary begins as the other",
                        MIXED "--b\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\n\r\none\r\n"
                              "--b1--\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
                        "multipart/mixed(multipart/mixed(text/plain[one]0) text/plain[two]0)"},
                {"message", "Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\none\r\n",
                        "message/rfc822(text/plain[one\r\n]1)"},
                {"message without anything", MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\n--b--\r\n",
                        "multipart/mixed(message/rfc822(text/plain[]0))"},
                {"digest",
                        "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nA: b\r\n\r\none\r\n"
                        "--b\r\nContent-Type: text/plain\r\n\r\ntwo\r\n--b--\r\n",
                        "multipart/digest(message/rfc822(text/plain[one]0) text/plain[two]0)"},
                {"bad type", "Content-Type: text\r\n\r\none", "text/plain[one]0"},
                {"second type counts when the first is bad",
                        "Content-Type: ;\r\nContent-Type: text/html\r\n\r\none", "text/html[one]0"},
                {"comment", "Content-Type: (a (b)) text/html (c); x=y\r\n\r\none", "text/html[one]0"},
                {"upper case", "CONTENT-TYPE: TEXT/HTML\r\n\r\none", "text/html[one]0"},
                {"8-bit type", "Content-Type: t\xe4xt/plain\r\n\r\none", "text/plain[one]0"},
                {"bare line feeds", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n",
                        "multipart/mixed(text/plain[one]0)"},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf got = {0};
                show(mime_parse(arena, str_of(cases[i].message)), &got);
                expect(cases[i].name, buf_str(&got), cases[i].want);
                buf_release(&got);
        }
        arena_free(arena);
}

static void show_params(const struct param *p, struct buf *out)
{
        for (; p; p = p->next)
                buf_addf(out, "%.*s=%.*s|", STR_ARG(p->name), STR_ARG(p->value));
}

static void params(void **state)
{
        (void)state;
        static const struct {
                const char *value, *want, *raw;
        } cases[] = {
                {"; charset=utf-8", "charset=utf-8|", "charset=utf-8|"},
                {"; Charset=\"UTF-8\" ; Format = flowed", "charset=UTF-8|format=flowed|",
                        "charset=UTF-8|format=flowed|"},
                {"; a=b c; d=e", "a=b|d=e|", "a=b|d=e|"},
                {"; name=my file.txt", "name=my file.txt|", "name=my file.txt|"},
                {"; name=\"a\\\"b\\\\c\"", "name=a\"b\\c|", "name=a\"b\\c|"},
                {"; name=\"C:\\dir\\x.doc\"", "name=C:\\dir\\x.doc|", "name=C:\\dir\\x.doc|"},
                {"; name=\"never closed; a=b", "name=never closed|a=b|", "name=never closed|a=b|"},
                {"; a=1 (comment; b=2); c=3", "a=1|c=3|", "a=1|c=3|"},
                {"; name==?utf-8?q?a=C3=B6?=", "name=aö|", "name==?utf-8?q?a=C3=B6?=|"},
                {"; name*=utf-8'de'a%C3%B6%20b", "name=aö b|", "name*=utf-8'de'a%C3%B6%20b|"},
                {"; name*=iso-8859-1''%F6", "name=ö|", "name*=iso-8859-1''%F6|"},
                {"; name*1*=%C3; name*0*=utf-8''a; name*2*=%B6; name*3=\"z%20\"", "name=aöz%20|",
                        "name*1*=%C3|name*0*=utf-8''a|name*2*=%B6|name*3=z%20|"},
                {"; name=old; name*=utf-8''new", "name=new|", "name=old|name*=utf-8''new|"},
                {"; name*0=a; name*2=c", "name=a|", "name*0=a|name*2=c|"},
                {"; name*=no-charset", "name=no-charset|", "name*=no-charset|"},
                {"; name*=utf-8''%0D%0Ax", "name=x|", "name*=utf-8''%0D%0Ax|"},
                {"; =x; y; ;; a=; b=\"\"", "a=|b=|", "a=|b=|"},
                {" charset=utf-8", "charset=utf-8|", "charset=utf-8|"},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf message = {0}, got = {0};
                buf_addf(&message, "Content-Type: text/plain%s\r\n\r\n", cases[i].value);
                struct part *p = mime_parse(arena, buf_str(&message));
                show_params(p->params, &got);
                expect(cases[i].value, buf_str(&got), cases[i].want);
                buf_clear(&got);
                show_params(p->raw_params, &got);
                expect(cases[i].value, buf_str(&got), cases[i].raw);
                buf_release(&message);
                buf_release(&got);
        }
        arena_free(arena);
}

static void fields(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        const struct part *p = mime_parse(arena,
                STR("Content-Type: application/pdf; name=x.pdf\r\n"
                    "Content-Transfer-Encoding: BASE64 (c)\r\nContent-ID: <1@x>\r\n"
                    "Content-Description: a\r\n b\r\nContent-Disposition: ATTACHMENT; filename=y.pdf\r\n"
                    "Content-Language: en, de\r\nContent-Location: http://x/\r\nContent-MD5: abc=\r\n\r\n"
                    "aGVs\r\nbG8=\r\n"));
        struct buf out = {0};
        expect("encoding", p->encoding, "base64");
        expect("id", p->id, "<1@x>");
        expect("description", p->description, "a b");
        expect("disposition", p->disposition, "attachment");
        expect("language", p->language, "en, de");
        expect("location", p->location, "http://x/");
        expect("md5", p->md5, "abc=");
        expect("filename", mime_filename(p), "y.pdf");
        assert_true(mime_is_attachment(p));
        mime_decode(p, &out);
        expect("decoded", buf_str(&out), "hello");
        buf_release(&out);
        p = mime_parse(arena, STR("Content-Transfer-Encoding: quoted-printable\r\n\r\na=\r\nb=3D\r\n"));
        mime_decode(p, &out);
        expect("quoted", buf_str(&out), "ab=\r\n");
        assert_false(mime_is_attachment(p));
        buf_release(&out);
        arena_free(arena);
}

/* RFC 3501 6.4.5's numbering, with a message inside a multipart inside a message. */
static const char nested[] =
        "Content-Type: multipart/mixed; boundary=o\r\n\r\n"
        "--o\r\n\r\none\r\n"
        "--o\r\nContent-Type: application/octet-stream\r\n\r\ntwo\r\n"
        "--o\r\nContent-Type: message/rfc822\r\n\r\n"
        "Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\n3one\r\n--i\r\n\r\n3two\r\n--i--\r\n"
        "\r\n--o\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n"
        "--m\r\nContent-Type: image/gif\r\n\r\n4one\r\n"
        "--m\r\nContent-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\n4two\r\n--m--\r\n"
        "--o--\r\n";

static void paths(void **state)
{
        (void)state;
        static const struct {
                const char *path, *body; /* NULL: no such part */
        } cases[] = {
                {"1", "one"}, {"2", "two"}, {"3.1", "3one"}, {"3.2", "3two"}, {"4.1", "4one"},
                {"4.2.1", "4two"}, {"4.2", "Subject: s\r\n\r\n4two"}, {"5", NULL}, {"0", NULL},
                {"1.1", NULL}, {"3.3", NULL}, {"4.2.2", NULL}, {"4.2.1.1", NULL}, {"1.", NULL},
                {".1", NULL}, {"1..1", NULL}, {"-1", NULL}, {"99999999999", NULL},
        };
        struct arena *arena = arena_new();
        const struct part *top = mime_parse(arena, str_of(nested));
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                const struct part *p = mime_find(top, str_of(cases[i].path));
                if ((p != NULL) != (cases[i].body != NULL))
                        fail_msg("%s", cases[i].path);
                if (p)
                        expect(cases[i].path, p->body, cases[i].body);
        }
        assert_ptr_equal(mime_find(top, STR("")), top);
        top = mime_parse(arena, STR("A: b\r\n\r\nx"));
        assert_ptr_equal(mime_find(top, STR("1")), top);
        assert_null(mime_find(top, STR("2")));
        assert_null(mime_find(top, STR("1.1")));
        arena_free(arena);
}

static unsigned depth_of(const struct part *p)
{
        unsigned depth = 0;
        for (; p->first; p = p->first)
                depth++;
        return depth;
}

static void nesting_is_bounded(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct buf deep = {0};
        for (unsigned i = 0; i < 20000; i++)
                buf_addf(&deep, "Content-Type: multipart/mixed; boundary=b%u\r\n\r\n--b%u\r\n", i, i);
        const struct part *top = mime_parse(arena, buf_str(&deep));
        assert_int_equal(depth_of(top), MIME_DEPTH_MAX);
        const struct part *p = top;
        while (p->first)
                p = p->first;
        expect("type", p->type, "application");
        assert_ptr_equal(p->body.at + p->body.len, deep.at + deep.len);
        buf_clear(&deep);
        for (unsigned i = 0; i < 20000; i++)
                buf_add_text(&deep, "Content-Type: message/rfc822\r\n\r\n");
        assert_int_equal(depth_of(mime_parse(arena, buf_str(&deep))), MIME_DEPTH_MAX);
        buf_release(&deep);
        arena_free(arena);
}

static void parts_are_bounded(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct buf many = {0};
        buf_add_text(&many, MIXED);
        for (unsigned i = 0; i < 100000; i++)
                buf_add_text(&many, "--b\r\n");
        const struct part *top = mime_parse(arena, buf_str(&many));
        unsigned count = 1;
        const struct part *last = NULL;
        for (const struct part *c = top->first; c; c = c->next, count++)
                last = c;
        assert_int_equal(count, MIME_PARTS_MAX);
        assert_ptr_equal(last->body.at + last->body.len, many.at + many.len);
        buf_release(&many);
        arena_free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(trees), cmocka_unit_test(params), cmocka_unit_test(fields),
                cmocka_unit_test(paths), cmocka_unit_test(nesting_is_bounded),
                cmocka_unit_test(parts_are_bounded),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
