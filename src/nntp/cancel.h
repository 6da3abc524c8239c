/* cancel.h - an author takes an article back (RFC 5537 5.3, 5.4). */
#pragma once
#include "nntp/session.h"

enum { CANCEL_PLACES = 128 };

struct cancel {
        struct place places[CANCEL_PLACES]; /* newsgroups only: what people filed for themselves stays */
        size_t count;
};

/* Where the article with this Message-ID goes from. ABSENT: this person sees no such article;
 * FORBIDDEN: somebody else wrote it. */
CHECKED enum status cancel_find(struct session *, struct str id, struct cancel *out);
/* Removes it from all its newsgroups, or from none. */
CHECKED enum status cancel_commit(struct session *, const struct cancel *);
