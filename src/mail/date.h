/* date.h - the Date field: RFC 5322 and the obsolete forms that mail and news really have. */
#pragma once
#include "base/str.h"

/* INVALID when no date can be read. *offset in seconds east of UTC. */
CHECKED enum status date_parse(struct str value, time_t *at, int *offset);
