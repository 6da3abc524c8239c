/* params.h - "type; name=value; ..." as Content-Type and Content-Disposition have it.
 * Read here and not by libetpan, which refuses the whole field for one bad parameter, strips
 * backslashes from file names and knows no RFC 2231. At most 64 parameters; linear. */
#pragma once
#include "mail/mime.h"

/* The first token of an unfolded value, comments skipped, in lower case; *rest is what follows. */
struct str params_token(struct arena *, struct str value, struct str *rest);
/* The parameters as they stand, unquoted: names in lower case with any RFC 2231 marks kept. */
struct param *params_read(struct arena *, struct str rest);
/* RFC 2231 continuations joined, percent octets, charsets and RFC 2047 words made UTF-8. */
struct param *params_decode(struct arena *, const struct param *raw);
