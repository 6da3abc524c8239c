/* logcheck.h - reads Berkeley DB's log files by itself, before recovery may touch them, and says
 * whether the log is whole up to the watermark. Changes nothing but what log_trim is told to. */
#pragma once
#include "store/watermark.h"

struct log_report {
        uint32_t first, last; /* log files that are there; 0: none */
        struct log_place end; /* behind the last whole record */
        bool torn;            /* octets that are no whole record follow: a crash while writing */
};

/* Only first and last. */
CHECKED enum status log_list(const char *folder, struct log_report *out);
/* Verifies all log files from `mark->oldest` on (mark NULL: all that are there). DAMAGED: a file is
 * missing, a record's checksum is wrong before the end, or the end is before the watermark; logged
 * with file and offset. */
CHECKED enum status log_verify(const char *folder, const struct mark *mark, struct log_report *out);
/* Clears what lies behind the end, so that no stale record can ever follow a new one. */
CHECKED enum status log_trim(const char *folder, const struct log_report *);
