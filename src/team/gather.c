#include "team/gather.h"
#include "base/map.h"
#include "mail/content.h"
#include "mail/header.h"
#include "store/attention.h"
#include "team/directive.h"

enum { BATCH = 256, TEXT_OCTETS_MAX = 256 * 1024 };

struct gathering {
        struct site *site;
        struct arena *arena;
        const struct gather_ask *ask;
        unsigned silent; /* the person's own messages, not marked as read, and those of muted
                            threads */
        const struct attended *said; /* of threads, by root */
        size_t said_count;
        bool follows;         /* some thread */
        bool only_followed;   /* of the topic that is looked at */
        struct map *threads;  /* root -> struct thread_row */
        struct map *messages; /* id: a crosspost counts once */
        struct gathered *out;
};

struct thread_row {
        struct gather_thread t;
        size_t author_room, part_room;
        struct thread_row *next;
};

static struct str key_of(uint64_t id, char space[8])
{
        memcpy(space, &id, sizeof id);
        return str_make(space, sizeof id);
}

static void add_author(struct gathering *g, struct thread_row *row, struct str author)
{
        struct gather_thread *t = &row->t;
        for (size_t i = 0; i < t->author_count; i++)
                if (str_eq(t->authors[i], author))
                        return;
        if (t->author_count == row->author_room) {
                size_t room = row->author_room ? row->author_room * 2 : 4;
                struct str *more = arena_alloc(g->arena, room * sizeof *more);
                if (t->author_count)
                        memcpy(more, t->authors, t->author_count * sizeof *more);
                t->authors = more;
                row->author_room = room;
        }
        t->authors[t->author_count++] = author;
}

static void add_part(struct gathering *g, struct thread_row *row, const struct gather_part *part)
{
        struct gather_thread *t = &row->t;
        if (t->part_count == row->part_room) {
                size_t room = row->part_room ? row->part_room * 2 : 4;
                struct gather_part *more = arena_alloc(g->arena, room * sizeof *more);
                if (t->part_count)
                        memcpy(more, t->parts, t->part_count * sizeof *more);
                t->parts = more;
                row->part_room = room;
        }
        t->parts[t->part_count++] = *part;
}

static bool wrote_in(const struct gathering *g, const struct recalled_thread *t)
{
        for (size_t i = 0; i < t->writer_count; i++)
                if (t->writers[i] == g->ask->person->id)
                        return true;
        return false;
}

static struct thread_row *row_of(
        struct gathering *g, const struct topic *topic, const struct recalled *m)
{
        char space[8];
        struct thread_row *row = map_get(g->threads, key_of(m->root, space));
        if (row)
                return row;
        const struct recalled_thread *thread = recall_thread(g->ask->recall, m->root);
        row = arena_alloc(g->arena, sizeof *row);
        row->t = (struct gather_thread){.root = m->root,
                .topic_id = topic->id,
                .topic = topic->name,
                .subject = m->subject,
                .task = thread->task,
                .title = thread->title,
                .mine = wrote_in(g, thread)};
        map_put(g->threads, key_of(m->root, space), row);
        return row;
}

static int by_root(const void *a, const void *b)
{
        const struct attended *x = a, *y = b;
        return x->root < y->root ? -1 : x->root > y->root;
}

/* Does this thread reach the person? A muted one does not; of a topic that would not come by
 * itself, only those that are followed do. */
static bool reaches(const struct gathering *g, uint64_t root)
{
        const struct attended key = {.root = root};
        const struct attended *said = g->said_count ? bsearch(&key, g->said, g->said_count,
                                                              sizeof key, by_root)
                                                    : NULL;
        enum attention attention = said ? said->attention : ATTENTION_NONE;
        return g->only_followed ? attention == ATTENTION_FOLLOWED : attention != ATTENTION_MUTED;
}

/* A journal tells what was changed; it never hides what people wrote. */
static void add_message(struct gathering *g, const struct topic *topic, const struct entry *entry,
        const struct recalled *m)
{
        char space[8];
        if (!reaches(g, m->root)) {
                g->silent++;
                return;
        }
        if (map_get(g->messages, key_of(m->id, space)))
                return;
        map_put(g->messages, key_of(m->id, space), g);
        if (m->person == g->ask->person->id) { /* by a way on which it was not marked as read */
                g->silent++;
                return;
        }
        struct thread_row *row = row_of(g, topic, m);
        struct gather_thread *t = &row->t;
        add_part(g, row, &(struct gather_part){m->id, {topic->id, entry->number}});
        bool journal = m->version && (m->task == t->task || !t->task);
        if (journal)
                t->task = m->task; /* opened in the middle of a thread */
        if (journal && (!t->changes || m->version <= t->before))
                t->before = m->version - 1;
        if (journal)
                t->changes++;
        else
                t->messages++;
        if (!journal || !t->messages) {
                t->newest = m->id;
                t->newest_at = entry->date;
                t->newest_id = m->message_id;
                t->newest_author = m->author;
        }
        if (!journal)
                add_author(g, row, m->author);
}

