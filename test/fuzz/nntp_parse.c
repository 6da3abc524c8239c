/* A line that a newsreader sends: verb, variant, numbers, Message-IDs, dates, patterns. */
#include "base/wildmat.h"
#include "nntp/range.h"
#include "nntp/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1795305600 }; /* 2026-11-22 */

static void require(bool good, const char *what)
{
        if (!good)
                fail_now("%s", what);
}

static void check_named(struct str text)
{
        struct named range, one;
        bool is_range = range_named(text, false, &range) == OK;
        bool is_one = range_named(text, true, &one) == OK;
        require(range.kind == one.kind, "two opinions");
        require(!is_one || is_range, "a number that is no range");
        if (!is_one)
                return;
        require(range.low == one.low && range.high == one.high, "two numbers");
        if (one.kind == NAMED_ID)
                require(str_eq(one.id, text) && text.len >= 3 && text.at[text.len - 1] == '>', "an id that is none");
}

/* Whatever day it is, written again it is the same. */
static void check_since(const struct args *a, size_t at)
{
        time_t since, again;
        if (a->count < at + 2 || range_since(a, at, NOW, &since) != OK)
                return;
        struct tm t;
        require(gmtime_r(&since, &t) != NULL, "a time that cannot be");
        if (t.tm_year + 1900 > 9999) /* 9999-12-31 23:59:60 */
                return;
        struct buf date = {0}, hour = {0};
        buf_addf(&date, "%04d%02d%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
        buf_addf(&hour, "%02d%02d%02d", t.tm_hour, t.tm_min, t.tm_sec);
        require(range_date(buf_str(&date), buf_str(&hour), NOW, &again) == OK && again == since,
                "a date that changed");
        buf_release(&date);
        buf_release(&hour);
}

static void check_patterns(struct str pattern, struct str text)
{
        if (pattern.len > 2000 || text.len > 2000)
                return; /* a command line has 8,192 octets; the work is their product */
        (void)wildmat(pattern, text);
        (void)range_pattern(pattern, text);
        require(wildmat(STR("*"), text) && range_pattern(STR("*"), text), "a star that fails");
}

static void check_line(struct str line)
{
        struct verb_table table = {nntp_verbs, nntp_verb_count};
        struct spoken o;
        struct args second;
        enum status st = verb_read(table, line, &o);
        if (st == TOO_MANY)
                return;
        require((st == ABSENT) == (o.verb == NULL), "a row and none");
        if (st == OK && o.verb->max != ARGS_RAW)
                require(o.args.count >= o.verb->min && o.args.count <= o.verb->max, "miscounted");
        require(args_split(o.args.rest, &second) == OK, "words that are too many the second time");
        require(second.count + (second.name.len > 0) <= o.args.count, "more words the second time");
        for (size_t i = 0; i < o.args.count; i++) {
                check_named(o.args.v[i]);
                check_since(&o.args, i);
                check_patterns(o.args.v[i], o.args.rest);
                if (i > 0)
                        check_patterns(o.args.v[i - 1], o.args.v[i]);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *exact = mem_copy(data, size);
        struct str rest = {exact, size}, line;
        while (str_line(&rest, &line))
                check_line(line);
        free(exact);
        return 0;
}
