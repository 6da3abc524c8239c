#include "base/clock.h"
#include "store/board.h"
#include "store/codec_task.h"
#include "store/rows.h"
#include "store/view.h"

/* Columns that are added, put in another order, removed and called otherwise (task.h), in one
 * change with the tasks that have the status. */

struct columns_op {
        struct op op;
        const struct columns_put *put; /* borrowed */
        struct arena *arena;
        struct board board;
};

static enum status read_topic(struct txn *txn, struct columns_op *c, struct topic *out)
{
        struct buf value = {0};
        struct key key = key_mailbox(c->put->topic);
        arena_reset(c->arena);
        enum status st = get_value(c->op.store, txn, TABLE_TOPIC, &key, &value);
        if (st == OK)
                st = topic_read(buf_str(&value), c->arena, out);
        out->id = c->put->topic;
        buf_release(&value);
        return st;
}

static bool is_as_read(const struct columns_put *put, const struct topic *t)
{
        bool same = t->column_count == put->was_count;
        for (size_t i = 0; same && i < t->column_count; i++)
                same = str_eq(t->columns[i], put->was[i]);
        return same;
}

/* The topic with its new columns. */
static struct topic with_columns(struct columns_op *c, const struct topic *before)
{
        struct topic after = *before;
        after.column_count = c->put->count;
        after.columns = arena_alloc(c->arena, (after.column_count + 1) * sizeof *after.columns);
        for (size_t i = 0; i < after.column_count; i++)
                after.columns[i] = c->put->columns[i];
        return after;
}

static enum status columns_check(struct txn *txn, struct op *op)
{
        struct columns_op *c = (struct columns_op *)op;
        struct topic before;
        enum status st = read_topic(txn, c, &before);
        if (st == OK && !is_as_read(c->put, &before))
                st = CHANGED;
        if (st != OK)
                return st;
        struct topic after = with_columns(c, &before);
        if (!after.column_count)
                return INVALID; /* a board stays one */
        c->board = (struct board){&before, &after, c->put->from, c->put->to, {0}, 0};
        st = board_check(txn, op, &c->board);
        c->board.before = c->board.after = NULL;
        return st;
}

/* ---- the tasks of a column that is called otherwise ---- */

static enum status tasks_in(struct txn *txn, struct columns_op *c, struct numset *out)
{
        struct key prefix = key_task_pairs(KEY_TOPIC, c->put->topic);
        struct scan *scan = scan_prefix(c->op.store, txn, TABLE_TASK, &prefix);
        struct str key, value;
        uint32_t topic, number;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK)
                if (key_task_read(key, KEY_TOPIC, &topic, &number))
                        numset_add(out, number);
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

/* `placed` is raised, so that who read it before reads it again. */
static enum status put_status(struct txn *txn, struct columns_op *c, struct task_record *r)
{
        struct due due = {.at = clock_now(), .kind = DUE_CARD, .person = r->task.number};
        struct key key = key_task(r->task.number);
        struct buf value = {0};
        r->task.status = c->put->to;
        r->task.placed++;
        r->modseq = c->op.modseq;
        task_write(r, &value);
        enum status st = put_value(txn, TABLE_TASK, &key, &value);
        return st == OK && r->task.card_count ? due_set(txn, &c->op, &due) : st;
}

static enum status rename_one(struct txn *txn, struct columns_op *c, uint32_t number)
{
        struct arena *arena = arena_new();
        struct buf value = {0};
        struct key key = key_task(number);
        struct task_record record;
        enum status st = get_value(c->op.store, txn, TABLE_TASK, &key, &value);
        if (st == OK)
                st = task_read(buf_str(&value), arena, &record);
        record.task.number = number;
        if (st == OK && str_eq(record.task.status, c->put->from))
                st = put_status(txn, c, &record);
        buf_release(&value);
        arena_free(arena);
        return st;
}

static enum status rename_status(struct txn *txn, struct columns_op *c)
{
        struct numset *numbers = numset_new();
        uint32_t number;
        enum status st = tasks_in(txn, c, numbers);
        for (struct walk w = numset_walk(numbers); st == OK && walk_next(&w, &number);)
                st = rename_one(txn, c, number);
        numset_free(numbers);
        return st;
}

/* ---- the change ---- */

static enum status put_topic(struct txn *txn, const struct topic *t)
{
        struct buf value = {0};
        struct key key = key_mailbox(t->id);
        topic_write(t, &value);
        return put_value(txn, TABLE_TOPIC, &key, &value);
}

static enum status columns_put(struct txn *txn, struct op *op)
{
        struct columns_op *c = (struct columns_op *)op;
        struct topic before;
        enum status st = read_topic(txn, c, &before);
        if (st != OK)
                return st;
        struct topic after = with_columns(c, &before);
        c->board = (struct board){&before, &after, c->put->from, c->put->to, {0}, 0};
        st = put_topic(txn, &after);
        if (st == OK)
                st = board_put(txn, op, &c->board);
        if (st == OK && c->put->from.len && !str_eq(c->put->from, c->put->to))
                st = rename_status(txn, c);
        c->board.before = c->board.after = NULL;
        return st;
}

static void columns_publish(struct store *store, struct op *op)
{
        board_publish(op, &((struct columns_op *)op)->board);
        views_passed(store, op);
}

static void columns_free(struct op *op)
{
        arena_free(((struct columns_op *)op)->arena);
        free(op);
}

static const struct op_kind columns_kind = {
        .name = "a board's columns",
        .check = columns_check,
        .put = columns_put,
        .publish = columns_publish,
        .free = columns_free,
};

void change_columns(struct change *change, const struct columns_put *put)
{
        struct columns_op *c = mem_new(sizeof *c);
        c->op.kind = &columns_kind;
        c->put = put;
        c->arena = arena_new();
        change_op(change, &c->op);
}
