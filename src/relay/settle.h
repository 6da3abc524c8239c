/* settle.h - what an attempt comes to: one change of the store for all of it. Who was taken is
 * done, who was refused for good has failed and the sender is told, the rest waits for the next
 * attempt; a row that waits for nobody goes. */
#pragma once
#include "relay/client.h"
#include "store/queue.h"
#include "team/site.h"

struct attempt {
        struct queue_row *row;       /* as it was read before the attempt */
        struct client_recipient *to; /* verdicts of those that waited */
        const size_t *places;        /* of which recipients of the row */
        size_t to_count;
        struct str next_hop;
        bool more;      /* other recipients are sent to at once: the next time is not settled yet */
        bool passed_on; /* it tells of deliveries itself (RFC 3461 5.2.1) */
};
/* Tries until it is stored, as long as *stop is false: what is not stored would be sent twice.
 * ABSENT: the row has gone. */
CHECKED enum status settle(struct site *, const struct attempt *, const bool *stop);
