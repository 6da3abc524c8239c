/* named.h - whom a message in a topic names: people in To and Cc, and `@ana` in what the author
 * says (not in what is quoted, nor in code). They find it in their INBOX at once, and reading it there is
 * reading it in the topic. */
#pragma once
#include "mail/derive.h"
#include "team/submit.h"

enum { NAMED_MOST = 50 };

struct named {
        uint32_t person, inbox;
        struct str address; /* "ana@team.example" */
        struct topic *topic; /* the first of the mail's topics that they may read */
        const char *reason;  /* Baton-Reason */
};
/* People other than the author who may read a topic that the mail, which has been parsed, goes
 * to and have not set it to `none`. History and automatic mail name nobody. TOO_MANY: over NAMED_MOST. *out in the arena. */
CHECKED enum status named_find(struct site *, const struct submission *, const struct derived *,
        struct arena *, struct named **out, size_t *count);
/* The same of mail->assigned, in the mail's first topic: they get it whatever they set. */
CHECKED enum status named_assigned(struct site *, const struct submission *, struct arena *,
        struct named **out, size_t *count);
/* Without reading it: may its author say a name? Most mail can be told so in a fraction of
 * the time. Where it says no, named_words finds none in what he says. */
bool named_may_stand(const struct parsed_mail *);
/* The names behind '@' in a text, each once, in lower case, at most `most`; what stands in code
 * (mail/verbatim.h) names nobody. Pure. */
size_t named_words(struct str text, struct arena *, struct str *out, size_t most);
