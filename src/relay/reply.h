/* reply.h - what a next hop answers (RFC 5321 4.2): lines "250-text" up to "250 text", made one. */
#pragma once
#include "base/buf.h"

enum { REPLY_LINES_MOST = 100, REPLY_TEXT_MOST = 500 };
struct reply {
        unsigned code;   /* 200 to 599 */
        unsigned lines;  /* so far */
        struct buf text; /* "550 5.1.1 No such person": the lines joined by blanks, printable
                          * ASCII, cut at REPLY_TEXT_MOST */
};

void reply_begin(struct reply *); /* empties it for the next reply */
void reply_release(struct reply *);
/* Adds a line without its end. BUSY: more lines follow; OK: it is whole; INVALID: no such reply. */
CHECKED enum status reply_add(struct reply *, struct str line);

enum verdict { TAKEN, LATER, NEVER }; /* 2yz, 4yz (and 3yz where none belongs), 5yz */
enum verdict reply_verdict(const struct reply *);
