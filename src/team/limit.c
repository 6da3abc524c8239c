#include "team/limit.h"
#include "base/clock.h"
#include "base/map.h"
#include <pthread.h>

struct limit {
        pthread_mutex_t lock;
        struct map *times; /* when, in ms */
        uint64_t span, swept;
        size_t most;
};

struct limit *limit_new(unsigned seconds, size_t most)
{
        struct limit *l = mem_new(sizeof *l);
        pthread_mutex_init(&l->lock, NULL);
        l->times = map_new();
        l->span = seconds * 1000ull;
        l->most = most;
        return l;
}

/* Drops what is over, or all. The map cannot change while it is gone through. */
static void sweep(struct limit *l, uint64_t now, bool all)
{
        struct map *kept = map_new();
        size_t at = 0;
        struct str key;
        void *value;
        while (map_next(l->times, &at, &key, &value)) {
                if (!all && now - *(uint64_t *)value < l->span)
                        map_put(kept, key, value);
                else
                        free(value);
        }
        map_free(l->times);
        l->times = kept;
        l->swept = now;
}

void limit_free(struct limit *l)
{
        if (!l)
                return;
        sweep(l, 0, true);
        map_free(l->times);
        pthread_mutex_destroy(&l->lock);
        free(l);
}

enum status limit_take(struct limit *l, struct str key)
{
        enum { SWEEP_MS = 1000 }; /* a full table is gone through once a second at most */
        uint64_t now = clock_ms();
        enum status st = OK;
        pthread_mutex_lock(&l->lock);
        uint64_t *when = map_get(l->times, key);
        if (when && now - *when < l->span)
                st = EXISTS;
        if (st == OK && !when && map_count(l->times) >= l->most && now - l->swept >= SWEEP_MS)
                sweep(l, now, false);
        if (st == OK && !when && map_count(l->times) >= l->most)
                st = BUSY;
        if (st == OK && !when) {
                when = mem_new(sizeof *when);
                map_put(l->times, key, when);
        }
        if (st == OK)
                *when = now;
        pthread_mutex_unlock(&l->lock);
        return st;
}

void limit_forget(struct limit *l, struct str key)
{
        pthread_mutex_lock(&l->lock);
        free(map_drop(l->times, key));
        pthread_mutex_unlock(&l->lock);
}
