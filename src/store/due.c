#include "store/due.h"
#include "base/clock.h"
#include "store/message.h"
#include "store/rows.h"
#include "store/view.h"

enum status due_read(struct store *store, enum due_kind kind, time_t until, struct due *out,
        size_t *count)
{
        struct key from = key_due_first(), upto = key_due_until(until);
        struct scan *scan = scan_open(store->env, NULL, TABLE_DUE, key_str(&from), key_str(&upto));
        struct str key, value;
        size_t room = *count;
        enum status st = OK;
        *count = 0;
        while (*count < room && (st = scan_next(scan, &key, &value)) == OK)
                if (key_due_read(key, &out[*count]) &&
                        (kind == DUE_ANY || out[*count].kind == kind))
                        ++*count;
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

enum status due_next(struct store *store, time_t *at)
{
        struct key prefix = key_due_first();
        struct scan *scan = scan_prefix(store, NULL, TABLE_DUE, &prefix);
        struct str key, value;
        struct due due;
        enum status st = scan_next(scan, &key, &value);
        if (st == OK && !key_due_read(key, &due))
                st = codec_damaged("what is due");
        if (st == OK)
                *at = due.at;
        scan_close(scan);
        return st;
}

struct due_op {
        struct op op;
        struct due due;
};

static enum status due_check(struct txn *txn, struct op *op)
{
        (void)txn;
        (void)op;
        return OK;
}

/* The key by person tells which key by time is the old one, so that it never stays behind. */
static enum status drop_old(struct txn *txn, struct op *op, const struct due *due)
{
        struct key of = key_due_of(due->kind, due->person);
        struct buf value = {0};
        struct due old = *due;
        enum status st = get_value(op->store, txn, TABLE_DUE, &of, &value);
        if (st == OK)
                st = time_read(buf_str(&value), &old.at);
        buf_release(&value);
        if (st != OK)
                return st == ABSENT ? OK : st;
        struct key at = key_due_at(&old);
        st = drop_value(txn, TABLE_DUE, &at);
        return st == OK ? drop_value(txn, TABLE_DUE, &of) : st;
}

enum status due_set(struct txn *txn, struct op *op, const struct due *due)
{
        struct key of = key_due_of(due->kind, due->person), at = key_due_at(due);
        struct buf value = {0}, empty = {0};
        enum status st = drop_old(txn, op, due);
        if (st != OK || !due->at)
                return st;
        time_write(due->at, &value);
        text_write(STR_NONE, &empty);
        st = put_value(txn, TABLE_DUE, &of, &value);
        if (st == OK)
                st = put_value(txn, TABLE_DUE, &at, &empty);
        buf_release(&empty);
        return st;
}

static enum status due_put(struct txn *txn, struct op *op)
{
        return due_set(txn, op, &((struct due_op *)op)->due);
}

static void op_free(struct op *op)
{
        free(op);
}

static const struct op_kind due_kind = {
        .name = "what is due",
        .check = due_check,
        .put = due_put,
        .publish = views_passed,
        .free = op_free,
};

void change_due(struct change *change, const struct due *due)
{
        struct due_op *d = mem_new(sizeof *d);
        d->op.kind = &due_kind;
        d->due = *due;
        change_op(change, &d->op);
}

void change_due_remove(struct change *change, enum due_kind kind, uint32_t person)
{
        struct due_op *d = mem_new(sizeof *d);
        d->op.kind = &due_kind;
        d->due = (struct due){.kind = kind, .person = person};
        change_op(change, &d->op);
}

/* ---- digests ---- */

static enum status take_digest(
        struct str key, struct str value, struct arena *arena, struct digest_record *out)
{
        *out = (struct digest_record){0};
        if (!key_digest_read(key, out))
                return codec_damaged("a digest");
        enum status st = digest_read(value, out);
        if (st == OK)
                out->items = arena_copy(arena, out->items);
        return st;
}

enum status digest_last(
        struct store *store, uint32_t person, struct arena *arena, struct digest_record *out)
{
        struct key prefix = key_digests(person);
        struct buf upto = {0}, key = {0}, value = {0};
        key_after(key_str(&prefix), &upto);
        enum status st = table_last(
                store->env, NULL, TABLE_DIGEST, key_str(&prefix), buf_str(&upto), &key, &value);
        if (st == OK)
                st = take_digest(buf_str(&key), buf_str(&value), arena, out);
        buf_release(&upto);
        buf_release(&key);
        buf_release(&value);
        return st;
}

enum status digest_get(struct store *store, uint32_t person, int64_t day, struct arena *arena,
        struct digest_record *out)
{
        struct key key = key_digest(person, day);
        struct buf value = {0};
        enum status st = get_value(store, NULL, TABLE_DIGEST, &key, &value);
        if (st == OK)
                st = take_digest(key_str(&key), buf_str(&value), arena, out);
        buf_release(&value);
        return st;
}

struct digest_op {
        struct op op;
        const struct digest_record *record; /* borrowed */
};

static enum status digest_check(struct txn *txn, struct op *op)
{
        const struct digest_record *d = ((struct digest_op *)op)->record;
        struct key key = key_digest(d->person, d->day);
        enum status st = table_has(op->store->env, txn, TABLE_DIGEST, key_str(&key));
        return st == OK ? EXISTS : st == ABSENT ? OK : st;
}

/* What is too old to be answered, the oldest first, and so few at a time that it costs nothing: one
 * comes a day. A day in the future makes nothing older than it is. */
static enum status drop_old_digests(struct txn *txn, struct op *op, const struct digest_record *d)
{
        enum { AT_ONCE = 4, DAY_SECONDS = 86400 };
        int64_t today = clock_now() / DAY_SECONDS, days[AT_ONCE];
        struct key from = key_digests(d->person),
                   upto = key_digest(d->person, (d->day < today ? d->day : today) - DIGEST_KEPT_DAYS);
        struct scan *scan = scan_open(op->store->env, txn, TABLE_DIGEST, key_str(&from), key_str(&upto));
        struct digest_record old;
        struct str key, value;
        size_t count = 0;
        enum status st = OK;
        while (count < AT_ONCE && (st = scan_next(scan, &key, &value)) == OK)
                if (key_digest_read(key, &old))
                        days[count++] = old.day;
        scan_close(scan);
        st = st == ABSENT ? OK : st;
        for (size_t i = 0; st == OK && i < count; i++) {
                struct key gone = key_digest(d->person, days[i]);
                st = table_remove(txn, TABLE_DIGEST, key_str(&gone));
        }
        return st;
}

static enum status digest_put(struct txn *txn, struct op *op)
{
        struct digest_record d = *((struct digest_op *)op)->record;
        struct key key = key_digest(d.person, d.day);
        struct buf value = {0};
        if (d.filing)
                d.message = d.filing->message;
        digest_write(&d, &value);
        enum status st = put_value(txn, TABLE_DIGEST, &key, &value);
        return st == OK ? drop_old_digests(txn, op, &d) : st;
}

static const struct op_kind digest_kind = {
        .name = "a digest",
        .check = digest_check,
        .put = digest_put,
        .publish = views_passed,
        .free = op_free,
};

void change_digest(struct change *change, const struct digest_record *record)
{
        struct digest_op *d = mem_new(sizeof *d);
        d->op.kind = &digest_kind;
        d->record = record;
        change_op(change, &d->op);
}
