/* relay.h - mail leaves the house: a few senders that take what is due from the queue and bring it
 * to the next hop, or to each domain's own servers. */
#pragma once
#include "team/site.h"

struct relay;

CHECKED enum status relay_start(struct site *, struct relay **out); /* BROKEN: logged */
/* What is being sent has some seconds to end. NULL is fine. */
void relay_stop(struct relay *);
