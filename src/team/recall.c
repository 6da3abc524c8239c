#include "team/recall.h"
#include "base/map.h"
#include "mail/content.h"
#include "store/task.h"
#include "team/gather.h"
#include "team/page.h"

enum { KEPT_MOST = 60000, WRITERS_LOOKED_AT = 200, LINE_COLUMNS = 2 * (PAGE_COLUMNS - 4) - 24 };

/* As long as the mailbox has not changed. */
struct contents {
        uint64_t modseq;
        struct numset *history, *unread;
        struct contents *more;
};

struct recalled_line {
        struct str text;
        bool words;
};

struct recall {
        struct site *site;
        struct arena *arena;                    /* of all that is known */
        struct map *messages, *threads, *lines; /* by id */
        struct map *mailboxes;                  /* by id */
        struct contents *contents;              /* all of them */
        size_t kept;
};

static void release(struct recall *k)
{
        for (struct contents *c = k->contents; c; c = c->more) {
                numset_free(c->history);
                numset_free(c->unread);
        }
        k->contents = NULL;
        map_free(k->messages);
        map_free(k->threads);
        map_free(k->lines);
        map_free(k->mailboxes);
        arena_free(k->arena);
}

static void empty(struct recall *k)
{
        release(k);
        k->arena = arena_new();
        k->messages = map_new();
        k->threads = map_new();
        k->lines = map_new();
        k->mailboxes = map_new();
        k->kept = 0;
}

struct recall *recall_new(struct site *site)
{
        struct recall *k = mem_new(sizeof *k);
        k->site = site;
        empty(k);
        return k;
}

void recall_free(struct recall *k)
{
        if (!k)
                return;
        release(k);
        free(k);
}

void recall_begin(struct recall *k)
{
        if (k->kept > KEPT_MOST)
                empty(k);
}

static struct str key_of(const uint64_t *id)
{
        return str_make((const char *)id, sizeof *id);
}

static struct str plain_subject(struct arena *arena, struct str subject)
{
        while (str_starts_same(subject, STR("re:")) || str_starts_same(subject, STR("fwd:")))
                subject = str_trim(str_from(subject, str_chr(subject, ':') + 1));
        return subject.len ? arena_copy(arena, subject) : STR("(no subject)");
}

/* Who wrote it: the name in From; of people here who send none, the name they have here. */
static struct str author_of(struct recall *k, const struct stored *m, uint32_t id)
{
        struct person person;
        if (m->from_name.len && str_chr(m->from_name, '@') == STR_NOWHERE)
                return arena_copy(k->arena, m->from_name);
        if (id && person_get(k->site->store, id, k->arena, &person) == OK && person.full_name.len)
                return person.full_name;
        return m->from.len ? arena_copy(k->arena, m->from) : STR("somebody");
}

/* "<journal.T-142.7@team.example>". Somebody may write one like it: then his message is counted,
 * and what is told of the task is what its events say. */
static void read_journal(struct recalled *m)
{
        struct str rest = m->message_id, part;
        if (!m->automatic || !str_starts(rest, STR("<journal.T-")))
                return;
        rest = str_from(rest, strlen("<journal.T-"));
        if (!str_cut(&rest, '.', &part) || str_u32(part, &m->task) != OK ||
                !str_cut(&rest, '@', &part) || str_u32(part, &m->version) != OK)
                m->task = m->version = 0;
}

static struct recalled *learn(struct recall *k, const struct stored *s)
{
        struct recalled *m = arena_alloc(k->arena, sizeof *m);
        *m = (struct recalled){.id = s->id, .root = s->id, .automatic = s->automatic};
        if (thread_root(k->site->store, s->id, &m->root) != OK)
                m->root = s->id;
        m->person = s->from.len ? rules_person_of(k->site, s->from) : 0;
        m->message_id = arena_copy(k->arena, s->message_id);
        m->author = author_of(k, s, m->person);
        m->subject = plain_subject(k->arena, s->subject);
        read_journal(m);
        map_put(k->messages, key_of(&s->id), m);
        k->kept++;
        return m;
}

