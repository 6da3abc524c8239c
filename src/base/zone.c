#include "base/zone.h"
#include "base/log.h"
#include "base/map.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        DAY = 86400,
        FILE_MOST = 256 * 1024,
        NAME_MOST = 64,
        OFFSET_MOST = 26 * 3600, /* RFC 8536 3.2: offsets lie within -25 to +26 hours */
        ABBREVIATION_MOST = 15,
};

#define ZONE_FOLDER "/usr/share/zoneinfo"

/* What a clock shows from one transition to the next. */
struct shown {
        int offset; /* seconds east of UTC */
        char name[ABBREVIATION_MOST + 1];
};

struct transition {
        time_t at;
        unsigned shown;
};

/* A day of a year as the footer gives it (RFC 8536 3.3, POSIX TZ). */
struct rule {
        enum { JULIAN, YEAR_DAY, WEEKDAY } form; /* Jn, n, Mm.w.d */
        int month, week, day;
        int seconds; /* local, from midnight; -167 to 167 hours */
};

struct zone {
        struct str name;
        struct shown *shown;
        size_t shown_count;
        struct transition *transitions;
        size_t transition_count;
        /* After the last transition; without a footer the last one holds for ever. */
        bool has_footer, has_rules;
        struct shown standard, summer;
        struct rule to_summer, to_standard;
};

/* The part of time in which one offset holds. */
struct span {
        time_t from, until;
        const struct shown *shown;
};

#define EVER_BACK ((time_t)INT64_MIN)
#define EVER_ON ((time_t)INT64_MAX)

