#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "team/named.h"

static const struct {
        const char *name, *text, *words;
} cases[] = {
        {"at the start", "@ana look", "ana"},
        {"in a sentence", "ask @bo, or @cem.", "bo cem"},
        {"in brackets", "(@bo) [@cem] <@dee>", "bo cem dee"},
        {"each once, in any case", "@Bo @bo @BO", "bo"},
        {"an address is none", "write to x@bo or ana@team.example", ""},
        {"an address behind '@'", "@ana@social.example", ""},
        {"dots and dashes within", "@ana.m @jean-luc-", "ana.m jean-luc"},
        {"a path", "npm/@types/node a/@b", ""},
        {"alone", "@ @@ @. meet @ noon", ""},
        {"at the end", "thanks @ana", "ana"},
        {"over lines", "@ana\n@bo\n", "ana bo"},
        {"next to other letters", "\xc3\xa9@ana", ""},
        {"behind a mark on a letter", "e\xcc\x81@ana \xd9\xa3@bo", ""},
        {"in quotation marks of other languages",
                "\u201e@ana\u201c \u00ab@bo\u00bb \uff08@cem \u2014@dee", "ana bo cem dee"},
        {"behind a blank that does not break", "Hi\u00a0@bo", "bo"},
        {"behind half a character", "\xa0@bo \xff@cem", "bo cem"},
        {"in code", "see `@ana` and ``x @cem``, @bo", "bo"},
        {"between fences", "@bo\n```\n@ana\n```\n", "bo"},
        {"behind a line of tildes", "~~~~~~~~\n@bo\n", "bo"},
        {"a decorator", "    `@cem.route`: @bo knows", "bo"},
        {"too long", "@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ""},
        {"more than asked for", "@a @b @c @d @e", "a b c d"},
};

static void words(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct arena *arena = arena_new();
                struct str found[4];
                struct buf text = {0};
                size_t count = named_words(str_of(cases[i].text), arena, found, COUNT_OF(found));
                for (size_t k = 0; k < count; k++)
                        buf_addf(&text, "%s%.*s", k ? " " : "", STR_ARG(found[k]));
                if (strcmp(buf_text(&text), cases[i].words) != 0)
                        fail_msg("%s: got \"%s\"", cases[i].name, buf_text(&text));
                buf_release(&text);
                arena_free(arena);
        }
}

/* What a glance says, which is never no where reading finds a name. */
static void glances(void **state)
{
        (void)state;
        static const struct {
                const char *name, *message;
                bool may, found;
        } seen[] = { /* clang-format off */
                {"a name", "From: a@x\r\n\r\nask @bo\r\n", true, true},
                {"nothing", "From: a@x\r\n\r\nask bo\r\n", false, false},
                {"an address", "From: a@x\r\n\r\nask bo@x.example\r\n", false, false},
                {"a patch", "From: a@x\r\n\r\n@@ -1,2 +1,2 @@\r\n-a\r\n+b @\r\n", false, false},
                {"a quoted name", "From: a@x\r\n\r\n> ask @bo\r\n", true, false},
                {"encoded", "Content-Transfer-Encoding: quoted-printable\r\n\r\nask =40bo\r\n", true, true},
                {"a letter encoded", "Content-Transfer-Encoding: quoted-printable\r\n\r\nask x=40bo\r\n", false, false},
                {"in base64", "Content-Transfer-Encoding: base64\r\n\r\nYXNrIEBibwo=\r\n", true, true},
                {"none in base64", "Content-Transfer-Encoding: base64\r\n\r\nYXNrIGJvCg==\r\n", false, false},
                {"in UTF-7", "Content-Type: text/plain; charset=utf-7\r\n\r\nask +AEA-bo\r\n", true, true},
                {"in HTML", "Content-Type: text/html\r\n\r\nask &#64;bo\r\n", true, true},
                {"in a file", "Content-Type: text/plain; name=x\r\n\r\nask @bo\r\n", true, true},
                {"in an attached file", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
                        "Content-Type: text/plain; name=x\r\n\r\nask @bo\r\n--b--\r\n", false, false},
                {"in HTML that is not shown", "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n"
                        "--b\r\nContent-Type: text/html\r\n\r\n@bo\r\n--b--\r\n", false, false},
                {"in code of HTML", "Content-Type: text/html\r\n\r\n<p>type <code>@bo</code></p>\r\n", true, false},
                {"in HTML that is shown", "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n \r\n"
                        "--b\r\nContent-Type: text/html\r\n\r\n@bo\r\n--b--\r\n", true, true},
        }; /* clang-format on */
        for (size_t i = 0; i < COUNT_OF(seen); i++) {
                struct arena *arena = arena_new();
                struct parsed_mail parsed;
                struct str name;
                parsed_make(arena, str_of(seen[i].message), &parsed);
                if (named_may_stand(&parsed) != seen[i].may)
                        fail_msg("%s: at a glance", seen[i].name);
                if (named_words(parsed_said(&parsed), arena, &name, 1) != seen[i].found)
                        fail_msg("%s: read", seen[i].name);
                arena_free(arena);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(words), cmocka_unit_test(glances)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
