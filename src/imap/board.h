/* board.h - IMAP on the columns of boards: what is copied, moved or appended into one, and what is
 * removed from one. What it means is team/board.h's. Inside imap/ only. */
#pragma once
#include "imap/inside.h"
#include "team/board.h"

/* COPY or MOVE of the selected folder's messages into a column, each by itself: when one is refused,
 * the others are done all the same. Pairs for COPYUID are added to from and to; those that must
 * leave the folder for it (a MOVE from a folder of one's own) to `leaving`. */
struct boarding {
        uint32_t column;
        struct str set; /* as the client wrote it: numbers of cards that have gone count, too */
        struct numset *from, *to, *leaving;
};
CHECKED enum status imap_board_copy(struct session *, const struct boarding *);
/* *number is what APPENDUID names, 0: nothing. */
CHECKED enum status imap_board_append(
        struct session *, uint32_t column, struct str bytes, time_t date, uint32_t *number);
/* Cards that a client removes come again. */
CHECKED enum status imap_board_return(struct session *, const struct numset *);

/* CREATE, RENAME and DELETE of columns: whoever looks after the topic may. UNSUPPORTED: the name (the
 * first one) is of no board that the person may see, and nothing is said. */
CHECKED enum status imap_column_create(struct session *, struct str name);
CHECKED enum status imap_column_rename(struct session *, struct str from, struct str to);
CHECKED enum status imap_column_delete(struct session *, struct str name);
