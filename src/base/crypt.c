#include "base/crypt.h"
#include "base/encode.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <sys/random.h>

enum {
        SALT_SIZE = 16,
        COST = 15, /* N = 2^15: 32 MiB and about 60 ms */
        BLOCK = 8,
        LANES = 1,
        COST_MOST = 18, /* of a stored hash: more could be an attack on memory */
        AT_ONCE = 2,    /* so many hashes are computed at the same time */
        KNOWN = 4096,   /* right passwords remembered */
        KNOWN_WAYS = 4, /* places for each */
};

/* Fetched once: SHA256() looks the method up each time, which costs more than hashing a line. */
static EVP_MD *sha256_method;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void sha256_start(void)
{
        sha256_method = EVP_MD_fetch(NULL, "SHA256", NULL);
        if (!sha256_method)
                fail_now("SHA-256 does not work");
}

void sha256(struct str s, unsigned char out[SHA256_SIZE])
{
        pthread_once(&sha256_once, sha256_start);
        if (EVP_Digest(s.len ? s.at : "", s.len, out, NULL, sha256_method, NULL) != 1)
                fail_now("SHA-256 does not work");
}

void hmac_sha256(struct str key, struct str text, unsigned char out[SHA256_SIZE])
{
        if (!HMAC(EVP_sha256(), key.len ? key.at : "", (int)key.len,
                    (const unsigned char *)(text.len ? text.at : ""), text.len, out, NULL))
                fail_now("HMAC does not work");
}

void pbkdf2_sha256(
        struct str password, struct str salt, unsigned rounds, unsigned char out[SHA256_SIZE])
{
        if (PKCS5_PBKDF2_HMAC(password.len ? password.at : "", (int)password.len,
                    (const unsigned char *)salt.at, (int)salt.len, (int)rounds, EVP_sha256(),
                    SHA256_SIZE, out) != 1)
                fail_now("PBKDF2 does not work");
}

void random_bytes(void *out, size_t len)
{
        unsigned char *at = out;
        while (len) {
                ssize_t n = getrandom(at, len, 0);
                if (n < 0 && errno != EINTR)
                        fail_now("the kernel gives no random octets: %s", strerror(errno));
                at += n > 0 ? n : 0;
                len -= n > 0 ? (size_t)n : 0;
        }
}

void random_word(size_t len, struct buf *out)
{
        static const char letters[] = "abcdefghijkmnpqrstuvwxyz234567";
        enum { COUNT = sizeof letters - 1, FAIR = 256 / COUNT * COUNT };
        unsigned char octets[64];
        size_t at = sizeof octets;
        while (len) {
                if (at == sizeof octets) {
                        random_bytes(octets, sizeof octets);
                        at = 0;
                }
                unsigned char c = octets[at++];
                if (c >= FAIR) /* the rest would make the first letters likelier */
                        continue;
                buf_add_char(out, letters[c % COUNT]);
                len--;
        }
}

bool secret_equal(struct str a, struct str b)
{
        return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.at, b.at, a.len) == 0);
}

/* --- passwords --- */

struct scrypt {
        uint32_t cost, block, lanes;
        struct buf salt, hash;
};

/* A burst of logins may not take all memory and all processors. The state below is this file's
 * own: it belongs to the process as the kernel's random numbers do, and holds no session's data. */
static pthread_mutex_t work_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work_done = PTHREAD_COND_INITIALIZER;
static unsigned work_running;

static void work_begin(void)
{
        pthread_mutex_lock(&work_lock);
        while (work_running >= AT_ONCE)
                pthread_cond_wait(&work_done, &work_lock);
        work_running++;
        pthread_mutex_unlock(&work_lock);
}

static void work_end(void)
{
        pthread_mutex_lock(&work_lock);
        work_running--;
        pthread_cond_signal(&work_done);
        pthread_mutex_unlock(&work_lock);
}

static bool derive(struct str password, const struct scrypt *s, unsigned char *out)
{
        uint64_t memory = (uint64_t)128 * s->block * ((UINT64_C(1) << s->cost) + s->lanes + 2);
        int done = EVP_PBE_scrypt(password.len ? password.at : "", password.len,
                (const unsigned char *)s->salt.at, s->salt.len, UINT64_C(1) << s->cost, s->block,
                s->lanes, memory + 65536, out, SHA256_SIZE);
        return done == 1;
}

