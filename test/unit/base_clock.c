#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/zone.h"
#include <pthread.h>

/* What is wanted was computed with Python's zoneinfo from tzdata 2025b; apart from the two in
 * 2090 and 2099, which show that the file's footer is followed, all of it is past or law for
 * decades. */

static const struct zone *zone(const char *name)
{
        const struct zone *z = NULL;
        if (zone_find(str_of(name), &z) != OK)
                fail_msg("no zone %s", name);
        return z;
}

static void clocks_to_instants(void **state)
{
        (void)state;
        static const struct {
                const char *name, *zone;
                int year, month, day, hour, minute;
                int64_t want;
        } cases[] = {
                {"an ordinary morning", "Europe/Lisbon", 2026, 11, 24, 7, 30, 1795505400},
                {"and in summer", "Europe/Lisbon", 2026, 7, 1, 7, 30, 1782887400},
                {"before the gap", "Europe/Lisbon", 2026, 3, 29, 0, 59, 1774745940},
                {"in the gap", "Europe/Lisbon", 2026, 3, 29, 1, 30, 1774746000},
                {"the gap's end", "Europe/Lisbon", 2026, 3, 29, 2, 0, 1774746000},
                {"doubled, the first", "Europe/Lisbon", 2026, 10, 25, 1, 30, 1792888200},
                {"after the doubled hour", "Europe/Lisbon", 2026, 10, 25, 2, 0, 1792893600},
                {"gap by the footer", "Europe/Berlin", 2090, 3, 26, 2, 30, 3794173200},
                {"doubled by the footer", "Europe/Berlin", 2090, 10, 29, 2, 30, 3812920200},
                {"New York, gap", "America/New_York", 2026, 3, 8, 2, 30, 1772953200},
                {"New York, doubled", "America/New_York", 2026, 11, 1, 1, 30, 1793511000},
                {"half-hour gap", "Australia/Lord_Howe", 2026, 10, 4, 2, 10, 1791041400},
                {"half-hour gap's end", "Australia/Lord_Howe", 2026, 10, 4, 2, 30, 1791041400},
                {"doubled half-hour", "Australia/Lord_Howe", 2026, 4, 5, 1, 45, 1775313900},
                {"before it", "Australia/Lord_Howe", 2026, 4, 5, 1, 29, 1775312940},
                {"after it", "Australia/Lord_Howe", 2026, 4, 5, 2, 0, 1775316600},
                {"a day that was not", "Pacific/Apia", 2011, 12, 30, 7, 30, 1325239200},
                {"the day before it", "Pacific/Apia", 2011, 12, 29, 7, 30, 1325179800},
                {"the day after it", "Pacific/Apia", 2011, 12, 31, 7, 30, 1325266200},
                {"Kwajalein's missing day", "Pacific/Kwajalein", 1993, 8, 21, 12, 0, 745934400},
                {"a day twice", "America/Juneau", 1867, 10, 18, 15, 0, -3225312139},
                {"45 minutes", "Asia/Kathmandu", 2026, 11, 24, 7, 30, 1795484700},
                {"45 minutes and summer", "Pacific/Chatham", 2026, 1, 5, 7, 30, 1767548700},
                {"its gap", "Pacific/Chatham", 2026, 9, 27, 3, 0, 1790431200},
                {"negative summer time", "Europe/Dublin", 2026, 1, 15, 7, 30, 1768462200},
                {"its doubled hour", "Europe/Dublin", 2026, 10, 25, 1, 15, 1792887300},
                {"rule before midnight", "America/Nuuk", 2026, 3, 28, 23, 30, 1774746000},
                {"southern doubled", "America/Santiago", 2026, 4, 4, 23, 30, 1775356200},
                {"gap at midnight", "America/Santiago", 2026, 9, 6, 0, 0, 1788667200},
                {"UTC", "UTC", 2026, 11, 24, 7, 30, 1795505400},
                {"furthest ahead", "Pacific/Kiritimati", 2026, 11, 24, 7, 30, 1795455000},
                {"furthest back", "Etc/GMT+12", 2026, 11, 24, 7, 30, 1795548600},
                {"before all tables", "Europe/Lisbon", 1800, 1, 1, 12, 0, -5364616995},
                {"wartime double summer", "Europe/London", 1943, 7, 1, 7, 30, -836418600},
                {"day 32 is the 1st", "Europe/Lisbon", 2026, 10, 55, 7, 30, 1795505400},
                {"month 23", "Europe/Lisbon", 2025, 23, 24, 7, 30, 1795505400},
                {"month -1", "Europe/Lisbon", 2027, -1, 24, 7, 30, 1795505400},
                {"hour 31", "Europe/Lisbon", 2026, 11, 23, 31, 30, 1795505400},
                {"minute -30", "Europe/Lisbon", 2026, 11, 24, 8, -30, 1795505400},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                time_t got = zone_instant(zone(cases[i].zone), cases[i].year, cases[i].month,
                        cases[i].day, cases[i].hour, cases[i].minute);
                if (got != cases[i].want)
                        fail_msg("%s: %lld", cases[i].name, (long long)got);
        }
}

