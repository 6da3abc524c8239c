/* digest.h - each person's one mail of the day: what they have not read, at their own morning. */
#pragma once
#include "team/rules.h"

struct digest {
        struct str message;  /* complete, CRLF; empty: nothing to say */
        struct str text;     /* the text alternative, UTF-8, LF */
        struct str subject;
        int64_t day;         /* the person's local date */
        unsigned items;
};
/* Builds what `person` would get at `at` (which decides the local date and the greeting; the content is of now). */
CHECKED enum status digest_build(struct site *, const struct person *, time_t at, struct arena *, struct digest *out);
/* Files it in Digests, records the day, sets the next due time: one transaction for each, at least.
 * All that is due up to `at` (or only that person's, whether due or not). How many were filed. EXISTS: that one
 * person's day is done. */
CHECKED enum status digest_run(struct site *, time_t at, uint32_t only_person, unsigned *filed);
/* Sets the person's due record anew: after adding or changing a person, and at start. */
CHECKED enum status digest_plan(struct site *, uint32_t person, time_t now);
/* When the person's next digest is due after `after`: the first working day's digest time in their zone whose local
 * date has none yet. 0: never. */
time_t digest_next(const struct person *, time_t after, int64_t last_day);
/* The person's local date at that time, in days since 1970-01-01. */
int64_t digest_day(const struct person *, time_t at);
