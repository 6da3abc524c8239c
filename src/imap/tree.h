/* tree.h - threads of messages as RFC 5256 makes them. Knows messages by what was derived when they
 * were filed, and nothing of sessions. The time is that of sorting; nothing recurses, however deep
 * a thread is. */
#pragma once
#include "base/arena.h"

enum { THREAD_ID_SIZE = 16 };
struct threaded {
        uint32_t shown;               /* sequence number or UID, ascending */
        bool reply;                   /* its subject begins with Re: or the like */
        time_t date;                  /* of the Date field, else when it came */
        char id[THREAD_ID_SIZE];      /* a hash of its Message-ID */
        char subject[THREAD_ID_SIZE]; /* a hash of its base subject; zeros: that is empty */
        struct str references;        /* hashes as `id`, oldest first, end to end */
};

/* "(1 2 (3)(4))(5)" */
void thread_references(const struct threaded *, size_t count, struct buf *out);
void thread_subjects(const struct threaded *, size_t count, struct buf *out); /* ORDEREDSUBJECT */
