#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/buf.h"
#include "base/log.h"
#include <unistd.h>

static int ends[2];

static int open_pipe(void **state)
{
        (void)state;
        return pipe(ends);
}

static struct str next_line(struct buf *room)
{
        buf_clear(room);
        ssize_t n = read(ends[0], buf_reserve(room, 8192), 8192);
        assert_true(n > 0);
        room->len = (size_t)n;
        return buf_str(room);
}

/* "2026-11-24T07:30:00.000Z " stands before the word. */
static struct str without_stamp(struct str line)
{
        assert_true(line.len > 25);
        assert_int_equal(line.at[10], 'T');
        assert_int_equal(line.at[19], '.');
        assert_int_equal(line.at[23], 'Z');
        assert_int_equal(line.at[24], ' ');
        return str_from(line, 25);
}

static void no_client_forges_a_line(void **state)
{
        (void)state;
        static const struct {
                const char *name, *text, *want;
        } cases[] = {
                {"plain", "login ana", "warning: login ana\n"},
                {"line end", "ana\r\nerror: all is lost",
                        "warning: ana\\x0d\\x0aerror: all is lost\n"},
                {"terminal control", "\x1b[2J\x07", "warning: \\x1b[2J\\x07\n"},
                {"delete", "a\x7f", "warning: a\\x7f\n"},
                {"tab", "a\tb", "warning: a\\x09b\n"},
                {"utf-8", "caf\xc3\xa9", "warning: caf\xc3\xa9\n"},
                {"percent", "%s%n", "warning: %s%n\n"},
                {"empty", "", "warning: \n"},
        };
        struct buf room = {0};
        log_open(ends[1], LOG_WARNINGS);
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                log_warn("%s", cases[i].text);
                struct str got = without_stamp(next_line(&room));
                if (!str_eq(got, str_of(cases[i].want)))
                        fail_msg("%s: %.*s", cases[i].name, STR_ARG(got));
        }
        log_open(2, LOG_NOTES);
        buf_release(&room);
}

static void levels(void **state)
{
        (void)state;
        struct buf room = {0};
        log_open(ends[1], LOG_WARNINGS);
        log_note("not said");
        log_detail("not said");
        log_error("one");
        assert_true(str_eq(without_stamp(next_line(&room)), STR("error: one\n")));
        log_open(ends[1], LOG_DETAILS);
        log_detail("two");
        assert_true(str_eq(without_stamp(next_line(&room)), STR("detail: two\n")));
        log_note("three");
        assert_true(str_eq(without_stamp(next_line(&room)), STR("note: three\n")));
        log_open(2, LOG_NOTES);
        buf_release(&room);
}

static void a_long_line_is_one_line(void **state)
{
        (void)state;
        struct buf room = {0};
        log_open(ends[1], LOG_WARNINGS);
        log_warn("%04000d", 1);
        assert_int_equal(next_line(&room).len, 25 + 9 + 4000 + 1);
        log_open(2, LOG_NOTES);
        buf_release(&room);
}

static void every_status_has_a_name(void **state)
{
        (void)state;
        for (int i = 0; i < STATUS_COUNT; i++)
                assert_non_null(status_name((enum status)i));
        assert_string_equal(status_name(ABSENT), "ABSENT");
        assert_string_equal(status_name(BROKEN), "BROKEN");
        assert_string_equal(status_name(STATUS_COUNT), "?");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_client_forges_a_line),
                cmocka_unit_test(levels),
                cmocka_unit_test(a_long_line_is_one_line),
                cmocka_unit_test(every_status_has_a_name),
        };
        return cmocka_run_group_tests(tests, open_pipe, NULL);
}
