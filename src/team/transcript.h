/* transcript.h - the mail that tells an author what of their directives was done, what not and why.
 * Sent only when something was not: what was done is seen in the thread. */
#pragma once
#include "team/wish.h"

struct transcript {
        const struct person *person;
        uint32_t task; /* 0: none */
        const struct submission *mail;
        const struct outcome *outcomes;
        size_t count;
        bool more; /* there were more directives than are read */
};
/* Files it in the author's INBOX, and their mail in Drafts, to be corrected and sent again. OK also
 * when there is nothing to tell. */
CHECKED enum status transcript_send(struct site *, const struct transcript *);
