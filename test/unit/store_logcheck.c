#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store_stub.h"
#include "store/logcheck.h"
#include <sys/stat.h>

/* Records of every length in two tables; their content follows from their number. */
enum { RECORDS = 400, VALUE_MOST = 3000 };

/* Two stores as they lie on disk: closed, and copied while open, as a crash leaves it. */
static char closed_folder[64], crashed_folder[64], scratch[64];
static unsigned flips = 15; /* or as the first argument says; the second is a seed */

static uint64_t dice = 88172645463325252u;

static uint32_t roll(uint32_t below)
{
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        return (uint32_t)(dice >> 20) % below;
}

static void record(uint32_t number, struct buf *key, struct buf *value)
{
        buf_clear(key);
        buf_clear(value);
        buf_add_u32(key, number * 2654435761u);
        for (uint32_t i = 0; i < number * 7919 % VALUE_MOST; i++)
                buf_add_char(value, (char)(number + i * i));
}

static void records_put(struct store *store, uint32_t from, uint32_t upto)
{
        struct buf key = {0}, value = {0};
        for (uint32_t i = from; i < upto; i++) {
                record(i, &key, &value);
                assert_int_equal(put_one(store, i % 2 ? TABLE_BODY : TABLE_MARK, buf_str(&key),
                                         buf_str(&value)),
                        OK);
        }
        buf_release(&key);
        buf_release(&value);
}

/* Every record of every table. */
static enum status tables_read(struct store *store)
{
        unsigned count = 0;
        enum status st = OK;
        for (int i = 0; i < TABLE_COUNT && st == OK; i++) {
                struct str key, value;
                struct scan *scan = scan_open(store->env, NULL, (enum table)i, STR(""), STR(""));
                while ((st = scan_next(scan, &key, &value)) == OK)
                        count++;
                scan_close(scan);
                st = st == ABSENT ? OK : st;
        }
        if (st == OK)
                assert_int_equal(count, RECORDS + 1); /* and MODSEQ */
        return st;
}

/* OK: everything is there as it was. Anything but OK and a refusal is loss. */
static enum status records_read(struct store *store)
{
        struct buf key = {0}, value = {0}, got = {0};
        enum status st = OK;
        for (uint32_t i = 0; i < RECORDS && st == OK; i++) {
                record(i, &key, &value);
                buf_clear(&got);
                st = table_get(
                        store->env, NULL, i % 2 ? TABLE_BODY : TABLE_MARK, buf_str(&key), &got);
                if (st == OK)
                        assert_true(str_eq(buf_str(&got), buf_str(&value)));
        }
        assert_int_not_equal(st, ABSENT);
        if (st == OK)
                st = tables_read(store);
        buf_release(&key);
        buf_release(&value);
        buf_release(&got);
        return st;
}

static void file_copy(const char *from, const char *to)
{
        char block[65536];
        int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        assert_true(in >= 0 && out >= 0);
        for (ssize_t got; (got = read(in, block, sizeof(block))) > 0;)
                assert_int_equal(write(out, block, (size_t)got), got);
        close(in);
        close(out);
}

typedef void each_file(const char *folder, const char *name, void *arg);

/* Log files made beforehand hold nothing, and the checkpointer makes them at any time. */
static void files(const char *folder, each_file *each, void *arg)
{
        DIR *dir = opendir(folder);
        assert_non_null(dir);
        for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
                if (entry->d_name[0] != '.' && strcmp(entry->d_name, "ballast") != 0 &&
                        strcmp(entry->d_name, "lock") != 0 &&
                        strncmp(entry->d_name, "spare", 5) != 0)
                        each(folder, entry->d_name, arg);
        closedir(dir);
}

static void copy_one(const char *folder, const char *name, void *arg)
{
        char from[400], to[400];
        (void)snprintf(from, sizeof(from), "%s/%s", folder, name);
        (void)snprintf(to, sizeof(to), "%s/%s", (const char *)arg, name);
        file_copy(from, to);
}

static void folder_copy(const char *from, char *to)
{
        folder_remove(to);
        assert_int_equal(mkdir(to, 0700), 0);
        files(from, copy_one, to);
}

static void sum_one(const char *folder, const char *name, void *arg)
{
        char path[400], block[4096];
        uint64_t *sum = arg, own = 1469598103934665603u;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        int in = open(path, O_RDONLY);
        assert_true(in >= 0);
        for (ssize_t got; (got = read(in, block, sizeof(block))) > 0;)
                for (ssize_t i = 0; i < got; i++)
                        own = (own ^ (unsigned char)block[i]) * 1099511628211u;
        for (const char *at = name; *at != '\0'; at++)
                own = (own ^ (unsigned char)*at) * 1099511628211u;
        close(in);
        *sum += own;
}

