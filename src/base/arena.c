#include "base/arena.h"

/* Many arenas hold a few words only: their one block is of a size that malloc has at hand. */
enum { FIRST_SIZE = 960, BLOCK_SIZE = 4096, ALIGNMENT = 16 };

struct block {
        struct block *next;
        size_t used, size;
        _Alignas(ALIGNMENT) char data[];
};

struct arena {
        struct block *first; /* the one being filled; older ones behind it */
};

/* Its octets are cleared as they are given out. */
static struct block *block_new(size_t size, struct block *next)
{
        struct block *b = mem_grow(NULL, sizeof *b + size);
        b->next = next;
        b->used = 0;
        b->size = size;
        return b;
}

struct arena *arena_new(void)
{
        return mem_new(sizeof(struct arena));
}

static void free_from(struct block *b)
{
        while (b) {
                struct block *next = b->next;
                free(b);
                b = next;
        }
}

void arena_free(struct arena *a)
{
        if (!a)
                return;
        free_from(a->first);
        free(a);
}

void arena_reset(struct arena *a)
{
        struct block *keep = a->first;
        if (keep && keep->size > BLOCK_SIZE) {
                free_from(keep);
                keep = NULL;
        }
        if (keep) {
                free_from(keep->next);
                keep->next = NULL;
#ifdef POISON
                memset(keep->data, 0xdb, keep->size);
#endif
                keep->used = 0;
        }
        a->first = keep;
}

void *arena_alloc(struct arena *a, size_t size)
{
        assert(size < SIZE_MAX / 4);
        size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        struct block *b = a->first;
        if (!b || b->size - b->used < size) {
                size_t usual = b ? BLOCK_SIZE : FIRST_SIZE;
                b = block_new(size > usual / 4 ? size + BLOCK_SIZE / 4 : usual, a->first);
                a->first = b;
        }
        void *p = b->data + b->used;
        b->used += size;
        return memset(p, 0, size);
}

struct str arena_copy(struct arena *a, struct str s)
{
        char *p = arena_alloc(a, s.len + 1);
        if (s.len)
                memcpy(p, s.at, s.len);
        return str_make(p, s.len);
}

struct str arena_printf(struct arena *a, const char *format, ...)
{
        struct buf b = {0};
        va_list ap;
        va_start(ap, format);
        buf_vaddf(&b, format, ap);
        va_end(ap);
        struct str s = arena_copy(a, buf_str(&b));
        buf_release(&b);
        return s;
}

struct str arena_lower(struct arena *a, struct str s)
{
        char *p = arena_alloc(a, s.len + 1);
        for (size_t i = 0; i < s.len; i++)
                p[i] = ascii_lower(s.at[i]);
        return str_make(p, s.len);
}
