/* sasl.h - the decoding half of SASL (RFC 4422) for PLAIN (RFC 4616) and LOGIN. Whether the
 * password is right is decided elsewhere (team/rules). */
#pragma once
#include "base/arena.h"

struct sasl {
        unsigned step;
        bool login; /* mechanism LOGIN */
        struct buf user, authorize, password;
};

extern const char sasl_mechanisms[]; /* "PLAIN LOGIN" */

/* UNSUPPORTED: no such mechanism. */
CHECKED enum status sasl_start(struct sasl *, struct str mechanism);
/* `response`: base64 of the client's line; "=" is an empty one; STR_NONE (at NULL) at the start
 * when the client sent no initial response. BUSY: go on, send `challenge` (base64; may be empty).
 * OK: user, authorize and password are there. INVALID: malformed. DENIED: "*", the client
 * cancelled. */
CHECKED enum status sasl_step(struct sasl *, struct str response, struct buf *challenge);
void sasl_release(struct sasl *); /* wipes the password */
