/* limits.c - how much of the crew one client, one address and all waiting together may take. */
#include "base/clock.h"
#include "base/log.h"
#include "wire/inside.h"
#include <arpa/inet.h>

static unsigned or_else(unsigned value, unsigned standard)
{
        return value ? value : standard;
}

void limits_set(struct limits *l, const struct crew_options *o)
{
        l->workers = or_else(o->workers, 256);
        l->connections = or_else(o->connections, 20000);
        l->per_address = or_else(o->connections_per_address, 1000);
        l->seconds_to_write = or_else(o->seconds_to_write, 60);
        l->seconds_to_send = or_else(o->seconds_to_send, 120);
        l->bytes_per_second = or_else(o->bytes_per_second, 100);
}

/* --- connections of one address --- */

/* One host has a whole IPv6 /64 to itself, so that counts as one address. */
static void address_key(const struct wire *w, char *key, size_t size)
{
        struct in6_addr six;
        if (inet_pton(AF_INET6, w->address, &six) == 1 && !w->peer.loopback) {
                memset(six.s6_addr + 8, 0, 8);
                inet_ntop(AF_INET6, &six, key, (socklen_t)size);
                return;
        }
        snprintf(key, size, "%s", w->address);
}

bool address_enter(struct wire *w)
{
        struct crew *crew = w->crew;
        char key[INET6_ADDRSTRLEN];
        address_key(w, key, sizeof key);
        struct address *a = map_get(crew->addresses, str_of(key));
        if (!a) {
                a = mem_new(sizeof *a);
                memcpy(a->key, key, sizeof key);
                a->near = w->peer.loopback;
                map_put(crew->addresses, str_of(key), a);
        }
        uint64_t most = (uint64_t)crew->limits.per_address * (a->near ? 10 : 1);
        if (a->clients >= most)
                return false;
        a->clients++;
        w->from = a;
        return true;
}

void address_leave(struct wire *w)
{
        struct address *a = w->from;
        w->from = NULL;
        if (!a || --a->clients)
                return;
        map_drop(w->crew->addresses, str_of(a->key));
        free(a);
}

/* --- the gate: at most half of the crew waits on sockets --- */

static unsigned gate_size(struct crew *crew)
{
        unsigned half = crew->limits.workers / 2;
        return half ? half : 1;
}

/* One far address may fill half of the gate; the rest is for everybody else. */
static bool gate_open(struct wire *w)
{
        unsigned size = gate_size(w->crew);
        unsigned share = size < 2 || w->from->near ? size : size / 2;
        return w->crew->gate.inside < size && w->from->waiting < share;
}

/* A quarter of the crew neither waits nor queues to wait: it serves those who are quick. */
static bool gate_hopeless(struct crew *crew)
{
        unsigned workers = crew->limits.workers;
        unsigned spare = workers < 4 ? 1 : workers / 4;
        unsigned most = workers > spare ? workers - spare : 1;
        return crew->gate.inside + crew->gate.queued >= most;
}

/* Under gate.lock. */
static enum status gate_queue(struct wire *w, uint64_t until)
{
        struct gate *gate = &w->crew->gate;
        struct timespec at = {(time_t)(until / 1000), (long)(until % 1000) * 1000000};
        int late = 0;
        gate->queued++;
        while (!gate_open(w) && !w->cut && !late)
                late = pthread_cond_timedwait(&gate->moved, &gate->lock, &at);
        gate->queued--;
        if (w->cut)
                return CLOSED;
        return gate_open(w) ? OK : TIMEOUT;
}

enum status gate_enter(struct wire *w, uint64_t until)
{
        struct gate *gate = &w->crew->gate;
        enum status st = OK;
        bool warn = false;
        pthread_mutex_lock(&gate->lock);
        if (!gate_open(w) && gate_hopeless(w->crew)) {
                uint64_t now = clock_ms();
                warn = now - gate->warned_at > 10000;
                gate->warned_at = warn ? now : gate->warned_at;
                st = TIMEOUT;
        } else if (!gate_open(w)) {
                st = gate_queue(w, until);
        }
        if (st == OK) {
                gate->inside++;
                w->from->waiting++;
        }
        pthread_mutex_unlock(&gate->lock);
        if (warn)
                log_warn("too many slow clients: %s is put out; raise the limit of workers",
                        w->address);
        return st;
}

void gate_leave(struct wire *w)
{
        struct gate *gate = &w->crew->gate;
        pthread_mutex_lock(&gate->lock);
        gate->inside--;
        w->from->waiting--;
        if (gate->queued)
                pthread_cond_broadcast(&gate->moved);
        pthread_mutex_unlock(&gate->lock);
}

bool gate_crowded(struct crew *crew)
{
        pthread_mutex_lock(&crew->gate.lock);
        bool crowded = crew->gate.queued > 0;
        pthread_mutex_unlock(&crew->gate.lock);
        return crowded;
}
