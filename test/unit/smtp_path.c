#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "smtp/path.h"
#include <string.h>

static const struct {
        const char *name, *keyword, *given;
        enum status status;
        const char *path, *rest;
} paths[] = {
        {"plain", "FROM:", "FROM:<ana@team.example>", OK, "ana@team.example", ""},
        {"lower case keyword", "FROM:", "from:<ana@team.example>", OK, "ana@team.example", ""},
        {"null sender", "FROM:", "FROM:<>", OK, "", ""},
        {"null sender with size", "FROM:", "FROM:<> SIZE=10", OK, "", "SIZE=10"},
        {"blank behind the colon", "FROM:", "FROM: <a@b.example>", OK, "a@b.example", ""},
        {"no angle brackets", "TO:", "TO:a@b.example", OK, "a@b.example", ""},
        {"no angle brackets, parameter", "TO:", "TO:a@b.example X=1", OK, "a@b.example", "X=1"},
        {"parameters", "FROM:", "FROM:<a@b.example>  SIZE=1 BODY=7BIT", OK, "a@b.example",
                "SIZE=1 BODY=7BIT"},
        {"domain in lower case", "TO:", "TO:<Ana@Team.EXAMPLE>", OK, "Ana@team.example", ""},
        {"quoted local part", "TO:", "TO:<\"a b\"@c.example>", OK, "\"a b\"@c.example", ""},
        {"bracket in a quoted local part", "TO:", "TO:<\"a>b\"@c.example> X", OK,
                "\"a>b\"@c.example", "X"},
        {"source route", "TO:", "TO:<@x.example,@y.example:a@b.example>", OK, "a@b.example", ""},
        {"postmaster alone", "TO:", "TO:<Postmaster>", OK, "postmaster", ""},
        {"UTF-8", "TO:", "TO:<j\303\266rg@b\303\274cher.example>", OK,
                "j\303\266rg@b\303\274cher.example", ""},
        {"not UTF-8", "TO:", "TO:<j\366rg@a.example>", INVALID, NULL, NULL},
        {"wrong keyword", "FROM:", "TO:<a@b.example>", INVALID, NULL, NULL},
        {"no path", "FROM:", "FROM:", INVALID, NULL, NULL},
        {"unclosed", "FROM:", "FROM:<a@b.example", INVALID, NULL, NULL},
        {"text behind the bracket", "FROM:", "FROM:<a@b.example>SIZE=1", INVALID, NULL, NULL},
        {"two at signs", "FROM:", "FROM:<a@b@c.example>", INVALID, NULL, NULL},
        {"blank inside", "FROM:", "FROM:<a b@c.example>", INVALID, NULL, NULL},
        {"no domain", "TO:", "TO:<a@>", INVALID, NULL, NULL},
};

static void takes_paths(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(paths); i++) {
                struct arena *arena = arena_new();
                struct str rest = str_of(paths[i].given), path;
                enum status st = path_take(arena, str_of(paths[i].keyword), &rest, &path);
                if (st != paths[i].status)
                        fail_msg("%s: %s", paths[i].name, status_name(st));
                if (st == OK && (!str_eq(path, str_of(paths[i].path)) ||
                                        !str_eq(rest, str_of(paths[i].rest))))
                        fail_msg("%s: <%.*s> and <%.*s>", paths[i].name, STR_ARG(path),
                                STR_ARG(rest));
                arena_free(arena);
        }
}

static const struct {
        const char *name, *given;
        bool may_auth;
        enum status status;
        uint64_t size;
} parameters[] = {
        {"none", "", false, OK, 0},
        {"size", "SIZE=1000", false, OK, 1000},
        {"both, in small letters", "body=8bitmime size=5", false, OK, 5},
        {"size without a number", "SIZE=", false, INVALID, 0},
        {"size that is no number", "SIZE=1k", false, INVALID, 0},
        {"negative size", "SIZE=-1", false, INVALID, 0},
        {"unknown body", "BODY=BINARYMIME", false, INVALID, 0},
        {"addresses in UTF-8", "SMTPUTF8 SIZE=2", false, OK, 2},
        {"addresses in UTF-8 with a value", "SMTPUTF8=", false, INVALID, 0},
        {"unknown keyword", "HOLDFOR=5", false, UNSUPPORTED, 0},
        {"DSN is not offered", "RET=HDRS", false, UNSUPPORTED, 0},
        {"auth where it is not offered", "AUTH=<>", false, UNSUPPORTED, 0},
        {"auth where it is offered", "AUTH=<> SIZE=7", true, OK, 7},
        {"auth without a value", "AUTH=", true, INVALID, 0},
};

