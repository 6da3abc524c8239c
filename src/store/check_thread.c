#include "store/checking.h"
#include "store/rows.h"

/* A reply, and who it answers. */
struct link {
        uint64_t message, parent, root;
        uint32_t children, counted;
        bool ghost;
};

struct links {
        struct link *at;
        size_t count, room;
};

static struct link *find(const struct links *l, uint64_t message)
{
        size_t low = 0, high = l->count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (l->at[middle].message < message)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < l->count && l->at[low].message == message ? &l->at[low] : NULL;
}

/* In the order of ids, because the table is. */
static enum status read_links(struct checking *c, struct links *l)
{
        struct scan *scan = scan_open(c->store->env, NULL, TABLE_THREAD, STR_NONE, STR_NONE);
        struct str key, value;
        struct thread_record t;
        uint64_t message;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                if (!key_thread_read(key, &message))
                        continue;
                st = thread_read(value, &t);
                if (st != OK)
                        break;
                if (l->count == l->room) {
                        l->room = 2 * l->room + 1024;
                        l->at = mem_grow(l->at, l->room * sizeof *l->at);
                }
                l->at[l->count++] = (struct link){
                        message, t.parent, t.root, t.children, 0, t.ghost};
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

/* Up to the root. A tree in which nobody is their own ancestor is shorter than the table. */
static bool reaches_root(const struct links *l, const struct link *from)
{
        const struct link *at = from;
        for (size_t i = 0; at && at->parent && i <= l->count; i++)
                at = find(l, at->parent);
        return at && !at->parent && at->message == from->root;
}

static enum status check_link(struct checking *c, const struct links *l, const struct link *at)
{
        unsigned long long id = at->message;
        struct key member = key_member(at->root, at->message), message = key_message(at->message);
        bool is;
        enum status st = check_has(c, TABLE_MESSAGE, &message, &is);
        if (st == OK && is == at->ghost)
                check_fault(c, "thread of %llu: %s", id,
                        is ? "a message is kept as a ghost" : "there is no message");
        if (st != OK || !at->parent)
                return st;
        const struct link *parent = find(l, at->parent);
        if (!parent)
                check_fault(c, "thread of %llu: its parent has none", id);
        if (!at->ghost) { /* a ghost hangs below what is likely its root, and answers nobody */
                c->report.replies++;
                c->report.replies_found += parent && !parent->ghost;
        }
        st = check_has(c, TABLE_THREAD, &member, &is);
        if (st == OK && !is)
                check_fault(c, "thread of %llu: its root does not know of it", id);
        return st;
}

static enum status check_members(struct checking *c, const struct links *l)
{
        struct scan *scan = scan_open(c->store->env, NULL, TABLE_THREAD, STR_NONE, STR_NONE);
        struct str key, value;
        uint64_t root, message;
        bool ghost;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                if (!key_member_read(key, &root, &message))
                        continue;
                st = member_read(value, &ghost);
                if (st != OK)
                        break;
                const struct link *at = find(l, message);
                if (!at || at->root != root || at->ghost != ghost)
                        check_fault(c, "thread %llu: %llu is no member of it",
                                (unsigned long long)root, (unsigned long long)message);
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

enum status check_threads(struct checking *c)
{
        struct links l = {0};
        enum status st = read_links(c, &l);
        for (size_t i = 0; st == OK && i < l.count; i++) {
                struct link *parent = l.at[i].parent ? find(&l, l.at[i].parent) : NULL;
                if (parent)
                        parent->counted++;
        }
        for (size_t i = 0; st == OK && i < l.count; i++) {
                unsigned long long id = l.at[i].message;
                st = check_link(c, &l, &l.at[i]);
                if (l.at[i].children != l.at[i].counted)
                        check_fault(c, "thread of %llu: %u answers counted, has %u", id,
                                l.at[i].children, l.at[i].counted);
                if (!reaches_root(&l, &l.at[i]))
                        check_fault(c, "thread of %llu: does not lead to its root", id);
        }
        if (st == OK)
                st = check_members(c, &l);
        free(l.at);
        return st;
}