static void instants_to_clocks(void **state)
{
        (void)state;
        static const struct {
                const char *zone;
                int64_t at;
                const char *clock;
                int weekday, offset;
                const char *name;
        } cases[] = {
                {"Europe/Lisbon", 1795505400, "2026-11-24 07:30:00", 2, 0, "WET"},
                {"Europe/Lisbon", 1774746000, "2026-03-29 02:00:00", 0, 3600, "WEST"},
                {"Europe/Lisbon", 1774745999, "2026-03-29 00:59:59", 0, 0, "WET"},
                {"Australia/Lord_Howe", 1791041399, "2026-10-04 01:59:59", 0, 37800, "+1030"},
                {"Australia/Lord_Howe", 1791041400, "2026-10-04 02:30:00", 0, 39600, "+11"},
                {"Pacific/Apia", 1325239199, "2011-12-29 23:59:59", 4, -36000, "-10"},
                {"Pacific/Apia", 1325239200, "2011-12-31 00:00:00", 6, 50400, "+14"},
                {"Asia/Kathmandu", 1795505400, "2026-11-24 13:15:00", 2, 20700, "+0545"},
                {"Asia/Kathmandu", 504901799, "1985-12-31 23:59:59", 2, 19800, "+0530"},
                {"America/New_York", 4086892800, "2099-07-04 20:00:00", 6, -14400, "EDT"},
                {"America/New_York", 32503680000, "2999-12-31 19:00:00", 2, -18000, "EST"},
                {"Europe/Dublin", 1795505400, "2026-11-24 07:30:00", 2, 0, "GMT"},
                {"America/St_Johns", 1795505400, "2026-11-24 04:00:00", 2, -12600, "NST"},
                {"Etc/GMT-14", 0, "1970-01-01 14:00:00", 4, 50400, "+14"},
                {"UTC", -1, "1969-12-31 23:59:59", 3, 0, "UTC"},
                {"Asia/Tehran", 1663788599, "2022-09-21 23:59:59", 3, 16200, "+0430"},
                {"Asia/Tehran", 1663788600, "2022-09-21 23:00:00", 3, 12600, "+0330"},
                {"Antarctica/Troll", 1782864000, "2026-07-01 02:00:00", 3, 7200, "+02"},
                {"Europe/London", -834000000, "1943-07-29 07:20:00", 4, 7200, "BDST"},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct civil c = zone_civil(zone(cases[i].zone), cases[i].at);
                struct buf got = {0};
                buf_addf(&got, "%04d-%02d-%02d %02d:%02d:%02d", c.year, c.month, c.day, c.hour,
                        c.minute, c.second);
                if (strcmp(buf_text(&got), cases[i].clock) != 0 || c.weekday != cases[i].weekday ||
                        c.offset != cases[i].offset || strcmp(c.name, cases[i].name) != 0)
                        fail_msg("%s %lld: %s %d %d %s", cases[i].zone, (long long)cases[i].at,
                                buf_text(&got), c.weekday, c.offset, c.name);
                buf_release(&got);
        }
}

/* Every quarter of an hour of a year, there and back: what the clock shows, it first showed at
 * that instant or, in a doubled time, before. */
static void there_and_back(void **state)
{
        (void)state;
        static const char *const zones[] = {"Europe/Lisbon", "Australia/Lord_Howe", "Asia/Kolkata",
                "America/St_Johns", "Pacific/Chatham", "Europe/Dublin", "UTC"};
        for (size_t i = 0; i < COUNT_OF(zones); i++) {
                const struct zone *z = zone(zones[i]);
                unsigned doubled = 0;
                for (time_t at = 1767225600; at < 1767225600 + 366 * 86400; at += 900) {
                        struct civil c = zone_civil(z, at);
                        time_t back = zone_instant(z, c.year, c.month, c.day, c.hour, c.minute);
                        if (back != at && back != at - 3600 && back != at - 1800)
                                fail_msg("%s: %lld is %lld", zones[i], (long long)at,
                                        (long long)back);
                        doubled += back != at;
                }
                assert_in_range(doubled, 0, 4);
        }
}