static bool is_leap(int year)
{
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* ---- the footer: "WET0WEST,M3.5.0/1,M10.5.0" ---- */

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
        return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

static bool eat_number(struct str *s, int most, int *out)
{
        int n = 0;
        size_t i = 0;
        for (; i < s->len && i < 3 && is_digit(s->at[i]); i++)
                n = n * 10 + (s->at[i] - '0');
        *s = str_from(*s, i);
        *out = n;
        return i > 0 && n <= most;
}

/* [+-]hh[:mm[:ss]] */
static bool eat_time(struct str *s, int *out)
{
        int hours, minutes = 0, seconds = 0;
        bool minus = str_eat(s, '-');
        if (!minus)
                str_eat(s, '+');
        if (!eat_number(s, 167, &hours) || (str_eat(s, ':') && !eat_number(s, 59, &minutes)) ||
                (str_eat(s, ':') && !eat_number(s, 59, &seconds)))
                return false;
        *out = (hours * 60 + minutes) * 60 + seconds;
        if (minus)
                *out = -*out;
        return true;
}

static bool eat_name(struct str *s, struct shown *out)
{
        bool quoted = str_eat(s, '<');
        size_t n = 0;
        for (; n < s->len && n < ABBREVIATION_MOST; n++) {
                char c = s->at[n];
                if (!is_letter(c) && !(quoted && (is_digit(c) || c == '+' || c == '-')))
                        break;
                out->name[n] = c;
        }
        out->name[n] = '\0';
        *s = str_from(*s, n);
        return n >= 3 && (!quoted || str_eat(s, '>'));
}

static bool eat_rule(struct str *s, struct rule *r)
{
        bool good;
        r->seconds = 2 * 3600;
        if (!str_eat(s, ','))
                return false;
        if (str_eat(s, 'M')) {
                r->form = WEEKDAY;
                good = eat_number(s, 12, &r->month) && str_eat(s, '.') &&
                       eat_number(s, 5, &r->week) &&
                       str_eat(s, '.') && eat_number(s, 6, &r->day) && r->month && r->week;
        } else {
                r->form = str_eat(s, 'J') ? JULIAN : YEAR_DAY;
                good = eat_number(s, 365, &r->day) && (r->form == YEAR_DAY || r->day);
        }
        return good && (!str_eat(s, '/') || eat_time(s, &r->seconds));
}

static bool offset_is_sane(int offset)
{
        return offset >= -OFFSET_MOST && offset <= OFFSET_MOST;
}

static bool parse_footer(struct str s, struct zone *z)
{
        int west;
        z->has_footer = true;
        if (!eat_name(&s, &z->standard) || !eat_time(&s, &west) || !offset_is_sane(west))
                return false;
        z->standard.offset = -west;
        if (s.len == 0)
                return true;
        z->has_rules = true;
        z->summer.offset = z->standard.offset + 3600;
        if (!eat_name(&s, &z->summer))
                return false;
        if (s.len && s.at[0] != ',') {
                if (!eat_time(&s, &west) || !offset_is_sane(west))
                        return false;
                z->summer.offset = -west;
        }
        return eat_rule(&s, &z->to_summer) && eat_rule(&s, &z->to_standard) && s.len == 0;
}

static int64_t rule_day(const struct rule *r, int year)
{
        int64_t first = days_from_civil(year, 1, 1);
        if (r->form == YEAR_DAY)
                return first + r->day;
        if (r->form == JULIAN) /* 29 February is never counted */
                return first + r->day - 1 + (is_leap(year) && r->day >= 60);
        first = days_from_civil(year, r->month, 1);
        int day = (r->day - weekday_from_days(first) + 7) % 7 + 7 * (r->week - 1);
        while (day >= days_in_month(year, r->month)) /* week 5 is the last one */
                day -= 7;
        return first + day;
}

static time_t rule_at(const struct rule *r, int year, const struct shown *before)
{
        return rule_day(r, year) * DAY + r->seconds - before->offset;
}

/* Where the year's two changes fall together with the next year's, summer time holds all year. */
static void span_by_rules(const struct zone *z, time_t at, struct span *out)
{
        int year = civil_from_time(at, z->standard.offset).year;
        *out = (struct span){EVER_BACK, EVER_ON, &z->standard};
        for (int y = year - 1; y <= year + 1; y++) {
                time_t up = rule_at(&z->to_summer, y, &z->standard);
                time_t down = rule_at(&z->to_standard, y, &z->summer);
                if (up <= at && (up > out->from || (up == out->from && out->shown != &z->summer)))
                        *out = (struct span){up, out->until, &z->summer};
                if (down <= at && down > out->from)
                        *out = (struct span){down, out->until, &z->standard};
                if (up > at && up < out->until)
                        out->until = up;
                if (down > at && down < out->until)
                        out->until = down;
        }
}

static struct span span_at(const struct zone *z, time_t at)
{
        struct span s = {EVER_BACK, EVER_ON, &z->shown[0]};
        size_t low = 0, high = z->transition_count;
        while (low < high) { /* finds how many transitions are not after `at` */
                size_t middle = low + (high - low) / 2;
                if (z->transitions[middle].at <= at)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low < z->transition_count)
                s.until = z->transitions[low].at;
        if (low > 0) {
                s.from = z->transitions[low - 1].at;
                s.shown = &z->shown[z->transitions[low - 1].shown];
        }
        if (low < z->transition_count || !z->has_footer)
                return s;
        struct span by_rules = {EVER_BACK, EVER_ON, &z->standard};
        if (z->has_rules)
                span_by_rules(z, at, &by_rules);
        if (by_rules.from < s.from)
                by_rules.from = s.from;
        return by_rules;
}

/* ---- TZif files, RFC 8536 3 ---- */

struct counts {
        uint32_t is_ut, is_standard, leap, transitions, types, characters;
};

static bool skip(struct reader *r, uint64_t octets)
{
        if (r->bad || (uint64_t)(r->end - r->at) < octets) {
                r->bad = true;
                return false;
        }
        r->at += octets;
        return true;
}

static bool read_head(struct reader *r, uint8_t *version, struct counts *c)
{
        uint32_t magic = read_u32(r);
        *version = read_u8(r);
        skip(r, 15);
        c->is_ut = read_u32(r);
        c->is_standard = read_u32(r);
        c->leap = read_u32(r);
        c->transitions = read_u32(r);
        c->types = read_u32(r);
        c->characters = read_u32(r);
        return !r->bad && magic == 0x545a6966;
}

static uint64_t block_size(const struct counts *c, unsigned time_size)
{
        return (uint64_t)c->transitions * (time_size + 1) + (uint64_t)c->types * 6 + c->characters +
               (uint64_t)c->leap * (time_size + 4) + c->is_standard + c->is_ut;
}

static bool read_types(struct reader *r, const struct counts *c, struct zone *z)
{
        struct reader names = *r;
        if (!skip(&names, (uint64_t)c->types * 6) || !skip(&names, c->characters))
                return false;
        const char *name = (const char *)names.at - c->characters;
        z->shown_count = c->types;
        z->shown = mem_new(c->types * sizeof *z->shown);
        for (uint32_t i = 0; i < c->types; i++) {
                int offset = (int)(int32_t)read_u32(r);
                skip(r, 1);
                uint8_t from = read_u8(r);
                struct str text = str_from(str_make(name, c->characters), from);
                size_t end = str_chr(text, '\0');
                if (!offset_is_sane(offset) || from >= c->characters || end > ABBREVIATION_MOST)
                        return false;
                z->shown[i].offset = offset;
                memcpy(z->shown[i].name, text.at, end);
        }
        return true;
}

static bool read_transitions(struct reader *r, const struct counts *c, struct zone *z,
        unsigned time_size)
{
        z->transition_count = c->transitions;
        z->transitions = mem_new(c->transitions * sizeof *z->transitions);
        for (uint32_t i = 0; i < c->transitions; i++) {
                struct transition *t = &z->transitions[i];
                t->at = time_size == 8 ? (time_t)read_u64(r) : (time_t)(int32_t)read_u32(r);
                if (i > 0 && t->at <= t[-1].at)
                        return false;
        }
        for (uint32_t i = 0; i < c->transitions; i++) {
                z->transitions[i].shown = read_u8(r);
                if (z->transitions[i].shown >= c->types)
                        return false;
        }
        return !r->bad;
}

/* A zone with leap seconds ("right/...") counts other seconds than time_t does. */
static enum status parse_file(struct str file, struct zone *z)
{
        struct reader r = reader_of(file);
        struct counts c;
        uint8_t version;
        unsigned time_size = 4;
        if (!read_head(&r, &version, &c))
                return ABSENT; /* "zone.tab" and the like lie there too */
        if (version >= '2') {
                time_size = 8;
                if (!skip(&r, block_size(&c, 4)) || !read_head(&r, &version, &c))
                        return DAMAGED;
        }
        if (block_size(&c, time_size) > (uint64_t)(r.end - r.at) || c.types == 0 || c.types > 256)
                return DAMAGED;
        if (c.leap)
                return UNSUPPORTED;
        if (!read_transitions(&r, &c, z, time_size) || !read_types(&r, &c, z))
                return DAMAGED;
        skip(&r, (uint64_t)c.characters + c.is_standard + c.is_ut);
        struct str rest = str_make((const char *)r.at, (size_t)(r.end - r.at));
        if (time_size == 4)
                return OK;
        size_t end = str_eat(&rest, '\n') ? str_chr(rest, '\n') : STR_NOWHERE;
        if (end == STR_NOWHERE)
                return DAMAGED;
        return end == 0 || parse_footer(str_sub(rest, 0, end), z) ? OK : DAMAGED;
}

/* The file's octets. What is no plain file (a folder: "Europe") is no zone. */
static enum status read_file(const char *path, struct buf *out)
{
        struct stat about;
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &about) < 0 || !S_ISREG(about.st_mode) ||
                about.st_size > FILE_MOST) {
                bool failed = fd < 0 && errno != ENOENT && errno != ENOTDIR;
                if (failed)
                        log_error("zone file %s: %s", path, strerror(errno));
                if (fd >= 0)
                        close(fd);
                return failed ? BROKEN : ABSENT;
        }
        ssize_t n = 1;
        while (n > 0 && out->len <= FILE_MOST) {
                n = read(fd, buf_reserve(out, 8192), 8192);
                out->len += n > 0 ? (size_t)n : 0;
        }
        if (n < 0)
                log_error("zone file %s: %s", path, strerror(errno));
        close(fd);
        return n < 0 ? BROKEN : OK;
}

