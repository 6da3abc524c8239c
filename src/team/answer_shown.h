/* answer_shown.h - the lines of a reply that the digest itself said. Many programs copy what they
 * answer without any mark, or lose the mark where they wrap a line; what the digest said is known,
 * so those lines are found. */
#pragma once
#include "base/buf.h"

/* Appends `text` with "> " put before each line that stands in `shown` (blanks do not count). A short
 * line ("yes") is taken for a copy only where it is a whole line of it, or the end of one whose start
 * is quoted right above. Nothing is marked when `shown` is empty. */
void answer_mark_shown(struct str text, struct str shown, struct buf *out);
