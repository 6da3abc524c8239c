/* parsed.h - a message that is read once, for all who ask something of it while it is filed. */
#pragma once
#include "mail/mime.h"

struct parsed_mail {
        struct arena *arena;
        struct str bytes; /* CRLF form; borrowed */
        const struct part *top;
        /* inside */
        struct str said;
        bool said_read;
};

enum { PARSED_TEXT_MAX = 256 * 1024 }; /* octets of its text that are looked at */

/* The tree, in the arena. */
void parsed_make(struct arena *, struct str bytes, struct parsed_mail *out);
/* What its author says: content_said of its text. Read when it is first asked for. */
struct str parsed_said(struct parsed_mail *);
