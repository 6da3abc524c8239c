/* quote.h - what of a text is its author's own.
 * The ways of quoting are those of real mail programs; where a rule could take away the author's
 * own words it asks for more than one sign. Linear in the text. */
#pragma once
#include "base/buf.h"

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
