#include "wire_echo.h"
#include "base/log.h"
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
        struct echo_site site;
        struct crew *crew;
        SSL_CTX *client;
        char folder[32], certificate[64], key[64];
};

static struct crew *start(struct fixture *f, unsigned workers, bool at_once)
{
        struct crew_options options = {.tls = f->site.tls, .workers = workers};
        return echo_start(&f->site, &options, (struct listener){.tls_at_once = at_once});
}

/* One that trusts this very certificate. */
static SSL_CTX *trusting(const char *certificate)
{
        SSL_CTX *c = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
        assert_int_equal(SSL_CTX_load_verify_locations(c, certificate, NULL), 1);
        return c;
}

static int setup(void **state)
{
        struct fixture *f = mem_new(sizeof *f);
        snprintf(f->folder, sizeof f->folder, "/tmp/tls-XXXXXX");
        assert_non_null(mkdtemp(f->folder));
        snprintf(f->certificate, sizeof f->certificate, "%s/cert.pem", f->folder);
        snprintf(f->key, sizeof f->key, "%s/key.pem", f->folder);
        assert_int_equal(tls_self_signed(f->certificate, f->key, "team.example", false), OK);
        assert_int_equal(tls_open(f->certificate, f->key, &f->site.tls), OK);
        f->client = trusting(f->certificate);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;
        tls_close(f->site.tls);
        SSL_CTX_free(f->client);
        unlink(f->certificate);
        unlink(f->key);
        rmdir(f->folder);
        free(f);
        return 0;
}

/* --- a client --- */

static SSL *shake(struct fixture *f, int fd)
{
        SSL *ssl = SSL_new(f->client);
        SSL_set_fd(ssl, fd);
        SSL_set1_host(ssl, "team.example");
        assert_int_equal(SSL_connect(ssl), 1);
        return ssl;
}

static void say(SSL *ssl, const char *text)
{
        assert_int_equal(SSL_write(ssl, text, (int)strlen(text)), (int)strlen(text));
}

static void expect(SSL *ssl, const char *want)
{
        struct buf line = {0};
        char c = 0;
        while (c != '\n') {
                assert_int_equal(SSL_read(ssl, &c, 1), 1);
                buf_add_char(&line, c);
        }
        assert_true(line.len >= 2);
        line.len -= 2;
        assert_string_equal(buf_text(&line), want);
        buf_release(&line);
}

static void expect_end(SSL *ssl)
{
        char c;
        int n = SSL_read(ssl, &c, 1);
        assert_int_equal(SSL_get_error(ssl, n), SSL_ERROR_ZERO_RETURN); /* close_notify came */
        close(SSL_get_fd(ssl));
        SSL_free(ssl);
}

/* --- tests --- */

