/* when.h - days as people write them: "fri", "in 3 days", "26 Nov", "2026-12-01".
 * A day is a number: days since 1970-01-01 on the calendar of the person who wrote it (clock.h's
 * days_from_civil). What can be read in two ways ("11/12/2026") is not read at all. */
#pragma once
#include "base/zone.h"

#define WHEN_NONE INT64_MIN /* no day: "none" or "-" was written */

/* The day that it is at this instant where the person is. */
int64_t when_today(const struct zone *, time_t now);

/* Reads one of these, in any case, INVALID for everything else:
 *   2026-12-01   2026/12/1   1.12.2026   1.12.26   1.12.
 *   26 Nov   Nov 26   26th November 2026   Fri 27 Nov   Friday, November 27, 2026
 *   today   tomorrow   yesterday   in 3 days   in a week   in 2 months   (or without "in")
 *   fri   friday   this fri   next fri
 *   none   -   gives WHEN_NONE
 * A weekday is the next one after today, 1 to 7 days from now: on a Friday "fri" is in a week, for
 * the same day there is "today". "this fri" may be today. "next fri" is the Friday of the week
 * after this one; weeks begin on Monday. A day and month without a year is the next such day,
 * today included. A weekday beside a date must be that date's. Years 1970 to 9999. */
CHECKED enum status when_parse(struct str, int64_t today, int64_t *day);
/* The words of which days are made, but for numbers: i from 0; NULL: there are no more. Of a month's
 * and a weekday's name three letters do. */
const char *when_word(size_t i);

/* For cards and digests: "today", "tomorrow", "Fri 27 Nov", with the year when it is another one
 * than today's ("Fri 1 Jan 2027"); a day gone by is "1 day late", "3 days late". Nothing for
 * WHEN_NONE. */
void when_say(int64_t day, int64_t today, struct buf *out);
void when_date(int64_t day, int64_t today, struct buf *out); /* always the date: "Fri 27 Nov" */
void when_iso(int64_t day, struct buf *out); /* "2026-11-27"; "none" for WHEN_NONE */
