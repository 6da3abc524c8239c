#include "store/board.h"
#include "store/codec_task.h"
#include "store/mark.h"
#include "store/release.h"
#include "store/rows.h"
#include "store/shown.h"
#include "store/view.h"

/* The owner's flags go with a folder's messages. In a topic the marks of everybody stay: they are
 * bits in blocks, at most 512 octets for 4,096 numbers, and a number is never given again. */
static enum status wipe_marks(
        struct txn *txn, struct op *op, const struct mailbox *m, const struct numset *gone)
{
        struct mark_place place = {.person = HISTORY, .mailbox = m->id, .flag = FLAG_INDEX_SEEN};
        struct buf value = {0};
        struct words words;
        enum status st = words_get(op->store, txn, m->owner, m->id, &value, &words);
        if (st == OK)
                st = mark_wipe(txn, op, &place, gone);
        place.person = m->owner;
        for (place.flag = 0; st == OK && place.flag < FLAG_COUNT; place.flag++)
                st = mark_wipe(txn, op, &place, gone);
        for (unsigned i = 0; st == OK && i < words.count; i++) {
                place.flag = FLAG_INDEX_KEYWORDS + i;
                st = mark_wipe(txn, op, &place, gone);
        }
        buf_release(&value);
        return st == OK ? shown_drop(txn, op, m->owner, m->id, gone) : st;
}

/* Cards come and go with their tasks alone (task.h). */
static bool cards_only(const struct mailbox *m)
{
        return m->kind == MAILBOX_BOARD || m->kind == MAILBOX_TASKS;
}

/* Whose flags go along. */
static bool is_owned(const struct mailbox *m)
{
        return m->kind == MAILBOX_FOLDER || m->kind == MAILBOX_TASKS;
}

enum status entries_release(struct txn *txn, struct op *op, struct row *row,
        const struct numset *numbers, struct numset *gone, struct released *released)
{
        struct place at = {.mailbox = row->mailbox.id};
        enum status st = OK;
        numset_clear(gone);
        for (struct walk w = numset_walk(numbers); st == OK && walk_next(&w, &at.number);) {
                st = entry_release(txn, op, &at, released);
                if (st == OK)
                        numset_add(gone, at.number);
                st = st == ABSENT ? OK : st; /* somebody else was quicker */
        }
        if (st != OK || !numset_low(gone))
                return st;
        row->mailbox.count -= numset_count(gone);
        row->mailbox.modseq = op->modseq;
        rows_touch(op->store, row);
        st = change_note(txn, op, at.mailbox, 0, gone);
        return st == OK && is_owned(&row->mailbox) ? wipe_marks(txn, op, &row->mailbox, gone) : st;
}

struct expunge_op {
        struct op op;
        uint32_t mailbox;
        struct numset *numbers; /* those that could be seen */
        struct numset *gone;    /* own */
        struct numset *out;     /* the caller's, or NULL */
        struct released released;
        enum status status;
};

static enum status expunge_check(struct txn *txn, struct op *op)
{
        struct expunge_op *e = (struct expunge_op *)op;
        struct row *row;
        enum status st = e->status != OK ? e->status : rows_get(txn, op->store, e->mailbox, &row);
        return st == OK && cards_only(&row->mailbox) ? FORBIDDEN : st;
}

static enum status expunge_put(struct txn *txn, struct op *op)
{
        struct expunge_op *e = (struct expunge_op *)op;
        struct row *row;
        enum status st = rows_get(txn, op->store, e->mailbox, &row);
        e->released = (struct released){0};
        if (st == OK)
                st = entries_release(txn, op, row, e->numbers, e->gone, &e->released);
        if (st == OK && e->out) {
                numset_clear(e->out);
                numset_or(e->out, e->gone);
        }
        return st;
}

static void expunge_publish(struct store *store, struct op *op)
{
        struct expunge_op *e = (struct expunge_op *)op;
        if (numset_low(e->gone))
                views_removed(op, e->mailbox, e->gone);
        views_passed(store, op);
}

static void expunge_free(struct op *op)
{
        struct expunge_op *e = (struct expunge_op *)op;
        if (e->released.left)
                leftovers_clear(op->store);
        numset_free(e->numbers);
        numset_free(e->gone);
        free(e);
}

static const struct op_kind expunge_kind = {
        .name = "an expunge",
        .check = expunge_check,
        .put = expunge_put,
        .publish = expunge_publish,
        .free = expunge_free,
};