static void takes_parameters(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(parameters); i++) {
                struct mail_parameters p = {.may_auth = parameters[i].may_auth};
                enum status st = path_parameters(str_of(parameters[i].given), &p);
                if (st != parameters[i].status || (st == OK && p.size != parameters[i].size))
                        fail_msg("%s: %s", parameters[i].name, status_name(st));
        }
}

static const struct {
        const char *name, *given;
        enum status status;
        enum queue_return returned;
        const char *envelope_id;
} wishes[] = {
        {"nothing", "", OK, RETURN_USUAL, ""},
        {"all of it", "RET=FULL ENVID=QQ314159", OK, RETURN_FULL, "QQ314159"},
        {"the header, in small letters", "ret=hdrs", OK, RETURN_HEADERS, ""},
        {"xtext", "ENVID=a+2Bb+3Dc", OK, RETURN_USUAL, "a+2Bb+3Dc"},
        {"a blank in xtext", "ENVID=a+20b", OK, RETURN_USUAL, "a+20b"},
        {"among others", "SIZE=5 RET=FULL BODY=7BIT", OK, RETURN_FULL, ""},
        {"another return", "RET=SOME", INVALID, 0, NULL},
        {"return without value", "RET", INVALID, 0, NULL},
        {"return twice", "RET=FULL RET=FULL", INVALID, 0, NULL},
        {"id twice", "ENVID=a ENVID=b", INVALID, 0, NULL},
        {"empty id twice", "ENVID= ENVID=b", INVALID, 0, NULL},
        {"an equals sign", "ENVID=a=b", INVALID, 0, NULL},
        {"half a code", "ENVID=a+2", INVALID, 0, NULL},
        {"a small code", "ENVID=a+2b", INVALID, 0, NULL},
        {"a line end in xtext", "ENVID=a+0D+0ABcc:+20x", INVALID, 0, NULL},
        {"an octet in xtext", "ENVID=+E9", INVALID, 0, NULL},
        {"an octet", "ENVID=\303\251", INVALID, 0, NULL},
};

static void takes_what_the_sender_wants(void **state)
{
        (void)state;
        struct mail_parameters closed = {0}, longest = {.may_dsn = true};
        char id[200] = "ENVID=";
        for (size_t i = 0; i < COUNT_OF(wishes); i++) {
                struct mail_parameters p = {.may_dsn = true};
                enum status st = path_parameters(str_of(wishes[i].given), &p);
                if (st != wishes[i].status)
                        fail_msg("%s: %s", wishes[i].name, status_name(st));
                if (st == OK && (p.returned != wishes[i].returned ||
                                        !str_eq(p.envelope_id, str_of(wishes[i].envelope_id))))
                        fail_msg("%s: %.*s", wishes[i].name, STR_ARG(p.envelope_id));
        }
        assert_int_equal(path_parameters(STR("ENVID=a"), &closed), UNSUPPORTED);
        memset(id + 6, 'x', 100);
        assert_int_equal(path_parameters(str_of(id), &longest), OK);
        id[106] = 'x';
        longest.envelope_id = STR_NONE;
        assert_int_equal(path_parameters(str_of(id), &longest), INVALID);
}

