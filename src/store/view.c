#include "store/view.h"
#include "base/clock.h"
#include "base/map.h"
#include "store/mark.h"
#include "store/rows.h"
#include <pthread.h>

/* How a mailbox comes to be known here, though the table is ahead of what is flushed.
 *
 * 1. A box in state LOADING is entered, so that from now on what the flusher publishes is logged in
 * it.
 * 2. The mailbox's record is read, which the writer puts in the same transaction as entries, with
 * the MODSEQ R of the last change to them; and what is noted up to R as vanished. All numbers that
 * were given, without these, are what is there at R, if they are as many as the record says. If not
 * (a restore leaves gaps), or if more has vanished than is there, the keys of the mailbox's entries
 * are read instead, in pieces, while the writer goes on, and then the record. Either way what was
 * read is the work of changes up to R and of no later one.
 * 3. If R lies above the published position P, it waits until what the writer has begun is flushed
 * and published, and then P >= R.
 * 4. What the pieces miss of the changes up to P was committed after 1, so it was published after 1
 * and is in the log. The log is applied in its order; doing again what the pieces have already is
 * harmless, because a number is given once. The box is then exactly at P.
 *
 * A change becomes visible when its last operation has been published, all boxes and the position
 * under one lock: a view is never ahead of nor behind its position. */

enum { BOXES_MOST = 2048, IDLE_MS = 60000, LOG_MOST = 1024 };

enum event_kind { EVENT_ADDED, EVENT_REMOVED, EVENT_MARKED, EVENT_GONE };
struct event {
        enum event_kind kind;
        uint32_t mailbox, person, low, high;
        uint64_t modseq;
        struct numset *removed;
};

struct events {
        struct event *at;
        size_t count, room;
};

struct shared_set { /* immutable while anybody but its box refers to it */
        struct numset *numbers;
        unsigned refs;
};

struct shared_view {
        struct view view; /* first: what callers hold */
        struct shared_set *set;
        unsigned refs;
};

enum box_state { BOX_EMPTY, BOX_LOADING, BOX_READY };
struct box {
        uint32_t mailbox, next, uid_validity;
        enum box_state state;
        bool gone;
        uint64_t modseq, used;
        struct shared_set *set;
        struct shared_view *view; /* the newest that was asked for */
        struct events log;        /* not yet in the set */
        struct watch *watches;
};

struct watch {
        struct box *box;
        struct watch *next, **link;
        uint32_t person;
        void (*wake)(void *);
        void *arg;
};

struct views {
        pthread_mutex_t lock;
        pthread_cond_t loaded;
        struct map *boxes; /* 4 octets of the mailbox's id -> struct box */
        size_t sweep_at;
        uint64_t position;
        struct events passing; /* of the change that is being published; the flusher's */
};

struct views *views_new(void)
{
        struct views *v = mem_new(sizeof *v);
        pthread_mutex_init(&v->lock, NULL);
        pthread_cond_init(&v->loaded, NULL);
        v->boxes = map_new();
        v->sweep_at = BOXES_MOST;
        return v;
}

static void events_add(struct events *e, const struct event *event)
{
        if (e->count == e->room) {
                e->room = e->room ? 2 * e->room : 8;
                e->at = mem_grow(e->at, e->room * sizeof *e->at);
        }
        e->at[e->count++] = *event;
}

static void events_clear(struct events *e)
{
        for (size_t i = 0; i < e->count; i++)
                numset_free(e->at[i].removed);
        free(e->at);
        *e = (struct events){0};
}

static void set_drop(struct shared_set *set)
{
        if (!set || --set->refs)
                return;
        numset_free(set->numbers);
        free(set);
}

static void view_drop(struct shared_view *v)
{
        if (!v || --v->refs)
                return;
        set_drop(v->set);
        free(v);
}

static void box_forget(struct box *b)
{
        view_drop(b->view);
        set_drop(b->set);
        events_clear(&b->log);
        b->view = NULL;
        b->set = NULL;
        b->state = BOX_EMPTY;
}

