/* zone.h - time zones: what a clock shows where a person is, and when it shows that.
 * They are TZif files (RFC 8536) below /usr/share/zoneinfo, read here, because tzset() is
 * process-wide. A loaded zone is immutable and shared for the life of the process. */
#pragma once
#include "base/clock.h"

struct zone;

/* ABSENT when there is no such zone ("Europe/Lisbon", "UTC"); names with ".." or a leading slash
 * are INVALID. *out is borrowed for ever. */
CHECKED enum status zone_find(struct str name, const struct zone **out);
struct str zone_name(const struct zone *);
struct civil zone_civil(const struct zone *, time_t at);

/* The instant at which a person's clock shows this date and time: in a doubled hour the first
 * one, in a skipped hour the gap's end (product.md 8). Fields out of range are normalised
 * (day 32 is the 1st). */
time_t zone_instant(const struct zone *, int year, int month, int day, int hour, int minute);
