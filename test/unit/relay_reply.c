#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "mail/enhanced.h"
#include "relay/reply.h"
#include "relay/schedule.h"
#include <string.h>

/* Lines are separated by '|' here. */
static const struct {
        const char *name, *lines;
        enum status status;
        unsigned code;
        const char *text, *enhanced;
} cases[] = {
        {"plain", "250 Ok", OK, 250, "250 Ok", "2.0.0"},
        {"bare code", "250", OK, 250, "250", "2.0.0"},
        {"empty text", "354 ", OK, 354, "354", "5.0.0"},
        {"several lines", "250-a|250-b|250 c", OK, 250, "250 a b c", "2.0.0"},
        {"enhanced", "550 5.1.1 No such person", OK, 550, "550 5.1.1 No such person", "5.1.1"},
        {"enhanced twice", "451-4.7.1 Wait|451 4.7.1 please", OK, 451,
                "451 4.7.1 Wait 4.7.1 please", "4.7.1"},
        {"enhanced of another class", "550 4.1.1 odd", OK, 550, "550 4.1.1 odd", "5.0.0"},
        {"no enhanced one", "450 5.1 x", OK, 450, "450 5.1 x", "4.0.0"},
        {"control characters", "550 a\033[2Jb", OK, 550, "550 a?[2Jb", "5.0.0"},
        {"more follows", "250-a|250-b", BUSY, 250, NULL, NULL},
        {"codes differ", "250-a|251 b", INVALID, 0, NULL, NULL},
        {"not a number", "abc", INVALID, 0, NULL, NULL},
        {"too short", "25", INVALID, 0, NULL, NULL},
        {"empty", "", INVALID, 0, NULL, NULL},
        {"out of range", "150 x", INVALID, 0, NULL, NULL},
        {"four digits", "2500", INVALID, 0, NULL, NULL},
};

static enum status feed(struct reply *r, const char *lines)
{
        struct str rest = str_of(lines), line;
        enum status st = BUSY;
        if (!*lines)
                return reply_add(r, STR(""));
        while (st == BUSY && str_cut(&rest, '|', &line))
                st = reply_add(r, line);
        return st;
}

static void replies(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct reply r = {0};
                struct buf status = {0};
                reply_begin(&r);
                print_message("%s\n", cases[i].name);
                assert_int_equal(feed(&r, cases[i].lines), cases[i].status);
                if (cases[i].status == OK) {
                        assert_int_equal(r.code, cases[i].code);
                        assert_string_equal(buf_text(&r.text), cases[i].text);
                        (void)enhanced_status(buf_str(&r.text), &status);
                        assert_string_equal(buf_text(&status), cases[i].enhanced);
                }
                reply_release(&r);
                buf_release(&status);
        }
}

/* What never ends is refused, and what is long is cut. */
static void bounds(void **state)
{
        (void)state;
        struct reply r = {0};
        char line[600] = "250-";
        enum status st = BUSY;
        memset(line + 4, 'x', sizeof line - 5);
        for (unsigned i = 0; st == BUSY && i < 1000; i++)
                st = reply_add(&r, str_of(line));
        assert_int_equal(st, INVALID);
        assert_true(r.text.len <= REPLY_TEXT_MOST + 4);
        reply_release(&r);
}

static void verdicts(void **state)
{
        (void)state;
        assert_int_equal(reply_verdict(&(struct reply){.code = 251}), TAKEN);
        assert_int_equal(reply_verdict(&(struct reply){.code = 354}), LATER);
        assert_int_equal(reply_verdict(&(struct reply){.code = 421}), LATER);
        assert_int_equal(reply_verdict(&(struct reply){.code = 554}), NEVER);
}

static void waits(void **state)
{
        (void)state;
        struct schedule s = {300, 14400};
        assert_int_equal(schedule_wait(&s, 1, 75), 300);
        assert_int_equal(schedule_wait(&s, 2, 0), 450);
        assert_int_equal(schedule_wait(&s, 2, 300), 750);
        for (uint32_t i = 0; i < 2000; i += 7) {
                unsigned wait = schedule_wait(&s, 100, i * 2654435761u);
                assert_true(wait >= 10800 && wait <= 18000);
        }
        assert_int_equal(schedule_wait(&(struct schedule){1, 1}, 9, 12345), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(replies),
                cmocka_unit_test(bounds),
                cmocka_unit_test(verdicts),
                cmocka_unit_test(waits),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
