#include "store/release.h"
#include "base/log.h"
#include "store/body.h"
#include "store/rows.h"
#include "store/thread.h"
#include "store/view.h"

enum { CHUNKS_MOST = 512, ENTRIES_MOST = 256, KEYS_MOST = 1024 }; /* in one transaction */

/* ---- messages ---- */

static enum status remove_id(
        struct txn *txn, struct op *op, uint64_t message, const struct message_record *m)
{
        struct key key = key_id(m->id_hash, message);
        struct id_record ghost = {.ghost = true, .modseq = op->modseq};
        struct buf value = {0};
        bool stays;
        enum status st = thread_leave(txn, op, message, m->id_hash, &stays);
        if (st != OK)
                return st;
        if (!stays)
                return drop_value(txn, TABLE_ID, &key);
        id_write(&ghost, &value);
        return put_value(txn, TABLE_ID, &key, &value);
}

static enum status remove_message(
        struct txn *txn, struct op *op, uint64_t message, const struct message_record *m)
{
        struct key key = key_message(message);
        enum status st = drop_value(txn, TABLE_MESSAGE, &key);
        for (unsigned part = DERIVED_HEAD; st == OK && part <= DERIVED_TAIL; part++) {
                struct key derived = key_derived(message, part);
                st = drop_value(txn, TABLE_DERIVED, &derived);
        }
        if (st == OK)
                st = body_remove(txn, m->body, 0, body_chunks(m->size));
        return st == OK ? remove_id(txn, op, message, m) : st;
}

/* `value` is what the record is a view of. */
static enum status get_message(struct txn *txn, struct op *op, uint64_t message, struct buf *value,
        struct message_record *out)
{
        struct key key = key_message(message);
        enum status st = get_value(op->store, txn, TABLE_MESSAGE, &key, value);
        return st == OK ? message_read(buf_str(value), out) : st;
}

static enum status put_message(struct txn *txn, uint64_t message, const struct message_record *m)
{
        struct buf value = {0};
        struct key key = key_message(message);
        message_write(m, &value);
        return put_value(txn, TABLE_MESSAGE, &key, &value);
}

static enum status leave_over(struct txn *txn, enum leftover kind, uint64_t id, uint64_t detail)
{
        struct key key = key_leftover(kind, id);
        struct buf value = {0};
        number_write(detail, &value);
        return put_value(txn, TABLE_META, &key, &value);
}

enum status message_hold(struct txn *txn, struct op *op, uint64_t message)
{
        struct message_record m;
        struct buf value = {0};
        enum status st = get_message(txn, op, message, &value, &m);
        if (st == OK) {
                m.refs++;
                st = put_message(txn, message, &m);
        }
        buf_release(&value);
        return st == ABSENT ? codec_damaged("a queue without message") : st;
}

static enum status show_less(struct txn *txn, struct op *op, uint64_t message,
        struct message_record *m, struct released *r)
{
        m->refs -= m->refs > 0;
        if (m->refs == 0 && r->chunks < CHUNKS_MOST) {
                r->chunks += 1 + body_chunks(m->size);
                return remove_message(txn, op, message, m);
        }
        enum status st = put_message(txn, message, m);
        if (st != OK || m->refs)
                return st;
        r->left = true;
        return leave_over(txn, LEFT_MESSAGE, message, 0);
}

/* One less shows or holds it. */
enum status message_release(
        struct txn *txn, struct op *op, uint64_t message, struct released *r)
{
        struct message_record m;
        struct buf value = {0};
        enum status st = get_message(txn, op, message, &value, &m);
        st = st == ABSENT ? codec_damaged("an entry without message") : st;
        if (st == OK)
                st = show_less(txn, op, message, &m, r);
        buf_release(&value);
        return st;
}

