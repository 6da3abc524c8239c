#include "store/bdb.h"

/* Bulk reads begin small, for the many ranges of a few records, and grow: they fill their room
 * whether the range is as long or not. Berkeley DB wants multiples of 1 KB, at least a page. */
enum { ROOM_FIRST = 8192, ROOM_MOST = 256 * 1024, KEY_ROOM = 1024, STEPS_MOST = 32 };

struct scan {
        struct env *env;
        struct txn *txn;
        enum table table;
        struct buf from, upto;
        struct buf key, value; /* of a single read */
        char *room;
        size_t room_size;
        DBT bulk;
        void *at;        /* in the bulk; NULL: read on */
        struct str last; /* key in the bulk */
        bool singly, end;
};

struct scan *scan_open(
        struct env *env, struct txn *txn, enum table table, struct str from, struct str upto)
{
        struct scan *scan = mem_new(sizeof(*scan));
        scan->env = env;
        scan->txn = txn;
        scan->table = table;
        scan->singly = txn != NULL;
        scan->room_size = ROOM_FIRST;
        buf_add(&scan->from, from);
        buf_add(&scan->upto, upto);
        return scan;
}

void scan_expect(struct scan *scan, size_t octets)
{
        size_t room = (octets + 1023) / 1024 * 1024;
        scan->room_size = room < ROOM_FIRST ? ROOM_FIRST : room < ROOM_MOST ? room : ROOM_MOST;
}

void scan_singly(struct scan *scan)
{
        scan->singly = true;
}

void scan_close(struct scan *scan)
{
        if (scan == NULL)
                return;
        buf_release(&scan->from);
        buf_release(&scan->upto);
        buf_release(&scan->key);
        buf_release(&scan->value);
        free(scan->room);
        free(scan);
}

/* The key is both where to begin and, for single reads, what comes out. */
static DBT key_room(struct buf *key, struct str from)
{
        buf_set(key, from);
        char *more = buf_reserve(key, KEY_ROOM);
        return (DBT){.data = more - key->len,
                .size = (u_int32_t)key->len,
                .ulen = (u_int32_t)(key->len + KEY_ROOM),
                .flags = DB_DBT_USERMEM};
}

static int cursor_once(const struct scan *scan, DBT *key, DBT *value, u_int32_t flags)
{
        DB *db = scan->env->tables[scan->table];
        DBC *cursor;
        int code = db->cursor(db, scan->txn != NULL ? scan->txn->handle : NULL, &cursor, 0);
        if (code != 0)
                return code;
        code = cursor->get(cursor, key, value, flags);
        int closed = cursor->close(cursor);
        return code != 0 ? code : closed;
}

static enum status bulk_read(struct scan *scan)
{
        for (int tries = 0; tries < RETRIES; tries++) {
                scan->room = scan->room != NULL ? scan->room : mem_new(scan->room_size);
                scan->bulk = (DBT){.data = scan->room,
                        .ulen = (u_int32_t)scan->room_size,
                        .flags = DB_DBT_USERMEM};
                DBT key = key_room(&scan->key, buf_str(&scan->from));
                int code = cursor_once(scan, &key, &scan->bulk, DB_SET_RANGE | DB_MULTIPLE_KEY);
                if (code == DB_BUFFER_SMALL) {
                        size_t need = (scan->bulk.size + KEY_ROOM + 1023) / 1024 * 1024;
                        scan->room_size = need > 2 * scan->room_size ? need : 2 * scan->room_size;
                        scan->room = mem_grow(scan->room, scan->room_size);
                } else if (code != DB_LOCK_DEADLOCK) {
                        return env_status(scan->env, scan->table, code);
                }
        }
        return BUSY;
}

static enum status single_read(struct scan *scan)
{
        size_t room = KEY_ROOM;
        for (int tries = 0; tries < RETRIES;) {
                buf_clear(&scan->value);
                DBT key = key_room(&scan->key, buf_str(&scan->from));
                DBT value = {.data = buf_reserve(&scan->value, room),
                        .ulen = (u_int32_t)room,
                        .flags = DB_DBT_USERMEM};
                int code = cursor_once(scan, &key, &value, DB_SET_RANGE);
                if (code == 0) {
                        scan->key.len = key.size;
                        scan->value.len = value.size;
                }
                if (code == DB_LOCK_DEADLOCK && scan->txn == NULL) {
                        tries++;
                        continue;
                }
                if (code != DB_BUFFER_SMALL)
                        return env_status(scan->env, scan->table, code);
                assert(key.size <= key.ulen);
                room = value.size;
        }
        return BUSY;
}