static uint64_t folder_sum(const char *folder)
{
        uint64_t sum = 0;
        files(folder, sum_one, &sum);
        return sum;
}

static int make_folders(void **state)
{
        (void)state;
        folder_make(closed_folder);
        folder_make(crashed_folder);
        folder_make(scratch);
        struct store *store = open_store(closed_folder);
        records_put(store, 0, RECORDS / 2);
        assert_int_equal(store_checkpoint(store), OK);
        records_put(store, RECORDS / 2, RECORDS);
        folder_copy(closed_folder, crashed_folder);
        store_close(store);
        return 0;
}

static int remove_folders(void **state)
{
        (void)state;
        folder_remove(closed_folder);
        folder_remove(crashed_folder);
        folder_remove(scratch);
        return 0;
}

static void path_in_scratch(const char *name, char out[128])
{
        (void)snprintf(out, 128, "%s/%s", scratch, name);
}

/* Opens the scratch folder and reads all of it. */
static enum status try_scratch(bool every_page)
{
        struct store_options options = small_options(scratch);
        struct store *store;
        options.read_only_check = every_page;
        enum status st = store_open(&options, &store);
        if (st != OK)
                return st;
        st = records_read(store);
        assert_true(!store_failed(store) || st != OK);
        store_close(store);
        return st;
}

static void copies_open(void **state)
{
        (void)state;
        folder_copy(crashed_folder, scratch);
        assert_int_equal(try_scratch(false), OK);
        folder_copy(closed_folder, scratch);
        assert_int_equal(try_scratch(false), OK);
        assert_int_equal(try_scratch(false), OK);
}

static struct log_report report_of(const char *folder)
{
        struct log_report report;
        assert_int_equal(log_verify(folder, NULL, &report), OK);
        return report;
}

static void octets_put(const char *name, off_t at, struct str octets)
{
        char path[128];
        path_in_scratch(name, path);
        int fd = open(path, O_WRONLY);
        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, octets.at, octets.len, at), octets.len);
        close(fd);
}

static void log_name(uint32_t number, char out[32])
{
        (void)snprintf(out, 32, "log.%010u", number);
}

/* A crash while writing leaves half a record behind what was flushed: it is cut off. */
static void torn_tail(void **state)
{
        char name[32];
        struct log_report report = report_of(crashed_folder);
        (void)state;
        assert_false(report.torn);
        folder_copy(crashed_folder, scratch);
        log_name(report.end.file, name);
        octets_put(name, report.end.offset, STR("half a record"));
        assert_true(report_of(scratch).torn);
        assert_int_equal(try_scratch(false), OK);
        assert_false(report_of(scratch).torn);
}

/* A next file that was begun and never written does not matter either. */
static void begun_file(void **state)
{
        char name[32], path[128];
        (void)state;
        folder_copy(crashed_folder, scratch);
        log_name(report_of(scratch).last + 1, name);
        path_in_scratch(name, path);
        close(open(path, O_WRONLY | O_CREAT, 0600));
        octets_put(name, 0, STR("beg"));
        assert_int_equal(try_scratch(false), OK);
        folder_copy(crashed_folder, scratch); /* a spare that became one: zeros only */
        close(open(path, O_WRONLY | O_CREAT, 0600));
        assert_int_equal(truncate(path, 1 << 20), 0);
        assert_int_equal(try_scratch(false), OK);
        folder_copy(crashed_folder, scratch);
        close(open(path, O_WRONLY | O_CREAT, 0600));
        assert_int_equal(truncate(path, 1 << 20), 0);
        path_in_scratch("flushed", path);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(try_scratch(false), OK);
}

/* The same half record before the watermark is damage, and nothing is changed. */
static void short_log(void **state)
{
        char name[32];
        (void)state;
        for (unsigned back = 1; back < 2000; back += 211) {
                folder_copy(crashed_folder, scratch);
                struct log_report report = report_of(scratch);
                log_name(report.end.file, name);
                char path[128];
                path_in_scratch(name, path);
                assert_int_equal(truncate(path, (off_t)(report.end.offset - back)), 0);
                uint64_t before = folder_sum(scratch);
                assert_int_equal(try_scratch(false), DAMAGED);
                assert_int_equal(folder_sum(scratch), before);
        }
}

static void watermark_lost(void **state)
{
        char path[128];
        (void)state;
        for (int how = 0; how < 3; how++) {
                folder_copy(crashed_folder, scratch);
                path_in_scratch("flushed", path);
                if (how == 0)
                        unlink(path);
                for (off_t at = 0; how > 0 && at < 2 * 2048; at += 2048)
                        octets_put("flushed", at + 20,
                                how == 1 ? STR("\x55\x66") : STR("\0\0\0\0\0\0\0\0"));
                assert_int_equal(try_scratch(false), OK);
                assert_int_equal(try_scratch(false), OK);
        }
}

