#include "base/when.h"

enum {
        WORDS_MAX = 6,
        WEEK = 7,
        YEAR_MIN = 1970,
        YEAR_MAX = 9999,
        COUNT_MAX = 9999, /* of days, weeks or months */
        LEAP_GAP_MAX = 8, /* years between two of 29 February, at most */
        CENTURY = 2000,   /* of "1.12.26" */
};

/* What is being read, word by word. */
struct words {
        struct str v[WORDS_MAX];
        size_t count, at;
        int64_t today;
};

int64_t when_today(const struct zone *zone, time_t now)
{
        struct civil c = zone_civil(zone, now);
        return days_from_civil(c.year, c.month, c.day);
}

/* ---- words ---- */

/* False when there are none or too many. */
static bool cut_words(struct str s, struct words *w)
{
        while (s.len) {
                size_t n = 0;
                while (n < s.len && !strchr(" \t\r\n,", s.at[n]))
                        n++;
                if (n && w->count == WORDS_MAX)
                        return false;
                if (n)
                        w->v[w->count++] = str_sub(s, 0, n);
                s = str_from(s, n + 1);
        }
        return w->count > 0;
}

static bool take_word(struct words *w, const char *word)
{
        if (w->at == w->count || !str_same(w->v[w->at], str_of(word)))
                return false;
        w->at++;
        return true;
}

/* Its place among the names, when it is one of them or its first three letters or more: "thurs",
 * "Sept.". -1 when it is none. */
static int name_index(struct str word, const char *const *names, int count)
{
        enum { SHORTEST = 3 };
        if (str_ends(word, STR(".")))
                word.len--;
        for (int i = 0; word.len >= SHORTEST && i < count; i++)
                if (str_starts_same(str_of(names[i]), word))
                        return i;
        return -1;
}

static const char *const long_weekdays[WEEK] = {
        "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
static const char *const long_months[] = {"january", "february", "march", "april", "may", "june",
        "july", "august", "september", "october", "november", "december"};
static const char *const others[] = {"today", "tomorrow", "yesterday", "none", "in", "this", "next",
        "days", "weeks", "months", "day", "week", "month"};

const char *when_word(size_t i)
{
        if (i < WEEK)
                return long_weekdays[i];
        i -= WEEK;
        if (i < COUNT_OF(long_months))
                return long_months[i];
        i -= COUNT_OF(long_months);
        return i < COUNT_OF(others) ? others[i] : NULL;
}

static bool take_weekday(struct words *w, int *weekday)
{
        *weekday = w->at < w->count ? name_index(w->v[w->at], long_weekdays, WEEK) : -1;
        w->at += *weekday >= 0;
        return *weekday >= 0;
}

static bool take_month(struct words *w, int *month)
{
        int index = w->at < w->count
                ? name_index(w->v[w->at], long_months, COUNT_OF(long_months))
                : -1;
        w->at += index >= 0;
        *month = index + 1;
        return index >= 0;
}

static bool number_of(struct str s, size_t digits_max, int *out)
{
        uint32_t n;
        if (s.len > digits_max || str_u32(s, &n) != OK)
                return false;
        *out = (int)n;
        return true;
}

/* "26", "26.", "1st". */
static bool take_day(struct words *w, int *day)
{
        static const char *const ends[] = {"st", "nd", "rd", "th", "."};
        if (w->at == w->count)
                return false;
        struct str s = w->v[w->at];
        for (size_t i = 0; i < COUNT_OF(ends); i++) {
                size_t n = strlen(ends[i]);
                if (s.len > n && str_same(str_from(s, s.len - n), str_of(ends[i]))) {
                        s.len -= n;
                        break;
                }
        }
        bool good = number_of(s, 2, day);
        w->at += good;
        return good;
}

static bool take_year(struct words *w, int *year)
{
        bool good = w->at < w->count && w->v[w->at].len == 4 && number_of(w->v[w->at], 4, year);
        w->at += good;
        return good;
}

/* ---- dates ---- */

static bool is_date(int year, int month, int day)
{
        if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1)
                return false;
        int next_year = month == 12 ? year + 1 : year, next = month == 12 ? 1 : month + 1;
        return day <= days_from_civil(next_year, next, 1) - days_from_civil(year, month, 1);
}