static void zone_free(struct zone *z)
{
        free(z->shown);
        free(z->transitions);
        free(z);
}

static enum status zone_load(struct str name, struct zone **out)
{
        struct buf path = {0}, file = {0};
        buf_addf(&path, ZONE_FOLDER "/%.*s", STR_ARG(name));
        struct zone *z = mem_new(sizeof *z);
        enum status st = read_file(buf_text(&path), &file);
        if (st == OK)
                st = parse_file(buf_str(&file), z);
        if (st == DAMAGED)
                log_error("zone file %s is damaged", buf_text(&path));
        if (st == OK) {
                z->name = str_make(str_text(name), name.len);
                *out = z;
        } else {
                zone_free(z);
        }
        buf_release(&file);
        buf_release(&path);
        return st;
}

/* Letters, digits, '_', '-', '+' and single slashes between: no zone is named otherwise, and so
 * no name leaves the folder. */
static bool name_is_sane(struct str name)
{
        if (name.len == 0 || name.len > NAME_MOST || name.at[name.len - 1] == '/')
                return false;
        for (size_t i = 0; i < name.len; i++) {
                char c = name.at[i];
                bool slash = c == '/' && i > 0 && name.at[i - 1] != '/';
                if (!slash && !is_letter(c) && !is_digit(c) && c != '_' && c != '-' && c != '+')
                        return false;
        }
        return true;
}

