#include "store/shown.h"
#include "store/mark.h"
#include "store/rows.h"

static enum status put_pair(
        struct txn *txn, uint32_t person, const struct place *from, const struct place *to)
{
        struct key key = key_shown(person, from, to);
        struct buf empty = {0};
        text_write(STR_NONE, &empty);
        return put_value(txn, TABLE_SHOWN, &key, &empty);
}

enum status shown_put(
        struct txn *txn, uint32_t person, const struct place *a, const struct place *b)
{
        enum status st = put_pair(txn, person, a, b);
        return st == OK ? put_pair(txn, person, b, a) : st;
}

/* The pairs that begin at numbers of one mailbox, in their order. */
static struct scan *scan_pairs(struct txn *txn, struct op *op, uint32_t person, uint32_t mailbox,
        const struct numset *numbers)
{
        struct key low = key_shown_from(person, mailbox, numset_low(numbers));
        struct key high = key_shown_from(person, mailbox, numset_high(numbers));
        struct buf upto = {0};
        key_after(key_str(&high), &upto);
        struct scan *scan =
                scan_open(op->store->env, txn, TABLE_SHOWN, key_str(&low), buf_str(&upto));
        buf_release(&upto);
        return scan;
}

/* ABSENT at the end. */
static enum status next_pair(struct scan *scan, struct place *from, struct place *to)
{
        struct str key, value;
        uint32_t person;
        enum status st = scan_next(scan, &key, &value);
        return st == OK && !key_shown_read(key, &person, from, to)
                ? codec_damaged("where a message is shown")
                : st;
}

enum status shown_drop(struct txn *txn, struct op *op, uint32_t person, uint32_t mailbox,
        const struct numset *gone)
{
        struct scan *scan = scan_pairs(txn, op, person, mailbox, gone);
        struct place from, to;
        enum status st;
        while ((st = next_pair(scan, &from, &to)) == OK) {
                if (!numset_has(gone, from.number))
                        continue;
                struct key there = key_shown(person, &from, &to),
                           back = key_shown(person, &to, &from);
                st = drop_value(txn, TABLE_SHOWN, &there);
                if (st == OK)
                        st = drop_value(txn, TABLE_SHOWN, &back);
                if (st != OK)
                        break;
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

/* ---- marks ---- */

/* The other places, gathered by mailbox, so that each is marked at one stroke. */
struct others {
        uint32_t *mailboxes;
        struct numset **numbers;
        size_t count;
};

static struct numset *others_in(struct others *o, uint32_t mailbox)
{
        for (size_t i = 0; i < o->count; i++)
                if (o->mailboxes[i] == mailbox)
                        return o->numbers[i];
        o->mailboxes = mem_grow(o->mailboxes, (o->count + 1) * sizeof *o->mailboxes);
        o->numbers = mem_grow(o->numbers, (o->count + 1) * sizeof(struct numset *));
        o->mailboxes[o->count] = mailbox;
        o->numbers[o->count] = numset_new();
        return o->numbers[o->count++];
}

static void others_release(struct others *o)
{
        for (size_t i = 0; i < o->count; i++)
                numset_free(o->numbers[i]);
        free(o->numbers);
        free(o->mailboxes);
}

static enum status others_find(
        struct txn *txn, struct op *op, const struct shown_marks *m, struct others *out)
{
        struct scan *scan = scan_pairs(txn, op, m->person, m->mailbox, m->numbers);
        struct place from, to;
        enum status st;
        while ((st = next_pair(scan, &from, &to)) == OK)
                if (numset_has(m->numbers, from.number))
                        numset_add(others_in(out, to.mailbox), to.number);
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

static enum status mark_other(struct txn *txn, struct op *op, const struct shown_marks *m,
        uint32_t mailbox, const struct numset *numbers, struct numset *touched)
{
        struct numset *changed = numset_new();
        struct mark_place place = {.person = m->person, .mailbox = mailbox};
        struct row *row;
        enum status st = rows_get(txn, op->store, mailbox, &row);
        for (unsigned i = 0; st == OK && i < FLAG_COUNT; i++) {
                place.flag = i;
                if (m->flags >> i & 1)
                        st = mark_set(txn, op, &place, numbers, m->on >> i & 1, changed);
        }
        if (st == OK)
                st = change_note(txn, op, mailbox, m->person, changed);
        if (st == OK && numset_low(changed))
                numset_add(touched, mailbox);
        numset_free(changed);
        return st == ABSENT ? OK : st; /* the topic has gone */
}

enum status shown_mark(
        struct txn *txn, struct op *op, const struct shown_marks *m, struct numset **touched)
{
        struct others others = {0};
        *touched = NULL;
        if (!m->flags || !numset_low(m->numbers))
                return OK;
        enum status st = others_find(txn, op, m, &others);
        if (st == OK && others.count)
                *touched = numset_new();
        for (size_t i = 0; st == OK && i < others.count; i++)
                st = mark_other(txn, op, m, others.mailboxes[i], others.numbers[i], *touched);
        others_release(&others);
        return st;
}
