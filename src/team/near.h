/* near.h - which known word was meant by a mistyped one: for keys of baton.conf, subcommands and the
 * values of directives. */
#pragma once
#include "base/arena.h"
#include "base/when.h"

/* How many letters must be put in, left out, changed or swapped with their neighbour to make one of
 * the other. Words over 32 octets are never near (returns 99). */
unsigned near_distance(struct str, struct str);
/* Is `known` close enough to `typed` to be suggested? */
bool near_enough(struct str typed, struct str known);
/* The day that was meant, as text that when_parse reads: each mistyped word put right ("in tow weeks"
 * is "in two weeks"). Empty: nothing near is a day. */
struct str near_day(struct str typed, int64_t today, struct arena *);
