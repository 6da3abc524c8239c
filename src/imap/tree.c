#include "imap/tree.h"
#include "base/idmap.h"

enum { NONE = UINT32_MAX, WALK_MAX = 10000 };

struct node {
        const struct threaded *message; /* NULL: a dummy, known from References only, or made */
        uint32_t parent;
        uint32_t first, last, next; /* children in order; the next brother */
        uint32_t oldest;            /* of a dummy: its first child */
        uint32_t children;          /* how many */
        bool has_children;          /* while linking */
        bool gone;                  /* a dummy that is not needed */
};

struct forest {
        struct node *nodes;
        uint32_t count, room;
};

static uint32_t add_node(struct forest *f, const struct threaded *message)
{
        if (f->count == f->room) {
                f->room = 2 * f->room + 64;
                struct node *more = mem_new(f->room * sizeof *more);
                if (f->count)
                        memcpy(more, f->nodes, f->count * sizeof *more);
                free(f->nodes);
                f->nodes = more;
        }
        f->nodes[f->count] = (struct node){.message = message,
                .parent = NONE,
                .first = NONE,
                .last = NONE,
                .next = NONE,
                .oldest = NONE};
        return f->count++;
}

/* ---- step 1: who answers whom ---- */

static uint32_t node_of(struct forest *f, struct idmap *ids, const char *id)
{
        uint32_t *known = idmap_at(ids, id);
        if (!*known)
                *known = add_node(f, NULL) + 1;
        return *known - 1;
}

/* Would it be its own ancestor? A walk that is too long counts as a loop: it costs the sender. */
static bool makes_loop(const struct forest *f, uint32_t parent, uint32_t child)
{
        if (parent == child)
                return true;
        if (!f->nodes[child].has_children)
                return false;
        unsigned steps = 0;
        for (uint32_t n = parent; n != NONE; n = f->nodes[n].parent)
                if (n == child || ++steps == WALK_MAX)
                        return true;
        return false;
}

static void link_to(struct forest *f, uint32_t parent, uint32_t child)
{
        if (makes_loop(f, parent, child))
                return;
        f->nodes[child].parent = parent;
        f->nodes[parent].has_children = true;
}

static void link_message(struct forest *f, struct idmap *ids, const struct threaded *m)
{
        uint32_t own = node_of(f, ids, m->id), before = NONE;
        if (f->nodes[own].message) /* an id that is taken */
                own = add_node(f, NULL);
        f->nodes[own].message = m;
        for (size_t at = 0; at + THREAD_ID_SIZE <= m->references.len; at += THREAD_ID_SIZE) {
                uint32_t n = node_of(f, ids, m->references.at + at);
                if (before != NONE && f->nodes[n].parent == NONE)
                        link_to(f, before, n);
                before = n;
        }
        f->nodes[own].parent = NONE; /* its own References know best */
        if (before != NONE)
                link_to(f, before, own);
}

/* ---- steps 2 and 3: without the dummies that hold nothing together ---- */

/* The nearest ancestor that is a message, or the dummy at the root. */
static uint32_t real_parent(struct forest *f, uint32_t child)
{
        uint32_t top = f->nodes[child].parent, n;
        while (top != NONE && !f->nodes[top].message && f->nodes[top].parent != NONE)
                top = f->nodes[top].parent;
        n = f->nodes[child].parent;
        while (n != top && n != NONE && !f->nodes[n].message) { /* shorter for the next one */
                uint32_t above = f->nodes[n].parent;
                f->nodes[n].parent = top;
                n = above;
        }
        return top;
}

static bool is_older(const struct forest *f, uint32_t a, uint32_t b)
{
        const struct threaded *x = f->nodes[a].message, *y = f->nodes[b].message;
        return x->date != y->date ? x->date < y->date : x->shown < y->shown;
}

static void count_child(struct forest *f, uint32_t dummy, uint32_t child)
{
        struct node *d = &f->nodes[dummy];
        d->children++;
        if (d->oldest == NONE || is_older(f, child, d->oldest))
                d->oldest = child;
}

