/* kept.h - marks that were loaded, kept for the next who opens the same mailbox: while nothing
 * changes, opening costs the same at any size. Immutable and shared; bounded together, the oldest
 * give way. Inside store/ only; what is for the layers above is declared in marks.h.
 * Thread-safe. */
#pragma once
#include "store/marks.h"

/* What marks were loaded at: they stand as long as both are the same. */
struct kept_at {
        uint32_t mailbox, person;
        uint64_t own;    /* the person's last change */
        uint64_t shared; /* the mailbox's */
};

struct shared_marks {
        struct marks marks;
        struct kept_at at;
        uint32_t unseen; /* the first number that is not seen; 0: none */
        unsigned refs;   /* under the lock */
        size_t octets;   /* about */
};

struct kept *kept_new(void);
void kept_free(struct kept *); /* NULL is fine */
/* One more reference to what is kept for this; NULL: nothing is. */
struct shared_marks *kept_get(struct kept *, const struct kept_at *);
/* Takes the sets and names; the caller has the one reference to what comes back. */
struct shared_marks *kept_put(
        struct kept *, const struct kept_at *, const struct marks *taken, uint32_t unseen);
void kept_drop(struct kept *, struct shared_marks *); /* one reference less */
