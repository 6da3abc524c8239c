/* render.h - Markdown to HTML (libcmark, safe mode). Input over 64 KiB is shown as plain text
 * (libcmark is quadratic on some input). Remote images are dropped on the tree; "[ ]" and "[x]" at
 * the start of a list item become ballot boxes. */
#pragma once
#include "base/buf.h"

void render_markdown(struct str utf8, struct buf *html);
