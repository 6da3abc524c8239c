/* board.h - what is put into a column of a board: a card takes its task there, and any other message
 * opens one. Which card a number meant is known for 90 days after it went (store/task.h), so that a
 * client that was away is understood, against the version that it saw. */
#pragma once
#include "team/task.h"

struct arrival {
        uint32_t person; /* who puts it there */
        uint32_t column; /* a column's mailbox */
        struct place from;  /* where it lies or lay; mailbox 0: it is appended */
        uint64_t message;   /* that lies at `from`; 0: it has gone, or it is appended */
        struct str bytes;   /* of what is appended, or comes from another folder */
        time_t date;        /* its internal date; 0: now */
        struct str address; /* the client's */
};
/* Does this number stand for a card, there or gone? Then bytes are not needed. */
bool board_is_card(struct site *, struct place from);
/* done->burned is the number that the client is told (COPYUID, APPENDUID), 0 when nothing was done;
 * done->text says what, or why not. Of cards: as task_change. Of others: as task_open, with *why. */
CHECKED enum status board_take(struct site *, const struct arrival *, struct arena *,
        struct task_done *done, enum refusal *why);
/* A card is removed by a client: it comes again under a new number. OK when it has gone already. */
CHECKED enum status board_return(struct site *, struct place card);
