#include "relay/domains.h"
#include "base/clock.h"
#include <pthread.h>

enum { ENTRIES = 512, NAME_MOST = 254 };

struct entry {
        char name[NAME_MOST];
        size_t len;
        unsigned inside; /* senders */
        uint64_t until;  /* clock_ms: left alone until then */
        struct buf why;
};
struct domains {
        pthread_mutex_t lock;
        unsigned most; /* senders in one domain */
        struct entry entries[ENTRIES];
};

struct domains *domains_new(unsigned senders)
{
        struct domains *d = mem_new(sizeof *d);
        pthread_mutex_init(&d->lock, NULL);
        d->most = senders > 1 ? senders / 2 : 1;
        return d;
}

void domains_free(struct domains *d)
{
        if (!d)
                return;
        for (unsigned i = 0; i < ENTRIES; i++)
                buf_release(&d->entries[i].why);
        pthread_mutex_destroy(&d->lock);
        free(d);
}

/* Under the lock. NULL: there is none, and no room for another. What is free is filled again; when
 * all are remembered for their silence, the one whose time is up first is forgotten. There are more
 * entries than senders, so one is free. */
static struct entry *find(struct domains *d, struct str domain, bool make)
{
        struct entry *oldest = NULL;
        if (domain.len >= NAME_MOST)
                return NULL;
        for (unsigned i = 0; i < ENTRIES; i++) {
                struct entry *e = &d->entries[i];
                if ((e->inside || e->until) && str_same(str_make(e->name, e->len), domain))
                        return e;
                if (!e->inside && (!oldest || e->until < oldest->until))
                        oldest = e;
        }
        if (!make || !oldest)
                return NULL;
        memcpy(oldest->name, domain.at, domain.len);
        oldest->len = domain.len;
        oldest->until = 0;
        buf_clear(&oldest->why);
        return oldest;
}

enum status domains_enter(struct domains *d, struct str domain, struct buf *why)
{
        enum status st = OK;
        pthread_mutex_lock(&d->lock);
        struct entry *e = find(d, domain, true);
        if (e && e->until > clock_ms()) {
                buf_add(why, buf_str(&e->why));
                st = CLOSED;
        } else if (e && e->inside >= d->most) {
                st = BUSY;
        } else if (e) {
                e->inside++;
        }
        pthread_mutex_unlock(&d->lock);
        return st;
}

void domains_leave(struct domains *d, struct str domain, unsigned seconds, const struct buf *why)
{
        pthread_mutex_lock(&d->lock);
        struct entry *e = find(d, domain, false);
        if (e) {
                e->inside -= e->inside > 0;
                e->until = seconds ? clock_ms() + seconds * 1000ull : 0;
                if (seconds)
                        buf_set(&e->why, buf_str(why));
        }
        pthread_mutex_unlock(&d->lock);
}