enum status entry_release(struct txn *txn, struct op *op, const struct place *p, struct released *r)
{
        struct key key = key_entry(p->mailbox, p->number);
        struct buf value = {0};
        struct entry e;
        struct packed prefix;
        enum status st = get_value(op->store, txn, TABLE_ENTRY, &key, &value);
        if (st == OK)
                st = entry_decode(buf_str(&value), &e, &prefix);
        buf_release(&value);
        if (st != OK)
                return st;
        struct key place = key_place(e.message, p->mailbox, p->number);
        st = drop_value(txn, TABLE_ENTRY, &key);
        if (st == OK && e.prefix_size) /* only news have one, and these have a prefix */
                st = drop_value(txn, TABLE_OVERVIEW, &key);
        if (st == OK)
                st = drop_value(txn, TABLE_PLACE, &place);
        return st == OK ? message_release(txn, op, e.message, r) : st;
}

enum status mailbox_release(struct txn *txn, const struct mailbox *m)
{
        return leave_over(txn, LEFT_MAILBOX, m->id, m->owner);
}

/* ---- what is left over ---- */

/* The first of a kind. ABSENT. */
static enum status first_left(
        struct txn *txn, struct op *op, enum leftover kind, uint64_t *id, uint64_t *detail)
{
        struct key prefix = key_leftovers(kind);
        struct scan *scan = scan_prefix(op->store, txn, TABLE_META, &prefix);
        struct str key, value;
        enum status st = scan_next(scan, &key, &value);
        if (st == OK && !key_leftover_read(key, id))
                st = codec_damaged("what is left over");
        if (st == OK)
                st = number_read(value, detail);
        scan_close(scan);
        return st;
}

static enum status settle_left(struct txn *txn, enum leftover kind, uint64_t id)
{
        struct key key = key_leftover(kind, id);
        return drop_value(txn, TABLE_META, &key);
}

static enum status clear_message(struct txn *txn, struct op *op, uint64_t id, struct released *r)
{
        struct message_record m;
        struct buf value = {0};
        enum status st = get_message(txn, op, id, &value, &m);
        if (st == OK && m.refs == 0) { /* else it has been filed again */
                r->chunks += 1 + body_chunks(m.size);
                st = remove_message(txn, op, id, &m);
        }
        buf_release(&value);
        st = st == ABSENT ? OK : st;
        return st == OK ? settle_left(txn, LEFT_MESSAGE, id) : st;
}

static enum status clear_messages(struct txn *txn, struct op *op, struct released *r)
{
        enum status st = OK;
        uint64_t id, detail;
        while (st == OK && r->chunks < CHUNKS_MOST) {
                st = first_left(txn, op, LEFT_MESSAGE, &id, &detail);
                if (st == OK)
                        st = clear_message(txn, op, id, r);
        }
        return st; /* ABSENT: none is left */
}

