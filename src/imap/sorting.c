#include "imap/sorting.h"
#include "base/text.h"
#include "store/subjects.h"

/* MANY: of fewer messages the subjects are read; RADIX_FROM: fewer are sorted by comparing */
enum { TEXTS = BY_COUNT - BY_SUBJECT, WINDOW = SUBJECT_OCTETS };
enum { MANY = 256, RADIX_FROM = 64, TEXT_USUAL = 100 };

struct row {
        uint32_t number, subject; /* its rank, when there are ranks */
        time_t arrival, date;
        uint64_t size;
        struct str text[TEXTS]; /* folded; the piece that is compared now */
};

/* A row as it is moved about: `key` is what a criterion compares, or the first octets of it. */
struct ordered {
        uint64_t key;
        struct row *row;
};

const size_t sorting_room =
        sizeof(struct row) + 2 * sizeof(struct ordered) + sizeof(uint32_t) + TEXT_USUAL;

struct sorter {
        struct session *session;
        const struct sorting *sorting;
        const struct subjects *subjects; /* the order of all of the folder; NULL: they are read */
        struct row *rows;
        size_t count;
        struct arena *arena; /* of the first pieces */
};

/* Rows that nothing has told apart so far, in the order of the mailbox. */
struct run {
        struct ordered *at, *spare; /* spare has room for as many */
        size_t count;
};

/* ---- texts ---- */

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

/* "(date subject from sender reply-to to cc ...)" */
static struct str mailbox_of(struct arena *scratch, struct str envelope, enum what what)
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
        return what == BY_FROM ? first[FROM] : what == BY_TO ? first[TO] : first[CC];
}

/* The piece of a message's text that begins at an octet; base subjects are folded already. */
static struct str piece(
        const struct batch *b, size_t i, enum what what, size_t at, struct arena *arena)
{
        const struct stored *m = &b->stored[i];
        struct buf folded = {0};
        if (what == BY_SUBJECT)
                return arena_copy(arena, str_sub(m->base_subject, at, WINDOW));
        text_fold(mailbox_of(b->arena, m->envelope, what), &folded);
        struct str out = arena_copy(arena, str_sub(buf_str(&folded), at, WINDOW));
        buf_release(&folded);
        return out;
}

static unsigned needs(enum what what)
{
        return what < BY_SUBJECT ? 0 : what == BY_SUBJECT ? READ_SUMMARY : READ_ENVELOPE;
}

/* ---- reading ---- */

static void take_batch(struct sorter *s, const struct batch *b)
{
        for (size_t i = 0; i < b->count; i++) {
                const struct stored *m = &b->stored[i];
                struct row *row = &s->rows[s->count++];
                *row = (struct row){.number = b->entries[i].number,
                        .arrival = b->entries[i].date,
                        .date = m->id && m->date ? m->date : b->entries[i].date,
                        .size = b->entries[i].size};
                for (size_t c = 0; c < s->sorting->count; c++) {
                        enum what what = s->sorting->criteria[c].what;
                        if (what > BY_SUBJECT || (what == BY_SUBJECT && !s->subjects))
                                row->text[what - BY_SUBJECT] = piece(b, i, what, 0, s->arena);
                }
        }
}

static enum status read_rows(struct sorter *s, const struct numset *found)
{
        struct batch *b = batch_new(s->session, found);
        b->stored_too = true;
        for (size_t i = 0; i < s->sorting->count; i++)
                if (s->sorting->criteria[i].what != BY_SUBJECT || !s->subjects)
                        b->read |= needs(s->sorting->criteria[i].what);
        enum status st = OK;
        while (st == OK && !wire_gone(s->session->wire)) {
                st = batch_fill(b);
                if (st == OK)
                        take_batch(s, b);
        }
        batch_free(b);
        return st == ABSENT ? OK : st;
}

/* The pieces from `at` on, of these messages only. One that has gone meanwhile has none. */
static enum status read_on(
        struct sorter *s, const struct run *run, enum what what, size_t at, struct arena *arena)
{
        struct numset *numbers = numset_new();
        enum status st = OK;
        size_t row = 0;
        for (size_t i = 0; i < run->count; i++) {
                numset_add(numbers, run->at[i].row->number);
                run->at[i].row->text[what - BY_SUBJECT] = STR_NONE;
        }
        struct batch *b = batch_new(s->session, numbers);
        b->stored_too = true;
        b->read = needs(what);
        while (st == OK && !wire_gone(s->session->wire)) {
                st = batch_fill(b);
                for (size_t i = 0; st == OK && i < b->count; i++) {
                        while (run->at[row].row->number != b->entries[i].number)
                                row++;
                        run->at[row].row->text[what - BY_SUBJECT] = piece(b, i, what, at, arena);
                }
        }
        batch_free(b);
        numset_free(numbers);
        return st == ABSENT ? OK : st;
}

