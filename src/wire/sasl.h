/* sasl.h - the messages of SASL (RFC 4422): PLAIN (RFC 4616), LOGIN, SCRAM-SHA-256 (RFC 5802, RFC
 * 7677) and SCRAM-SHA-256-PLUS, which is bound to the connection by tls-exporter (RFC 9266) or
 * tls-server-end-point (RFC 5929). Who the user is and whether a password is right is decided
 * elsewhere (team/login). */
#pragma once
#include "base/arena.h"
#include "base/scram.h"

enum sasl_mechanism { SASL_PLAIN, SASL_LOGIN, SASL_SCRAM, SASL_SCRAM_PLUS };

struct sasl {
        enum sasl_mechanism mechanism;
        bool success_data; /* set by the caller: the protocol's success can carry a last message */
        unsigned step;
        struct buf user, authorize, password;
        /* SCRAM */
        struct buf exporter, end_point; /* set by the caller: what binds; both empty: -PLUS is not offered */
        bool proven;
        struct scram keys;
        struct buf binding; /* the gs2-header and what binds, as c= must repeat it */
        struct buf nonce;   /* the client's, then both */
        struct buf first;   /* client-first-message-bare, then "," server-first-message */
};

/* With blanks between: all; those that are not bound to TLS; of these, those that send no password. */
extern const char sasl_mechanisms[], sasl_unbound_mechanisms[], sasl_clear_mechanisms[];
bool sasl_is_scram(const struct sasl *);

/* UNSUPPORTED: no such mechanism. */
CHECKED enum status sasl_start(struct sasl *, struct str mechanism);
/* `response`: base64 of the client's line; "=" is an empty one; STR_NONE (at NULL) at the start
 * when the client sent no initial response. BUSY: go on, send `challenge` (base64; may be empty).
 * OK: PLAIN, LOGIN: user, authorize and password are there; SCRAM: proven; with success_data a
 * challenge is to be sent with the success. INVALID: malformed; or, in SCRAM, somebody in between has
 * hidden that -PLUS is offered. DENIED: "*", the client cancelled.
 * ABSENT (SCRAM): user and authorize are there; sasl_keys makes the challenge. FORBIDDEN (SCRAM):
 * the proof is wrong, or the client's TLS is not with us. */
CHECKED enum status sasl_step(struct sasl *, struct str response, struct buf *challenge);
void sasl_keys(struct sasl *, const struct scram *, struct buf *challenge);
void sasl_release(struct sasl *); /* wipes the secrets */

/* sasl_scram.c: one decoded message of SCRAM, for sasl_step */
CHECKED enum status sasl_scram(struct sasl *, struct str message, struct buf *challenge);