/* year 0: the next such day, today included. */
static enum status make_date(const struct words *w, int year, int month, int day, int64_t *out)
{
        if (year) {
                if (!is_date(year, month, day))
                        return INVALID;
                *out = days_from_civil(year, month, day);
                return OK;
        }
        int this_year, m, d;
        civil_from_days(w->today, &this_year, &m, &d);
        for (int y = this_year; y <= this_year + LEAP_GAP_MAX; y++) {
                if (!is_date(y, month, day) || days_from_civil(y, month, day) < w->today)
                        continue;
                *out = days_from_civil(y, month, day);
                return OK;
        }
        return INVALID;
}

/* Three numbers with one mark between them; the last may be missing, *count says how many. */
static bool cut_numbers(struct str s, char mark, int v[3], size_t *count)
{
        struct str piece;
        for (*count = 0; str_cut(&s, mark, &piece); (*count)++)
                if (*count == 3 || !number_of(piece, 4, &v[*count]))
                        return false;
        return *count >= 2;
}

/* "2026-12-01", "2026/12/1", "1.12.2026", "1.12.26", "1.12.". */
static enum status take_numbers(struct words *w, int64_t *out)
{
        int v[3] = {0};
        size_t count;
        struct str s = w->v[w->at];
        if (str_chr(s, '.') != STR_NOWHERE) {
                if (!cut_numbers(s, '.', v, &count))
                        return INVALID;
                bool dated = count == 3;
                struct str year = str_from(s, str_rchr(s, '.') + 1);
                if (dated && year.len != 2 && year.len != 4)
                        return INVALID;
                if (dated && year.len == 2)
                        v[2] += CENTURY;
                if (dated && v[2] == 0)
                        return INVALID;
                w->at++;
                return make_date(w, v[2], v[1], v[0], out);
        }
        char mark = str_chr(s, '/') != STR_NOWHERE ? '/' : '-';
        if (str_chr(s, mark) != 4 || !cut_numbers(s, mark, v, &count) || count != 3 || v[0] == 0)
                return INVALID;
        w->at++;
        return make_date(w, v[0], v[1], v[2], out);
}

/* A date, with a weekday before it or without. */
static enum status take_date(struct words *w, int64_t *out)
{
        int month, day, year = 0;
        size_t start = w->at;
        if (w->at == w->count)
                return INVALID;
        bool named = (take_day(w, &day) && take_month(w, &month));
        if (!named) {
                w->at = start;
                named = take_month(w, &month) && take_day(w, &day);
        }
        if (!named) {
                w->at = start;
                return take_numbers(w, out);
        }
        if (w->at < w->count && (!take_year(w, &year) || year == 0))
                return INVALID;
        return make_date(w, year, month, day, out);
}

/* ---- counting from today ---- */

