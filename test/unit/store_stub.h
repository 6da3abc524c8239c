/* store_stub.h - a store without mail, for the tests of its core: the domain's part is empty, and
 * one kind of operation puts records into any table. */
#pragma once
#include "base/log.h"
#include "store/inside.h"
#include "store/bases.h"
#include "store/subjects.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <unistd.h>

struct rows *rows_new(void)
{
        return NULL;
}

void rows_free(struct rows *rows)
{
        (void)rows;
}

void rows_forget(struct store *store)
{
        (void)store;
}

enum status rows_put(struct txn *txn, struct store *store)
{
        (void)txn;
        (void)store;
        return OK;
}

struct cache *subjects_new(void)
{
        return NULL;
}

struct bases *bases_new(void)
{
        return NULL;
}

void bases_free(struct bases *bases)
{
        (void)bases;
}

struct views *views_new(void)
{
        return NULL;
}

void views_free(struct views *views)
{
        (void)views;
}

enum status store_tidy(struct store *store)
{
        (void)store;
        return OK;
}

struct put_op {
        struct op op;
        enum table table;
        struct buf key, value;
        enum status refuse, fail; /* what check and put answer, when not OK */
        bool fresh;               /* EXISTS when the key is there */
        unsigned *published;
};

static struct put_op *put_of(struct op *op)
{
        return (struct put_op *)(void *)op;
}

static enum status put_check(struct txn *txn, struct op *op)
{
        struct put_op *put = put_of(op);
        if (put->refuse != OK)
                return put->refuse;
        if (!put->fresh)
                return OK;
        enum status st = table_has(txn_env(txn), txn, put->table, buf_str(&put->key));
        return st == OK ? EXISTS : st == ABSENT ? OK : st;
}

static enum status put_put(struct txn *txn, struct op *op)
{
        struct put_op *put = put_of(op);
        enum status st = table_put(txn, put->table, buf_str(&put->key), buf_str(&put->value));
        return st == OK ? put->fail : st;
}

static void put_publish(struct store *store, struct op *op)
{
        (void)store;
        if (put_of(op)->published != NULL)
                ++*put_of(op)->published;
}

static void put_free(struct op *op)
{
        buf_release(&put_of(op)->key);
        buf_release(&put_of(op)->value);
        free(op);
}

static const struct op_kind put_kind = {"put", put_check, put_put, put_publish, put_free};

static inline struct put_op *change_put(
        struct change *change, enum table table, struct str key, struct str value)
{
        struct put_op *put = mem_new(sizeof(*put));
        put->op.kind = &put_kind;
        put->op.weight = key.len + value.len;
        put->table = table;
        buf_add(&put->key, key);
        buf_add(&put->value, value);
        change_op(change, &put->op);
        return put;
}

static inline enum status put_one(
        struct store *store, enum table table, struct str key, struct str value)
{
        struct change *change = change_new(store);
        change_put(change, table, key, value);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

static inline void folder_make(char out[64])
{
        (void)snprintf(out, 64, "/tmp/baton-store-XXXXXX");
        assert_non_null(mkdtemp(out));
}

static inline void folder_remove(const char *folder)
{
        DIR *dir = opendir(folder);
        for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
                (void)unlinkat(dirfd(dir), entry->d_name, 0);
        if (dir != NULL)
                closedir(dir);
        rmdir(folder);
}

static inline struct store_options small_options(const char *folder)
{
        return (struct store_options){.path = folder,
                .cache = 4 << 20,
                .reserve = 1,
                .ballast = 4096,
                .log_file = 1 << 20};
}

static inline struct store *open_store(const char *folder)
{
        struct store_options options = small_options(folder);
        struct store *store = NULL;
        assert_int_equal(store_open(&options, &store), OK);
        return store;
}

/* Closes, and opens once more with every page checked. */
static inline void close_checked(struct store *store, const char *folder)
{
        struct store_options options = small_options(folder);
        store_close(store);
        options.read_only_check = true;
        assert_int_equal(store_open(&options, &store), OK);
        store_close(store);
}
