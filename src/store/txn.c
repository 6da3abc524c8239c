#include "base/log.h"
#include "store/bdb.h"
#include "store/pagecheck.h"

enum status txn_begin(struct env *env, struct txn **out)
{
        DB_TXN *handle;
        enum status st = env_state(env);
        *out = NULL;
        if (st != OK)
                return st;
        st = env_status(env, TABLE_COUNT, env->handle->txn_begin(env->handle, NULL, &handle, 0));
        if (st != OK)
                return st;
        *out = mem_new(sizeof(**out));
        **out = (struct txn){.env = env, .handle = handle};
        return OK;
}

static void txn_end(struct txn *txn)
{
        if (txn->changes_known)
                known_changed(txn->env->known);
        free(txn);
}

enum status txn_commit(struct txn *txn)
{
        enum status st = env_status(
                txn->env, TABLE_COUNT, txn->handle->commit(txn->handle, DB_TXN_NOSYNC));
        txn_end(txn);
        return st;
}

void txn_abort(struct txn *txn)
{
        enum status st = env_status(txn->env, TABLE_COUNT, txn->handle->abort(txn->handle));
        if (st != OK)
                env_fail(txn->env, "a transaction cannot be taken back");
        txn_end(txn);
}

struct env *txn_env(struct txn *txn)
{
        return txn->env;
}

void value_seal(struct str value, struct buf *out)
{
        buf_add(out, value);
        buf_add_u32(out, ~page_sum(value)); /* blank octets have the sum 0 */
}

enum status value_unseal(struct env *env, enum table table, struct str *value)
{
        if (value->len < SEAL_FROM)
                return OK;
        struct str content = str_sub(*value, 0, value->len - SEAL_SIZE);
        struct reader seal = reader_of(str_from(*value, content.len));
        if (content.len < SEAL_FROM || read_u32(&seal) != ~page_sum(content)) {
                log_error("%s/%s: a record fails its checksum", env->path, table_name(table));
                return DAMAGED;
        }
        *value = content;
        return OK;
}

static void txn_writes(struct txn *txn, enum table table)
{
        if (!known_table(table) || txn->changes_known)
                return;
        txn->changes_known = true;
        known_change(txn->env->known);
}

enum status table_put(struct txn *txn, enum table table, struct str key, struct str value)
{
        enum status st = env_state(txn->env);
        if (st != OK)
                return st;
        txn_writes(txn, table);
        DB *db = txn->env->tables[table];
        struct buf sealed = {0};
        if (value.len >= SEAL_FROM)
                value_seal(value, &sealed);
        DBT k = dbt_in(key), v = dbt_in(sealed.len > 0 ? buf_str(&sealed) : value);
        st = env_status(txn->env, table, db->put(db, txn->handle, &k, &v, 0));
        buf_release(&sealed);
        return st;
}

enum status table_remove(struct txn *txn, enum table table, struct str key)
{
        enum status st = env_state(txn->env);
        if (st != OK)
                return st;
        txn_writes(txn, table);
        DB *db = txn->env->tables[table];
        DBT k = dbt_in(key);
        return env_status(txn->env, table, db->del(db, txn->handle, &k, 0));
}

static int value_get(DB *db, DB_TXN *handle, struct str key, struct buf *value)
{
        enum { FIRST_ROOM = 4096 }; /* most mail fits, packed: a second try costs a second search */
        DBT k = dbt_in(key), v = {.flags = DB_DBT_USERMEM};
        size_t room = FIRST_ROOM;
        for (;;) {
                v.data = buf_reserve(value, room);
                v.ulen = (u_int32_t)room;
                int code = db->get(db, handle, &k, &v, 0);
                if (code == 0)
                        value->len += v.size;
                if (code != DB_BUFFER_SMALL)
                        return code;
                room = v.size;
        }
}

static enum status value_take(struct env *env, enum table table, struct buf *value, size_t before)
{
        struct str got = str_from(buf_str(value), before);
        enum status st = value_unseal(env, table, &got);
        value->len = before + (st == OK ? got.len : 0);
        return st;
}

static enum status table_read(
        struct env *env, struct txn *txn, enum table table, struct str key, struct buf *value)
{
        enum status st = OK;
        DB *db = env->tables[table];
        size_t before = value->len;
        for (int tries = 0; st == OK; tries++) {
                int code = value_get(db, txn != NULL ? txn->handle : NULL, key, value);
                if (code == 0)
                        return value_take(env, table, value, before);
                if (code != DB_LOCK_DEADLOCK || txn != NULL || tries == RETRIES)
                        return env_status(env, table, code);
        }
        return st;
}

enum status table_get(
        struct env *env, struct txn *txn, enum table table, struct str key, struct buf *value)
{
        struct question q = {.table = table, .key = key};
        size_t before = value->len;
        enum status st = env_state(env);
        if (st != OK)
                return st;
        if (txn != NULL || !known_table(table))
                return table_read(env, txn, table, key, value);
        if (known_ask(env->known, &q, value, &st))
                return st;
        st = table_read(env, txn, table, key, value);
        known_learn(env->known, &q, st, str_from(buf_str(value), before));
        return st;
}

enum status table_has(struct env *env, struct txn *txn, enum table table, struct str key)
{
        enum status st = env_state(env);
        DB *db = env->tables[table];
        for (int tries = 0; st == OK; tries++) {
                DBT k = dbt_in(key);
                int code = db->exists(db, txn != NULL ? txn->handle : NULL, &k, 0);
                if (code != DB_LOCK_DEADLOCK || txn != NULL || tries == RETRIES)
                        return env_status(env, table, code);
        }
        return st;
}
