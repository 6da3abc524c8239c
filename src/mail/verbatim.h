/* verbatim.h - what a text shows and does not say: code, as Markdown marks it. A name or an order
 * in it is an example. Pure. */
#pragma once
#include "base/arena.h"
#include "base/str.h"

/* Which lines stand between fences of ``` or ~~~ (CommonMark 0.31 4.5), the fences included?
 * Unlike there a fence that nothing closes is text: people draw lines with tildes. Blanks before a
 * fence count for nothing. */
void verbatim_lines(const struct str *lines, size_t count, bool *out);
/* The text, LF line ends, with blanks for everything between fences and in code spans (4.5, 6.1
 * there), which end with their paragraph: as long as it was. In the arena; the text itself where it
 * holds no code. */
struct str verbatim_blank(struct str text, struct arena *);
