/* crypt.h - digests, passwords and randomness, on OpenSSL. (TLS itself is wire/tls.) */
#pragma once
#include "base/buf.h"

enum { SHA256_SIZE = 32 };

void sha256(struct str, unsigned char out[SHA256_SIZE]);
void random_bytes(void *out, size_t len); /* ends the process if the kernel has none */
/* `len` characters of a-z2-7 without l, o and 0/1 look-alikes: for first passwords and tokens. */
void random_word(size_t len, struct buf *out);
bool secret_equal(struct str, struct str); /* in constant time for equal lengths */

void hmac_sha256(struct str key, struct str text, unsigned char out[SHA256_SIZE]);
/* PBKDF2 (RFC 8018 5.2) with HMAC-SHA-256, one block: Hi() of RFC 5802 2.2. */
void pbkdf2_sha256(
        struct str password, struct str salt, unsigned rounds, unsigned char out[SHA256_SIZE]);

/* "scrypt$15$8$1$SALT$HASH" (base64); about 60 ms of work. */
void password_hash(struct str password, struct buf *out);
/* Work as above also when `stored` is empty or malformed (then false), so that a stranger cannot
 * tell persons from non-persons by the time. A password that was right is remembered as a keyed
 * digest in memory, so a client that logs in often costs a microsecond. Thread-safe. */
bool password_right(struct str password, struct str stored);
/* Was it right before? Costs a microsecond whatever the answer. */
bool password_known(struct str password, struct str stored);
