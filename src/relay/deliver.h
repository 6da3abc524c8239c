/* deliver.h - one attempt at one row of the queue: to the next hop, or to the servers of its
 * domain; in lots, each settled before the next is sent. */
#pragma once
#include "relay/domains.h"
#include "relay/pool.h"
#include "store/queue.h"
#include "team/site.h"

struct courier { /* shared by all senders */
        struct site *site;
        struct pool *pool;
        struct domains *domains;
        int stop_now;     /* readable: every wait ends */
        const bool *stop; /* atomic: no more lots are begun */
};
/* OK; CLOSED: the one next hop cannot be reached, which other mail need not find out for itself
 * just now. Else the store's. */
CHECKED enum status deliver(const struct courier *, struct queue_row *, struct arena *);
