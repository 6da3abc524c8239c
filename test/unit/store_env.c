#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store_stub.h"
#include "store/pages.h"
#include <sys/stat.h>

enum { MANY = 3000, LONG_VALUE = 70000 };

static void number_key(uint32_t number, struct buf *out)
{
        buf_clear(out);
        buf_add_u8(out, 1);
        buf_add_u32(out, number);
}

static void begins_and_reopens(void **state)
{
        char folder[64];
        (void)state;
        folder_make(folder);
        struct store *store = open_store(folder);
        assert_int_equal(put_one(store, TABLE_NAME, STR("ana"), STR("person 1")), OK);
        store_close(store);
        store = open_store(folder);
        struct buf value = {0};
        assert_int_equal(table_get(store->env, NULL, TABLE_NAME, STR("ana"), &value), OK);
        assert_true(str_eq(buf_str(&value), STR("person 1")));
        assert_int_equal(table_get(store->env, NULL, TABLE_NAME, STR("bo"), &value), ABSENT);
        assert_int_equal(table_has(store->env, NULL, TABLE_NAME, STR("ana")), OK);
        assert_int_equal(table_has(store->env, NULL, TABLE_NAME, STR("an")), ABSENT);
        store_close(store);
        buf_release(&value);
        folder_remove(folder);
}

static void one_owner(void **state)
{
        char folder[64];
        (void)state;
        folder_make(folder);
        struct store *store = open_store(folder), *other;
        struct store_options options = small_options(folder);
        assert_int_equal(store_open(&options, &other), BUSY);
        assert_null(other);
        assert_int_equal(put_one(store, TABLE_NAME, STR("a"), STR("b")), OK);
        store_close(store);
        store_close(open_store(folder));
        folder_remove(folder);
}

static void fill(struct store *store)
{
        struct buf key = {0}, value = {0};
        for (uint32_t from = 0; from < MANY;) {
                struct change *change = change_new(store);
                for (int i = 0; i < 100; i++, from++) {
                        number_key(from, &key);
                        buf_clear(&value);
                        size_t len = from % 997 == 5 ? LONG_VALUE : from % 90;
                        memset(buf_reserve(&value, len), (int)('a' + from % 26), len);
                        value.len = len;
                        change_put(change, TABLE_ENTRY, buf_str(&key), buf_str(&value));
                }
                assert_int_equal(store_commit(change), OK);
                change_free(change);
        }
        buf_release(&key);
        buf_release(&value);
}

/* Every record of the range comes once, in order, with its own value. */
static void scan_range(struct store *store, struct txn *txn, uint32_t low, uint32_t high)
{
        struct buf from = {0}, upto = {0};
        struct str key, value;
        number_key(low, &from);
        if (high < MANY)
                number_key(high, &upto);
        struct scan *scan = scan_open(store->env, txn, TABLE_ENTRY, buf_str(&from), buf_str(&upto));
        for (uint32_t number = low; number < high; number++) {
                assert_int_equal(scan_next(scan, &key, &value), OK);
                struct reader in = reader_of(key);
                assert_int_equal(read_u8(&in), 1);
                assert_int_equal(read_u32(&in), number);
                assert_int_equal(value.len, number % 997 == 5 ? LONG_VALUE : number % 90);
                if (value.len > 0)
                        assert_int_equal(value.at[value.len - 1], 'a' + number % 26);
        }
        assert_int_equal(scan_next(scan, &key, &value), ABSENT);
        assert_int_equal(scan_next(scan, &key, &value), ABSENT);
        scan_close(scan);
        buf_release(&from);
        buf_release(&upto);
}

/* The same from the end. */
static void scan_range_back(struct store *store, uint32_t low, uint32_t high)
{
        struct buf from = {0}, upto = {0};
        struct str key, value;
        number_key(low, &from);
        if (high < MANY)
                number_key(high, &upto);
        struct scan_back *scan = scan_back_open(
                store->env, TABLE_ENTRY, buf_str(&from), buf_str(&upto));
        for (uint32_t number = high; number-- > low;) {
                assert_int_equal(scan_back_next(scan, &key, &value), OK);
                struct reader in = reader_of(str_from(key, 1));
                assert_int_equal(read_u32(&in), number);
                assert_int_equal(value.len, number % 997 == 5 ? LONG_VALUE : number % 90);
                if (value.len > 0)
                        assert_int_equal(value.at[value.len - 1], 'a' + number % 26);
        }
        assert_int_equal(scan_back_next(scan, &key, &value), ABSENT);
        assert_int_equal(scan_back_next(scan, &key, &value), ABSENT);
        scan_back_close(scan);
        buf_release(&from);
        buf_release(&upto);
}

