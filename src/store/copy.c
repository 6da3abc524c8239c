#include "store/mark.h"
#include "store/rows.h"
#include "store/view.h"

enum { NUMBER_LAST = 0x7fffffff };

struct copy_op {
        struct op op;
        struct copying *copying; /* borrowed */
        struct numset *numbers, *from, *to;
        enum status status;
};

/* Leaves of the keywords there those that some of these messages have. */
static enum status drop_unused(struct txn *txn, struct copy_op *c, struct words *words)
{
        struct mark_place there = {.person = c->copying->person, .mailbox = c->copying->from};
        struct numset *have = numset_new();
        enum status st = OK;
        for (unsigned i = 0; st == OK && i < words->count; i++) {
                numset_clear(have);
                there.flag = FLAG_INDEX_KEYWORDS + i;
                st = mark_get(c->op.store, txn, &there, c->numbers, have);
                if (!numset_low(have))
                        words->at[i] = STR_NONE;
        }
        numset_free(have);
        return st;
}

static enum status check_room(struct txn *txn, struct copy_op *c, const struct words *words)
{
        struct str list[KEYWORDS_MAX];
        struct marking m = {
                .mailbox = c->copying->to, .person = c->copying->person, .keywords = list};
        for (size_t i = 0; i < words->count; i++)
                if (words->at[i].len)
                        list[m.keyword_count++] = words->at[i];
        return m.keyword_count ? words_check(txn, &c->op, &m) : OK;
}

/* Keywords go along, or nothing is copied (RFC 9051 6.4.7: flags are preserved). Which of them these
 * messages have is read only where there is no place for all. */
static enum status check_words(struct txn *txn, struct copy_op *c)
{
        struct buf value = {0};
        struct words words;
        enum status st = words_get(c->op.store, txn, c->copying->person, c->copying->from, &value,
                &words);
        if (st == OK)
                st = check_room(txn, c, &words);
        if (st == TOO_MANY) {
                st = drop_unused(txn, c, &words);
                st = st == OK ? check_room(txn, c, &words) : st;
        }
        buf_release(&value);
        return st;
}

static enum status copy_check(struct txn *txn, struct op *op)
{
        struct copy_op *c = (struct copy_op *)op;
        struct row *row;
        enum status st = c->status;
        if (st == OK)
                st = rows_get(txn, op->store, c->copying->from, &row);
        if (st == OK)
                st = rows_get(txn, op->store, c->copying->to, &row);
        if (st == OK && (row->mailbox.kind == MAILBOX_BOARD || row->mailbox.kind == MAILBOX_TASKS))
                return FORBIDDEN;
        if (st == OK && numset_count(c->numbers) > NUMBER_LAST - row->mailbox.next)
                return TOO_MANY;
        return st == OK && c->copying->person ? check_words(txn, c) : st;
}

static enum status put_entry(struct txn *txn, const struct place *at, const struct entry *e)
{
        struct key key = key_entry(at->mailbox, at->number),
                   place = key_place(e->message, at->mailbox, at->number);
        struct buf value = {0};
        entry_write(e, &(struct packed){0}, &value);
        enum status st = put_value(txn, TABLE_ENTRY, &key, &value);
        if (st != OK)
                return st;
        place_write(e->modseq, &value);
        return put_value(txn, TABLE_PLACE, &place, &value);
}

static enum status add_reference(struct txn *txn, struct op *op, uint64_t message)
{
        struct message_record m;
        struct buf value = {0};
        struct key key = key_message(message);
        enum status st = get_value(op->store, txn, TABLE_MESSAGE, &key, &value);
        if (st == OK)
                st = message_read(buf_str(&value), &m);
        if (st == OK) {
                struct buf more = {0};
                m.refs++;
                message_write(&m, &more);
                st = put_value(txn, TABLE_MESSAGE, &key, &more);
        }
        buf_release(&value);
        return st == ABSENT ? codec_damaged("an entry without message") : st;
}

static enum status copy_one(struct txn *txn, struct copy_op *c, uint32_t number, struct row *to)
{
        struct key key = key_entry(c->copying->from, number);
        struct buf value = {0};
        struct entry e;
        struct packed prefix;
        enum status st = get_value(c->op.store, txn, TABLE_ENTRY, &key, &value);
        if (st == OK)
                st = entry_decode(buf_str(&value), &e, &prefix);
        buf_release(&value);
        if (st != OK)
                return st;
        struct place at = {.mailbox = to->mailbox.id, .number = to->mailbox.next};
        e.modseq = c->op.modseq;
        e.size -= e.prefix_size;
        st = add_reference(txn, &c->op, e.message);
        if (st == OK)
                st = put_entry(txn, &at, &e);
        to->mailbox.next++;
        to->mailbox.count++;
        numset_add(c->from, number);
        numset_add(c->to, at.number);
        return st;
}

