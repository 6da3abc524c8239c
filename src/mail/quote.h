/* quote.h - what of a text is its author's own.
 * The ways of quoting are those of real mail programs; where a rule could take away the author's
 * own words it asks for more than one sign. Linear in the text. */
#pragma once
#include "base/arena.h"

/* The author's own lines of a text: without quoted lines, the "On ... wrote:" above them, a copy
 * of the mail answered (Outlook's forms too) and what follows the signature mark "-- ".
 * Only for showing: the message itself keeps all. If nothing would be left, the whole text. */
void content_own(struct str text, struct buf *out);
/* The same, but empty when nothing is the author's: for directives, which another's text must
 * never give. False when empty. */
bool content_said(struct str text, struct buf *out);
/* The one line that tells most: the first sentence(s) of the own text in one line of at most
 * `columns` columns, "..." when cut; greetings ("Hi all,") skipped. Empty when there is none. */
void content_line(struct str text, size_t columns, struct buf *out);

/* The same, line by line, for who must know which quoted line an answer stands under. */
enum said {
        SAID_BLANK,
        SAID_OWN,
        SAID_QUOTED, /* marked with ">", above a signature or a copy that is not marked */
        SAID_AWAY,   /* "On ... wrote:", a copy, a signature, "Sent from my phone" */
};
struct said_line {
        enum said said;
        struct str text; /* the line as it stands, a view of the text */
};
/* *out lies in the arena; how many there are comes back. */
size_t content_lines(struct str text, struct arena *, struct said_line **out);
/* "Hi all,", "Dear Ana" and the like, alone in its line. */
bool content_greets(struct str line);