/* Zones are constants that happen to lie in files: each is read once, never changes and is never
 * freed, so that a borrowed one stays good for ever. Hence the one table for the whole process;
 * it is bounded by the number of zone files. */
enum status zone_find(struct str name, const struct zone **out)
{
        static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
        static struct map *loaded;
        struct zone *z;
        enum status st = OK;
        if (!name_is_sane(name))
                return INVALID;
        pthread_mutex_lock(&lock);
        if (!loaded)
                loaded = map_new();
        z = map_get(loaded, name);
        if (!z) {
                st = zone_load(name, &z);
                if (st == OK)
                        map_put(loaded, name, z);
        }
        pthread_mutex_unlock(&lock);
        if (st == OK)
                *out = z;
        return st;
}

struct str zone_name(const struct zone *z)
{
        return z->name;
}

struct civil zone_civil(const struct zone *z, time_t at)
{
        const struct shown *shown = span_at(z, time_within_reason(at)).shown;
        struct civil c = civil_from_time(at, shown->offset);
        memcpy(c.name, shown->name, sizeof shown->name);
        return c;
}

/* The first instant at which the clock shows this or something later: that is the first of a
 * doubled time and the end of a gap, be it half an hour or a whole day (Apia, 30 Dec 2011). */
time_t zone_instant(const struct zone *z, int year, int month, int day, int hour, int minute)
{
        time_t local = days_from_civil(year, month, day) * DAY + (int64_t)hour * 3600 +
                       (int64_t)minute * 60;
        local = time_within_reason(local);
        struct span s = span_at(z, local - OFFSET_MOST - 1); /* no clock is as far ahead as that */
        for (;;) {
                time_t at = local - s.shown->offset;
                if (at < s.from)
                        at = s.from;
                if (at < s.until)
                        return at;
                s = span_at(z, s.until);
        }
}
