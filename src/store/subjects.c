#include "store/subjects.h"
#include "store/cache.h"
#include "store/message.h"

enum { ALL_MOST = 32 << 20, EACH = 256 };

struct shared_subjects {
        struct cached cached;
        struct subjects subjects; /* what callers hold */
        struct numset *covered;   /* what has been looked at */
        uint32_t *number, *rank;
        struct str *text; /* of each rank, in `pool` */
        struct buf pool;
};

static void release(struct cached *cached)
{
        struct shared_subjects *s = (struct shared_subjects *)cached;
        numset_free(s->covered);
        free(s->number);
        free(s->rank);
        free(s->text);
        buf_release(&s->pool);
        free(s);
}

struct cache *subjects_new(void)
{
        static const struct cache_kind kind = {64, ALL_MOST, ALL_MOST / 2, release};
        return cache_new(&kind);
}

void subjects_close(struct store *store, const struct subjects *subjects)
{
        if (subjects)
                cache_drop(store->subjects, &subjects->shared->cached);
}

/* ---- what came since ---- */

struct fresh { /* a message that was read */
        uint32_t number, rank;
        struct str text;
};

struct more {
        struct fresh *at;
        size_t count;
        struct arena *arena; /* of the texts */
};

static void take_batch(struct more *more, const struct entry *e, const struct stored *m, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (!m[i].id)
                        continue;
                struct str text = str_sub(m[i].base_subject, 0, SUBJECT_OCTETS);
                more->at[more->count++] = (struct fresh){
                        .number = e[i].number, .text = arena_copy(more->arena, text)};
        }
}

static enum status read_more(
        struct store *store, uint32_t mailbox, const struct numset *which, struct more *more)
{
        struct entry *e = mem_new(EACH * sizeof *e);
        struct arena *arena = arena_new();
        struct stored *m = mem_new(EACH * sizeof *m);
        uint32_t from = numset_low(which);
        enum status st = OK;
        while (st == OK && from) {
                uint64_t ids[EACH];
                size_t count = EACH;
                st = entries_read(store, mailbox, which, &from, e, &count);
                for (size_t i = 0; st == OK && i < count; i++)
                        ids[i] = e[i].message;
                if (st == OK && count)
                        st = messages_read(store, ids, count, READ_SUMMARY, arena, m);
                if (st == OK)
                        take_batch(more, e, m, count);
                arena_reset(arena);
        }
        arena_free(arena);
        free(m);
        free(e);
        return st;
}

static int by_text(const void *a, const void *b)
{
        return str_order(((const struct fresh *)a)->text, ((const struct fresh *)b)->text);
}

static int by_number(const void *a, const void *b)
{
        uint32_t x = ((const struct fresh *)a)->number, y = ((const struct fresh *)b)->number;
        return (x > y) - (x < y);
}

/* ---- old and new together ---- */

static void add_text(struct shared_subjects *s, size_t *starts, struct str text)
{
        starts[s->subjects.ranks++] = s->pool.len;
        buf_add(&s->pool, text);
}

/* The texts of both in order, each once, and those of the old that nobody has any more left out
 * (`used`, by old rank, which becomes the new rank). The new have theirs set; they are in order. */
static void merge_texts(struct shared_subjects *s, const struct shared_subjects *old,
        uint32_t *used, struct more *more)
{
        size_t ranks = old ? old->subjects.ranks : 0, i = 0, k = 0;
        size_t *starts = mem_new((ranks + more->count + 1) * sizeof *starts);
        while (i < ranks || k < more->count) {
                int c = i == ranks         ? 1
                        : k == more->count ? -1
                                           : str_order(old->text[i], more->at[k].text);
                if (c < 0 && !used[i]) {
                        i++;
                        continue;
                }
                uint32_t rank = s->subjects.ranks;
                struct str text = c <= 0 ? old->text[i] : more->at[k].text;
                add_text(s, starts, text);
                if (c <= 0)
                        used[i++] = rank;
                while (k < more->count && str_eq(more->at[k].text, text))
                        more->at[k++].rank = rank;
        }
        s->text = mem_new((s->subjects.ranks + 1U) * sizeof *s->text);
        starts[s->subjects.ranks] = s->pool.len;
        for (uint32_t r = 0; r < s->subjects.ranks; r++)
                s->text[r] = str_sub(buf_str(&s->pool), starts[r], starts[r + 1] - starts[r]);
        free(starts);
}

/* The rows of both in order of their numbers: of the old those that are still there. */
static void merge_rows(struct shared_subjects *s, const struct shared_subjects *old,
        const uint32_t *rank_now, const struct more *more)
{
        size_t n = old ? old->subjects.count : 0, i = 0, k = 0, count = 0;
        while (i < n || k < more->count) {
                if (k == more->count || (i < n && old->number[i] < more->at[k].number)) {
                        if (numset_has(s->covered, old->number[i])) {
                                s->number[count] = old->number[i];
                                s->rank[count++] = rank_now[old->rank[i]];
                        }
                        i++;
                } else {
                        s->number[count] = more->at[k].number;
                        s->rank[count++] = more->at[k++].rank;
                }
        }
        s->subjects.count = count;
}

static struct shared_subjects *join(
        const struct view *view, const struct shared_subjects *old, struct more *more)
{
        struct shared_subjects *s = mem_new(sizeof *s);
        size_t n = (old ? old->subjects.count : 0) + more->count;
        uint32_t *used = mem_new(((old ? old->subjects.ranks : 0) + 1U) * sizeof *used);
        s->covered = numset_copy(view->numbers);
        s->number = mem_new((n + 1) * sizeof *s->number);
        s->rank = mem_new((n + 1) * sizeof *s->rank);
        for (size_t i = 0; old && i < old->subjects.count; i++)
                used[old->rank[i]] |= numset_has(s->covered, old->number[i]);
        if (more->count)
                qsort(more->at, more->count, sizeof *more->at, by_text);
        merge_texts(s, old, used, more);
        if (more->count)
                qsort(more->at, more->count, sizeof *more->at, by_number);
        merge_rows(s, old, used, more);
        s->subjects.number = s->number;
        s->subjects.rank = s->rank;
        s->subjects.text = s->text;
        s->subjects.shared = s;
        s->cached.key = view->mailbox;
        s->cached.octets = sizeof *s + n * 2 * sizeof *s->rank +
                           s->subjects.ranks * sizeof *s->text + s->pool.cap +
                           (view->high / 65536 + 1) * (size_t)8192;
        free(used);
        return s;
}

enum status subjects_open(struct store *store, const struct view *view, const struct subjects **out)
{
        struct shared_subjects *old = (struct shared_subjects *)cache_get(
                store->subjects, view->mailbox);
        *out = NULL;
        if (old && numset_count_andnot(view->numbers, old->covered) == 0) {
                *out = &old->subjects;
                return OK;
        }
        struct numset *which = numset_copy(view->numbers);
        if (old)
                numset_andnot(which, old->covered);
        struct more more = {.at = mem_new((numset_count(which) + 1U) * sizeof *more.at),
                .arena = arena_new()};
        enum status st = read_more(store, view->mailbox, which, &more);
        if (st == OK) {
                struct shared_subjects *s = join(view, old, &more);
                cache_put(store->subjects, &s->cached);
                *out = &s->subjects;
        }
        if (old)
                subjects_close(store, &old->subjects);
        arena_free(more.arena);
        free(more.at);
        numset_free(which);
        return st;
}