static void scans(void **state)
{
        char folder[64];
        static const uint32_t ranges[][2] = {
                {0, MANY}, {0, 0}, {7, 8}, {5, 6}, {4, 1003}, {1002, MANY}, {MANY - 1, MANY}};
        (void)state;
        folder_make(folder);
        struct store *store = open_store(folder);
        fill(store);
        struct txn *txn;
        assert_int_equal(txn_begin(store->env, &txn), OK);
        for (size_t i = 0; i < COUNT_OF(ranges); i++) {
                scan_range(store, NULL, ranges[i][0], ranges[i][1]);
                scan_range(store, txn, ranges[i][0], ranges[i][1]);
                scan_range_back(store, ranges[i][0], ranges[i][1]);
        }
        txn_abort(txn);
        store_close(store);
        folder_remove(folder);
}

static void scan_sees_own_removals(void **state)
{
        char folder[64];
        struct txn *txn;
        struct str key, value;
        unsigned count = 0;
        (void)state;
        folder_make(folder);
        struct store *store = open_store(folder);
        fill(store);
        assert_int_equal(txn_begin(store->env, &txn), OK);
        struct scan *scan = scan_open(store->env, txn, TABLE_ENTRY, STR(""), STR(""));
        for (; scan_next(scan, &key, &value) == OK; count++)
                assert_int_equal(table_remove(txn, TABLE_ENTRY, key), OK);
        scan_close(scan);
        assert_int_equal(count, MANY);
        scan = scan_open(store->env, txn, TABLE_ENTRY, STR(""), STR(""));
        assert_int_equal(scan_next(scan, &key, &value), ABSENT);
        scan_close(scan);
        assert_int_equal(table_remove(txn, TABLE_ENTRY, STR("x")), ABSENT);
        txn_abort(txn);
        scan_range(store, NULL, 0, MANY);
        close_checked(store, folder);
        folder_remove(folder);
}

/* Pages of a transaction that was taken back are no damage. */
static void taken_back(void **state)
{
        char folder[64], value[5000] = "";
        struct buf key = {0};
        struct txn *txn;
        (void)state;
        folder_make(folder);
        struct store *store = open_store(folder);
        for (uint32_t round = 0; round < 4; round++) {
                assert_int_equal(txn_begin(store->env, &txn), OK);
                for (uint32_t i = 0; i < 1000; i++) {
                        number_key(i * 4 + round, &key);
                        assert_int_equal(table_put(txn, TABLE_BODY, buf_str(&key),
                                                 str_make(value, i % sizeof(value))),
                                OK);
                }
                if (round == 1)
                        assert_int_equal(txn_commit(txn), OK);
                else
                        txn_abort(txn);
        }
        close_checked(store, folder);
        buf_release(&key);
        folder_remove(folder);
}

static void last_of_range(void **state)
{
        char folder[64];
        static const struct {
                uint32_t from, upto;
                int64_t last; /* -1: ABSENT */
        } cases[] = {{0, MANY, MANY - 1}, {0, MANY + 9, MANY - 1}, {0, 1, 0}, {0, 0, -1}, {5, 6, 5},
                {MANY, MANY + 9, -1}, {10, 1003, 1002}};
        struct buf from = {0}, upto = {0}, key = {0}, value = {0};
        (void)state;
        folder_make(folder);
        struct store *store = open_store(folder);
        fill(store);
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                number_key(cases[i].from, &from);
                number_key(cases[i].upto, &upto);
                buf_clear(&key);
                buf_clear(&value);
                enum status st = table_last(store->env, NULL, TABLE_ENTRY, buf_str(&from),
                        buf_str(&upto), &key, &value);
                assert_int_equal(st, cases[i].last < 0 ? ABSENT : OK);
                if (st != OK)
                        continue;
                struct reader in = reader_of(str_from(buf_str(&key), 1));
                assert_int_equal(read_u32(&in), cases[i].last);
                assert_int_equal(
                        value.len, cases[i].last % 997 == 5 ? LONG_VALUE : cases[i].last % 90);
        }
        buf_clear(&key);
        assert_int_equal(
                table_last(store->env, NULL, TABLE_ENTRY, STR(""), STR(""), &key, &value), OK);
        assert_int_equal(key.len, 5);
        assert_int_equal(
                table_last(store->env, NULL, TABLE_NAME, STR(""), STR(""), &key, &value), ABSENT);
        store_close(store);
        buf_release(&from);
        buf_release(&upto);
        buf_release(&key);
        buf_release(&value);
        folder_remove(folder);
}

