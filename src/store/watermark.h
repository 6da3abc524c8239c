/* watermark.h - how far the log is known to be on disk, in a small file beside it.
 * Berkeley DB takes a damaged record in mid-log for the log's end and recovers up to there in
 * silence; the mark tells such an end from a true one. It is written after each flush and not
 * flushed itself: after a power loss it may be behind, never ahead. Two slots in turn, each with
 * a checksum, half a disk block apart. */
#pragma once
#include "base/fail.h"

/* A place in the log: Berkeley DB's LSN. As an end it is the octet after the last record. */
struct log_place {
        uint32_t file, offset;
};
static inline bool place_before(struct log_place a, struct log_place b)
{
        return a.file < b.file || (a.file == b.file && a.offset < b.offset);
}

struct mark {
        struct log_place flushed; /* all octets before it were flushed */
        uint32_t oldest;          /* the oldest log file that recovery may need */
        bool clean;               /* the environment was closed and the log ends here */
};

struct watermark;

/* Opens or makes the file in the folder; *mark is what it says. ABSENT: there was none (it has been
 * made, and is open). DAMAGED: there is one without a whole slot (open all the same). BROKEN:
 * logged, not open. A lone bad slot is logged and the other one taken. */
CHECKED enum status watermark_open(const char *folder, struct watermark **out, struct mark *mark);
void watermark_close(struct watermark *); /* NULL is fine */
/* `sync`: also flushes the mark, before log files are removed. */
CHECKED enum status watermark_set(struct watermark *, const struct mark *, bool sync);
