#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/buf.h"

static void growing(void **state)
{
        (void)state;
        struct buf b = {0};
        for (int i = 0; i < 1000; i++)
                buf_addf(&b, "%03d,", i);
        assert_int_equal(b.len, 4000);
        assert_true(str_starts(buf_str(&b), STR("000,001,")));
        assert_true(str_ends(buf_str(&b), STR("998,999,")));
        buf_drop(&b, 3992);
        assert_string_equal(buf_text(&b), "998,999,");
        assert_int_equal(b.len, 8);
        buf_set(&b, STR("x\0y"));
        assert_int_equal(b.len, 3);
        buf_drop(&b, 3);
        assert_string_equal(buf_text(&b), "");
        buf_release(&b);
        assert_null(b.at);
        buf_add_text(&b, "again");
        assert_string_equal(buf_text(&b), "again");
        buf_release(&b);
}

static void long_formats(void **state)
{
        (void)state;
        struct buf b = {0};
        for (int width = 1; width < 300; width++) { /* over every size of the room left */
                size_t before = b.len;
                buf_addf(&b, "%*d", width, 7);
                assert_int_equal(b.len - before, width);
                assert_int_equal(b.at[b.len - 1], '7');
        }
        buf_release(&b);
}

static void reserving_and_trimming(void **state)
{
        (void)state;
        struct buf b = {0};
        memset(buf_reserve(&b, 5000), 'x', 5000);
        assert_int_equal(b.len, 0);
        b.len = 5000;
        buf_trim(&b, 100);
        assert_int_equal(b.len, 5000); /* in use: kept */
        buf_clear(&b);
        buf_trim(&b, 8000);
        assert_true(b.cap >= 5000);
        buf_trim(&b, 100);
        assert_int_equal(b.cap, 0);
        buf_add(&b, STR_NONE);
        buf_release(&b);
}

static void numbers(void **state)
{
        (void)state;
        struct buf b = {0};
        buf_add_u8(&b, 0xfe);
        buf_add_u16(&b, 0x0102);
        buf_add_u32(&b, 0x03040506);
        buf_add_u64(&b, 0x0708090a0b0c0d0eu);
        assert_true(str_eq(buf_str(&b), STR("\xfe\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e")));
        buf_add_bytes(&b, STR("a\0b"));
        buf_add_bytes(&b, STR_NONE);
        struct reader r = reader_of(buf_str(&b));
        assert_int_equal(read_u8(&r), 0xfe);
        assert_int_equal(read_u16(&r), 0x0102);
        assert_int_equal(read_u32(&r), 0x03040506);
        assert_true(read_u64(&r) == 0x0708090a0b0c0d0eu);
        assert_true(str_eq(read_bytes(&r), STR("a\0b")));
        assert_int_equal(read_bytes(&r).len, 0);
        assert_false(r.bad);
        assert_ptr_equal(r.at, r.end);
        assert_int_equal(read_u8(&r), 0);
        assert_true(r.bad);
        buf_release(&b);
}

static void varints(void **state)
{
        (void)state;
        static const struct {
                uint64_t value;
                size_t size;
        } cases[] = {
                {0, 1},
                {127, 1},
                {128, 2},
                {16383, 2},
                {16384, 3},
                {UINT32_MAX, 5},
                {UINT64_MAX, 10},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf b = {0};
                buf_add_varint(&b, cases[i].value);
                assert_int_equal(b.len, cases[i].size);
                struct reader r = reader_of(buf_str(&b));
                assert_true(read_varint(&r) == cases[i].value);
                assert_false(r.bad);
                for (size_t len = 0; len < b.len; len++) {
                        r = reader_of(str_make(b.at, len));
                        assert_true(read_varint(&r) == 0);
                        assert_true(r.bad);
                }
                buf_release(&b);
        }
}

static void hostile_records(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                struct str octets;
        } cases[] = {
                {"empty", {"", 0}},
                {"none", {NULL, 0}},
                {"length past the end", STR("\x05" "abcd")},
                {"huge length", STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" "abcd")},
                {"endless length", STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct reader r = reader_of(cases[i].octets);
                struct str s = read_bytes(&r);
                if (!r.bad || s.len || read_u64(&r) || read_bytes(&r).len)
                        fail_msg("%s is taken", cases[i].name);
        }
}

static void several_at_once(void **state)
{
        (void)state;
        struct buf b = {0};
        BUF_ADD_ALL(&b, STR_NONE);
        assert_int_equal(b.len, 0);
        BUF_ADD_ALL(&b, STR("<"), STR("ana"), STR_NONE, str_of("@"), STR("x.example>"));
        BUF_ADD_ALL(&b, STR("!"));
        assert_string_equal(buf_text(&b), "<ana@x.example>!");
        buf_release(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(growing),
                cmocka_unit_test(long_formats),
                cmocka_unit_test(several_at_once),
                cmocka_unit_test(reserving_and_trimming),
                cmocka_unit_test(numbers),
                cmocka_unit_test(varints),
                cmocka_unit_test(hostile_records),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
