/* rows.h - what the writer knows of mailboxes, and its counters: read once, changed in memory, put
 * once a batch. For the writer's thread only. */
#pragma once
#include "store/codec.h"
#include "store/inside.h"

struct row {
        struct mailbox mailbox; /* its name is the row's own */
        struct prefix_base {
                bool known;
                uint32_t number; /* 0: there is none yet */
                struct buf text;
        } base; /* of the prefixes of new entries: bases.c */
        bool dirty, gone;
        struct row *next_dirty;
};
/* ABSENT. Valid until the end of the batch. */
CHECKED enum status rows_get(struct txn *, struct store *, uint32_t mailbox, struct row **out);
void rows_touch(struct store *, struct row *); /* it has been changed */
/* A new mailbox: gives the id and UIDVALIDITY, writes its name; the caller has checked that it is
 * free. */
CHECKED enum status rows_add(struct txn *, struct op *, const struct mailbox *, uint32_t *id);
/* Removes the mailbox's record and its name. */
CHECKED enum status rows_remove(struct txn *, struct op *, struct row *);
CHECKED enum status rows_rename(struct txn *, struct op *, struct row *, struct str name);

/* Puts under a key of numbers; the value is consumed. */
CHECKED enum status put_value(struct txn *, enum table, const struct key *, struct buf *value);
/* Removes; what is not there is fine. */
CHECKED enum status drop_value(struct txn *, enum table, const struct key *);
/* The store's reading: NULL for txn outside of the writer. */
CHECKED enum status get_value(
        struct store *, struct txn *, enum table, const struct key *, struct buf *value);
/* The first place of a message from *at on, and the MODSEQ of its entry (may be NULL). ABSENT. */
CHECKED enum status place_from(
        struct store *, struct txn *, uint64_t message, struct place *at, uint64_t *modseq);
/* Drops all subscriptions of a person; of a topic that goes (topic.c). */
CHECKED enum status subscriptions_drop(struct txn *, struct op *, uint32_t person);
CHECKED enum status subscribers_drop(struct txn *, struct op *, uint32_t topic);
/* Is the person one from outside? (person.c) */
CHECKED enum status person_outside(struct txn *, struct op *, uint32_t person, bool *outside);
/* All keys that begin so. */
struct scan *scan_prefix(struct store *, struct txn *, enum table, const struct key *);
/* What is due at a time (due.c); with `at` 0 it is not due any more. */
CHECKED enum status due_set(struct txn *, struct op *, const struct due *);
