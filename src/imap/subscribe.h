/* subscribe.h - what a person's mail programs list (LSUB, LIST (SUBSCRIBED)). The site's folders
 * and topics are listed until the person says otherwise; a folder of the person's own, from when a
 * program says so, as RFC 9051 6.3.4 has it. */
#pragma once
#include "imap/inside.h"
#include "store/listed.h"

struct wanted {
        struct folder *folders; /* with names that have no folder behind them, in order */
        bool *subscribed;       /* in parallel */
        bool *missing;
        size_t count;
};
/* All of the person's folders, and names that are subscribed without one. In the arena. */
CHECKED enum status wanted_read(struct session *, struct wanted *out);
