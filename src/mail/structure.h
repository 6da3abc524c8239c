/* structure.h - IMAP's BODY and BODYSTRUCTURE of a tree of parts (RFC 9051 7.5.2). */
#pragma once
#include "mail/mime.h"

/* Parameter values stand as in the header, unquoted; an encoding is never NIL, a disposition is a
 * list or NIL, every multipart has a child. */
void structure_write(struct arena *, const struct part *top, bool extended, struct buf *out);
