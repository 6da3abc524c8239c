#include "base/text.h"
#include "imap/found.h"
#include "imap/search.h"
#include "store/subjects.h"
#include "team/room.h"

/* SORT (RFC 5256): by what was derived when the messages were filed. */

enum what { BY_ARRIVAL, BY_DATE, BY_SIZE, BY_SUBJECT, BY_FROM, BY_TO, BY_CC };
/* texts: subject, from, to, cc; no order is finer than so many octets of them */
enum { CRITERIA_MAX = 32, TEXTS = 4, TEXT_MAX = SUBJECT_OCTETS, TEXT_USUAL = 100 };

struct criterion {
        enum what what;
        bool reverse;
};

struct sorting {
        struct criterion criteria[CRITERIA_MAX];
        size_t count;
        unsigned read; /* READ_ bits; 0: entries are enough */
        bool ranked;   /* subjects are compared by rank */
};

struct row {
        const struct sorting *order;
        uint32_t number, subject; /* its rank */
        time_t arrival, date;
        uint64_t size;
        struct str text[TEXTS];
};

static void one_criterion(struct parse *p, struct sorting *o)
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

static void order_parse(struct parse *p, struct sorting *o)
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
        struct arena *arena, const struct batch *b, const struct sorting *order, struct row *rows)
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
        const struct sorting *order, struct table *out)
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

/* ---- subjects, of large folders ---- */

enum { MANY = 256 }; /* of fewer the subjects are read */

/* Is the order of all subjects of the folder worth its price? It is kept for the next time. */
static bool is_worth_ranks(
        const struct session *s, const struct numset *found, const struct sorting *order)
{
        uint32_t count = numset_count(found);
        bool by_subject = false;
        for (size_t i = 0; i < order->count; i++)
                by_subject |= order->criteria[i].what == BY_SUBJECT;
        return by_subject && count >= MANY && count >= s->selected->view->count / 4;
}

/* When nothing else is asked for, nothing else is read. */
static void rows_of_ranks(struct session *s, const struct numset *found,
        const struct subjects *subjects, struct table *out)
{
        struct walk w = numset_walk(found);
        size_t i = 0;
        for (uint32_t n; walk_next(&w, &n);) {
                while (i < subjects->count && subjects->number[i] < n)
                        i++;
                if (i < subjects->count && subjects->number[i] == n &&
                        numset_has(s->selected->view->numbers, n))
                        out->rows[out->count++] = (struct row){
                                .number = n, .subject = subjects->rank[i]};
        }
}

static void take_ranks(const struct subjects *subjects, struct table *out)
{
        size_t i = 0;
        for (size_t k = 0; k < out->count; k++) {
                while (i < subjects->count && subjects->number[i] < out->rows[k].number)
                        i++;
                if (i < subjects->count && subjects->number[i] == out->rows[k].number)
                        out->rows[k].subject = subjects->rank[i];
        }
}

static enum status read_ranked(
        struct session *s, const struct numset *found, struct sorting *order, struct table *out)
{
        const struct subjects *subjects;
        enum status st = subjects_open(s->site->store, s->selected->view, &subjects);
        if (st != OK)
                return st;
        order->ranked = true;
        order->read &= ~(unsigned)READ_SUMMARY;
        if (order->count == 1) {
                rows_of_ranks(s, found, subjects, out);
        } else {
                st = read_all(s, found, order, out);
                take_ranks(subjects, out);
        }
        for (size_t i = 0; i < out->count; i++)
                out->rows[i].order = order;
        subjects_close(s->site->store, subjects);
        return st;
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
        case BY_SUBJECT:
                if (a->order->ranked)
                        return by_number(a->subject, b->subject);
                /* fall through */
        default:
                return str_cmp(a->text[what - BY_SUBJECT], b->text[what - BY_SUBJECT]);
        }
}

/* RFC 5256 3: what is equal stands in the order of the mailbox, reversed or not. */
static int by_order(const struct row *a, const struct row *b)
{
        const struct sorting *order = a->order;
        for (size_t i = 0; i < order->count; i++) {
                int c = compare(a, b, order->criteria[i].what);
                if (c != 0)
                        return order->criteria[i].reverse ? -c : c;
        }
        return by_number(a->number, b->number);
}

/* A row as it is moved about: numbers of the first criterion, or the first octets of its text, put
 * most rows in order; the others are compared. */