static void keys_after(void **state)
{
        static const struct {
                struct str prefix, after;
        } cases[] = {{STR("a"), STR("b")}, {STR("a\xff"), STR("b")}, {STR("\xff\xff"), STR("")},
                {STR(""), STR("")}, {STR("ab\x7f"), STR("ab\x80")}};
        struct buf out = {0};
        (void)state;
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                buf_clear(&out);
                key_after(cases[i].prefix, &out);
                assert_true(str_eq(buf_str(&out), cases[i].after));
        }
        buf_release(&out);
}

static void path_of(const char *folder, const char *name, char out[128])
{
        (void)snprintf(out, 128, "%s/%s", folder, name);
}

static void without_a_file(const char *name)
{
        char folder[64], path[128], away[128];
        struct store_options options = small_options(folder);
        struct store *store;
        folder_make(folder);
        store = open_store(folder);
        assert_int_equal(put_one(store, TABLE_NAME, STR("a"), STR("b")), OK);
        store_close(store);
        path_of(folder, name, path);
        path_of(folder, "away", away);
        assert_int_equal(rename(path, away), 0);
        assert_int_equal(store_open(&options, &store), DAMAGED);
        assert_null(store);
        assert_int_not_equal(access(path, F_OK), 0);
        assert_int_equal(rename(away, path), 0);
        store = open_store(folder);
        assert_int_equal(table_has(store->env, NULL, TABLE_NAME, STR("a")), OK);
        store_close(store);
        folder_remove(folder);
}

static void missing_files(void **state)
{
        (void)state;
        without_a_file("name.db");
        without_a_file("due.db");
        without_a_file("log.0000000001");
}

/* Making is begun again as long as it was not done. */
static void interrupted_making(void **state)
{
        char folder[64], path[128];
        (void)state;
        folder_make(folder);
        struct store *store = open_store(folder);
        store_close(store);
        path_of(folder, "making", path);
        close(open(path, O_CREAT | O_WRONLY, 0600));
        path_of(folder, "body.db", path);
        unlink(path);
        store = open_store(folder);
        assert_int_equal(put_one(store, TABLE_NAME, STR("a"), STR("b")), OK);
        store_close(store);
        store = open_store(folder);
        assert_int_equal(table_has(store->env, NULL, TABLE_NAME, STR("a")), OK);
        store_close(store);
        folder_remove(folder);
}

/* A table that this version knows and the folder's list does not is made. */
static void new_table(void **state)
{
        char folder[64], path[128];
        struct buf text = {0};
        (void)state;
        folder_make(folder);
        store_close(open_store(folder));
        buf_add_text(&text, "layout 3\n");
        for (int i = 0; i < TABLE_COUNT; i++)
                if (i != TABLE_DUE)
                        buf_addf(&text, "%s\n", table_name((enum table)i));
        buf_add_text(&text, "end\n");
        path_of(folder, "tables", path);
        int fd = open(path, O_WRONLY | O_TRUNC);
        assert_int_equal(write(fd, text.at, text.len), text.len);
        close(fd);
        path_of(folder, table_name(TABLE_DUE), path);
        unlink(path);
        struct store *store = open_store(folder);
        assert_int_equal(put_one(store, TABLE_DUE, STR("a"), STR("b")), OK);
        store_close(store);
        unlink(path);
        struct store_options options = small_options(folder);
        assert_int_equal(store_open(&options, &store), DAMAGED);
        buf_release(&text);
        folder_remove(folder);
}

