/* gate.h - counts failed logins by address (an IPv6 /64 is one), so that guessing is slow, and
 * bounds how many guesses are checked at once. In memory, at most 10,000 addresses; thread-safe.
 * Loopback counts like any other. */
#pragma once
#include "base/str.h"

struct gate;

struct gate *gate_new(void);
void gate_free(struct gate *); /* NULL is fine */
/* False: this address has failed `most` times within the last minute. */
bool gate_open(struct gate *, struct str address, unsigned most);
void gate_failed(struct gate *, struct str address);
/* False: `most` passwords are being checked already. Else gate_end must follow. */
bool gate_begin(struct gate *, unsigned most);
void gate_end(struct gate *);
