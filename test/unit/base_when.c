#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/when.h"

/* Sunday, 22 November 2026; what is wanted was read off a printed calendar. */
static int64_t sunday(void)
{
        return days_from_civil(2026, 11, 22);
}

static void reads(void **state)
{
        (void)state;
        static const struct {
                const char *text, *want; /* NULL: not read */
        } cases[] = { /* clang-format off */
                {"2026-12-01", "2026-12-01"}, {"2026-12-1", "2026-12-01"}, {"2026/12/1", "2026-12-01"},
                {"1.12.2026", "2026-12-01"}, {"26.11.2026", "2026-11-26"}, {"1.12.26", "2026-12-01"},
                {"1.12.", "2026-12-01"}, {"1.12", "2026-12-01"}, {"21.11.", "2027-11-21"},
                {"2020-02-29", "2020-02-29"}, {"2026-02-29", NULL}, {"2026-13-01", NULL},
                {"2026-00-10", NULL}, {"2026-11-31", NULL}, {"2026-11", NULL}, {"0000-01-01", NULL},
                {"1969-12-31", NULL}, {"9999-12-31", "9999-12-31"}, {"10000-01-01", NULL},
                {"11/12/2026", NULL}, {"11/26", NULL}, {"12-01", NULL}, {"1.12.026", NULL}, {"1..26", NULL},
                {"26 Nov", "2026-11-26"}, {"Nov 26", "2026-11-26"}, {"26 November 2026", "2026-11-26"},
                {"November 26, 2026", "2026-11-26"}, {"26th november", "2026-11-26"}, {"Nov. 26", "2026-11-26"},
                {"26. Nov", "2026-11-26"}, {"1st dec", "2026-12-01"}, {"22 Nov", "2026-11-22"},
                {"21 Nov", "2027-11-21"}, {"3 Sept", "2027-09-03"}, {"29 Feb", "2028-02-29"},
                {"30 Feb", NULL}, {"31 Nov", NULL}, {"0 Nov", NULL}, {"26 Nov 26", NULL}, {"26 Nov 0000", NULL},
                {"26 Nov 2025", "2025-11-26"}, {"Fri 27 Nov", "2026-11-27"}, {"Friday, November 27", "2026-11-27"},
                {"Fri, 27 Nov 2026", "2026-11-27"}, {"Fri 2026-11-27", "2026-11-27"}, {"Thu 27 Nov", NULL},
                {"today", "2026-11-22"}, {"Tomorrow", "2026-11-23"}, {"yesterday", "2026-11-21"},
                {"  today  ", "2026-11-22"}, {"today please", NULL},
                {"in 3 days", "2026-11-25"}, {"3 days", "2026-11-25"}, {"in 1 day", "2026-11-23"},
                {"in a day", "2026-11-23"}, {"in 2 weeks", "2026-12-06"}, {"in two weeks", "2026-12-06"},
                {"in a week", "2026-11-29"}, {"in 0 days", "2026-11-22"}, {"in a month", "2026-12-22"},
                {"in 3 months", "2027-02-22"}, {"in 14 months", "2028-01-22"}, {"in 3", NULL}, {"in days", NULL},
                {"in 3 years", NULL}, {"in 99999 days", NULL}, {"a week", NULL}, {"in -3 days", NULL},
                {"mon", "2026-11-23"}, {"fri", "2026-11-27"}, {"Friday", "2026-11-27"}, {"FRI.", "2026-11-27"},
                {"thurs", "2026-11-26"}, {"sun", "2026-11-29"}, {"this sun", "2026-11-22"},
                {"this fri", "2026-11-27"}, {"next fri", "2026-11-27"}, {"next sunday", "2026-11-29"},
                {"next fri 27 nov", NULL}, {"fr", NULL}, {"frisky", NULL}, {"next", NULL}, {"next week", NULL},
                {"none", "none"}, {"-", "none"}, {"None", "none"}, {"--", NULL}, {"none today", NULL},
                {"", NULL}, {"  ", NULL}, {"soon", NULL}, {"1", NULL}, {"Nov", NULL}, {"2026", NULL},
                {"a b c d e f g", NULL}, {"27 Nov 2026 at noon", NULL},
        }; /* clang-format on */
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf got = {0};
                int64_t day;
                if (when_parse(str_of(cases[i].text), sunday(), &day) == OK)
                        when_iso(day, &got);
                if (!str_eq(buf_str(&got), str_of(cases[i].want)))
                        fail_msg("\"%s\" gave \"%s\", not \"%s\"", cases[i].text, buf_text(&got),
                                cases[i].want ? cases[i].want : "");
                buf_release(&got);
        }
}