static void prune(struct forest *f)
{
        for (uint32_t i = 0; i < f->count; i++) {
                if (!f->nodes[i].message)
                        continue;
                uint32_t parent = real_parent(f, i);
                f->nodes[i].parent = parent;
                if (parent != NONE && !f->nodes[parent].message)
                        count_child(f, parent, i);
        }
        for (uint32_t i = 0; i < f->count; i++) {
                struct node *n = &f->nodes[i];
                if (n->message || n->children > 1)
                        continue;
                n->gone = true;
                if (n->children == 1)
                        f->nodes[n->oldest].parent = NONE;
        }
}

/* ---- order ---- */

struct place {
        time_t date;
        uint32_t shown, node;
};

static int by_date(const void *a, const void *b)
{
        const struct place *x = a, *y = b;
        if (x->date != y->date)
                return x->date < y->date ? -1 : 1;
        return x->shown < y->shown ? -1 : x->shown > y->shown;
}

static const struct threaded *first_message(const struct forest *f, uint32_t n)
{
        const struct node *node = &f->nodes[n];
        return node->message ? node->message : f->nodes[node->oldest].message;
}

/* Most mail lies in a folder as it was sent. */
static bool in_order_already(const struct place *all, uint32_t count)
{
        for (uint32_t i = 1; i < count; i++)
                if (by_date(&all[i - 1], &all[i]) > 0)
                        return false;
        return true;
}

/* Nodes by date; those at the root only, or all. The caller's. */
static struct place *in_order(const struct forest *f, bool roots, uint32_t *count)
{
        struct place *all = mem_new((f->count + 1) * sizeof *all);
        *count = 0;
        for (uint32_t i = 0; i < f->count; i++) {
                const struct node *n = &f->nodes[i];
                bool dummy_below = !n->message && n->parent != NONE;
                if (n->gone || dummy_below || (roots && n->parent != NONE))
                        continue;
                const struct threaded *m = first_message(f, i);
                all[(*count)++] = (struct place){m->date, m->shown, i};
        }
        if (!in_order_already(all, *count))
                qsort(all, *count, sizeof *all, by_date);
        return all;
}

/* ---- steps 4 and 5: threads of the same subject ---- */

static bool has_subject(const struct threaded *m)
{
        static const char none[THREAD_ID_SIZE];
        return memcmp(m->subject, none, sizeof none) != 0;
}

static void remember(struct forest *f, struct idmap *subjects, uint32_t n)
{
        const struct threaded *m = first_message(f, n);
        if (!has_subject(m))
                return;
        uint32_t *known = idmap_at(subjects, m->subject);
        if (*known) {
                const struct node *there = &f->nodes[*known - 1], *here = &f->nodes[n];
                bool worse = here->message && there->message &&
                             (!there->message->reply || here->message->reply);
                if (!there->message || worse)
                        return;
        }
        *known = n + 1;
}

static void adopt(struct forest *f, uint32_t dummy, uint32_t child)
{
        f->nodes[child].parent = dummy;
        count_child(f, dummy, child);
}

/* The children of a dummy go to another one. They are marked, and moved together at the end. */
static void join_dummies(struct forest *f, uint32_t into, uint32_t from)
{
        f->nodes[from].gone = true;
        f->nodes[from].parent = into;
        f->nodes[into].children += f->nodes[from].children;
        if (is_older(f, f->nodes[from].oldest, f->nodes[into].oldest))
                f->nodes[into].oldest = f->nodes[from].oldest;
}

static void merge(struct forest *f, struct idmap *subjects, uint32_t n)
{
        const struct threaded *m = first_message(f, n);
        if (!has_subject(m))
                return;
        uint32_t *known = idmap_at(subjects, m->subject), there = *known - 1; /* all are there */
        if (there == n)
                return;
        bool here_real = f->nodes[n].message, there_real = f->nodes[there].message;
        if (!there_real && !here_real) {
                join_dummies(f, there, n);
        } else if (!there_real) {
                adopt(f, there, n);
        } else if (here_real && f->nodes[n].message->reply && !f->nodes[there].message->reply) {
                f->nodes[n].parent = there;
        } else {
                uint32_t both = add_node(f, NULL);
                adopt(f, both, there);
                adopt(f, both, n);
                *known = both + 1;
        }
}

