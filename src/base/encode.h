/* encode.h - transfer encodings and escapes: octets in, octets out; what charset they are in is
 * text.h's business. Decoders called tolerant never fail, as mail must be shown somehow. */
#pragma once
#include "base/buf.h"

void base64_encode(struct str, struct buf *out); /* no line breaks */
/* Strict: INVALID on any other octet, and out is as it was. */
CHECKED enum status base64_decode(struct str, struct buf *out);
/* MIME: skips what is not base64, stops at '='. */
void base64_decode_lax(struct str, struct buf *out);
/* RFC 4648 6 in small letters and without padding: for tokens in addresses. Reads either case;
 * INVALID on any other octet or a text that no octets give, and out is as it was. */
void base32_encode(struct str, struct buf *out);
CHECKED enum status base32_decode(struct str, struct buf *out);
void quoted_decode(struct str, struct buf *out); /* quoted-printable, tolerant */
/* RFC 2045 6.7; lines end in CRLF and have at most 76 octets. */
void quoted_encode(struct str text, struct buf *out);
/* RFC 3461 4: "+2B" stands for "+". INVALID: not xtext, and out is as it was. */
CHECKED enum status xtext_decode(struct str, struct buf *out);
void hex_encode(struct str, struct buf *out);

/* HTML and URL text. */
void html_escape(struct str utf8, struct buf *out);  /* & < > " */
void url_escape(struct str, struct buf *out);        /* all but unreserved (RFC 3986 2.3) */
