/* fail.h - the one closed set of outcomes, and what cannot fail.
 * Who detects a fault logs the detail once and returns a status; above it only the status travels.
 * A bug is an assert. Out of memory ends the process: a supervisor starts it again, and recovery
 * makes that safe. Only the outside world (wire, disk, input) returns a status. */
#pragma once
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define CHECKED __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum status {
        OK,          /* done */
        ABSENT,      /* no such thing */
        EXISTS,      /* there is one already */
        INVALID,     /* malformed: the caller's fault */
        DENIED,      /* not authenticated, or credentials wrong */
        FORBIDDEN,   /* known, but may not */
        UNSUPPORTED, /* well-formed, not offered here */
        TOO_BIG,     /* over a size limit */
        TOO_MANY,    /* over a count or rate limit */
        CHANGED,     /* the version this was based on is no longer the newest */
        BUSY,        /* try again soon */
        FULL,        /* no room on disk: refuse new mail, go on reading */
        TIMEOUT,     /* the other side was too slow */
        CLOSED,      /* the other side has gone */
        DAMAGED,     /* stored data fail their checksum */
        BROKEN,      /* the environment failed; the detail is in the log */
        STATUS_COUNT
};

const char *status_name(enum status); /* "ABSENT"; static */

/* Allocate or end the process. free() frees. */
void *mem_new(size_t size); /* zeroed */
void *mem_grow(void *, size_t size);
void *mem_copy(const void *, size_t size);
char *mem_text(const char *); /* strdup */
_Noreturn void fail_now(const char *why, ...) PRINTF(1, 2);

#include "base/banned.h"