/* The next read begins just behind this key. */
static void scan_pass(struct scan *scan, struct str key)
{
        buf_set(&scan->from, key);
        buf_add_char(&scan->from, 0);
}

static bool scan_within(const struct scan *scan, struct str key)
{
        return scan->upto.len == 0 || str_cmp(key, buf_str(&scan->upto)) < 0;
}

static enum status scan_next_single(struct scan *scan, struct str *key, struct str *value)
{
        enum status st = single_read(scan);
        if (st != OK)
                return st;
        *key = buf_str(&scan->key);
        *value = buf_str(&scan->value);
        if (!scan_within(scan, *key))
                return ABSENT;
        scan_pass(scan, *key);
        return OK;
}

static enum status scan_refill(struct scan *scan)
{
        enum status st = bulk_read(scan);
        if (st == OK)
                DB_MULTIPLE_INIT(scan->at, &scan->bulk);
        return st;
}

/* Before the room is used again: the last key lies in it. */
static void scan_grow(struct scan *scan)
{
        scan_pass(scan, scan->last);
        if (scan->room_size >= ROOM_MOST)
                return;
        scan->room_size *= 2;
        free(scan->room);
        scan->room = NULL;
}

static enum status scan_next_bulk(struct scan *scan, struct str *key, struct str *value)
{
        for (;;) {
                if (scan->at == NULL) {
                        enum status st = scan_refill(scan);
                        if (st != OK)
                                return st;
                }
                void *k, *v;
                size_t k_len, v_len;
                DB_MULTIPLE_KEY_NEXT(scan->at, &scan->bulk, k, k_len, v, v_len);
                if (scan->at != NULL) {
                        *key = scan->last = str_make(k, k_len);
                        *value = str_make(v, v_len);
                        return scan_within(scan, *key) ? OK : ABSENT;
                }
                scan_grow(scan);
        }
}

enum status scan_next(struct scan *scan, struct str *key, struct str *value)
{
        enum status st = scan->end ? ABSENT : env_state(scan->env);
        if (st == OK)
                st = scan->singly ? scan_next_single(scan, key, value)
                                  : scan_next_bulk(scan, key, value);
        if (st == OK)
                st = value_unseal(scan->env, scan->table, value);
        if (st != OK)
                scan->end = true;
        return st;
}

/* The key before `upto`, or the very last one: two steps of one cursor. */
static int last_find(DBC *cursor, struct str upto, DBT *key, DBT *value)
{
        int code = DB_NOTFOUND;
        if (upto.len > 0)
                code = cursor->get(cursor, key, value, DB_SET_RANGE);
        if (code == 0)
                return cursor->get(cursor, key, value, DB_PREV);
        return code == DB_NOTFOUND ? cursor->get(cursor, key, value, DB_LAST) : code;
}

struct last {
        struct str upto;
        struct buf key, value;
        size_t room;
};

static int last_read(struct env *env, struct txn *txn, enum table table, struct last *last)
{
        DB *db = env->tables[table];
        DBC *cursor;
        int code = db->cursor(db, txn != NULL ? txn->handle : NULL, &cursor, 0);
        if (code != 0)
                return code;
        buf_clear(&last->value);
        DBT key = key_room(&last->key, last->upto);
        DBT value = {.data = buf_reserve(&last->value, last->room),
                .ulen = (u_int32_t)last->room,
                .flags = DB_DBT_USERMEM};
        code = last_find(cursor, last->upto, &key, &value);
        last->key.len = key.size;
        last->value.len = code == 0 ? value.size : 0;
        if (code == DB_BUFFER_SMALL)
                last->room = value.size > last->room ? value.size : 2 * last->room;
        int closed = cursor->close(cursor);
        return code != 0 ? code : closed;
}

enum status table_last(struct env *env, struct txn *txn, enum table table, struct str from,
        struct str upto, struct buf *key, struct buf *value)
{
        enum status st = env_state(env);
        if (st != OK)
                return st;
        struct last last = {.upto = upto, .room = KEY_ROOM};
        int code = DB_LOCK_DEADLOCK;
        for (int tries = 0; tries < RETRIES; tries++) {
                code = last_read(env, txn, table, &last);
                if (code != DB_BUFFER_SMALL && (code != DB_LOCK_DEADLOCK || txn != NULL))
                        break;
        }
        st = env_status(env, table, code);
        if (st == OK && str_cmp(buf_str(&last.key), from) < 0)
                st = ABSENT;
        struct str found = buf_str(&last.value);
        if (st == OK)
                st = value_unseal(env, table, &found);
        if (st == OK) {
                buf_add(key, buf_str(&last.key));
                buf_add(value, found);
        }
        buf_release(&last.key);
        buf_release(&last.value);
        return st;
}

