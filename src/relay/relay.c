#include "relay/relay.h"
#include "base/clock.h"
#include "base/log.h"
#include "relay/deliver.h"
#include "team/list_send.h"
#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
        SENDERS_MOST = 64,
        DUE_BATCH = 2 * SENDERS_MOST, /* more than can be taken */
        STACK_OCTETS = 4 << 20,       /* reports parse mail */
        LINGER_SECONDS = 2,           /* a connection without mail */
        NAP_SECONDS = 30,
        PAUSE_SECONDS = 5, /* after the next hop could not be reached */
        GRACE_SECONDS = 5,
};

struct sender {
        struct relay *relay;
        pthread_t thread;
        uint64_t taken; /* under the lock: what it sends; 0: nothing */
};
struct relay {
        struct site *site;
        pthread_mutex_t lock;
        pthread_cond_t wake;
        bool stop;
        struct courier courier; /* its stop_now is an eventfd: readable ends every wait */
        uint64_t quiet_until;   /* under the lock; clock_ms: the next hop cannot be reached */
        unsigned running;       /* under the lock */
        struct sender senders[SENDERS_MOST];
        unsigned count;
};

/* Also keeps senders from turning in circles where the store cannot be read or written. */
static void pause_all(struct relay *relay, unsigned seconds)
{
        pthread_mutex_lock(&relay->lock);
        relay->quiet_until = clock_ms() + seconds * 1000ull;
        pthread_mutex_unlock(&relay->lock);
}

static void serve(struct sender *s, uint64_t id)
{
        struct arena *arena = arena_new();
        struct queue_row row;
        enum status st = queue_get(s->relay->site->store, id, arena, &row);
        if (st == OK && !row.hold)
                st = row.list ? list_expand(s->relay->site, &row, arena)
                              : deliver(&s->relay->courier, &row, arena);
        if (st == CLOSED) {
                unsigned first = site_config(s->relay->site)->retry_first;
                pause_all(s->relay, first < PAUSE_SECONDS ? first : PAUSE_SECONDS);
        } else if (st != OK && st != ABSENT) {
                log_error("relay: %llu: %s", (unsigned long long)id, status_name(st));
                pause_all(s->relay, PAUSE_SECONDS);
        }
        arena_free(arena);
}

/* ---- who takes what ---- */

static bool is_taken(const struct relay *relay, uint64_t id)
{
        for (unsigned i = 0; i < relay->count; i++)
                if (relay->senders[i].taken == id)
                        return true;
        return false;
}

/* Under the lock. 0: nothing is due, or the next hop is not there. */
static uint64_t find_due(struct relay *relay)
{
        uint64_t ids[DUE_BATCH];
        size_t count = DUE_BATCH;
        if (!config_relays(site_config(relay->site)) || clock_ms() < relay->quiet_until)
                return 0;
        if (queue_due(relay->site->store, clock_now(), ids, &count) != OK)
                return 0;
        for (size_t i = 0; i < count; i++)
                if (!is_taken(relay, ids[i]))
                        return ids[i];
        return 0;
}

/* Under the lock: seconds until it is worth looking again. What is due and not taken now waits for
 * the next hop, or is another sender's. */
static time_t next_look(struct relay *relay)
{
        time_t at, now = clock_now();
        if (queue_next(relay->site->store, &at) != OK || at > now + NAP_SECONDS)
                return NAP_SECONDS;
        return at > now ? at - now : 1;
}

static bool wait_for_work(struct relay *relay, time_t seconds)
{
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += seconds;
        return pthread_cond_timedwait(&relay->wake, &relay->lock, &until) == 0;
}

/* Under the lock, which is given up meanwhile. */
static void wait_and_reap(struct relay *relay)
{
        time_t wait = next_look(relay);
        bool idle = !pool_is_empty(relay->courier.pool);
        (void)wait_for_work(relay, idle && wait > LINGER_SECONDS ? LINGER_SECONDS : wait);
        if (!idle)
                return;
        pthread_mutex_unlock(&relay->lock);
        pool_reap(relay->courier.pool, LINGER_SECONDS);
        pthread_mutex_lock(&relay->lock);
}

