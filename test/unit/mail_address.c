#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "mail/address.h"

static void expect(const char *name, struct str got, const char *want)
{
        if (!str_eq(got, str_of(want))) {
                print_error("%s: [%.*s], not [%s]\n", name, STR_ARG(got), want);
                fail();
        }
}

static void show(struct addresses list, struct buf *out)
{
        for (size_t i = 0; i < list.count; i++) {
                const struct address *a = &list.v[i];
                if (a->group_start)
                        buf_addf(out, "{%.*s:", STR_ARG(a->local));
                else if (a->group_end)
                        buf_addf(out, "}");
                else
                        buf_addf(out, "[%.*s|%.*s|%.*s]", STR_ARG(a->name), STR_ARG(a->local),
                                STR_ARG(a->domain));
        }
}

static void lists(void **state)
{
        (void)state;
        static const struct {
                const char *raw, *want;
        } cases[] = {
                {"ana@team.example", "[|ana|team.example]"},
                {"Ana M <ana@team.example>", "[Ana M|ana|team.example]"},
                {"\"M, Ana\" <ana@x.org>, bo@y", "[M, Ana|ana|x.org][|bo|y]"},
                {"ana@x (Ana M)", "[Ana M|ana|x]"},
                {"ana@x (Ana (the \\) first))", "[Ana (the ) first)|ana|x]"},
                {"(who) Ana (M) <ana@x>", "[Ana|ana|x]"},
                {"=?utf-8?q?J=C3=B6rg?= B <j@x>", "[Jörg B|j|x]"},
                {"\"=?utf-8?q?J=C3=B6rg?=\" <j@x>", "[Jörg|j|x]"},
                {"\"=?utf-8?q?J=C3=B6rg?= B\" <j@x>", "[Jörg B|j|x]"},
                {"J\xf6rg <j@x>", "[Jörg|j|x]"},
                {"\"a b\"@x.org", "[|a b|x.org]"},
                {"Q <\"a \\\" b\"@x.org>", "[Q|a \" b|x.org]"},
                {"<@r1,@r2:ana@x>", "[|ana|x]"},
                {"@a:b!c", "[|b!c|]"},
                {"<@a:b!c>", "[|b!c|]"},
                {"@a:ana@x", "[|ana|x]"},
                {"bo@y, @a : ana@x (Ana), c@z", "[|bo|y][Ana|ana|x][|c|z]"},
                {"@a,@b:ana@x", "[||a][|ana|x]"},
                {"Team: @a:ana@x, bo@y;", "{Team:[|ana|x][|bo|y]}"},
                {"@a:ana@x; bo@y", "[|ana|x][|bo|y]"},
                {"@a:, @:ana@x", "[|ana|x]"},
                {"\"@a\": ana@x;", "{@a:[|ana|x]}"},
                {"@", ""},
                {"ana @ x . org", "[|ana|x.org]"},
                {"ana@[10.0.0.1]", "[|ana|[10.0.0.1]]"},
                {"ana@[IPv6:::1], b@c", "[|ana|[IPv6:::1]][|b|c]"},
                {"Team: ana@x, Bo <bo@y>;", "{Team:[|ana|x][Bo|bo|y]}"},
                {"undisclosed-recipients:;", "{undisclosed-recipients:}"},
                {"A:;, B: (c) ; d@e", "{A:}{B:}[|d|e]"},
                {"Team: ana@x", "{Team:[|ana|x]}"},
                {"\"Ana <ana@x>, bo@y", "[Ana|ana|x][|bo|y]"},
                {"Ana <ana@x, Bo <bo@y>", "[Ana|ana|x][Bo|bo|y]"},
                {"Ana (open <ana@x>", "[Ana open|ana|x]"},
                {"Ana <ana@x>; Bo <bo@y>", "[Ana|ana|x][Bo|bo|y]"},
                {"<<ana@x>>", "[|ana|x]"},
                {"ana", "[|ana|]"},
                {"Mail Delivery System", "[Mail Delivery System||]"},
                {"MAILER-DAEMON <>", "[MAILER-DAEMON||]"},
                {"ana@x.org Ana", "[Ana|ana|x.org]"},
                {"Ana ana@x.org", "[Ana|ana|x.org]"},
                {"\"ana@x.org\"", "[|ana|x.org]"},
                {"\"Ana\" ana@x.org", "[Ana|ana|x.org]"},
                {"Ana@Home <ana@x>", "[Ana@Home|ana|x]"},
                {"J. P. Doe <j@x>", "[J. P. Doe|j|x]"},
                {"Ana\r\n M <ana@x>,\r\n\tbo@y", "[Ana M|ana|x][|bo|y]"},
                {",, ,ana@x,,", "[|ana|x]"},
                {"ana..m@x, .b.@y", "[|ana..m|x][|.b.|y]"},
                {"", ""},
                {"<>", ""},
                {";:,<\"", ""},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf got = {0};
                show(address_list(arena, str_of(cases[i].raw)), &got);
                expect(cases[i].raw, buf_str(&got), cases[i].want);
                buf_release(&got);
        }
        arena_free(arena);
}

