/* release.h - what goes when an entry goes. Inside store/ only.
 *
 * An entry that is removed takes its prefix, overview line and place along and gives its message
 * up; a message that nobody shows goes with its body. A transaction that removed a whole mailbox's
 * bodies would lock too many pages, so it removes a bounded number and notes the others as left
 * over; these are cleared in small changes of their own: by who caused them, else at the next
 * start. */
#pragma once
#include "store/codec.h"
#include "store/inside.h"

struct released {
        size_t chunks; /* removed so far in this transaction */
        bool left;     /* something has been left over */
};
/* ABSENT: there is no such entry. The row's counters are the caller's. */
CHECKED enum status entry_release(
        struct txn *, struct op *, const struct place *, struct released *);
struct row;
/* Removes those of these numbers that are there, with the marks that go with them, counts and notes
 * that they vanished. *gone becomes those that went: the caller publishes them (views_removed). */
CHECKED enum status entries_release(struct txn *, struct op *, struct row *,
        const struct numset *numbers, struct numset *gone, struct released *);
/* The queue holds a message as an entry does: one reference more, and one less. */
CHECKED enum status message_hold(struct txn *, struct op *, uint64_t message);
CHECKED enum status message_release(
        struct txn *, struct op *, uint64_t message, struct released *);
/* A mailbox's record has gone: its entries and marks are left over. */
CHECKED enum status mailbox_release(struct txn *, const struct mailbox *);
/* Clears what is left over, in changes of its own. Not on the writer's or flusher's thread. */
void leftovers_clear(struct store *);