static const struct {
        const char *name, *given;
        enum status status;
        unsigned notify;
        const char *original;
} recipients[] = {
        {"nothing", "", OK, NOTIFY_USUAL, ""},
        {"never", "NOTIFY=NEVER", OK, NOTIFY_NEVER, ""},
        {"some, in small letters", "notify=success,delay", OK, NOTIFY_SUCCESS | NOTIFY_DELAY, ""},
        {"all", "NOTIFY=DELAY,FAILURE,SUCCESS", OK, NOTIFY_SUCCESS | NOTIFY_DELAY | NOTIFY_FAILURE,
                ""},
        {"to whom", "ORCPT=rfc822;Bob+2Bx@A.example NOTIFY=FAILURE", OK, NOTIFY_FAILURE,
                "rfc822;Bob+2Bx@A.example"},
        {"to whom, escaped", "ORCPT=utf-8;j\\x{F6}rg@a.example", OK, 0,
                "utf-8;j\\x{F6}rg@a.example"},
        {"to whom, in UTF-8", "ORCPT=utf-8;j\303\266\360\237\230\200rg@a.example", OK, 0,
                "utf-8;j\\x{F6}\\x{1F600}rg@a.example"},
        {"never with others", "NOTIFY=NEVER,DELAY", INVALID, 0, NULL},
        {"others with never", "NOTIFY=DELAY,NEVER", INVALID, 0, NULL},
        {"unknown", "NOTIFY=ALWAYS", INVALID, 0, NULL},
        {"empty", "NOTIFY=", INVALID, 0, NULL},
        {"without value", "NOTIFY", INVALID, 0, NULL},
        {"a comma too much", "NOTIFY=DELAY,", INVALID, 0, NULL},
        {"a comma in front", "NOTIFY=,DELAY", INVALID, 0, NULL},
        {"two commas", "NOTIFY=DELAY,,FAILURE", INVALID, 0, NULL},
        {"twice", "NOTIFY=DELAY NOTIFY=DELAY", INVALID, 0, NULL},
        {"to whom twice", "ORCPT=a;b ORCPT=a;b", INVALID, 0, NULL},
        {"no type", "ORCPT=b@c.example", INVALID, 0, NULL},
        {"empty type", "ORCPT=;b@c.example", INVALID, 0, NULL},
        {"no address", "ORCPT=rfc822;", INVALID, 0, NULL},
        {"a type that is no atom", "ORCPT=rfc.822;b", INVALID, 0, NULL},
        {"UTF-8 of another type", "ORCPT=rfc822;j\303\266rg@a.example", INVALID, 0, NULL},
        {"not UTF-8", "ORCPT=utf-8;j\366rg@a.example", INVALID, 0, NULL},
        {"a line end", "ORCPT=rfc822;a+0D+0Ab", INVALID, 0, NULL},
        {"not offered", "SIZE=5", UNSUPPORTED, 0, NULL},
};

static void takes_what_a_recipient_has(void **state)
{
        (void)state;
        struct rcpt_parameters closed = {0}, ascii = {.may_dsn = true};
        struct arena *arena = arena_new();
        for (size_t i = 0; i < COUNT_OF(recipients); i++) {
                struct rcpt_parameters p = {.may_dsn = true, .smtputf8 = true};
                enum status st = path_rcpt_parameters(arena, str_of(recipients[i].given), &p);
                if (st != recipients[i].status)
                        fail_msg("%s: %s", recipients[i].name, status_name(st));
                if (st == OK && (p.notify != recipients[i].notify ||
                                        !str_eq(p.original, str_of(recipients[i].original))))
                        fail_msg("%s: %.*s", recipients[i].name, STR_ARG(p.original));
        }
        assert_int_equal(path_rcpt_parameters(arena, STR("NOTIFY=NEVER"), &closed), UNSUPPORTED);
        assert_int_equal(
                path_rcpt_parameters(arena, STR("ORCPT=utf-8;\303\266@a"), &ascii), INVALID);
        struct str most = arena_printf(arena, "ORCPT=rfc822;%0493d", 0);
        assert_int_equal(path_rcpt_parameters(arena, most, &ascii), OK);
        ascii.original = STR_NONE;
        most = arena_printf(arena, "ORCPT=rfc822;%0494d", 0);
        assert_int_equal(path_rcpt_parameters(arena, most, &ascii), INVALID);
        arena_free(arena);
}

static const struct {
        const char *given;
        enum status status;
        uint64_t size;
        bool last;
} chunks[] = {
        {"0", OK, 0, false},
        {"1000", OK, 1000, false},
        {" 1000  last ", OK, 1000, true},
        {"18446744073709551615 LAST", OK, UINT64_MAX, true},
        {"18446744073709551616", INVALID, 0, false},
        {"", INVALID, 0, false},
        {"LAST", INVALID, 0, false},
        {"-1", INVALID, 0, false},
        {"5 LASTS", INVALID, 0, false},
        {"5 LAST x", INVALID, 0, false},
        {"5 5", INVALID, 0, false},
};

static void takes_chunks(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(chunks); i++) {
                uint64_t size = 0;
                bool last = false;
                enum status st = path_chunk(str_of(chunks[i].given), &size, &last);
                if (st != chunks[i].status ||
                        (st == OK && (size != chunks[i].size || last != chunks[i].last)))
                        fail_msg("%s: %s", chunks[i].given, status_name(st));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(takes_paths),
                cmocka_unit_test(takes_parameters),
                cmocka_unit_test(takes_what_the_sender_wants),
                cmocka_unit_test(takes_what_a_recipient_has),
                cmocka_unit_test(takes_chunks),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
