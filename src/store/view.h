/* view.h - what is flushed of each mailbox, in memory; views and watches. Inside store/ only; what
 * is for the layers above is declared in mailbox.h.
 *
 * The flusher tells what every flushed change did; at the end of each change it becomes visible, as
 * a whole, and the position moves to the change's MODSEQ. */
#pragma once
#include "store/inside.h"
#include "store/mailbox.h"

/* At open: everything up to here is on disk. */
void views_start(struct store *, uint64_t position);
/* Everything flushed up to this MODSEQ is visible. */
uint64_t views_position(struct store *);
/* Waits until everything that was committed before the call is flushed and visible. */
CHECKED enum status views_wait(struct store *);
/* The same, unless the position is there already. */
CHECKED enum status views_wait_for(struct store *, uint64_t modseq);
/* Forgets the mailboxes that nobody watches and nobody asked for in this time: they can be read
 * again. Happens by itself when there are many. */
void views_trim(struct store *, uint64_t idle_ms);

/* On the flusher's thread, from publish() of the op. */
void views_added(struct op *, uint32_t mailbox, uint32_t low, uint32_t high);
void views_removed(struct op *, uint32_t mailbox, const struct numset *numbers); /* copies */
void views_marked(struct op *, uint32_t mailbox, uint32_t person);
void views_gone(struct op *, uint32_t mailbox);
/* Every publish() ends with it: after a change's last operation all of the change becomes visible.
 */
void views_passed(struct store *, struct op *);
