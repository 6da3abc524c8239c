/* lmtp.h - the sending half of LMTP (RFC 2033), to HOME/run/deliver. */
#pragma once
#include "cli/cli.h"

struct letter {
        struct str from; /* empty: the null sender */
        const struct str *to;
        size_t to_count;
        struct str bytes; /* CRLF form */
};
/* Says on c->err what was refused. A sysexits status (the first refusal's; what other recipients
 * got stays); -1: no daemon listens there. */
int lmtp_hand_over(struct cli *, const struct letter *);
