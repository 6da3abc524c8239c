#include "base/scram.h"
#include "base/text.h"

enum {
        ROUNDS = 32768,       /* RFC 7677 4 asks for 4,096 at least */
        ROUNDS_MOST = 10000000, /* of what is stored: the client does the work */
};

static const char method[] = "SCRAM-SHA-256";

static struct str octets(const unsigned char *at, size_t len)
{
        return str_make((const char *)at, len);
}

void scram_make(struct str password, struct buf *out)
{
        unsigned char salt[SCRAM_SALT_SIZE], salted[SHA256_SIZE], client[SHA256_SIZE],
                stored[SHA256_SIZE], server[SHA256_SIZE];
        struct buf plain = {0};
        if (text_saslprep(password, &plain) == OK && plain.len) {
                random_bytes(salt, sizeof salt);
                pbkdf2_sha256(buf_str(&plain), octets(salt, sizeof salt), ROUNDS, salted);
                hmac_sha256(octets(salted, sizeof salted), STR("Client Key"), client);
                hmac_sha256(octets(salted, sizeof salted), STR("Server Key"), server);
                sha256(octets(client, sizeof client), stored);
                buf_addf(out, "%s$%d:", method, ROUNDS);
                base64_encode(octets(salt, sizeof salt), out);
                buf_add_char(out, '$');
                base64_encode(octets(stored, sizeof stored), out);
                buf_add_char(out, ':');
                base64_encode(octets(server, sizeof server), out);
                explicit_bzero(salted, sizeof salted);
                explicit_bzero(client, sizeof client);
        }
        if (plain.at)
                explicit_bzero(plain.at, plain.cap);
        buf_release(&plain);
}

static enum status take(struct str coded, unsigned char *out, size_t len)
{
        struct buf plain = {0};
        enum status st = base64_decode(coded, &plain);
        if (st == OK && plain.len != len)
                st = INVALID;
        if (st == OK)
                memcpy(out, plain.at, len);
        buf_release(&plain);
        return st;
}

enum status scram_read(struct str text, struct scram *out)
{
        struct str name, rounds, salt, stored;
        if (!str_cut(&text, '$', &name) || !str_eq(name, STR("SCRAM-SHA-256")) ||
                !str_cut(&text, ':', &rounds) || !str_cut(&text, '$', &salt) ||
                !str_cut(&text, ':', &stored))
                return INVALID;
        if (str_u32(rounds, &out->rounds) != OK || out->rounds < 1 || out->rounds > ROUNDS_MOST)
                return INVALID;
        enum status st = take(salt, out->salt, sizeof out->salt);
        if (st == OK)
                st = take(stored, out->stored_key, sizeof out->stored_key);
        return st == OK ? take(text, out->server_key, sizeof out->server_key) : st;
}

void scram_fake(struct str secret, struct str name, struct scram *out)
{
        unsigned char digest[SHA256_SIZE];
        hmac_sha256(secret, name, digest);
        out->rounds = ROUNDS;
        memcpy(out->salt, digest, sizeof out->salt);
        random_bytes(out->stored_key, sizeof out->stored_key);
        random_bytes(out->server_key, sizeof out->server_key);
}

bool scram_proves(const struct scram *s, struct str message, struct str proof)
{
        unsigned char key[SHA256_SIZE], stored[SHA256_SIZE];
        if (proof.len != sizeof key)
                return false;
        hmac_sha256(octets(s->stored_key, sizeof s->stored_key), message, key);
        for (size_t i = 0; i < sizeof key; i++)
                key[i] ^= (unsigned char)proof.at[i];
        sha256(octets(key, sizeof key), stored);
        return secret_equal(octets(stored, sizeof stored),
                octets(s->stored_key, sizeof s->stored_key));
}

void scram_sign(const struct scram *s, struct str message, unsigned char out[SHA256_SIZE])
{
        hmac_sha256(octets(s->server_key, sizeof s->server_key), message, out);
}
