/* numset.h - a set of 32-bit numbers: a session's view of a mailbox, \Seen, search results.
 * A thin face on CRoaring. Sequence number -> UID is numset_select, UID -> sequence number is
 * numset_rank; both cost about a microsecond at a million numbers. A set belongs to one thread
 * at a time unless it is only read. */
#pragma once
#include "base/buf.h"

struct numset;

struct numset *numset_new(void);
void numset_free(struct numset *); /* NULL is fine */
struct numset *numset_copy(const struct numset *);

void numset_add(struct numset *, uint32_t);
void numset_add_range(struct numset *, uint32_t low, uint32_t high); /* both included; low > high adds none */
void numset_remove(struct numset *, uint32_t);
void numset_remove_range(struct numset *, uint32_t low, uint32_t high);
void numset_clear(struct numset *);
bool numset_has(const struct numset *, uint32_t);
uint32_t numset_count(const struct numset *);
uint32_t numset_count_range(const struct numset *, uint32_t low, uint32_t high);
uint32_t numset_low(const struct numset *);  /* 0 when empty */
uint32_t numset_high(const struct numset *); /* 0 when empty */
uint32_t numset_rank(const struct numset *, uint32_t n);     /* how many are <= n */
uint32_t numset_select(const struct numset *, uint32_t rank); /* the rank-th, from 1; 0 when none */
uint32_t numset_next(const struct numset *, uint32_t after); /* smallest above `after`; 0 when none */
uint32_t numset_prev(const struct numset *, uint32_t before); /* largest below `before`; 0 when none */
bool numset_equal(const struct numset *, const struct numset *);

/* In place, on the first. */
void numset_or(struct numset *, const struct numset *);
void numset_and(struct numset *, const struct numset *);
void numset_andnot(struct numset *, const struct numset *);
void numset_xor(struct numset *, const struct numset *);
uint32_t numset_count_andnot(const struct numset *, const struct numset *); /* |a \ b|, allocates nothing */

/* Portable form, on disk and in tests. Reading checks everything: INVALID for damaged octets. */
void numset_write(const struct numset *, struct buf *out);
CHECKED enum status numset_read(struct str, struct numset **out);

/* IMAP's form: "1:3,5,9:*". `star` stands for '*'; a range may be reversed (RFC 9051 seq-range).
 * INVALID unless the whole view is a sequence-set of numbers from 1. Ranges are clipped to
 * `star` except where that would lose the last message (n:* with n > star means star). */
CHECKED enum status numset_parse(struct str, uint32_t star, struct numset **out);
void numset_print(const struct numset *, struct buf *out); /* "1:3,5"; "" when empty */

/* Ascending iteration:  for (struct walk w = numset_walk(s); walk_next(&w, &n);)  */
struct walk {
        const struct numset *set;
        uint32_t batch[64];
        uint32_t from; /* next number to fetch from */
        unsigned at, len;
        bool end;
};
struct walk numset_walk(const struct numset *); /* the set must not change meanwhile */
bool walk_next(struct walk *, uint32_t *out);
