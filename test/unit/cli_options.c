#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "cli/options.h"
#include "cli/values.h"

static const struct option rows[] = {
        {"name", "TEXT", "the name"},
        {"address", "ADDRESS", "may come again"},
        {"json", NULL, "for programs"},
        {NULL, NULL, NULL},
};
static const struct command commands[] = {
        {.name = "add",
                .arguments = "NAME [MODE]",
                .summary = "add one",
                .options = rows,
                .min = 1,
                .max = 2},
        {.name = NULL},
};
static const struct family family = {"thing", "things", "Group", commands};

#define WORDS_MAX 8
/* clang-format off */
static const struct {
        const char *name, *words[WORDS_MAX];
        enum parsed parsed;
        size_t count;
        const char *value, *reason; /* of --name; a part of the reason */
} cases[] = {
        { "one word",       { "a" },                             PARSED,     1, NULL, NULL },
        { "two words",      { "a", "b" },                        PARSED,     2, NULL, NULL },
        { "none",           { NULL },                            MISUSED,    0, NULL, "it needs NAME" },
        { "three",          { "a", "b", "c" },                   MISUSED,    3, NULL, "'c' is one word too many" },
        { "value",          { "--name", "x", "a" },              PARSED,     1, "x",  NULL },
        { "value with =",   { "a", "--name=x=y" },               PARSED,     1, "x=y", NULL },
        { "empty value",    { "a", "--name=" },                  PARSED,     1, "",   NULL },
        { "last counts",    { "a", "--name", "x", "--name=z" },  PARSED,     1, "z",  NULL },
        { "value is dash",  { "a", "--name", "--json" },         PARSED,     1, "--json", NULL },
        { "no value",       { "a", "--name" },                   MISUSED,    1, NULL, "--name needs a value" },
        { "switch's value", { "a", "--json=1" },                 MISUSED,    1, NULL, "--json takes no value" },
        { "unknown",        { "a", "--frob" },                   MISUSED,    1, NULL, "there is no option --frob" },
        { "near",           { "a", "--nmae", "x" },              MISUSED,    1, NULL, "was --name meant?" },
        { "short",          { "a", "-n" },                       MISUSED,    1, NULL, "there is no option -n" },
        { "help",           { "--help" },                        ASKED_HELP, 0, NULL, NULL },
        { "short help",     { "a", "-h", "--frob" },             ASKED_HELP, 1, NULL, NULL },
        { "end",            { "--", "--name", "-h" },            PARSED,     2, NULL, NULL },
        { "input",          { "-" },                             PARSED,     1, NULL, NULL },
};
/* clang-format on */

static void parsing(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct options o = {.family = &family, .command = commands};
                struct buf reason = {0};
                char *argv[WORDS_MAX + 1] = {NULL};
                int argc = 0;
                for (; argc < WORDS_MAX && cases[i].words[argc]; argc++)
                        argv[argc] = mem_text(cases[i].words[argc]);
                char *all[WORDS_MAX];
                memcpy(all, argv, sizeof all);
                enum parsed parsed = options_parse(&o, argc, argv, &reason);
                if (parsed != cases[i].parsed || o.word_count != cases[i].count)
                        fail_msg("%s: %d with %zu words: %s", cases[i].name, (int)parsed,
                                o.word_count, buf_text(&reason));
                if (cases[i].reason && !strstr(buf_text(&reason), cases[i].reason))
                        fail_msg("%s: %s", cases[i].name, buf_text(&reason));
                if (cases[i].value)
                        assert_string_equal(option_value(&o, "name"), cases[i].value);
                buf_release(&reason);
                for (int k = 0; k < argc; k++)
                        free(all[k]);
        }
}

static void repeated(void **state)
{
        (void)state;
        char a[] = "--address=1", b[] = "--address", c[] = "2", d[] = "x", e[] = "--json";
        char *argv[] = {a, d, b, c, e};
        struct options o = {.family = &family, .command = commands};
        struct buf reason = {0};
        size_t at = 0;
        assert_int_equal(options_parse(&o, 5, argv, &reason), PARSED);
        assert_string_equal(option_each(&o, "address", &at), "1");
        assert_string_equal(option_each(&o, "address", &at), "2");
        assert_null(option_each(&o, "address", &at));
        assert_true(option_on(&o, "json"));
        assert_false(option_on(&o, "name"));
        assert_null(option_value(&o, "name"));
        buf_release(&reason);
}

