/* list_mail.h - what people ask of a topic by writing to its sub-addresses (subaddress.h).
 *
 * Who has logged in is obeyed at once. Anybody else could be anybody: his address is asked first,
 * by one short mail a day at most, and the answer to that counts (double opt-in). What no person
 * wrote is never acted on. Every request ends in an answer or a refusal in the protocol. */
#pragma once
#include "team/submit.h"

/* May this sender ask that at all (RCPT TO)? */
CHECKED enum status list_may_ask(
        struct site *, const struct sender *, const struct target *, struct arena *, enum refusal *why);
/* Does what the mail asks for. OK: done, answered or asked back. Doing it twice does no harm. */
CHECKED enum status list_obey(struct site *, const struct submission *, const struct target *,
        struct arena *, enum refusal *why);