static enum status add_numbers(struct gathering *g, const struct view *view,
        const struct topic *topic, const struct numset *numbers)
{
        struct entry entries[BATCH];
        uint64_t ids[BATCH];
        const struct recalled *messages[BATCH];
        uint32_t from = numset_low(numbers);
        while (from) {
                size_t count = BATCH;
                enum status st = entries_read(
                        g->site->store, view->mailbox, numbers, &from, entries, &count);
                for (size_t i = 0; st == OK && i < count; i++)
                        ids[i] = entries[i].message;
                if (st == OK)
                        st = recall_messages(g->ask->recall, ids, count, messages);
                if (st != OK)
                        return st;
                for (size_t i = 0; i < count; i++)
                        if (messages[i])
                                add_message(g, topic, &entries[i], messages[i]);
        }
        return OK;
}

/* Sets of a topic's numbers, without what was imported, which is nobody's reading. */
struct contents {
        struct numset *unread, *seen;
};

/* What the person has marked as unread of what is history. */
static void add_unread_history(struct contents *c, const struct view *view,
        const struct numset *own, const struct numset *history)
{
        if (numset_high(history) < numset_low(own)) /* nearly always: and then nothing is copied */
                return;
        struct numset *back = numset_copy(own);
        numset_and(back, history);
        numset_and(back, view->numbers);
        numset_or(c->unread, back);
        numset_free(back);
}

/* What came while the digest was put together is for the next one. */
static enum status load_topic(struct gathering *g, const struct view *view, struct contents *out)
{
        struct store *store = g->site->store;
        struct recalled_mailbox all;
        struct numset *own = NULL;
        uint32_t end;
        *out = (struct contents){0};
        enum status st = view_after(store, view, g->out->position, &end);
        if (st == OK)
                st = seen_own_load(store, view->mailbox, g->ask->person->id, &own);
        if (st == OK)
                st = recall_mailbox(g->ask->recall, view, &all);
        if (st == OK) {
                out->unread = numset_copy(all.unread);
                out->seen = numset_copy(all.unread);
                numset_and(out->seen, own);
                numset_andnot(out->unread, own);
                add_unread_history(out, view, own, all.history);
        }
        if (st == OK && end <= view->count) {
                uint32_t last = numset_select(view->numbers, end);
                numset_remove_range(out->unread, last, UINT32_MAX);
                numset_remove_range(out->seen, last, UINT32_MAX);
        }
        numset_free(own);
        return st;
}

static enum status count_topic(
        struct gathering *g, const struct topic *topic, const struct view *view, struct contents *c)
{
        uint32_t rank;
        enum status st = view_after(g->site->store, view, g->ask->since, &rank);
        if (st != OK)
                return st;
        uint32_t first = rank <= view->count ? numset_select(view->numbers, rank) : view->next;
        uint32_t total = numset_count(c->unread);
        uint32_t fresh = numset_count_range(c->unread, first, UINT32_MAX);
        struct gather_topic row = {
                .name = topic->name,
                .fresh = fresh,
                .older = total - fresh,
                .read = numset_count_range(c->seen, first, UINT32_MAX),
        };
        unsigned silent = g->silent;
        if (!g->ask->since) /* the first digest: what was read before is not news */
                row.read = 0;
        if (fresh > GATHER_TOPIC_MAX) /* only the newest are looked at; the rest is counted */
                first = numset_select(c->unread, total - GATHER_TOPIC_MAX + 1);
        if (first > 1)
                numset_remove_range(c->unread, 0, first - 1);
        if (fresh)
                st = add_numbers(g, view, topic, c->unread);
        if (g->only_followed) { /* the rest of the topic is nothing to speak of */
                unsigned looked_at = fresh < GATHER_TOPIC_MAX ? fresh : GATHER_TOPIC_MAX;
                row.fresh = looked_at - (g->silent - silent);
                row.older = row.read = 0;
                g->silent = silent;
        }
        if (row.fresh || row.older || row.read)
                g->out->topics[g->out->topic_count++] = row;
        return st;
}

static enum status add_topic(
        struct gathering *g, const struct topic *topic, const struct view *view)
{
        struct contents contents;
        enum status st = load_topic(g, view, &contents);
        if (st == OK)
                st = count_topic(g, topic, view, &contents);
        numset_free(contents.unread);
        numset_free(contents.seen);
        return st;
}

static int by_weight(const void *a, const void *b)
{
        const struct gather_thread *x = a, *y = b;
        if (x->mine != y->mine)
                return x->mine ? -1 : 1;
        if (x->newest_at != y->newest_at)
                return x->newest_at > y->newest_at ? -1 : 1;
        return x->newest > y->newest ? -1 : x->newest < y->newest;
}

