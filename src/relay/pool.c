#include "relay/pool.h"
#include "base/clock.h"
#include <pthread.h>

enum { MAILS_MOST = 100, IDLE_MOST = 64 };

struct pool {
        pthread_mutex_t lock;
        struct link *first; /* under the lock; the newest */
        unsigned count;
};

void link_close(struct link *l)
{
        if (!l)
                return;
        client_close(l->client);
        buf_release(&l->host);
        free(l);
}

struct pool *pool_new(void)
{
        struct pool *p = mem_new(sizeof *p);
        pthread_mutex_init(&p->lock, NULL);
        return p;
}

static void close_all(struct link *l)
{
        while (l) {
                struct link *next = l->next;
                link_close(l);
                l = next;
        }
}

void pool_free(struct pool *p)
{
        if (!p)
                return;
        close_all(p->first);
        pthread_mutex_destroy(&p->lock);
        free(p);
}

/* Under the lock. */
static struct link *unlink_at(struct pool *p, struct link **at)
{
        struct link *l = *at;
        *at = l->next;
        l->next = NULL;
        p->count--;
        return l;
}

static struct link *find(struct pool *p, struct str host, const struct config *config)
{
        struct link *l = NULL;
        pthread_mutex_lock(&p->lock);
        for (struct link **at = &p->first; *at && !l; at = l ? at : &(*at)->next)
                if ((*at)->config == config && str_same(buf_str(&(*at)->host), host))
                        l = unlink_at(p, at);
        pthread_mutex_unlock(&p->lock);
        return l;
}

struct link *pool_take(struct pool *p, struct str host, const struct config *config)
{
        struct link *l;
        while ((l = find(p, host, config)) && !client_usable(l->client))
                link_close(l);
        return l;
}

void pool_give(struct pool *p, struct link *l)
{
        bool keep = client_usable(l->client) && l->mails < MAILS_MOST;
        pthread_mutex_lock(&p->lock);
        keep = keep && p->count < IDLE_MOST;
        if (keep) {
                l->idle_since = clock_ms();
                l->next = p->first;
                p->first = l;
                p->count++;
        }
        pthread_mutex_unlock(&p->lock);
        if (!keep)
                link_close(l);
}

/* A farewell may take a while: without the lock. */
void pool_reap(struct pool *p, unsigned seconds)
{
        uint64_t now = clock_ms();
        struct link *old = NULL;
        pthread_mutex_lock(&p->lock);
        for (struct link **at = &p->first; *at;) {
                if (now - (*at)->idle_since < seconds * 1000ull) {
                        at = &(*at)->next;
                        continue;
                }
                struct link *l = unlink_at(p, at);
                l->next = old;
                old = l;
        }
        pthread_mutex_unlock(&p->lock);
        close_all(old);
}

bool pool_is_empty(struct pool *p)
{
        pthread_mutex_lock(&p->lock);
        bool empty = !p->first;
        pthread_mutex_unlock(&p->lock);
        return empty;
}