static void any_instant_at_all(void **state)
{
        (void)state;
        static const int64_t cases[] = {INT64_MIN, INT64_MIN + 1, -1, 0, INT64_MAX - 1, INT64_MAX};
        const struct zone *z = zone("Europe/Lisbon");
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct civil c = zone_civil(z, cases[i]);
                struct buf text = {0};
                assert_in_range(c.month, 1, 12);
                assert_in_range(c.day, 1, 31);
                date_print(cases[i], 50400, &text);
                date_print_imap(cases[i], &text);
                date_print_iso(cases[i], &text);
                buf_release(&text);
        }
        (void)zone_instant(z, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX);
        (void)zone_instant(z, INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN);
}

static void names_of_zones(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                enum status want;
        } cases[] = {
                {"Europe/Lisbon", OK},
                {"America/Argentina/Buenos_Aires", OK},
                {"Etc/GMT+12", OK},
                {"UTC", OK},
                {"Europe/Atlantis", ABSENT},
                {"Europe", ABSENT},           /* a folder */
                {"Europe/Lisbon/x", ABSENT},
                {"leapseconds", ABSENT},      /* a file, but no zone */
                {"", INVALID},
                {"/etc/passwd", INVALID},
                {"../../../etc/passwd", INVALID},
                {"Europe/../Europe/Lisbon", INVALID},
                {"Europe//Lisbon", INVALID},
                {"Europe/", INVALID},
                {"Europe/Lisbon\n", INVALID},
                {"Europe Lisbon", INVALID},
                {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", INVALID},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                const struct zone *z;
                enum status st = zone_find(str_of(cases[i].name), &z);
                if (st != cases[i].want)
                        fail_msg("\"%s\": %s", cases[i].name, status_name(st));
        }
        assert_true(str_eq(zone_name(zone("UTC")), STR("UTC")));
        assert_ptr_equal(zone("Europe/Lisbon"), zone("Europe/Lisbon"));
        const struct zone *z;
        assert_int_equal(zone_find(str_make("UTC\0/x", 6), &z), INVALID);
}

static void *find_some(void *arg)
{
        static const char *const zones[] = {
                "Asia/Tokyo", "Asia/Seoul", "Asia/Manila", "Asia/Dubai"};
        (void)arg;
        for (unsigned i = 0; i < 400; i++) {
                const struct zone *z;
                if (zone_find(str_of(zones[i % 4]), &z) != OK ||
                        zone_civil(z, 1795505400).year != 2026)
                        return NULL;
        }
        return (void *)(uintptr_t)zones;
}

static void many_threads(void **state)
{
        (void)state;
        pthread_t threads[4];
        for (size_t i = 0; i < COUNT_OF(threads); i++)
                assert_int_equal(pthread_create(&threads[i], NULL, find_some, NULL), 0);
        for (size_t i = 0; i < COUNT_OF(threads); i++) {
                void *good;
                pthread_join(threads[i], &good);
                assert_non_null(good);
        }
}

