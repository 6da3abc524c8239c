#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/buf.h"
#include "wire/verb.h"

static enum status nothing(struct session *s, const struct args *a)
{
        (void)s;
        (void)a;
        return OK;
}

static const struct verb table[] = {
        {"GROUP", nothing, 0, 1, 1, "newsgroup"},
        {"LIST", nothing, 0, 0, 2, "[what [wildmat]]"},
        {"POST", nothing, 0, 0, 0, ""},
        {"SEARCH", nothing, 0, 0, ARGS_RAW, "keys"},
};

static void test_find(void **state)
{
        (void)state;
        assert_ptr_equal(verb_find(table, COUNT_OF(table), STR("group")), &table[0]);
        assert_ptr_equal(verb_find(table, COUNT_OF(table), STR("POST")), &table[2]);
        assert_null(verb_find(table, COUNT_OF(table), STR("GROUPS")));
        assert_null(verb_find(table, COUNT_OF(table), STR("GROU")));
        assert_null(verb_find(table, COUNT_OF(table), STR("")));
        assert_null(verb_find(table, COUNT_OF(table), STR_NONE));
}

static void test_split(void **state)
{
        (void)state;
        static const struct {
                const char *line, *name, *rest, *words;
        } rows[] = {
                {"GROUP eng.backend", "GROUP", "eng.backend", "<eng.backend>"},
                {"list  \tACTIVE   eng.* ", "list", "ACTIVE   eng.*", "<ACTIVE><eng.*>"},
                {"  QUIT\t", "QUIT", "", ""},
                {"QUIT", "QUIT", "", ""},
                {"", "", "", ""},
                {" \t ", "", "", ""},
                {"IHAVE<id>", "IHAVE<id>", "", ""},
        };
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
                struct args a;
                struct buf words = {0};
                assert_int_equal(args_split(str_of(rows[i].line), &a), OK);
                assert_true(str_eq(a.name, str_of(rows[i].name)));
                assert_true(str_eq(a.rest, str_of(rows[i].rest)));
                for (size_t n = 0; n < a.count; n++)
                        buf_addf(&words, "<%.*s>", STR_ARG(a.v[n]));
                assert_string_equal(buf_text(&words), rows[i].words);
                buf_release(&words);
        }
}

static void test_many(void **state)
{
        (void)state;
        struct buf line = {0};
        struct args a;
        buf_add(&line, STR("V"));
        for (int i = 0; i < ARGS_MAX; i++)
                buf_add(&line, STR(" x"));
        assert_int_equal(args_split(buf_str(&line), &a), OK);
        assert_int_equal(a.count, ARGS_MAX);
        buf_add(&line, STR(" x"));
        assert_int_equal(args_split(buf_str(&line), &a), TOO_MANY);
        assert_int_equal(a.rest.len, ARGS_MAX * 2 + 1);
        buf_release(&line);
}

static void test_takes(void **state)
{
        (void)state;
        static const struct {
                size_t verb;
                const char *line;
                bool taken;
        } rows[] = {
                {0, "GROUP", false}, {0, "GROUP a", true},       {0, "GROUP a b", false},
                {1, "LIST", true},   {1, "LIST a b c", false},   {2, "POST", true},
                {2, "POST x", false}, {3, "SEARCH a b c", true}, {3, "SEARCH", true},
        };
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
                struct args a;
                assert_int_equal(args_split(str_of(rows[i].line), &a), OK);
                assert_int_equal(verb_takes(&table[rows[i].verb], &a), rows[i].taken);
        }
}

static void test_order(void **state)
{
        (void)state;
        static const struct {
                const char *line;
                enum status status;
                int row; /* -1: none */
        } rows[] = {
                {"group a", OK, 0},     {"  GROUP\ta ", OK, 0},   {"GROUP", INVALID, 0},
                {"GROUP a b", INVALID, 0}, {"POST x", INVALID, 2}, {"SEARCH", OK, 3},
                {"GROUPa", ABSENT, -1}, {"", ABSENT, -1},          {" \t", ABSENT, -1},
        };
        struct spoken o;
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
                enum status st = verb_read((struct verb_table){table, COUNT_OF(table)},
                        str_of(rows[i].line), &o);
                if (st != rows[i].status || o.verb != (rows[i].row < 0 ? NULL : &table[rows[i].row]))
                        fail_msg("%s: %s", rows[i].line, status_name(st));
        }
        struct buf line = {0};
        for (int i = 0; i < ARGS_MAX + 2; i++)
                buf_add(&line, STR("POST "));
        assert_int_equal(verb_read((struct verb_table){table, COUNT_OF(table)}, buf_str(&line), &o), TOO_MANY);
        buf_release(&line);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_split),
                cmocka_unit_test(test_many),
                cmocka_unit_test(test_takes),
                cmocka_unit_test(test_order),
        };
        return cmocka_run_group_tests_name("wire_verb", tests, NULL, NULL);
}