/* The numbers that have one flag there get another here; copies stand in the order of what was
 * copied. */
static enum status copy_flag(
        struct txn *txn, struct copy_op *c, unsigned from, unsigned to, struct numset *flagged)
{
        struct mark_place there = {c->copying->person, c->copying->from, from};
        struct mark_place here = {c->copying->person, c->copying->to, to};
        struct numset *have = numset_new(), *get = numset_new();
        uint32_t n, low = numset_low(c->to);
        enum status st = mark_get(c->op.store, txn, &there, c->from, have);
        for (struct walk w = numset_walk(have); st == OK && walk_next(&w, &n);)
                numset_add(get, low + numset_rank(c->from, n) - 1);
        if (st == OK)
                st = mark_set(txn, &c->op, &here, get, true, NULL);
        numset_or(flagged, get);
        numset_free(have);
        numset_free(get);
        return st;
}

static enum status copy_words(struct txn *txn, struct copy_op *c, struct numset *flagged)
{
        struct mark_place here = {.person = c->copying->person, .mailbox = c->copying->to};
        struct buf value = {0};
        struct words words;
        enum status st = words_get(c->op.store, txn, here.person, c->copying->from, &value, &words);
        for (unsigned i = 0; st == OK && i < words.count; i++) {
                struct mark_place there = {here.person, c->copying->from, FLAG_INDEX_KEYWORDS + i};
                struct numset *have = numset_new();
                unsigned flag;
                st = mark_get(c->op.store, txn, &there, c->from, have);
                if (st == OK && numset_low(have)) {
                        st = words_make(txn, &c->op, &here, words.at[i], &flag);
                        if (st == OK)
                                st = copy_flag(txn, c, there.flag, flag, flagged);
                }
                numset_free(have);
        }
        buf_release(&value);
        return st;
}

static enum status copy_flags(struct txn *txn, struct copy_op *c)
{
        struct numset *flagged = numset_new();
        enum status st = OK;
        for (unsigned i = 0; st == OK && i < FLAG_COUNT; i++)
                st = copy_flag(txn, c, i, i, flagged);
        if (st == OK)
                st = copy_words(txn, c, flagged);
        if (st == OK)
                st = change_note(txn, &c->op, c->copying->to, c->copying->person, flagged);
        numset_free(flagged);
        return st;
}

static void tell(const struct copy_op *c)
{
        if (c->copying->from_numbers) {
                numset_clear(c->copying->from_numbers);
                numset_or(c->copying->from_numbers, c->from);
        }
        if (c->copying->to_numbers) {
                numset_clear(c->copying->to_numbers);
                numset_or(c->copying->to_numbers, c->to);
        }
}

static enum status copy_put(struct txn *txn, struct op *op)
{
        struct copy_op *c = (struct copy_op *)op;
        struct row *to;
        uint32_t n;
        enum status st = rows_get(txn, op->store, c->copying->to, &to);
        numset_clear(c->from);
        numset_clear(c->to);
        for (struct walk w = numset_walk(c->numbers); st == OK && walk_next(&w, &n);) {
                st = copy_one(txn, c, n, to);
                st = st == ABSENT ? OK : st; /* it has gone meanwhile */
        }
        if (st != OK || !numset_low(c->to))
                return st;
        to->mailbox.modseq = op->modseq;
        rows_touch(op->store, to);
        if (c->copying->person)
                st = copy_flags(txn, c);
        tell(c);
        return st;
}

static void copy_publish(struct store *store, struct op *op)
{
        struct copy_op *c = (struct copy_op *)op;
        if (numset_low(c->to))
                views_added(op, c->copying->to, numset_low(c->to), numset_high(c->to));
        views_passed(store, op);
}

static void copy_free(struct op *op)
{
        struct copy_op *c = (struct copy_op *)op;
        numset_free(c->numbers);
        numset_free(c->from);
        numset_free(c->to);
        free(c);
}

static const struct op_kind copy_kind = {
        .name = "a copy",
        .check = copy_check,
        .put = copy_put,
        .publish = copy_publish,
        .free = copy_free,
};

void change_copy(struct change *change, struct copying *copying)
{
        struct copy_op *c = mem_new(sizeof *c);
        const struct view *view;
        c->op.kind = &copy_kind;
        c->copying = copying;
        c->numbers = numset_copy(copying->numbers);
        c->from = numset_new();
        c->to = numset_new();
        tell(c);
        c->status = view_open(change->store, copying->from, &view);
        if (c->status == OK) {
                numset_and(c->numbers, view->numbers);
                view_close(change->store, view);
        }
        change_op(change, &c->op);
}
