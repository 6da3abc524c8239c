/* range.h - the small languages of news commands: ranges, dates, patterns of XPAT.
 * Pure functions. */
#pragma once
#include "base/str.h"

/* "n", "n-", "n-m" (RFC 3977 9.8). Numbers too large are as good as the largest. INVALID. */
CHECKED enum status range_parse(struct str, uint32_t *low, uint32_t *high);

/* "yyyymmdd" or "yymmdd" and "hhmmss", UTC (RFC 3977 7.3.2); `now` decides the century. INVALID. */
CHECKED enum status range_date(struct str date, struct str time, time_t now, time_t *out);

/* RFC 2980's wildmat: '*', '?', '[a-z]', '[^a-z]', '\' before any of them. Octets. Linear in
 * pattern times text. */
bool range_pattern(struct str pattern, struct str text);
