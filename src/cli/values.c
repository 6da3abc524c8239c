#include "cli/values.h"

enum { DAY_MINUTES = 1440 };

enum status minute_read(struct str text, uint16_t *out)
{
        struct str hour = text, minute = STR("0");
        size_t colon = str_chr(text, ':');
        uint32_t h, m;
        if (colon != STR_NOWHERE) {
                hour = str_sub(text, 0, colon);
                minute = str_from(text, colon + 1);
                if (minute.len != 2)
                        return INVALID;
        }
        if (hour.len > 2 || str_u32(hour, &h) != OK || str_u32(minute, &m) != OK)
                return INVALID;
        if (h > 24 || m > 59 || h * 60 + m > DAY_MINUTES)
                return INVALID;
        *out = (uint16_t)(h * 60 + m);
        return OK;
}

enum status hours_read(struct str text, uint16_t *from, uint16_t *to)
{
        size_t dash = str_chr(text, '-');
        if (dash == STR_NOWHERE)
                return INVALID;
        if (minute_read(str_trim(str_sub(text, 0, dash)), from) != OK ||
                minute_read(str_trim(str_from(text, dash + 1)), to) != OK)
                return INVALID;
        return *from < *to ? OK : INVALID;
}

/* "mon", "Monday", "mo": at least two letters. 0 is Sunday. */
static enum status day_read(struct str text, unsigned *out)
{
        static const char *const days[7] = {
                "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
        for (unsigned i = 0; i < 7 && text.len >= 2; i++) {
                if (str_starts_same(str_of(days[i]), text)) {
                        *out = i;
                        return OK;
                }
        }
        return INVALID;
}

enum status days_read(struct str text, uint8_t *out)
{
        struct str part, rest = text;
        unsigned days = 0, from, to;
        if (str_same(text, STR("all")) || str_same(text, STR("daily"))) {
                *out = 0x7f;
                return OK;
        }
        while (str_cut(&rest, ',', &part)) {
                size_t dash = str_chr(part, '-');
                bool range = dash != STR_NOWHERE;
                if (day_read(str_trim(str_sub(part, 0, range ? dash : part.len)), &from) != OK)
                        return INVALID;
                to = from;
                if (range && day_read(str_trim(str_from(part, dash + 1)), &to) != OK)
                        return INVALID;
                days |= 1u << to;
                for (unsigned day = from; day != to;
                        day = (day + 1) % 7) /* "sat-tue" goes over the week's end */
                        days |= 1u << day;
        }
        *out = (uint8_t)days;
        return days ? OK : INVALID;
}

void minute_print(unsigned minute, struct buf *out)
{
        if (minute >= DAY_MINUTES)
                buf_add_text(out, "never");
        else
                buf_addf(out, "%02u:%02u", minute / 60, minute % 60);
}

void days_print(unsigned days, struct buf *out)
{
        static const char names[7][4] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
        bool first = true;
        if ((days & 0x7f) == 0x7f) {
                buf_add_text(out, "all");
                return;
        }
        for (unsigned i = 1; i <= 7;
                i++) { /* a week begins on Monday here; runs of three and more as a range */
                unsigned day = i % 7, run = 1;
                if (!(days & 1u << day))
                        continue;
                while (i + run <= 7 && days & 1u << (i + run) % 7)
                        run++;
                buf_addf(out, "%s%s", first ? "" : ",", names[day]);
                first = false;
                if (run >= 3) {
                        buf_addf(out, "-%s", names[(i + run - 1) % 7]);
                        i += run - 1;
                }
        }
}

static const char *const modes[] = {[MODE_EACH] = "each",
        [MODE_DIGEST] = "digest",
        [MODE_NAMED] = "named",
        [MODE_NONE] = "none"};
static const char *const accesses[] = {
        [ACCESS_MEMBERS] = "members", [ACCESS_SITE] = "site", [ACCESS_OPEN] = "open"};

enum status mode_read(struct str text, enum mode *out)
{
        for (enum mode m = MODE_EACH; m <= MODE_NONE; m++) {
                if (str_same(text, str_of(modes[m]))) {
                        *out = m;
                        return OK;
                }
        }
        return INVALID;
}

const char *mode_name(enum mode m)
{
        return m >= MODE_EACH && m <= MODE_NONE ? modes[m] : "?";
}

enum status access_read(struct str text, enum access *out)
{
        for (enum access a = ACCESS_MEMBERS; a <= ACCESS_OPEN; a++) {
                if (str_same(text, str_of(accesses[a]))) {
                        *out = a;
                        return OK;
                }
        }
        return INVALID;
}

const char *access_name(enum access a)
{
        return a <= ACCESS_OPEN ? accesses[a] : "?";
}
