/* mark.h - flags as the writer keeps them. Inside store/ only; reading is declared in marks.h.
 *
 * Every flag and every keyword of a person in a mailbox is a set of numbers, kept in blocks of
 * 4,096: setting one on a hundred thousand messages is as cheap as setting it on one, and a flag on
 * few messages is a record of some octets. \Seen is kept relative to the mailbox's history, which
 * is the \Seen of person 0: seen(person, n) = mark(person, n) XOR mark(0, n). */
#pragma once
#include "store/codec.h"
#include "store/inside.h"

enum { HISTORY = 0, FLAG_INDEX_SEEN = 0, FLAG_INDEX_KEYWORDS = 16 }; /* keyword k is flag 16 + k */

struct mark_place {
        uint32_t person, mailbox;
        unsigned flag; /* index: 0 to 4, or of a keyword */
};
/* Sets or clears; *changed (may be NULL) gets the numbers for which that made a difference. */
CHECKED enum status mark_set(struct txn *, struct op *, const struct mark_place *,
        const struct numset *, bool on, struct numset *changed);
/* Clears bits as they are stored, of numbers that are no more. */
CHECKED enum status mark_wipe(
        struct txn *, struct op *, const struct mark_place *, const struct numset *);
/* The numbers of `which` that have the flag. txn may be NULL. */
CHECKED enum status mark_get(struct store *, struct txn *, const struct mark_place *,
        const struct numset *which, struct numset *out);

/* A person's keywords in a mailbox; names are views into `value`. */
CHECKED enum status words_get(struct store *, struct txn *, uint32_t person, uint32_t mailbox,
        struct buf *value, struct words *out);
size_t words_find(const struct words *, struct str word); /* its place, or words->count */
/* TOO_MANY when not all of these can be had; INVALID: a name is empty or too long. */
CHECKED enum status words_check(struct txn *, struct op *, const struct marking *);
/* The flag of a keyword, made when it is new. TOO_MANY. */
CHECKED enum status words_make(
        struct txn *, struct op *, const struct mark_place *, struct str word, unsigned *flag);

/* Adds numbers to what changed in this change; an empty set writes nothing. person 0: vanished. */
CHECKED enum status change_note(
        struct txn *, struct op *, uint32_t mailbox, uint32_t person, const struct numset *);
struct noted {
        uint32_t mailbox, person;
        uint64_t since, upto; /* excluded, included */
};
/* What is noted there, added to *out. txn may be NULL. */
CHECKED enum status change_noted(
        struct store *, struct txn *, const struct noted *, struct numset *out);
