#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/numset.h"

/* The oracle: plain flags for a universe that crosses two container borders. */
enum { LOW = 65536 * 2 - 3000, UNIVERSE = 65536 + 6000 };

static uint64_t dice = 88172645463325252u;

static uint32_t roll(uint32_t below)
{
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        return (uint32_t)(dice >> 20) % below;
}

static void set_flags(bool *flags, uint32_t low, uint32_t high, bool to)
{
        for (uint32_t i = low; i <= high && i < UNIVERSE; i++)
                flags[i] = to;
}

static void change(struct numset *s, bool *flags)
{
        uint32_t a = roll(UNIVERSE), b = a + roll(roll(4) ? 40 : UNIVERSE - a);
        bool put = roll(2);
        switch (roll(4)) {
        case 0:
        case 1:
                set_flags(flags, a, a, put);
                put ? numset_add(s, LOW + a) : numset_remove(s, LOW + a);
                break;
        case 2:
                b = b < UNIVERSE ? b : UNIVERSE - 1;
                set_flags(flags, a, b, put);
                put ? numset_add_range(s, LOW + a, LOW + b)
                    : numset_remove_range(s, LOW + a, LOW + b);
                break;
        default:
                for (uint32_t i = a; i < UNIVERSE && i < a + 6000; i += 3) {
                        flags[i] = put;
                        put ? numset_add(s, LOW + i) : numset_remove(s, LOW + i);
                }
        }
}

static void check_reads(const struct numset *s, const bool *flags)
{
        uint32_t rank = 0, last = 0;
        struct walk w = numset_walk(s);
        uint32_t n, a = roll(UNIVERSE), b = roll(UNIVERSE), between = 0;
        for (uint32_t i = 0; i < UNIVERSE; i++) {
                bool probe = i % 97 == dice % 97;
                between += flags[i] && i >= a && i <= b;
                if (probe) {
                        assert_int_equal(numset_has(s, LOW + i), flags[i]);
                        assert_int_equal(numset_prev(s, LOW + i), last);
                }
                if (flags[i]) {
                        rank++;
                        assert_true(walk_next(&w, &n));
                        assert_int_equal(n, LOW + i);
                }
                if (probe)
                        assert_int_equal(numset_rank(s, LOW + i), rank);
                if (probe && flags[i]) {
                        assert_int_equal(numset_select(s, rank), LOW + i);
                        assert_int_equal(numset_next(s, LOW + i - 1), LOW + i);
                        assert_int_equal(numset_next(s, last), LOW + i);
                }
                if (flags[i])
                        last = LOW + i;
        }
        assert_false(walk_next(&w, &n));
        assert_false(walk_next(&w, &n));
        assert_int_equal(numset_count(s), rank);
        assert_int_equal(numset_high(s), last);
        assert_int_equal(numset_low(s), numset_select(s, 1));
        assert_int_equal(numset_next(s, last ? last : 1), 0);
        assert_int_equal(numset_select(s, rank + 1), 0);
        assert_int_equal(numset_count_range(s, LOW + a, LOW + b), between);
}

static void check_round_trips(const struct numset *s)
{
        struct buf octets = {0}, text = {0};
        struct numset *back;
        buf_add_text(&octets, "before");
        numset_write(s, &octets);
        assert_int_equal(numset_read(str_from(buf_str(&octets), 6), &back), OK);
        assert_true(numset_equal(s, back));
        numset_free(back);
        numset_print(s, &text);
        if (text.len) {
                assert_int_equal(numset_parse(buf_str(&text), UINT32_MAX, &back), OK);
                assert_true(numset_equal(s, back));
                numset_free(back);
        }
        buf_release(&octets);
        buf_release(&text);
}

static void like_plain_flags(void **state)
{
        (void)state;
        static bool flags[UNIVERSE];
        struct numset *s = numset_new();
        memset(flags, 0, sizeof flags);
        check_reads(s, flags);
        for (int round = 0; round < 40; round++) {
                for (int i = 0; i < 4; i++)
                        change(s, flags);
                check_reads(s, flags);
                check_round_trips(s);
                if (round % 20 == 19) { /* goes on with what was read: other containers */
                        struct numset *old = s;
                        struct buf octets = {0};
                        numset_write(old, &octets);
                        assert_int_equal(numset_read(buf_str(&octets), &s), OK);
                        buf_release(&octets);
                        numset_free(old);
                }
        }
        numset_clear(s);
        memset(flags, 0, sizeof flags);
        check_reads(s, flags);
        numset_free(s);
}