static void log_files_lost(void **state)
{
        char name[32], path[128];
        (void)state;
        struct log_report report = report_of(crashed_folder);
        for (uint32_t number = report.first; number <= report.last; number++) {
                folder_copy(crashed_folder, scratch);
                log_name(number, name);
                path_in_scratch(name, path);
                unlink(path);
                uint64_t before = folder_sum(scratch);
                assert_int_equal(try_scratch(false), DAMAGED);
                assert_int_equal(folder_sum(scratch), before);
        }
}

/* ---- flipped octets ---- */

struct pick {
        unsigned left;
        char name[64];
        uint32_t size;
};

static void pick_one(const char *folder, const char *name, void *arg)
{
        struct pick *pick = arg;
        char path[400];
        struct stat info;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        assert_int_equal(stat(path, &info), 0);
        if (info.st_size == 0 || pick->left-- != 0)
                return;
        (void)snprintf(pick->name, sizeof(pick->name), "%s", name);
        pick->size = (uint32_t)info.st_size;
}

static void count_one(const char *folder, const char *name, void *arg)
{
        (void)folder;
        (void)name;
        ++*(unsigned *)arg;
}

static void flip(const char *name, uint32_t at)
{
        char path[128];
        unsigned char octet;
        path_in_scratch(name, path);
        int fd = open(path, O_RDWR);
        assert_true(fd >= 0);
        assert_int_equal(pread(fd, &octet, 1, at), 1);
        octet ^= (unsigned char)(1 + roll(255));
        assert_int_equal(pwrite(fd, &octet, 1, at), 1);
        close(fd);
}

static void blank(const char *name, uint32_t at)
{
        static const char zeros[4096];
        octets_put(
                name, (off_t)(at / sizeof(zeros) * sizeof(zeros)), str_make(zeros, sizeof(zeros)));
}

/* Whatever octet of whatever file is changed: refused, named, or served as it was. */
static void damage(const char *folder, bool every_page, void (*how)(const char *name, uint32_t at))
{
        unsigned count = 0, refused = 0;
        for (unsigned i = 0; i < flips; i++) {
                folder_copy(folder, scratch);
                count = 0;
                files(scratch, count_one, &count);
                struct pick pick = {.left = roll(count)};
                files(scratch, pick_one, &pick);
                if (pick.size == 0)
                        continue;
                /* Log files are mostly empty in this test: rather hit what is there. */
                bool log = str_starts(str_of(pick.name), STR("log."));
                uint32_t room = log && roll(4) > 0 ? report_of(scratch).end.offset : pick.size;
                uint32_t at = roll(room < pick.size ? room : pick.size);
                how(pick.name, at);
                enum status st = try_scratch(every_page);
                if (st != OK && st != DAMAGED)
                        print_message("%s, octet %u: %s\n", pick.name, at, status_name(st));
                assert_true(st == OK || st == DAMAGED);
                refused += st == DAMAGED;
        }
        if (flips > 100)
                print_message(
                        "%u flips: %u refused, the others served unchanged\n", flips, refused);
}

static void flips_after_crash(void **state)
{
        (void)state;
        damage(crashed_folder, false, flip);
}

static void flips_after_close(void **state)
{
        (void)state;
        damage(closed_folder, false, flip);
}

/* A block that was lost. Berkeley DB takes it for a new page and can go round in circles at one in
 * a tree, so only checking every page is safe against it. */
static void blank_blocks(void **state)
{
        (void)state;
        damage(closed_folder, true, blank);
}

/* `baton check` finds a damaged page that nobody reads. */
static void every_page_checked(void **state)
{
        struct store_options options = small_options(scratch);
        struct store *store;
        (void)state;
        options.read_only_check = true;
        folder_copy(closed_folder, scratch);
        assert_int_equal(store_open(&options, &store), OK);
        store_close(store);
        flip("due.db", 4096 + roll(4096));
        assert_int_equal(store_open(&options, &store), DAMAGED);
}

/* Berkeley DB keeps the memory of an environment that has failed; the process ends then. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
        return "leak:__os_malloc\nleak:__os_realloc\n";
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(copies_open),
                cmocka_unit_test(torn_tail),
                cmocka_unit_test(begun_file),
                cmocka_unit_test(short_log),
                cmocka_unit_test(watermark_lost),
                cmocka_unit_test(log_files_lost),
                cmocka_unit_test(every_page_checked),
                cmocka_unit_test(flips_after_crash),
                cmocka_unit_test(flips_after_close),
                cmocka_unit_test(blank_blocks),
        };
        uint32_t given = 0;
        if (argc > 1 && str_u32(str_of(argv[1]), &given) == OK)
                flips = given;
        if (argc > 2 && str_u32(str_of(argv[2]), &given) == OK)
                dice += (uint64_t)given << 32;
        log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_ERRORS);
        return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
