#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/idmap.h"

enum { COUNT = 20000 };

/* Keys that are alike in one half: nothing about them is like a hash. */
static const char *key_of(uint64_t i, bool second)
{
        static char key[IDMAP_KEY];
        memset(key, 0, sizeof key);
        memcpy(key + (second ? 8 : 0), &i, sizeof i);
        return key;
}

static void put_and_get(void **state)
{
        (void)state;
        struct idmap *m = idmap_new(10);
        assert_int_equal(*idmap_at(m, key_of(0, false)), 0);
        for (uint32_t i = 1; i <= COUNT; i++) {
                uint32_t *at = idmap_at(m, key_of(i, false));
                assert_int_equal(*at, 0);
                *at = i;
                at = idmap_at(m, key_of((uint64_t)i << 40, true));
                assert_int_equal(*at, 0);
                *at = COUNT + i;
        }
        for (uint32_t i = 1; i <= COUNT; i++) {
                assert_int_equal(*idmap_at(m, key_of(i, false)), i);
                assert_int_equal(*idmap_at(m, key_of((uint64_t)i << 40, true)), COUNT + i);
                assert_int_equal(*idmap_at(m, key_of(i, true)), 0);
        }
        *idmap_at(m, key_of(7, false)) = 99;
        assert_int_equal(*idmap_at(m, key_of(7, false)), 99);
        idmap_free(m);
        idmap_free(NULL);
}

/* A key of zeros is a key, and one that was asked for and given no number is none. */
static void zeros(void **state)
{
        (void)state;
        struct idmap *m = idmap_new(0);
        for (int i = 0; i < 1000; i++)
                assert_int_equal(*idmap_at(m, key_of(0, false)), 0);
        *idmap_at(m, key_of(0, false)) = 5;
        assert_int_equal(*idmap_at(m, key_of(0, true)), 5);
        assert_int_equal(*idmap_at(m, key_of(1, true)), 0);
        idmap_free(m);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(put_and_get),
                cmocka_unit_test(zeros),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
