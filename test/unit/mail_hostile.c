/* Input that costs other programs their stack or minutes: here it costs its length. All of it runs
 * on a small stack, as a worker's; a case is slow when it takes seconds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "mail_check.h"
#include <pthread.h>

enum { STACK = 512 * 1024, SIZE = 256 * 1024, SLOW_MS = 10000 };

struct attack {
        const char *name, *before, *again, *after;
        const char *wrong;
};

static void *run(void *context)
{
        struct attack *attack = context;
        struct arena *arena = arena_new();
        struct buf message = {0};
        buf_add_text(&message, attack->before);
        while (message.len < SIZE)
                buf_add_text(&message, attack->again);
        buf_add_text(&message, attack->after);
        uint64_t start = cpu_ms();
        attack->wrong = check_mail(arena, buf_str(&message));
        if (!attack->wrong && cpu_ms() - start > SLOW_MS)
                attack->wrong = "slow";
        buf_release(&message);
        arena_free(arena);
        return NULL;
}

static void attacks(void **state)
{
        (void)state;
        static struct attack cases[] = {
                {"open comments", "From: ", "(", "\r\n\r\n", NULL},
                {"nested comments", "From: a@b ", "(a)(", "\r\n\r\n", NULL},
                {"open angles", "From: ", "<", "\r\n\r\n", NULL},
                {"routes", "From: <@", ",", "\r\n\r\n", NULL},
                {"groups", "To: ", "a:b@c;", "\r\n\r\n", NULL},
                {"colons", "To: ", "a:", "\r\n\r\n", NULL},
                {"quotes", "To: ", "\"", "\r\n\r\n", NULL},
                {"escaped quotes", "To: \"", "\\\"", "\r\n\r\n", NULL},
                {"literals of quotes", "To: ", "[\"]", "\r\n\r\n", NULL},
                {"literals", "To: ", "[", "\r\n\r\n", NULL},
                {"at signs", "To: ", "@", "\r\n\r\n", NULL},
                {"blanks and dots", "To: a", " . ", "@x\r\n\r\n", NULL},
                {"commas", "To: ", ",", "\r\n\r\n", NULL},
                {"addresses", "To: x@y", ", a@b", "\r\n\r\n", NULL},
                {"many To", "", "To: a@b\r\n", "\r\n", NULL},
                {"folds", "To:", "\r\n a@b,", "\r\n\r\n", NULL},
                {"fields", "", "a:\r\n", "\r\n", NULL},
                {"no fields", "", "a\r\n", "\r\n", NULL},
                {"ids", "References: ", "<a>", "\r\n\r\n", NULL},
                {"open ids", "References: ", "<", ">\r\n\r\n", NULL},
                {"encoded words", "Subject: ", "=?a?q?b?= ", "\r\n\r\n", NULL},
                {"half words", "Subject: ", "=?a?q?", "\r\n\r\n", NULL},
                {"word starts", "Subject: ", "=?", "\r\n\r\n", NULL},
                {"blobs", "Subject: ", "[a]", "\r\n\r\n", NULL},
                {"replies", "Subject: ", "Re: ", "\r\n\r\n", NULL},
                {"forwards", "Subject: ", "[fwd: ", "]]]]]\r\n\r\n", NULL},
                {"accents", "Subject: e", "\xcc\x81", "\r\n\r\n", NULL},
                {"parameters", "Content-Type: a/b", "; a*0=b", "\r\n\r\n", NULL},
                {"parameter comments", "Content-Type: a/b;", "(", "\r\n\r\n", NULL},
                {"parameter quotes", "Content-Type: a/b; a=", "\"", "\r\n\r\n", NULL},
                {"semicolons", "Content-Type: a/b", ";", "\r\n\r\n", NULL},
                {"types", "", "Content-Type: ;\r\n", "\r\n", NULL},
                {"languages", "Content-Language: ", "a,", "\r\n\r\n", NULL},
                {"boundaries", "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\r\n", "", NULL},
                {"half boundaries", "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--\r\n", "", NULL},
                {"same boundary within", "", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", "",
                        NULL},
                {"messages", "", "Content-Type: message/rfc822\r\n\r\n", "", NULL},
                {"digests", "", "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n", "", NULL},
                {"html tags", "Content-Type: text/html\r\n\r\n", "<b>", "", NULL},
                {"html blocks", "Content-Type: text/html\r\n\r\n", "<div>a", "", NULL},
                {"html quotes", "Content-Type: text/html\r\n\r\n", "<blockquote>a", "", NULL},
                {"html attributes", "Content-Type: text/html\r\n\r\n<a ", "a=b ", "", NULL},
                {"html entities", "Content-Type: text/html\r\n\r\n", "&amp", "", NULL},
                {"html comments", "Content-Type: text/html\r\n\r\n", "<!--", "", NULL},
                {"html openings", "Content-Type: text/html\r\n\r\n", "<", "", NULL},
                {"html tables", "Content-Type: text/html\r\n\r\n", "<table><tr><td>", "", NULL},
                {"quote marks", "\r\n", ">", "", NULL},
                {"quoted lines", "\r\n", "a:\r\n> b\r\n", "", NULL},
                {"attributions", "\r\n", "On 1:1 @ wrote:\r\n", "", NULL},
                {"lines", "\r\n", "\r\n", "", NULL},
                {"flowed", "Content-Type: text/plain; format=flowed\r\n\r\n", "> \r\n", "", NULL},
                {"greetings", "\r\n", "Hi,\r\n", "", NULL},
                {"zeros", "\r\n", "\1", "", NULL},
                {"dates", "Date: ", "1:1 ", "\r\n\r\n", NULL},
        };
        unsigned failed = 0;
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                pthread_attr_t attr;
                pthread_t thread;
                pthread_attr_init(&attr);
                pthread_attr_setstacksize(&attr, STACK);
                assert_int_equal(pthread_create(&thread, &attr, run, &cases[i]), 0);
                pthread_join(thread, NULL);
                pthread_attr_destroy(&attr);
                if (cases[i].wrong)
                        print_error("%s: %s\n", cases[i].name, cases[i].wrong);
                failed += cases[i].wrong != NULL;
        }
        assert_int_equal(failed, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(attacks)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
