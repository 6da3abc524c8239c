/* table.c - all wires of a crew, found by a handle that outlives them, and the queue of those
 * that something has happened to. */
#include "base/clock.h"
#include "wire/inside.h"
#include <sys/socket.h>
#include <unistd.h>

/* --- the table --- */

static void table_grow(struct crew *crew)
{
        uint32_t old = crew->slot_count, count = old ? old * 2 : 64;
        crew->slots = mem_grow(crew->slots, count * sizeof *crew->slots);
        for (uint32_t i = old; i < count; i++)
                crew->slots[i] = (struct slot){NULL, 0, i + 1 < count ? i + 2 : 0};
        crew->slot_count = count;
        crew->slot_free = old + 1;
}

bool crew_add(struct crew *crew, struct wire *w)
{
        pthread_mutex_lock(&crew->lock);
        bool room = !crew->stopping && crew->clients < crew->limits.connections &&
                    address_enter(w);
        if (room) {
                if (!crew->slot_free)
                        table_grow(crew);
                struct slot *slot = &crew->slots[crew->slot_free - 1];
                /* An event may be on its way when its wire ends: the generation tells. */
                w->handle = (uint64_t)slot->generation << 32 | (crew->slot_free - 1);
                slot->wire = w;
                crew->slot_free = slot->next_free;
                crew->clients++;
        }
        pthread_mutex_unlock(&crew->lock);
        return room;
}

void crew_remove(struct wire *w)
{
        struct crew *crew = w->crew;
        pthread_mutex_lock(&crew->lock);
        uint32_t index = (uint32_t)w->handle;
        struct slot *slot = &crew->slots[index];
        slot->wire = NULL;
        slot->generation = (slot->generation + 1) & 0x7fffffff;
        slot->next_free = crew->slot_free;
        crew->slot_free = index + 1;
        address_leave(w);
        if (--crew->clients == 0)
                pthread_cond_broadcast(&crew->changed);
        pthread_mutex_unlock(&crew->lock);
}

struct wire *crew_find(struct crew *crew, uint64_t handle)
{
        struct wire *w = NULL;
        uint32_t slot = (uint32_t)handle;
        pthread_mutex_lock(&crew->lock);
        if (slot < crew->slot_count && crew->slots[slot].generation == handle >> 32)
                w = crew->slots[slot].wire;
        if (w)
                wire_hold(w);
        pthread_mutex_unlock(&crew->lock);
        return w;
}

/* --- events and their queue --- */

void crew_poke(struct crew *crew)
{
        uint64_t one = 1;
        if (write(crew->poke, &one, sizeof one) < 0) { /* full: somebody is poked already */
        }
}

/* The wire's flags say QUEUED, so it is in here once at most. */
void crew_queue(struct wire *w)
{
        struct crew *crew = w->crew;
        pthread_mutex_lock(&crew->queue_lock);
        if (crew->queue_closed) {
                pthread_mutex_unlock(&crew->queue_lock);
                wire_drop(w);
                return;
        }
        bool first = !crew->queue_first;
        w->queue_next = NULL;
        if (first)
                crew->queue_first = w;
        else
                crew->queue_last->queue_next = w;
        crew->queue_last = w;
        pthread_mutex_unlock(&crew->queue_lock);
        if (first)
                crew_poke(crew);
}

void wire_post(struct wire *w, unsigned events)
{
        unsigned old = atomic_load(&w->flags), new;
        do {
                if (old & DEAD)
                        return;
                new = old | events;
                if (!(old & (OWNED | QUEUED)))
                        new |= QUEUED;
        } while (!atomic_compare_exchange_weak(&w->flags, &old, new));
        if ((new & QUEUED) && !(old & QUEUED))
                crew_queue(wire_hold(w));
}

bool wire_own(struct wire *w, unsigned events)
{
        unsigned old = atomic_load(&w->flags), new;
        do {
                if (old & DEAD)
                        return false;
                new = old | events | OWNED;
        } while (!atomic_compare_exchange_weak(&w->flags, &old, new));
        return !(old & OWNED);
}

struct wire *crew_next(struct crew *crew)
{
        pthread_mutex_lock(&crew->queue_lock);
        struct wire *w = crew->queue_first;
        if (w)
                crew->queue_first = w->queue_next;
        bool more = crew->queue_first != NULL;
        pthread_mutex_unlock(&crew->queue_lock);
        if (more)
                crew_poke(crew); /* for the next worker */
        if (w)
                atomic_fetch_and(&w->flags, ~(unsigned)QUEUED);
        return w;
}

void crew_queue_close(struct crew *crew)
{
        struct wire *w;
        pthread_mutex_lock(&crew->queue_lock);
        crew->queue_closed = true;
        pthread_mutex_unlock(&crew->queue_lock);
        while ((w = crew_next(crew)))
                wire_drop(w);
}

void crew_post_all(struct crew *crew, unsigned events)
{
        pthread_mutex_lock(&crew->lock);
        for (uint32_t i = 0; i < crew->slot_count; i++)
                if (crew->slots[i].wire)
                        wire_post(crew->slots[i].wire, events);
        pthread_mutex_unlock(&crew->lock);
}

/* A wire in the table has its socket open, so shutting it down here hits no other. */
void crew_cut_all(struct crew *crew)
{
        pthread_mutex_lock(&crew->lock);
        for (uint32_t i = 0; i < crew->slot_count; i++) {
                struct wire *w = crew->slots[i].wire;
                if (!w)
                        continue;
                w->cut = true;
                shutdown(w->fd, SHUT_RDWR);
                wire_post(w, READY);
        }
        pthread_mutex_unlock(&crew->lock);
        pthread_mutex_lock(&crew->gate.lock);
        pthread_cond_broadcast(&crew->gate.moved);
        pthread_mutex_unlock(&crew->gate.lock);
}

static void sweep_one(struct wire *w, uint64_t now)
{
        uint64_t due = w->wake_at;
        if (due && now >= due && atomic_compare_exchange_strong(&w->wake_at, &due, 0))
                wire_post(w, WAKE);
        if (now >= w->deadline) {
                w->deadline = UINT64_MAX; /* its owner sets the next */
                wire_post(w, TIMED);
        }
}

void crew_sweep(struct crew *crew, uint64_t now)
{
        pthread_mutex_lock(&crew->lock);
        for (uint32_t i = 0; i < crew->slot_count; i++)
                if (crew->slots[i].wire)
                        sweep_one(crew->slots[i].wire, now);
        pthread_mutex_unlock(&crew->lock);
}
