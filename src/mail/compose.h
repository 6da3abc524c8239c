/* compose.h - messages that Baton writes itself: digests, notices, journals. */
#pragma once
#include "base/arena.h"

struct composition {
        struct str from, to;        /* complete field values (address_field); to may be empty */
        struct str subject;         /* UTF-8 */
        struct str message_id;      /* "<...>" */
        struct str in_reply_to;     /* empty when none */
        struct str references;      /* empty when none */
        time_t date;
        int offset;                 /* of the reader's zone, seconds east */
        struct str fields;          /* further ready field lines with CRLF; may be empty */
        struct str text;            /* UTF-8, LF or CRLF; sent as format=fixed */
        struct str html;            /* empty: text/plain only, else multipart/alternative */
        struct str calendar;        /* iCalendar; goes along as a file, with text alone */
        struct str calendar_name;   /* "T-142.ics" */
        bool automatic;             /* adds Auto-Submitted: auto-generated (RFC 3834) */
};

/* The message in CRLF form, 7-bit clean (quoted-printable where needed), MIME complete.
 * The boundary is never found in the content. The same composition gives the same octets. */
void compose(struct arena *, const struct composition *, struct buf *out);
