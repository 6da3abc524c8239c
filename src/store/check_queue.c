#include "store/checking.h"
#include "store/codec_queue.h"
#include "store/rows.h"

enum status check_holders(struct checking *c, uint64_t message, uint32_t *count)
{
        struct key prefix = key_queue_holders(message);
        struct scan *scan = scan_prefix(c->store, NULL, TABLE_QUEUE, &prefix);
        struct str key, value;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK)
                ++*count;
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

static enum status check_row(struct checking *c, const struct queue_row *row)
{
        struct key at = key_queue_at(row->next, row->id), of = key_queue_of(row->message, row->id),
                   message = key_message(row->message);
        unsigned long long id = row->id;
        bool timed, held, there;
        enum status st = check_has(c, TABLE_QUEUE, &at, &timed);
        if (st == OK)
                st = check_has(c, TABLE_QUEUE, &of, &held);
        if (st == OK)
                st = check_has(c, TABLE_MESSAGE, &message, &there);
        if (st != OK)
                return st;
        if (timed != queue_waits(row))
                check_fault(c, "queue %llu: %s", id,
                        timed ? "is due, but waits for nothing" : "waits, but is never due");
        if (!held || !there)
                check_fault(c, "queue %llu: does not hold its message %llu", id,
                        (unsigned long long)row->message);
        return OK;
}

/* Every key by time and by message belongs to a row, because there are as many as rows say. */
enum status check_queue(struct checking *c)
{
        struct scan *scan = scan_open(c->store->env, NULL, TABLE_QUEUE, STR_NONE, STR_NONE);
        struct str key, value;
        struct arena *arena = arena_new();
        uint64_t rows = 0, waiting = 0, all = 0;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                struct queue_row row;
                uint64_t id;
                all++;
                if (!key_queue_read(key, &id))
                        continue;
                arena_reset(arena);
                st = queue_read(value, arena, &row);
                row.id = id;
                if (st == OK)
                        st = check_row(c, &row);
                if (st != OK)
                        break;
                rows++;
                waiting += queue_waits(&row);
        }
        scan_close(scan);
        arena_free(arena);
        if (st == ABSENT && all != 2 * rows + waiting)
                check_fault(c, "the queue holds keys of rows that are not there");
        return st == ABSENT ? OK : st;
}
