#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "wire/inside.h"

/* Two of them make a line: what one deflates the other inflates. */
struct line {
        struct squeeze *from, *to;
};

static void carry(struct line *l)
{
        buf_add(&l->to->in, buf_str(&l->from->out));
        buf_clear(&l->from->out);
}

static void say(struct line *l, struct str text)
{
        squeeze_write(l->from, text);
        carry(l);
}

static void assert_heard(struct line *l, struct str text)
{
        struct buf got = {0};
        enum status st;
        while ((st = squeeze_read(l->to, 100, &got)) == OK) {
        }
        assert_int_equal(st, BUSY);
        assert_true(str_eq(buf_str(&got), text));
        buf_release(&got);
}

static void test_rest(void **state)
{
        (void)state;
        struct line l = {squeeze_new(), squeeze_new()};
        struct str text = STR("a5 FETCH 1:* (FLAGS)\r\na6 NOOP\r\n");
        for (int i = 0; i < 200; i++) {
                say(&l, text);
                assert_heard(&l, text);
                if (i % 3 == 0) { /* the one that reads gives its inflater back */
                        squeeze_rest(l.to);
                        assert_null(l.to->inflate);
                        assert_true(l.to->window.len > 0 && l.to->window.len <= 32768);
                }
                if (i % 7 == 0) {
                        squeeze_rest(l.from);
                        assert_null(l.from->deflate);
                }
        }
        squeeze_free(l.from);
        squeeze_free(l.to);
}

/* An octet at a time: a part of a block is no border, and nothing is lost. */
static void test_split(void **state)
{
        (void)state;
        struct squeeze *from = squeeze_new(), *to = squeeze_new();
        struct buf got = {0};
        struct str text = STR("one two three, one two three, one two three\r\n");
        for (int turn = 0; turn < 3; turn++) {
                squeeze_write(from, text);
                for (size_t i = 0; i < from->out.len; i++) {
                        buf_add_char(&to->in, from->out.at[i]);
                        while (squeeze_read(to, 7, &got) == OK) {
                        }
                        squeeze_rest(to);
                }
                buf_clear(&from->out);
        }
        assert_int_equal(got.len, 3 * text.len);
        buf_release(&got);
        squeeze_free(from);
        squeeze_free(to);
}

/* Never more at once than there is room for, however much comes out of it. */
static void test_bomb(void **state)
{
        (void)state;
        struct line l = {squeeze_new(), squeeze_new()};
        struct buf zeros = {0}, got = {0};
        size_t sum = 0;
        memset(buf_reserve(&zeros, 10000000), 0, 10000000);
        zeros.len = 10000000;
        say(&l, buf_str(&zeros));
        assert_true(l.to->in.len < 100000);
        while (squeeze_read(l.to, 8192, &got) == OK) {
                assert_true(got.len <= 8192);
                sum += got.len;
                buf_clear(&got);
        }
        assert_int_equal(sum, zeros.len);
        buf_release(&zeros);
        buf_release(&got);
        squeeze_free(l.from);
        squeeze_free(l.to);
}

static void test_nonsense(void **state)
{
        (void)state;
        struct squeeze *s = squeeze_new();
        struct buf got = {0};
        buf_add(&s->in, STR("\377\377NOOP\r\n"));
        assert_int_equal(squeeze_read(s, 100, &got), CLOSED);
        assert_int_equal(squeeze_read(s, 100, &got), CLOSED);
        squeeze_rest(s);
        squeeze_free(s);
        s = squeeze_new();
        buf_add(&s->in, STR("\003\000NOOP")); /* an empty last block: the stream ends */
        assert_int_equal(squeeze_read(s, 100, &got), CLOSED);
        assert_int_equal(got.len, 0);
        squeeze_free(s);
        buf_release(&got);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rest),
                cmocka_unit_test(test_split),
                cmocka_unit_test(test_bomb),
                cmocka_unit_test(test_nonsense),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