void views_free(struct views *v)
{
        size_t at = 0;
        struct str key;
        void *box;
        if (!v)
                return;
        while (map_next(v->boxes, &at, &key, &box)) {
                box_forget(box);
                free(box);
        }
        map_free(v->boxes);
        events_clear(&v->passing);
        pthread_cond_destroy(&v->loaded);
        pthread_mutex_destroy(&v->lock);
        free(v);
}

void views_start(struct store *store, uint64_t position)
{
        store->views->position = position;
}

uint64_t views_position(struct store *store)
{
        pthread_mutex_lock(&store->views->lock);
        uint64_t position = store->views->position;
        pthread_mutex_unlock(&store->views->lock);
        return position;
}

static struct str box_key(const uint32_t *mailbox)
{
        return str_make((const char *)mailbox, sizeof *mailbox);
}

static struct box *box_find(struct views *v, uint32_t mailbox)
{
        return map_get(v->boxes, box_key(&mailbox));
}

static void sweep(struct views *v, uint64_t idle_ms)
{
        uint64_t now = clock_ms();
        size_t at = 0, count = 0;
        struct str key;
        void *value;
        struct box **idle = mem_new((map_count(v->boxes) + 1) * sizeof(struct box *));
        while (map_next(v->boxes, &at, &key, &value)) {
                struct box *b = value;
                if (b->state != BOX_LOADING && !b->watches && now - b->used >= idle_ms)
                        idle[count++] = b;
        }
        for (size_t i = 0; i < count; i++) {
                map_drop(v->boxes, box_key(&idle[i]->mailbox));
                box_forget(idle[i]);
                free(idle[i]);
        }
        free(idle);
        size_t left = map_count(v->boxes);
        v->sweep_at = 2 * left > BOXES_MOST ? 2 * left : BOXES_MOST;
}

void views_trim(struct store *store, uint64_t idle_ms)
{
        pthread_mutex_lock(&store->views->lock);
        sweep(store->views, idle_ms);
        pthread_mutex_unlock(&store->views->lock);
}

static struct box *box_make(struct views *v, uint32_t mailbox)
{
        struct box *b = box_find(v, mailbox);
        if (b)
                return b;
        if (map_count(v->boxes) >= v->sweep_at)
                sweep(v, IDLE_MS);
        b = mem_new(sizeof *b);
        b->mailbox = mailbox;
        b->used = clock_ms();
        map_put(v->boxes, box_key(&mailbox), b);
        return b;
}

static void box_drop(struct views *v, struct box *b)
{
        if (b->watches) { /* these keep it, empty */
                box_forget(b);
                return;
        }
        map_drop(v->boxes, box_key(&b->mailbox));
        box_forget(b);
        free(b);
}

/* ---- what the flusher tells ---- */

static void tell(struct op *op, const struct event *event)
{
        struct event e = *event;
        e.modseq = op->modseq;
        events_add(&op->store->views->passing, &e);
}

void views_added(struct op *op, uint32_t mailbox, uint32_t low, uint32_t high)
{
        struct event e = {.kind = EVENT_ADDED, .mailbox = mailbox, .low = low, .high = high};
        tell(op, &e);
}

void views_removed(struct op *op, uint32_t mailbox, const struct numset *numbers)
{
        struct event e = {.kind = EVENT_REMOVED, .mailbox = mailbox};
        e.removed = numset_copy(numbers);
        tell(op, &e);
}

void views_marked(struct op *op, uint32_t mailbox, uint32_t person)
{
        struct event e = {.kind = EVENT_MARKED, .mailbox = mailbox, .person = person};
        tell(op, &e);
}

void views_gone(struct op *op, uint32_t mailbox)
{
        struct event e = {.kind = EVENT_GONE, .mailbox = mailbox};
        tell(op, &e);
}

static void settle(struct box *b);

/* Consecutive numbers join: a box that nobody asks for stays small. */
static void box_log(struct box *b, struct event *e)
{
        struct event *last = b->log.count ? &b->log.at[b->log.count - 1] : NULL;
        if (last && e->kind == EVENT_ADDED && last->kind == EVENT_ADDED &&
                e->low == last->high + 1) {
                last->high = e->high;
                last->modseq = e->modseq;
                return;
        }
        events_add(&b->log, e);
        e->removed = NULL; /* it is the log's */
        if (b->state == BOX_READY && b->log.count > LOG_MOST)
                settle(b);
}

