/* proto.h - what makes a posted text an article: the checks of an injecting agent (RFC 5536 3.1,
 * RFC 5537 3.5). Pure functions. The sentences go to the person who posts. */
#pragma once
#include "base/arena.h"

enum { PROTO_GROUPS_MAX = 10 };

struct proto {
        struct str header;  /* the empty line included */
        struct str groups[PROTO_GROUPS_MAX];
        size_t group_count;
        struct str replaces; /* the Message-ID that goes: Supersedes, or Control: cancel; or empty */
        bool cancels;        /* Control: nothing is posted instead (RFC 5537 5.3) */
        time_t date;         /* of its Date field; 0: it has none */
        struct str path;     /* whom it came by, as it says itself; or empty */
        const char *fault;  /* why it is refused */
        struct str about;   /* what the fault is about; may be empty */
};

/* The article in CRLF form; views point into it or the arena. INVALID: see fault and about. */
CHECKED enum status proto_read(struct arena *, struct str article, time_t now, struct proto *out);

/* Is this host in the article's Path? */
bool proto_passed(const struct proto *, struct str host);

/* Copies a header without the fields that belong to this server: Path, Xref, Injection-Info,
 * NNTP-Posting-*, X-Trace, X-Complaints-To (RFC 5537 3.5: they must not come from the client).
 * False: there are none, and nothing was copied. */
bool proto_clean(struct str header, struct buf *out);
