/* room.h - the memory that large things may take together: messages that are being filed or read
 * through, orders of whole folders. What is small is let through; what is large waits for others to
 * be done, so that thirty messages of 50 MB at once cost time and not the machine. Thread-safe. */
#pragma once
#include "base/str.h"

struct room;
struct wire;

struct room *room_new(void);
void room_free(struct room *); /* NULL is fine */
/* Waits, the wire's worker standing aside (wire_aside; NULL: no worker). BUSY: too long. After OK exactly one
 * room_leave with the same number of octets must follow, before anything else is waited for. */
CHECKED enum status room_take(struct room *, struct wire *, uint64_t octets);
void room_leave(struct room *, uint64_t octets);