/* 0: it is time to end. */
static uint64_t take(struct sender *s)
{
        struct relay *relay = s->relay;
        uint64_t id = 0;
        pthread_mutex_lock(&relay->lock);
        s->taken = 0;
        while (!relay->stop && (id = find_due(relay)) == 0)
                wait_and_reap(relay);
        s->taken = relay->stop ? 0 : id;
        id = s->taken;
        pthread_mutex_unlock(&relay->lock);
        return id;
}

static void *sender_run(void *arg)
{
        struct sender *s = arg;
        struct relay *relay = s->relay;
        uint64_t id;
        while (!store_failed(relay->site->store) && (id = take(s)) != 0)
                serve(s, id);
        pthread_mutex_lock(&relay->lock);
        relay->running--;
        pthread_cond_broadcast(&relay->wake);
        pthread_mutex_unlock(&relay->lock);
        return NULL;
}

/* ---- beginning and end ---- */

static void relay_wake(void *arg)
{
        struct relay *relay = arg;
        pthread_mutex_lock(&relay->lock);
        pthread_cond_broadcast(&relay->wake);
        pthread_mutex_unlock(&relay->lock);
}

static void start_senders(struct relay *relay, unsigned count)
{
        pthread_attr_t how;
        pthread_attr_init(&how);
        pthread_attr_setstacksize(&how, STACK_OCTETS);
        pthread_mutex_lock(&relay->lock);
        while (relay->count < count) {
                struct sender *s = &relay->senders[relay->count];
                s->relay = relay;
                if (pthread_create(&s->thread, &how, sender_run, s) != 0)
                        break;
                relay->count++;
                relay->running++;
        }
        pthread_mutex_unlock(&relay->lock);
        pthread_attr_destroy(&how);
}

enum status relay_start(struct site *site, struct relay **out)
{
        struct relay *relay = mem_new(sizeof *relay);
        pthread_condattr_t clock;
        relay->site = site;
        pthread_condattr_init(&clock);
        pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
        pthread_cond_init(&relay->wake, &clock);
        pthread_condattr_destroy(&clock);
        pthread_mutex_init(&relay->lock, NULL);
        unsigned senders = site_config(site)->relay_senders;
        relay->courier = (struct courier){.site = site,
                .pool = pool_new(),
                .domains = domains_new(senders),
                .stop_now = eventfd(0, EFD_CLOEXEC),
                .stop = &relay->stop};
        if (relay->courier.stop_now >= 0)
                start_senders(relay, senders);
        *out = relay;
        if (!relay->count) {
                log_error("relay: no thread: %s", strerror(errno));
                relay_stop(relay);
                *out = NULL;
                return BROKEN;
        }
        site->relay = relay;
        __atomic_store_n(&site->queued, relay_wake, __ATOMIC_RELEASE);
        return OK;
}

/* A mail whose last reply is awaited would be sent twice if it were cut off. */
static void wait_for_end(struct relay *relay)
{
        uint64_t until = clock_ms() + GRACE_SECONDS * 1000ull;
        pthread_mutex_lock(&relay->lock);
        __atomic_store_n(&relay->stop, true, __ATOMIC_RELAXED);
        pthread_cond_broadcast(&relay->wake);
        while (relay->running && clock_ms() < until)
                (void)wait_for_work(relay, 1);
        pthread_mutex_unlock(&relay->lock);
}

void relay_stop(struct relay *relay)
{
        uint64_t one = 1;
        if (!relay)
                return;
        __atomic_store_n(&relay->site->queued, NULL, __ATOMIC_RELEASE);
        wait_for_end(relay);
        if (relay->courier.stop_now >= 0 &&
                write(relay->courier.stop_now, &one, sizeof one) != sizeof one)
                log_error("relay: cannot be told to stop: %s", strerror(errno));
        for (unsigned i = 0; i < relay->count; i++)
                pthread_join(relay->senders[i].thread, NULL);
        if (relay->courier.stop_now >= 0)
                close(relay->courier.stop_now);
        pool_free(relay->courier.pool);
        domains_free(relay->courier.domains);
        pthread_mutex_destroy(&relay->lock);
        pthread_cond_destroy(&relay->wake);
        free(relay);
}
