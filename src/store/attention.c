#include "store/attention.h"
#include "store/rows.h"
#include "store/view.h"

enum status attention_get(
        struct store *store, uint32_t person, uint64_t root, enum attention *out)
{
        struct key key = key_attention(person, root);
        struct buf value = {0};
        *out = ATTENTION_NONE;
        enum status st = get_value(store, NULL, TABLE_ATTENTION, &key, &value);
        if (st == OK)
                st = attention_read(buf_str(&value), out);
        buf_release(&value);
        return st == ABSENT ? OK : st;
}

enum status attention_list(struct store *store, uint32_t person, struct arena *arena,
        struct attended **out, size_t *count)
{
        struct key prefix = key_attentions(person);
        struct scan *scan = scan_prefix(store, NULL, TABLE_ATTENTION, &prefix);
        struct str key, value;
        struct buf found = {0};
        enum status st = OK;
        *count = 0;
        while (*count < ATTENTION_MOST && (st = scan_next(scan, &key, &value)) == OK) {
                struct attended a = {0};
                if (!key_attention_read(key, &person, &a.root))
                        st = codec_damaged("a muted thread");
                if (st == OK)
                        st = attention_read(value, &a.attention);
                if (st != OK)
                        break;
                buf_add(&found, str_make((const char *)&a, sizeof a));
                ++*count;
        }
        scan_close(scan);
        *out = arena_alloc(arena, found.len + 1);
        if (found.len)
                memcpy(*out, found.at, found.len);
        buf_release(&found);
        return st == ABSENT ? OK : st;
}

struct attention_op {
        struct op op;
        uint32_t person;
        struct attended said;
};

static enum status attention_check(struct txn *txn, struct op *op)
{
        struct key person = key_mailbox(((const struct attention_op *)op)->person);
        return table_has(op->store->env, txn, TABLE_PERSON, key_str(&person));
}

static enum status attention_put(struct txn *txn, struct op *op)
{
        const struct attention_op *a = (const struct attention_op *)op;
        struct key key = key_attention(a->person, a->said.root);
        struct buf value = {0};
        if (a->said.attention == ATTENTION_NONE)
                return drop_value(txn, TABLE_ATTENTION, &key);
        attention_write(a->said.attention, &value);
        return put_value(txn, TABLE_ATTENTION, &key, &value);
}

static void attention_free(struct op *op)
{
        free(op);
}

static const struct op_kind attention_kind = {
        .name = "attention to a thread",
        .check = attention_check,
        .put = attention_put,
        .publish = views_passed,
        .free = attention_free,
};

void change_attention(struct change *change, uint32_t person, const struct attended *said)
{
        struct attention_op *a = mem_new(sizeof *a);
        a->op.kind = &attention_kind;
        a->person = person;
        a->said = *said;
        change_op(change, &a->op);
}
