/* answer.h - which words of a reply to a digest belong to which of its items.
 * Pure: no store, no site, no effect. It never guesses: what is not certain comes out as `rest`.
 *
 * In this order: the item's own address; `[n]` at the start of a line, where the lines up to the
 * next [n] or quoted item belong to it ("[2][3] yes" is said to both); text below a quoted item;
 * the real message that is answered; the only item there is. */
#pragma once
#include "base/arena.h"

struct answer_to { /* what is known of the digest */
        size_t items;        /* how many it has; numbered from 1 */
        size_t item_address; /* the item whose address the mail was sent to; 0: none */
        size_t item_message; /* the item whose real message is answered by In-Reply-To; 0: none */
        struct str shown;    /* what the digest said, UTF-8: lines that stand in it are no answer,
                              * marked as quoted or not. May be empty. */
        struct str name;     /* of who writes, for "Thanks, Ana"; may be empty */
};

struct answer_part {
        size_t item;     /* from 1 */
        struct str text; /* LF, no blank lines at its ends, ended by LF; not empty */
};
struct answer {
        struct answer_part *parts; /* one for an item, ascending */
        size_t count;
        struct str rest; /* the person's own words that fit nowhere; empty: none */
};

/* `text`: of the reply, as content_text gives it. All that comes out lies in the arena. */
void answer_read(struct str text, const struct answer_to *, struct arena *, struct answer *out);
