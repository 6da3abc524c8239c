/* html.h - HTML as a person reads it, for digests, searching and directives. */
#pragma once
#include "base/buf.h"

/* HTML -> text with line breaks where a person sees them; scripts, styles, head and what is not
 * displayed are dropped; a blockquote's lines begin with "> ", code stands between backquotes.
 * libxml2's push parser, no network, no tree, linear. */
void html_text(struct str html_utf8, struct buf *out);
