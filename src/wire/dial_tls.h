/* dial_tls.h - TLS as a client. Inside wire/ only. The session is used and freed with the tls_*
 * functions of inside.h. */
#pragma once
#include "wire/dial.h"

struct ssl_st;
/* BROKEN: *why says it. */
CHECKED enum status dial_tls_attach(
        int fd, struct str host, const struct dial_tls *, struct ssl_st **out, struct buf *why);
/* Why a handshake failed; true when it was the certificate. */
bool dial_tls_reason(const struct ssl_st *, struct buf *why);
