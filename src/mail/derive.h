/* derive.h - everything that is computed once, when a message is filed, and then only copied:
 * IMAP's ENVELOPE, BODYSTRUCTURE and BODY as ready octets, the news overview fields, the index of
 * parts, ids and dates. RFC 9051 7.5.2, RFC 3977 8.1. */
#pragma once
#include "mail/parsed.h"

struct derived {
        struct str message_id;   /* "<...>"; empty when the message has none (then see msgid_of) */
        struct str *references;  /* References, else In-Reply-To, oldest first, without repeats; at most 50: the first and the last 49 */
        size_t reference_count;
        time_t date;             /* of the Date field; 0 when unreadable */
        struct str subject;      /* decoded, flattened */
        struct str base_subject; /* RFC 5256 */
        struct str from_name;    /* decoded display name, else the address */
        struct str from;         /* "local@domain", domain lower case; empty when none */
        struct str envelope;     /* "(...)" : strings quoted, or literals where they must be */
        struct str structure;    /* BODYSTRUCTURE, with extension data */
        struct str body;         /* BODY, without */
        struct str overview;     /* "subject\tfrom\tdate\tmessage-id\treferences": raw unfolded octets, TAB CR LF NUL made blanks, bounded to 8 KB */
        struct str parts;        /* encoded by parts_write; for mime_find without parsing again */
        uint32_t header_size;    /* the empty line included */
        uint32_t lines;          /* of the body, as news counts */
        bool reply;              /* the subject begins with Re: or the like */
        bool dots;               /* some line begins with '.' */
        bool attachment;         /* has one */
        bool automatic;          /* Auto-Submitted other than no, Precedence bulk/junk/list, List-Id, X-Auto-Response-Suppress or null Return-Path */
};

/* Everything in the arena; `message` in CRLF form, kept while derived is used. */
void derive(struct arena *, struct str message, struct derived *out);
void derive_parsed(const struct parsed_mail *, struct derived *out); /* the same, in its arena */

/* Does this header say that no person wrote it? (derived.automatic) */
bool derive_automatic(struct str header);

/* The index of parts: path -> ranges, so that FETCH BODY[2.1] reads only those octets. */
struct range {
        uint64_t start, len; /* octets of the message without prefix */
};
enum section { SECTION_ALL, SECTION_HEADER, SECTION_TEXT, SECTION_MIME };
/* path "" is the message itself (HEADER, TEXT or ALL of it). HEADER and TEXT of a numbered part
 * exist for message/rfc822 parts only; MIME for numbered parts only. ABSENT when there is none;
 * *encoding "base64", "quoted-printable", ... of a leaf (for BINARY); may be NULL. */
CHECKED enum status parts_find(struct str parts, struct str path, enum section, struct range *out,
        struct str *encoding);
