/* tls.h - the server's certificate and TLS settings: TLS 1.2 and up, from files that may be
 * exchanged while it serves. OpenSSL's SSL_* is met in wire/tls.c and wire/dial_tls.c only. */
#pragma once
#include "base/str.h"

struct tls;

/* PEM files. BROKEN (logged: which file, why) when they cannot be used. */
CHECKED enum status tls_open(const char *certificate, const char *key, struct tls **out);
/* New sessions get the new certificate; on failure the old one stays and BROKEN is returned. */
CHECKED enum status tls_reload(struct tls *, const char *certificate, const char *key);
void tls_close(struct tls *); /* NULL is fine */
/* Writes a new self-signed certificate (ECDSA P-256, 10 years) for `name`, its key (mode 0600).
 * `local`: also for localhost, 127.0.0.1 and ::1. */
CHECKED enum status tls_self_signed(
        const char *certificate, const char *key, const char *name, bool local);
