#include "store/rows.h"
#include "base/map.h"

enum { ROWS_MOST = 4096 };

struct rows {
        struct map *map; /* 4 octets of the mailbox's id -> struct row */
        struct row *dirty;
        uint64_t next[COUNTER_COUNT];
        bool known[COUNTER_COUNT], counted[COUNTER_COUNT];
};

struct rows *rows_new(void)
{
        struct rows *r = mem_new(sizeof *r);
        r->map = map_new();
        return r;
}

static void row_free(struct row *row)
{
        free((void *)(uintptr_t)row->mailbox.name.at);
        buf_release(&row->base.text);
        free(row);
}

static void clear(struct rows *r)
{
        size_t at = 0;
        struct str key;
        void *row;
        while (map_next(r->map, &at, &key, &row))
                row_free(row);
        map_free(r->map);
        r->map = map_new();
        r->dirty = NULL;
}

void rows_free(struct rows *r)
{
        if (!r)
                return;
        clear(r);
        map_free(r->map);
        free(r);
}

void rows_forget(struct store *store)
{
        clear(store->rows);
        memset(store->rows->known, 0, sizeof store->rows->known);
        memset(store->rows->counted, 0, sizeof store->rows->counted);
}

static struct str row_key(const uint32_t *mailbox)
{
        return str_make((const char *)mailbox, sizeof *mailbox);
}

static struct row *row_new(struct rows *rows, const struct mailbox *m)
{
        struct row *row = mem_new(sizeof *row);
        row->mailbox = *m;
        row->mailbox.name = str_make(str_text(m->name), m->name.len);
        map_put(rows->map, row_key(&m->id), row);
        return row;
}

enum status rows_get(struct txn *txn, struct store *store, uint32_t mailbox, struct row **out)
{
        struct rows *rows = store->rows;
        *out = map_get(rows->map, row_key(&mailbox));
        if (*out)
                return (*out)->gone ? ABSENT : OK;
        struct buf value = {0};
        struct mailbox m = {.id = mailbox};
        struct key key = key_mailbox(mailbox);
        enum status st = get_value(store, txn, TABLE_MAILBOX, &key, &value);
        if (st == OK)
                st = mailbox_read(buf_str(&value), &m);
        if (st == OK)
                *out = row_new(rows, &m);
        buf_release(&value);
        return st;
}

void rows_touch(struct store *store, struct row *row)
{
        if (row->dirty)
                return;
        row->dirty = true;
        row->next_dirty = store->rows->dirty;
        store->rows->dirty = row;
}

static enum status put_name(struct txn *txn, const struct mailbox *m)
{
        struct buf key = {0}, value = {0};
        struct folder_record f = {.mailbox = m->id, .use = m->use};
        key_folder(m->owner, m->name, &key);
        folder_write(&f, &value);
        enum status st = table_put(txn, TABLE_FOLDER, buf_str(&key), buf_str(&value));
        buf_release(&key);
        buf_release(&value);
        return st;
}

static enum status drop_name(struct txn *txn, const struct mailbox *m)
{
        struct buf key = {0};
        key_folder(m->owner, m->name, &key);
        enum status st = table_remove(txn, TABLE_FOLDER, buf_str(&key));
        buf_release(&key);
        return st == ABSENT ? OK : st;
}

enum status rows_add(struct txn *txn, struct op *op, const struct mailbox *wanted, uint32_t *id)
{
        uint64_t next, validity;
        struct mailbox m = *wanted;
        enum status st = counter_take(txn, op->store, COUNTER_MAILBOX, &next);
        if (st == OK)
                st = counter_take(txn, op->store, COUNTER_VALIDITY, &validity);
        if (st != OK)
                return st;
        m.id = (uint32_t)next;
        m.uid_validity = (uint32_t)validity;
        m.next = 1;
        m.count = 0;
        m.modseq = op->modseq;
        m.created = m.created ? m.created : time(NULL);
        rows_touch(op->store, row_new(op->store->rows, &m));
        *id = m.id;
        return put_name(txn, &m);
}

/* Its record goes when the batch is put: until then the row stays, to say that it is gone. */
enum status rows_remove(struct txn *txn, struct op *op, struct row *row)
{
        row->gone = true;
        rows_touch(op->store, row);
        return drop_name(txn, &row->mailbox);
}

