/* pattern.h - LIST's patterns (RFC 9051 6.3.9): "*" is any run of octets, "%" one without "/". */
#pragma once
#include "base/str.h"

/* Both as on the wire (modified UTF-7). INBOX, and it alone, matches in any case. The time is
 * bounded by the product of the lengths, squared at worst for many "%" behind a "*". */
bool pattern_matches(struct str pattern, struct str name);
