/* spool.h - a message on its way in: in memory up to 256 KiB, then in an unlinked file, so that
 * a client's large message costs disk and not memory. */
#pragma once
#include "base/buf.h"

struct spool;

struct spool *spool_new(const char *folder); /* where the unlinked file goes; borrowed for its life */
void spool_free(struct spool *);             /* NULL is fine */
CHECKED enum status spool_add(struct spool *, struct str); /* FULL when the disk is */
/* Gives the memory back: what is in it moves to the file. FULL. */
CHECKED enum status spool_settle(struct spool *);
size_t spool_size(const struct spool *);
/* All octets in one piece (the file is mapped). Valid until the next spool_add or spool_free. */
CHECKED enum status spool_view(struct spool *, struct str *out);
