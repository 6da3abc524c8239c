#include "team/room.h"
#include "wire/wire.h"
#include <pthread.h>

enum {
        SMALL = 1 << 20, /* is not counted */
        ALL = 256 << 20, /* together; one alone may be larger */
        WAIT_SECONDS = 30,
};

struct room {
        pthread_mutex_t lock;
        pthread_cond_t left;
        uint64_t taken;
};

struct room *room_new(void)
{
        struct room *r = mem_new(sizeof *r);
        pthread_condattr_t how;
        pthread_condattr_init(&how);
        pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
        pthread_mutex_init(&r->lock, NULL);
        pthread_cond_init(&r->left, &how);
        pthread_condattr_destroy(&how);
        return r;
}

void room_free(struct room *r)
{
        if (!r)
                return;
        pthread_mutex_destroy(&r->lock);
        pthread_cond_destroy(&r->left);
        free(r);
}

static bool fits(const struct room *r, uint64_t octets)
{
        return r->taken == 0 || r->taken + octets <= ALL;
}

enum status room_take(struct room *r, struct wire *wire, uint64_t octets)
{
        struct timespec until;
        int late = 0;
        if (octets <= SMALL)
                return OK;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += WAIT_SECONDS;
        if (wire)
                wire_aside(wire, true);
        pthread_mutex_lock(&r->lock);
        while (!fits(r, octets) && !late)
                late = pthread_cond_timedwait(&r->left, &r->lock, &until);
        enum status st = fits(r, octets) ? OK : BUSY;
        if (st == OK)
                r->taken += octets;
        pthread_mutex_unlock(&r->lock);
        if (wire)
                wire_aside(wire, false);
        return st;
}

void room_leave(struct room *r, uint64_t octets)
{
        if (octets <= SMALL)
                return;
        pthread_mutex_lock(&r->lock);
        r->taken -= octets;
        pthread_cond_broadcast(&r->left);
        pthread_mutex_unlock(&r->lock);
}
