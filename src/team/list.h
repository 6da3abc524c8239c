/* list.h - a topic as a mailing list: who gets it by mail, and where.
 *
 * A subscriber from outside is a person record of the kind `outside`: its name is its address, it
 * never logs in and has no folders. So subscriptions, ways of delivery and bounces are the same for
 * everybody, and an address is one person's only. */
#pragma once
#include "team/rules.h"

/* Where mail to this person goes outside; empty: nowhere. A view into the person. */
struct str list_address(const struct person *);
/* The subscriber with this address, added when there is none (in a change of its own). INVALID: no
 * address that mail to the outside can go to; EXISTS: it is a person's of the site, who is in out. */
CHECKED enum status list_outsider(
        struct site *, struct str address, struct arena *, struct person *out);
/* What an outsider can choose: there is no INBOX for what names him. */
bool list_mode_fits(const struct person *, enum mode);
/* Subscribes, or changes how: *before is how it was, 0 when it was not. */
CHECKED enum status list_join(
        struct site *, uint32_t person, uint32_t topic, enum mode, enum mode *before);
/* ABSENT: was not subscribed. */
CHECKED enum status list_leave(struct site *, uint32_t person, uint32_t topic);
/* Somebody has left a topic: cards of tasks that they may not read any more leave Tasks/. */
void list_left(struct site *, uint32_t person);