static void finish(struct gathering *g)
{
        struct gathered *out = g->out;
        size_t at = 0;
        struct str key;
        void *value;
        out->threads = arena_alloc(g->arena, (map_count(g->threads) + 1) * sizeof *out->threads);
        while (map_next(g->threads, &at, &key, &value))
                out->threads[out->thread_count++] = ((struct thread_row *)value)->t;
        qsort(out->threads, out->thread_count, sizeof *out->threads, by_weight);
        for (size_t i = 0; i < out->topic_count; i++) {
                out->fresh += out->topics[i].fresh;
                out->read += out->topics[i].read;
                out->older += out->topics[i].older;
        }
        for (size_t i = 0; i < out->thread_count; i++) {
                out->changes += out->threads[i].changes;
                out->talks += out->threads[i].messages > 0;
        }
        unsigned silent = g->silent + out->changes;
        out->fresh -= silent < out->fresh ? silent : out->fresh;
}

static enum status add_followed(struct gathering *g, const struct subscription *sub)
{
        struct topic *topic = arena_alloc(g->arena, sizeof *topic);
        const struct view *view;
        struct rights rights;
        g->only_followed = sub->mode != MODE_DIGEST && sub->mode != MODE_EACH;
        if (g->only_followed && !g->follows)
                return OK;
        enum status st = rules_topic(g->site, g->ask->person->id, sub->topic, &rights);
        if (st != OK || !rights.read)
                return st == ABSENT ? OK : st;
        st = topic_get(g->site->store, sub->topic, g->arena, topic);
        if (st == OK)
                st = view_open(g->site->store, sub->topic, &view);
        if (st != OK)
                return st == ABSENT ? OK : st;
        if (!g->out->position)
                g->out->position = view->position;
        st = add_topic(g, topic, view);
        view_close(g->site->store, view);
        return st;
}

static enum status find_said(struct gathering *g)
{
        struct attended *said;
        enum status st = attention_list(
                g->site->store, g->ask->person->id, g->arena, &said, &g->said_count);
        for (size_t i = 0; st == OK && i < g->said_count; i++)
                g->follows = g->follows || said[i].attention == ATTENTION_FOLLOWED;
        g->said = st == OK ? said : NULL;
        return st;
}

CHECKED enum status gather(
        struct site *site, const struct gather_ask *ask, struct arena *arena, struct gathered *out)
{
        struct subscription *subs;
        size_t count;
        *out = (struct gathered){0};
        struct gathering g = {.site = site, .arena = arena, .ask = ask, .out = out};
        enum status st = subscriptions_of(site->store, ask->person->id, arena, &subs, &count);
        if (st == OK)
                st = find_said(&g);
        if (st != OK)
                return st;
        g.threads = map_new();
        g.messages = map_new();
        out->topics = arena_alloc(arena, (count + 1) * sizeof *out->topics);
        for (size_t i = 0; i < count && st == OK; i++)
                st = add_followed(&g, &subs[i]);
        if (!out->position)
                out->position = ask->since;
        if (st == OK)
                finish(&g);
        map_free(g.threads);
        map_free(g.messages);
        return st == OK ? gather_waiting(site, ask, arena, out) : st;
}

/* Was it to open a task? Its fields were read as such then, whatever stands among them. */
static bool opens_task(struct str header, struct arena *arena)
{
        struct str title;
        if (directive_subject_task(header_text(arena, header, "Subject"), &title))
                return true;
        struct str to = header_value(arena, header, "To");
        return str_find_same(to, STR("+task@")) != STR_NOWHERE ||
               str_find_same(to, STR("-task@")) != STR_NOWHERE;
}

/* What the author says to people: without the lines that are directives, unless there is nothing
 * else; then false. */
static bool add_said(struct str text, enum strictness strict, struct arena *arena, struct buf *out)
{
        struct buf own = {0};
        struct directives directives = {0};
        const struct zone *zone;
        content_own(text, &own);
        if (zone_find(STR("UTC"), &zone) == OK)
                directive_read_text(buf_str(&own), zone, 0, strict, arena, &directives);
        buf_add(out, directives.rest.len ? directives.rest : buf_str(&own));
        buf_release(&own);
        return directives.rest.len > 0;
}

CHECKED enum status gather_text(struct site *site, uint64_t message, struct buf *out)
{
        bool words;
        return gather_words(site, message, out, &words);
}

CHECKED enum status gather_words(struct site *site, uint64_t message, struct buf *out, bool *words)
{
        struct buf octets = {0}, text = {0};
        struct arena *arena = arena_new();
        *words = false;
        enum status st = message_octets(site->store, message, 0, TEXT_OCTETS_MAX, &octets);
        if (st == OK) {
                struct str header = str_sub(buf_str(&octets), 0, header_length(buf_str(&octets)));
                enum strictness strict = opens_task(header, arena) ? STRICT : LENIENT;
                content_text(arena, mime_parse(arena, buf_str(&octets)), TEXT_OCTETS_MAX, &text);
                *words = add_said(buf_str(&text), strict, arena, out);
        }
        arena_free(arena);
        buf_release(&octets);
        buf_release(&text);
        return st;
}
