#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/clock.h"
#include "team/token.h"

#define SECRET STR("0123456789abcdef0123456789abcdef")
enum { HOUR = 3600 };

static struct str seal(struct arena *arena, enum token_kind kind, struct str payload, time_t until)
{
        struct buf text = {0};
        struct token t = {.kind = kind, .until = until, .payload = payload};
        token_seal(SECRET, &t, &text);
        struct str copy = arena_copy(arena, buf_str(&text));
        buf_release(&text);
        return copy;
}

static void sealed_and_opened(void **state)
{
        (void)state;
        static const char octets[] = "\0\x01\xff 4567890123456789 234";
        struct arena *arena = arena_new();
        time_t until = clock_now() + 7 * 24 * HOUR;
        for (size_t len = 0; len <= TOKEN_PAYLOAD_MOST; len++) {
                struct str payload = str_make(octets, len);
                struct str text = seal(arena, TOKEN_BOUNCE, payload, until);
                struct token t;
                assert_int_equal(token_open(SECRET, TOKEN_BOUNCE, text, arena, &t), OK);
                assert_true(str_eq(t.payload, payload));
                assert_in_range(t.until, until, until + HOUR - 1);
                assert_in_range(text.len, 20, TOKEN_TEXT_MOST);
                for (size_t i = 0; i < text.len; i++)
                        assert_non_null(strchr("abcdefghijklmnopqrstuvwxyz234567", text.at[i]));
        }
        arena_free(arena);
}

static void any_case_of_letters(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct str text = seal(arena, TOKEN_REPLY, STR("x"), clock_now() + HOUR);
        char upper[TOKEN_TEXT_MOST];
        struct token t;
        for (size_t i = 0; i < text.len; i++)
                upper[i] = ascii_upper(text.at[i]);
        assert_int_equal(
                token_open(SECRET, TOKEN_REPLY, str_make(upper, text.len), arena, &t), OK);
        assert_true(str_eq(t.payload, STR("x")));
        arena_free(arena);
}

static void others_are_refused(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct str text = seal(arena, TOKEN_CONFIRM, STR("payload"), clock_now() + HOUR);
        struct token t;
        assert_int_equal(token_open(SECRET, TOKEN_BOUNCE, text, arena, &t), INVALID);
        assert_int_equal(token_open(STR("another"), TOKEN_CONFIRM, text, arena, &t), INVALID);
        assert_int_equal(token_open(SECRET, TOKEN_CONFIRM, STR(""), arena, &t), INVALID);
        assert_int_equal(token_open(SECRET, TOKEN_CONFIRM, STR("!"), arena, &t), INVALID);
        for (size_t len = 0; len < text.len; len++)
                assert_int_equal(
                        token_open(SECRET, TOKEN_CONFIRM, str_sub(text, 0, len), arena, &t),
                        INVALID);
        for (size_t i = 0; i < text.len; i++) { /* any letter of it changed */
                char changed[TOKEN_TEXT_MOST];
                memcpy(changed, text.at, text.len);
                changed[i] = changed[i] == 'a' ? 'b' : 'a';
                assert_int_equal(token_open(SECRET, TOKEN_CONFIRM, str_make(changed, text.len),
                                         arena, &t),
                        INVALID);
        }
        arena_free(arena);
}

static void its_time_is_over(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct str text = seal(arena, TOKEN_CONFIRM, STR("p"), clock_now() - 2 * HOUR);
        struct token t;
        assert_int_equal(token_open(SECRET, TOKEN_CONFIRM, text, arena, &t), TIMEOUT);
        assert_true(str_eq(t.payload, STR("p")));
        arena_free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(sealed_and_opened),
                cmocka_unit_test(any_case_of_letters),
                cmocka_unit_test(others_are_refused),
                cmocka_unit_test(its_time_is_over),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
