/* found.h - how a search's result is given: SEARCH, or ESEARCH when RETURN was asked for (RFC 4731),
 * kept for "$" when SAVE was (RFC 5182). */
#pragma once
#include "imap/inside.h"

enum {
        RETURN_MIN = 1, RETURN_MAX = 2, RETURN_ALL = 4, RETURN_COUNT = 8, RETURN_SAVE = 16,
};
struct returns {
        bool extended; /* RETURN stood there */
        unsigned what;
};
/* "RETURN (MIN SAVE) " in front of the keys, when it stands there. "RETURN ()" is ALL. */
void returns_parse(struct parse *, struct returns *out);
/* What "$" means from now on: with MIN or MAX alone, only those. */
void found_save(struct session *, const struct returns *, const struct numset *found);
/* with_modseq: a key was MODSEQ; the highest of what is told is told too (RFC 7162 3.1.5). */
CHECKED enum status found_say(struct session *, const struct returns *,
        const struct numset *found, bool with_modseq);
/* The highest MODSEQ of these; 0: there are none. */
CHECKED enum status found_highest(struct session *, const struct numset *, uint64_t *out);
