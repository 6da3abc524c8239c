/* enhanced.h - what a reply's text says by number (RFC 3463): "5.1.1" of "550 5.1.1 No such
 * person". */
#pragma once
#include "base/buf.h"

/* Where the text has none that fits its code, the general one of its class: "5.0.0". */
struct str enhanced_status(struct str text, struct buf *out);
