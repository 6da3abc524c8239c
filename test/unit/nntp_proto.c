#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "nntp/proto.h"

enum { NOW = 1795305600 }; /* 2026-11-22 00:00:00 UTC */

#define FROM "From: Ana <ana@team.example>\r\n"
#define REST "Subject: x\r\nNewsgroups: eng.backend\r\n"
#define END "\r\nbody\r\n"

static const struct {
        const char *name, *article;
        const char *fault; /* a piece of it; NULL: it is an article */
} articles[] = {
        {"least", FROM REST END, NULL},
        {"empty body", FROM REST "\r\n", NULL},
        {"all of it", FROM REST "Date: Sun, 22 Nov 2026 00:00:00 +0000\r\nMessage-ID: <a@b>\r\n" END,
                NULL},
        {"folded", FROM "Subject: x\r\n y\r\nNewsgroups: a.b\r\n" END, NULL},
        {"empty unimportant field", FROM REST "Keywords:\r\n" END, NULL},
        {"utf-8", FROM "Subject: gr\xc3\xbc\xc3\x9f" "e\r\nNewsgroups: a.b\r\n" END, NULL},
        {"no From", REST END, "no From"},
        {"From without address", "From: nobody at all\r\n" REST END, "no mail address"},
        {"no Subject", FROM "Newsgroups: a.b\r\n" END, "no Subject"},
        {"empty Subject", FROM "Subject: \r\nNewsgroups: a.b\r\n" END, "no Subject"},
        {"no Newsgroups", FROM "Subject: x\r\n" END, "names no newsgroup"},
        {"blank Newsgroups", FROM "Subject: x\r\nNewsgroups:  \r\n" END, "names no newsgroup"},
        {"commas", FROM "Subject: x\r\nNewsgroups: ,,,\r\n" END, "empty name"},
        {"comma at the end", FROM "Subject: x\r\nNewsgroups: a.b,\r\n" END, "empty name"},
        {"eleven", FROM "Subject: x\r\nNewsgroups: a,b,c,d,e,f,g,h,i,j,k\r\n" END, "at most 10"},
        {"two subjects", FROM REST "Subject: y\r\n" END, "twice"},
        {"no colon", FROM REST "this is no field\r\n" END, "Name: value"},
        {"no blank behind the colon", FROM REST "X-A:b\r\n" END, "Name: value"},
        {"begins with a continuation", " x\r\n" FROM REST END, "Name: value"},
        {"no empty line", FROM REST, "no empty line"},
        {"id without brackets", FROM REST "Message-ID: a@b\r\n" END, "Message-ID"},
        {"id with a blank", FROM REST "Message-ID: <a b@c>\r\n" END, "Message-ID"},
        {"id without at", FROM REST "Message-ID: <ab>\r\n" END, "Message-ID"},
        {"bad date", FROM REST "Date: not a date\r\n" END, "cannot be read"},
        {"an hour ahead", FROM REST "Date: Sun, 22 Nov 2026 01:00:00 +0000\r\n" END, NULL},
        {"three days ahead", FROM REST "Date: Wed, 25 Nov 2026 01:00:00 +0000\r\n" END, "future"},
        {"cancel", FROM REST "Control: cancel <a@b>\r\n" END, NULL},
        {"supersedes", FROM REST "Supersedes: <a@b>\r\n" END, NULL},
        {"cancel of nothing", FROM REST "Control: cancel\r\n" END, "no Message-ID"},
        {"cancel of two", FROM REST "Control: cancel <a@b> <c@d>\r\n" END, "no Message-ID"},
        {"supersedes nothing", FROM REST "Supersedes: a@b\r\n" END, "no Message-ID"},
        {"both", FROM REST "Supersedes: <a@b>\r\nControl: cancel <a@b>\r\n" END, "together"},
        {"another control message", FROM REST "Control: rmgroup eng\r\n" END, "only cancel"},
};

static void checks_articles(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(articles); i++) {
                struct arena *arena = arena_new();
                struct proto p;
                enum status st = proto_read(arena, str_of(articles[i].article), NOW, &p);
                const char *wanted = articles[i].fault;
                if ((st == OK) != !wanted)
                        fail_msg("%s: %s", articles[i].name, p.fault ? p.fault : "taken");
                if (wanted && !strstr(p.fault, wanted))
                        fail_msg("%s: %s", articles[i].name, p.fault);
                arena_free(arena);
        }
}

static void reads_groups(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct proto p;
        struct str article = STR(FROM "Subject: x\r\nNewsgroups: a.b, c.d,\r\n\te.f , a.b\r\n" END);
        assert_int_equal(proto_read(arena, article, NOW, &p), OK);
        assert_int_equal(p.group_count, 3);
        assert_true(str_eq(p.groups[0], STR("a.b")));
        assert_true(str_eq(p.groups[1], STR("c.d")));
        assert_true(str_eq(p.groups[2], STR("e.f")));
        arena_free(arena);
}

static void drops_the_servers_fields(void **state)
{
        (void)state;
        struct buf out = {0};
        assert_false(proto_clean(STR(FROM REST "\r\n"), &out));
        assert_int_equal(out.len, 0);
        assert_true(proto_clean(STR("Path: x!y\r\n" FROM "xref: evil a:1\r\n b:2\r\n" REST
                                    "NNTP-Posting-Host: h\r\nInjection-Info: i\r\n\r\n"),
                &out));
        assert_true(str_eq(buf_str(&out), STR(FROM REST "\r\n")));
        buf_release(&out);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(checks_articles),
                cmocka_unit_test(reads_groups),
                cmocka_unit_test(drops_the_servers_fields),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