static bool take_count(struct words *w, bool after_in, int *count)
{
        static const char *const numbers[] = {
                "a", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"};
        if (w->at == w->count)
                return false;
        if (after_in && take_word(w, "an")) {
                *count = 1;
                return true;
        }
        for (size_t i = 0; i < COUNT_OF(numbers); i++) {
                if ((i || after_in) && take_word(w, numbers[i])) {
                        *count = i ? (int)i : 1;
                        return true;
                }
        }
        bool good = number_of(w->v[w->at], 4, count) && *count <= COUNT_MAX;
        w->at += good;
        return good;
}

/* The same day of a later month, or that month's last day. */
static enum status add_months(int64_t today, int months, int64_t *out)
{
        int year, month, day;
        civil_from_days(today, &year, &month, &day);
        int whole = year * 12 + month - 1 + months;
        year = whole / 12;
        month = whole % 12 + 1;
        while (day > 1 && !is_date(year, month, day))
                day--;
        if (!is_date(year, month, day))
                return INVALID;
        *out = days_from_civil(year, month, day);
        return OK;
}

/* "in 3 days", "2 weeks". */
static enum status take_span(struct words *w, int64_t *out)
{
        int count;
        bool after_in = take_word(w, "in");
        if (!take_count(w, after_in, &count))
                return INVALID;
        if (take_word(w, "days") || take_word(w, "day"))
                *out = w->today + count;
        else if (take_word(w, "weeks") || take_word(w, "week"))
                *out = w->today + (int64_t)count * WEEK;
        else if (take_word(w, "months") || take_word(w, "month"))
                return add_months(w->today, count, out);
        else
                return INVALID;
        return OK;
}

/* "fri", "this fri", "next fri", "Fri 27 Nov". */
static enum status take_named_day(struct words *w, int64_t *out)
{
        int weekday;
        bool this = take_word(w, "this"), next = !this && take_word(w, "next");
        if (!take_weekday(w, &weekday))
                return INVALID;
        int ahead = (weekday - weekday_from_days(w->today) + WEEK) % WEEK;
        if (w->at < w->count) {
                enum status st = this || next ? INVALID : take_date(w, out);
                return st == OK && weekday_from_days(*out) != weekday ? INVALID : st;
        }
        int since_monday = (weekday_from_days(w->today) + WEEK - 1) % WEEK;
        if (next)
                *out = w->today - since_monday + WEEK + (weekday + WEEK - 1) % WEEK;
        else if (this)
                *out = w->today + ahead;
        else
                *out = w->today + (ahead ? ahead : WEEK);
        return OK;
}

static enum status take_near_day(struct words *w, int64_t *out)
{
        if (take_word(w, "none") || take_word(w, "-"))
                *out = WHEN_NONE;
        else if (take_word(w, "today"))
                *out = w->today;
        else if (take_word(w, "tomorrow"))
                *out = w->today + 1;
        else if (take_word(w, "yesterday"))
                *out = w->today - 1;
        else
                return INVALID;
        return OK;
}

enum status when_parse(struct str text, int64_t today, int64_t *day)
{
        static enum status (*const forms[])(struct words *, int64_t *) = {
                take_near_day, take_named_day, take_span, take_date};
        struct words w = {.today = today};
        if (!cut_words(text, &w))
                return INVALID;
        for (size_t i = 0; i < COUNT_OF(forms); i++) {
                w.at = 0;
                if (forms[i](&w, day) == OK && w.at == w.count)
                        return OK;
        }
        return INVALID;
}

/* ---- saying ---- */

void when_date(int64_t day, int64_t today, struct buf *out)
{
        int year, month, d, this_year, m, unused;
        if (day == WHEN_NONE)
                return;
        civil_from_days(day, &year, &month, &d);
        civil_from_days(today, &this_year, &m, &unused);
        buf_addf(out, "%s %d %s", day_names[weekday_from_days(day)], d, month_names[month - 1]);
        if (year != this_year)
                buf_addf(out, " %d", year);
}

void when_say(int64_t day, int64_t today, struct buf *out)
{
        if (day == WHEN_NONE)
                return;
        if (day == today)
                buf_add_text(out, "today");
        else if (day == today + 1)
                buf_add_text(out, "tomorrow");
        else if (day < today)
                buf_addf(out, "%lld day%s late", (long long)(today - day),
                        day == today - 1 ? "" : "s");
        else
                when_date(day, today, out);
}

void when_iso(int64_t day, struct buf *out)
{
        int year, month, d;
        if (day == WHEN_NONE) {
                buf_add_text(out, "none");
                return;
        }
        civil_from_days(day, &year, &month, &d);
        buf_addf(out, "%04d-%02d-%02d", year, month, d);
}
