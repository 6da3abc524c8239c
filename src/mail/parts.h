/* parts.h - the index of parts: a tree of parts as a record, read by parts_find (derive.h).
 * version 1, then per part in the order of the message:
 *   depth u8, kind u8, start of its header, header octets, body octets (varints), encoding */
#pragma once
#include "mail/derive.h"

void parts_write(const struct part *top, struct str message, struct buf *out);
