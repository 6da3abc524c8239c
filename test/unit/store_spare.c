#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store/bdb.h"
#include "store/spare.h"
#include "store_stub.h"
#include <sys/stat.h>
#include <sys/wait.h>

enum { MEGABYTE = 1 << 20, RECORD = 800 };

static off_t size_of(const char *folder, const char *name)
{
        char path[128];
        struct stat info;
        (void)snprintf(path, sizeof path, "%s/%s", folder, name);
        return stat(path, &info) == 0 ? info.st_size : -1;
}

static void put_number(struct store *store, uint32_t number)
{
        char key[16], value[RECORD];
        memset(value, (int)('a' + number % 26), sizeof value);
        (void)snprintf(key, sizeof key, "%08u", number);
        assert_int_equal(
                put_one(store, TABLE_NAME, str_of(key), str_make(value, sizeof value)), OK);
}

static bool has_number(struct store *store, uint32_t number)
{
        char key[16];
        (void)snprintf(key, sizeof key, "%08u", number);
        return table_has(store->env, NULL, TABLE_NAME, str_of(key)) == OK;
}

static void makes_and_drops(void **state)
{
        char folder[64];
        (void)state;
        folder_make(folder);
        assert_true(spares_make(folder, 2, MEGABYTE + 5));
        assert_int_equal(size_of(folder, "spare.1"), MEGABYTE + 5);
        assert_int_equal(size_of(folder, "spare.2"), MEGABYTE + 5);
        assert_int_equal(size_of(folder, "spare.3"), -1);
        assert_int_equal(size_of(folder, "spare"), -1);
        spares_drop(folder);
        assert_int_equal(size_of(folder, "spare.1"), -1);
        assert_false(spares_make("/nowhere/at/all", 1, MEGABYTE));
        folder_remove(folder);
}

/* Only a log file that is to be made becomes a spare; one that is there keeps what it holds. */
static void only_new_logs(void **state)
{
        static const struct {
                const char *name;
                int flags;
                bool there, takes;
        } cases[] = {
                {"log.0000000007", O_RDWR | O_CREAT, false, true},
                {"log.0000000007", O_RDWR, false, false},
                {"log.0000000007", O_RDWR | O_CREAT, true, false},
                {"log.x", O_RDWR | O_CREAT, false, false},
                {"name.db", O_RDWR | O_CREAT, false, false},
        };
        (void)state;
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                char folder[64], path[128];
                folder_make(folder);
                assert_true(spares_make(folder, 1, 100));
                (void)snprintf(path, sizeof path, "%s/%s", folder, cases[i].name);
                if (cases[i].there)
                        close(open(path, O_WRONLY | O_CREAT, 0600));
                int fd = spare_open(path, cases[i].flags, 0600);
                assert_int_equal(fd >= 0, cases[i].flags & O_CREAT || cases[i].there);
                if (fd >= 0)
                        close(fd);
                assert_int_equal(size_of(folder, "spare.1"), cases[i].takes ? -1 : 100);
                if (fd >= 0)
                        assert_int_equal(size_of(folder, cases[i].name), cases[i].takes ? 100 : 0);
                folder_remove(folder);
        }
}

/* Puts records until the log has gone on into spares `files` times; the child is then killed. */
static void fill_and_die(const char *folder, unsigned files, uint32_t count)
{
        struct store *store = open_store(folder);
        uint32_t number = 0;
        for (unsigned file = 0; file < files; file++) {
                unsigned taken = 0;
                while (taken < SPARES_MOST) {
                        taken = 0;
                        while (!spares_make(folder, SPARES_MOST, MEGABYTE))
                                continue; /* the checkpointer makes some, too */
                        for (uint32_t i = 0; i < count && taken < SPARES_MOST; i++) {
                                put_number(store, number++);
                                taken += size_of(folder, "spare.1") < 0 ? SPARES_MOST : 0;
                        }
                }
        }
        int fd = open(folder, O_RDONLY | O_DIRECTORY);
        int note = openat(fd, "note", O_WRONLY | O_CREAT, 0600);
        dprintf(note, "%u", number);
        _exit(0);
}

static uint32_t acknowledged(const char *folder)
{
        char path[128], text[16] = "";
        (void)snprintf(path, sizeof path, "%s/note", folder);
        int fd = open(path, O_RDONLY);
        assert_true(read(fd, text, sizeof text - 1) > 0);
        close(fd);
        return (uint32_t)strtoul(text, NULL, 10);
}

/* Acknowledged in a log file that ends in zeros, and not closed: all of it is there again, and what
 * is written then, too. */
static void recovers(void **state)
{
        (void)state;
        for (unsigned files = 1; files <= 3; files++) {
                char folder[64];
                folder_make(folder);
                pid_t child = fork();
                if (child == 0)
                        fill_and_die(folder, files, 100);
                int how;
                assert_int_equal(waitpid(child, &how, 0), child);
                assert_int_equal(how, 0);
                uint32_t count = acknowledged(folder);
                struct store *store = open_store(folder);
                for (uint32_t i = 0; i < count; i++)
                        assert_true(has_number(store, i));
                assert_false(has_number(store, count));
                for (uint32_t i = 0; i < 2000; i++)
                        put_number(store, count + i);
                close_checked(store, folder);
                store = open_store(folder);
                assert_true(has_number(store, count + 1999));
                store_close(store);
                folder_remove(folder);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(makes_and_drops),
                cmocka_unit_test(only_new_logs),
                cmocka_unit_test(recovers),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
