#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "imap/keys.h"

static struct arena *arena;

static void show(const struct key *key, struct buf *out)
{
        static const char *const names[] = {"and", "or", "not", "all", "seq", "uid", "flag", "word", "none", "modseq", "before",
                "on", "since", "sentbefore", "senton", "sentsince", "larger", "smaller", "older", "younger", "subject", "header",
                "body", "text"};
        buf_add_text(out, names[key->kind]);
        if (key->set.len)
                buf_addf(out, ":%.*s", STR_ARG(key->set));
        if (key->flag)
                buf_addf(out, ":%u", key->flag);
        if (key->name.len)
                buf_addf(out, ":%.*s", STR_ARG(key->name));
        if (key->text.len)
                buf_addf(out, "=%.*s", STR_ARG(key->text));
        if (key->number)
                buf_addf(out, ":%lld", (long long)key->number);
        if (!key->first)
                return;
        buf_add_char(out, '(');
        for (const struct key *k = key->first; k; k = k->next) {
                show(k, out);
                buf_add_text(out, k->next ? " " : ")");
        }
}

static struct key *parsed(const char *text, enum charset *charset)
{
        struct parse p = parse_of(arena, str_of(text));
        return keys_parse(&p, charset);
}

static void trees(void **state)
{
        (void)state;
        static const struct { const char *text, *want; } cases[] = {
                {"ALL", "and(all)"}, {"1:* NOT DELETED", "and(seq:1:* not(flag:8))"},
                {"UNSEEN 2:4", "and(not(flag:1) seq:2:4)"}, {"OR SEEN FLAGGED", "and(or(flag:1 flag:4))"},
                {"OR (SEEN FLAGGED) (FROM chef SUBJECT BANANA)",
                        "and(or(and(flag:1 flag:4) and(subject=banana header:From=chef)))"},
                {"BODY x SUBJECT y SENTON 2-Jan-1970 SINCE 3-Jan-1970 DRAFT",
                        "and(flag:16 since:2 subject=y senton:1 body=x)"},
                {"NOT NOT ALL", "and(not(not(all)))"}, {"UID 5:7,9", "and(uid:5:7,9)"},
                {"KEYWORD $Kw UNKEYWORD b", "and(word:$Kw not(word:b))"}, {"NEW", "and(none)"}, {"OLD", "and(all)"},
                {"HEADER X-A \"\"", "and(header:X-A)"}, {"HEADER \"X-A\" {3}\r\nÄ1", "and(header:X-A=ä1)"},
                {"LARGER 5 SMALLER 7", "and(larger:5 smaller:7)"},
                {"LARGER 9223372036854775809", "and(larger:9223372036854775807)"},
                {"CHARSET utf-8 TEXT a", "and(text=a)"},
                {"CHARSET \"US-ASCII\" ALL", "and(all)"}, {"(1) ", "and(and(seq:1))"},
                {"MODSEQ 17", "and(modseq:17)"}, {"$ NOT $", "and(seq:$ not(seq:$))"},
                {"MODSEQ \"/flags/\\\\draft\" all 620", "and(modseq:620)"},
                {"OLDER 60 YOUNGER 70", "and(older:60 younger:70)"}};
        struct buf b = {0};
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                enum charset charset;
                struct key *key = parsed(cases[i].text, &charset);
                if (!key || charset == CHARSET_UNKNOWN)
                        fail_msg("%s was refused", cases[i].text);
                buf_clear(&b);
                show(key, &b);
                assert_string_equal(buf_text(&b), cases[i].want);
        }
        buf_release(&b);
}

static void refused(void **state)
{
        (void)state;
        static const char *const cases[] = {"", "NOSUCHKEY", "OR SEEN", "(SEEN", "SEEN)", "()", "ON 1-Foo-2020",
                "ON 32-Jan-2020", "NOT", "UID", "UID x", "LARGER x", "LARGER", "KEYWORD", "HEADER X", "FROM", "1,,2",
                "SEENX", "CHARSET UTF-8", "SUBJECT a b", "SEEN(FLAGGED)", "\"SEEN\"", "LARGER 18446744073709551616"};
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                enum charset charset;
                if (parsed(cases[i], &charset))
                        fail_msg("%s was taken", cases[i]);
        }
        enum charset charset;
        (void)parsed("CHARSET X-NOSUCH SUBJECT a", &charset);
        assert_int_equal(charset, CHARSET_UNKNOWN);
}

static void nesting(void **state)
{
        (void)state;
        struct buf b = {0};
        enum charset charset;
        for (int i = 0; i < KEYS_DEPTH_MAX - 1; i++)
                buf_add_text(&b, "NOT ");
        buf_add_text(&b, "ALL");
        assert_non_null(parsed(buf_text(&b), &charset));
        buf_clear(&b);
        for (int i = 0; i < 30000; i++)
                buf_add_char(&b, '(');
        assert_null(parsed(buf_text(&b), &charset));
        buf_clear(&b);
        for (int i = 0; i < 30000; i++)
                buf_add_text(&b, "OR ");
        assert_null(parsed(buf_text(&b), &charset));
        buf_clear(&b);
        for (int i = 0; i <= KEYS_MAX; i++)
                buf_add_text(&b, "ALL ");
        assert_null(parsed(buf_text(&b), &charset));
        buf_clear(&b);
        for (int i = 0; i <= DEAR_KEYS_MAX; i++)
                buf_add_text(&b, "BODY x ");
        assert_null(parsed(buf_text(&b), &charset));
        buf_release(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(trees), cmocka_unit_test(refused), cmocka_unit_test(nesting)};
        arena = arena_new();
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        arena_free(arena);
        return failed;
}
