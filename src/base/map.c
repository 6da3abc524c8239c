#include "base/map.h"

/* Open addressing with linear probing, at most three quarters full. A hole left by a drop is
 * closed by moving later entries back, so that a busy table needs no clean-up. */
struct slot {
        char *key; /* NULL: free */
        size_t len;
        uint64_t hash;
        void *value;
};

struct map {
        struct slot *slots;
        size_t size, count; /* size is 0 or a power of two */
};

struct map *map_new(void)
{
        return mem_new(sizeof(struct map));
}

void map_free(struct map *m)
{
        if (!m)
                return;
        for (size_t i = 0; i < m->size; i++)
                free(m->slots[i].key);
        free(m->slots);
        free(m);
}

/* The key's slot, or the free one where it would go. */
static struct slot *slot_of(const struct map *m, struct str key, uint64_t hash)
{
        size_t i = hash & (m->size - 1);
        for (;; i = (i + 1) & (m->size - 1)) {
                struct slot *s = &m->slots[i];
                if (!s->key || (s->hash == hash && str_eq(str_make(s->key, s->len), key)))
                        return s;
        }
}

static void grow(struct map *m)
{
        struct map bigger = {.size = m->size ? 2 * m->size : 16, .count = m->count};
        assert(bigger.size < SIZE_MAX / 2 / sizeof(struct slot));
        bigger.slots = mem_new(bigger.size * sizeof(struct slot));
        for (size_t i = 0; i < m->size; i++) {
                struct slot *s = &m->slots[i];
                if (s->key)
                        *slot_of(&bigger, str_make(s->key, s->len), s->hash) = *s;
        }
        free(m->slots);
        *m = bigger;
}

void map_put(struct map *m, struct str key, void *value)
{
        uint64_t hash = str_hash(key);
        if (4 * (m->count + 1) > 3 * m->size)
                grow(m);
        struct slot *s = slot_of(m, key, hash);
        if (!s->key) {
                *s = (struct slot){.key = str_text(key), .len = key.len, .hash = hash};
                m->count++;
        }
        s->value = value;
}

void *map_get(const struct map *m, struct str key)
{
        if (m->count == 0)
                return NULL;
        return slot_of(m, key, str_hash(key))->value;
}

void *map_drop(struct map *m, struct str key)
{
        if (m->count == 0)
                return NULL;
        struct slot *hole = slot_of(m, key, str_hash(key));
        void *value = hole->value;
        if (!hole->key)
                return NULL;
        free(hole->key);
        m->count--;
        size_t mask = m->size - 1, gap = (size_t)(hole - m->slots);
        for (size_t i = (gap + 1) & mask; m->slots[i].key; i = (i + 1) & mask) {
                size_t home = m->slots[i].hash & mask;
                if (((i - home) & mask) < ((i - gap) & mask))
                        continue; /* its home lies behind the gap: it may not move before it */
                m->slots[gap] = m->slots[i];
                gap = i;
        }
        m->slots[gap] = (struct slot){0};
        return value;
}

size_t map_count(const struct map *m)
{
        return m->count;
}

bool map_next(const struct map *m, size_t *at, struct str *key, void **value)
{
        for (; *at < m->size; (*at)++) {
                const struct slot *s = &m->slots[*at];
                if (!s->key)
                        continue;
                *key = str_make(s->key, s->len);
                *value = s->value;
                (*at)++;
                return true;
        }
        return false;
}
