#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/encode.h"
#include "wire/sasl.h"

static void test_mechanisms(void **state)
{
        (void)state;
        struct sasl s;
        assert_int_equal(sasl_start(&s, STR("plain")), OK);
        assert_true(s.mechanism == SASL_PLAIN);
        assert_int_equal(sasl_start(&s, STR("LOGIN")), OK);
        assert_true(s.mechanism == SASL_LOGIN);
        assert_int_equal(sasl_start(&s, STR("CRAM-MD5")), UNSUPPORTED);
        assert_int_equal(sasl_start(&s, STR("")), UNSUPPORTED);
}

struct row {
        const char *name;
        struct str message; /* before base64 */
        enum status status;
        const char *user, *authorize, *password;
};

/* clang-format off */
static const struct row rows[] = {
        {"usual",            STR("\0ana\0secret"),      OK,      "ana", "",    "secret"},
        {"authorization",    STR("bo\0ana\0secret"),    OK,      "ana", "bo",  "secret"},
        {"utf-8",            STR("\0an\303\241\0\303\251"), OK,  "an\303\241", "", "\303\251"},
        {"blanks",           STR("\0a b\0 c "),         OK,      "a b", "",    " c "},
        {"no password",      STR("\0ana\0"),            INVALID, NULL, NULL, NULL},
        {"no name",          STR("\0\0secret"),         INVALID, NULL, NULL, NULL},
        {"one NUL",          STR("ana\0secret"),        INVALID, NULL, NULL, NULL},
        {"no NUL",           STR("secret"),             INVALID, NULL, NULL, NULL},
        {"a NUL too many",   STR("\0ana\0sec\0ret"),    INVALID, NULL, NULL, NULL},
};
/* clang-format on */

static void test_plain(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
                struct sasl s;
                struct buf coded = {0}, challenge = {0};
                base64_encode(rows[i].message, &coded);
                assert_int_equal(sasl_start(&s, STR("PLAIN")), OK);
                assert_int_equal(sasl_step(&s, buf_str(&coded), &challenge), rows[i].status);
                if (rows[i].status == OK) {
                        assert_string_equal(buf_text(&s.user), rows[i].user);
                        assert_string_equal(buf_text(&s.authorize), rows[i].authorize);
                        assert_string_equal(buf_text(&s.password), rows[i].password);
                }
                sasl_release(&s);
                buf_release(&coded);
                buf_release(&challenge);
        }
}

static void test_steps(void **state)
{
        (void)state;
        struct sasl s;
        struct buf challenge = {0};
        assert_int_equal(sasl_start(&s, STR("PLAIN")), OK);
        assert_int_equal(sasl_step(&s, STR_NONE, &challenge), BUSY);
        assert_int_equal(challenge.len, 0);
        assert_int_equal(sasl_step(&s, STR_NONE, &challenge), INVALID);
        assert_int_equal(sasl_step(&s, STR("AGFuYQBzZWNyZXQ="), &challenge), OK);
        sasl_release(&s);

        assert_int_equal(sasl_start(&s, STR("login")), OK);
        assert_int_equal(sasl_step(&s, STR_NONE, &challenge), BUSY);
        assert_string_equal(buf_text(&challenge), "VXNlcm5hbWU6");
        assert_int_equal(sasl_step(&s, STR("YW5h"), &challenge), BUSY);
        assert_string_equal(buf_text(&challenge), "UGFzc3dvcmQ6");
        assert_int_equal(sasl_step(&s, STR("c2VjcmV0"), &challenge), OK);
        assert_string_equal(buf_text(&s.user), "ana");
        assert_string_equal(buf_text(&s.password), "secret");
        sasl_release(&s);

        /* The name may come with the command. */
        assert_int_equal(sasl_start(&s, STR("LOGIN")), OK);
        assert_int_equal(sasl_step(&s, STR("YW5h"), &challenge), BUSY);
        assert_int_equal(sasl_step(&s, STR("c2VjcmV0"), &challenge), OK);
        sasl_release(&s);
        buf_release(&challenge);
}

static void test_refused(void **state)
{
        (void)state;
        static const struct {
                const char *mechanism, *response;
                enum status status;
        } wrong[] = {
                {"PLAIN", "*", DENIED},     {"LOGIN", "*", DENIED},      {"PLAIN", "=", INVALID},
                {"LOGIN", "=", INVALID},    {"PLAIN", "!!!", INVALID},   {"LOGIN", "YQ", INVALID},
                {"LOGIN", "YQBi", INVALID}, {"PLAIN", "", INVALID},
        };
        struct buf challenge = {0};
        struct sasl s;
        for (size_t i = 0; i < COUNT_OF(wrong); i++) {
                assert_int_equal(sasl_start(&s, str_of(wrong[i].mechanism)), OK);
                assert_int_equal(sasl_step(&s, str_of(wrong[i].response), &challenge),
                        wrong[i].status);
                sasl_release(&s);
        }
        struct buf big = {0};
        memset(buf_reserve(&big, 8000), 'A', 8000);
        big.len = 8000;
        assert_int_equal(sasl_start(&s, STR("LOGIN")), OK);
        assert_int_equal(sasl_step(&s, buf_str(&big), &challenge), INVALID);
        sasl_release(&s);
        buf_release(&big);
        buf_release(&challenge);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_mechanisms),
                cmocka_unit_test(test_plain),
                cmocka_unit_test(test_steps),
                cmocka_unit_test(test_refused),
        };
        return cmocka_run_group_tests_name("wire_sasl", tests, NULL, NULL);
}
