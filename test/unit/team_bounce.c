#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "team/bounce.h"

enum { DAY = 24 * 3600, START = 1000 * DAY };

static void codes(void **state)
{
        (void)state;
        static const struct {
                const char *status;
                bool hard;
        } cases[] = {
                {"5.1.1", true}, {"5.1.2", true}, {"5.0.0", true}, {"5.2.1", true}, {"5.4.4", true},
                {"5.2.2", false}, {"5.2.3", false}, {"5.3.4", false}, {"5.6.0", false},
                {"5.7.1", false}, {"4.1.1", false}, {"4.4.7", false}, {"2.0.0", false},
                {"", false}, {"5", false}, {"55.1.1", false}, {"x", false},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++)
                if (bounce_is_hard(str_of(cases[i].status)) != cases[i].hard)
                        fail_msg("%s", cases[i].status);
}

#define HEAD "From: MAILER-DAEMON@far.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
#define REPORT                                                                                      \
        HEAD "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"      \
             "--b\r\n\r\nwords\r\n--b\r\nContent-Type: message/delivery-status\r\n"
#define END "\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: y\r\n--b--\r\n"

static void reports(void **state)
{
        (void)state;
        static const struct {
                const char *name, *message;
                enum bounce_kind kind;
        } cases[] = {
                {"lasting", REPORT "\r\nReporting-MTA: dns; far.example\r\n\r\n"
                                   "Final-Recipient: rfc822; z@far.example\r\nAction: failed\r\n"
                                   "Status: 5.1.1 (no such)\r\n" END, BOUNCE_HARD},
                {"passing", REPORT "\r\nReporting-MTA: dns; far.example\r\n\r\n"
                                   "Action: failed\r\nStatus: 4.4.7\r\n" END, BOUNCE_SOFT},
                {"policy", REPORT "\r\nReporting-MTA: dns; f\r\n\r\nAction: Failed\r\n"
                                  "Status: 5.7.1\r\n" END, BOUNCE_SOFT},
                {"late", REPORT "\r\nReporting-MTA: dns; f\r\n\r\nAction: delayed\r\n"
                                "Status: 4.4.1\r\n" END, BOUNCE_FINE},
                {"the worst counts", REPORT "\r\nReporting-MTA: dns; f\r\n\r\nAction: delayed\r\n"
                                            "Status: 4.0.0\r\n\r\nAction: failed\r\n"
                                            "Status: 5.1.1\r\n\r\nAction: relayed\r\n"
                                            "Status: 2.0.0\r\n" END, BOUNCE_HARD},
                {"folded and padded", REPORT "\r\nReporting-MTA: dns; f\r\n\r\n"
                                             "Action:\r\n  failed\r\nStatus:\r\n 5.1.1\r\n" END,
                        BOUNCE_HARD},
                {"encoded", REPORT "Content-Transfer-Encoding: base64\r\n\r\n"
                                   "UmVwb3J0aW5nLU1UQTogZG5zOyBmDQoNCkFjdGlvbjogZmFpbGVkDQpTdGF0"
                                   "dXM6IDUuMS4xDQo=" END, BOUNCE_HARD},
                {"internationalized", HEAD "Content-Type: multipart/report; "
                                           "report-type=global-delivery-status; boundary=b\r\n\r\n"
                                           "--b\r\nContent-Type: message/global-delivery-status\r\n"
                                           "\r\nReporting-MTA: dns; f\r\n\r\nAction: failed\r\n"
                                           "Status: 5.1.1\r\n" END, BOUNCE_HARD},
                {"wrapped", HEAD "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\n"
                                 "Checked.\r\n--o\r\nContent-Type: multipart/report; boundary=b\r\n"
                                 "\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
                                 "Reporting-MTA: dns; f\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n"
                                 "\r\n--b--\r\n--o--\r\n", BOUNCE_HARD},
                {"the report of another", "From: zoe@far.example\r\nContent-Type: multipart/mixed; "
                                          "boundary=o\r\n\r\n--o\r\n\r\nLook:\r\n--o\r\n"
                                          "Content-Type: message/rfc822\r\n\r\n"
                                          "Content-Type: message/delivery-status\r\n\r\n"
                                          "X: y\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n"
                                          "--o--\r\n", BOUNCE_NONE},
                {"Exim", "Return-path: <>\r\nAuto-Submitted: auto-replied\r\n"
                         "From: Mail Delivery System <Mailer-Daemon@far.example>\r\n"
                         "MIME-Version: 1.0\r\nReferences: <1@x>\r\n"
                         "Content-Type: multipart/report; report-type=delivery-status; "
                         "boundary=1700000000-eximdsn-1\r\n\r\n"
                         "--1700000000-eximdsn-1\r\nContent-type: text/plain; charset=us-ascii\r\n\r\n"
                         "This message was created automatically by mail delivery software.\r\n\r\n"
                         "--1700000000-eximdsn-1\r\nContent-type: message/delivery-status\r\n\r\n"
                         "Reporting-MTA: dns; mx.far.example\r\n\r\nAction: failed\r\n"
                         "Final-Recipient: rfc822;zoe@far.example\r\nStatus: 5.0.0\r\n"
                         "Remote-MTA: dns; in.far.example\r\n"
                         "Diagnostic-Code: smtp; 550 No such user\r\n\r\n"
                         "--1700000000-eximdsn-1\r\nContent-type: message/rfc822\r\n\r\n"
                         "Subject: y\r\n\r\nz\r\n--1700000000-eximdsn-1--\r\n", BOUNCE_HARD},
                {"Postfix", "From: MAILER-DAEMON@far.example (Mail Delivery System)\r\n"
                            "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
                            "Content-Type: multipart/report; report-type=delivery-status;\r\n"
                            "\tboundary=\"4A1.1700000000/mx.far.example\"\r\n"
                            "Content-Transfer-Encoding: 8bit\r\n\r\n"
                            "This is a MIME-encapsulated message.\r\n\r\n"
                            "--4A1.1700000000/mx.far.example\r\nContent-Description: Notification\r\n"
                            "Content-Type: text/plain; charset=utf-8\r\n\r\nI'm sorry.\r\n\r\n"
                            "--4A1.1700000000/mx.far.example\r\nContent-Description: Delivery report\r\n"
                            "Content-Type: message/delivery-status\r\n\r\n"
                            "Reporting-MTA: dns; mx.far.example\r\nX-Postfix-Queue-ID: 4A1\r\n"
                            "X-Postfix-Sender: rfc822; eng+bounce-x@team.example\r\n"
                            "Arrival-Date: Sun, 22 Nov 2026 04:00:00 +0000 (UTC)\r\n\r\n"
                            "Final-Recipient: rfc822; zoe@far.example\r\n"
                            "Original-Recipient: rfc822;zoe@far.example\r\nAction: failed\r\n"
                            "Status: 5.2.2\r\nRemote-MTA: dns; in.far.example\r\n"
                            "Diagnostic-Code: smtp; 552 5.2.2 Over quota\r\n\r\n"
                            "--4A1.1700000000/mx.far.example--\r\n", BOUNCE_SOFT},
                {"empty status", REPORT "\r\n" END, BOUNCE_NONE},
                {"no report, but a postmaster", HEAD "\r\nno such user\r\n", BOUNCE_SOFT},
                {"a person", "From: zoe@far.example\r\nAuto-Submitted: auto-replied\r\n\r\n"
                             "I am away\r\n", BOUNCE_NONE},
                {"nothing", "", BOUNCE_NONE},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                enum bounce_kind kind = bounce_read(arena, str_of(cases[i].message));
                if (kind != cases[i].kind)
                        fail_msg("%s: %d, not %d", cases[i].name, kind, cases[i].kind);
        }
        arena_free(arena);
}

