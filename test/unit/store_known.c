#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store/known.h"
#include "store_stub.h"

static struct question about(const char *key)
{
        return (struct question){.table = TABLE_TOPIC, .key = str_of(key)};
}

/* What is known under the key: its text, "-" when it is known not to be there, "?" when not known. */
static const char *answer(struct known *known, const char *key)
{
        static char text[64];
        struct question q = about(key);
        struct buf value = {0};
        enum status st;
        bool found = known_ask(known, &q, &value, &st);
        (void)snprintf(text, sizeof text, "%.*s", STR_ARG(buf_str(&value)));
        buf_release(&value);
        return !found ? "?" : st == ABSENT ? "-" : text;
}

static struct question ask(struct known *known, const char *key)
{
        struct question q = about(key);
        struct buf value = {0};
        enum status st;
        assert_false(known_ask(known, &q, &value, &st));
        buf_release(&value);
        return q;
}

static void learn(struct known *known, const char *key, const char *value)
{
        struct question q = ask(known, key);
        known_learn(known, &q, value ? OK : ABSENT, value ? str_of(value) : STR_NONE);
}

static void remembers(void **state)
{
        struct known *known = known_new();
        (void)state;
        learn(known, "a", "one");
        learn(known, "b", NULL);
        assert_string_equal(answer(known, "a"), "one");
        assert_string_equal(answer(known, "b"), "-");
        assert_string_equal(answer(known, "c"), "?");
        struct question q = {.table = TABLE_PERSON, .key = STR("a")};
        struct buf value = {0};
        enum status st;
        assert_false(known_ask(known, &q, &value, &st)); /* another table's key */
        q = ask(known, "d");
        known_learn(known, &q, BROKEN, STR("x"));
        assert_string_equal(answer(known, "d"), "?");
        known_free(known);
}

/* Every moment at which a read can cross a change. */
static void changes(void **state)
{
        struct known *known = known_new();
        (void)state;
        learn(known, "a", "old");
        struct question before = ask(known, "b");
        known_change(known);
        assert_string_equal(answer(known, "a"), "?");
        struct question meanwhile = ask(known, "a");
        known_learn(known, &before, OK, STR("old"));
        assert_string_equal(answer(known, "b"), "?");
        known_learn(known, &meanwhile, OK, STR("old"));
        assert_string_equal(answer(known, "a"), "?");
        known_changed(known);
        known_learn(known, &before, OK, STR("old"));
        known_learn(known, &meanwhile, OK, STR("old"));
        assert_string_equal(answer(known, "a"), "?");
        assert_string_equal(answer(known, "b"), "?");
        learn(known, "a", "new");
        assert_string_equal(answer(known, "a"), "new");
        known_free(known);
}

static void bounds(void **state)
{
        struct known *known = known_new();
        char key[400], value[4000];
        unsigned left = 0;
        (void)state;
        memset(key, 'k', sizeof key);
        memset(value, 'v', sizeof value);
        key[sizeof key - 1] = value[sizeof value - 1] = '\0';
        learn(known, key, "long key");
        assert_string_equal(answer(known, key), "?");
        learn(known, "a", value);
        assert_string_equal(answer(known, "a"), "?");
        for (unsigned i = 0; i < 10000; i++) {
                (void)snprintf(key, sizeof key, "%u", i);
                learn(known, key, "x");
                assert_string_equal(answer(known, key), "x");
        }
        for (unsigned i = 0; i < 10000; i++) {
                (void)snprintf(key, sizeof key, "%u", i);
                left += answer(known, key)[0] == 'x';
        }
        assert_in_range(left, 1, 2048);
        known_free(known);
}

/* Through the tables: put, seen; removed by nobody, refused and taken back, still right. */
static void through_tables(void **state)
{
        char folder[64];
        struct buf value = {0};
        (void)state;
        folder_make(folder);
        struct store *store = open_store(folder);
        for (unsigned i = 0; i < 50; i++) {
                char text[16];
                (void)snprintf(text, sizeof text, "%u", i);
                assert_int_equal(put_one(store, TABLE_TOPIC, STR("t"), str_of(text)), OK);
                for (int twice = 0; twice < 2; twice++) {
                        buf_clear(&value);
                        assert_int_equal(
                                table_get(store->env, NULL, TABLE_TOPIC, STR("t"), &value), OK);
                        assert_true(str_eq(buf_str(&value), str_of(text)));
                }
                assert_int_equal(
                        table_get(store->env, NULL, TABLE_TOPIC, STR("none"), &value), ABSENT);
                struct change *change = change_new(store);
                change_put(change, TABLE_TOPIC, STR("t"), STR("never"))->fail = TOO_MANY;
                assert_int_equal(store_commit(change), TOO_MANY);
                change_free(change);
        }
        assert_int_equal(put_one(store, TABLE_TOPIC, STR("none"), STR("now")), OK);
        assert_int_equal(table_get(store->env, NULL, TABLE_TOPIC, STR("none"), &value), OK);
        store_close(store);
        buf_release(&value);
        folder_remove(folder);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(remembers),
                cmocka_unit_test(changes),
                cmocka_unit_test(bounds),
                cmocka_unit_test(through_tables),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
