#include "imap/inside.h"

struct batch *batch_new(struct session *s, const struct numset *which)
{
        struct batch *b = mem_new(sizeof *b);
        b->session = s;
        b->which = which;
        b->from = numset_low(which);
        b->end = b->from == 0;
        b->arena = arena_new();
        return b;
}

void batch_free(struct batch *b)
{
        if (!b)
                return;
        arena_free(b->arena);
        free(b);
}

/* Ready structures are long: fewer at once. */
static size_t group_size(const struct batch *b)
{
        unsigned much = READ_STRUCTURE | READ_BODY | READ_PARTS | READ_OCTETS;
        return b->read & much ? BATCH_MAX / 2 : BATCH_MAX;
}

enum status batch_fill(struct batch *b)
{
        struct store *store = b->session->site->store;
        arena_reset(b->arena);
        b->count = 0;
        while (b->count == 0) {
                if (b->end)
                        return ABSENT;
                b->count = group_size(b);
                enum status st = entries_read(store, b->session->selected->mailbox, b->which,
                        &b->from, b->entries, &b->count);
                if (st != OK)
                        return st;
                b->end = b->from == 0;
        }
        if (!b->stored_too)
                return OK;
        uint64_t ids[BATCH_MAX];
        for (size_t i = 0; i < b->count; i++)
                ids[i] = b->entries[i].message;
        b->stored = arena_alloc(b->arena, b->count * sizeof *b->stored);
        return messages_read(store, ids, b->count, b->read, b->arena, b->stored);
}