/* Removes keys that begin so, at most *room, which becomes less. */
static enum status clear_prefix(
        struct txn *txn, struct op *op, enum table table, const struct key *prefix, size_t *room)
{
        struct scan *scan = scan_prefix(op->store, txn, table, prefix);
        struct str key, value;
        enum status st = OK;
        while (*room && (st = scan_next(scan, &key, &value)) == OK) {
                st = table_remove(txn, table, key);
                if (st != OK && st != ABSENT)
                        break;
                --*room;
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

static enum status clear_marks(
        struct txn *txn, struct op *op, uint32_t mailbox, uint32_t owner, size_t *room)
{
        const struct key history = key_marks(0, mailbox), own = key_marks(owner, mailbox),
                         all = key_mailbox(mailbox);
        enum status st = clear_prefix(txn, op, TABLE_MARK, &history, room);
        if (st == OK && owner)
                st = clear_prefix(txn, op, TABLE_MARK, &own, room);
        if (st == OK && owner)
                st = clear_prefix(txn, op, TABLE_FLAG, &own, room);
        return st == OK ? clear_prefix(txn, op, TABLE_CHANGE, &all, room) : st;
}

/* A part of the first mailbox that has gone. */
static enum status clear_mailbox(struct txn *txn, struct op *op, struct released *r)
{
        uint64_t id, owner;
        enum status st = first_left(txn, op, LEFT_MAILBOX, &id, &owner);
        if (st != OK)
                return st;
        struct place at = {.mailbox = (uint32_t)id};
        struct key prefix = key_mailbox(at.mailbox);
        struct scan *scan = scan_prefix(op->store, txn, TABLE_ENTRY, &prefix);
        struct str key, value;
        size_t entries = 0, room = KEYS_MOST;
        while (entries < ENTRIES_MOST && r->chunks < CHUNKS_MOST &&
                (st = scan_next(scan, &key, &value)) == OK) {
                if (!key_entry_read(key, &at.mailbox, &at.number))
                        continue;
                st = entry_release(txn, op, &at, r);
                if (st != OK)
                        break;
                entries++;
        }
        scan_close(scan);
        if (st != ABSENT)
                return st;
        st = clear_prefix(txn, op, TABLE_PREFIX, &prefix, &room);
        if (st == OK)
                st = clear_marks(txn, op, at.mailbox, (uint32_t)owner, &room);
        return st == OK && room ? settle_left(txn, LEFT_MAILBOX, id) : st;
}

static enum status count_body(struct txn *txn, struct op *op, uint64_t body, uint32_t *count)
{
        struct buf key = {0}, value = {0};
        struct key from = key_body(body, 0), upto = key_body(body + 1, 0);
        enum status st = table_last(
                op->store->env, txn, TABLE_BODY, key_str(&from), key_str(&upto), &key, &value);
        struct reader r = reader_of(str_from(buf_str(&key), 8));
        *count = st == OK ? read_u32(&r) + 1 : 0;
        buf_release(&key);
        buf_release(&value);
        return st == ABSENT ? OK : st;
}

/* A part of the first body that was written ahead of nothing; its end first. */
static enum status clear_body(struct txn *txn, struct op *op)
{
        uint64_t id, detail;
        uint32_t count, from;
        enum status st = first_left(txn, op, LEFT_BODY, &id, &detail);
        if (st == OK)
                st = count_body(txn, op, id, &count);
        if (st != OK)
                return st;
        from = count > CHUNKS_MOST ? count - CHUNKS_MOST : 0;
        st = body_remove(txn, id, from, count);
        return st == OK && from == 0 ? settle_left(txn, LEFT_BODY, id) : st;
}

struct clear_op {
        struct op op;
        bool done;
};

static enum status clear_check(struct txn *txn, struct op *op)
{
        (void)txn;
        (void)op;
        return OK;
}

/* One transaction's worth. */
static enum status clear_put(struct txn *txn, struct op *op)
{
        struct clear_op *c = (struct clear_op *)op;
        struct released r = {0};
        enum status st = clear_mailbox(txn, op, &r);
        c->done = st == ABSENT;
        if (c->done) {
                st = clear_messages(txn, op, &r);
                c->done = st == ABSENT;
        }
        return st == ABSENT ? OK : st;
}

static void clear_free(struct op *op)
{
        free(op);
}

static const struct op_kind clear_kind = {
        .name = "clearing what is left over",
        .check = clear_check,
        .put = clear_put,
        .publish = views_passed,
        .free = clear_free,
};

void leftovers_clear(struct store *store)
{
        bool done = false;
        enum status st = OK;
        while (st == OK && !done) {
                struct change *change = change_new(store);
                struct clear_op *c = mem_new(sizeof *c);
                c->op.kind = &clear_kind;
                change_op(change, &c->op);
                st = store_commit(change);
                done = c->done;
                change_free(change);
        }
        if (st != OK)
                log_note("store: messages that nobody shows are left for the next start");
}

/* ---- at open ---- */

static enum status tidy_once(struct store *store, bool *done)
{
        struct clear_op c = {.op.store = store};
        struct txn *txn;
        enum status st = txn_begin(store->env, &txn);
        if (st != OK)
                return st;
        st = clear_body(txn, &c.op);
        if (st == ABSENT)
                st = clear_put(txn, &c.op);
        *done = c.done;
        if (st == OK)
                return txn_commit(txn);
        txn_abort(txn);
        return st;
}

enum status store_tidy(struct store *store)
{
        struct buf value = {0};
        uint64_t modseq = 0;
        bool done = false;
        enum status st = table_get(store->env, NULL, TABLE_META, key_modseq, &value);
        if (st == OK)
                st = number_read(buf_str(&value), &modseq);
        buf_release(&value);
        st = st == ABSENT ? OK : st;
        views_start(store, modseq);
        while (st == OK && !done)
                st = tidy_once(store, &done);
        return st;
}
