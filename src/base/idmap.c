#include "base/idmap.h"
#include "base/crypt.h"

/* Open addressing with linear probing, at most half full: a key is one line of the cache. */
struct slot {
        uint64_t key[2];
        uint32_t number; /* 0: free */
};

struct idmap {
        struct slot *slots;
        size_t size, count; /* size is a power of two */
        uint64_t secret[2];
};

struct idmap *idmap_new(size_t expected)
{
        struct idmap *m = mem_new(sizeof *m);
        m->size = 64;
        while (m->size < 2 * expected)
                m->size *= 2;
        m->slots = mem_new(m->size * sizeof *m->slots);
        random_bytes(m->secret, sizeof m->secret);
        return m;
}

void idmap_free(struct idmap *m)
{
        if (!m)
                return;
        free(m->slots);
        free(m);
}

static struct slot slot_for(const char octets[IDMAP_KEY])
{
        struct slot s = {.number = 0};
        memcpy(s.key, octets, sizeof s.key);
        return s;
}

/* The key's slot, or the free one where it would go. */
static struct slot *slot_of(const struct idmap *m, const struct slot *key)
{
        uint64_t mixed = key->key[0] * (m->secret[0] | 1);
        mixed = ((mixed ^ mixed >> 32) + key->key[1]) * (m->secret[1] | 1);
        size_t i = (size_t)(mixed >> 32) & (m->size - 1);
        for (;; i = (i + 1) & (m->size - 1)) {
                struct slot *s = &m->slots[i];
                if (s->number == 0 || (s->key[0] == key->key[0] && s->key[1] == key->key[1]))
                        return s;
        }
}

static void grow(struct idmap *m)
{
        struct idmap bigger = *m;
        bigger.size = 2 * m->size;
        bigger.slots = mem_new(bigger.size * sizeof *bigger.slots);
        for (size_t i = 0; i < m->size; i++)
                if (m->slots[i].number)
                        *slot_of(&bigger, &m->slots[i]) = m->slots[i];
        free(m->slots);
        *m = bigger;
}

uint32_t *idmap_at(struct idmap *m, const char key[IDMAP_KEY])
{
        struct slot wanted = slot_for(key);
        if (2 * (m->count + 1) > m->size)
                grow(m);
        struct slot *s = slot_of(m, &wanted);
        if (s->number == 0) {
                *s = wanted;
                m->count++;
        }
        return &s->number;
}
