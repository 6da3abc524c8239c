/* msgid.h - Message-IDs: taken from fields as they stand, never rewritten. */
#pragma once
#include "base/arena.h"

/* Cuts the next "<...>" off *rest of a References, In-Reply-To or Message-ID value; out has the
 * angle brackets, inner white space removed, 3 to 998 octets. False when there is none left. */
bool msgid_next(struct arena *, struct str *rest, struct str *out);
/* Valid for news (RFC 3977 3.6): 3-250 octets, <...>, printable ASCII, no '>' or blank inside. */
bool msgid_is_news(struct str);
/* A new one: <time.random@domain>. */
struct str msgid_new(struct arena *, struct str domain);
/* One made of the message's octets, for mail that came without: the same octets give the same id. */
struct str msgid_of(struct arena *, struct str message, struct str domain);