static void two_sets(void **state)
{
        (void)state;
        static bool in_a[UNIVERSE], in_b[UNIVERSE], want[UNIVERSE];
        static void (*const act[])(struct numset *, const struct numset *) = {
                numset_or, numset_and, numset_andnot, numset_xor};
        struct numset *a = numset_new(), *b = numset_new();
        memset(in_a, 0, sizeof in_a);
        memset(in_b, 0, sizeof in_b);
        for (int round = 0; round < 40; round++) {
                change(a, in_a);
                change(a, in_a);
                change(b, in_b);
                uint32_t only_a = 0;
                unsigned which = (unsigned)round % 4;
                for (size_t i = 0; i < UNIVERSE; i++) {
                        bool x = in_a[i], y = in_b[i];
                        only_a += x && !y;
                        want[i] = which == 0   ? x || y
                                  : which == 1 ? x && y
                                  : which == 2 ? x && !y
                                               : x != y;
                }
                assert_int_equal(numset_count_andnot(a, b), only_a);
                struct numset *c = numset_copy(a);
                act[which](c, b);
                check_reads(c, want);
                check_round_trips(c);
                numset_free(c);
        }
        struct numset *c = numset_copy(a);
        assert_true(numset_equal(a, c));
        numset_add(c, 7);
        assert_false(numset_equal(a, c));
        numset_or(a, a);
        numset_and(a, a);
        numset_remove(c, 7);
        assert_true(numset_equal(a, c));
        numset_xor(a, a);
        numset_andnot(c, c);
        assert_int_equal(numset_count(a) + numset_count(c), 0);
        numset_free(a);
        numset_free(b);
        numset_free(c);
}

static void edges(void **state)
{
        (void)state;
        struct numset *s = numset_new();
        assert_int_equal(numset_low(s) + numset_high(s) + numset_count(s), 0);
        numset_add_range(s, 9, 5);
        assert_int_equal(numset_count(s), 0);
        numset_add(s, UINT32_MAX);
        assert_int_equal(numset_next(s, 0), UINT32_MAX);
        assert_int_equal(numset_next(s, UINT32_MAX), 0);
        assert_int_equal(numset_prev(s, UINT32_MAX), 0);
        assert_int_equal(numset_prev(s, 0), 0);
        assert_int_equal(numset_count_range(s, 1, UINT32_MAX), 1);
        assert_int_equal(numset_select(s, 0), 0);
        numset_add_range(s, UINT32_MAX - 63, UINT32_MAX);
        struct walk w = numset_walk(s);
        uint32_t n, seen = 0;
        while (walk_next(&w, &n))
                seen++;
        assert_int_equal(seen, 64);
        numset_remove_range(s, 3, 2);
        numset_remove_range(s, 0, UINT32_MAX);
        assert_int_equal(numset_count(s), 0);
        numset_free(s);
        numset_free(NULL);
}

static void a_dense_million_is_small(void **state)
{
        (void)state;
        struct numset *s = numset_new();
        struct buf octets = {0};
        for (uint32_t i = 1; i <= 1000000; i++)
                numset_add(s, i);
        numset_write(s, &octets);
        assert_true(octets.len <= 256);
        buf_release(&octets);
        numset_free(s);
}

static void sequence_sets(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                uint32_t star;
                const char *want; /* NULL: INVALID */
        } cases[] = {
                {"1", 9, "1"},
                {"1:3,5,9:*", 12, "1:3,5,9:12"},
                {"3:1", 9, "1:3"},
                {"*", 9, "9"},
                {"*:4", 9, "4:9"},
                {"*:*", 9, "9"},
                {"500:*", 10, "10"},
                {"*:500", 10, "10"},
                {"5:500", 10, "5:10"},
                {"20:30", 10, ""},
                {"20,3", 10, "3,20"},
                {"4294967295", 10, "4294967295"},
                {"1:4294967295", 10, "1:10"},
                {"2,4,3,1:2", 9, "1:4"},
                {"1:*", 0, ""},
                {"*", 0, ""},
                {"*:*,3:*", 0, ""},
                {"1:*,1:*,1:*,5", 4000000000u, "1:4000000000"},
                {"", 9, NULL},
                {",", 9, NULL},
                {"1,", 9, NULL},
                {",1", 9, NULL},
                {"1,,2", 9, NULL},
                {"0", 9, NULL},
                {"0:3", 9, NULL},
                {"01", 9, NULL},
                {"4294967296", 9, NULL},
                {"1:", 9, NULL},
                {":1", 9, NULL},
                {"1:2:3", 9, NULL},
                {"-1", 9, NULL},
                {"+1", 9, NULL},
                {"1 ", 9, NULL},
                {" 1", 9, NULL},
                {"**", 9, NULL},
                {"a", 9, NULL},
                {"$", 9, NULL},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct numset *s = NULL;
                struct buf text = {0};
                enum status st = numset_parse(str_of(cases[i].text), cases[i].star, &s);
                if (st == OK && cases[i].star < 1000)
                        numset_print(s, &text);
                if (st != (cases[i].want ? OK : INVALID))
                        fail_msg("\"%s\": %s", cases[i].text, status_name(st));
                if (st == OK && cases[i].star < 1000)
                        assert_string_equal(buf_text(&text), cases[i].want);
                if (st == OK && cases[i].star > 1000)
                        assert_int_equal(numset_count(s), cases[i].star);
                buf_release(&text);
                numset_free(s);
        }
}

