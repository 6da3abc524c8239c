/* shown.h - one message that a person sees in two places: at home in a topic, and in a folder of
 * theirs that shows it because it names them. \Seen and \Flagged are the same in both: who sets
 * them in one place sets them in the other, in the same change. Inside store/ only; who files says
 * so by filing_entry.shown.
 *
 * What is kept is a pair of places each way. A pair whose one end has gone is harmless, and goes
 * with the folder's end. */
#pragma once
#include "store/codec.h"
#include "store/inside.h"

enum { SHOWN_FLAGS = FLAG_SEEN | FLAG_FLAGGED };

/* The person sees the same message in both places from now on. */
CHECKED enum status shown_put(
        struct txn *, uint32_t person, const struct place *, const struct place *);
/* The numbers of a folder have gone, and their pairs with them. */
CHECKED enum status shown_drop(
        struct txn *, struct op *, uint32_t person, uint32_t mailbox, const struct numset *gone);

/* What was done to flags here is done at the other places too. `flags`: FLAG_ bits of SHOWN_FLAGS
 * that were written, `on`: what they became. *touched: mailboxes in which that made a difference, a
 * numset that the caller publishes by and frees; NULL when there is none. */
struct shown_marks {
        uint32_t person, mailbox;
        const struct numset *numbers;
        unsigned flags, on;
};
CHECKED enum status shown_mark(
        struct txn *, struct op *, const struct shown_marks *, struct numset **touched);
