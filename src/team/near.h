/* near.h - which known word was meant by a mistyped one: for keys of baton.conf and subcommands. */
#pragma once
#include "base/str.h"

/* How many letters must be put in, left out, changed or swapped with their neighbour to make one of
 * the other. Words over 32 octets are never near (returns 99). */
unsigned near_distance(struct str, struct str);
/* Is `known` close enough to `typed` to be suggested? */
bool near_enough(struct str typed, struct str known);