static void scrypt_release(struct scrypt *s)
{
        buf_release(&s->salt);
        buf_release(&s->hash);
}

static void scrypt_new(struct scrypt *s)
{
        *s = (struct scrypt){.cost = COST, .block = BLOCK, .lanes = LANES};
        random_bytes(buf_reserve(&s->salt, SALT_SIZE), SALT_SIZE);
        s->salt.len = SALT_SIZE;
}

static enum status scrypt_fields(struct str stored, struct scrypt *out)
{
        struct str field[6], rest = stored;
        size_t n = 0;
        while (n < 6 && str_cut(&rest, '$', &field[n]))
                n++;
        if (n != 6 || rest.len || !str_eq(field[0], STR("scrypt")))
                return INVALID;
        if (str_u32(field[1], &out->cost) != OK || str_u32(field[2], &out->block) != OK ||
                str_u32(field[3], &out->lanes) != OK)
                return INVALID;
        if (out->cost < 1 || out->cost > COST_MOST || out->block < 1 || out->block > 16 ||
                out->lanes < 1 || out->lanes > 4)
                return INVALID;
        if (base64_decode(field[4], &out->salt) != OK || base64_decode(field[5], &out->hash) != OK)
                return INVALID;
        return out->salt.len && out->hash.len == SHA256_SIZE ? OK : INVALID;
}

void password_hash(struct str password, struct buf *out)
{
        struct scrypt s;
        unsigned char hash[SHA256_SIZE];
        scrypt_new(&s);
        work_begin();
        if (!derive(password, &s, hash))
                fail_now("scrypt does not work");
        work_end();
        buf_addf(out, "scrypt$%u$%u$%u$", s.cost, s.block, s.lanes);
        base64_encode(buf_str(&s.salt), out);
        buf_add_char(out, '$');
        base64_encode(str_make((const char *)hash, sizeof hash), out);
        scrypt_release(&s);
}

/* What is remembered is useless without the key, which never leaves the memory of this process. */
static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char known_key[SHA256_SIZE];
static bool known_ready;
static unsigned char known[KNOWN / KNOWN_WAYS][KNOWN_WAYS][SHA256_SIZE];

static void known_digest(struct str password, struct str stored, unsigned char *out)
{
        struct buf text = {0};
        pthread_mutex_lock(&known_lock);
        if (!known_ready)
                random_bytes(known_key, sizeof known_key);
        known_ready = true;
        pthread_mutex_unlock(&known_lock);
        buf_add_bytes(&text, stored); /* with its length, so that no two pairs read the same */
        buf_add(&text, password);
        HMAC(EVP_sha256(), known_key, sizeof known_key, (const unsigned char *)text.at, text.len,
                out, NULL);
        explicit_bzero(text.at, text.len);
        buf_release(&text);
}

static bool known_has(const unsigned char *digest, bool remember)
{
        unsigned row = ((unsigned)digest[0] << 8 | digest[1]) % (KNOWN / KNOWN_WAYS);
        bool found = false;
        pthread_mutex_lock(&known_lock);
        for (unsigned i = 0; i < KNOWN_WAYS; i++)
                found |= CRYPTO_memcmp(known[row][i], digest, SHA256_SIZE) == 0;
        if (remember && !found)
                memcpy(known[row][digest[2] % KNOWN_WAYS], digest, SHA256_SIZE);
        pthread_mutex_unlock(&known_lock);
        return found;
}

bool password_known(struct str password, struct str stored)
{
        unsigned char digest[SHA256_SIZE];
        known_digest(password, stored, digest);
        return known_has(digest, false);
}

bool password_right(struct str password, struct str stored)
{
        struct scrypt s = {0};
        unsigned char digest[SHA256_SIZE], hash[SHA256_SIZE];
        known_digest(password, stored, digest);
        if (known_has(digest, false))
                return true;
        bool valid = scrypt_fields(stored, &s) == OK;
        if (!valid) {
                scrypt_release(&s);
                scrypt_new(&s);
        }
        work_begin();
        /* the same client's other connections may have found it right meanwhile */
        bool right = known_has(digest, false);
        if (!right && derive(password, &s, hash) && valid)
                right = CRYPTO_memcmp(hash, s.hash.at, sizeof hash) == 0;
        if (right)
                known_has(digest, true);
        work_end();
        explicit_bzero(hash, sizeof hash);
        scrypt_release(&s);
        return right;
}
