#include "mail/header.h"
#include "nntp/range.h"
#include "nntp/session.h"

enum {
        ROOM = 65536,
        BATCH = 64,
        HEADER_MAX = 262144, /* octets of a header in which a field is sought */
};

/* What HDR, XHDR or XPAT wants. */
struct wanted {
        struct str field;
        size_t column;       /* of the overview; 0: the field is in the article only */
        const char *missing; /* the value of a field that is not there; NULL: no line */
        const struct str *patterns; /* XPAT: at least one must match */
        size_t pattern_count;
        bool by_id; /* lines begin with 0 */
};

static size_t overview_column(struct str field)
{
        static const char *const names[] = {"Subject", "From",   "Date",   "Message-ID",
                                            "References", ":bytes", ":lines", "Xref"};
        for (size_t i = 0; i < COUNT_OF(names); i++)
                if (str_same(field, str_of(names[i])))
                        return i + 1;
        return 0;
}

static bool passes(const struct wanted *w, struct str value)
{
        for (size_t i = 0; i < w->pattern_count; i++)
                if (range_pattern(w->patterns[i], value))
                        return true;
        return !w->pattern_count;
}

/* RFC 3977 8.5.2: a field that is not there has an empty value. */
static void put_value(struct session *s, const struct wanted *w, uint32_t number, struct str value)
{
        if (!value.len && w->missing)
                value = str_of(w->missing);
        else if (!value.len && w->pattern_count)
                return;
        if (passes(w, value))
                wire_say(s->wire, "%u %.*s", w->by_id ? 0 : number, STR_ARG(value));
}

/* ---- from the overview ---- */

static void put_from_line(struct session *s, const struct wanted *w, struct str line)
{
        uint32_t number;
        struct str value = STR("");
        if (!str_cut(&line, '\t', &value) || str_u32(value, &number) != OK)
                return;
        for (size_t i = 0; i < w->column; i++) {
                value = STR("");
                str_cut(&line, '\t', &value);
        }
        if (str_starts_same(value, STR("Xref: "))) /* this column is written with its name */
                value = str_from(value, 6);
        put_value(s, w, number, value);
}

CHECKED static enum status from_overview(struct session *s, const struct wanted *w,
        const struct view *view, struct overview_range range)
{
        struct buf lines = {0};
        uint32_t next = range.low;
        enum status st = OK;
        while (next && range.low <= range.high && st == OK && !wire_gone(s->wire)) {
                buf_clear(&lines);
                st = overview_read(s->site->store, view, &range, &lines, &next);
                struct str rest = buf_str(&lines), line;
                while (st == OK && str_line(&rest, &line))
                        put_from_line(s, w, line);
                range.low = next;
        }
        buf_release(&lines);
        return st;
}

/* ---- from the articles ---- */

/* The prefix goes before the message: its fields are found first. */
CHECKED static enum status put_from_article(struct session *s, const struct wanted *w,
        struct place place, const struct stored *m)
{
        struct buf header = {0};
        struct arena *arena = arena_new();
        enum status st = prefix_read(s->site->store, place.mailbox, place.number, &header);
        uint64_t len = m->header_size < HEADER_MAX ? m->header_size : HEADER_MAX;
        if (st == OK)
                st = stored_octets(s->site->store, m, 0, len, &header);
        if (st == OK) {
                struct str text = arena_copy(arena, w->field);
                struct str value = header_value(arena, buf_str(&header), text.at);
                put_value(s, w, place.number, value);
        }
        arena_free(arena);
        buf_release(&header);
        return st == ABSENT ? OK : st;
}

struct batch {
        uint32_t mailbox;
        struct entry v[BATCH];
        size_t count;
};

CHECKED static enum status put_batch(struct session *s, const struct wanted *w,
        const struct batch *b)
{
        uint64_t ids[BATCH];
        enum status st = OK;
        struct arena *arena = arena_new();
        struct stored *m = arena_alloc(arena, BATCH * sizeof *m);
        for (size_t i = 0; i < b->count; i++)
                ids[i] = b->v[i].message;
        if (b->count)
                st = messages_read(s->site->store, ids, b->count, READ_OCTETS, arena, m);
        for (size_t i = 0; i < b->count && st == OK; i++)
                if (m[i].id)
                        st = put_from_article(s, w, (struct place){b->mailbox, b->v[i].number},
                                &m[i]);
        arena_free(arena);
        return st;
}

CHECKED static enum status from_articles(struct session *s, const struct wanted *w,
        const struct view *view, struct overview_range range)
{
        struct batch batch = {.mailbox = view->mailbox};
        struct numset *which = numset_copy(view->numbers);
        enum status st = OK;
        if (range.low > 1)
                numset_remove_range(which, 0, range.low - 1);
        if (range.high < UINT32_MAX)
                numset_remove_range(which, range.high + 1, UINT32_MAX);
        uint32_t from = numset_low(which);
        while (from && st == OK && !wire_gone(s->wire)) {
                batch.count = BATCH;
                st = entries_read(s->site->store, view->mailbox, which, &from, batch.v,
                        &batch.count);
                if (st == OK)
                        st = put_batch(s, w, &batch);
        }
        numset_free(which);
        return st;
}

/* ---- the commands ---- */

static enum status put_block(struct session *s, struct wanted *w, const struct selection *what)
{
        const struct view *view;
        struct overview_range range = {what->low, what->high, ROOM};
        enum status st = over_view(s, what, &view);
        if (st != OK)
                return st;
        w->by_id = what->by_id;
        if (range.low <= range.high && w->column)
                st = from_overview(s, w, view, range);
        else if (range.low <= range.high)
                st = from_articles(s, w, view, range);
        view_close(s->site->store, view);
        if (st == OK)
                wire_dot_end(s->wire);
        else
                wire_close(s->wire); /* half a block must not look like a whole one */
        return OK;
}

static bool is_field_name(struct str name)
{
        for (size_t i = 0; i < name.len; i++)
                if (name.at[i] <= ' ' || name.at[i] >= 127 || (i && name.at[i] == ':'))
                        return false;
        return name.len && (name.at[0] != ':' || overview_column(name));
}

static enum status headers(struct session *s, const struct args *a, struct wanted *w,
        const char *reply)
{
        bool legacy = str_starts(str_of(reply), STR("221"));
        struct selection what;
        w->field = a->v[0];
        w->column = overview_column(w->field);
        if (!is_field_name(w->field))
                return INVALID;
        if (!over_select(s, a->count > 1 ? a->v[1] : STR(""), legacy, &what))
                return OK;
        wire_say(s->wire, "%s", reply);
        return put_block(s, w, &what);
}

enum status nntp_hdr(struct session *s, const struct args *a)
{
        struct wanted w = {0};
        return headers(s, a, &w, "225 Fields follow");
}

enum status nntp_xhdr(struct session *s, const struct args *a)
{
        struct wanted w = {.missing = "(none)"};
        return headers(s, a, &w, "221 Fields follow");
}

/* RFC 2980 2.9: any of the patterns. */
enum status nntp_xpat(struct session *s, const struct args *a)
{
        struct wanted w = {.patterns = a->v + 2, .pattern_count = a->count - 2};
        return headers(s, a, &w, "221 Fields follow");
}
