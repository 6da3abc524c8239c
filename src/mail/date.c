#include "mail/date.h"
#include "base/zone.h"

enum { VALUE_MAX = 200, DAY_SECONDS = 86400 };

/* What has been read so far; -1 is not yet. */
struct reading {
        struct str rest;
        int year, month, day;
        int hour, minute, second;
        int offset;
        bool zoned; /* by digits: these win over a zone's name */
};

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
        c = ascii_lower(c);
        return c >= 'a' && c <= 'z';
}

static char peek(const struct reading *r, size_t ahead)
{
        return ahead < r->rest.len ? r->rest.at[ahead] : '\0';
}

/* Cuts a run of digits; its value is clamped, no field is that large. */
static int cut_number(struct reading *r, size_t *digits)
{
        int n = 0;
        *digits = 0;
        while (is_digit(peek(r, *digits))) {
                n = n > 99999 ? n : n * 10 + (peek(r, *digits) - '0');
                ++*digits;
        }
        r->rest = str_from(r->rest, *digits);
        return n;
}

/* "07:30", "07:30:15", "07:30:15.25" behind its hour. */
static void read_time(struct reading *r, int hour)
{
        size_t digits;
        r->hour = hour;
        r->rest = str_from(r->rest, 1);
        r->minute = cut_number(r, &digits);
        r->second = 0;
        if (peek(r, 0) == ':' && is_digit(peek(r, 1))) {
                r->rest = str_from(r->rest, 1);
                r->second = cut_number(r, &digits);
        }
        if (peek(r, 0) == '.' && is_digit(peek(r, 1))) {
                r->rest = str_from(r->rest, 1);
                (void)cut_number(r, &digits);
        }
}

/* RFC 5322 4.3: two digits are of this century up to 49, three count from 1900. */
static int full_year(int n, size_t digits)
{
        if (digits == 2)
                return n < 50 ? n + 2000 : n + 1900;
        return digits == 3 ? n + 1900 : n;
}

static void read_iso_date(struct reading *r, int year)
{
        size_t digits;
        r->year = year;
        r->rest = str_from(r->rest, 1);
        r->month = cut_number(r, &digits);
        if (peek(r, 0) != '-')
                return;
        r->rest = str_from(r->rest, 1);
        r->day = cut_number(r, &digits);
}

static void read_number(struct reading *r)
{
        size_t digits;
        int n = cut_number(r, &digits);
        if (peek(r, 0) == ':' && is_digit(peek(r, 1)) && r->hour < 0)
                read_time(r, n);
        else if (digits == 4 && peek(r, 0) == '-' && is_digit(peek(r, 1)) && r->year < 0)
                read_iso_date(r, n);
        else if (r->day < 0 && digits <= 2)
                r->day = n;
        else if (r->year < 0 && digits >= 2)
                r->year = full_year(n, digits);
}

/* A minus before the year has been read parts a date, as in "07:30 24-11-2026". */
static bool begins_offset(const struct reading *r, char c)
{
        if ((c != '+' && c != '-') || !is_digit(peek(r, 1)) || r->hour < 0 || r->zoned)
                return false;
        return c == '+' || r->year >= 0;
}

static void read_offset(struct reading *r)
{
        int sign = peek(r, 0) == '-' ? -1 : 1;
        size_t digits, more = 0;
        r->rest = str_from(r->rest, 1);
        int n = cut_number(r, &digits);
        int hours = digits > 2 ? n / 100 : n, minutes = digits > 2 ? n % 100 : 0;
        if (digits <= 2 && peek(r, 0) == ':') {
                r->rest = str_from(r->rest, 1);
                minutes = cut_number(r, &more);
        }
        if (digits > 4 || hours > 23 || minutes > 59)
                return;
        r->offset = sign * (hours * 3600 + minutes * 60);
        r->zoned = true;
}

static void read_zone_name(struct reading *r, struct str word)
{
        static const struct {
                const char *name;
                int hours;
        } zones[] = {{"ut", 0}, {"utc", 0}, {"gmt", 0}, {"z", 0}, {"est", -5}, {"edt", -4},
                {"cst", -6}, {"cdt", -5}, {"mst", -7}, {"mdt", -6}, {"pst", -8}, {"pdt", -7},
                {"cet", 1}, {"cest", 2}, {"mez", 1}, {"mesz", 2}, {"bst", 1}, {"jst", 9}};
        for (size_t i = 0; i < COUNT_OF(zones); i++)
                if (str_same(word, str_of(zones[i].name)))
                        r->offset = zones[i].hours * 3600;
}

static void read_word(struct reading *r)
{
        size_t n = 0;
        while (is_letter(peek(r, n)))
                n++;
        struct str word = str_sub(r->rest, 0, n);
        r->rest = str_from(r->rest, n);
        for (int m = 0; n >= 3 && r->month < 0 && m < 12; m++)
                if (str_starts_same(word, str_of(month_names[m])))
                        r->month = m + 1;
        if (r->hour < 0)
                return;
        if (str_same(word, STR("pm")) && r->hour < 12)
                r->hour += 12;
        else if (str_same(word, STR("am")) && r->hour == 12)
                r->hour = 0;
        else if (!r->zoned)
                read_zone_name(r, word);
}

static void skip_comment(struct reading *r)
{
        unsigned depth = 0;
        while (r->rest.len) {
                depth += peek(r, 0) == '(';
                depth -= peek(r, 0) == ')';
                r->rest = str_from(r->rest, 1);
                if (depth == 0)
                        return;
        }
}

static bool is_possible(const struct reading *r)
{
        static const int days[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        if (r->year < 1900 || r->year > 9999 || r->month < 1 || r->month > 12)
                return false;
        return r->day >= 1 && r->day <= days[r->month - 1] && r->hour < 24 && r->minute < 60 &&
               r->second <= 60;
}

enum status date_parse(struct str value, time_t *at, int *offset)
{
        struct reading r = {str_sub(value, 0, VALUE_MAX), -1, -1, -1, -1, 0, 0, 0, false};
        while (r.rest.len) {
                char c = peek(&r, 0);
                if (is_digit(c))
                        read_number(&r);
                else if (begins_offset(&r, c))
                        read_offset(&r);
                else if (is_letter(c))
                        read_word(&r);
                else if (c == '(')
                        skip_comment(&r);
                else
                        r.rest = str_from(r.rest, 1);
        }
        if (!is_possible(&r))
                return INVALID;
        int64_t seconds = days_from_civil(r.year, r.month, r.day) * DAY_SECONDS;
        if (r.hour >= 0)
                seconds += r.hour * 3600 + r.minute * 60 + r.second;
        *at = (time_t)(seconds - r.offset);
        *offset = r.offset;
        return OK;
}
