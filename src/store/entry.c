#include "store/bases.h"
#include "store/rows.h"
#include "store/view.h"

enum {
        SPREAD_MOST = 4,
        SINGLY_MOST = 8,
        ENTRY_OCTETS = 64, /* in a folder, and what Berkeley DB adds; twice that in a topic */
};

/* `prefix` may be NULL. */
static enum status entry_get(
        struct store *store, const struct place *at, struct entry *out, struct buf *prefix)
{
        struct buf value = {0};
        struct packed packed;
        struct key key = key_entry(at->mailbox, at->number);
        enum status st = get_value(store, NULL, TABLE_ENTRY, &key, &value);
        if (st == OK)
                st = entry_decode(buf_str(&value), out, &packed);
        if (st == OK && prefix)
                st = bases_unpack(store, at->mailbox, &packed, prefix);
        out->number = at->number;
        buf_release(&value);
        return st;
}

enum status entry_read(struct store *store, uint32_t mailbox, uint32_t number, struct entry *out)
{
        return entry_get(store, &(struct place){mailbox, number}, out, NULL);
}

enum status entry_read_whole(
        struct store *store, const struct place *at, struct entry *out, struct buf *prefix)
{
        return entry_get(store, at, out, prefix);
}

enum status prefix_read(struct store *store, uint32_t mailbox, uint32_t number, struct buf *out)
{
        struct entry entry;
        enum status st = entry_get(store, &(struct place){mailbox, number}, &entry, out);
        return st == ABSENT ? OK : st;
}

struct wanted {
        const struct numset *which;
        uint32_t first, last; /* of at most *count of them */
        size_t room;
        struct entry *out;
        size_t count;
};

static enum status read_singly(struct store *store, uint32_t mailbox, struct wanted *w)
{
        for (uint32_t n = w->first; n && n <= w->last; n = numset_next(w->which, n)) {
                enum status st = entry_read(store, mailbox, n, &w->out[w->count]);
                if (st == OK)
                        w->count++;
                else if (st != ABSENT)
                        return st;
        }
        return OK;
}

static enum status read_bulk(struct store *store, uint32_t mailbox, struct wanted *w)
{
        struct key from = key_entry(mailbox, w->first), upto = key_entry(mailbox, w->last + 1);
        struct scan *scan = scan_open(
                store->env, NULL, TABLE_ENTRY, key_str(&from), key_str(&upto));
        struct str key, value;
        struct packed packed;
        enum status st = OK;
        uint32_t box, n;
        scan_expect(scan, (size_t)(w->last - w->first + 1) * ENTRY_OCTETS);
        while (w->count < w->room && (st = scan_next(scan, &key, &value)) == OK) {
                if (!key_entry_read(key, &box, &n) || !numset_has(w->which, n))
                        continue;
                st = entry_decode(value, &w->out[w->count], &packed);
                if (st != OK)
                        break;
                w->out[w->count++].number = n;
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

enum status entries_read(struct store *store, uint32_t mailbox, const struct numset *which,
        uint32_t *from, struct entry *out, size_t *count)
{
        struct wanted w = {.which = which, .room = *count, .out = out};
        *count = 0;
        w.first = *from && numset_has(which, *from) ? *from : numset_next(which, *from);
        *from = 0;
        if (!w.first || !w.room)
                return OK;
        uint32_t rank = numset_rank(which, w.first), total = numset_count(which);
        uint64_t last = rank + (uint64_t)w.room - 1;
        w.last = numset_select(which, last < total ? (uint32_t)last : total);
        size_t wanted = (last < total ? last : total) - rank + 1;
        bool singly = wanted <= SINGLY_MOST || (w.last - w.first) / wanted >= SPREAD_MOST;
        enum status st = singly ? read_singly(store, mailbox, &w) : read_bulk(store, mailbox, &w);
        *count = w.count;
        *from = numset_next(which, w.last);
        return st;
}

enum status overview_read(struct store *store, const struct view *view,
        const struct overview_range *range, struct buf *out, uint32_t *next)
{
        uint32_t high = range->high < view->high ? range->high : view->high, box, n;
        size_t start = out->len;
        *next = 0;
        if (range->low > high)
                return OK;
        struct key from = key_entry(view->mailbox, range->low),
                   upto = key_entry(view->mailbox, high + 1);
        struct scan *scan = scan_open(
                store->env, NULL, TABLE_OVERVIEW, key_str(&from), key_str(&upto));
        scan_expect(scan, range->room + range->room / 8 + 4096);
        struct str key, value, line;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                if (!key_entry_read(key, &box, &n) || !numset_has(view->numbers, n))
                        continue;
                if (out->len - start >= range->room) {
                        *next = n;
                        break;
                }
                st = text_read(value, &line);
                if (st != OK)
                        break;
                buf_add_number(out, n);
                buf_add_char(out, '\t');
                buf_add(out, line);
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}
