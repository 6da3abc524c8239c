/* fetch_body.h - one message's octets for FETCH: sections, partials, header fields.
 * What Baton put before the message (its prefix) counts as its header; see items.h. */
#pragma once
#include "imap/inside.h"
#include "imap/items.h"

struct reading {
        struct session *session;
        const struct entry *entry;
        const struct stored *stored; /* sizes; parts when a section has a number */
        struct buf prefix;           /* read when first needed */
        bool prefix_known;
        bool streamed; /* some of it has left: what was announced must follow */
};

/* Appends the section "BODY[1] {4}\r\nabcd", or its label and NIL when there is no such part.
 * After a failure with `streamed` set the connection cannot be used any more. */
CHECKED enum status reading_print(struct reading *, const struct piece *);
/* The prefix and the header, at most HEADER_READ_MAX octets of it, appended. */
enum { HEADER_READ_MAX = 1 << 20 };
CHECKED enum status reading_header(struct reading *, struct buf *out);
void reading_release(struct reading *);

/* The fields that are named (or all others), each as it stands, and the empty line. */
void fields_filter(struct str header, const struct piece *, struct buf *out);
