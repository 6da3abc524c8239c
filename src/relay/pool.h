/* pool.h - connections to next hops that carry no mail now: whoever of the senders goes to the same
 * server next takes one. A connection belongs to who took it. */
#pragma once
#include "relay/client.h"
#include "team/config.h"

struct link {
        struct client *client;
        struct buf host;             /* whose it is: the MX host's or next hop's name */
        const struct config *config; /* as it was made; old ones stay in memory */
        unsigned mails;              /* that it has carried */
        uint64_t idle_since;         /* clock_ms */
        struct link *next;
};
void link_close(struct link *); /* NULL is fine */

struct pool;
struct pool *pool_new(void);
void pool_free(struct pool *); /* closes all; NULL is fine */
/* One that is fit for another mail, or NULL. */
struct link *pool_take(struct pool *, struct str host, const struct config *);
/* Keeps it, or closes it when it is not fit for more. */
void pool_give(struct pool *, struct link *);
/* Closes what has been idle for so many seconds. */
void pool_reap(struct pool *, unsigned seconds);
bool pool_is_empty(struct pool *);
