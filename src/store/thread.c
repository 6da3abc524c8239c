#include "store/thread.h"
#include "store/rows.h"

static enum status get_thread(
        struct store *store, struct txn *txn, uint64_t message, struct thread_record *out)
{
        struct buf value = {0};
        struct key key = key_thread(message);
        enum status st = get_value(store, txn, TABLE_THREAD, &key, &value);
        if (st == OK)
                st = thread_read(buf_str(&value), out);
        else if (st == ABSENT)
                *out = (struct thread_record){.root = message}, st = OK;
        buf_release(&value);
        return st;
}

static enum status put_thread(struct txn *txn, uint64_t message, const struct thread_record *t)
{
        struct buf value = {0};
        struct key key = key_thread(message);
        if (!t->parent && !t->children && !t->ghost)
                return drop_value(txn, TABLE_THREAD, &key);
        thread_write(t, &value);
        return put_value(txn, TABLE_THREAD, &key, &value);
}

static enum status put_member(struct txn *txn, uint64_t message, const struct thread_record *t)
{
        struct buf value = {0};
        struct key key = key_member(t->root, message);
        if (!t->parent)
                return OK; /* a root is no member of itself */
        member_write(t->ghost, &value);
        return put_value(txn, TABLE_THREAD, &key, &value);
}

static enum status put_both(struct txn *txn, uint64_t message, const struct thread_record *t)
{
        enum status st = put_thread(txn, message, t);
        return st == OK ? put_member(txn, message, t) : st;
}