/* "1:*" over and over, as a client may send it, is no more work than once. */
static void a_hostile_sequence_set(void **state)
{
        (void)state;
        struct buf text = {0};
        struct numset *s;
        for (int i = 0; i < 16000; i++)
                buf_add_text(&text, i ? ",1:*" : "1:*");
        assert_int_equal(numset_parse(buf_str(&text), UINT32_MAX, &s), OK);
        assert_int_equal(numset_count(s), UINT32_MAX);
        numset_free(s);
        buf_release(&text);
}

static struct numset *three_containers(void)
{
        struct numset *s = numset_new();
        for (uint32_t i = 1; i < 60; i += 3)
                numset_add(s, i);
        numset_add_range(s, 70000, 80000);
        for (uint32_t i = 0; i < 65536; i += 2)
                numset_add(s, 200000 + i);
        return s;
}

static void damaged_octets(void **state)
{
        (void)state;
        struct numset *s = three_containers(), *back;
        struct buf good = {0}, bad = {0};
        numset_write(s, &good);
        for (size_t len = 0; len < good.len; len++)
                assert_int_equal(numset_read(str_make(good.at, len), &back), INVALID);
        buf_set(&bad, buf_str(&good));
        buf_add_char(&bad, 0);
        assert_int_equal(numset_read(buf_str(&bad), &back), INVALID);
        for (int i = 0; i < 8000; i++) {
                buf_set(&bad, buf_str(&good));
                for (uint32_t n = 1 + roll(2); n > 0; n--)
                        bad.at[roll(i % 2 ? 100 : (uint32_t)bad.len)] ^= (char)(1 << roll(8));
                if (numset_read(buf_str(&bad), &back) != OK)
                        continue;
                uint32_t n, count = 0, last = 0;
                for (struct walk w = numset_walk(back); walk_next(&w, &n); last = n, count++)
                        assert_true(count == 0 || n > last);
                assert_int_equal(count, numset_count(back));
                assert_int_equal(numset_rank(back, UINT32_MAX), count);
                numset_or(back, s);
                numset_free(back);
        }
        buf_release(&good);
        buf_release(&bad);
        numset_free(s);
}

static void hostile_octets(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                struct str octets;
                enum status want;
        } cases[] = {
                {"empty", {"", 0}, INVALID},
                {"no containers", STR("\x3a\x30\0\0\0\0\0\0"), OK},
                {"one number", STR("\x3a\x30\0\0\1\0\0\0\0\0\0\0\x10\0\0\0\x07\0"), OK},
                {"trailing octet", STR("\x3a\x30\0\0\1\0\0\0\0\0\0\0\x10\0\0\0\x07\0\0"), INVALID},
                {"wrong offset", STR("\x3a\x30\0\0\1\0\0\0\0\0\0\0\x11\0\0\0\x07\0"), INVALID},
                {"a billion containers", STR("\x3a\x30\0\0\0\0\0\x40\0\0\0\0"), INVALID},
                {"no cookie", STR("\x3c\x30\0\0\0\0\0\0"), INVALID},
                {"unsorted array", STR("\x3a\x30\0\0\1\0\0\0\0\0\1\0\x10\0\0\0\x07\0\x06\0"),
                        INVALID},
                {"number twice", STR("\x3a\x30\0\0\1\0\0\0\0\0\1\0\x10\0\0\0\x07\0\x07\0"),
                        INVALID},
                {"run", STR("\x3b\x30\0\0\1\0\0\x04\0\1\0\x07\0\x04\0"), OK},
                {"run of other count", STR("\x3b\x30\0\0\1\0\0\x05\0\1\0\x07\0\x04\0"), INVALID},
                {"touching runs", STR("\x3b\x30\0\0\1\0\0\1\0\2\0\7\0\0\0\x08\0\0\0"), OK},
                {"overlapping runs", STR("\x3b\x30\0\0\1\0\0\3\0\2\0\7\0\1\0\x08\0\1\0"), INVALID},
                {"run past the end", STR("\x3b\x30\0\0\1\0\0\1\0\1\0\xff\xff\1\0"), INVALID},
                {"keys twice", STR("\x3b\x30\1\0\3\0\0\0\0\0\0\0\0\1\0\7\0\0\0\1\0\7\0\0\0"),
                        INVALID},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct numset *s = NULL;
                enum status st = numset_read(cases[i].octets, &s);
                if (st != cases[i].want)
                        fail_msg("%s: %s", cases[i].name, status_name(st));
                numset_free(s);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(like_plain_flags),
                cmocka_unit_test(two_sets),
                cmocka_unit_test(edges),
                cmocka_unit_test(a_dense_million_is_small),
                cmocka_unit_test(sequence_sets),
                cmocka_unit_test(a_hostile_sequence_set),
                cmocka_unit_test(damaged_octets),
                cmocka_unit_test(hostile_octets),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
