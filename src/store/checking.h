/* checking.h - the parts of store_check. Inside store/ only. Each goes through its tables and
 * reports what does not agree; a status other than OK means that it could not read on. */
#pragma once
#include "store/check.h"
#include "store/codec.h"
#include "store/inside.h"

struct checking {
        struct store *store;
        const struct check_watch *watch;
        struct check_report report;
        struct buf faults; /* texts, each with a NUL; told at the end */
        uint64_t done, total;
};
void check_fault(struct checking *, const char *format, ...) PRINTF(2, 3);
void check_step(struct checking *); /* progress */
/* OK or ABSENT becomes *is; others are passed on. */
CHECKED enum status check_has(struct checking *, enum table, const struct key *, bool *is);
CHECKED enum status check_get(
        struct checking *, enum table, const struct key *, struct buf *value, bool *is);

CHECKED enum status check_mailboxes(
        struct checking *); /* entries, places, prefixes, marks, folders */
CHECKED enum status check_messages(struct checking *); /* bodies, references, ids */
CHECKED enum status check_threads(struct checking *);
/* Adds how many rows of the queue hold this message. */
CHECKED enum status check_holders(struct checking *, uint64_t message, uint32_t *count);
CHECKED enum status check_queue(struct checking *);
CHECKED enum status check_attention(struct checking *);
CHECKED enum status check_tasks(struct checking *); /* and their cards, events, indices */
CHECKED enum status check_people(struct checking *); /* names, topics, subscriptions, what is due */
