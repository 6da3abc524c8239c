/* word.h - encoded words (RFC 2047): how a header field carries what is not ASCII.
 * Reads what real mailers write: blanks inside words, words inside quoted strings, characters cut
 * in two by a word's end. Linear: a word is sought at most 1,000 octets far. */
#pragma once
#include "base/buf.h"

/* Unfolded octets -> UTF-8 without controls. Blanks between encoded words are dropped, neighbours
 * of one charset are joined before they are converted, raw 8-bit octets go through text_decode. */
void word_decode(struct str unfolded, struct buf *out);
/* UTF-8 -> encoded words of at most 75 octets with a blank between them, none of which cuts a
 * character; the first is shortened to fit a line of 76 that has `column` octets already. Empty
 * text gives nothing. */
void word_encode(struct str utf8, size_t column, struct buf *out);
bool word_is_encoded(struct str); /* the whole of it is one encoded word */
