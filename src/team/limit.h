/* limit.h - something happens at most once in a while for each of many keys: mail that Baton writes
 * to an address because somebody, perhaps somebody else, asked for it. Kept in memory only: a start
 * forgets it. Thread-safe. */
#pragma once
#include "base/str.h"

struct limit;

struct limit *limit_new(unsigned seconds, size_t most); /* for so long; of so many keys at once */
void limit_free(struct limit *);                        /* NULL is fine */
/* OK: now it may happen, and for that time not again. EXISTS: it has happened. BUSY: no room for
 * more keys, so that a flood of them ends in nothing and not in mail. */
CHECKED enum status limit_take(struct limit *, struct str key);
void limit_forget(struct limit *, struct str key); /* it may happen again */
