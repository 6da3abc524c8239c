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

/* Who is bound to what: the first message of SCRAM. */
static void test_bound(void **state)
{
        (void)state;
        static const struct {
                const char *mechanism, *exporter, *end_point, *header;
                enum status status;
        } rows_of[] = {
                {"SCRAM-SHA-256", "", "", "n,,", ABSENT},
                {"SCRAM-SHA-256", "", "", "y,,", ABSENT},
                {"SCRAM-SHA-256", "", "e", "n,,", ABSENT},
                {"SCRAM-SHA-256", "", "e", "y,,", INVALID}, /* somebody hid -PLUS */
                {"SCRAM-SHA-256", "x", "", "y,,", INVALID},
                {"SCRAM-SHA-256", "x", "e", "p=tls-exporter,,", INVALID},
                {"SCRAM-SHA-256-PLUS", "x", "e", "p=tls-exporter,,", ABSENT},
                {"scram-sha-256-plus", "x", "e", "p=tls-server-end-point,a=ana,", ABSENT},
                {"SCRAM-SHA-256-PLUS", "", "e", "p=tls-exporter,,", INVALID},
                {"SCRAM-SHA-256-PLUS", "x", "", "p=tls-server-end-point,,", INVALID},
                {"SCRAM-SHA-256-PLUS", "x", "e", "p=tls-unique,,", INVALID},
                {"SCRAM-SHA-256-PLUS", "x", "e", "n,,", INVALID},
                {"SCRAM-SHA-256-PLUS", "x", "e", "y,,", INVALID},
                {"SCRAM-SHA-256-PLUS", "x", "e", "p=,,", INVALID},
                {"SCRAM-SHA-256-PLUS", "x", "e", "", INVALID},
        };
        for (size_t i = 0; i < COUNT_OF(rows_of); i++) {
                struct sasl s;
                struct buf message = {0}, coded = {0}, challenge = {0};
                assert_int_equal(sasl_start(&s, str_of(rows_of[i].mechanism)), OK);
                assert_true(sasl_is_scram(&s));
                buf_set(&s.exporter, str_of(rows_of[i].exporter));
                buf_set(&s.end_point, str_of(rows_of[i].end_point));
                buf_addf(&message, "%sn=ana,r=abc", rows_of[i].header);
                base64_encode(buf_str(&message), &coded);
                enum status st = sasl_step(&s, buf_str(&coded), &challenge);
                if (st != rows_of[i].status)
                        fail_msg("%s %s: %s", rows_of[i].mechanism, rows_of[i].header, status_name(st));
                sasl_release(&s);
                buf_release(&message);
                buf_release(&coded);
                buf_release(&challenge);
        }
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

static enum status scram_step(struct sasl *s, const char *message, struct buf *challenge)
{
        struct buf coded = {0};
        base64_encode(str_of(message), &coded);
        enum status st = sasl_step(s, coded.len ? buf_str(&coded) : STR("="), challenge);
        buf_release(&coded);
        return st;
}

/* RFC 5802 7, of client-first-message. */
static void test_scram_first(void **state)
{
        (void)state;
        static const struct {
                const char *message;
                enum status status;
                const char *user, *authorize;
        } messages[] = { /* clang-format off */
                {"n,,n=ana,r=abc",              ABSENT,  "ana", ""},
                {"y,,n=ana,r=abc",              ABSENT,  "ana", ""},
                {"n,a=bo,n=ana,r=abc",          ABSENT,  "ana", "bo"},
                {"n,,n=a=2Cb=3Dc,r=abc",        ABSENT,  "a,b=c", ""},
                {"n,,n=ana,r=abc,x=later",      ABSENT,  "ana", ""},
                {"p=tls-unique,,n=ana,r=abc",   INVALID, NULL, NULL},
                {"n,,m=x,n=ana,r=abc",          INVALID, NULL, NULL},
                {"n,a=,n=ana,r=abc",            INVALID, NULL, NULL},
                {"n,x,n=ana,r=abc",             INVALID, NULL, NULL},
                {"n,n=ana,r=abc",               INVALID, NULL, NULL},
                {"n,,n=a=2cb,r=abc",            INVALID, NULL, NULL},
                {"n,,n=a=,r=abc",               INVALID, NULL, NULL},
                {"n,,n=,r=abc",                 INVALID, NULL, NULL},
                {"n,,n=ana,r=",                 INVALID, NULL, NULL},
                {"n,,n=ana,r=a\303\251",        INVALID, NULL, NULL},
                {"n,,n=\377,r=abc",             INVALID, NULL, NULL},
                {"n,,n=ana",                    INVALID, NULL, NULL},
                {"n,,",                         INVALID, NULL, NULL},
                {"n",                           INVALID, NULL, NULL},
                {"",                            INVALID, NULL, NULL},
        };                  /* clang-format on */
        struct buf challenge = {0};
        struct sasl s;
        for (size_t i = 0; i < COUNT_OF(messages); i++) {
                assert_int_equal(sasl_start(&s, STR("scram-sha-256")), OK);
                if (scram_step(&s, messages[i].message, &challenge) != messages[i].status)
                        fail_msg("%s", messages[i].message);
                if (messages[i].status == ABSENT) {
                        assert_string_equal(buf_text(&s.user), messages[i].user);
                        assert_string_equal(buf_text(&s.authorize), messages[i].authorize);
                }
                sasl_release(&s);
        }
        buf_release(&challenge);
}

static void test_scram_last(void **state)
{
        (void)state;
        static const struct {
                const char *message; /* %s: the nonce */
                enum status status;
        } messages[] = { /* clang-format off */
                {"c=biws,r=%s,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",     FORBIDDEN},
                {"c=biws,r=%s,x=y,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", FORBIDDEN},
                {"c=biws,r=abc,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",    FORBIDDEN},
                {"c=biws,r=%s,p=AAAA",          FORBIDDEN},
                {"c=biws,r=%s,p=!",             INVALID},
                {"c=biws,r=%s,p=",              FORBIDDEN},
                {"c=biws,r=%s",                 INVALID},
                {"c=eSws,r=%s,p=AAAA",          INVALID},
                {"c=,r=%s,p=AAAA",              INVALID},
                {"r=%s,p=AAAA",                 INVALID},
                {"",                            INVALID},
        };                  /* clang-format on */
        struct buf challenge = {0}, message = {0};
        struct scram keys;
        struct sasl s;
        scram_fake(STR("secret"), STR("ana"), &keys);
        for (size_t i = 0; i < COUNT_OF(messages); i++) {
                assert_int_equal(sasl_start(&s, STR("SCRAM-SHA-256")), OK);
                assert_int_equal(scram_step(&s, "n,,n=ana,r=abc", &challenge), ABSENT);
                sasl_keys(&s, &keys, &challenge);
                assert_true(challenge.len > 0 && str_starts(buf_str(&s.nonce), STR("abc")));
                buf_clear(&message);
                const char *nonce = strstr(messages[i].message, "%s");
                if (nonce)
                        buf_addf(&message, "%.*s%s%s", (int)(nonce - messages[i].message),
                                messages[i].message, buf_text(&s.nonce), nonce + 2);
                else
                        buf_add_text(&message, messages[i].message);
                if (scram_step(&s, buf_text(&message), &challenge) != messages[i].status)
                        fail_msg("%s", messages[i].message);
                assert_false(s.proven);
                sasl_release(&s);
        }
        buf_release(&message);
        buf_release(&challenge);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_mechanisms),
                cmocka_unit_test(test_plain),
                cmocka_unit_test(test_steps),
                cmocka_unit_test(test_bound),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_scram_first),
                cmocka_unit_test(test_scram_last),
        };
        return cmocka_run_group_tests_name("wire_sasl", tests, NULL, NULL);
}
