#include "store/mailbox.h"
#include "store/rows.h"
#include "store/view.h"
#include "store/mark.h"

enum status mailbox_get(struct store *store, uint32_t id, struct arena *arena, struct mailbox *out)
{
        struct buf value = {0};
        struct key key = key_mailbox(id);
        enum status st = get_value(store, NULL, TABLE_MAILBOX, &key, &value);
        if (st == OK)
                st = mailbox_read(buf_str(&value), out);
        if (st == OK) {
                out->id = id;
                out->name = arena_copy(arena, out->name);
        }
        buf_release(&value);
        return st;
}

/* INBOX has one name in any case, also as the first part of others (RFC 9051 5.1). */
static void folder_key(uint32_t owner, struct str name, struct buf *out)
{
        struct str inbox = STR("INBOX");
        if (!owner || !str_starts_same(name, inbox) ||
                (name.len > inbox.len && name.at[inbox.len] != '/')) {
                key_folder(owner, name, out);
                return;
        }
        key_folder(owner, inbox, out);
        buf_add(out, str_from(name, inbox.len));
}

static enum status find(
        struct store *store, struct txn *txn, const struct buf *key, struct folder_record *out)
{
        struct buf value = {0};
        enum status st = table_get(store->env, txn, TABLE_FOLDER, buf_str(key), &value);
        if (st == OK)
                st = folder_read(buf_str(&value), out);
        buf_release(&value);
        return st;
}

enum status mailbox_find(struct store *store, uint32_t owner, struct str name, struct arena *arena,
        struct mailbox *out)
{
        struct buf key = {0};
        struct folder_record f;
        folder_key(owner, name, &key);
        enum status st = find(store, NULL, &key, &f);
        buf_release(&key);
        return st == OK ? mailbox_get(store, f.mailbox, arena, out) : st;
}

enum status mailbox_find_use(
        struct store *store, uint32_t owner, enum special_use use, uint32_t *id)
{
        struct key prefix = key_mailbox(owner); /* a folder's key begins with its owner */
        struct scan *scan = scan_prefix(store, NULL, TABLE_FOLDER, &prefix);
        struct str key, value;
        struct folder_record f;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                st = folder_read(value, &f);
                if (st != OK || f.use == use)
                        break;
        }
        scan_close(scan);
        if (st == OK)
                *id = f.mailbox;
        return st;
}

enum status mailbox_list(struct store *store, uint32_t owner, struct arena *arena,
        struct mailbox **out, size_t *count)
{
        struct key prefix = key_mailbox(owner);
        struct scan *scan = scan_prefix(store, NULL, TABLE_FOLDER, &prefix);
        struct buf ids = {0};
        struct str key, value;
        struct folder_record f;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                st = folder_read(value, &f);
                if (st != OK)
                        break;
                buf_add_u32(&ids, f.mailbox);
        }
        scan_close(scan);
        st = st == ABSENT ? OK : st;
        struct reader r = reader_of(buf_str(&ids));
        *count = 0;
        *out = arena_alloc(arena, (ids.len / 4 + 1) * sizeof **out);
        for (size_t i = ids.len / 4; st == OK && i > 0; i--) {
                st = mailbox_get(store, read_u32(&r), arena, &(*out)[*count]);
                *count += st == OK;
                st = st == ABSENT ? OK : st; /* it went meanwhile */
        }
        buf_release(&ids);
        return st;
}

/* ---- names of folders ---- */

enum { NAME_SIZE_MAX = 500 };

struct folder_op {
        struct op op;
        struct mailbox mailbox; /* borrowed */
        uint32_t *id;
        struct str name; /* the new one */
        uint32_t given;
};

static bool name_is_sound(struct str name)
{
        return name.len && name.len <= NAME_SIZE_MAX && name.at[0] != '/' &&
               name.at[name.len - 1] != '/' && str_find(name, STR("//")) == STR_NOWHERE &&
               str_chr(name, '\0') == STR_NOWHERE;
}

static enum status is_free(struct txn *txn, struct op *op, uint32_t owner, struct str name)
{
        struct buf key = {0};
        struct folder_record f;
        if (!name_is_sound(name))
                return INVALID;
        folder_key(owner, name, &key);
        enum status st = find(op->store, txn, &key, &f);
        buf_release(&key);
        return st == OK ? EXISTS : st == ABSENT ? OK : st;
}

static enum status add_check(struct txn *txn, struct op *op)
{
        struct folder_op *f = (struct folder_op *)op;
        struct key person = key_mailbox(f->mailbox.owner);
        enum status st = f->mailbox.owner
                                 ? table_has(op->store->env, txn, TABLE_PERSON, key_str(&person))
                                 : OK;
        return st == OK ? is_free(txn, op, f->mailbox.owner, f->mailbox.name) : st;
}