static void raw_names_are_kept(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct address a;
        assert_true(address_first(arena, STR("g: =?utf-8?q?J=C3=B6rg?= <j@x>;"), &a));
        expect("raw", a.raw_name, "=?utf-8?q?J=C3=B6rg?=");
        assert_true(address_first(arena, STR("\"=?utf-8?q?J=C3=B6rg?=\" <j@x>"), &a));
        expect("raw, quoted", a.raw_name, "=?utf-8?q?J=C3=B6rg?=");
        expect("decoded", a.name, "Jörg");
        assert_true(address_first(arena, STR("\"a \\\"b\\\" c\" <j@x>"), &a));
        expect("unquoted", a.raw_name, "a \"b\" c");
        assert_false(address_first(arena, STR("g:;, root, Only Name"), &a));
        arena_free(arena);
}

static void at_most_a_thousand(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct buf raw = {0};
        buf_add_text(&raw, "g: ");
        for (unsigned i = 0; i < 3000; i++)
                buf_addf(&raw, "a%u@x, ", i);
        struct addresses list = address_list(arena, buf_str(&raw));
        assert_int_equal(list.count, 1000);
        assert_true(list.v[999].group_end);
        buf_release(&raw);
        arena_free(arena);
}

static void paths(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                bool utf8;
                enum status want;
                const char *again;
        } cases[] = {
                {"ana@team.example", false, OK, "ana@team.example"},
                {"ana+x@Team.Example", false, OK, "ana+x@team.example"},
                {"\"a b\"@x.org", false, OK, "\"a b\"@x.org"},
                {"\"a.b\"@x.org", false, OK, "a.b@x.org"},
                {"\"a\\\"b\"@x.org", false, OK, "\"a\\\"b\"@x.org"},
                {"Postmaster", false, OK, "Postmaster"},
                {"ana@[10.0.0.1]", false, OK, "ana@[10.0.0.1]"}, {"ana@[IPv6:::1]", false, OK, "ana@[ipv6:::1]"},
                {"ana@[a>b]", false, INVALID, ""}, {"ana@[a(b]", false, INVALID, ""},
                {"j\xc3\xb6@x.org", true, OK, "j\xc3\xb6@x.org"},
                {"j\xc3\xb6@x.org", false, INVALID, ""},
                {"j\xf6@x.org", true, INVALID, ""},
                {"ana", false, INVALID, ""},
                {"ana@", false, INVALID, ""},
                {"@x", false, INVALID, ""},
                {"a..b@x", false, INVALID, ""},
                {".a@x", false, INVALID, ""},
                {"a@x..y", false, INVALID, ""},
                {"a@x.", false, INVALID, ""},
                {"a@-x", false, INVALID, ""},
                {"a b@x", false, INVALID, ""},
                {"a@x y", false, INVALID, ""},
                {"<a@x>", false, INVALID, ""},
                {"a@x@y", false, INVALID, ""},
                {"\"a@x.org", false, INVALID, ""},
                {"\"a\"b@x.org", false, INVALID, ""},
                {"a@x\r\nRCPT TO:<b@y>", false, INVALID, ""},
                {"\"a\r\n\"@x", false, INVALID, ""},
                {"", false, INVALID, ""},
                {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@x", false,
                        INVALID, ""},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct address a;
                enum status st = address_spec(arena, str_of(cases[i].text), cases[i].utf8, &a);
                if (st != cases[i].want)
                        print_error("%s: %s\n", cases[i].text, status_name(st));
                assert_int_equal(st, cases[i].want);
                if (st == OK)
                        expect(cases[i].text, address_text(arena, &a), cases[i].again);
        }
        arena_free(arena);
}

static void fields(void **state)
{
        (void)state;
        static const struct {
                const char *name, *want;
        } cases[] = {
                {"", "a@x"},
                {"Ana M", "Ana M <a@x>"},
                {"M, Ana", "\"M, Ana\" <a@x>"},
                {"Ana \"Q\" M", "\"Ana \\\"Q\\\" M\" <a@x>"},
                {"Jörg", "=?utf-8?q?J=C3=B6rg?= <a@x>"},
                {"=?utf-8?q?a?=", "=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3F=3D?= <a@x>"},
                {"a\r\nBcc: b@c", "\"a Bcc: b@c\" <a@x>"},
        };
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(cases); i++)
                expect(cases[i].name, address_field(arena, str_of(cases[i].name), STR("a@x")),
                        cases[i].want);
        arena_free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lists), cmocka_unit_test(raw_names_are_kept),
                cmocka_unit_test(at_most_a_thousand), cmocka_unit_test(paths),
                cmocka_unit_test(fields),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