static void show(struct views *v, struct event *e)
{
        struct box *b = box_find(v, e->mailbox);
        if (!b)
                return;
        if (e->kind == EVENT_GONE)
                b->gone = true;
        else if (e->kind != EVENT_MARKED && b->state != BOX_EMPTY)
                box_log(b, e);
        for (struct watch *w = b->watches; w; w = w->next)
                if (e->kind != EVENT_MARKED || w->person == e->person)
                        w->wake(w->arg);
}

void views_passed(struct store *store, struct op *op)
{
        struct views *v = store->views;
        if (op->next)
                return;
        pthread_mutex_lock(&v->lock);
        v->position = op->modseq;
        for (size_t i = 0; i < v->passing.count; i++)
                show(v, &v->passing.at[i]);
        pthread_mutex_unlock(&v->lock);
        for (size_t i = 0; i < v->passing.count; i++)
                numset_free(v->passing.at[i].removed);
        v->passing.count = 0;
}

/* ---- waiting ---- */

/* What can be seen in the tables was begun by the writer, so it is among what this waits for. */
enum status views_wait(struct store *store)
{
        return writer_settle(store->writer);
}

enum status views_wait_for(struct store *store, uint64_t modseq)
{
        return modseq <= views_position(store) ? OK : views_wait(store);
}

/* ---- views ---- */

static void apply(struct box *b, const struct event *e)
{
        if (e->kind == EVENT_ADDED) {
                numset_add_range(b->set->numbers, e->low, e->high);
                b->next = e->high + 1 > b->next ? e->high + 1 : b->next;
        } else {
                numset_andnot(b->set->numbers, e->removed);
        }
        b->modseq = e->modseq > b->modseq ? e->modseq : b->modseq;
}

static void settle(struct box *b)
{
        if (b->log.count == 0)
                return;
        if (b->set->refs > 1) { /* views show it as it is */
                struct shared_set *own = mem_new(sizeof *own);
                own->numbers = numset_copy(b->set->numbers);
                own->refs = 1;
                set_drop(b->set);
                b->set = own;
        }
        for (size_t i = 0; i < b->log.count; i++)
                apply(b, &b->log.at[i]);
        events_clear(&b->log);
}

static enum status read_record(struct store *store, uint32_t mailbox, struct mailbox *out)
{
        struct key key = key_mailbox(mailbox);
        struct buf octets = {0};
        enum status st = get_value(store, NULL, TABLE_MAILBOX, &key, &octets);
        if (st == OK)
                st = mailbox_read(buf_str(&octets), out);
        out->name = STR_NONE;
        buf_release(&octets);
        return st;
}

/* Costs what has vanished. *all: these are the numbers; else none are added. */
static enum status infer_numbers(struct store *store, uint32_t mailbox, const struct mailbox *m,
        struct numset *numbers, bool *all)
{
        uint32_t given = m->next - 1;
        struct noted noted = {mailbox, 0, 0, m->modseq};
        struct numset *gone = numset_new();
        enum status st = OK;
        *all = false;
        if (m->count <= given && given - m->count <= m->count) {
                numset_add_range(numbers, 1, given);
                if (given > m->count)
                        st = change_noted(store, NULL, &noted, gone);
                numset_andnot(numbers, gone);
                *all = st == OK && numset_count(numbers) == m->count;
                if (!*all)
                        numset_clear(numbers);
        }
        numset_free(gone);
        return st;
}

static enum status scan_numbers(struct store *store, uint32_t mailbox, struct numset *numbers)
{
        struct key prefix = key_mailbox(mailbox);
        struct str key, value;
        uint32_t low = 0, high = 0, box, n;
        struct scan *scan = scan_prefix(store, NULL, TABLE_ENTRY, &prefix);
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                if (!key_entry_read(key, &box, &n))
                        continue;
                if (low && n == high + 1) {
                        high = n;
                        continue;
                }
                if (low)
                        numset_add_range(numbers, low, high);
                low = high = n;
        }
        if (low)
                numset_add_range(numbers, low, high);
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

