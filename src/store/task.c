#include "store/task.h"
#include "store/codec_task.h"
#include "store/rows.h"
#include "store/view.h"

enum { ABOVE_MOST = 1000 }; /* messages above one that are looked at */

enum status task_get(struct store *store, uint32_t number, struct arena *arena, struct task *out)
{
        struct buf value = {0};
        struct key key = key_task(number);
        struct task_record record;
        enum status st = get_value(store, NULL, TABLE_TASK, &key, &value);
        if (st == OK)
                st = task_read(buf_str(&value), arena, &record);
        buf_release(&value);
        if (st != OK)
                return st;
        *out = record.task;
        out->number = number;
        return views_wait_for(store, record.modseq);
}

enum status task_of_root(struct store *store, uint64_t message, uint32_t *number)
{
        struct buf value = {0};
        struct key key = key_task_root(message);
        uint64_t n = 0;
        enum status st = get_value(store, NULL, TABLE_TASK, &key, &value);
        if (st == OK)
                st = number_read(buf_str(&value), &n);
        *number = (uint32_t)n;
        buf_release(&value);
        return st;
}

enum status task_of_message(struct store *store, uint64_t message, uint32_t *number)
{
        enum status st = ABSENT;
        for (unsigned i = 0; i < ABOVE_MOST; i++) {
                st = task_of_root(store, message, number);
                if (st != ABSENT)
                        return st;
                st = thread_parent(store, message, &message);
                if (st != OK)
                        return st;
        }
        return ABSENT;
}

static enum status get_event(struct store *store, uint32_t number, uint32_t version,
        struct arena *arena, struct task_event *out)
{
        struct buf value = {0};
        struct key key = key_task_pair(KEY_EVENT, number, version);
        enum status st = get_value(store, NULL, TABLE_TASK, &key, &value);
        if (st == OK)
                st = event_read(buf_str(&value), arena, out);
        out->task = number;
        out->version = version;
        buf_release(&value);
        return st;
}

enum status task_events(struct store *store, uint32_t number, uint32_t after, struct arena *arena,
        struct task_event **out, size_t *count)
{
        struct key from = key_task_pair(KEY_EVENT, number, after + 1),
                   upto = key_task_pairs(KEY_EVENT, number + 1);
        struct scan *scan = scan_open(
                store->env, NULL, TABLE_TASK, key_str(&from), key_str(&upto));
        size_t room = *count, made = 0;
        struct task_event *events = NULL;
        struct str key, value;
        enum status st = OK;
        *count = 0;
        while (*count < room && (st = scan_next(scan, &key, &value)) == OK) {
                if (*count == made) {
                        struct task_event *more = arena_alloc(arena, (2 * made + 8) * sizeof *more);
                        if (made)
                                memcpy(more, events, made * sizeof *more);
                        made = 2 * made + 8;
                        events = more;
                }
                struct task_event *e = &events[*count];
                st = event_read(value, arena, e);
                if (st == OK && !key_task_read(key, KEY_EVENT, &e->task, &e->version))
                        st = codec_damaged("an event");
                if (st != OK)
                        break;
                ++*count;
        }
        scan_close(scan);
        *out = events;
        return st == ABSENT ? OK : st;
}

enum status task_version_at(
        struct store *store, uint32_t number, uint64_t message, uint32_t *version)
{
        struct arena *arena = arena_new();
        struct task task;
        struct task_event e;
        enum status st = task_get(store, number, arena, &task);
        uint32_t low = 1, high = st == OK ? task.version : 1;
        while (st == OK && low < high) { /* the last version told by a message up to this one */
                uint32_t middle = low + (high - low + 1) / 2;
                arena_reset(arena);
                st = get_event(store, number, middle, arena, &e);
                if (st == OK && e.journal <= message)
                        low = middle;
                else
                        high = middle - 1;
        }
        arena_free(arena);
        *version = low;
        return st;
}

static enum status collect(struct store *store, enum task_key kind, uint32_t first,
        struct numset *out)
{
        struct key prefix = key_task_pairs(kind, first);
        struct scan *scan = scan_prefix(store, NULL, TABLE_TASK, &prefix);
        struct str key, value;
        uint32_t number;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK)
                if (key_task_read(key, kind, &first, &number))
                        numset_add(out, number);
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

enum status tasks_of_person(struct store *store, uint32_t person, struct numset *out)
{
        return collect(store, KEY_PERSON, person, out);
}

enum status tasks_of_topic(struct store *store, uint32_t topic, bool all, struct numset *out)
{
        return collect(store, all ? KEY_TOPIC : KEY_OPEN, topic, out);
}

enum status tasks_waiting(struct store *store, uint32_t number, struct numset *out)
{
        return collect(store, KEY_AWAITED, number, out);
}

enum status task_is_awaited(struct store *store, uint32_t number, bool *is)
{
        struct key from = key_task_pairs(KEY_AWAITED, number),
                   upto = key_task_pairs(KEY_AWAITED, number + 1);
        struct buf key = {0}, value = {0};
        enum status st = table_last(
                store->env, NULL, TABLE_TASK, key_str(&from), key_str(&upto), &key, &value);
        *is = st == OK;
        buf_release(&key);
        buf_release(&value);
        return st == ABSENT ? OK : st;
}

enum status card_find(struct store *store, struct place at, struct card_memory *out)
{
        struct buf value = {0};
        struct key key = key_task_pair(KEY_CARD, at.mailbox, at.number);
        struct card_record card;
        enum status st = get_value(store, NULL, TABLE_TASK, &key, &value);
        if (st == OK)
                st = card_read(buf_str(&value), &card);
        buf_release(&value);
        if (st == OK)
                *out = (struct card_memory){card.task, card.version, card.gone != 0};
        return st;
}

/* ---- numbers ---- */

struct reserve_op {
        struct op op;
        uint32_t *number;
};

static enum status reserve_check(struct txn *txn, struct op *op)
{
        (void)txn;
        (void)op;
        return OK;
}

static enum status reserve_put(struct txn *txn, struct op *op)
{
        uint64_t number;
        enum status st = counter_take(txn, op->store, COUNTER_TASK, &number);
        if (st == OK)
                *((struct reserve_op *)op)->number = (uint32_t)number;
        return st;
}

static void reserve_free(struct op *op)
{
        free(op);
}

static const struct op_kind reserve_kind = {
        .name = "a task's number",
        .check = reserve_check,
        .put = reserve_put,
        .publish = views_passed,
        .free = reserve_free,
};

enum status task_reserve(struct store *store, uint32_t *number)
{
        struct change *change = change_new(store);
        struct reserve_op *r = mem_new(sizeof *r);
        r->op.kind = &reserve_kind;
        r->number = number;
        change_op(change, &r->op);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}
