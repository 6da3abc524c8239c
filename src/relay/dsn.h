/* dsn.h - telling a sender what became of his mail (RFC 3464): it failed, or it is late. Filed in
 * the INBOX of who sent it, never mailed: what leaves here was written here. */
#pragma once
#include "store/queue.h"
#include "team/site.h"

enum dsn_kind { DSN_FAILED, DSN_LATE };
struct dsn {
        enum dsn_kind kind;
        const struct queue_row *row;
        const bool *about;   /* which recipients */
        struct str next_hop; /* who answered */
        time_t now, until;   /* until: when it is given up */
};
/* The whole message, in the arena. */
CHECKED enum status dsn_build(struct site *, const struct dsn *, struct arena *, struct str *out);
