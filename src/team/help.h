/* help.h - how the site is used by mail, as text: what help@ and TOPIC+help@ answer. */
#pragma once
#include "team/site.h"

/* topic NULL: of the site as a whole. LF line ends, at most 72 columns where names allow it. */
void help_text(struct site *, const struct topic *, struct buf *out);