/* ---- subjects, of large folders ---- */

/* Is the order of all subjects of the folder worth its price? It is kept for the next time. */
static bool is_worth_ranks(const struct sorter *s, const struct numset *found)
{
        uint32_t count = numset_count(found);
        bool by_subject = false;
        for (size_t i = 0; i < s->sorting->count; i++)
                by_subject |= s->sorting->criteria[i].what == BY_SUBJECT;
        return by_subject && count >= MANY && count >= s->session->selected->view->count / 4;
}

/* When nothing else is asked for, nothing else is read. */
static void rows_of_subjects(struct sorter *s, const struct numset *found)
{
        const struct subjects *subjects = s->subjects;
        struct walk w = numset_walk(found);
        size_t i = 0;
        for (uint32_t n; walk_next(&w, &n);) {
                while (i < subjects->count && subjects->number[i] < n)
                        i++;
                if (i < subjects->count && subjects->number[i] == n &&
                        numset_has(s->session->selected->view->numbers, n))
                        s->rows[s->count++] = (struct row){.number = n};
        }
}

static void take_ranks(struct sorter *s)
{
        const struct subjects *subjects = s->subjects;
        size_t i = 0;
        for (size_t k = 0; k < s->count; k++) {
                struct row *row = &s->rows[k];
                while (i < subjects->count && subjects->number[i] < row->number)
                        i++;
                if (i == subjects->count || subjects->number[i] != row->number)
                        continue;
                row->subject = subjects->rank[i];
                row->text[0] = subjects->text[row->subject];
        }
}

static enum status take_rows(struct sorter *s, const struct numset *found)
{
        enum status st = OK;
        if (is_worth_ranks(s, found))
                st = subjects_open(
                        s->session->site->store, s->session->selected->view, &s->subjects);
        if (st == OK && s->subjects && s->sorting->count == 1)
                rows_of_subjects(s, found);
        else if (st == OK)
                st = read_rows(s, found);
        if (st == OK && s->subjects)
                take_ranks(s);
        return st;
}

/* ---- comparing ---- */

/* One criterion, from an octet of its text on. */
struct step {
        enum what what;
        bool reverse, exact; /* exact: the key says it all */
};

static uint64_t text_key(struct str text)
{
        uint64_t key = 0;
        for (size_t i = 0; i < text.len && i < sizeof key; i++)
                key |= (uint64_t)(unsigned char)ascii_upper(text.at[i]) << (56 - 8 * i);
        return key;
}

static uint64_t key_of(const struct row *row, const struct step *step)
{
        uint64_t key;
        switch (step->what) {
        case BY_ARRIVAL:
                key = (uint64_t)row->arrival ^ 1ULL << 63;
                break;
        case BY_DATE:
                key = (uint64_t)row->date ^ 1ULL << 63;
                break;
        case BY_SIZE:
                key = row->size;
                break;
        default:
                key = step->exact ? row->subject : text_key(row->text[step->what - BY_SUBJECT]);
        }
        return step->reverse ? ~key : key;
}

/* Of two with the same key. */
static int compare(const struct ordered *a, const struct ordered *b, const struct step *step)
{
        if (step->exact)
                return 0;
        size_t which = step->what - BY_SUBJECT;
        int c = str_order(a->row->text[which], b->row->text[which]);
        return step->reverse ? -c : c;
}

/* RFC 5256 3: what is equal stands in the order of the mailbox, reversed or not. */
static int by_step(const void *x, const void *y, void *step)
{
        const struct ordered *a = x, *b = y;
        if (a->key != b->key)
                return a->key < b->key ? -1 : 1;
        int c = compare(a, b, step);
        if (c != 0)
                return c;
        return a->row->number < b->row->number ? -1 : a->row->number > b->row->number;
}

/* ---- sorting ---- */

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

static void sort_keys(struct run run)
{
        struct ordered *now = run.at, *then = run.spare;
        for (unsigned shift = 0; shift < 64; shift += 8) {
                if (!sort_octet(now, then, run.count, shift))
                        continue;
                struct ordered *other = now;
                now = then;
                then = other;
        }
        if (now != run.at)
                memcpy(run.at, now, run.count * sizeof *now);
}

