/* dial.h - a connection that this server opens to another one: lines and octets, blocking, each
 * wait with a deadline, and all of them ended at once by a descriptor that says stop.
 *
 * TLS as a client: 1.2 and up. A certificate is checked against the roots of the system (or a file
 * of them) and the name that was dialled, or not at all: encrypted without a check is better than
 * in the clear, but never good enough for a password. */
#pragma once
#include "base/buf.h"

struct dial;

struct dial_options {
        struct str host; /* a name or an address; TLS asks for it */
        struct str address; /* where it is, "192.0.2.7"; empty: the system is asked */
        uint16_t port;
        int stop; /* readable: every wait ends with CLOSED; -1: none */
};

/* Each function that fails adds to *why what happened, in words for a person. Addresses of a name
 * are tried in turn. TIMEOUT, CLOSED (refused, no route, stop), ABSENT (no such name). */
CHECKED enum status dial_open(
        const struct dial_options *, unsigned seconds, struct dial **out, struct buf *why);
void dial_close(struct dial *); /* NULL is fine */

struct dial_tls {
        bool check;        /* the certificate must be right */
        const char *roots; /* PEM file of who may sign; NULL: the system's */
};
/* What was received before and not read is dropped (RFC 3207 4.2). DENIED: the certificate is not
 * right; CLOSED, TIMEOUT. */
CHECKED enum status dial_tls(
        struct dial *, const struct dial_tls *, unsigned seconds, struct buf *why);

/* The next line without its end; valid until the next call. TOO_BIG: longer than 4,096 octets. */
CHECKED enum status dial_line(struct dial *, unsigned seconds, struct str *out, struct buf *why);
/* Returns when all has been handed to the system. */
CHECKED enum status dial_write(struct dial *, struct str, unsigned seconds, struct buf *why);

bool dial_secure(const struct dial *);        /* TLS */
bool dial_checked(const struct dial *);       /* TLS with a right certificate */
bool dial_loopback(const struct dial *);      /* the other end is this machine */
struct str dial_address(const struct dial *); /* of the other end, "192.0.2.7" */
bool dial_silent(struct dial *); /* nothing to read: of an idle line, that it is still open */
