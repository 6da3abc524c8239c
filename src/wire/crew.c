#include "wire/crew.h"
#include "base/clock.h"
#include "base/log.h"
#include "wire/inside.h"
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        WORKERS_LEAST = 2,
        RETIRE_MS = 10000,   /* a worker with nothing to do for so long goes */
        TRIM_MS = 30000,     /* memory of sessions gone idle is given back so often */
        STACK = 8 << 20,     /* parsers of hostile mail want room; only what is touched is used */
};

/* --- workers --- */

static void crew_dispatch(struct crew *crew, uint64_t handle)
{
        struct wire *w;
        if (handle == UINT64_MAX) { /* the queue of wakes */
                w = crew_next(crew);
                if (!w)
                        return;
                if (wire_own(w, 0) && share_enter(w))
                        session_run(w);
        } else if (handle >> 63 == PORT_HANDLE) {
                w = port_accept(crew, (size_t)(handle & UINT32_MAX));
                if (!w)
                        return;
                session_run(wire_hold(w));
        } else {
                w = crew_find(crew, handle);
                if (!w)
                        return;
                if (wire_own(w, READY) && share_enter(w))
                        session_run(w);
        }
        wire_drop(w);
}

static bool crew_retire(struct crew *crew, struct worker *self)
{
        pthread_mutex_lock(&crew->lock);
        bool go = crew->worker_count > WORKERS_LEAST && !crew->ending;
        if (go) {
                crew->worker_count--;
                self->ended = true;
        }
        pthread_mutex_unlock(&crew->lock);
        return go;
}

static void *crew_work(void *start)
{
        struct worker *self = start;
        struct crew *crew = self->crew;
        struct epoll_event e;
        for (;;) { /* counted as idle: by crew_grow the first time */
                int n = epoll_wait(crew->epoll, &e, 1, RETIRE_MS);
                unsigned idle = atomic_fetch_sub(&crew->idle, 1) - 1;
                if (crew->ending) {
                        crew_poke(crew); /* for the next one */
                        return NULL;
                }
                if (n == 0 && crew_retire(crew, self))
                        return NULL;
                if (n > 0 && idle == 0)
                        crew_grow(crew);
                if (n > 0) {
                        atomic_fetch_add(&crew->busy, 1);
                        crew_dispatch(crew, e.data.u64);
                        atomic_fetch_sub(&crew->busy, 1);
                }
                atomic_fetch_add(&crew->idle, 1);
        }
}

static int thread_start(pthread_t *out, void *(*run)(void *), void *with)
{
        pthread_attr_t attr;
        sigset_t all, before;
        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, STACK);
        /* Signals are the main thread's; a write to a client that has gone says EPIPE. */
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before);
        int failed = pthread_create(out, &attr, run, with);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attr);
        return failed;
}

/* One more worker, when all are at work and the cap allows it. */
void crew_grow(struct crew *crew)
{
        pthread_mutex_lock(&crew->lock);
        if (crew->worker_count < crew->limits.workers + crew->aside && !crew->ending) {
                struct worker *worker = mem_new(sizeof *worker);
                worker->crew = crew;
                worker->next = crew->workers;
                atomic_fetch_add(&crew->idle, 1);
                int failed = thread_start(&worker->thread, crew_work, worker);
                if (failed) {
                        atomic_fetch_sub(&crew->idle, 1);
                        free(worker);
                        log_warn("cannot start a thread: %s", strerror(failed));
                } else {
                        crew->workers = worker;
                        crew->worker_count++;
                }
        }
        pthread_mutex_unlock(&crew->lock);
}

/* Joins the workers that have ended, or all. */
static void crew_join(struct crew *crew, bool all)
{
        struct worker *gone = NULL;
        pthread_mutex_lock(&crew->lock);
        for (struct worker **at = &crew->workers; *at;) {
                struct worker *worker = *at;
                if (!all && !worker->ended) {
                        at = &worker->next;
                        continue;
                }
                *at = worker->next;
                worker->next = gone;
                gone = worker;
        }
        pthread_mutex_unlock(&crew->lock);
        while (gone) {
                struct worker *worker = gone;
                gone = worker->next;
                pthread_join(worker->thread, NULL);
                free(worker);
        }
}

/* --- the keeper: deadlines and upkeep --- */

static void resume_ports(struct crew *crew)
{
        for (size_t i = 0; i < crew->port_count; i++)
                if (atomic_exchange(&crew->ports[i]->paused, false))
                        port_arm(crew, i);
}

static struct timespec after_ms(uint64_t ms)
{
        uint64_t at = clock_ms() + ms;
        return (struct timespec){(time_t)(at / 1000), (long)(at % 1000) * 1000000};
}

static void *crew_keep(void *start)
{
        struct crew *crew = start;
        uint64_t trimmed = clock_ms(), served = 0;
        pthread_mutex_lock(&crew->lock);
        while (!crew->ending) {
                struct timespec at = after_ms(TICK_MS);
                pthread_cond_timedwait(&crew->changed, &crew->lock, &at);
                pthread_mutex_unlock(&crew->lock);
                uint64_t now = clock_ms();
                crew_sweep(crew, now);
                if (!crew->stopping)
                        resume_ports(crew);
                crew_join(crew, false);
                if (now - trimmed > TRIM_MS && crew->obeyed != served) {
                        trimmed = now;
                        served = crew->obeyed;
                        malloc_trim(0);
                }
                pthread_mutex_lock(&crew->lock);
        }
        pthread_mutex_unlock(&crew->lock);
        return NULL;
}

/* --- beginning --- */

