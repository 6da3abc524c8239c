/* clock.h - time: instants are time_t seconds UTC, local days are civil dates in an IANA zone.
 * Zones are TZif files (RFC 8536) below /usr/share/zoneinfo, read here, because tzset() is
 * process-wide. A loaded zone is immutable and shared for the life of the process. */
#pragma once
#include "base/buf.h"

struct zone;

struct civil {
        int year, month, day;      /* month 1-12, day 1-31 */
        int hour, minute, second;
        int weekday;               /* 0 Sunday */
        int offset;                /* seconds east of UTC */
        char name[16];             /* "WET", "+1030" */
};

time_t clock_now(void);
uint64_t clock_ms(void); /* monotonic milliseconds, for deadlines */
uint64_t clock_us(void); /* the same in microseconds */

/* ABSENT when there is no such zone ("Europe/Lisbon", "UTC"); names with ".." or a leading slash
 * are INVALID. *out is borrowed for ever. */
CHECKED enum status zone_find(struct str name, const struct zone **out);
struct str zone_name(const struct zone *);
struct civil zone_civil(const struct zone *, time_t at);

/* The instant at which a person's clock shows this date and time: in a doubled hour the first
 * one, in a skipped hour the gap's end (product.md 8). Fields out of range are normalised
 * (day 32 is the 1st). */
time_t zone_instant(const struct zone *, int year, int month, int day, int hour, int minute);

/* RFC 5322: "Tue, 24 Nov 2026 07:30:00 +0000"; offset in seconds east. */
void date_print(time_t at, int offset, struct buf *out);
/* IMAP internal date: "24-Nov-2026 07:30:00 +0000" (day padded by a blank, as RFC 9051 date-day-fixed). */
void date_print_imap(time_t at, struct buf *out);
/* ISO: "2026-11-24T07:30:00Z" and back (also a bare date: midnight UTC). */
void date_print_iso(time_t at, struct buf *out);
CHECKED enum status date_parse_iso(struct str, time_t *out);
/* Days since 1970-01-01 of a civil date, and back. */
int64_t days_from_civil(int year, int month, int day);
void civil_from_days(int64_t days, int *year, int *month, int *day);
extern const char *const month_names[12]; /* "Jan" */
extern const char *const day_names[7];    /* "Sun" */
