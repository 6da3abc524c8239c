/* gather.h - what a person has not read, by thread: the content of a digest. Its cost is that of
 * what is new, not of what there is. */
#pragma once
#include "team/rules.h"

enum { GATHER_TOPIC_MAX = 1000 }; /* newest unread messages of a topic that are looked at */

struct gather_thread {
        uint64_t root;
        struct str topic, subject; /* the subject without Re: */
        struct str *authors;       /* each once, oldest first */
        size_t author_count;
        unsigned messages;         /* new ones in this thread */
        struct str newest_id;      /* Message-ID, for replies */
        uint64_t newest;           /* message */
        time_t newest_at;          /* when it was filed */
        struct str newest_author;
        bool mine;                 /* the person has written in it */
};
struct gather_topic {
        struct str name;
        unsigned fresh;    /* unread, filed since the last digest */
        unsigned read;     /* filed since, but read already */
        unsigned older;    /* unread from before */
};
struct gathered {
        struct gather_thread *threads; /* the person's own first, then the newest first */
        size_t thread_count;
        struct gather_topic *topics;   /* followed ones with anything in them */
        size_t topic_count;
        unsigned fresh, read, older;
        uint64_t position;             /* everything up to this MODSEQ was looked at */
};
/* since: the position of the last digest; 0: there was none. */
CHECKED enum status gather(struct site *, const struct person *, uint64_t since, struct arena *,
        struct gathered *out);
/* The author's own text of a message, as UTF-8, without directives. */
CHECKED enum status gather_text(struct site *, uint64_t message, struct buf *out);