static void help(void **state)
{
        (void)state;
        struct buf text = {0};
        options_help(&family, commands, &text);
        assert_non_null(strstr(buf_text(&text), "Usage: baton thing add [options] NAME [MODE]\n"));
        assert_non_null(strstr(buf_text(&text), "  --name TEXT             the name\n"));
        struct command c = commands[0];
        c.more = "Example: baton thing add --name \"a name so long that the line has over eighty columns\" x\n\n"
                 "What is said here is said in lines that are as long as the source has them, for once\n"
                 "and filled.\n\n  kept | as it is\n";
        buf_clear(&text);
        options_help(&family, &c, &text);
        assert_non_null(strstr(buf_text(&text), " eighty columns\" x\n\nWhat is said here "));
        assert_non_null(strstr(buf_text(&text), " as long as the source has them,\nfor once and filled.\n\n"
                                                "  kept | as it is\n"));
        buf_clear(&text);
        family_help(&family, &text);
        assert_non_null(strstr(buf_text(&text), "  thing add               add one\n"));
        buf_release(&text);
}

/* clang-format off */
static const struct {
        const char *text;
        int minute; /* -1: refused */
} minutes[] = {
        { "07:30", 450 }, { "7:30", 450 }, { "7", 420 }, { "0:00", 0 }, { "24:00", 1440 }, { "23:59", 1439 },
        { "24:01", -1 }, { "7:3", -1 }, { "7:60", -1 }, { "", -1 }, { ":30", -1 }, { "007:30", -1 }, { "7:30pm", -1 },
        { "-1:00", -1 }, { "1:000", -1 },
};
static const struct {
        const char *text;
        unsigned days; /* 0: refused */
        const char *printed;
} days[] = {
        { "mon-fri", 0x3e, "mon-fri" }, { "sun-thu", 0x1f, "mon-thu,sun" }, { "mon,wed-thu", 0x1a, "mon,wed,thu" },
        { "all", 0x7f, "all" }, { "Sat-Mon", 0x43, "mon,sat,sun" }, { "monday", 0x02, "mon" }, { "fri - sun", 0x61, "fri-sun" },
        { "", 0, "" }, { "m", 0, "" }, { "foo", 0, "" }, { "mon-", 0, "" }, { "mon,,tue", 0, "" },
};
/* clang-format on */

static void times(void **state)
{
        (void)state;
        uint16_t from, to;
        for (size_t i = 0; i < COUNT_OF(minutes); i++) {
                uint16_t minute = 9999;
                enum status st = minute_read(str_of(minutes[i].text), &minute);
                if ((st == OK ? minute : -1) != minutes[i].minute)
                        fail_msg("%s: %d", minutes[i].text, minute);
        }
        assert_int_equal(hours_read(STR("09:00-17:30"), &from, &to), OK);
        assert_int_equal(from, 540);
        assert_int_equal(to, 1050);
        assert_int_equal(hours_read(STR("17:00-09:00"), &from, &to), INVALID);
        assert_int_equal(hours_read(STR("09:00"), &from, &to), INVALID);
}

static void weeks(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(days); i++) {
                uint8_t got = 0;
                struct buf text = {0};
                enum status st = days_read(str_of(days[i].text), &got);
                if (st != (days[i].days ? OK : INVALID) || (st == OK && got != days[i].days))
                        fail_msg("%s: %x", days[i].text, got);
                days_print(days[i].days, &text);
                assert_string_equal(buf_text(&text), days[i].printed);
                buf_release(&text);
        }
}

static void words(void **state)
{
        (void)state;
        for (enum mode m = MODE_EACH; m <= MODE_NONE; m++) {
                enum mode back;
                assert_int_equal(mode_read(str_of(mode_name(m)), &back), OK);
                assert_int_equal(back, m);
        }
        for (enum access a = ACCESS_MEMBERS; a <= ACCESS_OPEN; a++) {
                enum access back;
                assert_int_equal(access_read(str_of(access_name(a)), &back), OK);
                assert_int_equal(back, a);
        }
        enum mode m;
        assert_int_equal(mode_read(STR("often"), &m), INVALID);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(parsing),
                cmocka_unit_test(repeated),
                cmocka_unit_test(help),
                cmocka_unit_test(times),
                cmocka_unit_test(weeks),
                cmocka_unit_test(words),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