static void sort_step(struct run run, struct step *step)
{
        for (size_t i = 0; i < run.count; i++)
                run.at[i].key = key_of(run.at[i].row, step);
        if (run.count < RADIX_FROM) {
                qsort_r(run.at, run.count, sizeof *run.at, by_step, step);
                return;
        }
        sort_keys(run);
        for (size_t i = 0, end; !step->exact && i < run.count; i = end) {
                for (end = i + 1; end < run.count && run.at[end].key == run.at[i].key;)
                        end++;
                if (end - i > 1)
                        qsort_r(run.at + i, end - i, sizeof *run.at, by_step, step);
        }
}

/* Of how many rows from `from` on this step makes no difference. */
static size_t same(const struct run *run, size_t from, const struct step *step)
{
        size_t n = 1;
        while (from + n < run->count && run->at[from + n].key == run->at[from].key &&
                compare(&run->at[from], &run->at[from + n], step) == 0)
                n++;
        return n;
}

/* Where a run goes on: by the next piece of the same texts, or by the next criterion. */
struct rest {
        size_t from, count;
        bool goes_on;
};

/* The runs that this step leaves undecided; the array is the caller's. */
static size_t undecided(const struct run *run, const struct step *step, struct rest **out)
{
        size_t count = 0, room = 0;
        *out = NULL;
        for (size_t from = 0, n; from < run->count; from += n) {
                n = same(run, from, step);
                if (n == 1)
                        continue;
                if (count == room) {
                        room = 2 * room + 16;
                        *out = mem_grow(*out, room * sizeof **out);
                }
                const struct row *row = run->at[from].row;
                bool goes_on = step->what >= BY_SUBJECT &&
                               row->text[step->what - BY_SUBJECT].len == WINDOW;
                (*out)[count++] = (struct rest){from, n, goes_on};
        }
        return count;
}

/* By a criterion from an octet on, and what that leaves undecided by what follows. Recurses as deep
 * as there are criteria and pieces of texts, whose length is bounded when mail is filed. */
static enum status sort_run(struct sorter *s, struct run run, size_t criterion, size_t at)
{
        if (criterion == s->sorting->count || wire_gone(s->session->wire))
                return OK;
        const struct criterion *by = &s->sorting->criteria[criterion];
        bool ranked = by->what == BY_SUBJECT && s->subjects && at == 0;
        struct step step = {by->what, by->reverse, ranked || by->what < BY_SUBJECT};
        struct arena *arena = arena_new();
        struct rest *rest = NULL;
        size_t count = 0;
        enum status st = at > 0 ? read_on(s, &run, by->what, at, arena) : OK;
        if (st == OK) {
                sort_step(run, &step);
                count = undecided(&run, &step, &rest);
        }
        arena_free(arena); /* and with it the pieces, which nobody looks at again */
        for (size_t i = 0; st == OK && i < count; i++) {
                struct run part = {run.at + rest[i].from, run.spare + rest[i].from, rest[i].count};
                st = rest[i].goes_on ? sort_run(s, part, criterion, at + WINDOW)
                                     : sort_run(s, part, criterion + 1, 0);
        }
        free(rest);
        return st;
}

static enum status sort_all(struct sorter *s, struct sorted *out)
{
        struct ordered *both = mem_new((2 * s->count + 1) * sizeof *both);
        for (size_t i = 0; i < s->count; i++)
                both[i].row = &s->rows[i];
        enum status st = OK;
        if (s->count > 0)
                st = sort_run(s, (struct run){both, both + s->count, s->count}, 0, 0);
        for (size_t i = 0; i < s->count; i++)
                out->numbers[i] = both[i].row->number;
        out->count = s->count;
        free(both);
        return st;
}

enum status sorting_run(struct session *session, const struct sorting *sorting,
        const struct numset *found, struct sorted *out)
{
        size_t room = (size_t)numset_count(found) + 1;
        struct sorter s = {.session = session,
                .sorting = sorting,
                .rows = mem_new(room * sizeof *s.rows),
                .arena = arena_new()};
        *out = (struct sorted){.numbers = mem_new(room * sizeof *out->numbers)};
        enum status st = take_rows(&s, found);
        if (st == OK)
                st = sort_all(&s, out);
        subjects_close(session->site->store, s.subjects);
        arena_free(s.arena);
        free(s.rows);
        return st;
}
