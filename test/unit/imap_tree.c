#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "imap/tree.h"

enum { MOST = 200000 };
static struct threaded messages[MOST];
static char parents[MOST][THREAD_ID_SIZE];

static void hash_of(struct str name, char out[THREAD_ID_SIZE])
{
        memset(out, 0, THREAD_ID_SIZE);
        memcpy(out, name.at, name.len < THREAD_ID_SIZE ? name.len : THREAD_ID_SIZE);
}

/* "id date subject [reference ...]" lines; a subject that begins with "re-" is a reply of the rest. */
static size_t read_messages(struct arena *arena, const char *text)
{
        struct str rest = str_of(text), line, word;
        size_t count = 0;
        while (str_line(&rest, &line)) {
                struct threaded *m = &messages[count++];
                struct buf references = {0};
                uint32_t date = 0;
                *m = (struct threaded){.shown = (uint32_t)count};
                assert_true(str_word(&line, &word));
                hash_of(word, m->id);
                assert_true(str_word(&line, &word) && str_u32(word, &date) == OK);
                m->date = (time_t)date;
                assert_true(str_word(&line, &word));
                m->reply = str_starts(word, STR("re-"));
                if (!str_eq(word, STR("-")))
                        hash_of(m->reply ? str_from(word, 3) : word, m->subject);
                while (str_word(&line, &word)) {
                        char one[THREAD_ID_SIZE];
                        hash_of(word, one);
                        buf_add(&references, str_make(one, sizeof one));
                }
                m->references = arena_copy(arena, buf_str(&references));
                buf_release(&references);
        }
        return count;
}

static const struct {
        const char *name, *messages, *references, *subjects;
} cases[] = {
        {"none", "", "", ""},
        {"one", "a 1 s\n", "(1)", "(1)"},
        {"a chain is flat", "a 1 s\nb 2 re-s a\nc 3 re-s a b\n", "(1 2 3)", "(1 (2)(3))"},
        {"branches", "a 1 t\nb 2 re-t a\nc 3 re-t a b\nd 4 u\ne 5 re-t a\n", "(1 (2 3)(5))(4)",
                "(1 (2)(3)(5))(4)"},
        {"a dummy with one child goes", "b 2 s x\n", "(1)", "(1)"},
        {"a dummy with two children stays", "b 2 s x\nc 1 t x\n", "((2)(1))", "(2)(1)"},
        {"dummies below give their children up", "a 1 s\nb 2 re-s a x y\nc 3 re-s a x z\n",
                "(1 (2)(3))", "(1 (2)(3))"},
        {"nested dummies at the root", "b 2 s x y\nc 3 t x z\nd 4 u x z\n", "((1)(2)(3))",
                "(1)(2)(3)"},
        {"late parent", "b 2 re-s a\na 1 s\n", "(2 1)", "(2 1)"},
        {"loop of References", "a 1 s b\nb 2 s a\n", "(2 1)", "(1 2)"},
        {"itself", "a 1 s a\n", "(1)", "(1)"},
        {"the same id twice", "a 1 s\na 2 t\nb 3 re-s a\n", "(1 3)(2)", "(1 3)(2)"},
        {"own References break a guess", "c 3 - a b\nb 2 - x\na 1 -\n", "(3)(2 1)", "(3 (2)(1))"},
        {"a reply without References joins", "a 1 s\nb 2 re-s\n", "(1 2)", "(1 2)"},
        {"two of one subject get a dummy", "a 1 s\nb 2 s\n", "((1)(2))", "(1 2)"},
        {"two replies, too", "a 1 re-s\nb 2 re-s\n", "((1)(2))", "(1 2)"},
        {"three", "a 1 s\nb 2 s\nc 3 re-s\n", "((1)(2)(3))", "(1 (2)(3))"},
        {"the original is found behind its reply", "b 1 re-s\na 2 s\n", "(2 1)", "(1 2)"},
        {"no subject joins nothing", "a 1 -\nb 2 -\n", "(1)(2)", "(1 2)"},
        {"dummies of one subject join", "a 4 s x\nb 2 t x\nc 3 t y\nd 1 v y\n",
                "((4)(3))((2)(1))", "(4)(2 3)(1)"},
        {"dummies with the same first subject", "a 1 s x\nb 2 t x\nc 3 re-s y\nd 4 v y\n",
                "((1)(2)(3)(4))", "(1 3)(2)(4)"},
        {"a message joins a dummy", "a 1 s x\nb 2 t x\nc 3 re-s\n", "((1)(2)(3))", "(1 3)(2)"},
        {"roots by date", "a 3 s\nb 1 t\nc 2 u\n", "(2)(3)(1)", "(2)(3)(1)"},
        {"the same date: by number", "a 1 s\nb 1 t\n", "(1)(2)", "(1)(2)"},
};

static void trees(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct buf out = {0};
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                size_t count = read_messages(arena, cases[i].messages);
                buf_clear(&out);
                thread_references(messages, count, &out);
                if (strcmp(buf_text(&out), cases[i].references) != 0)
                        fail_msg("%s: %s", cases[i].name, buf_text(&out));
                buf_clear(&out);
                thread_subjects(messages, count, &out);
                if (strcmp(buf_text(&out), cases[i].subjects) != 0)
                        fail_msg("%s, by subject: %s", cases[i].name, buf_text(&out));
        }
        buf_release(&out);
        arena_free(arena);
}

/* A thread that is one long chain, and one that always branches: no recursion, no quadratic time. */
static void deep(void **state)
{
        (void)state;
        struct buf out = {0};
        for (unsigned shape = 0; shape < 2; shape++) {
                for (uint32_t i = 0; i < MOST; i++) {
                        uint32_t parent = shape && i % 2 == 0 && i > 1 ? i - 2 : i - 1;
                        memcpy(parents[i], &parent, sizeof parent);
                        messages[i] = (struct threaded){.shown = i + 1,
                                .date = (time_t)(MOST - i),
                                .subject = "s",
                                .references = str_make(parents[i], i ? THREAD_ID_SIZE : 0)};
                        memcpy(messages[i].id, &i, sizeof i);
                }
                buf_clear(&out);
                thread_references(messages, MOST, &out);
                assert_true(str_starts(buf_str(&out), shape ? STR("(1 (3 (") : STR("(1 2 3 4 ")));
                int open = 0;
                for (size_t i = 0; i < out.len; i++)
                        open += out.at[i] == '(' ? 1 : out.at[i] == ')' ? -1 : 0;
                assert_int_equal(open, 0);
        }
        buf_release(&out);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(trees), cmocka_unit_test(deep)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
