/* stay.c - a client that sends its next command as soon as it has the reply (a newsreader that
 * fetches articles, mbsync) costs two switches of threads and two system calls a command more than
 * the command itself: for the epoll set. So after a reply the worker looks for the next command
 * for a moment, without giving the session back. It does so only while nobody else is served or
 * wants the core, and for one session of the crew at a time. */
#include "base/clock.h"
#include "wire/inside.h"
#include <errno.h>
#include <sched.h>
#include <sys/socket.h>

enum {
        QUICK_US = 500, /* a command so soon after the reply: the next may come as soon */
        STAY_US = 100,  /* how long one is awaited */
        HOLD_US = 20000,      /* after so long the session is given back once, for who waits for it */
        AWAY_US = 20,         /* a look that took so long gave the core to somebody else; */
        LOST_US = 1000,       /* one that took so long is lost, whoever ran */
        REST_LEAST_US = 500,  /* after a look that was lost nobody stays for so long, */
        REST_MOST_US = 250000, /* each time twice as long, up to this, */
        REST_SHARE = 32       /* and shorter by this part with each command that came in time */
};

void session_taken(struct wire *w)
{
        w->taken_at = clock_us();
        w->quick = w->rested_at && w->taken_at - w->rested_at < QUICK_US;
}

static bool has_input(const struct wire *w)
{
        char first;
        ssize_t n = recv(w->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
        return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

static bool may_stay(struct wire *w)
{
        struct crew *crew = w->crew;
        return !crew->stopping && crew->busy == 1 && !(atomic_load(&w->flags) & EVENTS);
}

/* Where the core is wanted by others, one turn that is lost costs more than many that are won. */
static void rest(struct crew *crew, uint64_t now)
{
        uint32_t twice = 2 * crew->stay_rest;
        crew->stay_rest = twice < REST_LEAST_US ? REST_LEAST_US
                : twice < REST_MOST_US          ? twice
                                                : REST_MOST_US;
        crew->stay_from = now + crew->stay_rest;
}

/* Yields at each turn: who else could run there runs at once, perhaps the client itself. */
static bool await(struct wire *w)
{
        struct crew *crew = w->crew;
        uint64_t now = clock_us(), until = now + STAY_US, away = 0;
        while (now < until && away <= AWAY_US && may_stay(w)) {
                if (has_input(w)) {
                        crew->stay_rest -= crew->stay_rest / REST_SHARE;
                        return true;
                }
                sched_yield();
                away = clock_us() - now;
                now += away;
        }
        bool came = away > AWAY_US && has_input(w);
        if (away > LOST_US || (away > AWAY_US && !came))
                rest(crew, now);
        return came;
}

bool session_stays(struct wire *w)
{
        struct crew *crew = w->crew;
        if (!w->quick || !crew->cores || !may_stay(w) || w->closing || w->squeeze || w->eof)
                return false;
        uint64_t now = clock_us();
        if (now - w->taken_at > HOLD_US || now < crew->stay_from || stream_send(w) != OK)
                return false;
        if (atomic_flag_test_and_set(&crew->stays))
                return false;
        w->quick = await(w);
        atomic_flag_clear(&crew->stays);
        if (w->quick)
                w->events |= READY;
        return w->quick;
}
