#include "store/queue.h"
#include "store/codec_queue.h"
#include "store/release.h"
#include "store/rows.h"
#include "store/view.h"

static enum status get_row(struct store *store, struct txn *txn, uint64_t id, struct arena *arena,
        struct queue_row *out)
{
        struct buf value = {0};
        struct key key = key_queue(id);
        enum status st = get_value(store, txn, TABLE_QUEUE, &key, &value);
        if (st == OK)
                st = queue_read(buf_str(&value), arena, out);
        if (st == OK)
                out->id = id;
        buf_release(&value);
        return st;
}

static enum status put_row(struct txn *txn, const struct queue_row *row)
{
        struct buf value = {0}, empty = {0};
        struct key key = key_queue(row->id), at = key_queue_at(row->next, row->id);
        queue_write(row, &value);
        enum status st = put_value(txn, TABLE_QUEUE, &key, &value);
        if (st != OK || !queue_waits(row))
                return st;
        text_write(STR_NONE, &empty);
        return put_value(txn, TABLE_QUEUE, &at, &empty);
}

static enum status drop_time(struct txn *txn, const struct queue_row *row)
{
        struct key at = key_queue_at(row->next, row->id);
        return queue_waits(row) ? drop_value(txn, TABLE_QUEUE, &at) : OK;
}

struct str queue_sender(const struct queue_row *row, const struct queue_recipient *to)
{
        return to->own_sender ? to->sender : row->sender;
}

/* ---- changes ---- */

enum queue_what { ADD, UPDATE, REMOVE };
struct queue_op {
        struct op op;
        enum queue_what what;
        struct queue_row *added;     /* borrowed */
        const struct queue_row *row; /* borrowed */
        struct arena *arena;
        struct queue_row old;
        struct released released;
};

static enum status queue_check(struct txn *txn, struct op *op)
{
        struct queue_op *q = (struct queue_op *)op;
        if (q->what == ADD)
                return q->added->recipient_count > QUEUE_RECIPIENTS_MOST ? TOO_MANY : OK;
        arena_reset(q->arena);
        enum status st = get_row(op->store, txn, q->row->id, q->arena, &q->old);
        if (st != OK)
                return st;
        return q->old.version == q->row->version ? OK : CHANGED;
}

static bool same_mail(const struct queue_row *a, const struct queue_row *b)
{
        if (!str_eq(a->sender, b->sender) || a->person != b->person || a->list != b->list ||
                a->recipient_count != b->recipient_count)
                return false;
        for (size_t i = 0; i < a->recipient_count; i++)
                if (!str_eq(a->recipients[i].address, b->recipients[i].address))
                        return false;
        return true;
}

/* The row in which this mail waits already: a client that lost our reply sends it again. ABSENT. */
static enum status find_same(struct txn *txn, struct queue_op *q)
{
        struct key prefix = key_queue_holders(q->added->message);
        struct scan *scan = scan_prefix(q->op.store, txn, TABLE_QUEUE, &prefix);
        struct str key, value;
        uint64_t message, id;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                if (!key_queue_of_read(key, &message, &id))
                        continue;
                arena_reset(q->arena);
                st = get_row(q->op.store, txn, id, q->arena, &q->old);
                if (st != OK)
                        break;
                if (!same_mail(&q->old, q->added))
                        continue;
                q->added->id = id;
                break;
        }
        scan_close(scan);
        return st;
}

static enum status put_new(struct txn *txn, struct queue_op *q)
{
        struct queue_row *row = q->added;
        struct buf empty = {0};
        enum status st = counter_take(txn, q->op.store, COUNTER_QUEUE, &row->id);
        struct key of = key_queue_of(row->message, row->id);
        if (st == OK)
                st = message_hold(txn, &q->op, row->message);
        if (st == OK)
                st = put_row(txn, row);
        if (st != OK)
                return st;
        text_write(STR_NONE, &empty);
        return put_value(txn, TABLE_QUEUE, &of, &empty);
}

