#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/arena.h"

static void memory_is_zero_and_aligned(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        for (int round = 0; round < 3; round++) {
                for (size_t size = 0; size < 3000; size += 37) {
                        unsigned char *p = arena_alloc(a, size);
                        assert_int_equal((uintptr_t)p % 16, 0);
                        for (size_t i = 0; i < size; i++)
                                assert_int_equal(p[i], 0);
                        memset(p, 0xee, size);
                }
                arena_reset(a);
        }
        arena_free(a);
        arena_free(NULL);
}

static void what_is_given_stays_apart(void **state)
{
        (void)state;
        enum { COUNT = 500 };
        struct arena *a = arena_new();
        unsigned char *at[COUNT];
        for (size_t i = 0; i < COUNT; i++) {
                at[i] = arena_alloc(a, i);
                memset(at[i], (int)i & 0xff, i);
        }
        memset(arena_alloc(a, 100000), 1, 100000);
        for (size_t i = 0; i < COUNT; i++)
                for (size_t k = 0; k < i; k++)
                        assert_int_equal(at[i][k], i & 0xff);
        arena_free(a);
}

static void texts(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        char text[] = "INBOX/Caf\xc3\x89";
        struct str copy = arena_copy(a, str_of(text)), lower = arena_lower(a, str_of(text));
        memset(text, 'x', sizeof text - 1);
        assert_string_equal(copy.at, "INBOX/Caf\xc3\x89");
        assert_string_equal(lower.at, "inbox/caf\xc3\x89"); /* ASCII only */
        assert_int_equal(copy.len, 11);
        struct str none = arena_copy(a, STR_NONE);
        assert_int_equal(none.len, 0);
        assert_string_equal(none.at, "");
        struct str long_one = arena_printf(a, "%d %05000d %s", 7, 1, "end");
        assert_int_equal(long_one.len, 5006);
        assert_int_equal(long_one.at[long_one.len], '\0');
        assert_true(str_ends(long_one, STR("1 end")));
        arena_free(a);
}

/* The same block comes back after a reset, and in debug builds with poison in it. */
static void resetting(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct str first = arena_copy(a, STR("kept too long"));
        arena_reset(a);
#ifdef POISON
        assert_int_equal((unsigned char)first.at[0], 0xdb);
#endif
        assert_ptr_equal(arena_alloc(a, 1), first.at);
        arena_reset(a);
        arena_reset(a);
        arena_free(a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(memory_is_zero_and_aligned),
                cmocka_unit_test(what_is_given_stays_apart),
                cmocka_unit_test(texts),
                cmocka_unit_test(resetting),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
