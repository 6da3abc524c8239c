#include "store/kept.h"
#include "store/mark.h"
#include "store/rows.h"
#include "store/shown.h"
#include "store/view.h"

/* ---- reading ---- */

/* The MODSEQ of a person's last change in a mailbox; 0: there was none. */
static enum status last_change(
        struct store *store, uint32_t mailbox, uint32_t person, uint64_t *modseq)
{
        struct buf key = {0}, value = {0};
        struct key from = key_change(mailbox, person, 0),
                   upto = key_change(mailbox, person, UINT64_MAX);
        *modseq = 0;
        enum status st = table_last(
                store->env, NULL, TABLE_CHANGE, key_str(&from), key_str(&upto), &key, &value);
        if (st == OK && !key_change_read(buf_str(&key), modseq))
                st = codec_damaged("changes");
        buf_release(&key);
        buf_release(&value);
        return st == ABSENT ? OK : st;
}

/* What has been read may be of changes that are not flushed: these are waited for. A change's note
 * is in its transaction, so it was there when its marks were. */
static enum status settle(struct store *store, uint32_t mailbox, uint32_t person)
{
        uint64_t modseq;
        enum status st = last_change(store, mailbox, person, &modseq);
        return st == OK ? views_wait_for(store, modseq) : st;
}

