/* The seeds of the fuzz target test/fuzz/directive.c, and what it has found, read again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/buf.h"
#include <dirent.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_file(const char *path, struct buf *out)
{
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        for (int c = fgetc(f); c != EOF; c = fgetc(f))
                buf_add_char(out, (char)c);
        assert_int_equal(fclose(f), 0);
}

static void seeds(void **state)
{
        (void)state;
        static const char folder[] = TOP "/test/fuzz/corpus/directive";
        unsigned count = 0;
        DIR *dir = opendir(folder);
        assert_non_null(dir);
        for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
                struct buf path = {0}, octets = {0};
                if (e->d_name[0] == '.')
                        continue;
                buf_addf(&path, "%s/%s", folder, e->d_name);
                read_file(buf_text(&path), &octets);
                assert_int_equal(LLVMFuzzerTestOneInput((const uint8_t *)octets.at, octets.len), 0);
                buf_release(&path);
                buf_release(&octets);
                count++;
        }
        assert_int_equal(closedir(dir), 0);
        assert_true(count > 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(seeds)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
