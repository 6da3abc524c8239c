/* thread.h - who answers whom, as the writer keeps it. Inside store/ only; reading is declared in
 * message.h. A message's parent is the last of its References; a parent that has not come yet
 * is a ghost, and takes its place when it comes. There are no cycles: a parent is only ever taken
 * from another tree, or from outside the message's own descendants. */
#pragma once
#include "store/codec.h"
#include "store/inside.h"

enum {
        THREAD_MOVES_MOST = 1000
}; /* members that change trees when a late parent turns out to have one */

/* Who has this Message-ID: the first message filed, and the ghost, 0 for none. */
struct ids {
        uint64_t message, ghost;
        uint64_t modseq; /* when the message was filed */
};
CHECKED enum status ids_find(
        struct store *, struct txn *, const unsigned char hash[HASH_SIZE], struct ids *out);

/* What References say: hashes of the parent's and of the first Message-ID. */
struct ancestry {
        bool parent, first;
        unsigned char parent_hash[HASH_SIZE], first_hash[HASH_SIZE];
};
/* Puts a new message into its thread. fresh: it was no ghost, so nothing refers to it. */
CHECKED enum status thread_join(
        struct txn *, struct op *, uint64_t message, const struct ancestry *, bool fresh);
CHECKED enum status thread_awake(
        struct txn *, struct op *, uint64_t ghost); /* it is a message now; before thread_join */
/* The message is about to go. *stays: as a ghost, because it has been answered. */
CHECKED enum status thread_leave(struct txn *, struct op *, uint64_t message,
        const unsigned char hash[HASH_SIZE], bool *stays);
