/* mime.h - the tree of parts of a message, as byte ranges of the message itself.
 * One pass over the lines, bounded in header octets, nesting and counts, so that no input costs
 * more than its length (mime.c says why this is not libetpan's parser). Nothing is re-serialised.
 * Parsing never refuses: what is beyond the bounds or broken is a leaf, text/plain or
 * application/octet-stream, and all of its octets are still there. A multipart has at least one
 * child: where no boundary line is found, its whole body is one text/plain part. */
#pragma once
#include "base/arena.h"

enum part_kind { PART_LEAF, PART_MULTIPART, PART_MESSAGE };
enum { MIME_DEPTH_MAX = 50, MIME_PARTS_MAX = 1000 };

struct param {
        struct str name, value; /* name in lower case; value unquoted, RFC 2231 joined and decoded to UTF-8 */
        struct param *next;
};

struct part {
        enum part_kind kind;
        struct str header; /* of this part, the empty line included (range of the message) */
        struct str body;   /* still encoded (range of the message); no final boundary CRLF */
        struct str type, subtype;         /* lower case; "text", "plain" */
        struct param *params;             /* of Content-Type */
        struct param *raw_params;         /* as they stand: RFC 2231 marks kept, not decoded (IMAP) */
        struct str encoding;              /* lower case; "7bit" when none */
        struct str disposition;           /* lower case; empty when none */
        struct param *disposition_params, *raw_disposition_params;
        struct str id, description, language, location, md5; /* unfolded; empty when none */
        uint32_t lines;                   /* line ends in the body (leaf text and message) */
        struct part *first, *next, *parent; /* children of multipart; the one child of message/rfc822 is its top part */
};

/* The tree of a message in CRLF form. Views point into `message`, the rest into the arena. */
struct part *mime_parse(struct arena *, struct str message);
/* "1.2" counted as IMAP counts (RFC 9051 6.4.5: a non-multipart message has part 1; numbers go
 * through message/rfc822 to its parts). NULL when there is none. */
const struct part *mime_find(const struct part *top, struct str path);
struct str param_value(const struct param *, const char *name); /* empty when none */
/* The body decoded from base64 or quoted-printable; other encodings as they are. */
void mime_decode(const struct part *, struct buf *out);
/* The name of an attachment (filename or name parameter), or empty. */
struct str mime_filename(const struct part *);
bool mime_is_attachment(const struct part *); /* has a file name or disposition attachment, and is a leaf or message */
