/* tree.h - threads of messages as RFC 5256 makes them. Knows messages by what was derived when they
 * were filed, and nothing of sessions. The time is that of sorting; nothing recurses, however deep
 * a thread is. */
#pragma once
#include "base/arena.h"

struct threaded {
        uint32_t shown;        /* sequence number or UID, ascending */
        time_t date;           /* of the Date field, else when it came */
        struct str id;         /* a hash of its Message-ID */
        struct str references; /* such hashes, oldest first, end to end */
        struct str subject;    /* base subject, folded in case */
        bool reply;            /* its subject begins with Re: or the like */
};
enum { THREAD_ID_SIZE = 16 };

/* "(1 2 (3)(4))(5)" */
void thread_references(const struct threaded *, size_t count, struct buf *out);
void thread_subjects(const struct threaded *, size_t count, struct buf *out); /* ORDEREDSUBJECT */
