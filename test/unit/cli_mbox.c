#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/text.h"
#include "cli/mbox.h"
#include "team/submit.h"

static struct mbox *open_text(struct str text, size_t max)
{
        FILE *file = tmpfile();
        assert_non_null(file);
        fwrite(text.at, 1, text.len, file);
        rewind(file);
        return mbox_open(file, max);
}

#define MESSAGES_MAX 4
/* clang-format off */
static const struct {
        const char *name, *text;
        const char *messages[MESSAGES_MAX]; /* "!": TOO_BIG */
        enum status end;
} cases[] = {
        { "empty file",       "",                                               { NULL }, ABSENT },
        { "only blank",       "\n\n",                                           { NULL }, ABSENT },
        { "no mbox",          "Subject: x\n\ny\n",                              { NULL }, INVALID },
        { "one",              "From a@b Tue Nov 24 07:30:00 2020\nS: x\n\ny\n", { "S: x\n\ny\n" }, ABSENT },
        { "blank behind",     "From a@b Tue Nov 24 07:30:00 2020\nS: x\n\ny\n\n", { "S: x\n\ny\n" }, ABSENT },
        { "two blanks: one is the message's", "From a@b Tue Nov 24 07:30:00 2020\nS: x\n\ny\n\n\n", { "S: x\n\ny\n\n" }, ABSENT },
        { "no line end",      "From a@b Tue Nov 24 07:30:00 2020\nS: x\n\ny",   { "S: x\n\ny" }, ABSENT },
        { "two",              "From a@b Tue Nov 24 07:30:00 2020\nS: x\n\ny\n\nFrom c Wed Nov 25 07:30:00 2020\nS: z\n\n",
                              { "S: x\n\ny\n", "S: z\n" }, ABSENT },
        { "CRLF",             "From a@b Tue Nov 24 07:30:00 2020\r\nS: x\r\n\r\ny\r\n\r\nFrom c Wed Nov 25 07:30:00 2020\r\nS: z\r\n\r\n.\r\n",
                              { "S: x\r\n\r\ny\r\n", "S: z\r\n\r\n.\r\n" }, ABSENT },
        { "quoted",           "From a Tue Nov 24 07:30:00 2020\nS: x\n\n>From a\n>>From b\n> From c\n>Fro\n",
                              { "S: x\n\nFrom a\n>From b\n> From c\n>Fro\n" }, ABSENT },
        { "From without date", "From a Tue Nov 24 07:30:00 2020\nS: x\n\n\nFrom here on\n", { "S: x\n\n\nFrom here on\n" }, ABSENT },
        { "From without blank", "From a Tue Nov 24 07:30:00 2020\nS: x\n\ny\nFrom a Tue Nov 24 07:30:00 2020\n",
                              { "S: x\n\ny\nFrom a Tue Nov 24 07:30:00 2020\n" }, ABSENT },
        { "too big",          "From a Tue Nov 24 07:30:00 2020\nS: 0123456789012345678901234567890123456789012345678901234567890123456789\n\n"
                              "From a Tue Nov 24 07:30:00 2020\nS: x\n", { "!", "S: x\n" }, ABSENT },
        { "empty message",    "From a Tue Nov 24 07:30:00 2020\n\nFrom a Tue Nov 24 07:30:00 2020\nS: x\n", { "", "S: x\n" }, ABSENT },
};
/* clang-format on */

static void messages(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct mbox *m = open_text(str_of(cases[i].text), 64);
                struct buf message = {0};
                time_t date;
                for (size_t k = 0; k < MESSAGES_MAX && cases[i].messages[k]; k++) {
                        const char *want = cases[i].messages[k];
                        enum status st = mbox_next(m, &message, &date);
                        if (st != (want[0] == '!' ? TOO_BIG : OK))
                                fail_msg("%s: message %zu: %s", cases[i].name, k, status_name(st));
                        if (st == OK && !str_eq(buf_str(&message), str_of(want)))
                                fail_msg("%s: \"%s\", not \"%s\"", cases[i].name,
                                        buf_text(&message), want);
                }
                enum status end = mbox_next(m, &message, &date);
                if (end != cases[i].end)
                        fail_msg("%s ends with %s", cases[i].name, status_name(end));
                if (end == ABSENT)
                        assert_int_equal(mbox_position(m), strlen(cases[i].text));
                buf_release(&message);
                mbox_close(m);
        }
}

