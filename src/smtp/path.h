/* path.h - the arguments of MAIL and RCPT: a path and its parameters (RFC 5321 4.1.2); and of BDAT.
 * As lenient as Postfix is by default: blanks before the path and a path without <> are taken;
 * the address itself is strict. Pure functions. */
#pragma once
#include "store/queue.h"

/* Cuts `KEYWORD:<path>` off *rest, which then holds the parameters. *out is the address in its
 * canonical form ("local@domain"), "postmaster" alone, or empty for <>. A source route is dropped
 * (RFC 5321 appendix C). UTF-8 is taken (RFC 6531 3.3); whether this mail may have it is for the
 * caller to ask. INVALID: malformed. */
CHECKED enum status path_take(struct arena *, struct str keyword, struct str *rest,
        struct str *out);

struct mail_parameters {
        uint64_t size;       /* SIZE=, 0 when not given */
        bool smtputf8;       /* RFC 6531 */
        struct str unknown;  /* the keyword that is not offered */
        bool may_auth;       /* in: AUTH= is offered here */
        bool may_dsn;        /* in: RFC 3461 is offered here */
        enum queue_return returned; /* RET= */
        struct str envelope_id;     /* ENVID= as given, a view; empty when not given */
};
/* MAIL's parameters. UNSUPPORTED: see unknown; INVALID: a bad value, or one given twice. */
CHECKED enum status path_parameters(struct str rest, struct mail_parameters *);

struct rcpt_parameters {
        bool may_dsn, smtputf8; /* in */
        unsigned notify;        /* NOTIFY=, queue.h; NOTIFY_USUAL when not given */
        struct str original;    /* ORCPT=, in ASCII: what was given in UTF-8 is escaped (RFC 6533 3) */
        struct str unknown;
};
/* RCPT's. As above. */
CHECKED enum status path_rcpt_parameters(
        struct arena *, struct str rest, struct rcpt_parameters *);
/* BDAT's "size [LAST]" (RFC 3030 2). INVALID. */
CHECKED enum status path_chunk(struct str rest, uint64_t *size, bool *last);
