/* writer.h - the one thread that writes, and the flusher behind it. Inside store/ only.
 *
 * A change is a list of operations. The writer takes what waits (at most 256 operations or 4 MB) as
 * one transaction: for each change first all checks (these may refuse it, and then nothing of it is
 * written), then all puts (these fail only as the environment does, or with TOO_MANY when earlier
 * operations of the same change left no room). A check answers BUSY, FULL, DAMAGED or BROKEN only
 * when the environment did: like a failed put. It commits without a flush and goes on; the flusher
 * flushes the log, publishes (views, watches), and only then answers. When a put or the commit
 * fails, the transaction is aborted, all counters in memory are forgotten (they are read again from
 * their tables), and the changes are run singly; the culprit is refused. */
#pragma once
#include "store/env.h"
#include <semaphore.h>

struct writer;
struct op;

struct op_kind {
        const char *name;
        /* Both see what earlier operations of the batch wrote. `write` is the writer's state below.
         */
        enum status (*check)(struct txn *, struct op *);
        enum status (*put)(struct txn *, struct op *);
        /* After the flush, on the flusher's thread, before the caller is answered; for each op of a
         * change in order. May be NULL. */
        void (*publish)(struct store *, struct op *);
        void (*free)(struct op *); /* frees the op */
};
/* Each kind of operation embeds this as its first member. */
struct op {
        const struct op_kind *kind;
        struct store *store;
        struct op *next;
        size_t weight;   /* octets it will write, for the batch's limit */
        bool adds;       /* adds mail: refused with FULL when the disk is nearly full */
        uint64_t modseq; /* of its change, set before check: the same for all operations of a change
                          */
};
void change_op(struct change *, struct op *); /* takes */

struct change {
        struct store *store;
        struct op *first, *last;
        size_t count, weight;
        bool adds;
        bool committed; /* handed to the writer once */
        enum status status, refusal; /* refusal: by a put */
        sem_t answered;
        struct change *next; /* in the writer's queue, then in its batch */
};

CHECKED enum status writer_start(struct store *, struct writer **out);
void writer_stop(struct writer *); /* after what waits */
CHECKED enum status writer_commit(struct writer *, struct change *);

/* Called by the writer when it must forget what it knows of counters (after an abort). Provided by
 * mailbox state (rows.c). And called at the end of each batch, inside the transaction, so that
 * counters and mailbox records changed in memory are put once a batch. */
void rows_forget(struct store *);
CHECKED enum status rows_put(struct txn *, struct store *);
/* The writer's counters (meta table): next message id, mailbox id, person id, UIDVALIDITY, task. In the
 * writer only. */
enum counter { COUNTER_MESSAGE, COUNTER_MAILBOX, COUNTER_PERSON, COUNTER_VALIDITY, COUNTER_QUEUE, COUNTER_TASK, COUNTER_COUNT };
CHECKED enum status counter_take(struct txn *, struct store *, enum counter, uint64_t *out);
CHECKED enum status counter_skip(struct txn *, struct store *, enum counter, uint64_t count); /* not given */
/* The MODSEQ of the last flushed and published change; at the start, of the jump. */
uint64_t writer_flushed(struct writer *);
/* Waits until everything is flushed that was committed before: what has been read without asking
 * the published positions (a duplicate's answer, say) rests on disk then. */
CHECKED enum status writer_settle(struct writer *);
/* queued, commits, flushes, messages and modseq. */
void writer_stats(struct writer *, struct store_stats *);