static enum status queue_put(struct txn *txn, struct op *op)
{
        struct queue_op *q = (struct queue_op *)op;
        if (q->what == ADD) {
                if (q->added->unless && q->added->unless->already)
                        return OK;
                if (q->added->filing)
                        q->added->message = q->added->filing->message;
                enum status st = q->added->part ? ABSENT : find_same(txn, q);
                return st == ABSENT ? put_new(txn, q) : st;
        }
        enum status st = drop_time(txn, &q->old);
        if (st != OK)
                return st;
        if (q->what == UPDATE) {
                struct queue_row row = *q->row;
                row.message = q->old.message;
                row.version++;
                return put_row(txn, &row);
        }
        struct key key = key_queue(q->old.id), of = key_queue_of(q->old.message, q->old.id);
        q->released = (struct released){0};
        st = drop_value(txn, TABLE_QUEUE, &key);
        if (st == OK)
                st = drop_value(txn, TABLE_QUEUE, &of);
        return st == OK ? message_release(txn, op, q->old.message, &q->released) : st;
}

static void queue_free(struct op *op)
{
        struct queue_op *q = (struct queue_op *)op;
        if (q->released.left)
                leftovers_clear(op->store);
        arena_free(q->arena);
        free(q);
}

static const struct op_kind queue_kind = {
        .name = "the queue",
        .check = queue_check,
        .put = queue_put,
        .publish = views_passed,
        .free = queue_free,
};

static struct queue_op *queue_op(struct change *change, enum queue_what what)
{
        struct queue_op *q = mem_new(sizeof *q);
        q->op.kind = &queue_kind;
        q->what = what;
        q->arena = arena_new();
        change_op(change, &q->op);
        return q;
}

void change_queue_add(struct change *change, struct queue_row *row)
{
        queue_op(change, ADD)->added = row;
}

void change_queue_update(struct change *change, const struct queue_row *row)
{
        queue_op(change, UPDATE)->row = row;
}

void change_queue_remove(struct change *change, const struct queue_row *row)
{
        queue_op(change, REMOVE)->row = row;
}

/* ---- reading ---- */

enum status queue_get(struct store *store, uint64_t id, struct arena *arena, struct queue_row *out)
{
        enum status st = get_row(store, NULL, id, arena, out);
        return st == OK ? views_wait(store) : st;
}

enum status queue_due(struct store *store, time_t until, uint64_t *out, size_t *count)
{
        struct key from = key_queue_times(), upto = key_queue_until(until);
        struct scan *scan = scan_open(
                store->env, NULL, TABLE_QUEUE, key_str(&from), key_str(&upto));
        struct str key, value;
        size_t room = *count;
        time_t at;
        enum status st = OK;
        *count = 0;
        while (*count < room && (st = scan_next(scan, &key, &value)) == OK)
                *count += key_queue_at_read(key, &at, &out[*count]);
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

enum status queue_next(struct store *store, time_t *at)
{
        struct key prefix = key_queue_times();
        struct scan *scan = scan_prefix(store, NULL, TABLE_QUEUE, &prefix);
        struct str key, value;
        uint64_t id;
        enum status st = scan_next(scan, &key, &value);
        if (st == OK && !key_queue_at_read(key, at, &id))
                st = codec_damaged("when the queue is due");
        scan_close(scan);
        return st;
}

enum status queue_ids(struct store *store, uint64_t *from, uint64_t *out, size_t *count)
{
        struct key first = key_queue(*from), upto = key_queue_times();
        struct scan *scan = scan_open(
                store->env, NULL, TABLE_QUEUE, key_str(&first), key_str(&upto));
        struct str key, value;
        size_t room = *count;
        enum status st = OK;
        *count = 0;
        while (*count < room && (st = scan_next(scan, &key, &value)) == OK)
                *count += key_queue_read(key, &out[*count]);
        scan_close(scan);
        if (*count)
                *from = out[*count - 1] + 1;
        return st == ABSENT ? OK : st;
}
