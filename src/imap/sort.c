#include "base/text.h"
#include "imap/found.h"
#include "imap/search.h"
#include "team/room.h"

/* SORT (RFC 5256): by what was derived when the messages were filed. */

enum what { BY_ARRIVAL, BY_DATE, BY_SIZE, BY_SUBJECT, BY_FROM, BY_TO, BY_CC };
/* texts: subject, from, to, cc; no order is finer than so many octets of them */
enum { CRITERIA_MAX = 32, TEXTS = 4, TEXT_MAX = 250, TEXT_USUAL = 100 };

struct criterion {
        enum what what;
        bool reverse;
};

struct order {
        struct criterion criteria[CRITERIA_MAX];
        size_t count;
        unsigned read; /* READ_ bits; 0: entries are enough */
};

struct row {
        const struct order *order;
        uint32_t number;
        time_t arrival, date;
        uint64_t size;
        struct str text[TEXTS];
};

static void one_criterion(struct parse *p, struct order *o)
{
        /* clang-format off */
        static const struct { const char *name; enum what what; unsigned read; } known[] = {
                {"ARRIVAL", BY_ARRIVAL, 0}, {"CC", BY_CC, READ_ENVELOPE}, {"DATE", BY_DATE, 0},
                {"FROM", BY_FROM, READ_ENVELOPE}, {"SIZE", BY_SIZE, 0},
                {"SUBJECT", BY_SUBJECT, READ_SUMMARY}, {"TO", BY_TO, READ_ENVELOPE}};
        /* clang-format on */
        bool reverse = parse_word(p, "REVERSE");
        if (reverse)
                parse_space(p);
        for (size_t i = 0; i < COUNT_OF(known) && o->count < CRITERIA_MAX; i++) {
                if (!parse_word(p, known[i].name))
                        continue;
                o->criteria[o->count++] = (struct criterion){known[i].what, reverse};
                o->read |= known[i].read;
                return;
        }
        parse_fail(p);
}

static void order_parse(struct parse *p, struct order *o)
{
        if (!parse_char(p, '('))
                parse_fail(p);
        do {
                one_criterion(p, o);
        } while (parse_char(p, ' ') && !p->bad);
        if (!parse_char(p, ')'))
                parse_fail(p);
        parse_space(p);
}

/* ---- reading ---- */

static void skip_string(struct parse *p)
{
        (void)parse_nstring(p);
}

/* The mailbox of the first address of a list, as the envelope has it; the rest is passed over. */
static struct str first_mailbox(struct parse *p)
{
        struct str mailbox = STR_NONE;
        bool first = true;
        if (parse_word(p, "NIL"))
                return STR_NONE;
        if (!parse_char(p, '('))
                parse_fail(p);
        while (!p->bad && parse_char(p, '(')) {
                skip_string(p);
                parse_space(p);
                skip_string(p);
                parse_space(p);
                struct str one = parse_nstring(p);
                parse_space(p);
                skip_string(p);
                if (!parse_char(p, ')'))
                        parse_fail(p);
                if (first)
                        mailbox = one;
                first = false;
        }
        if (!parse_char(p, ')'))
                parse_fail(p);
        return p->bad ? STR_NONE : mailbox;
}

static struct str folded(struct arena *arena, struct str text)
{
        struct buf b = {0};
        text_fold(str_sub(text, 0, TEXT_MAX), &b);
        struct str out = arena_copy(arena, buf_str(&b));
        buf_release(&b);
        return out;
}

/* "(date subject from sender reply-to to cc ...)" */
static void take_addresses(
        struct arena *scratch, struct arena *arena, struct str envelope, struct row *row)
{
        enum { FROM, SENDER, REPLY_TO, TO, CC, LISTS };
        struct str first[LISTS];
        struct parse p = parse_of(scratch, envelope);
        (void)parse_char(&p, '(');
        skip_string(&p);
        parse_space(&p);
        skip_string(&p);
        for (size_t i = 0; i < LISTS; i++) {
                parse_space(&p);
                first[i] = first_mailbox(&p);
        }
        row->text[BY_FROM - BY_SUBJECT] = folded(arena, first[FROM]);
        row->text[BY_TO - BY_SUBJECT] = folded(arena, first[TO]);
        row->text[BY_CC - BY_SUBJECT] = folded(arena, first[CC]);
}