/* What another version laid out in another way is left alone: it can still be exported by that. */
static void other_layout(void **state)
{
        static const char *const lines[] = {"", "layout 2\n", "layout 4\n"};
        char folder[64], path[128];
        struct buf tables = {0}, text = {0};
        (void)state;
        folder_make(folder);
        store_close(open_store(folder));
        path_of(folder, "tables", path);
        for (int i = 0; i < TABLE_COUNT; i++)
                buf_addf(&tables, "%s\n", table_name((enum table)i));
        buf_add_text(&tables, "end\n");
        for (size_t i = 0; i <= COUNT_OF(lines); i++) {
                struct store_options options = small_options(folder);
                struct store *store;
                bool other = i < COUNT_OF(lines);
                buf_clear(&text);
                buf_addf(&text, "%s%.*s", other ? lines[i] : "layout 3\n",
                        STR_ARG(buf_str(&tables)));
                int fd = open(path, O_WRONLY | O_TRUNC);
                assert_int_equal(write(fd, text.at, text.len), text.len);
                close(fd);
                assert_int_equal(store_open(&options, &store), other ? BROKEN : OK);
                if (!other)
                        store_close(store);
        }
        buf_release(&tables);
        buf_release(&text);
        folder_remove(folder);
}

static void size_of_cache(void **state)
{
        (void)state;
        assert_int_equal(pages_cache(5 << 20), 5 << 20);
        assert_in_range(pages_cache(0), 64 << 20, 512 << 20);
        assert_int_equal(pages_cache(0) % (1 << 20), 0);
}

static void full_disk(void **state)
{
        char folder[64], path[128];
        struct store *store;
        struct store_stats stats;
        struct stat info;
        (void)state;
        folder_make(folder);
        struct store_options options = small_options(folder);
        options.ballast = 1 << 20;
        assert_int_equal(store_open(&options, &store), OK);
        path_of(folder, "ballast", path);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_size, 1 << 20);
        store_close(store);
        options.reserve = UINT64_MAX / 4; /* more than any disk has */
        assert_int_equal(store_open(&options, &store), OK);
        struct change *change = change_new(store);
        struct put_op *put = change_put(change, TABLE_BODY, STR("a"), STR("b"));
        put->op.adds = change->adds = true;
        assert_int_equal(store_commit(change), FULL);
        change_free(change);
        assert_int_equal(put_one(store, TABLE_MARK, STR("a"), STR("b")), OK);
        store_stats(store, &stats);
        assert_true(stats.full);
        assert_true(stats.free_octets > 0);
        store_close(store);
        folder_remove(folder);
}

static void old_logs_go(void **state)
{
        char folder[64], path[128], value[4000];
        struct buf key = {0};
        (void)state;
        folder_make(folder);
        struct store_options options = small_options(folder);
        struct store *store;
        options.cache = options.reserve = 64 << 20; /* no checkpoint comes by itself */
        assert_int_equal(store_open(&options, &store), OK);
        for (uint32_t i = 0; i < 1000; i++) {
                number_key(i, &key);
                memset(value, (int)(i % 251), sizeof(value));
                assert_int_equal(
                        put_one(store, TABLE_BODY, buf_str(&key), str_make(value, sizeof(value))),
                        OK);
        }
        path_of(folder, "log.0000000001", path);
        assert_int_equal(access(path, F_OK), 0);
        assert_int_equal(store_checkpoint(store), OK);
        assert_int_not_equal(access(path, F_OK), 0);
        store_close(store);
        store = open_store(folder);
        for (uint32_t i = 0; i < 1000; i++) {
                number_key(i, &key);
                assert_int_equal(table_has(store->env, NULL, TABLE_BODY, buf_str(&key)), OK);
        }
        store_close(store);
        buf_release(&key);
        folder_remove(folder);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(begins_and_reopens),
                cmocka_unit_test(one_owner),
                cmocka_unit_test(scans),
                cmocka_unit_test(scan_sees_own_removals),
                cmocka_unit_test(taken_back),
                cmocka_unit_test(last_of_range),
                cmocka_unit_test(keys_after),
                cmocka_unit_test(missing_files),
                cmocka_unit_test(interrupted_making),
                cmocka_unit_test(new_table),
                cmocka_unit_test(other_layout),
                cmocka_unit_test(size_of_cache),
                cmocka_unit_test(full_disk),
                cmocka_unit_test(old_logs_go),
        };
        log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_ERRORS);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
