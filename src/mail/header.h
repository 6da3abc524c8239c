/* header.h - the fields of a header, straight from the octets.
 * Reads what real mail has: a line that is no field and no continuation ends nothing, it is
 * skipped; folding is kept in the raw value and undone by header_unfold. */
#pragma once
#include "base/arena.h"

struct field {
        struct str name;  /* as written, without the colon and blanks before it */
        struct str value; /* raw: after the colon, folding kept, without the last line end */
        struct str all;   /* the whole field with its line end(s) */
};

/* Cuts the next field off *rest (a header; stops at the empty line or the end). False at the end. */
bool header_next(struct str *rest, struct field *out);
/* The first field of that name (case-insensitive). The value is raw. */
bool header_find(struct str header, const char *name, struct str *value);
/* How many of that name there are. */
unsigned header_count(struct str header, const char *name);
/* Length of the header of a message, the empty line included (the whole when there is none). */
size_t header_length(struct str message);

/* Line ends and the white space after them become one blank each... exactly: CRLF is removed
 * before WSP (RFC 5322 2.2.3); TAB, CR, LF and NUL that remain become blanks; ends trimmed. */
struct str header_unfold(struct arena *, struct str raw);
/* Unfolded and decoded to UTF-8: encoded words (RFC 2047), adjacent ones joined, raw 8-bit octets
 * by text_decode. For people's eyes and for searching. */
struct str header_decode(struct arena *, struct str raw);
/* Unfolded value of the first field of that name, or STR_NONE (at == NULL). */
struct str header_value(struct arena *, struct str header, const char *name);
struct str header_text(struct arena *, struct str header, const char *name); /* decoded */

/* Writes "Name: value\r\n", RFC 2047-encoded as UTF-8 where needed and folded at 78; the value is
 * UTF-8 text, never octets with line ends (those become blanks: no field can be smuggled in). */
void header_add(struct buf *out, const char *name, struct str value);
/* The subject without "Re:", "Fwd:", "[list]" and blanks at its ends, folded in case:
 * RFC 5256 2.1's base subject. */
struct str header_base_subject(struct arena *, struct str decoded_subject);
bool header_is_reply(struct str decoded_subject); /* begins with Re: or the like */
