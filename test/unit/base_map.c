#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/map.h"

enum { COUNT = 3000 };

static int values[COUNT];

static struct str key_of(int i, char *room)
{
        return str_make(room, (size_t)snprintf(room, 16, "key %d", i));
}

static void put_get_drop(void **state)
{
        (void)state;
        struct map *m = map_new();
        char room[16];
        assert_null(map_get(m, STR("x")));
        assert_null(map_drop(m, STR("x")));
        map_put(m, STR("x"), &values[0]);
        map_put(m, STR("x"), &values[1]);
        map_put(m, STR(""), &values[2]);
        map_put(m, STR("x\0y"), &values[3]);
        assert_int_equal(map_count(m), 3);
        assert_ptr_equal(map_get(m, STR("x")), &values[1]);
        assert_ptr_equal(map_get(m, STR_NONE), &values[2]);
        assert_ptr_equal(map_get(m, STR("x\0y")), &values[3]);
        assert_null(map_get(m, STR("X")));
        assert_ptr_equal(map_drop(m, STR("x")), &values[1]);
        assert_null(map_drop(m, STR("x")));
        assert_int_equal(map_count(m), 2);
        for (int i = 0; i < COUNT; i++) /* the key is copied: room is used again */
                map_put(m, key_of(i, room), &values[i]);
        for (int i = 0; i < COUNT; i++)
                assert_ptr_equal(map_get(m, key_of(i, room)), &values[i]);
        assert_int_equal(map_count(m), COUNT + 2);
        map_free(m);
        map_free(NULL);
}

/* Drops close their holes: what was put behind them by collision must still be found. */
static void drops_leave_the_others(void **state)
{
        (void)state;
        struct map *m = map_new();
        static bool there[COUNT];
        char room[16];
        uint32_t dice = 12345;
        size_t count = 0;
        for (int round = 0; round < 60000; round++) {
                dice = dice * 1664525u + 1013904223u;
                int i = (int)(dice >> 8) % 90;
                if (dice >> 31) {
                        map_put(m, key_of(i, room), &values[i]);
                        count += !there[i];
                } else {
                        assert_ptr_equal(
                                map_drop(m, key_of(i, room)), there[i] ? &values[i] : NULL);
                        count -= there[i];
                }
                there[i] = dice >> 31;
                assert_int_equal(map_count(m), count);
                int other = (i * 7 + round) % 90;
                assert_ptr_equal(
                        map_get(m, key_of(other, room)), there[other] ? &values[other] : NULL);
        }
        map_free(m);
}

static void iterating(void **state)
{
        (void)state;
        struct map *m = map_new();
        size_t at = 0, found = 0;
        struct str key;
        void *value;
        char room[16];
        assert_false(map_next(m, &at, &key, &value));
        for (int i = 0; i < 100; i++)
                map_put(m, key_of(i, room), &values[i]);
        memset(values, 0, sizeof values);
        for (at = 0; map_next(m, &at, &key, &value); found++) {
                int *n = value;
                assert_int_equal((*n)++, 0);
                assert_true(str_eq(key, key_of((int)(n - values), room)));
        }
        assert_int_equal(found, 100);
        map_free(m);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(put_get_drop),
                cmocka_unit_test(drops_leave_the_others),
                cmocka_unit_test(iterating),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
