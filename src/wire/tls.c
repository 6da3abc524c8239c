#include "wire/tls.h"
#include "base/log.h"
#include "wire/inside.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

struct tls {
        pthread_mutex_t lock;
        SSL_CTX *context; /* sessions hold the one they began with */
};

/* --- certificates --- */

static void log_reason(const char *what, const char *file)
{
        char reason[256] = "";
        unsigned long code = ERR_get_error();
        if (code)
                ERR_error_string_n(code, reason, sizeof reason);
        log_error("TLS: %s %s: %s", what, file, reason);
        ERR_clear_error();
}

static void context_settings(SSL_CTX *c)
{
        static const unsigned char name[] = "baton";
        SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
        SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                       SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                       SSL_OP_IGNORE_UNEXPECTED_EOF);
        /* Idle connections give their record buffers back. */
        SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        /* Resumption by ticket only: the server keeps nothing. */
        SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_session_id_context(c, name, sizeof name - 1);
        SSL_CTX_set_num_tickets(c, 1);
}

static SSL_CTX *context_open(const char *certificate, const char *key)
{
        SSL_CTX *c = SSL_CTX_new(TLS_server_method());
        if (!c) {
                log_reason("cannot use", certificate);
                return NULL;
        }
        context_settings(c);
        const char *what = NULL, *file = key;
        if (SSL_CTX_use_certificate_chain_file(c, certificate) != 1) {
                what = "certificate";
                file = certificate;
        } else if (SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) != 1) {
                what = "key";
        } else if (SSL_CTX_check_private_key(c) != 1) {
                what = "the certificate does not belong to key";
        }
        if (!what)
                return c;
        log_reason(what, file);
        SSL_CTX_free(c);
        return NULL;
}

enum status tls_open(const char *certificate, const char *key, struct tls **out)
{
        SSL_CTX *c = context_open(certificate, key);
        *out = NULL;
        if (!c)
                return BROKEN;
        *out = mem_new(sizeof **out);
        pthread_mutex_init(&(*out)->lock, NULL);
        (*out)->context = c;
        return OK;
}

enum status tls_reload(struct tls *tls, const char *certificate, const char *key)
{
        SSL_CTX *c = context_open(certificate, key), *old;
        if (!c)
                return BROKEN;
        pthread_mutex_lock(&tls->lock);
        old = tls->context;
        tls->context = c;
        pthread_mutex_unlock(&tls->lock);
        SSL_CTX_free(old);
        return OK;
}

void tls_close(struct tls *tls)
{
        if (!tls)
                return;
        SSL_CTX_free(tls->context);
        pthread_mutex_destroy(&tls->lock);
        free(tls);
}

static bool add_extension(X509 *x, int nid, const char *value)
{
        X509V3_CTX context;
        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, x, x, NULL, NULL, 0);
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
        bool added = e && X509_add_ext(x, e, -1) == 1;
        X509_EXTENSION_free(e);
        return added;
}

static bool certificate_fill(X509 *x, EVP_PKEY *key, const char *name, bool local)
{
        struct buf names = {0};
        buf_addf(&names, "DNS:%s%s", name, local ? ",DNS:localhost,IP:127.0.0.1,IP:::1" : "");
        X509_NAME *subject = X509_get_subject_name(x);
        BIGNUM *number = BN_new();
        bool ok = number && BN_rand(number, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
        ok = ok && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
        ok = ok && X509_set_version(x, 2) && X509_gmtime_adj(X509_getm_notBefore(x), -86400) &&
             X509_gmtime_adj(X509_getm_notAfter(x), 86400L * 3652) && X509_set_pubkey(x, key);
        ok = ok && X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                           (const unsigned char *)name, -1, -1, 0);
        ok = ok && X509_set_issuer_name(x, subject);
        ok = ok && add_extension(x, NID_subject_alt_name, buf_text(&names));
        ok = ok && add_extension(x, NID_basic_constraints, "critical,CA:FALSE");
        ok = ok && add_extension(x, NID_ext_key_usage, "serverAuth");
        ok = ok && X509_sign(x, key, EVP_sha256());
        BN_free(number);
        buf_release(&names);
        return ok;
}

static FILE *create(const char *path, mode_t mode)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
        FILE *f = fd >= 0 && fchmod(fd, mode) == 0 ? fdopen(fd, "w") : NULL;
        if (!f) {
                log_error("TLS: cannot write %s: %s", path, strerror(errno));
                if (fd >= 0)
                        close(fd);
        }
        return f;
}

static bool write_pem(const char *path, X509 *x, EVP_PKEY *key)
{
        FILE *f = create(path, x ? 0644 : 0600);
        if (!f)
                return false;
        int ok = x ? PEM_write_X509(f, x) : PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
        return (fclose(f) == 0) & (ok == 1);
}

