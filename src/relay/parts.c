#include "relay/parts.h"
#include "base/clock.h"
#include "relay/route.h"
#include <stdlib.h>

/* With more domains than that the rest stays for the next turn, and none of the parts is looked for
 * among the rows that wait already: each look reads all rows of the message. */
enum { PARTS_MOST = 64 };

struct waiting {
        const struct queue_recipient *to;
        struct str domain;
        size_t place;
};

static int by_domain(const void *a, const void *b)
{
        const struct waiting *x = a, *y = b;
        int order = str_cmp(x->domain, y->domain);
        return order ? order : x->place < y->place ? -1 : 1;
}

static struct waiting *list_waiting(const struct queue_row *row, struct arena *arena, size_t *count)
{
        struct waiting *all = arena_alloc(arena, row->recipient_count * sizeof *all + 1);
        *count = 0;
        for (size_t i = 0; i < row->recipient_count; i++) {
                const struct queue_recipient *to = &row->recipients[i];
                if (to->state == QUEUE_WAITING)
                        all[(*count)++] = (struct waiting){
                                to, arena_lower(arena, route_domain(to->address)), i};
        }
        if (*count)
                qsort(all, *count, sizeof *all, by_domain);
        return all;
}

/* How many from `first` on are in its domain. */
static size_t same_domain(const struct waiting *all, size_t first, size_t count)
{
        size_t n = 1;
        while (first + n < count && str_eq(all[first + n].domain, all[first].domain))
                n++;
        return n;
}

static size_t count_domains(const struct waiting *all, size_t count)
{
        size_t domains = 0;
        for (size_t at = 0; at < count; at += same_domain(all, at, count))
                domains++;
        return domains;
}

static struct queue_row *make_part(
        const struct queue_row *row, const struct waiting *first, size_t count, struct arena *arena)
{
        struct queue_row *part = arena_alloc(arena, sizeof *part);
        *part = *row;
        part->id = part->version = 0;
        part->filing = NULL;
        part->next = clock_now();
        part->recipients = arena_alloc(arena, count * sizeof *part->recipients);
        part->recipient_count = count;
        for (size_t i = 0; i < count; i++)
                part->recipients[i] = *first[i].to;
        return part;
}

enum status parts_make(struct site *site, const struct queue_row *row, struct arena *arena)
{
        size_t count, parts = 0, at = 0;
        const struct waiting *all = list_waiting(row, arena, &count);
        struct queue_row rest = *row;
        bool many = count_domains(all, count) > PARTS_MOST;
        if (!count || same_domain(all, 0, count) == count)
                return EXISTS;
        struct change *change = change_new(site->store);
        for (size_t n; at < count && parts < PARTS_MOST; at += n, parts++) {
                n = same_domain(all, at, count);
                struct queue_row *part = make_part(row, all + at, n, arena);
                part->part = many;
                change_queue_add(change, part);
        }
        if (at < count) {
                rest.recipients = make_part(row, all + at, count - at, arena)->recipients;
                rest.recipient_count = count - at;
                change_queue_update(change, &rest);
        } else {
                change_queue_remove(change, &rest);
        }
        enum status st = store_commit(change);
        change_free(change);
        return st;
}
