#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "smtp/path.h"

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
                cmocka_unit_test(takes_chunks),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