static void take_batch(
        struct arena *arena, const struct batch *b, const struct order *order, struct row *rows)
{
        for (size_t i = 0; i < b->count; i++) {
                const struct stored *m = &b->stored[i];
                struct row *row = &rows[i];
                *row = (struct row){.order = order,
                        .number = b->entries[i].number,
                        .arrival = b->entries[i].date,
                        .date = m->id && m->date ? m->date : b->entries[i].date,
                        .size = b->entries[i].size};
                if (order->read & READ_SUMMARY)
                        row->text[0] = arena_copy(arena, str_sub(m->base_subject, 0, TEXT_MAX));
                if (order->read & READ_ENVELOPE)
                        take_addresses(b->arena, arena, m->envelope, row);
        }
}

/* The rows of what was found, with their texts. */
struct table {
        struct row *rows;
        size_t count;
        struct arena *arena;
};

static enum status read_all(struct session *s, const struct numset *found,
        const struct order *order, struct table *out)
{
        struct batch *b = batch_new(s, found);
        b->stored_too = true;
        b->read = order->read;
        enum status st = OK;
        while (st == OK && !wire_gone(s->wire)) {
                st = batch_fill(b);
                if (st == OK)
                        take_batch(out->arena, b, order, out->rows + out->count);
                out->count += st == OK ? b->count : 0;
        }
        batch_free(b);
        return st == ABSENT ? OK : st;
}

/* ---- sorting ---- */

static int by_number(uint64_t a, uint64_t b)
{
        return a < b ? -1 : a > b;
}

static int by_time(time_t a, time_t b)
{
        return a < b ? -1 : a > b;
}

static int compare(const struct row *a, const struct row *b, enum what what)
{
        switch (what) {
        case BY_ARRIVAL:
                return by_time(a->arrival, b->arrival);
        case BY_DATE:
                return by_time(a->date, b->date);
        case BY_SIZE:
                return by_number(a->size, b->size);
        default:
                return str_cmp(a->text[what - BY_SUBJECT], b->text[what - BY_SUBJECT]);
        }
}

/* RFC 5256 3: what is equal stands in the order of the mailbox, reversed or not. */
static int by_order(const void *x, const void *y)
{
        const struct row *a = x, *b = y;
        const struct order *order = a->order;
        for (size_t i = 0; i < order->count; i++) {
                int c = compare(a, b, order->criteria[i].what);
                if (c != 0)
                        return order->criteria[i].reverse ? -c : c;
        }
        return by_number(a->number, b->number);
}

static void print_sorted(struct session *s, struct table *t)
{
        struct buf *out = imap_out(s);
        qsort(t->rows, t->count, sizeof *t->rows, by_order);
        buf_add_text(out, "* SORT");
        for (size_t i = 0; i < t->count; i++)
                buf_addf(out, " %u",
                        s->uid ? t->rows[i].number : imap_sequence(s, t->rows[i].number));
}

/* Gathers the answer; its end is said when the memory has been given back. */
static enum status say_sorted(
        struct session *s, const struct numset *found, const struct order *order)
{
        uint64_t room = numset_count(found) * (uint64_t)(sizeof(struct row) + TEXT_USUAL);
        enum status st = room_take(s->site->room, s->wire, room);
        if (st != OK)
                return st;
        struct table t = {.rows = mem_new((numset_count(found) + 1) * sizeof *t.rows),
                .arena = arena_new()};
        st = read_all(s, found, order, &t);
        if (st == OK)
                print_sorted(s, &t);
        free(t.rows);
        arena_free(t.arena);
        room_leave(s->site->room, room);
        return st;
}

static enum status sort(struct session *s, struct key *key, const struct order *order)
{
        struct numset *found;
        uint64_t highest = 0;
        enum status st = search_run(s, key, &found);
        if (st != OK)
                return st;
        if (key_has(key, KEY_MODSEQ))
                st = found_highest(s, found, &highest);
        if (st == OK)
                st = say_sorted(s, found, order);
        if (st == OK && highest)
                buf_addf(imap_out(s), " (MODSEQ %llu)", (unsigned long long)highest);
        if (st == OK)
                imap_end(s);
        numset_free(found);
        return st;
}

enum status imap_sort(struct session *s, const struct args *a)
{
        struct parse p = imap_arguments(s, a);
        struct order order = {0};
        enum charset charset;
        order_parse(&p, &order);
        struct key *key = keys_parse_sorted(&p, &charset);
        enum status st = search_charset(s, charset);
        if (st != OK)
                return st;
        return key ? sort(s, key, &order) : INVALID;
}