CHECKED enum status recall_messages(
        struct recall *k, const uint64_t *ids, size_t count, const struct recalled **out)
{
        uint64_t *missing = mem_new((count + 1) * sizeof *missing);
        size_t n = 0;
        enum status st = OK;
        for (size_t i = 0; i < count; i++)
                if (!map_get(k->messages, key_of(&ids[i])))
                        missing[n++] = ids[i];
        if (n) {
                struct arena *arena = arena_new();
                struct stored *stored = arena_alloc(arena, n * sizeof *stored);
                st = messages_read(k->site->store, missing, n, READ_SUMMARY, arena, stored);
                for (size_t i = 0; st == OK && i < n; i++)
                        if (stored[i].id && !map_get(k->messages, key_of(&stored[i].id)))
                                learn(k, &stored[i]);
                arena_free(arena);
        }
        for (size_t i = 0; i < count; i++)
                out[i] = map_get(k->messages, key_of(&ids[i]));
        free(missing);
        return st;
}

static void add_writers(struct recall *k, uint64_t root, struct recalled_thread *t)
{
        uint64_t ids[WRITERS_LOOKED_AT];
        const struct recalled *messages[WRITERS_LOOKED_AT];
        size_t count = WRITERS_LOOKED_AT;
        if (thread_messages(k->site->store, root, ids, &count) != OK ||
                recall_messages(k, ids, count, messages) != OK)
                return;
        t->writers = arena_alloc(k->arena, (count + 1) * sizeof *t->writers);
        for (size_t i = 0; i < count; i++) {
                bool counts = messages[i] && messages[i]->person;
                for (size_t j = 0; counts && j < t->writer_count; j++)
                        counts = t->writers[j] != messages[i]->person;
                if (counts)
                        t->writers[t->writer_count++] = messages[i]->person;
        }
}

const struct recalled_thread *recall_thread(struct recall *k, uint64_t root)
{
        struct recalled_thread *t = map_get(k->threads, key_of(&root));
        if (t)
                return t;
        t = arena_alloc(k->arena, sizeof *t);
        add_writers(k, root, t);
        struct task task;
        if (task_of_root(k->site->store, root, &t->task) != OK ||
                task_get(k->site->store, t->task, k->arena, &task) != OK)
                t->task = 0;
        else
                t->title = task.title;
        map_put(k->threads, key_of(&root), t);
        k->kept++;
        return t;
}

CHECKED enum status recall_mailbox(
        struct recall *k, const struct view *view, struct recalled_mailbox *out)
{
        uint64_t id = view->mailbox;
        struct contents *c = map_get(k->mailboxes, key_of(&id));
        if (!c || c->modseq != view->modseq) {
                struct numset *history;
                enum status st = seen_load(k->site->store, view->mailbox, 0, &history);
                if (st != OK)
                        return st;
                c = arena_alloc(k->arena, sizeof *c);
                *c = (struct contents){
                        view->modseq, history, numset_copy(view->numbers), k->contents};
                numset_andnot(c->unread, history);
                k->contents = c;
                map_put(k->mailboxes, key_of(&id), c);
                k->kept++;
        }
        *out = (struct recalled_mailbox){c->history, c->unread};
        return OK;
}

CHECKED enum status recall_line(struct recall *k, uint64_t message, struct str *out, bool *words)
{
        struct recalled_line *known = map_get(k->lines, key_of(&message));
        struct buf text = {0}, line = {0};
        enum status st = OK;
        if (!known) {
                st = gather_words(k->site, message, &text, words);
                if (st != OK && st != ABSENT)
                        return st;
                content_line(buf_str(&text), LINE_COLUMNS, &line);
                known = arena_alloc(k->arena, sizeof *known);
                *known = (struct recalled_line){arena_copy(k->arena, buf_str(&line)), *words};
                map_put(k->lines, key_of(&message), known);
                k->kept++;
        }
        *out = known->text;
        *words = known->words;
        buf_release(&text);
        buf_release(&line);
        return OK;
}
