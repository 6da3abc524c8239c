/* maildir.h - reads a Maildir (new/ and cur/), oldest first by the names of its files. */
#pragma once
#include "cli/cli.h"

struct maildir;

/* NULL: said why not. */
struct maildir *maildir_open(struct cli *, const char *path, size_t message_max);
void maildir_close(struct maildir *); /* NULL is fine */
size_t maildir_count(const struct maildir *);
/* The next message; *date when the file was written, *flags as its name says (FLAG_ bits).
 * ABSENT: that was the last. TOO_BIG: passed over. BROKEN: that one cannot be read; go on. */
CHECKED enum status maildir_next(
        struct maildir *, struct buf *message, time_t *date, unsigned *flags);
