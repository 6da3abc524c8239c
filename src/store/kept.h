/* kept.h - marks that were loaded, kept for the next who opens the same mailbox: while nothing
 * changes, opening costs the same at any size. Immutable and shared, 16 MB of them at most.
 * Inside store/ only; what is for the layers above is declared in marks.h. Thread-safe. */
#pragma once
#include "store/cache.h"
#include "store/marks.h"

/* What marks were loaded at: they stand as long as both are the same. */
struct kept_at {
        uint32_t mailbox, person;
        uint64_t own;    /* the person's last change */
        uint64_t shared; /* the mailbox's */
};

struct shared_marks {
        struct cached cached;
        struct marks marks;
        struct kept_at at;
        uint32_t unseen; /* the first number that is not seen; 0: none */
};

struct cache *kept_new(void);
/* One more reference to what is kept for this; NULL: nothing is. */
struct shared_marks *kept_get(struct cache *, const struct kept_at *);
/* Takes the sets and names; the caller has one reference to what comes back. */
struct shared_marks *kept_put(
        struct cache *, const struct kept_at *, const struct marks *taken, uint32_t unseen);
