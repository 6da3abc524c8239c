#include "store/kept.h"
#include <pthread.h>

enum {
        SLOTS = 1024,
        ALL_MOST = 16 << 20,         /* octets of all that are kept */
        EACH_MOST = ALL_MOST / 8,    /* what is more than this is not */
        CONTAINER_OCTETS = 8192 + 64 /* of 65,536 numbers of one set, at most */
};

struct kept {
        pthread_mutex_t lock;
        struct shared_marks *slots[SLOTS];
        size_t octets, hand; /* where the next is given up */
};

struct kept *kept_new(void)
{
        struct kept *k = mem_new(sizeof *k);
        pthread_mutex_init(&k->lock, NULL);
        return k;
}

static void release(struct shared_marks *s)
{
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

static void drop(struct shared_marks *s)
{
        if (--s->refs == 0)
                release(s);
}

static void empty_slot(struct kept *k, size_t i)
{
        struct shared_marks *s = k->slots[i];
        if (!s)
                return;
        k->slots[i] = NULL;
        k->octets -= s->octets;
        drop(s);
}

void kept_free(struct kept *k)
{
        if (!k)
                return;
        for (size_t i = 0; i < SLOTS; i++)
                empty_slot(k, i);
        pthread_mutex_destroy(&k->lock);
        free(k);
}

static size_t slot_of(const struct kept_at *at)
{
        return (at->mailbox * 2654435761U ^ at->person * 2246822519U) % SLOTS;
}

struct shared_marks *kept_get(struct kept *k, const struct kept_at *at)
{
        pthread_mutex_lock(&k->lock);
        struct shared_marks *s = k->slots[slot_of(at)];
        if (s && s->at.mailbox == at->mailbox && s->at.person == at->person &&
                s->at.own == at->own && s->at.shared == at->shared)
                s->refs++;
        else
                s = NULL;
        pthread_mutex_unlock(&k->lock);
        return s;
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
        struct kept *k, const struct kept_at *at, const struct marks *taken, uint32_t unseen)
{
        struct shared_marks *s = mem_new(sizeof *s);
        *s = (struct shared_marks){.marks = *taken, .at = *at, .unseen = unseen, .refs = 1};
        s->octets = octets_of(taken);
        if (s->octets > EACH_MOST)
                return s;
        pthread_mutex_lock(&k->lock);
        size_t slot = slot_of(at);
        empty_slot(k, slot);
        while (k->octets + s->octets > ALL_MOST) {
                empty_slot(k, k->hand);
                k->hand = (k->hand + 1) % SLOTS;
        }
        k->slots[slot] = s;
        k->octets += s->octets;
        s->refs++;
        pthread_mutex_unlock(&k->lock);
        return s;
}

void kept_drop(struct kept *k, struct shared_marks *s)
{
        pthread_mutex_lock(&k->lock);
        drop(s);
        pthread_mutex_unlock(&k->lock);
}
