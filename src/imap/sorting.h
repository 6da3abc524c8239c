/* sorting.h - putting messages in order (RFC 5256 3) by what was derived when they were filed. Of
 * each text a piece of WINDOW octets is held; where pieces are equal the next ones are read, so that
 * texts compare whole in little memory, however much of them is the same. */
#pragma once
#include "imap/inside.h"

enum what { BY_ARRIVAL, BY_DATE, BY_SIZE, BY_SUBJECT, BY_FROM, BY_TO, BY_CC, BY_COUNT };

struct criterion {
        enum what what;
        bool reverse;
};

struct sorting {
        struct criterion criteria[BY_COUNT]; /* each `what` once: a second time it decides nothing */
        size_t count;
};

/* What one message takes while it is sorted, its texts being of usual length. */
extern const size_t sorting_room;
struct sorted {
        uint32_t *numbers; /* heap */
        size_t count;
};
/* The messages in order; those that have gone meanwhile are left out. The caller frees
 * out->numbers, whatever is returned. */
CHECKED enum status sorting_run(struct session *, const struct sorting *,
        const struct numset *found, struct sorted *out);

