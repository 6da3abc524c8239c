/* share.c - what one client may take of the crew. A client is whoever logged in, however many
 * connections that is; before the login, a far address. A connection whose client has as many
 * workers as it may have is put off: it waits in its client's row, without a worker, until one of
 * them is done. Without this, one person's hundred searches leave nobody to answer the others. */
#include "wire/inside.h"

struct share {
        char key[INET6_ADDRSTRLEN + 8];
        bool person;
        unsigned members, busy;    /* wires; those of them that a worker serves */
        struct wire *first, *last; /* put off, by queue_next; each is held */
};

void shares_init(struct shares *all)
{
        pthread_mutex_init(&all->lock, NULL);
        all->map = map_new();
}

void shares_release(struct shares *all)
{
        pthread_mutex_destroy(&all->lock);
        map_free(all->map);
}

static unsigned share_size(struct crew *crew, const struct share *s)
{
        unsigned workers = crew->limits.workers, part = s->person ? workers * 3 / 8 : workers / 2;
        return part ? part : 1;
}

/* --- putting off; all of these under the lock --- */

/* Gives the wire up as its owner. While it waits, QUEUED keeps it out of the crew's queue; what
 * happens to it meanwhile gathers in its flags. Where it lies in the crew's queue already, it will
 * be tried from there. */
static void put_off(struct share *s, struct wire *w)
{
        unsigned old = atomic_load(&w->flags);
        while (!atomic_compare_exchange_weak(
                &w->flags, &old, (old & ~(unsigned)OWNED) | QUEUED)) {
        }
        if (old & QUEUED)
                return;
        wire_hold(w);
        w->put_off = true;
        w->queue_next = NULL;
        if (s->first)
                s->last->queue_next = w;
        else
                s->first = w;
        s->last = w;
}

/* The next that may be tried again, or NULL; to be given to crew_queue without the lock. */
static struct wire *take_next(struct crew *crew, struct share *s)
{
        struct wire *w = s->first;
        if (!w || s->busy >= share_size(crew, s))
                return NULL;
        s->first = w->queue_next;
        w->put_off = false;
        return w;
}

static struct wire *take_out(struct share *s, struct wire *w)
{
        struct wire *before = NULL;
        if (!w->put_off)
                return NULL;
        for (struct wire *at = s->first; at != w; at = at->queue_next)
                before = at;
        if (before)
                before->queue_next = w->queue_next;
        else
                s->first = w->queue_next;
        if (s->last == w)
                s->last = before;
        w->put_off = false;
        return w;
}

static void free_empty(struct crew *crew, struct share *s)
{
        if (s->members)
                return;
        map_drop(crew->shares.map, str_of(s->key));
        free(s);
}

/* --- what a wire's owner calls --- */

bool share_enter(struct wire *w)
{
        struct crew *crew = w->crew;
        pthread_mutex_lock(&crew->shares.lock);
        struct share *s = w->share;
        bool room = !s || s->busy < share_size(crew, s);
        if (s && room)
                s->busy++;
        if (room)
                w->busy = s != NULL;
        else
                put_off(s, w);
        pthread_mutex_unlock(&crew->shares.lock);
        return room;
}

void share_again(struct wire *w)
{
        pthread_mutex_lock(&w->crew->shares.lock);
        w->busy = w->share != NULL;
        if (w->share)
                w->share->busy++;
        pthread_mutex_unlock(&w->crew->shares.lock);
}

void share_leave(struct wire *w)
{
        struct crew *crew = w->crew;
        struct wire *next = NULL;
        pthread_mutex_lock(&crew->shares.lock);
        if (w->busy) {
                w->share->busy--;
                next = take_next(crew, w->share);
        }
        w->busy = false;
        pthread_mutex_unlock(&crew->shares.lock);
        if (next)
                crew_queue(next);
}

static void share_join(struct wire *w, const char *key, bool person)
{
        struct crew *crew = w->crew;
        pthread_mutex_lock(&crew->shares.lock);
        struct share *s = map_get(crew->shares.map, str_of(key));
        if (!s) {
                s = mem_new(sizeof *s);
                snprintf(s->key, sizeof s->key, "%s", key);
                s->person = person;
                map_put(crew->shares.map, str_of(s->key), s);
        }
        s->members++;
        w->share = s;
        pthread_mutex_unlock(&crew->shares.lock);
}

void share_quit(struct wire *w)
{
        struct crew *crew = w->crew;
        struct wire *next, *self;
        if (!w->share)
                return;
        share_leave(w);
        pthread_mutex_lock(&crew->shares.lock);
        struct share *s = w->share;
        self = take_out(s, w);
        w->share = NULL;
        s->members--;
        next = take_next(crew, s);
        free_empty(crew, s);
        pthread_mutex_unlock(&crew->shares.lock);
        if (self)
                crew_queue(self);
        if (next)
                crew_queue(next);
}

/* Who is near may be many people behind one front: only persons count there. */
void share_by_address(struct wire *w)
{
        if (!w->from->near)
                share_join(w, w->from->key, false);
}

void wire_person(struct wire *w, uint32_t person)
{
        char key[32];
        bool busy = w->busy || !w->share;
        share_quit(w);
        snprintf(key, sizeof key, "person %u", (unsigned)person);
        if (person)
                share_join(w, key, true);
        else
                share_by_address(w);
        if (busy)
                share_again(w);
}