/* Every client is a descriptor. */
static void raise_descriptors(unsigned clients)
{
        struct rlimit r;
        if (getrlimit(RLIMIT_NOFILE, &r) < 0)
                return;
        rlim_t want = (rlim_t)clients + 1024;
        if (r.rlim_cur >= want)
                return;
        r.rlim_cur = r.rlim_max < want ? r.rlim_max : want;
        if (setrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < clients)
                log_warn("only %llu descriptors for %u clients", (unsigned long long)r.rlim_cur,
                        clients);
}

static void locks_init(struct crew *crew)
{
        pthread_condattr_t attr;
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_mutex_init(&crew->lock, NULL);
        pthread_mutex_init(&crew->queue_lock, NULL);
        pthread_mutex_init(&crew->gate.lock, NULL);
        shares_init(&crew->shares);
        pthread_cond_init(&crew->changed, &attr);
        pthread_cond_init(&crew->gate.moved, &attr);
        pthread_condattr_destroy(&attr);
}

enum status crew_new(const struct crew_options *options, struct crew **out)
{
        struct crew *crew = mem_new(sizeof *crew);
        struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.u64 = UINT64_MAX};
        *out = crew;
        crew->holds = 1;
        limits_set(&crew->limits, options);
        crew->tls = options->tls;
        atomic_flag_clear(&crew->stays);
        crew->cores = sysconf(_SC_NPROCESSORS_ONLN) > 1;
        crew->addresses = map_new();
        locks_init(crew);
        /* Each malloc arena keeps what its sessions left behind; but with four of them, workers of
         * sixteen busy clients waited for each other, a tenth of the time. */
        mallopt(M_ARENA_MAX, 16);
        raise_descriptors(crew->limits.connections);
        crew->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
        crew->epoll = epoll_create1(EPOLL_CLOEXEC);
        crew->poke = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (crew->epoll >= 0 && crew->poke >= 0 &&
                epoll_ctl(crew->epoll, EPOLL_CTL_ADD, crew->poke, &e) == 0)
                return OK;
        log_error("cannot make an epoll set: %s", strerror(errno));
        crew_drop(crew);
        *out = NULL;
        return BROKEN;
}

enum status crew_start(struct crew *crew)
{
        int failed = thread_start(&crew->keeper, crew_keep, crew);
        if (failed) {
                log_error("cannot start a thread: %s", strerror(failed));
                return BROKEN;
        }
        crew->started = true;
        for (int i = 0; i < WORKERS_LEAST; i++)
                crew_grow(crew);
        if (crew_stats(crew).workers == 0)
                return BROKEN;
        for (size_t i = 0; i < crew->port_count; i++)
                port_arm(crew, i);
        return OK;
}

void crew_limits(struct crew *crew, const struct crew_options *options)
{
        limits_set(&crew->limits, options);
        raise_descriptors(crew->limits.connections);
}

/* --- the end --- */

void crew_drop(struct crew *crew)
{
        if (atomic_fetch_sub(&crew->holds, 1) != 1)
                return;
        pthread_mutex_destroy(&crew->lock);
        pthread_mutex_destroy(&crew->queue_lock);
        pthread_mutex_destroy(&crew->gate.lock);
        shares_release(&crew->shares);
        pthread_cond_destroy(&crew->changed);
        pthread_cond_destroy(&crew->gate.moved);
        for (size_t i = 0; i < crew->port_count; i++)
                port_free(crew->ports[i]);
        free(crew->ports);
        map_free(crew->addresses);
        free(crew->slots);
        close(crew->epoll);
        close(crew->poke);
        close(crew->reserve);
        free(crew);
}

/* True when all clients have gone. ms 0: waits as long as it takes. */
static bool crew_empty(struct crew *crew, uint64_t ms)
{
        struct timespec at = after_ms(ms);
        int late = 0;
        pthread_mutex_lock(&crew->lock);
        while (crew->clients && !late)
                late = ms ? pthread_cond_timedwait(&crew->changed, &crew->lock, &at)
                          : pthread_cond_wait(&crew->changed, &crew->lock);
        bool empty = crew->clients == 0;
        pthread_mutex_unlock(&crew->lock);
        return empty;
}

static void stop_threads(struct crew *crew)
{
        pthread_mutex_lock(&crew->lock);
        crew->ending = true;
        pthread_cond_broadcast(&crew->changed);
        pthread_mutex_unlock(&crew->lock);
        pthread_join(crew->keeper, NULL);
        crew_poke(crew);
        crew_join(crew, true);
        crew_queue_close(crew);
}

void crew_stop(struct crew *crew, unsigned grace_seconds)
{
        pthread_mutex_lock(&crew->lock);
        crew->stopping = true; /* from now on none is added */
        pthread_mutex_unlock(&crew->lock);
        for (size_t i = 0; i < crew->port_count; i++)
                shutdown(crew->ports[i]->fd, SHUT_RDWR); /* further clients are refused */
        if (crew->started) {
                crew_post_all(crew, STOP);
                if (!grace_seconds || !crew_empty(crew, grace_seconds * UINT64_C(1000))) {
                        crew_cut_all(crew);
                        crew_empty(crew, 0);
                }
                stop_threads(crew);
        }
        for (size_t i = 0; i < crew->port_count; i++)
                port_close(crew->ports[i]);
        crew_drop(crew);
}

struct crew_stats crew_stats(struct crew *crew)
{
        struct crew_stats stats = {.served = crew->served, .refused = crew->refused};
        pthread_mutex_lock(&crew->lock);
        stats.clients = crew->clients;
        stats.workers = crew->worker_count;
        pthread_mutex_unlock(&crew->lock);
        pthread_mutex_lock(&crew->gate.lock);
        stats.waiting = crew->gate.inside;
        pthread_mutex_unlock(&crew->gate.lock);
        return stats;
}
