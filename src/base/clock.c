#include "base/clock.h"

enum { DAY = 86400 };

const char *const month_names[12] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
const char *const day_names[7] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

time_t clock_now(void)
{
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now); /* time() may lag behind by a tick */
        return now.tv_sec;
}

uint64_t clock_us(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_ms(void)
{
        return clock_us() / 1000;
}

static int64_t divide_down(int64_t n, int64_t by)
{
        return n / by - (n % by < 0);
}

/* Howard Hinnant, "chrono-compatible low-level date algorithms": years begin in March, so that
 * the leap day is the last, and come in eras of 400. */
int64_t days_from_civil(int year, int month, int day)
{
        int64_t m = (int64_t)month - 1, years = divide_down(m, 12);
        m -= 12 * years; /* 0 to 11 */
        int64_t y = year + years - (m < 2);
        int64_t era = divide_down(y, 400), of_era = y - era * 400;
        int64_t of_year = (153 * ((m + 10) % 12) + 2) / 5;
        return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468 + day - 1;
}

void civil_from_days(int64_t days, int *year, int *month, int *day)
{
        days += 719468;
        int64_t era = divide_down(days, 146097), of_era = days - era * 146097;
        int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
        int64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;
        *day = (int)(of_year - (153 * m + 2) / 5 + 1);
        *month = (int)(m < 10 ? m + 3 : m - 9);
        *year = (int)(y + era * 400 + (*month <= 2));
}

int weekday_from_days(int64_t days)
{
        return (int)(days + 4 - 7 * divide_down(days + 4, 7)); /* day 0 was a Thursday */
}

int days_in_month(int year, int month)
{
        return (int)(days_from_civil(year, month + 1, 1) - days_from_civil(year, month, 1));
}

time_t time_within_reason(time_t at)
{
        const time_t most = (time_t)1 << 48;
        return at > most ? most : at < -most ? -most : at;
}

struct civil civil_from_time(time_t at, int offset)
{
        struct civil c = {.offset = offset};
        int64_t local = (int64_t)time_within_reason(at) + offset, days = divide_down(local, DAY);
        int second = (int)(local - days * DAY);
        civil_from_days(days, &c.year, &c.month, &c.day);
        c.hour = second / 3600;
        c.minute = second / 60 % 60;
        c.second = second % 60;
        c.weekday = weekday_from_days(days);
        return c;
}

/* ---- printed forms ---- */

void date_print(time_t at, int offset, struct buf *out)
{
        offset -= offset % 60; /* RFC 5322 has no seconds there (local mean times have) */
        struct civil c = civil_from_time(at, offset);
        int east = offset < 0 ? -offset : offset;
        buf_addf(out, "%s, %d %s %04d %02d:%02d:%02d %c%02d%02d", day_names[c.weekday], c.day,
                month_names[c.month - 1], c.year, c.hour, c.minute, c.second,
                offset < 0 ? '-' : '+', east / 3600, east / 60 % 60);
}

void date_print_imap(time_t at, struct buf *out)
{
        struct civil c = civil_from_time(at, 0);
        buf_addf(out, "%2d-%s-%04d %02d:%02d:%02d +0000", c.day, month_names[c.month - 1], c.year,
                c.hour, c.minute, c.second);
}

void date_print_iso(time_t at, struct buf *out)
{
        struct civil c = civil_from_time(at, 0);
        buf_addf(out, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour, c.minute,
                c.second);
}

static bool eat_digits(struct str *s, size_t digits, int *out)
{
        uint32_t n;
        if (str_u32(str_sub(*s, 0, digits), &n) != OK || s->len < digits)
                return false;
        *s = str_from(*s, digits);
        *out = (int)n;
        return true;
}

enum status date_parse_iso(struct str s, time_t *out)
{
        int year, month, day, hour = 0, minute = 0, second = 0;
        if (!eat_digits(&s, 4, &year) || !str_eat(&s, '-') || !eat_digits(&s, 2, &month) ||
                !str_eat(&s, '-') || !eat_digits(&s, 2, &day))
                return INVALID;
        if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
                return INVALID;
        if (s.len && (!str_eat(&s, 'T') || !eat_digits(&s, 2, &hour) || !str_eat(&s, ':') ||
                             !eat_digits(&s, 2, &minute) || !str_eat(&s, ':') ||
                             !eat_digits(&s, 2, &second) || !str_eat(&s, 'Z')))
                return INVALID;
        if (s.len || hour > 23 || minute > 59 || second > 59)
                return INVALID;
        *out = days_from_civil(year, month, day) * DAY + (hour * 60 + minute) * 60 + second;
        return OK;
}