static void printed_dates(void **state)
{
        (void)state;
        static const struct {
                int64_t at;
                int offset;
                const char *mail, *imap, *iso;
        } cases[] = {
                {1795505400, 0, "Tue, 24 Nov 2026 07:30:00 +0000", "24-Nov-2026 07:30:00 +0000",
                        "2026-11-24T07:30:00Z"},
                {1793694600, 19800, "Tue, 3 Nov 2026 14:00:00 +0530", " 3-Nov-2026 08:30:00 +0000",
                        "2026-11-03T08:30:00Z"},
                {1772321400, -12600, "Sat, 28 Feb 2026 20:00:00 -0330",
                        "28-Feb-2026 23:30:00 +0000", "2026-02-28T23:30:00Z"},
                {951782400, 0, "Tue, 29 Feb 2000 00:00:00 +0000", "29-Feb-2000 00:00:00 +0000",
                        "2000-02-29T00:00:00Z"},
                {0, -2205, "Wed, 31 Dec 1969 23:24:00 -0036", " 1-Jan-1970 00:00:00 +0000",
                        "1970-01-01T00:00:00Z"},
                {-1, 0, "Wed, 31 Dec 1969 23:59:59 +0000", "31-Dec-1969 23:59:59 +0000",
                        "1969-12-31T23:59:59Z"},
        };
        struct buf text = {0};
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                buf_clear(&text);
                date_print(cases[i].at, cases[i].offset, &text);
                assert_string_equal(buf_text(&text), cases[i].mail);
                buf_clear(&text);
                date_print_imap(cases[i].at, &text);
                assert_string_equal(buf_text(&text), cases[i].imap);
                buf_clear(&text);
                date_print_iso(cases[i].at, &text);
                assert_string_equal(buf_text(&text), cases[i].iso);
                time_t back;
                assert_int_equal(date_parse_iso(buf_str(&text), &back), OK);
                assert_int_equal(back, cases[i].at);
        }
        buf_release(&text);
}

static void parsed_dates(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                int64_t want;
        } cases[] = {
                {"2026-11-24", 1795478400},
                {"1970-01-01", 0},
                {"2024-02-29", 1709164800},
                {"0001-01-01", -62135596800},
                {"9999-12-31T23:59:59Z", 253402300799},
        };
        static const char *const bad[] = {"", "2026", "2026-11", "2026-11-", "2026-1-24",
                "26-11-24", "2025-02-29", "2026-13-01", "2026-00-01", "2026-11-00", "2026-11-31",
                "2026-11-24T", "2026-11-24T07:30Z", "2026-11-24T07:30:00", "2026-11-24T24:00:00Z",
                "2026-11-24T07:60:00Z", "2026-11-24T07:30:60Z", "2026-11-24T07:30:00Z ",
                "2026-11-24 07:30:00", "+026-11-24", "2026-11-24T07:30:00+00:00", "2026/11/24"};
        time_t at;
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                assert_int_equal(date_parse_iso(str_of(cases[i].text), &at), OK);
                assert_int_equal(at, cases[i].want);
        }
        for (size_t i = 0; i < COUNT_OF(bad); i++)
                if (date_parse_iso(str_of(bad[i]), &at) != INVALID)
                        fail_msg("\"%s\" is taken", bad[i]);
}

static void days(void **state)
{
        (void)state;
        static const struct {
                int year, month, day;
                int64_t want;
        } cases[] = {
                {1970, 1, 1, 0}, {2000, 3, 1, 11017}, {2026, 11, 22, 20779}, {1900, 2, 28, -25509},
                {1600, 2, 29, -135081}, {0, 3, 1, -719468}, {-4800, 3, 1, -2472632},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++)
                assert_int_equal(days_from_civil(cases[i].year, cases[i].month, cases[i].day),
                        cases[i].want);
        for (int64_t day = -800000; day < 800000; day += 1) {
                int year, month, of_month;
                civil_from_days(day, &year, &month, &of_month);
                if (days_from_civil(year, month, of_month) != day || month < 1 || month > 12)
                        fail_msg("day %lld", (long long)day);
        }
        assert_int_equal(days_from_civil(2026, 14, 1), days_from_civil(2027, 2, 1));
        assert_int_equal(days_from_civil(2026, 0, 1), days_from_civil(2025, 12, 1));
        assert_int_equal(days_from_civil(2026, -12, 1), days_from_civil(2024, 12, 1));
        assert_int_equal(days_from_civil(2026, 3, 0), days_from_civil(2026, 2, 28));
        assert_string_equal(month_names[10], "Nov");
        assert_string_equal(day_names[0], "Sun");
}

static void clocks_go(void **state)
{
        (void)state;
        uint64_t before = clock_ms();
        time_t now = time(NULL);
        assert_true(clock_ms() >= before);
        assert_true(clock_now() >= now);
        assert_true(clock_now() > 1700000000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(clocks_to_instants),
                cmocka_unit_test(instants_to_clocks),
                cmocka_unit_test(there_and_back),
                cmocka_unit_test(any_instant_at_all),
                cmocka_unit_test(names_of_zones),
                cmocka_unit_test(many_threads),
                cmocka_unit_test(printed_dates),
                cmocka_unit_test(parsed_dates),
                cmocka_unit_test(days),
                cmocka_unit_test(clocks_go),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