enum status rows_rename(struct txn *txn, struct op *op, struct row *row, struct str name)
{
        enum status st = drop_name(txn, &row->mailbox);
        if (st != OK)
                return st;
        free((void *)(uintptr_t)row->mailbox.name.at);
        row->mailbox.name = str_make(str_text(name), name.len);
        rows_touch(op->store, row);
        return put_name(txn, &row->mailbox);
}

static enum status put_row(struct txn *txn, struct row *row)
{
        struct buf value = {0};
        struct key key = key_mailbox(row->mailbox.id);
        if (row->gone)
                return drop_value(txn, TABLE_MAILBOX, &key);
        mailbox_write(&row->mailbox, &value);
        return put_value(txn, TABLE_MAILBOX, &key, &value);
}

enum status rows_put(struct txn *txn, struct store *store)
{
        struct rows *rows = store->rows;
        enum status st = OK;
        for (unsigned i = 0; st == OK && i < COUNTER_COUNT; i++) {
                struct key key = key_counter(i);
                struct buf value = {0};
                if (!rows->counted[i])
                        continue;
                number_write(rows->next[i], &value);
                st = put_value(txn, TABLE_META, &key, &value);
                rows->counted[i] = false;
        }
        while (st == OK && rows->dirty) {
                struct row *row = rows->dirty;
                rows->dirty = row->next_dirty;
                row->dirty = false;
                st = put_row(txn, row);
                if (!row->gone)
                        continue;
                map_drop(rows->map, row_key(&row->mailbox.id));
                row_free(row);
        }
        if (map_count(rows->map) > ROWS_MOST)
                clear(rows);
        return st;
}

/* A new site's UIDVALIDITY begins at the time: one that is set up again under the same name does
 * not repeat what clients remember of the first (RFC 9051 2.3.1.1). */
static uint64_t first_of(enum counter counter)
{
        return counter == COUNTER_VALIDITY ? (uint64_t)time(NULL) : 1;
}

enum status counter_take(struct txn *txn, struct store *store, enum counter counter, uint64_t *out)
{
        struct rows *rows = store->rows;
        if (!rows->known[counter]) {
                struct buf value = {0};
                struct key key = key_counter(counter);
                enum status st = get_value(store, txn, TABLE_META, &key, &value);
                if (st == OK)
                        st = number_read(buf_str(&value), &rows->next[counter]);
                else if (st == ABSENT)
                        rows->next[counter] = first_of(counter), st = OK;
                buf_release(&value);
                if (st != OK)
                        return st;
                rows->known[counter] = true;
        }
        *out = rows->next[counter]++;
        rows->counted[counter] = true;
        return OK;
}

enum status counter_skip(
        struct txn *txn, struct store *store, enum counter counter, uint64_t count)
{
        uint64_t next;
        enum status st = counter_take(txn, store, counter, &next);
        if (st == OK)
                store->rows->next[counter] = next + count;
        return st;
}

enum status put_value(struct txn *txn, enum table table, const struct key *key, struct buf *value)
{
        enum status st = table_put(txn, table, key_str(key), buf_str(value));
        buf_release(value);
        return st;
}

enum status drop_value(struct txn *txn, enum table table, const struct key *key)
{
        enum status st = table_remove(txn, table, key_str(key));
        return st == ABSENT ? OK : st;
}

enum status get_value(struct store *store, struct txn *txn, enum table table, const struct key *key,
        struct buf *value)
{
        return table_get(store->env, txn, table, key_str(key), value);
}

struct scan *scan_prefix(
        struct store *store, struct txn *txn, enum table table, const struct key *prefix)
{
        struct buf upto = {0};
        key_after(key_str(prefix), &upto);
        struct scan *scan = scan_open(store->env, txn, table, key_str(prefix), buf_str(&upto));
        buf_release(&upto);
        return scan;
}

enum status place_from(struct store *store, struct txn *txn, uint64_t message, struct place *at,
        uint64_t *modseq)
{
        struct key from = key_place(message, at->mailbox, at->number),
                   upto = key_places(message + 1);
        struct scan *scan = scan_open(store->env, txn, TABLE_PLACE, key_str(&from), key_str(&upto));
        struct str key, value;
        uint64_t made;
        scan_singly(scan);
        enum status st = scan_next(scan, &key, &value);
        if (st == OK && !key_place_read(key, &message, at))
                st = codec_damaged("a place");
        if (st == OK)
                st = place_read(value, modseq ? modseq : &made);
        scan_close(scan);
        return st;
}
