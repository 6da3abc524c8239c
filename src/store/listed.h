/* listed.h - which folders a person's mail programs are to list: IMAP's SUBSCRIBE and UNSUBSCRIBE.
 * It is kept by name, because a name stays subscribed when its folder goes (RFC 9051 6.3.7), and
 * it has nothing to do with how a topic reaches a person. Names that nothing was said of are not
 * here: what they are is the caller's default. */
#pragma once
#include "store/store.h"

enum { LISTED_MAX = 10000, LISTED_NAME_MAX = 800 }; /* a key stays on its page */

struct listed {
        struct str name;
        bool on;
};
/* All that a person has said, by name, at most LISTED_MAX. *out in the arena. */
CHECKED enum status listed_read(struct store *, uint32_t person, struct arena *,
        struct listed **out, size_t *count);
/* At the commit, ABSENT: there is no such person; INVALID: an empty or too long name. */
void change_listed(struct change *, uint32_t person, const struct listed *);