enum status ids_find(
        struct store *store, struct txn *txn, const unsigned char hash[HASH_SIZE], struct ids *out)
{
        struct key prefix = key_ids(hash);
        struct scan *scan = scan_prefix(store, txn, TABLE_ID, &prefix);
        struct str key, value;
        enum status st;
        *out = (struct ids){0};
        scan_singly(scan);
        while ((st = scan_next(scan, &key, &value)) == OK) {
                struct id_record id;
                const unsigned char *found;
                uint64_t message;
                st = id_read(value, &id);
                if (st != OK)
                        break;
                if (!key_id_read(key, &found, &message))
                        continue;
                if (id.ghost) {
                        out->ghost = out->ghost ? out->ghost : message;
                } else {
                        out->message = message;
                        out->modseq = id.modseq;
                        st = ABSENT;
                        break;
                }
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

static enum status add_child(struct txn *txn, struct op *op, uint64_t parent)
{
        struct thread_record t;
        enum status st = get_thread(op->store, txn, parent, &t);
        if (st != OK)
                return st;
        t.children++;
        return put_thread(txn, parent, &t);
}

static enum status make_ghost(struct txn *txn, struct op *op, const unsigned char hash[HASH_SIZE],
        uint64_t parent, uint64_t root, uint64_t *out)
{
        struct thread_record t = {.parent = parent, .ghost = true};
        struct id_record id = {.ghost = true, .modseq = op->modseq};
        struct buf value = {0};
        enum status st = counter_take(txn, op->store, COUNTER_MESSAGE, out);
        if (st != OK)
                return st;
        struct key key = key_id(hash, *out);
        t.root = parent ? root : *out;
        memcpy(t.id_hash, hash, HASH_SIZE);
        id_write(&id, &value);
        st = put_value(txn, TABLE_ID, &key, &value);
        if (st == OK)
                st = put_both(txn, *out, &t);
        if (st == OK && parent)
                st = add_child(txn, op, parent);
        return st;
}

/* The message or ghost of this Message-ID; a new ghost when there is none. */
static enum status known_or_ghost(struct txn *txn, struct op *op,
        const unsigned char hash[HASH_SIZE], uint64_t *out, bool *new)
{
        struct ids ids;
        enum status st = ids_find(op->store, txn, hash, &ids);
        *out = ids.message ? ids.message : ids.ghost;
        *new = st == OK && !*out;
        return st;
}

/* The parent's id and record. An unknown parent hangs below the first reference, which is most
 * likely the root of its thread. */
static enum status find_parent(struct txn *txn, struct op *op, const struct ancestry *a,
        uint64_t *parent, struct thread_record *out)
{
        bool new;
        uint64_t first = 0;
        struct thread_record t = {0};
        enum status st = known_or_ghost(txn, op, a->parent_hash, parent, &new);
        if (st == OK && new && a->first) {
                st = known_or_ghost(txn, op, a->first_hash, &first, &new);
                if (st == OK && new)
                        st = make_ghost(txn, op, a->first_hash, 0, 0, &first);
                if (st == OK)
                        st = get_thread(op->store, txn, first, &t);
                new = true;
        }
        if (st == OK && new)
                st = make_ghost(txn, op, a->parent_hash, first, t.root, parent);
        return st == OK ? get_thread(op->store, txn, *parent, out) : st;
}

/* All members of a tree, at most THREAD_MOVES_MOST of them. */
static enum status list_members(
        struct txn *txn, struct op *op, uint64_t root, uint64_t *out, size_t *count)
{
        struct key prefix = key_members(root);
        struct scan *scan = scan_prefix(op->store, txn, TABLE_THREAD, &prefix);
        struct str key, value;
        enum status st;
        uint64_t r;
        *count = 0;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                if (*count == THREAD_MOVES_MOST) {
                        st = TOO_MANY;
                        break;
                }
                if (key_member_read(key, &r, &out[*count]))
                        ++*count;
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

static enum status move_members(
        struct txn *txn, struct op *op, const uint64_t *members, size_t count, uint64_t root)
{
        enum status st = OK;
        for (size_t i = 0; st == OK && i < count; i++) {
                struct thread_record t;
                st = get_thread(op->store, txn, members[i], &t);
                if (st != OK)
                        break;
                struct key old = key_member(t.root, members[i]);
                st = drop_value(txn, TABLE_THREAD, &old);
                t.root = root;
                if (st == OK)
                        st = put_both(txn, members[i], &t);
        }
        return st;
}

/* Is `message` the other one, or among its ancestors? Looks a bounded way up, and then says yes. */
static enum status is_above(
        struct txn *txn, struct op *op, uint64_t message, uint64_t other, bool *above)
{
        struct thread_record t = {.parent = other};
        enum status st = OK;
        *above = true;
        for (unsigned i = 0; st == OK && i < THREAD_MOVES_MOST; i++) {
                if (t.parent == message || t.parent == 0) {
                        *above = t.parent == message;
                        break;
                }
                st = get_thread(op->store, txn, t.parent, &t);
        }
        return st;
}

static enum status drop_child(struct txn *txn, struct op *op, uint64_t parent);

/* A late parent's own parent is known now. Its whole tree joins the parent's, or, when it hangs in
 * that tree already (below its first reference, as was guessed), only it moves. */
static enum status hang(
        struct txn *txn, struct op *op, uint64_t message, uint64_t parent, uint64_t root)
{
        struct thread_record t;
        uint64_t *members = NULL, old;
        size_t count = 0;
        bool above;
        enum status st = get_thread(op->store, txn, message, &t);
        if (st != OK || t.parent == parent || (t.parent && t.root != root))
                return st;
        above = !t.parent && root == message;
        if (t.parent && t.children)
                st = is_above(txn, op, message, parent, &above);
        if (st != OK || above)
                return st;
        if (!t.parent && t.children) {
                members = mem_new(THREAD_MOVES_MOST * sizeof *members);
                st = list_members(txn, op, message, members, &count);
        }
        if (st == OK) {
                st = move_members(txn, op, members, count, root);
                old = t.parent;
                t.parent = parent;
                t.root = root;
                if (st == OK)
                        st = put_both(txn, message, &t);
                if (st == OK)
                        st = add_child(txn, op, parent);
                if (st == OK && old)
                        st = drop_child(txn, op, old);
        }
        free(members);
        return st == TOO_MANY ? OK : st; /* the trees stay apart */
}

/* A message that nothing has referred to yet hangs where it says, whatever there is. */
static enum status hang_fresh(
        struct txn *txn, uint64_t message, uint64_t parent, struct thread_record *of_parent)
{
        struct thread_record t = {.root = of_parent->root, .parent = parent};
        enum status st = put_both(txn, message, &t);
        of_parent->children++;
        return st == OK ? put_thread(txn, parent, of_parent) : st;
}

enum status thread_join(
        struct txn *txn, struct op *op, uint64_t message, const struct ancestry *a, bool fresh)
{
        uint64_t parent;
        struct thread_record t;
        if (!a->parent)
                return OK;
        enum status st = find_parent(txn, op, a, &parent, &t);
        if (st == OK && fresh)
                return hang_fresh(txn, message, parent, &t);
        if (st == OK)
                st = hang(txn, op, message, parent, t.root);
        if (st == OK)
                st = get_thread(op->store, txn, parent, &t);
        /* Hung nowhere: a ghost that was made for it goes again. */
        return st == OK && t.ghost && !t.children ? drop_child(txn, op, parent) : st;
}

enum status thread_awake(struct txn *txn, struct op *op, uint64_t ghost)
{
        struct thread_record t;
        enum status st = get_thread(op->store, txn, ghost, &t);
        t.ghost = false;
        return st == OK ? put_both(txn, ghost, &t) : st;
}

static enum status remove_thread(struct txn *txn, uint64_t message, const struct thread_record *t)
{
        struct key member = key_member(t->root, message), key = key_thread(message);
        enum status st = drop_value(txn, TABLE_THREAD, &key);
        return st == OK && t->parent ? drop_value(txn, TABLE_THREAD, &member) : st;
}

/* One child less; a ghost without children goes, and so up the tree. */
static enum status drop_child(struct txn *txn, struct op *op, uint64_t parent)
{
        while (parent) {
                struct thread_record t;
                enum status st = get_thread(op->store, txn, parent, &t);
                if (st != OK)
                        return st;
                t.children -= t.children > 0;
                if (!t.ghost || t.children)
                        return put_thread(txn, parent, &t);
                struct key id = key_id(t.id_hash, parent);
                st = remove_thread(txn, parent, &t);
                if (st == OK)
                        st = drop_value(txn, TABLE_ID, &id);
                if (st != OK)
                        return st;
                parent = t.parent;
        }
        return OK;
}

enum status thread_leave(struct txn *txn, struct op *op, uint64_t message,
        const unsigned char hash[HASH_SIZE], bool *stays)
{
        struct thread_record t;
        enum status st = get_thread(op->store, txn, message, &t);
        if (st != OK)
                return st;
        *stays = t.children > 0;
        if (*stays) {
                t.ghost = true;
                memcpy(t.id_hash, hash, HASH_SIZE);
                return put_both(txn, message, &t);
        }
        st = remove_thread(txn, message, &t);
        return st == OK ? drop_child(txn, op, t.parent) : st;
}

/* ---- reading ---- */

enum status thread_root(struct store *store, uint64_t message, uint64_t *root)
{
        struct thread_record t;
        enum status st = get_thread(store, NULL, message, &t);
        *root = t.root;
        return st;
}

enum status thread_parent(struct store *store, uint64_t message, uint64_t *parent)
{
        struct thread_record t;
        enum status st = get_thread(store, NULL, message, &t);
        *parent = t.parent;
        return st == OK && !t.parent ? ABSENT : st;
}

enum status thread_messages(struct store *store, uint64_t root, uint64_t *out, size_t *count)
{
        struct key prefix = key_members(root);
        struct thread_record t;
        struct str key, value;
        size_t room = *count;
        uint64_t r, message;
        bool ghost;
        *count = 0;
        enum status st = get_thread(store, NULL, root, &t);
        if (st != OK)
                return st;
        bool root_due = !t.ghost; /* its place among the members is by its id, too */
        struct scan *scan = scan_prefix(store, NULL, TABLE_THREAD, &prefix);
        while (*count < room && (st = scan_next(scan, &key, &value)) == OK) {
                st = member_read(value, &ghost);
                if (st != OK)
                        break;
                if (!key_member_read(key, &r, &message) || ghost)
                        continue;
                if (root_due && root < message) {
                        out[(*count)++] = root;
                        root_due = false;
                }
                if (*count < room)
                        out[(*count)++] = message;
        }
        scan_close(scan);
        if (root_due && *count < room)
                out[(*count)++] = root;
        return st == ABSENT ? OK : st;
}

enum status thread_newest(struct store *store, uint64_t root, uint64_t *out, size_t *count)
{
        struct key from = key_members(root), upto = key_members(root + 1);
        struct scan_back *scan = scan_back_open(
                store->env, TABLE_THREAD, key_str(&from), key_str(&upto));
        struct str key, value;
        size_t room = *count;
        enum status st = OK;
        *count = 0;
        while (*count < room && (st = scan_back_next(scan, &key, &value)) == OK) {
                uint64_t r;
                bool ghost;
                st = member_read(value, &ghost);
                if (st == OK && !key_member_read(key, &r, &out[*count]))
                        st = codec_damaged("a thread");
                if (st != OK)
                        break;
                *count += !ghost;
        }
        scan_back_close(scan);
        return st == ABSENT ? OK : st;
}
