/* scram.h - the server's half of SCRAM-SHA-256 (RFC 5802, RFC 7677) without its messages: what is
 * kept of a password, and whether a client's proof comes from that password. Who steals what is
 * kept cannot log in with it. Pure functions, but for the randomness of new salts. */
#pragma once
#include "base/crypt.h"

enum { SCRAM_SALT_SIZE = 16 };

struct scram {
        uint32_t rounds;
        unsigned char salt[SCRAM_SALT_SIZE], stored_key[SHA256_SIZE], server_key[SHA256_SIZE];
};

/* Appends "SCRAM-SHA-256$32768:SALT$STOREDKEY:SERVERKEY" (base64), for a password in UTF-8; nothing
 * for one that SASLprep (RFC 4013) refuses: nobody can log in with such by SCRAM. About 10 ms. */
void scram_make(struct str password, struct buf *out);
CHECKED enum status scram_read(struct str text, struct scram *out); /* INVALID */
/* For names that nobody has: always the same salt for the same name, which is told from a real one
 * by nobody without the secret (RFC 5802 9); no proof fits. */
void scram_fake(struct str secret, struct str name, struct scram *out);

/* Is `proof` (SHA256_SIZE octets) ClientProof for this AuthMessage (RFC 5802 3)? */
bool scram_proves(const struct scram *, struct str message, struct str proof);
/* ServerSignature, by which the server proves that it knows the password too. */
void scram_sign(const struct scram *, struct str message, unsigned char out[SHA256_SIZE]);
