/* queue.h - mail that waits to leave the house: one row for a message and its envelope.
 *
 * A row holds its message: the body stays as long as the row does, whether a folder shows it or
 * not. What a row says is true when its change was committed: a recipient that is done was taken
 * by the next server; one that is waiting may have been, when the process died in between (RFC 5321
 * 4.5.3.2.6: a lost reply after the final dot is the one case in which mail is sent twice).
 * A row is changed by its sender and by an operator, so it has a version. */
#pragma once
#include "store/message.h"

enum { QUEUE_RECIPIENTS_MOST = 10000 };
enum queue_state { QUEUE_WAITING = 1, QUEUE_DONE = 2, QUEUE_FAILED = 3 };
/* What a sender wants to hear of a recipient (NOTIFY=, RFC 3461 4.1), as bits. */
enum {
        NOTIFY_USUAL = 0,
        NOTIFY_NEVER = 1,
        NOTIFY_SUCCESS = 2,
        NOTIFY_FAILURE = 4,
        NOTIFY_DELAY = 8
};
enum queue_return { RETURN_USUAL, RETURN_FULL, RETURN_HEADERS }; /* RET=, RFC 3461 4.3 */
struct queue_recipient {
        struct str address; /* "local@domain" */
        enum queue_state state;
        struct str reply; /* the last one, or what kept it from being sent; empty: not tried yet */
        unsigned notify;  /* NOTIFY_... */
        struct str original; /* ORCPT= as it was given: "rfc822;" and xtext; empty: none */
        bool own_sender;     /* its reverse path is `sender`, and not the row's */
        struct str sender;
};
struct queue_row {
        uint64_t id; /* never reused */
        uint64_t message;
        const struct filing *filing; /* in change_queue_add: NULL, or the message is this one's,
                                      * which an earlier operation of the same change files */
        uint32_t version;
        uint32_t person;   /* who sent it; failures are told there */
        uint32_t list;     /* topic whose subscribers outside it goes to; 0: none. Such a row waits to
                            * be expanded, into rows of its own for each of them; recipients that
                            * it names itself have the message already, and `person` wrote it */
        uint32_t after;    /* the last subscriber that it was expanded for */
        const struct filing_entry *unless; /* in change_queue_add: not added when the mailbox of
                            * this entry, which an earlier operation files, had the message */
        struct str sender; /* reverse path, empty: the null sender */
        struct str envelope_id;     /* ENVID= as it was given, in xtext; empty: none */
        enum queue_return returned; /* how much of it a report of failure shows */
        struct str fields; /* what goes before the message's octets: Received, in CRLF form */
        struct queue_recipient *recipients;
        size_t recipient_count;
        uint32_t attempts;
        time_t created, next;
        bool hold;      /* not tried until it is released */
        bool warned;    /* the sender knows that it is late */
        bool eight_bit; /* the message holds octets above 127 */
        bool part;      /* in change_queue_add: cut off another row, so not looked for among
                         * those that wait already */
};

/* Under which reverse path mail to this recipient leaves. */
struct str queue_sender(const struct queue_row *, const struct queue_recipient *);

/* Adds a row; id and message are filled by the commit. The same message of the same sender to the
 * same recipients that waits already is not added again: then the id is that row's. */
void change_queue_add(struct change *, struct queue_row *);
/* Replaces the row. CHANGED: somebody else did, since this one was read; ABSENT: it has gone. The
 * message and what it was added with stay. */
void change_queue_update(struct change *, const struct queue_row *);
/* Removes the row and gives its message up. CHANGED, ABSENT as above. */
void change_queue_remove(struct change *, const struct queue_row *);

/* As it is on disk: waits for the flush, so that nothing leaves the house that a crash takes back, and
 * where its message lies can be seen. ABSENT. */
CHECKED enum status queue_get(
        struct store *, uint64_t id, struct arena *, struct queue_row *out);
/* Ids of what is to be tried up to `until`, the longest due first; at most *count, which is set. */
CHECKED enum status queue_due(struct store *, time_t until, uint64_t *out, size_t *count);
/* When the next is to be tried. ABSENT: nothing waits. */
CHECKED enum status queue_next(struct store *, time_t *at);
/* Ids from *from on, ascending; at most *count, which is set; *from is where to go on. */
CHECKED enum status queue_ids(struct store *, uint64_t *from, uint64_t *out, size_t *count);
