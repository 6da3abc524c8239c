/* domains.h - where mail is on its way to now, by domain: one that does not answer is left alone
 * for a while, and none takes all senders, so that it holds nobody else's mail back. */
#pragma once
#include "base/buf.h"

struct domains;
struct domains *domains_new(unsigned senders);
void domains_free(struct domains *); /* NULL is fine */

/* A sender goes there. BUSY: enough of them are there; CLOSED: it was tried a moment ago, *why says
 * what came of that. */
CHECKED enum status domains_enter(struct domains *, struct str domain, struct buf *why);
/* It is done there. seconds: the domain is left alone for so long, because of *why; 0: it is well.
 */
void domains_leave(struct domains *, struct str domain, unsigned seconds, const struct buf *why);
