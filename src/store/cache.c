#include "store/cache.h"
#include <pthread.h>

struct cache {
        const struct cache_kind *kind;
        pthread_mutex_t lock;
        size_t octets, hand; /* where the next is given up */
        struct cached *slots[];
};

struct cache *cache_new(const struct cache_kind *kind)
{
        struct cache *c = mem_new(sizeof *c + kind->slots * sizeof *c->slots);
        c->kind = kind;
        pthread_mutex_init(&c->lock, NULL);
        return c;
}

static void drop(struct cache *c, struct cached *what)
{
        if (what && --what->refs == 0)
                c->kind->release(what);
}

static void empty_slot(struct cache *c, size_t i)
{
        struct cached *what = c->slots[i];
        c->slots[i] = NULL;
        c->octets -= what ? what->octets : 0;
        drop(c, what);
}

void cache_free(struct cache *c)
{
        if (!c)
                return;
        for (size_t i = 0; i < c->kind->slots; i++)
                empty_slot(c, i);
        pthread_mutex_destroy(&c->lock);
        free(c);
}

static size_t slot_of(const struct cache *c, uint64_t key)
{
        return (key * 0x9e3779b97f4a7c15ULL >> 32) % c->kind->slots;
}

struct cached *cache_get(struct cache *c, uint64_t key)
{
        pthread_mutex_lock(&c->lock);
        struct cached *what = c->slots[slot_of(c, key)];
        if (what && what->key == key)
                what->refs++;
        else
                what = NULL;
        pthread_mutex_unlock(&c->lock);
        return what;
}

void cache_put(struct cache *c, struct cached *what)
{
        size_t slot = slot_of(c, what->key);
        what->refs = 1;
        if (what->octets > c->kind->each)
                return;
        pthread_mutex_lock(&c->lock);
        empty_slot(c, slot);
        for (; c->octets + what->octets > c->kind->octets; c->hand = (c->hand + 1) % c->kind->slots)
                empty_slot(c, c->hand);
        c->slots[slot] = what;
        c->octets += what->octets;
        what->refs++;
        pthread_mutex_unlock(&c->lock);
}

void cache_drop(struct cache *c, struct cached *what)
{
        pthread_mutex_lock(&c->lock);
        drop(c, what);
        pthread_mutex_unlock(&c->lock);
}