static void join_subjects(struct forest *f)
{
        uint32_t count;
        struct place *roots = in_order(f, true, &count);
        struct idmap *subjects = idmap_new(count);
        for (uint32_t i = 0; i < count; i++)
                remember(f, subjects, roots[i].node);
        for (uint32_t i = 0; i < count; i++)
                merge(f, subjects, roots[i].node);
        for (uint32_t i = 0; i < f->count; i++) {
                uint32_t parent = f->nodes[i].parent;
                if (f->nodes[i].message && parent != NONE && f->nodes[parent].gone)
                        f->nodes[i].parent = f->nodes[parent].parent;
        }
        idmap_free(subjects);
        free(roots);
}

/* ---- step 6, and telling ---- */

/* Every list of children in order of date. The first root. */
static uint32_t arrange(struct forest *f)
{
        uint32_t count, first = NONE, last = NONE;
        struct place *all = in_order(f, false, &count);
        for (uint32_t i = 0; i < count; i++) {
                uint32_t n = all[i].node, parent = f->nodes[n].parent;
                uint32_t *head = parent == NONE ? &first : &f->nodes[parent].first;
                uint32_t *tail = parent == NONE ? &last : &f->nodes[parent].last;
                if (*head == NONE)
                        *head = n;
                else
                        f->nodes[*tail].next = n;
                *tail = n;
        }
        free(all);
        return first;
}

/* A message and its only child, and so on, down to where it branches. */
static uint32_t print_line(const struct forest *f, uint32_t n, struct buf *out)
{
        buf_add_char(out, '(');
        for (;;) {
                const struct node *node = &f->nodes[n];
                if (node->message)
                        buf_add_number(out, node->message->shown);
                if (node->message && node->first != NONE)
                        buf_add_char(out, ' ');
                if (node->first == NONE || f->nodes[node->first].next != NONE)
                        return node->first;
                n = node->first;
        }
}

/* `up` holds where to go on above: NONE at the end of a list of brothers. */
static void print_all(const struct forest *f, uint32_t first, struct buf *out)
{
        uint32_t *up = mem_new((f->count + 1) * sizeof *up), depth = 0, n = first;
        for (;;) {
                while (n == NONE && depth > 0) {
                        buf_add_char(out, ')');
                        n = up[--depth];
                }
                if (n == NONE)
                        break;
                up[depth++] = f->nodes[n].next;
                n = print_line(f, n, out);
        }
        free(up);
}

void thread_references(const struct threaded *messages, size_t count, struct buf *out)
{
        struct forest f = {0};
        struct idmap *ids = idmap_new(count);
        for (size_t i = 0; i < count; i++)
                link_message(&f, ids, &messages[i]);
        idmap_free(ids);
        prune(&f);
        join_subjects(&f);
        print_all(&f, arrange(&f), out);
        free(f.nodes);
}

void thread_subjects(const struct threaded *messages, size_t count, struct buf *out)
{
        struct forest f = {0};
        struct idmap *subjects = idmap_new(count);
        for (size_t i = 0; i < count; i++)
                (void)add_node(&f, &messages[i]);
        uint32_t n;
        struct place *all = in_order(&f, true, &n);
        for (uint32_t i = 0; i < n; i++) { /* the oldest of a subject comes first */
                struct node *node = &f.nodes[all[i].node];
                uint32_t *known = idmap_at(subjects, node->message->subject);
                if (*known)
                        node->parent = *known - 1;
                else
                        *known = all[i].node + 1;
        }
        free(all);
        idmap_free(subjects);
        print_all(&f, arrange(&f), out);
        free(f.nodes);
}
