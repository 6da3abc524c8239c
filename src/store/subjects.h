/* subjects.h - the order of the base subjects of a mailbox (RFC 5256 2.1), kept from one SORT to
 * the next: what a number's subject is never changes, so that only messages that came since are
 * read. What is handed out is immutable and shared. 32 MB of them are kept at most;
 * one that is larger than half of that lives as long as whoever asked. Thread-safe. */
#pragma once
#include "store/mailbox.h"

enum { SUBJECT_OCTETS = 250 }; /* so many octets of each; what is longer is cut there */

struct subjects {
        size_t count;
        const uint32_t *number; /* ascending; all of the view, but for those that have gone, and
                                   perhaps more */
        const uint32_t *rank;   /* in parallel: the same for the same subject */
        const struct str *text; /* of each rank; of SUBJECT_OCTETS: it may go on */
        uint32_t ranks;         /* all are below */
        struct shared_subjects *shared; /* whose these are */
};
/* Costs what came since it was asked for the last time; the first time, all of the view. */
CHECKED enum status subjects_open(
        struct store *, const struct view *, const struct subjects **out);
void subjects_close(struct store *, const struct subjects *); /* NULL is fine */

struct cache *subjects_new(void); /* where they are kept */
