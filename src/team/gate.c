#include "team/gate.h"
#include "base/clock.h"
#include "base/map.h"
#include <arpa/inet.h>
#include <pthread.h>

enum { ADDRESSES_MAX = 10000, WINDOW_MS = 60 * 1000 };

struct failures {
        uint64_t since;
        unsigned count;
};

struct gate {
        pthread_mutex_t lock;
        struct map *addresses;
        unsigned running; /* passwords being checked */
};

/* One host has a whole IPv6 /64 to itself: that counts as one address. */
static struct str key_of(struct str address, char *room)
{
        struct in6_addr six;
        snprintf(room, INET6_ADDRSTRLEN, "%.*s", STR_ARG(address));
        if (inet_pton(AF_INET6, room, &six) == 1) {
                memset(six.s6_addr + 8, 0, 8);
                inet_ntop(AF_INET6, &six, room, INET6_ADDRSTRLEN);
        }
        return str_of(room);
}

static void forget_all(struct gate *g)
{
        size_t at = 0;
        struct str key;
        void *value;
        while (map_next(g->addresses, &at, &key, &value))
                free(value);
        map_free(g->addresses);
        g->addresses = map_new();
}

struct gate *gate_new(void)
{
        struct gate *g = mem_new(sizeof *g);
        pthread_mutex_init(&g->lock, NULL);
        g->addresses = map_new();
        return g;
}

void gate_free(struct gate *g)
{
        if (!g)
                return;
        forget_all(g);
        map_free(g->addresses);
        pthread_mutex_destroy(&g->lock);
        free(g);
}

bool gate_open(struct gate *g, struct str address, unsigned most)
{
        char room[INET6_ADDRSTRLEN];
        pthread_mutex_lock(&g->lock);
        const struct failures *f = map_get(g->addresses, key_of(address, room));
        bool open = !f || f->count < most || clock_ms() - f->since > WINDOW_MS;
        pthread_mutex_unlock(&g->lock);
        return open;
}

void gate_failed(struct gate *g, struct str address)
{
        uint64_t now = clock_ms();
        char room[INET6_ADDRSTRLEN];
        struct str key = key_of(address, room);
        pthread_mutex_lock(&g->lock);
        /* a flood from many addresses forgets the older ones: memory is bounded */
        if (map_count(g->addresses) >= ADDRESSES_MAX)
                forget_all(g);
        struct failures *f = map_get(g->addresses, key);
        if (!f) {
                f = mem_new(sizeof *f);
                map_put(g->addresses, key, f);
        }
        if (now - f->since > WINDOW_MS)
                *f = (struct failures){.since = now};
        f->count++;
        pthread_mutex_unlock(&g->lock);
}

bool gate_begin(struct gate *g, unsigned most)
{
        pthread_mutex_lock(&g->lock);
        bool room = g->running < most;
        g->running += room;
        pthread_mutex_unlock(&g->lock);
        return room;
}

void gate_end(struct gate *g)
{
        pthread_mutex_lock(&g->lock);
        g->running--;
        pthread_mutex_unlock(&g->lock);
}