static enum status read_box(
        struct store *store, uint32_t mailbox, struct numset *numbers, struct mailbox *out)
{
        bool all = false;
        enum status st = read_record(store, mailbox, out);
        if (st == OK)
                st = infer_numbers(store, mailbox, out, numbers, &all);
        if (st != OK || all)
                return st;
        st = scan_numbers(store, mailbox, numbers);
        return st == OK ? read_record(store, mailbox, out) : st;
}

/* Called and returns with the lock held, which is let go while it reads. See above. */
static enum status box_load(struct store *store, struct box *b)
{
        struct views *v = store->views;
        struct mailbox m = {0};
        b->state = BOX_LOADING;
        struct numset *numbers = numset_new();
        pthread_mutex_unlock(&v->lock);
        enum status st = read_box(store, b->mailbox, numbers, &m);
        if (st == OK)
                st = views_wait_for(store, m.modseq);
        pthread_mutex_lock(&v->lock);
        if (st == OK) {
                b->set = mem_new(sizeof *b->set);
                b->set->numbers = numbers;
                b->set->refs = 1;
                b->next = m.next;
                b->uid_validity = m.uid_validity;
                b->modseq = m.modseq;
                b->state = BOX_READY;
                settle(b);
        } else {
                numset_free(numbers);
                box_drop(v, b);
        }
        pthread_cond_broadcast(&v->loaded);
        return st;
}

static struct shared_view *view_make(struct views *v, struct box *b)
{
        struct shared_view *new = mem_new(sizeof *new);
        const struct numset *numbers = b->set->numbers;
        new->set = b->set;
        new->set->refs++;
        new->refs = 1;
        new->view = (struct view){.mailbox = b->mailbox, .numbers = numbers};
        new->view.count = numset_count(numbers);
        new->view.low = new->view.count ? numset_low(numbers) : b->next;
        new->view.high = b->next - 1;
        new->view.next = b->next;
        new->view.uid_validity = b->uid_validity;
        new->view.modseq = b->modseq;
        new->view.position = v->position;
        return new;
}

enum status view_open(struct store *store, uint32_t mailbox, const struct view **out)
{
        struct views *v = store->views;
        enum status st = OK;
        *out = NULL;
        pthread_mutex_lock(&v->lock);
        struct box *b = box_make(v, mailbox);
        while (b && b->state == BOX_LOADING) {
                pthread_cond_wait(&v->loaded, &v->lock);
                b = box_make(v, mailbox);
        }
        if (b->gone)
                st = ABSENT;
        else if (b->state == BOX_EMPTY)
                st = box_load(store, b);
        if (st == OK && b->gone)
                st = ABSENT;
        if (st == OK) {
                settle(b);
                b->used = clock_ms();
                if (!b->view || b->view->view.position != v->position) {
                        view_drop(b->view);
                        b->view = view_make(v, b);
                }
                b->view->refs++;
                *out = &b->view->view;
        }
        pthread_mutex_unlock(&v->lock);
        return st;
}

void view_close(struct store *store, const struct view *view)
{
        if (!view)
                return;
        struct shared_view *v = (struct shared_view *)(uintptr_t)view;
        pthread_mutex_lock(&store->views->lock);
        view_drop(v);
        pthread_mutex_unlock(&store->views->lock);
}

/* ---- watches ---- */

struct watch *watch_begin(
        struct store *store, uint32_t mailbox, uint32_t person, void (*wake)(void *), void *arg)
{
        struct watch *w = mem_new(sizeof *w);
        w->person = person;
        w->wake = wake;
        w->arg = arg;
        pthread_mutex_lock(&store->views->lock);
        w->box = box_make(store->views, mailbox);
        w->next = w->box->watches;
        w->link = &w->box->watches;
        if (w->next)
                w->next->link = &w->next;
        w->box->watches = w;
        pthread_mutex_unlock(&store->views->lock);
        return w;
}

void watch_end(struct store *store, struct watch *w)
{
        if (!w)
                return;
        pthread_mutex_lock(&store->views->lock);
        *w->link = w->next;
        if (w->next)
                w->next->link = w->link;
        w->box->used = clock_ms();
        pthread_mutex_unlock(&store->views->lock);
        free(w);
}
