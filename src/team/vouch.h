/* vouch.h - which users of this machine may say who wrote what they hand in at run/deliver or to
 * `baton deliver`: those whom deliver-users of baton.conf lists, and nobody else. Neither root nor
 * batond's own user is one by nature: a mail server's pipe may run as either, and hands on whatever
 * the world claims. What others bring counts as mail from outside. */
#pragma once
#include "team/site.h"

bool vouch_allowed(struct site *, uid_t uid);
/* Whom they say: the one in From, if it is one of ours; the reverse path alone does not make an
 * author. 0: nobody. */
uint32_t vouch_author(struct site *, struct arena *, struct str bytes);
