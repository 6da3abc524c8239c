#include "nntp/range.h"
#include "base/clock.h"
#include "mail/msgid.h"

enum { DIGITS_MAX = 16 }; /* RFC 3977 9.8 */

CHECKED static enum status number(struct str text, uint32_t *out)
{
        uint64_t value;
        if (text.len > DIGITS_MAX)
                return INVALID;
        enum status st = str_u64(text, &value);
        if (st == OK)
                *out = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
        return st;
}

enum status range_parse(struct str text, uint32_t *low, uint32_t *high)
{
        size_t dash = str_chr(text, '-');
        enum status st = number(str_sub(text, 0, dash), low);
        if (st != OK)
                return st;
        if (dash == STR_NOWHERE) {
                *high = *low;
                return OK;
        }
        if (dash + 1 == text.len) {
                *high = UINT32_MAX;
                return OK;
        }
        return number(str_from(text, dash + 1), high);
}

/* Two digits at a place. */
static int pair(struct str text, size_t at)
{
        return (text.at[at] - '0') * 10 + text.at[at + 1] - '0';
}

static bool all_digits(struct str text)
{
        for (size_t i = 0; i < text.len; i++)
                if (text.at[i] < '0' || text.at[i] > '9')
                        return false;
        return true;
}

/* A year of two digits is in this century unless that would be in the future. */
static int full_year(struct str date, time_t now)
{
        if (date.len == 8)
                return pair(date, 0) * 100 + pair(date, 2);
        int year, month, day, two = pair(date, 0);
        civil_from_days(now / 86400, &year, &month, &day);
        return year - year % 100 + two - (two > year % 100 ? 100 : 0);
}

enum status range_date(struct str date, struct str time, time_t now, time_t *out)
{
        if ((date.len != 6 && date.len != 8) || time.len != 6 || !all_digits(date) ||
                !all_digits(time))
                return INVALID;
        int year = full_year(date, now), y, m, d;
        int month = pair(date, date.len - 4), day = pair(date, date.len - 2);
        int hour = pair(time, 0), minute = pair(time, 2), second = pair(time, 4);
        if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 60)
                return INVALID;
        int64_t days = days_from_civil(year, month, day);
        civil_from_days(days, &y, &m, &d);
        if (y != year || m != month || d != day)
                return INVALID;
        *out = (time_t)(days * 86400 + hour * 3600 + minute * 60 + second);
        return OK;
}

enum status range_since(const struct args *a, size_t at, time_t now, time_t *out)
{
        if (a->count > at + 2 && !str_same(a->v[at + 2], STR("GMT")))
                return INVALID;
        return range_date(a->v[at], a->v[at + 1], now, out);
}

enum status range_named(struct str text, bool one, struct named *out)
{
        *out = (struct named){.kind = NAMED_CURRENT, .id = STR("")};
        if (!text.len)
                return OK;
        if (text.at[0] == '<') {
                out->kind = NAMED_ID;
                out->id = text;
                return msgid_is_news(text) ? OK : INVALID;
        }
        out->kind = NAMED_NUMBERS;
        if (!one)
                return range_parse(text, &out->low, &out->high);
        enum status st = number(text, &out->low);
        out->high = out->low;
        return st;
}

/* Does one element at the front of *pattern match c? Cuts it off. */
static bool element(struct str *pattern, char c)
{
        struct str p = *pattern;
        size_t i = 1;
        if (p.at[0] == '\\' && p.len > 1) {
                *pattern = str_from(p, 2);
                return p.at[1] == c;
        }
        size_t close = p.at[0] == '[' ? str_chr(str_from(p, 2), ']') : STR_NOWHERE;
        if (close == STR_NOWHERE) {
                *pattern = str_from(p, 1);
                return p.at[0] == '?' || p.at[0] == c;
        }
        close += 2;
        bool negated = p.at[1] == '^', in = false;
        for (i += negated; i < close; i++) {
                bool range = i + 2 < close && p.at[i + 1] == '-';
                unsigned char low = (unsigned char)p.at[i];
                unsigned char high = range ? (unsigned char)p.at[i + 2] : low;
                in = in || ((unsigned char)c >= low && (unsigned char)c <= high);
                i += range ? 2 : 0;
        }
        *pattern = str_from(p, close + 1);
        return in != negated;
}

bool range_pattern(struct str pattern, struct str text)
{
        struct str p = pattern, t = text, star = STR_NONE, star_text = STR_NONE;
        bool starred = false;
        while (t.len) {
                struct str next = p;
                if (p.len && p.at[0] == '*') {
                        starred = true;
                        star = p = str_from(p, 1);
                        star_text = t;
                } else if (p.len && element(&next, t.at[0])) {
                        p = next;
                        t = str_from(t, 1);
                } else if (starred) { /* only the last star takes more: that bounds the work */
                        t = star_text = str_from(star_text, 1);
                        p = star;
                } else {
                        return false;
                }
        }
        while (p.len && p.at[0] == '*')
                p = str_from(p, 1);
        return !p.len;
}