static void test_files(void **state)
{
        struct fixture *f = *state;
        struct stat st;
        struct tls *tls;
        assert_int_equal(stat(f->key, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_ERRORS);
        assert_int_equal(tls_open("/nowhere/cert", f->key, &tls), BROKEN);
        assert_null(tls);
        assert_int_equal(tls_open(f->certificate, f->certificate, &tls), BROKEN);
        assert_int_equal(tls_reload(f->site.tls, "/nowhere/cert", f->key), BROKEN);
        assert_int_equal(tls_self_signed("/nowhere/cert", f->key, "x", false), BROKEN);
        assert_int_equal(tls_self_signed(f->certificate, f->key, "team.example", false), OK);
        tls_close(NULL);
}

static void test_at_once(void **state)
{
        struct fixture *f = *state;
        struct crew *crew = start(f, 0, true);
        SSL *ssl = shake(f, client_dial(crew, "echo"));
        expect(ssl, "hello");
        say(ssl, "CIPHER\r\n");
        expect(ssl, "secure TLSv1.3 TLS_AES_256_GCM_SHA384");
        say(ssl, "ECHO a\r\nTAKE 5\r\nhelloASK\r\nanswer\r\n");
        expect(ssl, "a");
        expect(ssl, "+ go on");
        expect(ssl, "OK hello");
        expect(ssl, "+ go on");
        expect(ssl, "OK answer");
        say(ssl, "QUIT\r\n");
        expect(ssl, "bye");
        expect_end(ssl);
        crew_stop(crew, 1);
}

/* What one record brings more than one read is not forgotten in OpenSSL's buffer. */
static void test_pipelined(void **state)
{
        struct fixture *f = *state;
        struct crew *crew = start(f, 0, true);
        SSL *ssl = shake(f, client_dial(crew, "echo"));
        struct buf many = {0};
        char want[32];
        expect(ssl, "hello");
        for (unsigned i = 0; i < 3000; i++)
                buf_addf(&many, "ECHO %u\r\n", i);
        for (int round = 0; round < 3; round++) {
                say(ssl, buf_text(&many));
                for (unsigned i = 0; i < 3000; i++) {
                        snprintf(want, sizeof want, "%u", i);
                        expect(ssl, want);
                }
        }
        /* 1 MB in, and the same number of octets said to be there */
        buf_set(&many, STR("LITERAL 1000000\r\n"));
        memset(buf_reserve(&many, 1000000), 'a', 1000000);
        many.len += 1000000;
        buf_add(&many, STR("ECHO after\r\n"));
        say(ssl, buf_text(&many));
        expect(ssl, "+ go on");
        expect(ssl, "OK 1000000");
        expect(ssl, "after");
        say(ssl, "BIG 50000\r\n");
        for (unsigned i = 0; i < 50000; i++) {
                char row[80];
                snprintf(row, sizeof row, "%07u " ECHO_FILL, i);
                expect(ssl, row);
        }
        expect(ssl, "done");
        buf_release(&many);
        say(ssl, "QUIT\r\n");
        expect(ssl, "bye");
        expect_end(ssl);
        crew_stop(crew, 1);
}

static void test_versions(void **state)
{
        struct fixture *f = *state;
        struct crew *crew = start(f, 0, true);
        SSL_CTX_set_max_proto_version(f->client, TLS1_2_VERSION);
        SSL *ssl = shake(f, client_dial(crew, "echo"));
        expect(ssl, "hello");
        say(ssl, "CIPHER\r\nQUIT\r\n");
        expect(ssl, "secure TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384");
        expect(ssl, "bye");
        expect_end(ssl);
        /* And no older ones. */
        SSL_CTX_set_security_level(f->client, 0);
        SSL_CTX_set_min_proto_version(f->client, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(f->client, TLS1_1_VERSION);
        int fd = client_dial(crew, "echo");
        ssl = SSL_new(f->client);
        SSL_set_fd(ssl, fd);
        assert_int_not_equal(SSL_connect(ssl), 1);
        SSL_free(ssl);
        close(fd);
        /* Nor something that is no TLS. */
        fd = client_dial(crew, "echo");
        client_say(fd, "GET / HTTP/1.0\r\n\r\n");
        char some[64];
        while (recv(fd, some, sizeof some, 0) > 0)
                ;
        close(fd);
        crew_stop(crew, 1);
}

/* Commands smuggled in behind STARTTLS are not obeyed under TLS (CVE-2011-0411 and its kin). */
static void test_starttls(void **state)
{
        struct fixture *f = *state;
        struct crew *crew = start(f, 0, false);
        int fd = client_dial(crew, "echo");
        client_expect(fd, "hello");
        client_say(fd, "CIPHER\r\n");
        client_expect(fd, "clear ");
        client_say(fd, "STARTTLS\r\nECHO injected\r\n");
        client_expect(fd, "go ahead");
        SSL *ssl = shake(f, fd);
        say(ssl, "CIPHER\r\n");
        expect(ssl, "secure TLSv1.3 TLS_AES_256_GCM_SHA384");
        say(ssl, "ECHO x\r\nQUIT\r\n");
        expect(ssl, "x");
        expect(ssl, "bye");
        expect_end(ssl);
        /* A handshake that fails ends the connection. */
        fd = client_dial(crew, "echo");
        client_expect(fd, "hello");
        client_say(fd, "STARTTLS\r\n");
        client_expect(fd, "go ahead");
        client_say(fd, "ECHO in the clear\r\n");
        char some[64];
        while (recv(fd, some, sizeof some, 0) > 0)
                ;
        close(fd);
        crew_stop(crew, 1);
}

/* Handshakes that stall take no worker. */
static void test_stalled(void **state)
{
        struct fixture *f = *state;
        struct crew *crew = start(f, 2, true);
        int stalled[8];
        for (size_t i = 0; i < COUNT_OF(stalled); i++) {
                stalled[i] = client_dial(crew, "echo");
                client_send(stalled[i], str_make("\x16\x03\x01", i % 4));
        }
        usleep(20000);
        SSL *ssl = shake(f, client_dial(crew, "echo"));
        expect(ssl, "hello");
        /* An end without close_notify is an end. */
        close(SSL_get_fd(ssl));
        SSL_free(ssl);
        for (uint64_t end = now_ms() + 60000; !f->site.closed && now_ms() < end;)
                usleep(1000);
        assert_int_equal(f->site.closed, 1);
        crew_stop(crew, 1);
        for (size_t i = 0; i < COUNT_OF(stalled); i++)
                close(stalled[i]);
}

static void test_reload(void **state)
{
        struct fixture *f = *state;
        struct crew *crew = start(f, 0, true);
        SSL *before = shake(f, client_dial(crew, "echo"));
        expect(before, "hello");
        X509 *old = SSL_get1_peer_certificate(before);
        assert_int_equal(tls_self_signed(f->certificate, f->key, "team.example", false), OK);
        assert_int_equal(tls_reload(f->site.tls, f->certificate, f->key), OK);
        SSL_CTX_free(f->client);
        f->client = trusting(f->certificate);
        SSL *after = shake(f, client_dial(crew, "echo"));
        expect(after, "hello");
        X509 *new = SSL_get1_peer_certificate(after);
        assert_int_not_equal(X509_cmp(old, new), 0);
        say(before, "ECHO still served\r\n");
        expect(before, "still served");
        X509_free(old);
        X509_free(new);
        say(before, "QUIT\r\n");
        expect(before, "bye");
        expect_end(before);
        say(after, "QUIT\r\n");
        expect(after, "bye");
        expect_end(after);
        crew_stop(crew, 1);
}

static void test_wake(void **state)
{
        struct fixture *f = *state;
        struct crew *crew = start(f, 0, true);
        SSL *ssl = shake(f, client_dial(crew, "echo"));
        expect(ssl, "hello");
        struct wire *w = wire_hold(f->site.last);
        wire_wake(w);
        expect(ssl, "* woken");
        wire_drop(w);
        crew_stop(crew, 1);
        expect(ssl, "* stopping");
        expect_end(ssl);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_files, setup, teardown),
                cmocka_unit_test_setup_teardown(test_at_once, setup, teardown),
                cmocka_unit_test_setup_teardown(test_pipelined, setup, teardown),
                cmocka_unit_test_setup_teardown(test_versions, setup, teardown),
                cmocka_unit_test_setup_teardown(test_starttls, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stalled, setup, teardown),
                cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
                cmocka_unit_test_setup_teardown(test_wake, setup, teardown),
        };
        return cmocka_run_group_tests_name("wire_tls", tests, NULL, NULL);
}