enum status tls_self_signed(
        const char *certificate, const char *key, const char *name, bool local)
{
        EVP_PKEY *pair = EVP_EC_gen("P-256");
        X509 *x = X509_new();
        bool made = pair && x && certificate_fill(x, pair, name, local);
        if (!made)
                log_reason("cannot make a certificate for", name);
        made = made && write_pem(key, NULL, pair) && write_pem(certificate, x, NULL);
        X509_free(x);
        EVP_PKEY_free(pair);
        return made ? OK : BROKEN;
}

/* --- one connection --- */

enum status tls_attach(struct tls *tls, int fd, struct ssl_st **out)
{
        pthread_mutex_lock(&tls->lock);
        SSL *ssl = SSL_new(tls->context);
        pthread_mutex_unlock(&tls->lock);
        *out = ssl;
        if (!ssl)
                return BROKEN;
        if (SSL_set_fd(ssl, fd) == 1) {
                SSL_set_accept_state(ssl);
                return OK;
        }
        SSL_free(ssl);
        *out = NULL;
        return BROKEN;
}

/* Of a call that returned less than 1. */
static enum status why(SSL *ssl, int result)
{
        int error = SSL_get_error(ssl, result);
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
                return BUSY;
        if (error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL)
                SSL_set_quiet_shutdown(ssl, 1); /* RFC 8446 6: nothing more may be said */
        return CLOSED;
}

enum status tls_shake(struct ssl_st *ssl)
{
        ERR_clear_error();
        int n = SSL_do_handshake(ssl);
        if (n == 1)
                return OK;
        if (why(ssl, n) == BUSY)
                return BUSY;
        char reason[256] = "the client left";
        if (ERR_peek_error())
                ERR_error_string_n(ERR_peek_error(), reason, sizeof reason);
        log_detail("TLS: no handshake: %s", reason);
        return BROKEN;
}

enum status tls_read(struct ssl_st *ssl, char *at, size_t room, size_t *got)
{
        *got = 0;
        ERR_clear_error();
        int n = SSL_read_ex(ssl, at, room, got);
        return n == 1 ? OK : why(ssl, n);
}

enum status tls_write(struct ssl_st *ssl, const char *at, size_t len, size_t *done)
{
        *done = 0;
        ERR_clear_error();
        int n = SSL_write_ex(ssl, at, len, done);
        return n == 1 ? OK : why(ssl, n);
}

short tls_want(const struct ssl_st *ssl)
{
        return SSL_want_write(ssl) ? POLLOUT : POLLIN;
}

bool tls_pending(const struct ssl_st *ssl)
{
        return SSL_has_pending(ssl) == 1;
}

void tls_shut(struct ssl_st *ssl)
{
        ERR_clear_error();
        SSL_shutdown(ssl);
}

void tls_free(struct ssl_st *ssl)
{
        SSL_free(ssl);
        ERR_clear_error();
}

char *tls_describe(const struct ssl_st *ssl)
{
        struct buf text = {0};
        buf_addf(&text, "%s %s", SSL_get_version(ssl), SSL_get_cipher_name(ssl));
        return mem_grow((void *)(uintptr_t)buf_text(&text), text.len + 1);
}

/* RFC 9266 4: 32 octets of the exporter, for an empty context. */
static enum status exporter(SSL *ssl, struct buf *out)
{
        static const char label[] = "EXPORTER-Channel-Binding";
        enum { SIZE = 32 };
        unsigned char octets[SIZE];
        if (SSL_version(ssl) < TLS1_3_VERSION ||
                SSL_export_keying_material(ssl, octets, SIZE, label, sizeof label - 1,
                        (const unsigned char *)"", 0, 1) != 1)
                return ABSENT;
        buf_add(out, str_make((const char *)octets, SIZE));
        return OK;
}

/* RFC 5929 4.1: the certificate's digest, by that of its signature; SHA-256 where that is weaker. */
static enum status end_point(const SSL *ssl, struct buf *out)
{
        X509 *x = SSL_get_certificate(ssl);
        unsigned char octets[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        int digest = NID_undef;
        if (!x || X509_get_signature_info(x, &digest, NULL, NULL, NULL) != 1)
                return ABSENT;
        if (digest == NID_md5 || digest == NID_sha1)
                digest = NID_sha256;
        const EVP_MD *md = EVP_get_digestbynid(digest);
        if (!md || X509_digest(x, md, octets, &size) != 1)
                return ABSENT;
        buf_add(out, str_make((const char *)octets, size));
        return OK;
}

enum status tls_binding(const struct ssl_st *ssl, enum binding which, struct buf *out)
{
        SSL *changing = (SSL *)(uintptr_t)ssl; /* OpenSSL 3.0 wants it so */
        enum status st = which == BINDING_EXPORTER ? exporter(changing, out) : end_point(ssl, out);
        ERR_clear_error();
        return st;
}
