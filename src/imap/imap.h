/* imap.h - the IMAP4rev1 server (RFC 3501, RFC 9051 where both agree) and its extensions.
 * UTF8=ACCEPT (RFC 6855) changes the names of folders as IMAP4rev2 does, and nothing that FETCH says:
 * what has octets above 0x7f has always come in literals, as it was sent.
 * Each session sees one mailbox through its own view; see inside.h. */
#pragma once
#include "wire/crew.h"

extern const struct protocol imap_protocol; /* `site` handed to open is a struct site * */