static enum bounce_verdict judge(struct reach *reach, time_t now, bool hard, bool probe)
{
        struct bounce_event e = {.now = now, .hard = hard, .probe = probe, .limit = 3};
        return bounce_judge(reach, &e);
}

/* Day after day nothing arrives: three days, a probe, and then nothing more. */
static void lasting(void **state)
{
        (void)state;
        struct reach r = {.confirmed = 7};
        time_t t = START;
        assert_int_equal(judge(&r, t, true, false), BOUNCE_COUNTED);
        assert_int_equal(r.score, 100);
        assert_int_equal(judge(&r, t + 3600, true, false), BOUNCE_IGNORED); /* of the same day */
        assert_int_equal(judge(&r, t += DAY, true, false), BOUNCE_COUNTED);
        assert_int_equal(judge(&r, t += DAY, true, false), BOUNCE_PROBE);
        assert_int_equal(r.probed, t);
        assert_int_equal(judge(&r, t += DAY, true, false), BOUNCE_IGNORED); /* it is on its way */
        assert_int_equal(judge(&r, t, true, true), BOUNCE_SUSPEND);
        assert_true(r.suspended == t && r.probed == 0 && r.confirmed == 7);
        assert_int_equal(judge(&r, t += DAY, true, true), BOUNCE_IGNORED); /* told once */
        assert_int_equal(judge(&r, t += DAY, true, false), BOUNCE_IGNORED);
}

/* A probe that does not come back has arrived. */
static void arrived(void **state)
{
        (void)state;
        struct reach r = {.score = 290, .bounced = START};
        time_t t = START + DAY;
        assert_int_equal(judge(&r, t, true, false), BOUNCE_PROBE);
        assert_int_equal(judge(&r, t += 7 * DAY, true, false), BOUNCE_COUNTED);
        assert_int_equal(r.score, 100);
        assert_int_equal(r.probed, 0);
        assert_int_equal(judge(&r, t += DAY, true, true), BOUNCE_IGNORED); /* too late */
        assert_int_equal(r.suspended, 0);
}

static void forgotten(void **state)
{
        (void)state;
        struct reach r = {0};
        time_t t = START;
        for (unsigned i = 0; i < 100; i++, t += 4 * DAY) /* a full mailbox now and then */
                assert_int_equal(judge(&r, t, false, false), BOUNCE_COUNTED);
        assert_in_range(r.score, 25, 50);
        t += 30 * DAY;
        assert_int_equal(judge(&r, t, true, false), BOUNCE_COUNTED);
        assert_int_equal(r.score, 100);
        assert_int_equal(judge(&r, t - 5 * DAY, true, false), BOUNCE_IGNORED); /* a clock set back */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(codes),
                cmocka_unit_test(reports),
                cmocka_unit_test(lasting),
                cmocka_unit_test(arrived),
                cmocka_unit_test(forgotten),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
