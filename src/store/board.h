/* board.h - the mailboxes of a topic's columns, as the writer keeps them. Inside store/ only; what
 * a column is called is declared in task.h.
 *
 * A column is known by its word: when a topic's columns change, the mailbox of "Doing" stays the
 * one of "doing" whatever its place and case are now. A column that still holds cards cannot go. */
#pragma once
#include "store/codec.h"
#include "store/inside.h"

enum { COLUMNS_MOST = 20, COLUMN_WORD_MOST = 64 };

struct board {
        const struct topic *before, *after; /* either may be NULL: a new topic, one that goes */
        struct str from, to; /* words: this column is called so from now on; empty: none is */
        uint32_t gone[COLUMNS_MOST];        /* filled: mailboxes that went */
        size_t gone_count;
};
/* INVALID: no sound columns; FORBIDDEN: a column that would go still holds cards. */
CHECKED enum status board_check(struct txn *, struct op *, const struct board *);
CHECKED enum status board_put(struct txn *, struct op *, struct board *);
void board_publish(struct op *, const struct board *);
/* The mailbox of a name, as written so far. ABSENT. */
CHECKED enum status board_find(struct txn *, struct op *, struct str name, uint32_t *mailbox);
/* CHANGED: the topic has columns, and none with this word. */
CHECKED enum status board_has(struct txn *, struct op *, uint32_t topic, struct str word);
