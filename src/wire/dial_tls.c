#include "wire/dial_tls.h"
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static void add_reason(struct buf *why)
{
        char reason[256] = "no reason given";
        unsigned long code = ERR_peek_last_error();
        if (code)
                ERR_error_string_n(code, reason, sizeof reason);
        buf_addf(why, "TLS: %s", reason);
        ERR_clear_error();
}

/* One context a connection: connections are few and long, and the roots' file may be exchanged. */
static SSL_CTX *context_open(const struct dial_tls *how)
{
        SSL_CTX *c = SSL_CTX_new(TLS_client_method());
        if (!c)
                return NULL;
        SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
        SSL_CTX_set_options(
                c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
        SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_verify(c, how->check ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
        int loaded = 1;
        if (how->check)
                loaded = how->roots ? SSL_CTX_load_verify_file(c, how->roots)
                                    : SSL_CTX_set_default_verify_paths(c);
        if (loaded == 1)
                return c;
        SSL_CTX_free(c);
        return NULL;
}

/* The name that must stand in the certificate (RFC 6125), and is asked for (RFC 6066 3). */
static bool set_name(SSL *ssl, struct str host)
{
        char *name = str_text(host);
        struct in6_addr address;
        bool number = inet_pton(AF_INET, name, &address) == 1 ||
                      inet_pton(AF_INET6, name, &address) == 1;
        bool set;
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (number)
                set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
        else
                set = SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
        free(name);
        return set;
}

enum status dial_tls_attach(
        int fd, struct str host, const struct dial_tls *how, struct ssl_st **out, struct buf *why)
{
        ERR_clear_error();
        SSL_CTX *context = context_open(how);
        SSL *ssl = context ? SSL_new(context) : NULL;
        SSL_CTX_free(context);
        *out = NULL;
        if (ssl && set_name(ssl, host) && SSL_set_fd(ssl, fd) == 1) {
                SSL_set_connect_state(ssl);
                *out = ssl;
                return OK;
        }
        add_reason(why);
        SSL_free(ssl);
        return BROKEN;
}

bool dial_tls_reason(const struct ssl_st *ssl, struct buf *why)
{
        long result = SSL_get_verify_result(ssl);
        if (result != X509_V_OK && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE) {
                buf_addf(why, "TLS: the certificate is not right: %s",
                        X509_verify_cert_error_string(result));
                ERR_clear_error();
                return true;
        }
        add_reason(why);
        return false;
}
