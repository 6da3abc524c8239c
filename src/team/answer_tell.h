/* answer_tell.h - one reply to a digest while it is being worked on, and what its author is told of
 * it. Inside team/ only. */
#pragma once
#include "base/zone.h"
#include "mail/compose.h"
#include "mail/mime.h"
#include "team/answer.h"
#include "team/digest_items.h"
#include "team/submit.h"

/* What became of a part. */
struct answer_fate {
        size_t item;
        struct str text;           /* what was said */
        struct str topic, subject; /* where it was posted; empty where it was not */
        const char *why;           /* it was not; NULL: it was */
};
struct answering {
        struct site *site;
        struct arena *arena;
        struct person person;   /* who answers */
        struct sender sender;   /* with what an item's address adds */
        const struct part *top; /* the reply */
        struct derived derived;
        struct str header, from; /* From as it stands */
        struct str reply_id;
        struct digest_ref ref; /* person 0: nobody knows which digest */
        struct digest_items items;
        struct str shown;
        struct answer answer;
        struct answer_fate *fates;
        size_t fate_count;
        const struct answer_part *carrier; /* the only part: attachments go with it */
        time_t now, written;               /* written: as its Date says; 0: it says nothing sound */
        const struct zone *zone;           /* of the person */
        int offset;
        struct str domain;                 /* the site's */
        struct str topic_address, part_id; /* of the part at hand */
};

/* The message of a composition in plain text, with the reply's attachments when `carries`. */
void answer_compose(
        const struct answering *, const struct composition *, bool carries, struct buf *out);
/* When anything was not posted: one mail that says what was, what not, why, and how to say it
 * again; the text lies in Drafts. Once for a reply. */
CHECKED enum status answer_tell(struct answering *);
