#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store/cache.h"

struct thing {
        struct cached cached;
        bool *there;
};

static void release(struct cached *cached)
{
        struct thing *t = (struct thing *)cached;
        *t->there = false;
        free(t);
}

static const struct cache_kind kind = {.slots = 16, .octets = 100, .each = 50, .release = release};

static struct thing *put(struct cache *c, uint64_t key, size_t octets, bool *there)
{
        struct thing *t = mem_new(sizeof *t);
        t->cached = (struct cached){.key = key, .octets = octets};
        t->there = there;
        *there = true;
        cache_put(c, &t->cached);
        return t;
}

static bool has(struct cache *c, uint64_t key)
{
        struct cached *found = cache_get(c, key);
        assert_true(!found || found->key == key);
        cache_drop(c, found);
        return found;
}

static void shared_and_replaced(void **state)
{
        struct cache *c = cache_new(&kind);
        bool first, second;
        (void)state;
        assert_false(has(c, 1));
        struct thing *a = put(c, 1, 10, &first);
        assert_ptr_equal(cache_get(c, 1), a);
        cache_drop(c, &a->cached);
        struct thing *b = put(c, 1, 10, &second);
        assert_true(first); /* who has it still has it */
        cache_drop(c, &a->cached);
        assert_false(first);
        assert_ptr_equal(cache_get(c, 1), b);
        cache_drop(c, &b->cached);
        cache_drop(c, &b->cached);
        assert_true(second); /* kept */
        cache_free(c);
        assert_false(second);
        cache_free(NULL);
}

static void bounded(void **state)
{
        enum { MANY = 64 };
        struct cache *c = cache_new(&kind);
        bool there[MANY], large, limit;
        (void)state;
        cache_drop(c, &put(c, 1000, 51, &large)->cached);
        assert_false(large); /* too large to be kept */
        cache_drop(c, &put(c, 1000, 50, &limit)->cached);
        assert_true(limit);
        for (unsigned i = 0; i < MANY; i++) {
                cache_drop(c, &put(c, i, 30, &there[i])->cached);
                unsigned kept = 0;
                for (unsigned k = 0; k <= i; k++) {
                        assert_int_equal(has(c, k), there[k]);
                        kept += there[k];
                }
                assert_true(there[i] && kept * 30 + limit * 50U <= 100);
        }
        cache_free(c);
        for (unsigned i = 0; i < MANY; i++)
                assert_false(there[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(shared_and_replaced),
                cmocka_unit_test(bounded),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