void change_expunge(
        struct change *change, uint32_t mailbox, const struct numset *numbers, struct numset *gone)
{
        struct expunge_op *e = mem_new(sizeof *e);
        const struct view *view;
        e->op.kind = &expunge_kind;
        e->mailbox = mailbox;
        e->numbers = numset_copy(numbers);
        e->gone = numset_new();
        e->out = gone;
        if (gone)
                numset_clear(gone);
        e->status = view_open(change->store, mailbox, &view);
        if (e->status == OK) {
                numset_and(e->numbers, view->numbers);
                view_close(change->store, view);
        }
        change_op(change, &e->op);
}

/* ---- a whole mailbox ---- */

struct remove_op {
        struct op op;
        uint32_t mailbox;
        struct board board; /* of a topic */
        bool landed;
};

/* A topic's tasks are there for good, and the topic with them. */
static enum status check_tasks(struct txn *txn, struct op *op, uint32_t topic)
{
        struct key prefix = key_task_pairs(KEY_TOPIC, topic);
        struct scan *scan = scan_prefix(op->store, txn, TABLE_TASK, &prefix);
        struct str key, value;
        enum status st = scan_next(scan, &key, &value);
        scan_close(scan);
        return st == OK ? FORBIDDEN : st == ABSENT ? OK : st;
}

static enum status remove_check(struct txn *txn, struct op *op)
{
        struct row *row;
        enum status st = rows_get(txn, op->store, ((struct remove_op *)op)->mailbox, &row);
        if (st == OK && row->mailbox.kind == MAILBOX_TOPIC)
                return check_tasks(txn, op, row->mailbox.id);
        if (st == OK && cards_only(&row->mailbox))
                return FORBIDDEN;
        return st == OK && row->mailbox.use == USE_INBOX ? FORBIDDEN : st; /* RFC 9051 6.3.5 */
}

static enum status drop_columns(struct txn *txn, struct remove_op *r)
{
        struct arena *arena = arena_new();
        struct buf value = {0};
        struct key key = key_mailbox(r->mailbox);
        struct topic topic = {0};
        enum status st = get_value(r->op.store, txn, TABLE_TOPIC, &key, &value);
        if (st == OK)
                st = topic_read(buf_str(&value), arena, &topic);
        r->board = (struct board){.before = &topic};
        if (st == OK)
                st = board_put(txn, &r->op, &r->board);
        r->board.before = NULL;
        buf_release(&value);
        arena_free(arena);
        return st;
}

static enum status drop_topic(struct txn *txn, struct op *op, const struct mailbox *m)
{
        struct key key = key_mailbox(m->id);
        enum status st = drop_value(txn, TABLE_TOPIC, &key);
        if (st == OK)
                st = table_remove(txn, TABLE_NAME, m->name);
        st = st == ABSENT ? OK : st;
        return st == OK ? subscribers_drop(txn, op, m->id) : st;
}

static enum status remove_put(struct txn *txn, struct op *op)
{
        struct remove_op *r = (struct remove_op *)op;
        struct row *row;
        enum status st = rows_get(txn, op->store, r->mailbox, &row);
        if (st == OK && row->mailbox.kind == MAILBOX_TOPIC) {
                st = drop_columns(txn, r);
                if (st == OK)
                        st = drop_topic(txn, op, &row->mailbox);
        }
        if (st == OK)
                st = mailbox_release(txn, &row->mailbox);
        return st == OK ? rows_remove(txn, op, row) : st;
}

static void remove_publish(struct store *store, struct op *op)
{
        struct remove_op *r = (struct remove_op *)op;
        r->landed = true;
        views_gone(op, r->mailbox);
        board_publish(op, &r->board);
        views_passed(store, op);
}

static void remove_free(struct op *op)
{
        if (((struct remove_op *)op)->landed)
                leftovers_clear(op->store);
        free(op);
}

static const struct op_kind remove_kind = {
        .name = "removing a mailbox",
        .check = remove_check,
        .put = remove_put,
        .publish = remove_publish,
        .free = remove_free,
};

void change_mailbox_remove(struct change *change, uint32_t id)
{
        struct remove_op *r = mem_new(sizeof *r);
        r->op.kind = &remove_kind;
        r->mailbox = id;
        change_op(change, &r->op);
}
