#include "store/kept.h"

enum {
        ALL_MOST = 16 << 20,
        CONTAINER_OCTETS = 8192 + 64 /* of 65,536 numbers of one set, at most */
};

static void release(struct cached *cached)
{
        struct shared_marks *s = (struct shared_marks *)cached;
        for (unsigned i = 0; i < FLAG_COUNT; i++)
                numset_free(s->marks.flag[i]);
        for (size_t i = 0; i < s->marks.keyword_count; i++) {
                free((void *)(uintptr_t)s->marks.keywords[i].at);
                numset_free(s->marks.keyword[i]);
        }
        free(s->marks.keywords);
        free(s->marks.keyword);
        free(s);
}

struct cache *kept_new(void)
{
        static const struct cache_kind kind = {1024, ALL_MOST, ALL_MOST / 8, release};
        return cache_new(&kind);
}

static uint64_t key_of(const struct kept_at *at)
{
        return (uint64_t)at->mailbox << 32 | at->person;
}

struct shared_marks *kept_get(struct cache *kept, const struct kept_at *at)
{
        struct shared_marks *s = (struct shared_marks *)cache_get(kept, key_of(at));
        if (!s || (s->at.own == at->own && s->at.shared == at->shared))
                return s;
        cache_drop(kept, &s->cached);
        return NULL;
}

static size_t octets_of(const struct marks *m)
{
        size_t octets = sizeof(struct shared_marks), sets = FLAG_COUNT + m->keyword_count;
        for (size_t i = 0; i < sets; i++) {
                const struct numset *set = i < FLAG_COUNT ? m->flag[i]
                                                          : m->keyword[i - FLAG_COUNT];
                size_t least = 8 * (size_t)numset_count(set);
                size_t most = ((size_t)numset_high(set) / 65536 + 1) * CONTAINER_OCTETS;
                octets += 256 + (least < most ? least : most);
        }
        return octets;
}

struct shared_marks *kept_put(
        struct cache *kept, const struct kept_at *at, const struct marks *taken, uint32_t unseen)
{
        struct shared_marks *s = mem_new(sizeof *s);
        *s = (struct shared_marks){.cached = {.key = key_of(at), .octets = octets_of(taken)},
                .marks = *taken,
                .at = *at,
                .unseen = unseen};
        cache_put(kept, &s->cached);
        return s;
}
