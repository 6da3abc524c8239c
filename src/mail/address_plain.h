/* address_plain.h - addresses as nearly all are written. Inside mail/ only. */
#pragma once
#include "mail/address.h"

/* One element of a list: `ana@team.example`, `Ana M <ana@team.example>`, `"M, Ana" <...>`. False for
 * all that is not as plain; then *out means nothing. Views of the element; `name` is not set. */
bool address_plain(struct str element, struct address *out);
