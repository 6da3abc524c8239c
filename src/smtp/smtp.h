/* smtp.h - mail coming in: RFC 5321 on the MX port, submission (RFC 6409, 8314), LMTP (RFC 2033),
 * and the local pipe of `baton deliver` (LMTP on a unix socket).
 *
 * Announced: PIPELINING (RFC 2920), SIZE (1870), 8BITMIME (6152), ENHANCEDSTATUSCODES (2034),
 * SMTPUTF8 (6531), CHUNKING (3030; no BINARYMIME), STARTTLS (3207) and AUTH (4954; submission
 * only). What cannot be filed is refused here, in the session, with a reason: this server never
 * bounces later. A 250 after DATA or BDAT LAST means that the mail is on disk. */
#pragma once
#include "wire/crew.h"

/* `site` handed to open is a struct site. */
extern const struct protocol smtp_protocol, submission_protocol, lmtp_protocol, deliver_protocol;
