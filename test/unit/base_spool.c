#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/spool.h"
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static char folder[] = "/tmp/base_spool.XXXXXX";

static int make_folder(void **state)
{
        (void)state;
        return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
        (void)state;
        return rmdir(folder); /* fails if a spool left a file behind */
}

static void octet_is(struct str s, size_t at, size_t want)
{
        if ((unsigned char)s.at[at] != (unsigned char)(want * 7 / 3))
                fail_msg("octet %zu", at);
}

static void fill(struct spool *s, size_t size, size_t step)
{
        char part[70000];
        while (spool_size(s) < size) {
                size_t at = spool_size(s), n = size - at < step ? size - at : step;
                for (size_t i = 0; i < n; i++)
                        part[i] = (char)(unsigned char)((at + i) * 7 / 3);
                assert_int_equal(spool_add(s, str_make(part, n)), OK);
        }
}

static void check(struct spool *s, size_t size)
{
        struct str all;
        assert_int_equal(spool_view(s, &all), OK);
        assert_int_equal(all.len, size);
        assert_int_equal(spool_size(s), size);
        for (size_t i = 0; i < size; i++)
                octet_is(all, i, i);
}

static void sizes(void **state)
{
        (void)state;
        static const size_t sizes[] = {1, 1000, 262143, 262144, 262145, 300000, 1500000};
        static const size_t steps[] = {997, 65536, 70000};
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
                for (size_t k = 0; k < COUNT_OF(steps); k++) {
                        struct spool *s = spool_new(folder);
                        fill(s, sizes[i] / 2, steps[k]);
                        check(s, sizes[i] / 2); /* a view in the middle stops nothing */
                        fill(s, sizes[i], steps[k]);
                        check(s, sizes[i]);
                        check(s, sizes[i]);
                        spool_free(s);
                }
        }
}

static void empty(void **state)
{
        (void)state;
        struct spool *s = spool_new(folder);
        struct str all;
        assert_int_equal(spool_add(s, STR_NONE), OK);
        assert_int_equal(spool_view(s, &all), OK);
        assert_int_equal(all.len, 0);
        spool_free(s);
        spool_free(NULL);
}

static void one_big_piece(void **state)
{
        (void)state;
        struct spool *s = spool_new(folder);
        size_t size = 1000000;
        char *octets = mem_new(size);
        for (size_t i = 0; i < size; i++)
                octets[i] = (char)(unsigned char)(i * 7 / 3);
        assert_int_equal(spool_add(s, str_make(octets, size)), OK);
        check(s, size);
        free(octets);
        spool_free(s);
}

/* What is above the memory's share lies in a file that has no name. */
static void nothing_is_left_behind(void **state)
{
        (void)state;
        struct spool *s = spool_new(folder);
        fill(s, 400000, 65536);
        DIR *dir = opendir(folder);
        unsigned names = 0;
        assert_non_null(dir);
        while (readdir(dir))
                names++;
        closedir(dir);
        assert_int_equal(names, 2); /* . and .. */
        spool_free(s);
}

static void a_missing_folder(void **state)
{
        (void)state;
        struct spool *s = spool_new("/nonexistent/folder");
        char part[1000] = {0};
        enum status st = OK;
        while (st == OK && spool_size(s) < 1000000)
                st = spool_add(s, str_make(part, sizeof part));
        assert_int_equal(st, BROKEN);
        assert_true(spool_size(s) <= 262144);
        struct str all;
        assert_int_equal(spool_view(s, &all), OK); /* what came before is still whole */
        assert_int_equal(all.len, spool_size(s));
        spool_free(s);
}

/* A limit on file sizes stands for a full disk. */
static void a_full_disk(void **state)
{
        (void)state;
        struct rlimit before, small;
        struct spool *s = spool_new(folder);
        fill(s, 300000, 65536);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        small = (struct rlimit){400000, before.rlim_max};
        signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        char part[65536] = {0};
        enum status st = OK;
        while (st == OK && spool_size(s) < 1000000)
                st = spool_add(s, str_make(part, sizeof part));
        size_t full = spool_size(s);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(st, FULL);
        assert_int_equal(full, 300000 + 65536); /* a piece is taken whole or not at all */
        fill(s, full + 100000, 65536);
        struct str all;
        assert_int_equal(spool_view(s, &all), OK);
        octet_is(all, 299999, 299999);
        octet_is(all, full, full);
        spool_free(s);
}

static void settles(void **state)
{
        (void)state;
        struct spool *s = spool_new(folder);
        struct str all;
        assert_int_equal(spool_settle(s), OK); /* nothing is nothing */
        fill(s, 1000, 1000);
        assert_int_equal(spool_settle(s), OK);
        assert_int_equal(spool_settle(s), OK);
        fill(s, 3000, 1000);
        assert_int_equal(spool_view(s, &all), OK);
        assert_int_equal(all.len, 3000);
        for (size_t i = 0; i < all.len; i++)
                octet_is(all, i, i);
        spool_free(s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(settles),
                cmocka_unit_test(sizes),
                cmocka_unit_test(empty),
                cmocka_unit_test(one_big_piece),
                cmocka_unit_test(nothing_is_left_behind),
                cmocka_unit_test(a_missing_folder),
                cmocka_unit_test(a_full_disk),
        };
        return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
