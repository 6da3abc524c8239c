/* digest_forms.h - the forms of a digest that hold the messages themselves: multipart/digest, which
 * Gnus, MH and formail burst (RFC 2046 5.1.5), and RFC 1153. The page stands in front of both.
 * Messages go in octet for octet, as their topic shows them. Inside team/ only. */
#pragma once
#include "mail/compose.h"
#include "team/digest_page.h"

enum { FORMS_MESSAGES_MOST = 100, FORMS_ONE_MOST = 256 * 1024, FORMS_ALL_MOST = 2 * 1024 * 1024 };
/* c: what the page's mail would be; its text is said first, its HTML left out. What is too big, or too
 * much, is only in the page. */
CHECKED enum status digest_mime(
        const struct making *, const struct gathered *, const struct composition *c, struct buf *out);
CHECKED enum status digest_1153(
        const struct making *, const struct gathered *, const struct composition *c, struct buf *out);
