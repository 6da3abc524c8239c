/* accept.h - what comes in from people is filed (submit.h), and what it asks for is done: tasks are
 * opened and changed by directives (directive.h), and sub-addresses are obeyed.
 *
 * Only who has logged in commands, and only by mail whose From is their own; automatic mail
 * commands nothing. First a message is filed, then it is obeyed; both are on disk when OK is
 * answered, and doing it twice does no harm, because who heard no answer sends it again. What of it
 * could not be done is told to the author by a mail, and the text is kept in Drafts. */
#pragma once
#include "team/submit.h"

struct acceptance {
        struct submission mail;   /* sender, octets and what the envelope says; the rest is filled */
        const struct target *to;  /* as submit_target found them */
        size_t to_count;
};
/* Mail to addresses. As submit; *why says what was refused. */
CHECKED enum status accept_mail(
        struct site *, struct acceptance *, struct arena *, enum refusal *why);
/* News, or what a client appends: placements are known. As submit. */
CHECKED enum status accept_post(
        struct site *, struct submission *, struct arena *, enum refusal *why);
/* The second half, for what was filed by submit_many. What cannot be done is told to the author. */
void accept_obey(struct site *, const struct submission *);
