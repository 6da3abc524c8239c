#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/encode.h"
#include "base/scram.h"
#include "base/text.h"

/* The keys that a password, salt and rounds give, computed with other code (hashlib). */
static void test_known(void **state)
{
        (void)state;
        struct scram s;
        struct buf salt = {0}, proof = {0}, signature = {0};
        unsigned char salted[SHA256_SIZE], client[SHA256_SIZE], out[SHA256_SIZE];
        /* RFC 7677 3 */
        assert_int_equal(base64_decode(STR("W22ZaJ0SNY7soEsUEjb6gQ=="), &salt), OK);
        pbkdf2_sha256(STR("pencil"), buf_str(&salt), 4096, salted);
        hmac_sha256(str_make((char *)salted, sizeof salted), STR("Client Key"), client);
        hmac_sha256(str_make((char *)salted, sizeof salted), STR("Server Key"), s.server_key);
        sha256(str_make((char *)client, sizeof client), s.stored_key);
        struct str message = STR("n=user,r=rOprNGfwEbeRWgbNEkqO,"
                                 "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                 "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
                                 "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
        assert_int_equal(
                base64_decode(STR("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), &proof), OK);
        assert_true(scram_proves(&s, message, buf_str(&proof)));
        assert_false(scram_proves(&s, str_from(message, 1), buf_str(&proof)));
        assert_false(scram_proves(&s, message, STR("short")));
        scram_sign(&s, message, out);
        base64_encode(str_make((char *)out, sizeof out), &signature);
        assert_string_equal(
                buf_text(&signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        buf_release(&salt);
        buf_release(&proof);
        buf_release(&signature);
}

static void test_made(void **state)
{
        (void)state;
        struct buf text = {0}, none = {0};
        struct scram s;
        scram_make(STR("secret"), &text);
        assert_int_equal(scram_read(buf_str(&text), &s), OK);
        assert_int_equal(s.rounds, 32768);
        assert_int_equal(scram_read(str_sub(buf_str(&text), 0, text.len - 1), &s), INVALID);
        assert_int_equal(scram_read(STR(""), &s), INVALID);
        assert_int_equal(scram_read(STR("SCRAM-SHA-256$0:$:"), &s), INVALID);
        scram_make(STR("bell\a"), &none);
        assert_int_equal(none.len, 0);
        buf_release(&text);
}

static void test_fake(void **state)
{
        (void)state;
        struct scram a, b, c;
        scram_fake(STR("key"), STR("nobody"), &a);
        scram_fake(STR("key"), STR("nobody"), &b);
        scram_fake(STR("key"), STR("noone"), &c);
        assert_memory_equal(a.salt, b.salt, sizeof a.salt);
        assert_memory_not_equal(a.salt, c.salt, sizeof a.salt);
        assert_int_equal(a.rounds, 32768);
}

static void test_saslprep(void **state)
{
        (void)state;
        static const struct {
                const char *in, *out; /* NULL: refused; RFC 4013 3 */
        } rows[] = {
                {"I\302\255X", "IX"}, {"user", "user"}, {"USER", "USER"}, {"\302\252", "a"},
                {"\342\205\250", "IX"}, {"\a", NULL}, {"a\302\240b", "a b"}, {"\377", NULL}, {"", ""},
        };
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
                struct buf out = {0};
                enum status st = text_saslprep(str_of(rows[i].in), &out);
                assert_int_equal(st, rows[i].out ? OK : INVALID);
                if (rows[i].out)
                        assert_string_equal(buf_text(&out), rows[i].out);
                buf_release(&out);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_known),
                cmocka_unit_test(test_made),
                cmocka_unit_test(test_fake),
                cmocka_unit_test(test_saslprep),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
