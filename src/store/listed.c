#include "store/listed.h"
#include "store/rows.h"
#include "store/view.h"

enum status listed_read(struct store *store, uint32_t person, struct arena *arena,
        struct listed **out, size_t *count)
{
        struct buf prefix = {0}, upto = {0};
        struct str key, value;
        enum status st;
        size_t room = 0;
        *out = NULL;
        *count = 0;
        key_listed(person, STR_NONE, &prefix);
        key_after(buf_str(&prefix), &upto);
        struct scan *scan = scan_open(
                store->env, NULL, TABLE_META, buf_str(&prefix), buf_str(&upto));
        while (*count < LISTED_MAX && (st = scan_next(scan, &key, &value)) == OK) {
                if (*count == room) {
                        struct listed *more = arena_alloc(arena, (2 * room + 16) * sizeof *more);
                        if (*count)
                                memcpy(more, *out, *count * sizeof *more);
                        room = 2 * room + 16;
                        *out = more;
                }
                st = listed_value_read(value, &(*out)[*count].on);
                if (st != OK)
                        break;
                (*out)[*count].name = arena_copy(arena, str_from(key, prefix.len));
                ++*count;
        }
        scan_close(scan);
        buf_release(&prefix);
        buf_release(&upto);
        return st == ABSENT ? OK : st;
}

struct listed_op {
        struct op op;
        uint32_t person;
        struct listed listed; /* its name is borrowed */
};

static enum status listed_check(struct txn *txn, struct op *op)
{
        const struct listed_op *l = (const struct listed_op *)op;
        struct key person = key_mailbox(l->person);
        if (!l->listed.name.len || l->listed.name.len > LISTED_NAME_MAX)
                return INVALID;
        return table_has(op->store->env, txn, TABLE_PERSON, key_str(&person));
}

static enum status listed_put(struct txn *txn, struct op *op)
{
        const struct listed_op *l = (const struct listed_op *)op;
        struct buf key = {0}, value = {0};
        key_listed(l->person, l->listed.name, &key);
        listed_value_write(l->listed.on, &value);
        enum status st = table_put(txn, TABLE_META, buf_str(&key), buf_str(&value));
        buf_release(&key);
        buf_release(&value);
        return st;
}

static void listed_free(struct op *op)
{
        free(op);
}

static const struct op_kind listed_kind = {
        .name = "what is listed",
        .check = listed_check,
        .put = listed_put,
        .publish = views_passed,
        .free = listed_free,
};

void change_listed(struct change *change, uint32_t person, const struct listed *listed)
{
        struct listed_op *l = mem_new(sizeof *l);
        l->op.kind = &listed_kind;
        l->person = person;
        l->listed = *listed;
        change_op(change, &l->op);
}
