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

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(words)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
