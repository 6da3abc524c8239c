/* parts.h - one row of the queue for each domain: what goes by MX goes each its own way, at its own
 * times, so that a domain that does not answer holds no other recipient back. */
#pragma once
#include "store/queue.h"
#include "team/site.h"

/* Replaces a row that waits for recipients in several domains by rows for one each, due now, in one
 * change. EXISTS: nothing to do; OK: this row has gone, or waits for fewer; CHANGED, ABSENT. */
CHECKED enum status parts_make(struct site *, const struct queue_row *, struct arena *);