static enum status add_put(struct txn *txn, struct op *op)
{
        struct folder_op *f = (struct folder_op *)op;
        struct buf key = {0};
        struct mailbox m = f->mailbox;
        folder_key(m.owner, m.name, &key);
        m.name = str_from(buf_str(&key), 4);
        enum status st = rows_add(txn, op, &m, f->id ? f->id : &f->given);
        buf_release(&key);
        return st;
}

static void folder_free(struct op *op)
{
        free(op);
}

static const struct op_kind add_kind = {
        .name = "a new folder",
        .check = add_check,
        .put = add_put,
        .publish = views_passed,
        .free = folder_free,
};

void change_mailbox_add(struct change *change, const struct mailbox *mailbox, uint32_t *id)
{
        struct folder_op *f = mem_new(sizeof *f);
        f->op.kind = &add_kind;
        f->mailbox = *mailbox;
        f->id = id;
        change_op(change, &f->op);
}

/* The mailboxes whose names are `from` or lie below it, with their new names, one after the other.
 */
static enum status list_below(
        struct txn *txn, struct op *op, const struct mailbox *from, struct buf *ids)
{
        struct buf prefix = {0}, upto = {0};
        struct str key, value;
        struct folder_record f;
        enum status st;
        key_folder(from->owner, from->name, &prefix);
        buf_add_char(&prefix, '/');
        key_after(buf_str(&prefix), &upto);
        struct scan *scan = scan_open(
                op->store->env, txn, TABLE_FOLDER, buf_str(&prefix), buf_str(&upto));
        buf_add_u32(ids, from->id);
        while ((st = scan_next(scan, &key, &value)) == OK) {
                st = folder_read(value, &f);
                if (st != OK)
                        break;
                buf_add_u32(ids, f.mailbox);
        }
        scan_close(scan);
        buf_release(&prefix);
        buf_release(&upto);
        return st == ABSENT ? OK : st;
}

/* Calls is_free or rows_rename for the folder and each below it. */
static enum status rename_each(
        struct txn *txn, struct folder_op *f, const struct mailbox *from, bool check)
{
        struct buf ids = {0}, name = {0}, wanted = {0};
        size_t cut = from->name.len; /* its own name changes on the way */
        enum status st = list_below(txn, &f->op, from, &ids);
        folder_key(from->owner, f->name, &wanted);
        struct reader r = reader_of(buf_str(&ids));
        for (size_t i = ids.len / 4; st == OK && i > 0; i--) {
                struct row *row;
                st = rows_get(txn, f->op.store, read_u32(&r), &row);
                if (st != OK)
                        break;
                buf_set(&name, str_from(buf_str(&wanted), 4));
                buf_add(&name, str_from(row->mailbox.name, cut));
                st = check ? is_free(txn, &f->op, row->mailbox.owner, buf_str(&name))
                           : rows_rename(txn, &f->op, row, buf_str(&name));
        }
        buf_release(&ids);
        buf_release(&name);
        buf_release(&wanted);
        return st;
}

static enum status rename_check(struct txn *txn, struct op *op)
{
        struct folder_op *f = (struct folder_op *)op;
        struct row *row;
        enum status st = rows_get(txn, op->store, f->mailbox.id, &row);
        if (st != OK)
                return st;
        const struct mailbox *m = &row->mailbox;
        if (m->kind != MAILBOX_FOLDER || m->use == USE_INBOX)
                return FORBIDDEN;
        if (str_starts(f->name, m->name) && f->name.len > m->name.len &&
                f->name.at[m->name.len] == '/')
                return INVALID; /* into itself */
        return rename_each(txn, f, m, true);
}

static enum status rename_put(struct txn *txn, struct op *op)
{
        struct folder_op *f = (struct folder_op *)op;
        struct row *row;
        enum status st = rows_get(txn, op->store, f->mailbox.id, &row);
        return st == OK ? rename_each(txn, f, &row->mailbox, false) : st;
}

static const struct op_kind rename_kind = {
        .name = "renaming a folder",
        .check = rename_check,
        .put = rename_put,
        .publish = views_passed,
        .free = folder_free,
};

void change_mailbox_rename(struct change *change, uint32_t id, struct str name)
{
        struct folder_op *f = mem_new(sizeof *f);
        f->op.kind = &rename_kind;
        f->mailbox.id = id;
        f->name = name;
        change_op(change, &f->op);
}
