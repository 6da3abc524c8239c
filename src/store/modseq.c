#include "store/mark.h"
#include "store/marks.h"
#include "store/rows.h"
#include "store/view.h"

/* Was the message at this rank filed after `since`? One that has gone since does not say: then the
 * nearest below that does, down to `low`; *at is its rank. */
static enum status is_after(
        struct store *store, const struct view *view, uint64_t since, uint32_t low, uint32_t *at)
{
        struct entry e;
        enum status st = ABSENT;
        for (uint32_t rank = *at; st == ABSENT && rank >= low; rank--) {
                st = entry_read(store, view->mailbox, numset_select(view->numbers, rank), &e);
                *at = rank;
        }
        return st == OK && e.modseq <= since ? ABSENT : st;
}

/* What came lately is near the end: in steps that double from there, so that what is old costs
 * nothing. */
enum status view_after(struct store *store, const struct view *view, uint64_t since, uint32_t *rank)
{
        uint32_t low = 1, high = view->count + 1, step = 1;
        if (since >= view->modseq)
                low = high;
        if (!since)
                high = low;
        while (low < high) {
                uint32_t half = low + (high - low) / 2;
                uint32_t middle = step < high - half ? high - step : half, at = middle;
                enum status st = is_after(store, view, since, low, &at);
                if (st != OK && st != ABSENT)
                        return st;
                if (st == OK)
                        high = at;
                else
                        low = middle + 1;
                step = step < high ? 2 * step : step;
        }
        *rank = low;
        return OK;
}

/* The highest number that was ever filed as history. 0: none. */
static enum status last_history(struct store *store, uint32_t mailbox, uint32_t *number)
{
        struct key from = key_mark(HISTORY, mailbox, FLAG_INDEX_SEEN, 0);
        struct key upto = key_mark(HISTORY, mailbox, FLAG_INDEX_SEEN + 1, 0);
        struct buf key = {0}, value = {0};
        struct place at;
        struct block bits;
        uint32_t person, run = 0, low, high = 0;
        enum status st = table_last(
                store->env, NULL, TABLE_MARK, key_str(&from), key_str(&upto), &key, &value);
        *number = 0;
        if (st == OK)
                st = block_read(buf_str(&value), &bits);
        if (st == OK && key_mark_read(buf_str(&key), &person, &mailbox, &at)) {
                while (block_run(&bits, &run, &low, &high))
                        continue;
                *number = (at.number << BLOCK_BITS) + high;
        }
        buf_release(&key);
        buf_release(&value);
        return st == ABSENT ? OK : st;
}

/* What is imported has its \Seen from the start, without a note in the index of changes. */
static enum status add_history(
        struct store *store, const struct view *view, uint64_t since, struct numset *flags)
{
        uint32_t last, rank;
        struct entry e;
        enum status st = last_history(store, view->mailbox, &last);
        if (st == OK && last)
                last = numset_prev(view->numbers, last + 1); /* it may have gone */
        if (st != OK || !last)
                return st;
        st = entry_read(store, view->mailbox, last, &e);
        if (st == ABSENT) /* gone since */
                e.modseq = UINT64_MAX, st = OK;
        if (st != OK || e.modseq <= since)
                return st;
        st = view_after(store, view, since, &rank);
        if (st != OK || rank > view->count)
                return st;
        struct mark_place history = {
                .person = HISTORY, .mailbox = view->mailbox, .flag = FLAG_INDEX_SEEN};
        struct numset *new = numset_copy(view->numbers);
        numset_remove_range(new, 0, numset_select(view->numbers, rank) - 1);
        st = mark_get(store, NULL, &history, new, flags);
        numset_free(new);
        return st;
}

/* Old notes may have moved up, beyond the position of a view that is older still (mark.c): so all
 * are read. What is in the view has not vanished from it. */
static enum status add_vanished(
        struct store *store, const struct view *view, uint64_t since, struct numset *vanished)
{
        struct noted all = {view->mailbox, 0, since, UINT64_MAX};
        struct numset *gone = numset_new();
        enum status st = change_noted(store, NULL, &all, gone);
        numset_andnot(gone, view->numbers);
        if (numset_high(gone) > view->high)
                numset_remove_range(gone, view->high + 1, numset_high(gone));
        numset_or(vanished, gone);
        numset_free(gone);
        return st;
}

enum status mailbox_changes(struct store *store, const struct view *view, uint32_t person,
        uint64_t since, struct numset *flags, struct numset *vanished)
{
        struct noted own = {view->mailbox, person, since, view->position};
        enum status st = OK;
        if (person && flags)
                st = change_noted(store, NULL, &own, flags);
        if (st == OK && flags && view->modseq > since)
                st = add_history(store, view, since, flags);
        if (st == OK && vanished)
                st = add_vanished(store, view, since, vanished);
        return st;
}

