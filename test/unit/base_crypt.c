#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/crypt.h"
#include "base/encode.h"

/* FIPS 180-4's examples. */
static void test_sha256(void **state)
{
        (void)state;
        static const struct {
                struct str text;
                const char *hex;
        } rows[] = {
                {STR(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                {STR("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        };
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
                unsigned char digest[SHA256_SIZE];
                struct buf hex = {0};
                sha256(rows[i].text, digest);
                hex_encode(str_make((const char *)digest, sizeof digest), &hex);
                assert_string_equal(buf_text(&hex), rows[i].hex);
                buf_release(&hex);
        }
}

static void test_random(void **state)
{
        (void)state;
        unsigned char a[32] = {0}, b[32] = {0};
        struct buf one = {0}, two = {0};
        random_bytes(a, sizeof a);
        random_bytes(b, sizeof b);
        assert_memory_not_equal(a, b, sizeof a);
        random_word(400, &one);
        random_word(400, &two);
        assert_int_equal(one.len, 400);
        assert_false(str_eq(buf_str(&one), buf_str(&two)));
        bool seen[256] = {0};
        for (size_t i = 0; i < one.len; i++) {
                seen[(unsigned char)one.at[i]] = true;
                assert_non_null(strchr("abcdefghijkmnpqrstuvwxyz234567", one.at[i]));
        }
        size_t letters = 0;
        for (size_t i = 0; i < COUNT_OF(seen); i++)
                letters += seen[i];
        assert_true(letters > 24);
        buf_release(&one);
        buf_release(&two);
}

static void test_equal(void **state)
{
        (void)state;
        assert_true(secret_equal(STR("abc"), STR("abc")));
        assert_false(secret_equal(STR("abc"), STR("abd")));
        assert_false(secret_equal(STR("abc"), STR("ab")));
        assert_true(secret_equal(STR_NONE, STR("")));
}

/* What this thread has worked: whatever else the machine does. */
static uint64_t worked_us(void)
{
        struct timespec t;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void test_password(void **state)
{
        (void)state;
        struct buf one = {0}, two = {0};
        password_hash(STR("open sesame"), &one);
        password_hash(STR("open sesame"), &two);
        assert_true(str_starts(buf_str(&one), STR("scrypt$15$8$1$")));
        assert_false(str_eq(buf_str(&one), buf_str(&two)));
        uint64_t start = worked_us();
        assert_true(password_right(STR("open sesame"), buf_str(&one)));
        uint64_t once = worked_us() - start;
        assert_true(password_right(STR("open sesame"), buf_str(&two)));
        assert_false(password_right(STR("open sesame "), buf_str(&one)));
        assert_false(password_right(STR(""), buf_str(&one)));
        start = worked_us();
        for (int i = 0; i < 100; i++)
                assert_true(password_right(STR("open sesame"), buf_str(&one)));
        assert_true(worked_us() - start < 10 * once); /* it is remembered */
        buf_release(&one);
        buf_release(&two);
}

static void test_malformed(void **state)
{
        (void)state;
        static const char *const stored[] = {
                "",
                "scrypt$15$8$1$AAAAAAAAAAAAAAAAAAAAAA==",
                "scrypt$15$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAA",
                "scrypt$40$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAA",
                "scrypt$15$8$1$!$!",
        };
        uint64_t start = clock_ms();
        for (size_t i = 0; i < COUNT_OF(stored); i++)
                assert_false(password_right(STR("secret"), str_of(stored[i])));
        /* A stranger costs as much time as a person. */
        assert_true(clock_ms() - start > 10 * COUNT_OF(stored));
}

/* RFC 7914 12, the third vector, its first 32 octets. */
static void test_vector(void **state)
{
        (void)state;
        struct str stored = STR("scrypt$14$8$1$U29kaXVtQ2hsb3JpZGU=$"
                                "cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI=");
        assert_false(password_right(STR("pleaseletmeout"), stored));
        assert_true(password_right(STR("pleaseletmein"), stored));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sha256),   cmocka_unit_test(test_random),
                cmocka_unit_test(test_equal),    cmocka_unit_test(test_password),
                cmocka_unit_test(test_malformed), cmocka_unit_test(test_vector),
        };
        return cmocka_run_group_tests_name("base_crypt", tests, NULL, NULL);
}