struct ordered {
        uint64_t key;
        const struct row *row;
};

static uint64_t key_of(const struct row *row, const struct criterion *c)
{
        uint64_t key = 0;
        struct str text = STR_NONE;
        if (c->what == BY_ARRIVAL || c->what == BY_DATE)
                key = (uint64_t)(c->what == BY_DATE ? row->date : row->arrival) ^ 1ULL << 63;
        else if (c->what == BY_SIZE)
                key = row->size;
        else if (c->what == BY_SUBJECT && row->order->ranked)
                key = row->subject;
        else
                text = row->text[c->what - BY_SUBJECT];
        for (size_t i = 0; i < text.len && i < sizeof key; i++)
                key |= (uint64_t)(unsigned char)text.at[i] << (56 - 8 * i);
        return c->reverse ? ~key : key;
}

/* One octet of the keys; what is equal stays as it stands. False: it is the same in all. */
static bool sort_octet(const struct ordered *from, struct ordered *to, size_t n, unsigned shift)
{
        size_t starts[256] = {0}, at = 0;
        for (size_t i = 0; i < n; i++)
                starts[from[i].key >> shift & 255]++;
        if (starts[from[0].key >> shift & 255] == n)
                return false;
        for (size_t i = 0; i < 256; i++) {
                size_t count = starts[i];
                starts[i] = at;
                at += count;
        }
        for (size_t i = 0; i < n; i++)
                to[starts[from[i].key >> shift & 255]++] = from[i];
        return true;
}

static int by_row(const void *a, const void *b)
{
        return by_order(((const struct ordered *)a)->row, ((const struct ordered *)b)->row);
}

/* The rows come in the order of the mailbox. `both` has room for twice as many; which half has the
 * answer is returned. */
static struct ordered *in_order(
        const struct table *t, const struct sorting *order, struct ordered *both)
{
        struct ordered *now = both, *then = both + t->count;
        for (size_t i = 0; i < t->count; i++)
                now[i] = (struct ordered){key_of(&t->rows[i], &order->criteria[0]), &t->rows[i]};
        for (unsigned shift = 0; t->count > 0 && shift < 64; shift += 8) {
                if (!sort_octet(now, then, t->count, shift))
                        continue;
                struct ordered *other = now;
                now = then;
                then = other;
        }
        for (size_t i = 0, end; i < t->count; i = end) {
                for (end = i + 1; end < t->count && now[end].key == now[i].key;)
                        end++;
                if (end - i > 1)
                        qsort(now + i, end - i, sizeof *now, by_row);
        }
        return now;
}

static void print_sorted(struct session *s, const struct table *t, const struct sorting *order)
{
        struct buf *out = imap_out(s);
        struct ordered *both = mem_new((2 * t->count + 1) * sizeof *both);
        const struct ordered *sorted = in_order(t, order, both);
        buf_add_text(out, "* SORT");
        for (size_t i = 0; i < t->count; i++) {
                uint32_t n = sorted[i].row->number;
                buf_add_char(out, ' ');
                buf_add_number(out, s->uid ? n : imap_sequence(s, n));
        }
        free(both);
}

/* Gathers the answer; its end is said when the memory has been given back. */
static enum status say_sorted(struct session *s, const struct numset *found, struct sorting *order)
{
        size_t each = sizeof(struct row) + 2 * sizeof(struct ordered) + TEXT_USUAL;
        uint64_t room = numset_count(found) * (uint64_t)each;
        enum status st = room_take(s->site->room, s->wire, room);
        if (st != OK)
                return st;
        struct table t = {.rows = mem_new((numset_count(found) + 1) * sizeof *t.rows),
                .arena = arena_new()};
        if (is_worth_ranks(s, found, order))
                st = read_ranked(s, found, order, &t);
        else
                st = read_all(s, found, order, &t);
        if (st == OK)
                print_sorted(s, &t, order);
        free(t.rows);
        arena_free(t.arena);
        room_leave(s->site->room, room);
        return st;
}

static enum status sort(struct session *s, struct key *key, struct sorting *order)
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
        struct sorting order = {0};
        enum charset charset;
        order_parse(&p, &order);
        struct key *key = keys_parse_sorted(&p, &charset);
        enum status st = search_charset(s, charset);
        if (st != OK)
                return st;
        return key ? sort(s, key, &order) : INVALID;
}