static void reads_a_weekday_from_every_day(void **state)
{
        (void)state;
        for (int64_t today = sunday(); today < sunday() + 7; today++) {
                int64_t day, next, this;
                assert_int_equal(when_parse(STR("wed"), today, &day), OK);
                assert_true(day > today && day <= today + 7);
                assert_int_equal(when_parse(STR("this wed"), today, &this), OK);
                assert_true(this >= today && this < today + 7);
                assert_int_equal((day - this) % 7, 0);
                assert_int_equal(when_parse(STR("next wed"), today, &next), OK);
                /* Of Monday's to Sunday's week, the next Wednesday is that of the week after. */
                assert_int_equal(next, days_from_civil(2026, 11, today == sunday() ? 25 : 25 + 7));
        }
}

static void months_end(void **state)
{
        (void)state;
        struct buf got = {0};
        int64_t day;
        assert_int_equal(when_parse(STR("in a month"), days_from_civil(2027, 1, 31), &day), OK);
        when_iso(day, &got);
        assert_string_equal(buf_text(&got), "2027-02-28");
        assert_int_equal(when_parse(STR("in 9999 months"), days_from_civil(9999, 1, 31), &day), INVALID);
        buf_release(&got);
}

static void says(void **state)
{
        (void)state;
        static const struct {
                int ahead;
                const char *said, *date;
        } cases[] = {
                {0, "today", "Sun 22 Nov"}, {1, "tomorrow", "Mon 23 Nov"}, {5, "Fri 27 Nov", "Fri 27 Nov"},
                {-1, "1 day late", "Sat 21 Nov"}, {-3, "3 days late", "Thu 19 Nov"},
                {40, "Fri 1 Jan 2027", "Fri 1 Jan 2027"}, {-400, "400 days late", "Sat 18 Oct 2025"},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf got = {0};
                when_say(sunday() + cases[i].ahead, sunday(), &got);
                assert_string_equal(buf_text(&got), cases[i].said);
                buf_clear(&got);
                when_date(sunday() + cases[i].ahead, sunday(), &got);
                assert_string_equal(buf_text(&got), cases[i].date);
                /* What is said is read as the same day, but for a past day of another year. */
                int64_t day;
                if (cases[i].ahead >= 0) {
                        assert_int_equal(when_parse(buf_str(&got), sunday(), &day), OK);
                        assert_int_equal(day, sunday() + cases[i].ahead);
                }
                buf_release(&got);
        }
        struct buf got = {0};
        when_say(WHEN_NONE, sunday(), &got);
        when_date(WHEN_NONE, sunday(), &got);
        assert_int_equal(got.len, 0);
}

static void day_of_the_zone(void **state)
{
        (void)state;
        const struct zone *lisbon, *auckland;
        assert_int_equal(zone_find(STR("Europe/Lisbon"), &lisbon), OK);
        assert_int_equal(zone_find(STR("Pacific/Auckland"), &auckland), OK);
        time_t noon = (time_t)sunday() * 86400 + 43200;
        assert_int_equal(when_today(lisbon, noon), sunday());
        assert_int_equal(when_today(auckland, noon), sunday() + 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads),
                cmocka_unit_test(reads_a_weekday_from_every_day),
                cmocka_unit_test(months_end),
                cmocka_unit_test(says),
                cmocka_unit_test(day_of_the_zone),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
