/* cache.h - what was read, kept for the next who asks: so many slots, so many octets together. What
 * comes into a slot or needs the octets of others takes their place. Things are shared, counted by
 * reference, and not changed while they are. Inside store/ only. Thread-safe. */
#pragma once
#include "store/inside.h"

/* The first member of what is kept. */
struct cached {
        uint64_t key;
        size_t octets; /* about */
        unsigned refs; /* the cache's */
};
struct cache_kind {
        size_t slots, octets, each; /* what has more octets than `each` is not kept */
        void (*release)(struct cached *);
};

struct cache *cache_new(const struct cache_kind *); /* borrowed */
void cache_free(struct cache *);                    /* NULL is fine */
/* One more reference; NULL: nothing is kept under this key. */
struct cached *cache_get(struct cache *, uint64_t key);
/* Keeps it in place of what was there; the caller has one reference, too. */
void cache_put(struct cache *, struct cached *);
void cache_drop(struct cache *, struct cached *); /* one reference less; NULL is fine */
