/* bases.h - the texts that prefixes of entries are written against (codec.h), as they were read:
 * all articles of a topic rest on few of them. A base never changes, and its number in its mailbox
 * is never given again, so what is remembered stays right. Bounded; thread-safe. */
#pragma once
#include "store/codec.h"
#include "store/inside.h"

struct row;
struct new_prefix {
        struct store *store;
        uint32_t number; /* of its entry */
        struct str text;
        struct buf *steps;
};

struct bases *bases_new(void);
void bases_free(struct bases *); /* NULL is fine */
/* Appends the prefix of an entry of that mailbox. DAMAGED: logged. */
CHECKED enum status bases_unpack(
        struct store *, uint32_t mailbox, const struct packed *, struct buf *out);
/* The writer's: the prefix of a new entry, written against its mailbox's newest base. Makes it the
 * next base when that one says little of it. The steps lie in the buf. */
CHECKED enum status bases_pack(
        struct txn *, struct row *, const struct new_prefix *, struct packed *out);
