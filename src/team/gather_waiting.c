/* gather_waiting.c - the parts of a digest that hold from day to day: unread mail that names the
 * person, and their tasks. */
#include "base/text.h"
#include "team/field.h"
#include "team/gather.h"
#include "team/page.h"

enum { DAYS_SOON = 7, OTHERS_NAMED = 3 };

struct waiting {
        struct site *site;
        const struct gather_ask *ask;
        struct arena *arena;
        struct gathered *out;
        struct numset *tasks; /* of the person, open */
        uint32_t inbox;
};

static struct gather_thread *find_thread(struct gathered *g, uint64_t root)
{
        for (size_t i = 0; i < g->thread_count; i++)
                if (g->threads[i].root == root)
                        return &g->threads[i];
        return NULL;
}

/* ---- unread mail ---- */

/* The topic that it lies in, too, of those that the person may read. */
static enum status find_topic(struct waiting *w, struct gather_mail *mail)
{
        enum { PLACES = 20 };
        struct place places[PLACES];
        size_t count = PLACES;
        struct rights rights;
        struct topic topic;
        enum status st = message_places(w->site->store, mail->message->id, places, &count);
        for (size_t i = 0; st == OK && i < count && !mail->topic_id; i++) {
                st = rules_topic(w->site, w->ask->person->id, places[i].mailbox, &rights);
                if (st == OK && rights.read)
                        st = topic_get(w->site->store, places[i].mailbox, w->arena, &topic);
                if (st == OK && rights.read) {
                        mail->topic_id = topic.id;
                        mail->topic = topic.name;
                }
                st = st == ABSENT ? OK : st; /* it has gone meanwhile */
        }
        return st;
}

/* Of one thread only the newest. */
static bool has_thread(const struct waiting *w, uint64_t root)
{
        for (size_t i = 0; i < w->out->mail_count; i++)
                if (w->out->mails[i].message->root == root)
                        return true;
        return false;
}

/* It opened a task that is the person's, and stands among those. */
static bool opened_own(struct waiting *w, uint64_t message)
{
        uint32_t task;
        return numset_count(w->tasks) && task_of_root(w->site->store, message, &task) == OK &&
               numset_has(w->tasks, task);
}

static enum status add_mail(struct waiting *w, const struct entry *entry)
{
        const struct recalled *m;
        struct gathered *out = w->out;
        enum status st = recall_messages(w->ask->recall, &entry->message, 1, &m);
        if (st != OK || !m || m->automatic || m->person == w->ask->person->id ||
                has_thread(w, m->root) || opened_own(w, m->id))
                return st;
        if (out->mail_count == GATHER_MAILS_MAX) {
                out->mails_more++;
                return OK;
        }
        struct gather_mail *mail = &out->mails[out->mail_count++];
        *mail = (struct gather_mail){
                .message = m, .at = entry->date, .part = {m->id, {w->inbox, entry->number}}};
        struct gather_thread *t = find_thread(out, m->root);
        if (t)
                t->told = true;
        return find_topic(w, mail);
}

/* Newest first; only so many are looked at. */
static enum status add_unread(
        struct waiting *w, const struct view *view, const struct numset *unread)
{
        enum { LOOKED_AT = 50 };
        struct entry entry;
        uint32_t count = numset_count(unread), looked = 0;
        enum status st = OK;
        for (; looked < count && looked < LOOKED_AT && st == OK; looked++) {
                st = entry_read(w->site->store, view->mailbox,
                        numset_select(unread, count - looked), &entry);
                if (st == OK)
                        st = add_mail(w, &entry);
                st = st == ABSENT ? OK : st;
        }
        w->out->mails_more += count - looked;
        return st;
}

static enum status add_mails(struct waiting *w)
{
        struct store *store = w->site->store;
        struct numset *seen = NULL, *history = NULL;
        const struct view *view;
        w->out->mails = arena_alloc(w->arena, GATHER_MAILS_MAX * sizeof *w->out->mails);
        enum status st = mailbox_find_use(store, w->ask->person->id, USE_INBOX, &w->inbox);
        if (st == OK)
                st = view_open(store, w->inbox, &view);
        if (st != OK)
                return st == ABSENT ? OK : st;
        struct numset *unread = numset_copy(view->numbers);
        if (view->count)
                st = seen_load(store, w->inbox, w->ask->person->id, &seen);
        if (st == OK && view->count)
                st = seen_load(store, w->inbox, 0, &history);
        if (st == OK && view->count) {
                numset_andnot(unread, seen);
                numset_andnot(unread, history);
                st = add_unread(w, view, unread);
        }
        numset_free(unread);
        numset_free(seen);
        numset_free(history);
        view_close(store, view);
        return st;
}

/* ---- tasks ---- */

static struct str name_of(struct waiting *w, uint32_t person)
{
        struct person p;
        if (person_get(w->site->store, person, w->arena, &p) != OK)
                return STR_NONE;
        return page_first_name(p.full_name.len ? p.full_name : p.name, w->arena);
}

