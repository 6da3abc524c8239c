/* imap.h - the IMAP4rev1 server (RFC 3501, RFC 9051 where both agree) and its extensions.
 * Each session sees one mailbox through its own view; see inside.h. */
#pragma once
#include "wire/crew.h"

extern const struct protocol imap_protocol; /* `site` handed to open is a struct site * */
