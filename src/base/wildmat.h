/* wildmat.h - NNTP's patterns (RFC 3977 4): "eng.*,!eng.private.*", the rightmost match wins.
 * Linear in pattern times text: no input makes it exponential. */
#pragma once
#include "base/str.h"

bool wildmat(struct str pattern, struct str text);
