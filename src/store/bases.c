#include "store/bases.h"
#include "base/map.h"
#include "store/rows.h"
#include <pthread.h>

enum {
        BASES_MOST = 512,  /* that are remembered */
        FEW = 64,          /* steps of so many octets are no reason for another base, */
        SHARE = 4,         /* nor are those of this part of the prefix */
        APART = 64,        /* bases stay when their entries go: one for so many entries at most */
};

struct bases {
        pthread_mutex_t lock;
        struct map *texts; /* a base's key -> struct buf */
};

struct bases *bases_new(void)
{
        struct bases *bases = mem_new(sizeof *bases);
        pthread_mutex_init(&bases->lock, NULL);
        bases->texts = map_new();
        return bases;
}

static void text_free(struct buf *text)
{
        if (text)
                buf_release(text);
        free(text);
}

static void forget(struct bases *bases)
{
        size_t at = 0;
        struct str key;
        void *text;
        while (map_next(bases->texts, &at, &key, &text))
                text_free(text);
        map_free(bases->texts);
        bases->texts = map_new();
}

void bases_free(struct bases *bases)
{
        if (!bases)
                return;
        forget(bases);
        map_free(bases->texts);
        pthread_mutex_destroy(&bases->lock);
        free(bases);
}

static void remember(struct bases *bases, const struct key *key, struct str text)
{
        struct buf *copy = mem_new(sizeof *copy);
        buf_add(copy, text);
        pthread_mutex_lock(&bases->lock);
        if (map_count(bases->texts) >= BASES_MOST)
                forget(bases);
        struct buf *old = map_drop(bases->texts, key_str(key));
        map_put(bases->texts, key_str(key), copy);
        pthread_mutex_unlock(&bases->lock);
        text_free(old);
}

enum status bases_unpack(
        struct store *store, uint32_t mailbox, const struct packed *packed, struct buf *out)
{
        struct bases *bases = store->bases;
        struct key key = key_entry(mailbox, packed->base);
        struct buf value = {0};
        struct str text;
        enum status st = OK;
        if (!packed->base) /* none: what there is stands in the steps */
                return prefix_unpack(STR_NONE, packed, out);
        pthread_mutex_lock(&bases->lock);
        const struct buf *known = map_get(bases->texts, key_str(&key));
        if (known)
                st = prefix_unpack(buf_str(known), packed, out);
        pthread_mutex_unlock(&bases->lock);
        if (known)
                return st;
        st = get_value(store, NULL, TABLE_PREFIX, &key, &value);
        if (st == OK)
                st = text_read(buf_str(&value), &text);
        if (st == OK) {
                st = prefix_unpack(text, packed, out);
                remember(bases, &key, text);
        }
        buf_release(&value);
        return st == ABSENT ? codec_damaged("a prefix: it rests on one that is not there:") : st;
}

/* ---- the writer's ---- */

static enum status base_load(struct txn *txn, struct store *store, struct row *row)
{
        struct prefix_base *base = &row->base;
        struct key from = key_entry(row->mailbox.id, 0), upto = key_entry(row->mailbox.id + 1, 0);
        struct buf key = {0}, value = {0};
        struct str text;
        uint32_t mailbox;
        if (base->known)
                return OK;
        enum status st = table_last(
                store->env, txn, TABLE_PREFIX, key_str(&from), key_str(&upto), &key, &value);
        if (st == OK)
                st = text_read(buf_str(&value), &text);
        if (st == OK && !key_entry_read(buf_str(&key), &mailbox, &base->number))
                st = codec_damaged("a prefix");
        if (st == OK)
                buf_set(&base->text, text);
        st = st == ABSENT ? OK : st;
        base->known = st == OK;
        buf_release(&key);
        buf_release(&value);
        return st;
}

static enum status base_make(struct txn *txn, struct row *row, const struct new_prefix *p)
{
        struct key key = key_entry(row->mailbox.id, p->number);
        struct buf value = {0};
        row->base.number = p->number;
        buf_set(&row->base.text, p->text);
        text_write(p->text, &value);
        return put_value(txn, TABLE_PREFIX, &key, &value);
}

static bool says_little(const struct row *row, const struct new_prefix *p)
{
        const struct prefix_base *base = &row->base;
        return p->steps->len > FEW + p->text.len / SHARE &&
               (!base->number || p->number - base->number >= APART);
}

enum status bases_pack(
        struct txn *txn, struct row *row, const struct new_prefix *p, struct packed *out)
{
        *out = (struct packed){.steps = STR_NONE};
        if (!p->text.len)
                return OK;
        enum status st = base_load(txn, p->store, row);
        if (st != OK)
                return st;
        prefix_pack(buf_str(&row->base.text), p->text, p->steps);
        if (says_little(row, p)) {
                st = base_make(txn, row, p);
                buf_clear(p->steps);
                prefix_pack(p->text, p->text, p->steps);
        }
        *out = (struct packed){.base = row->base.number,
                .size = (uint32_t)p->text.len,
                .steps = buf_str(p->steps)};
        return st;
}
