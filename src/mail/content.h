/* content.h - the readable text of a message, for digests, searching and directives. What of it is
 * the author's own: quote.h. */
#pragma once
#include "mail/html.h"
#include "mail/mime.h"
#include "mail/quote.h"

/* All text of a message as UTF-8 with LF line ends: text/plain parts joined (Apple Mail sends
 * several); of multipart/alternative the plain one if it is not empty; HTML by html_text; flowed
 * text unflowed (RFC 3676, DelSp); attachments are left out. At most `max` octets. */
void content_text(struct arena *, const struct part *top, size_t max, struct buf *out);

/* The same for searching: also every alternative, the names and the text of attachments of any
 * text type, and messages inside of messages with their headers, decoded. */
void content_search(struct arena *, const struct part *top, size_t max, struct buf *out);
