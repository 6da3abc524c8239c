#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "mail/date.h"

static void dates(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                long long at; /* -1: INVALID */
                int offset;
        } cases[] = {
                {"Tue, 24 Nov 2026 07:30:00 +0000", 1795505400, 0},
                {"Tue, 24 Nov 2026 07:30:00 +0100 (CET)", 1795501800, 3600},
                {"24 Nov 2026 07:30 GMT", 1795505400, 0},
                {"24 Nov 26 02:30:00 EST", 1795505400, -18000},
                {"Tuesday, 24-Nov-26 07:30:00 GMT", 1795505400, 0},
                {"Tue Nov 24 07:30:00 2026", 1795505400, 0},
                {"Tue Nov 24 07:30:00 GMT+0100 2026", 1795501800, 3600},
                {"2026-11-24T07:30:00Z", 1795505400, 0},
                {"2026-11-24 08:30:00.25 +01:00", 1795505400, 3600},
                {"Tue,24 Nov 2026 07:30:00+0000", 1795505400, 0},
                {"Tue, 24 Nov 2026 07:30:00 -0000", 1795505400, 0},
                {"Tue, 24 Nov 2026 07:30:00", 1795505400, 0},
                {"Tue, 24 November 2026 7:30 PM", 1795548600, 0},
                {" Tue, (a (b) c) 24 Nov 2026\r\n 07:30:00 UT", 1795505400, 0},
                {"1 Jan 1970 00:00:00 +0000", 0, 0},
                {"24 Nov 98 07:30:00 +0000", 911892600, 0},
                {"24 Nov 126 07:30:00 +0000", 1795505400, 0},
                {"29 Feb 2028 00:00:00 +0000", 1835395200, 0},
                {"31 Dec 2016 23:59:60 +0000", 1483228800, 0},
                {"Tue, 24 Nov 2026 07:30:00 +9999", 1795505400, 0},
                {"24 Nov 2026", 1795478400, 0},
                {"", -1, 0},
                {"tomorrow", -1, 0},
                {"32 Nov 2026 07:30:00 +0000", -1, 0},
                {"24 Foo 2026 07:30:00 +0000", -1, 0},
                {"24 Nov 2026 25:30:00 +0000", -1, 0},
                {"24 Nov 2026 07:61:00 +0000", -1, 0},
                {"99999999999999999999 Nov 2026", -1, 0},
                {"((((((((((", -1, 0},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                time_t at = -1;
                int offset = 0;
                if (date_parse(str_of(cases[i].text), &at, &offset) != OK)
                        at = -1;
                if (at != (time_t)cases[i].at || offset != cases[i].offset)
                        print_error("%s: %lld %d\n", cases[i].text, (long long)at, offset);
                assert_int_equal(at, cases[i].at);
                assert_int_equal(offset, cases[i].offset);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(dates)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
