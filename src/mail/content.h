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

/* At a glance, without reading it: can there be something in content_text's text? `may` is asked of
 * each leaf that it may show, with the octets decoded as mime_decode does and no further, until it
 * says yes. A leaf whose other form (multipart/alternative) is surely shown is not asked. */
bool content_any(const struct part *top, size_t max,
        bool (*may)(const struct part *leaf, struct str octets));
/* Do the ASCII characters of a leaf's text stand in these octets, in their lines, and no others?
 * Only the ends of flowed lines and their marks are still there. */
bool content_is_open(const struct part *leaf);

/* content_text for searching: also every alternative, the names and the text of attachments of any
 * text type, and messages inside of messages with their headers, decoded. */
void content_search(struct arena *, const struct part *top, size_t max, struct buf *out);
