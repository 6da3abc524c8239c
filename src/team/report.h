/* report.h - telling a sender what became of his mail (RFC 3464): it failed, it is late, it was
 * delivered, it was passed on to where nothing more is told. Filed in the INBOX of who sent it,
 * never mailed: only people of the site send from here. */
#pragma once
#include "store/queue.h"
#include "team/site.h"

enum report_kind { REPORT_FAILED, REPORT_LATE, REPORT_DELIVERED, REPORT_RELAYED, REPORT_KINDS };
struct report_recipient {
        struct str address;
        struct str original; /* ORCPT= as it was given; may be empty */
        struct str reply;    /* of the next hop, or what kept it from being asked; may be empty */
};
struct report {
        enum report_kind kind;
        uint32_t person;   /* who is told */
        struct str sender; /* the reverse path; the null sender is never answered (RFC 5321 6.1) */
        struct str envelope_id;     /* ENVID= as it was given */
        enum queue_return returned; /* RET= */
        uint64_t message;           /* what it is about; 0: `bytes` are */
        struct str bytes;
        const struct report_recipient *to;
        size_t to_count;
        struct str next_hop; /* who answered; empty: nobody but this server */
        time_t arrived, now;
        time_t until; /* REPORT_LATE: when it is given up */
};

/* The whole message, in the arena. */
CHECKED enum status report_build(
        struct site *, const struct report *, struct arena *, struct str *out);
/* Adds its filing to the change. Nothing, where nobody is to be told. All lives in the arena until
 * the commit. */
CHECKED enum status report_file(
        struct site *, const struct report *, struct change *, struct arena *);
