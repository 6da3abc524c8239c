/* clock.h - time: instants are time_t seconds UTC, days are civil dates. What a clock shows where a
 * person is, is zone.h's. */
#pragma once
#include "base/buf.h"

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

/* RFC 5322: "Tue, 24 Nov 2026 07:30:00 +0000"; offset in seconds east. */
void date_print(time_t at, int offset, struct buf *out);
/* IMAP internal date: "24-Nov-2026 07:30:00 +0000" (day padded by a blank, as RFC 9051 date-day-fixed). */
void date_print_imap(time_t at, struct buf *out);
/* ISO: "2026-11-24T07:30:00Z" and back (also a bare date: midnight UTC). */
void date_print_iso(time_t at, struct buf *out);
CHECKED enum status date_parse_iso(struct str, time_t *out);
/* Days since 1970-01-01 of a civil date, and back. Fields out of range are normalised. */
int64_t days_from_civil(int year, int month, int day);
void civil_from_days(int64_t days, int *year, int *month, int *day);
int weekday_from_days(int64_t days); /* 0 Sunday */
int days_in_month(int year, int month);
/* Stored numbers may be anything; beyond some ten million years the year does not fit an int. */
time_t time_within_reason(time_t at);
/* What a clock shows that is so many seconds east of UTC. The name is empty. */
struct civil civil_from_time(time_t at, int offset);
extern const char *const month_names[12]; /* "Jan" */
extern const char *const day_names[7];    /* "Sun" */