/* ---- backwards: some steps of one cursor, copied out ---- */

struct step {
        size_t key, key_len, value_len; /* the value lies behind the key */
};

struct scan_back {
        struct env *env;
        enum table table;
        struct buf from, upto;
        struct buf key, value; /* of one step; */
        size_t room;           /* for the value */
        struct buf octets;     /* of all steps */
        struct step steps[STEPS_MOST];
        size_t count, at;
        bool end;
};

struct scan_back *scan_back_open(
        struct env *env, enum table table, struct str from, struct str upto)
{
        struct scan_back *b = mem_new(sizeof *b);
        b->env = env;
        b->table = table;
        b->room = KEY_ROOM;
        buf_add(&b->from, from);
        buf_add(&b->upto, upto);
        return b;
}

void scan_back_close(struct scan_back *b)
{
        if (!b)
                return;
        buf_release(&b->from);
        buf_release(&b->upto);
        buf_release(&b->octets);
        buf_release(&b->key);
        buf_release(&b->value);
        free(b);
}

static void step_add(struct scan_back *b, struct str key, struct str value)
{
        b->steps[b->count++] = (struct step){b->octets.len, key.len, value.len};
        buf_add(&b->octets, key);
        buf_add(&b->octets, value);
}

static int steps_take(struct scan_back *b, DBC *cursor)
{
        struct str from = buf_str(&b->from);
        buf_clear(&b->value);
        DBT key = key_room(&b->key, buf_str(&b->upto));
        DBT value = {.data = buf_reserve(&b->value, b->room),
                .ulen = (u_int32_t)b->room,
                .flags = DB_DBT_USERMEM};
        int code = last_find(cursor, buf_str(&b->upto), &key, &value);
        while (code == 0 && b->count < STEPS_MOST) {
                struct str found = str_make(key.data, key.size);
                if (str_cmp(found, from) < 0)
                        return DB_NOTFOUND;
                step_add(b, found, str_make(value.data, value.size));
                code = cursor->get(cursor, &key, &value, DB_PREV);
        }
        if (code == DB_BUFFER_SMALL)
                b->room = value.size > b->room ? value.size : 2 * b->room;
        return code;
}

static enum status steps_read(struct scan_back *b)
{
        DB *db = b->env->tables[b->table];
        int code = DB_LOCK_DEADLOCK;
        for (int tries = 0; tries < RETRIES; tries++) {
                DBC *cursor;
                b->count = b->at = 0;
                buf_clear(&b->octets);
                code = db->cursor(db, NULL, &cursor, 0);
                if (code != 0)
                        break;
                code = steps_take(b, cursor);
                int closed = cursor->close(cursor);
                code = code != 0 ? code : closed;
                if (code != DB_BUFFER_SMALL && code != DB_LOCK_DEADLOCK)
                        break;
        }
        b->end = code == DB_NOTFOUND;
        return b->end ? OK : env_status(b->env, b->table, code);
}

enum status scan_back_next(struct scan_back *b, struct str *key, struct str *value)
{
        enum status st = env_state(b->env);
        if (st == OK && b->at == b->count && !b->end) {
                st = steps_read(b);
                if (st == OK && b->count) {
                        const struct step *last = &b->steps[b->count - 1];
                        buf_set(&b->upto, str_sub(buf_str(&b->octets), last->key, last->key_len));
                }
        }
        if (st != OK)
                return st;
        if (b->at == b->count)
                return ABSENT;
        const struct step *s = &b->steps[b->at++];
        *key = str_sub(buf_str(&b->octets), s->key, s->key_len);
        *value = str_sub(buf_str(&b->octets), s->key + s->key_len, s->value_len);
        return value_unseal(b->env, b->table, value);
}

void key_after(struct str prefix, struct buf *out)
{
        size_t len = prefix.len;
        while (len > 0 && (unsigned char)prefix.at[len - 1] == 0xff)
                len--;
        if (len == 0)
                return;
        buf_add(out, str_sub(prefix, 0, len));
        out->at[out->len - 1]++;
}
