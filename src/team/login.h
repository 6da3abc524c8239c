/* login.h - the conversation of a login by SASL, the same for mail and news: which mechanisms are
 * offered, whose password or proof is right, and who logs in then. */
#pragma once
#include "team/rules.h"
#include "wire/sasl.h"
#include "wire/wire.h"

struct login {
        struct site *site;
        struct wire *wire;
        struct arena *arena;  /* borrowed: the person lives there */
        struct sasl sasl;
        struct person person; /* after OK */
};

bool login_binds(const struct wire *); /* SCRAM-SHA-256-PLUS can be offered */
/* What may be used on this connection now, with blanks between. */
const char *login_mechanisms(struct site *, const struct wire *);
/* UNSUPPORTED: no such mechanism. FORBIDDEN: not without TLS. `l` holds site, wire and arena. */
CHECKED enum status login_start(struct login *, struct str mechanism);
/* `response` and `challenge` as in sasl_step. BUSY: go on. OK: `person` logs in. DENIED: name or
 * password is wrong. FORBIDDEN: wants to act as somebody else. TOO_MANY: failures, from that
 * address. INVALID: malformed. CHANGED: the client cancelled. */
CHECKED enum status login_step(struct login *, struct str response, struct buf *challenge);
void login_release(struct login *);
