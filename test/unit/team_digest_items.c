/* The record of a digest, the addresses of its entries, and its Message-ID: there and back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/clock.h"
#include "team/digest_items.h"

static struct config config = {.domain = {"team.example", 12}, .host = {"team.example", 12}, .separator = '+'};
static struct site site = {.config = &config, .secret = {1, 2, 3}};

static void records(void **state)
{
        struct digest_item v[2] = {{ABOUT_THREAD, 7, 1ull << 40, 9, 0}, {ABOUT_TASK, 1, 2, 3, 142}};
        struct digest_items items = {.position = 1ull << 50, .v = v, .count = 2}, got;
        struct arena *arena = arena_new();
        struct buf b = {0};
        (void)state;
        digest_items_write(&items, &b);
        assert_int_equal(digest_items_read(buf_str(&b), arena, &got), OK);
        assert_int_equal(got.position, items.position);
        assert_int_equal(got.count, 2);
        for (size_t i = 0; i < 2; i++) {
                assert_int_equal(got.v[i].about, v[i].about);
                assert_int_equal(got.v[i].topic, v[i].topic);
                assert_int_equal(got.v[i].root, v[i].root);
                assert_int_equal(got.v[i].message, v[i].message);
                assert_int_equal(got.v[i].task, v[i].task);
        }
        for (size_t n = 0; n < b.len; n++)
                assert_int_equal(digest_items_read(str_sub(buf_str(&b), 0, n), arena, &got), DAMAGED);
        assert_int_equal(digest_items_read(STR("\1\0\0\0\0\0\0\0\5"), arena, &got), OK); /* before items were kept */
        assert_int_equal(got.position, 5);
        assert_int_equal(got.count, 0);
        buf_release(&b);
        arena_free(arena);
}

static void addresses(void **state)
{
        struct arena *arena = arena_new();
        struct digest_ref ref = {4000000000u, 20781, 40}, got;
        time_t now = clock_now();
        struct str address = digest_address(&site, &ref, now, arena), token;
        struct str rest = address;
        (void)state;
        assert_true(str_cut(&rest, '@', &token) && str_starts(token, STR("r+")));
        assert_in_range(token.len, 20, 64); /* RFC 5321 4.5.3.1.1 */
        token = str_from(token, 2);
        assert_int_equal(digest_address_read(&site, token, &got), OK);
        assert_int_equal(got.person, ref.person);
        assert_int_equal(got.day, ref.day);
        assert_int_equal(got.item, ref.item);
        char changed[80];
        for (size_t i = 0; i < token.len; i++) {
                memcpy(changed, token.at, token.len);
                changed[i] = changed[i] == 'a' ? 'b' : 'a';
                assert_int_equal(digest_address_read(&site, str_make(changed, token.len), &got), INVALID);
        }
        struct str old = digest_address(&site, &ref, now - 91 * 86400, arena);
        assert_int_equal(digest_address_read(&site, str_sub(old, 2, str_chr(old, '@') - 2), &got), TIMEOUT);
        struct buf struck = {0};
        digest_strike(&site, arena_printf(arena, "to R%.*s, r+x@y", STR_ARG(str_from(address, 1))), &struck);
        assert_true(str_eq(buf_str(&struck), STR("to digest@team.example, r+x@y")));
        buf_release(&struck);
        arena_free(arena);
}

static void ids(void **state)
{
        static const char *const bad[] = {"", "<digest.>", "<digest.7@team.example>", "<digest.7.8@x.example>",
                "<digest.7.8.9@team.example>", "<digest.x.8@team.example>", "digest.7.8@team.example"};
        struct arena *arena = arena_new();
        struct digest_ref ref = {7, 20781, 0}, got;
        (void)state;
        assert_int_equal(digest_id_read(&site, digest_id(&site, &ref, arena), &got), OK);
        assert_true(got.person == 7 && got.day == 20781 && got.item == 0);
        for (size_t i = 0; i < COUNT_OF(bad); i++)
                assert_int_equal(digest_id_read(&site, str_of(bad[i]), &got), INVALID);
        arena_free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(records), cmocka_unit_test(addresses), cmocka_unit_test(ids)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
