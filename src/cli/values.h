/* values.h - what people write for times, days and modes on the command line, and back. */
#pragma once
#include "base/clock.h"
#include "store/topic.h"

/* "07:30", "7:30", "7" -> minutes of the day. */
CHECKED enum status minute_read(struct str, uint16_t *out);
CHECKED enum status hours_read(struct str, uint16_t *from, uint16_t *to); /* "09:00-17:00" */
CHECKED enum status days_read(struct str, uint8_t *out); /* "mon-fri", "mon,wed-thu", "all" */
void minute_print(unsigned minute, struct buf *out);     /* 1440: "never" */
void days_print(unsigned days, struct buf *out);

CHECKED enum status mode_read(struct str, enum mode *out);
const char *mode_name(enum mode);
CHECKED enum status access_read(struct str, enum access *out);
const char *access_name(enum access);