/* Adds what is stored under this prefix of marks to the sets; sets[f] may be NULL: not wanted. */
static enum status load_marks(struct store *store, const struct key *prefix, struct numset **sets)
{
        struct scan *scan = scan_prefix(store, NULL, TABLE_MARK, prefix);
        struct str key, value;
        struct place at;
        struct block bits;
        uint32_t person, mailbox;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                uint32_t place = 0, low, high;
                if (!key_mark_read(key, &person, &mailbox, &at) || !sets[at.mailbox])
                        continue;
                st = block_read(value, &bits);
                if (st != OK)
                        break;
                while (block_run(&bits, &place, &low, &high))
                        numset_add_range(sets[at.mailbox], (at.number << BLOCK_BITS) + low,
                                (at.number << BLOCK_BITS) + high);
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

/* One flag's numbers as a person sees them. */
static enum status load_seen(
        struct store *store, uint32_t mailbox, uint32_t person, struct numset *seen)
{
        struct numset *sets[256] = {NULL}, *history = numset_new();
        struct key own = key_marks_of(person, mailbox, FLAG_INDEX_SEEN);
        struct key all = key_marks_of(HISTORY, mailbox, FLAG_INDEX_SEEN);
        sets[FLAG_INDEX_SEEN] = seen;
        enum status st = load_marks(store, &own, sets);
        sets[FLAG_INDEX_SEEN] = history;
        if (st == OK && person != HISTORY)
                st = load_marks(store, &all, sets);
        numset_xor(seen, history);
        numset_free(history);
        return st;
}

enum status seen_load(struct store *store, uint32_t mailbox, uint32_t person, struct numset **out)
{
        *out = numset_new();
        enum status st = load_seen(store, mailbox, person, *out);
        if (st == OK)
                st = settle(store, mailbox, person);
        if (st == OK)
                return OK;
        numset_free(*out);
        *out = NULL;
        return st;
}

enum status seen_own_load(
        struct store *store, uint32_t mailbox, uint32_t person, struct numset **out)
{
        struct numset *sets[256] = {NULL};
        struct key own = key_marks_of(person, mailbox, FLAG_INDEX_SEEN);
        sets[FLAG_INDEX_SEEN] = *out = numset_new();
        enum status st = load_marks(store, &own, sets);
        if (st == OK)
                st = settle(store, mailbox, person);
        if (st == OK)
                return OK;
        numset_free(*out);
        *out = NULL;
        return st;
}

static void clear_words(struct marks *m)
{
        for (size_t i = 0; i < m->keyword_count; i++) {
                free((void *)(uintptr_t)m->keywords[i].at);
                numset_free(m->keyword[i]);
        }
        free(m->keywords);
        free(m->keyword);
        m->keywords = NULL;
        m->keyword = NULL;
        m->keyword_count = 0;
}

static void take_words(struct marks *m, const struct words *words)
{
        m->keywords = mem_new((words->count + 1) * sizeof *m->keywords);
        m->keyword = mem_new((words->count + 1) * sizeof *m->keyword);
        m->keyword_count = words->count;
        for (size_t i = 0; i < words->count; i++) {
                m->keywords[i] = str_make(str_text(words->at[i]), words->at[i].len);
                m->keyword[i] = numset_new();
        }
}

static enum status load_all(struct store *store, struct marks *m)
{
        struct numset *sets[256] = {NULL};
        struct key prefix = key_marks(m->person, m->mailbox);
        struct key all = key_marks_of(HISTORY, m->mailbox, FLAG_INDEX_SEEN);
        struct buf value = {0};
        struct words words;
        enum status st = words_get(store, NULL, m->person, m->mailbox, &value, &words);
        clear_words(m);
        take_words(m, &words);
        for (unsigned i = 0; i < FLAG_COUNT; i++) {
                numset_clear(m->flag[i]);
                sets[i] = m->flag[i];
        }
        for (size_t i = 0; i < words.count; i++)
                sets[FLAG_INDEX_KEYWORDS + i] = m->keyword[i];
        if (st == OK)
                st = load_marks(store, &prefix, sets);
        if (st == OK) {
                struct numset *history = numset_new(), *only[256] = {NULL};
                only[FLAG_INDEX_SEEN] = history;
                st = load_marks(store, &all, only);
                numset_xor(m->flag[0], history);
                numset_free(history);
        }
        buf_release(&value);
        return st;
}

enum status marks_load(struct store *store, uint32_t mailbox, uint32_t person, struct marks **out)
{
        struct marks *m = mem_new(sizeof *m);
        m->mailbox = mailbox;
        m->person = person;
        for (unsigned i = 0; i < FLAG_COUNT; i++)
                m->flag[i] = numset_new();
        enum status st = load_all(store, m);
        if (st == OK)
                st = settle(store, mailbox, person);
        *out = m;
        if (st == OK)
                return OK;
        marks_free(m);
        *out = NULL;
        return st;
}

/* Its own sets, as they are now: what is shared is never changed. */
static void make_own(struct marks *m)
{
        if (!m->shared)
                return;
        struct marks own = {.mailbox = m->mailbox, .person = m->person};
        own.keywords = mem_new((m->keyword_count + 1) * sizeof *own.keywords);
        own.keyword = mem_new((m->keyword_count + 1) * sizeof *own.keyword);
        own.keyword_count = m->keyword_count;
        for (unsigned i = 0; i < FLAG_COUNT; i++)
                own.flag[i] = numset_copy(m->flag[i]);
        for (size_t i = 0; i < m->keyword_count; i++) {
                own.keywords[i] = str_make(str_text(m->keywords[i]), m->keywords[i].len);
                own.keyword[i] = numset_copy(m->keyword[i]);
        }
        cache_drop(m->kept, &m->shared->cached);
        *m = own;
}

void marks_free(struct marks *m)
{
        if (!m)
                return;
        if (m->shared) {
                cache_drop(m->kept, &m->shared->cached);
                free(m);
                return;
        }
        for (unsigned i = 0; i < FLAG_COUNT; i++)
                numset_free(m->flag[i]);
        clear_words(m);
        free(m);
}

static uint32_t first_unseen(const struct marks *m, const struct view *view)
{
        struct numset *unseen = numset_copy(view->numbers);
        numset_andnot(unseen, m->flag[0]);
        uint32_t first = numset_low(unseen);
        numset_free(unseen);
        return first;
}

/* Only what was read between two looks at the last change that saw the same is kept: it holds
 * nothing later. */
static enum status load_shared(struct store *store, const struct view *view,
        const struct kept_at *at, struct shared_marks **out)
{
        struct marks *m;
        uint64_t own = 0;
        enum status st = marks_load(store, at->mailbox, at->person, &m);
        if (st == OK)
                st = last_change(store, at->mailbox, at->person, &own);
        if (st != OK) {
                marks_free(m);
                return st;
        }
        struct kept_at known = *at;
        known.own = own == at->own ? own : UINT64_MAX; /* which is never asked for */
        *out = kept_put(store->kept, &known, m, first_unseen(m, view));
        free(m);
        return OK;
}

enum status marks_open(struct store *store, const struct view *view, uint32_t person,
        struct marks **out, uint32_t *unseen)
{
        struct kept_at at = {.mailbox = view->mailbox, .person = person, .shared = view->modseq};
        struct shared_marks *shared = NULL;
        *out = NULL;
        enum status st = last_change(store, view->mailbox, person, &at.own);
        if (st == OK)
                st = views_wait_for(store, at.own);
        if (st == OK)
                shared = kept_get(store->kept, &at);
        if (st == OK && !shared)
                st = load_shared(store, view, &at, &shared);
        if (st != OK)
                return st;
        *out = mem_new(sizeof **out);
        **out = shared->marks;
        (*out)->shared = shared;
        (*out)->kept = store->kept;
        *unseen = shared->unseen;
        return OK;
}

unsigned marks_flags(const struct marks *m, uint32_t number)
{
        unsigned flags = 0;
        for (unsigned i = 0; i < FLAG_COUNT; i++)
                flags |= numset_has(m->flag[i], number) ? 1u << i : 0;
        return flags;
}

/* One block of one flag, anew. */
static enum status refresh_block(struct store *store, const struct marks *m, unsigned flag,
        uint32_t block, struct numset *set)
{
        struct mark_place place = {.person = m->person, .mailbox = m->mailbox, .flag = flag};
        struct numset *which = numset_new();
        uint32_t low = block << BLOCK_BITS;
        numset_add_range(which, low ? low : 1, low + BLOCK_NUMBERS - 1);
        numset_remove_range(set, low, low + BLOCK_NUMBERS - 1);
        enum status st = mark_get(store, NULL, &place, which, set);
        numset_free(which);
        return st;
}

static bool same_words(const struct marks *m, const struct words *words)
{
        if (m->keyword_count != words->count)
                return false;
        for (size_t i = 0; i < words->count; i++)
                if (!str_eq(m->keywords[i], words->at[i]))
                        return false;
        return true;
}

enum { BLOCKS_SINGLY = 8 }; /* of more, all is read again in bulk */

enum status marks_refresh(struct store *store, struct marks *m, const struct numset *numbers)
{
        struct buf value = {0};
        struct words words;
        uint32_t blocks[BLOCKS_SINGLY + 1];
        size_t count = 0;
        make_own(m);
        enum status st = words_get(store, NULL, m->person, m->mailbox, &value, &words);
        for (uint32_t n = numset_low(numbers); n && count <= BLOCKS_SINGLY;) {
                blocks[count++] = n >> BLOCK_BITS;
                n = numset_next(numbers, n | (BLOCK_NUMBERS - 1));
        }
        bool all = count > BLOCKS_SINGLY || !same_words(m, &words);
        buf_release(&value);
        if (st == OK && all)
                st = load_all(store, m);
        for (size_t i = 0; st == OK && !all && i < count; i++) {
                for (unsigned f = 0; st == OK && f < FLAG_COUNT; f++)
                        st = refresh_block(store, m, f, blocks[i], m->flag[f]);
                for (size_t k = 0; st == OK && k < m->keyword_count; k++)
                        st = refresh_block(store, m, FLAG_INDEX_KEYWORDS + (unsigned)k, blocks[i],
                                m->keyword[k]);
        }
        return st == OK ? settle(store, m->mailbox, m->person) : st;
}

/* ---- changing ---- */

struct marks_op {
        struct op op;
        struct marking *marking; /* borrowed */
        struct numset *numbers;  /* those that were there at `position` */
        uint64_t position;
        enum status status;
        struct numset *touched;  /* mailboxes that show some of them, or NULL */
};

static enum status marks_check(struct txn *txn, struct op *op)
{
        struct marks_op *o = (struct marks_op *)op;
        struct row *row;
        if (o->status != OK)
                return o->status;
        enum status st = rows_get(txn, op->store, o->marking->mailbox, &row);
        return st == OK && o->marking->how != MARK_REMOVE ? words_check(txn, op, o->marking) : st;
}

/* Leaves out what has vanished since the view from which the numbers were taken. */
static enum status drop_vanished(struct txn *txn, struct marks_op *o, struct numset *numbers)
{
        struct noted since = {o->marking->mailbox, 0, o->position, UINT64_MAX};
        struct numset *gone = numset_new();
        enum status st = change_noted(o->op.store, txn, &since, gone);
        numset_andnot(numbers, gone);
        numset_free(gone);
        return st;
}

static enum status modseq_of(
        struct txn *txn, struct op *op, uint32_t mailbox, uint32_t number, uint64_t *out)
{
        struct buf value = {0};
        struct key key = key_entry(mailbox, number);
        struct entry e = {0};
        struct packed prefix;
        enum status st = get_value(op->store, txn, TABLE_ENTRY, &key, &value);
        if (st == OK)
                st = entry_decode(buf_str(&value), &e, &prefix);
        *out = e.modseq; /* 0 for one that has gone */
        buf_release(&value);
        return st == ABSENT ? OK : st;
}

/* CONDSTORE (RFC 7162 3.1.3): what this person sees changed after unchanged_since. Numbers are
 * given in the order of MODSEQ, so those filed after it are the upper end of the set. */
static enum status leave_changed(struct txn *txn, struct marks_op *o, struct numset *numbers)
{
        const struct marking *m = o->marking;
        struct noted since = {m->mailbox, m->person, m->unchanged_since, UINT64_MAX};
        struct numset *left = numset_new();
        uint32_t low = 1,
                 high = numset_count(numbers) + 1; /* the first rank that was filed after it */
        uint64_t modseq;
        enum status st = change_noted(o->op.store, txn, &since, left);
        while (st == OK && low < high) {
                uint32_t middle = low + (high - low) / 2;
                st = modseq_of(txn, &o->op, m->mailbox, numset_select(numbers, middle), &modseq);
                if (modseq > m->unchanged_since)
                        high = middle;
                else
                        low = middle + 1;
        }
        if (low <= numset_count(numbers))
                numset_add_range(left, numset_select(numbers, low), UINT32_MAX);
        numset_and(left, numbers);
        numset_andnot(numbers, left);
        if (m->left)
                numset_or(m->left, left);
        numset_free(left);
        return st;
}

static enum status set_words(
        struct txn *txn, struct marks_op *o, const struct numset *numbers, struct numset *changed)
{
        const struct marking *m = o->marking;
        struct mark_place place = {.person = m->person, .mailbox = m->mailbox};
        struct buf value = {0};
        struct words words;
        enum status st = words_get(o->op.store, txn, m->person, m->mailbox, &value, &words);
        for (size_t i = 0; st == OK && m->how != MARK_ADD && i < words.count; i++) {
                bool named = false;
                for (size_t k = 0; k < m->keyword_count; k++)
                        named = named || str_same(m->keywords[k], words.at[i]);
                place.flag = FLAG_INDEX_KEYWORDS + (unsigned)i;
                if (named == (m->how == MARK_REMOVE))
                        st = mark_set(txn, &o->op, &place, numbers, false, changed);
        }
        for (size_t k = 0; st == OK && m->how != MARK_REMOVE && k < m->keyword_count; k++) {
                st = words_make(txn, &o->op, &place, m->keywords[k], &place.flag);
                if (st == OK)
                        st = mark_set(txn, &o->op, &place, numbers, true, changed);
        }
        buf_release(&value);
        return st;
}

static enum status set_flags(
        struct txn *txn, struct marks_op *o, const struct numset *numbers, struct numset *changed)
{
        const struct marking *m = o->marking;
        struct mark_place place = {.person = m->person, .mailbox = m->mailbox};
        enum status st = OK;
        for (unsigned i = 0; st == OK && i < FLAG_COUNT; i++) {
                bool named = m->flags >> i & 1;
                place.flag = i;
                if (named || m->how == MARK_REPLACE)
                        st = mark_set(txn, &o->op, &place, numbers, named && m->how != MARK_REMOVE,
                                changed);
        }
        return st == OK ? set_words(txn, o, numbers, changed) : st;
}

/* Reading it here is reading it where else it is shown. */
static enum status set_shown(struct txn *txn, struct marks_op *o, const struct numset *numbers)
{
        const struct marking *m = o->marking;
        struct shown_marks shown = {.person = m->person, .mailbox = m->mailbox, .numbers = numbers};
        shown.flags = m->how == MARK_REPLACE ? SHOWN_FLAGS : m->flags & SHOWN_FLAGS;
        shown.on = m->how == MARK_REMOVE ? 0 : m->flags;
        numset_free(o->touched);
        o->touched = NULL;
        return shown_mark(txn, &o->op, &shown, &o->touched);
}

static enum status marks_put(struct txn *txn, struct op *op)
{
        struct marks_op *o = (struct marks_op *)op;
        struct marking *m = o->marking;
        struct numset *numbers = numset_copy(o->numbers), *changed = numset_new();
        enum status st = drop_vanished(txn, o, numbers);
        if (m->left)
                numset_clear(m->left);
        if (st == OK && m->unchanged_since)
                st = leave_changed(txn, o, numbers);
        if (st == OK)
                st = set_flags(txn, o, numbers, changed);
        if (st == OK)
                st = change_note(txn, op, m->mailbox, m->person, changed);
        if (st == OK)
                st = set_shown(txn, o, numbers);
        m->modseq = numset_low(changed) ? op->modseq : 0;
        numset_free(numbers);
        numset_free(changed);
        return st;
}

static void marks_publish(struct store *store, struct op *op)
{
        const struct marks_op *o = (struct marks_op *)op;
        const struct marking *m = o->marking;
        uint32_t mailbox;
        if (m->modseq)
                views_marked(op, m->mailbox, m->person);
        if (o->touched)
                for (struct walk w = numset_walk(o->touched); walk_next(&w, &mailbox);)
                        views_marked(op, mailbox, m->person);
        views_passed(store, op);
}

static void marks_op_free(struct op *op)
{
        numset_free(((struct marks_op *)op)->numbers);
        numset_free(((struct marks_op *)op)->touched);
        free(op);
}

static const struct op_kind marks_kind = {
        .name = "marks",
        .check = marks_check,
        .put = marks_put,
        .publish = marks_publish,
        .free = marks_op_free,
};

void change_marks(struct change *change, struct marking *marking)
{
        struct marks_op *o = mem_new(sizeof *o);
        const struct view *view;
        o->op.kind = &marks_kind;
        o->marking = marking;
        o->numbers = numset_copy(marking->numbers);
        o->status = marking->person == HISTORY ? INVALID
                                               : view_open(change->store, marking->mailbox, &view);
        if (o->status == OK) {
                numset_and(o->numbers, view->numbers);
                o->position = view->position;
                view_close(change->store, view);
        }
        change_op(change, &o->op);
}

enum status marks_store(struct store *store, struct marking *marking)
{
        struct change *change = change_new(store);
        change_marks(change, marking);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}
