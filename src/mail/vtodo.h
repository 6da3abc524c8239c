/* vtodo.h - a task as iCalendar writes it: one VTODO (RFC 5545 3.6.2). libical is met here only. */
#pragma once
#include "base/arena.h"

enum { VTODO_NO_DAY = INT32_MIN };
enum vtodo_status { VTODO_NEEDS_ACTION, VTODO_IN_PROCESS, VTODO_COMPLETED, VTODO_CANCELLED };
struct vtodo {
        struct str uid;      /* "T-142@team.example" */
        struct str summary, description; /* UTF-8 */
        enum vtodo_status status;
        int32_t start, due;  /* days since 1970-01-01, VTODO_NO_DAY */
        time_t created, changed, completed; /* completed 0: it is not */
        unsigned sequence;   /* rises with every change */
        unsigned percent;    /* 0 to 100 */
        unsigned priority;   /* 1 high, 5 normal, 9 low; 0: none */
        const struct str *labels;
        size_t label_count;
        struct str organizer;           /* address; may be empty */
        const struct str *attendees;    /* addresses */
        size_t attendee_count;
};
/* A whole VCALENDAR, in CRLF form, without a METHOD: it is told, and asks for nothing (RFC 5546
 * 1.4). The same task gives the same octets. */
void vtodo_write(const struct vtodo *, struct buf *out);
