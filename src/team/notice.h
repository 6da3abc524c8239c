/* notice.h - mail that Baton writes to one person or address because of mail that came from there:
 * what was done, what not and why, and how to take it back. It is never answered by a machine that
 * keeps to the rules: null reverse path, Auto-Submitted: auto-replied (RFC 3834). */
#pragma once
#include "team/site.h"

struct notice {
        struct str subject, text;   /* UTF-8 */
        struct str in_reply_to;     /* Message-ID of what it answers; empty: nothing */
        struct str reply_to;        /* "local@domain" that answers go to; empty: From */
        struct str from;            /* local part of the site that it comes from: "help" */
        struct str reverse_path;    /* "local@domain"; empty: the null sender */
};

/* Files it in the person's INBOX. ABSENT: there is none. */
CHECKED enum status notice_person(struct site *, uint32_t person, const struct notice *);
/* Queues it. Does not ask whether anybody takes mail for the outside. */
CHECKED enum status notice_outside(struct site *, struct str address, const struct notice *);