/* Lines longer than the reader's pieces, and separators across every boundary of them. */
static void long_lines(void **state)
{
        (void)state;
        for (size_t len = 65400; len < 65560; len += 7) {
                struct buf text = {0}, message = {0};
                time_t date;
                buf_add_text(&text, "From a Tue Nov 24 07:30:00 2020\nS: x\n\n");
                for (size_t i = 0; i < len; i++)
                        buf_add_char(&text, 'y');
                buf_add_text(&text, "\n\nFrom a Tue Nov 24 07:30:01 2020\nS: z\n\n>From\n");
                struct mbox *m = open_text(buf_str(&text), 1 << 20);
                assert_int_equal(mbox_next(m, &message, &date), OK);
                assert_int_equal(message.len, 6 + len + 1);
                assert_int_equal(mbox_next(m, &message, &date), OK);
                assert_int_equal(date % 60, 1);
                assert_true(str_eq(buf_str(&message), STR("S: z\n\n>From\n")));
                assert_int_equal(mbox_next(m, &message, &date), ABSENT);
                mbox_close(m);
                buf_release(&text);
                buf_release(&message);
        }
}

/* clang-format off */
static const struct {
        const char *line;
        time_t date; /* -1: no From line */
} dates[] = {
        { "From ana@example.org Tue Nov 24 07:30:00 2026",             1795505400 },
        { "From ana@example.org  Tue Nov  4 07:30:00 2026\r\n",        1793777400 },
        { "From MAILER-DAEMON Tue Nov 24 07:30 2026",                  1795505400 },
        { "From ana at example.org Tue Nov 24 07:30:00 2026",          1795505400 },
        { "From ana Tue Nov 24 08:30:00 +0100 2026",                   1795505400 },
        { "From ana Tue Nov 24 08:30:00 2026 +0100",                   1795505400 },
        { "From ana Tue Nov 24 07:30:00 WET 2026",                     1795505400 },
        { "From ana Thu Jan  1 00:00:00 1970",                         0 },
        { "From here on",                                              -1 },
        { "From ana Tue Nov 24 2026",                                  -1 },
        { "From ana Tue Nov 99 07:30:00 2026",                         -1 },
        { "From ana Tue Nov 24 25:30:00 2026",                         -1 },
        { "From ana Tue Nov 24 07:30:00 26",                           -1 },
        { "from ana Tue Nov 24 07:30:00 2026",                         -1 },
        { "From: Tue Nov 24 07:30:00 2026",                            -1 },
        { "",                                                          -1 },
};
/* clang-format on */

static void from_lines(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(dates); i++) {
                time_t date = -1;
                enum status st = mbox_from_line(str_of(dates[i].line), &date);
                if (st != (dates[i].date < 0 ? INVALID : OK) || (st == OK && date != dates[i].date))
                        fail_msg(
                                "\"%s\": %s %lld", dates[i].line, status_name(st), (long long)date);
        }
}

/* What is put comes back, once import has made the line ends CRLF. */
static void put_and_read(void **state)
{
        static const char *const texts[] = {
                "S: a\r\n\r\nFrom here\r\n>From there\r\n>>From\r\n>>From x\r\n\r\n\r\n",
                "From x\r\n",
                "S: b\r\n\r\nFrom ana Tue Nov 24 07:30:00 2026\r\n",
                "S: c\r\n\r\nlone\rhere\r\r\nFrom x\r\n\r\r\n",
                "S: d\r\n\r\n\r\n\r\n",
                "\r\n",
        };
        struct buf file = {0}, message = {0}, scratch = {0};
        time_t date;
        (void)state;
        for (size_t i = 0; i < COUNT_OF(texts); i++)
                mbox_put(str_of(texts[i]), i % 2 ? STR("an a@x.example") : STR_NONE,
                        1795505400 + (time_t)i, &file);
        struct mbox *m = open_text(buf_str(&file), 1 << 20);
        for (size_t i = 0; i < COUNT_OF(texts); i++) {
                assert_int_equal(mbox_next(m, &message, &date), OK);
                assert_int_equal(date, 1795505400 + (time_t)i);
                struct str got = lines_to_crlf(buf_str(&message), &scratch);
                if (!str_eq(got, str_of(texts[i])))
                        fail_msg("message %zu comes back as \"%.*s\"", i, STR_ARG(got));
        }
        assert_int_equal(mbox_next(m, &message, &date), ABSENT);
        mbox_close(m);
        buf_release(&file);
        buf_release(&message);
        buf_release(&scratch);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(messages),
                cmocka_unit_test(long_lines),
                cmocka_unit_test(from_lines),
                cmocka_unit_test(put_and_read),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