enum status mailbox_changed_by_others(struct store *store, const struct view *view,
        const struct own_change *own, struct numset *flags)
{
        struct noted noted = {view->mailbox, own->person, own->since, view->position};
        enum status st = OK;
        if (own->modseq) {
                noted.upto = own->modseq - 1;
                st = change_noted(store, NULL, &noted, flags);
                noted = (struct noted){view->mailbox, own->person, own->modseq, view->position};
        }
        return st == OK ? change_noted(store, NULL, &noted, flags) : st;
}

enum status mailbox_modseq(struct store *store, uint32_t mailbox, uint32_t person, uint64_t *out)
{
        const struct view *view;
        struct buf key = {0}, value = {0};
        uint64_t own = 0;
        enum status st = view_open(store, mailbox, &view);
        if (st != OK)
                return st;
        struct key from = key_change(mailbox, person, 0),
                   upto = key_change(mailbox, person, view->position + 1);
        st = person ? table_last(store->env, NULL, TABLE_CHANGE, key_str(&from), key_str(&upto),
                              &key, &value)
                    : ABSENT;
        if (st == OK && !key_change_read(buf_str(&key), &own))
                own = 0;
        *out = own > view->modseq ? own : view->modseq;
        view_close(store, view);
        buf_release(&key);
        buf_release(&value);
        return st == ABSENT ? OK : st;
}

enum status mailbox_changed(struct store *store, const struct view *view, uint32_t person,
        uint64_t since, struct numset *out)
{
        uint32_t rank;
        enum status st = mailbox_changes(store, view, person, since, out, NULL);
        if (st == OK && view->modseq > since)
                st = view_after(store, view, since, &rank);
        else
                rank = UINT32_MAX;
        if (st == OK && rank <= view->count)
                numset_add_range(out, numset_select(view->numbers, rank), view->high);
        numset_and(out, view->numbers);
        return st;
}

/* What the notes after `since` say. Later ones are scanned later, and replace earlier ones. */
static enum status add_noted(struct store *store, const struct view *view,
        const struct changed_since *asked, uint64_t *out)
{
        const struct numset *which = asked->which;
        uint32_t person = asked->person;
        struct key from = key_change(view->mailbox, person, asked->since + 1),
                   upto = key_change(view->mailbox, person, view->position + 1);
        struct scan *scan = scan_open(
                store->env, NULL, TABLE_CHANGE, key_str(&from), key_str(&upto));
        struct str key, value;
        uint64_t modseq;
        uint32_t n;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                struct numset *set = numset_new();
                st = change_read(value, set);
                numset_and(set, which);
                for (struct walk w = numset_walk(set); st == OK && walk_next(&w, &n);) {
                        uint64_t *at = &out[numset_rank(which, n) - 1];
                        if (key_change_read(key, &modseq) && modseq > *at)
                                *at = modseq;
                }
                numset_free(set);
                if (st != OK)
                        break;
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

/* The dates of filing, in MODSEQs, of those numbers that were filed after `since`. */
static enum status add_filed(struct store *store, const struct view *view,
        const struct changed_since *asked, uint64_t *out)
{
        enum { EACH = 256 };
        uint32_t from = 0, rank = 1;
        enum status st = OK;
        if (asked->since && view->modseq <= asked->since)
                return OK;
        if (asked->since)
                st = view_after(store, view, asked->since, &rank);
        if (st != OK || rank > view->count)
                return st;
        from = numset_select(view->numbers, rank);
        struct entry *e = mem_new(EACH * sizeof *e);
        do {
                size_t count = EACH;
                st = entries_read(store, view->mailbox, asked->which, &from, e, &count);
                for (size_t i = 0; st == OK && i < count; i++)
                        out[numset_rank(asked->which, e[i].number) - 1] = e[i].modseq;
        } while (st == OK && from);
        free(e);
        return st;
}

enum status modseqs_since(struct store *store, const struct view *view,
        const struct changed_since *asked, uint64_t *out)
{
        memset(out, 0, numset_count(asked->which) * sizeof *out);
        if (numset_count(asked->which) == 0)
                return OK;
        enum status st = add_filed(store, view, asked, out);
        return st == OK && asked->person ? add_noted(store, view, asked, out) : st;
}

enum status modseqs_read(struct store *store, const struct view *view, uint32_t person,
        const struct numset *which, uint64_t *out)
{
        struct changed_since all = {.person = person, .which = which};
        return modseqs_since(store, view, &all, out);
}