/* The assignees of these tasks, each once, without the person: "Bo", "Bo, Cem and more". */
static enum status name_assignees(
        struct waiting *w, const uint32_t *numbers, size_t count, struct str *out)
{
        uint32_t named[OTHERS_NAMED];
        size_t n = 0;
        bool more = false;
        struct buf b = {0};
        for (size_t i = 0; i < count; i++) {
                struct task task;
                if (task_get(w->site->store, numbers[i], w->arena, &task) != OK || task.closed)
                        continue;
                for (size_t j = 0; j < task.assignee_count; j++) {
                        bool known = task.assignees[j] == w->ask->person->id;
                        for (size_t k = 0; k < n; k++)
                                known = known || named[k] == task.assignees[j];
                        more = more || (!known && n == OTHERS_NAMED);
                        if (!known && n < OTHERS_NAMED)
                                named[n++] = task.assignees[j];
                }
        }
        for (size_t i = 0; i < n; i++) {
                const char *join = !i ? "" : i + 1 == n && !more ? " and " : ", ";
                buf_add_text(&b, join);
                buf_add(&b, name_of(w, named[i]));
        }
        if (more)
                buf_add_text(&b, " and more");
        *out = arena_copy(w->arena, buf_str(&b));
        buf_release(&b);
        return OK;
}

static bool waits_for_open(struct waiting *w, const struct task *task)
{
        for (size_t i = 0; i < task->wait_count; i++) {
                struct task other;
                if (task_get(w->site->store, task->waits[i], w->arena, &other) == OK &&
                        !other.closed)
                        return true;
        }
        return false;
}

static enum gather_urgency urgency_of(struct waiting *w, const struct task *task)
{
        int64_t days = task->due == DAY_NONE ? INT64_MAX : task->due - w->ask->today;
        if (days < 0)
                return TASK_LATE;
        if (days == 0)
                return TASK_TODAY;
        if (waits_for_open(w, task))
                return TASK_WAITS;
        return days < DAYS_SOON ? TASK_WEEK : TASK_LATER;
}

static enum status add_task(struct waiting *w, uint32_t number)
{
        struct gather_task *t = &w->out->tasks[w->out->task_count];
        struct topic topic;
        struct rights rights;
        bool awaited = false;
        *t = (struct gather_task){0};
        enum status st = task_get(w->site->store, number, w->arena, &t->task);
        if (st == OK)
                st = rules_topic(w->site, w->ask->person->id, t->task.topic, &rights);
        if (st == OK && (t->task.closed || !rights.read))
                return OK;
        if (st == OK)
                st = topic_get(w->site->store, t->task.topic, w->arena, &topic);
        if (st == OK)
                st = task_is_awaited(w->site->store, number, &awaited);
        if (st != OK)
                return st == ABSENT ? OK : st;
        t->topic = topic.name;
        t->status = field_say(w->site, &topic, FIELD_STATUS, t->task.status, w->arena);
        t->urgency = awaited ? TASK_AWAITED : urgency_of(w, &t->task);
        t->news = find_thread(w->out, t->task.root);
        if (t->news)
                t->news->yours = true;
        if (t->urgency == TASK_LATER) {
                w->out->tasks_later++;
                return OK;
        }
        if (awaited) {
                enum { WAITING_LOOKED_AT = 20 };
                struct numset *waiting = numset_new();
                uint32_t numbers[WAITING_LOOKED_AT], n = 0;
                st = tasks_waiting(w->site->store, number, waiting);
                for (; st == OK && n < WAITING_LOOKED_AT && n < numset_count(waiting); n++)
                        numbers[n] = numset_select(waiting, n + 1);
                if (st == OK)
                        st = name_assignees(w, numbers, n, &t->others);
                numset_free(waiting);
        } else if (t->task.wait_count) {
                st = name_assignees(w, t->task.waits, t->task.wait_count, &t->others);
        }
        /* what only opened the task, and what only changed it, is told with it */
        if (t->news && t->news->messages <= 1 &&
                (!t->news->messages || t->news->newest == t->task.root))
                t->news->told = true;
        w->out->task_count++;
        return st;
}

static int by_urgency(const void *a, const void *b)
{
        const struct gather_task *x = a, *y = b;
        if (x->urgency != y->urgency)
                return x->urgency < y->urgency ? -1 : 1;
        int64_t due_x = x->task.due == DAY_NONE ? INT64_MAX : x->task.due;
        int64_t due_y = y->task.due == DAY_NONE ? INT64_MAX : y->task.due;
        if (due_x != due_y)
                return due_x < due_y ? -1 : 1;
        return x->task.number < y->task.number ? -1 : 1;
}

static enum status add_tasks(struct waiting *w)
{
        enum status st = OK;
        uint32_t count = numset_count(w->tasks);
        uint32_t first = count > GATHER_TASKS_MAX ? count - GATHER_TASKS_MAX : 0; /* the newest */
        w->out->tasks = arena_alloc(w->arena, (count - first + 1) * sizeof *w->out->tasks);
        for (uint32_t i = first; i < count && st == OK; i++)
                st = add_task(w, numset_select(w->tasks, i + 1));
        w->out->tasks_later += first;
        if (st == OK)
                qsort(w->out->tasks, w->out->task_count, sizeof *w->out->tasks, by_urgency);
        return st;
}

CHECKED enum status gather_waiting(
        struct site *site, const struct gather_ask *ask, struct arena *arena, struct gathered *out)
{
        struct waiting w = {site, ask, arena, out, numset_new(), 0};
        enum status st = tasks_of_person(site->store, ask->person->id, w.tasks);
        if (st == OK)
                st = add_mails(&w);
        if (st == OK)
                st = add_tasks(&w);
        numset_free(w.tasks);
        return st;
}
