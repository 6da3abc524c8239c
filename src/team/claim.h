/* claim.h - whose mail a message says it is, and whether its sender may write so. */
#pragma once
#include "team/submit.h"

enum claim {
        CLAIM_OWN,    /* his own, or somebody's elsewhere */
        CLAIM_RESENT, /* another's of this site, and he says that he passes it on (RFC 5322 3.6.6) */
        CLAIM_FORGED  /* what he may not */
};
/* What is appended or imported is somebody's archive, and always CLAIM_OWN: it commands nothing,
 * whoever wrote it. The same is true of what is resent. */
enum claim claim_of(struct site *, const struct sender *, struct str header, struct arena *);
