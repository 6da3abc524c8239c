/* mbox.h - reads and writes an mbox file (RFC 4155; mboxrd and mboxo) one message at a time, in bounded
 * memory. A message begins at a line "From ADDRESS DATE" at the start or after an empty line;
 * ">From " in the text loses one '>'. */
#pragma once
#include "base/buf.h"

struct mbox;

struct mbox *mbox_open(FILE *, size_t message_max); /* takes the file */
void mbox_close(struct mbox *);                     /* NULL is fine */
/* The next message, with line ends as they are in the file; *date is when it came, as the From line
 * says (0: it does not). ABSENT: that was the last. TOO_BIG: over message_max, passed over.
 * INVALID: not an mbox file. BROKEN: cannot be read. */
CHECKED enum status mbox_next(struct mbox *, struct buf *message, time_t *date);
uint64_t mbox_position(const struct mbox *); /* octets read so far */
/* Adds a message (CRLF form) to *out, as mbox_next gives it back: mboxrd's quoting, line ends as LF
 * (as they are where a lone CR would be taken for one). The sender may be empty. The format ends
 * each message with a line end; one that has none gets it. */
void mbox_put(struct str message, struct str sender, time_t date, struct buf *out);
/* A lone CR stands in it: with LF for its line ends it could not be read back to the same octets. */
bool mbox_keeps(struct str message);
/* "From ana@example.org Tue Nov 24 07:30:00 2026" (also with a zone before or behind the year).
 * INVALID: no such line. Without a zone it is taken for UTC. */
CHECKED enum status mbox_from_line(struct str line, time_t *date);
