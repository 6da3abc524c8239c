/* gather.h - what a person has not read, by thread, what waits for them and what they have to do:
 * the content of a digest. Its cost is that of what is new, not of what there is. */
#pragma once
#include "store/task.h"
#include "team/recall.h"

enum {
        GATHER_TOPIC_MAX = 1000, /* newest unread messages of a topic that are looked at */
        GATHER_MAILS_MAX = 10,   /* unread messages of INBOX that are shown */
        GATHER_TASKS_MAX = 200,  /* of a person that are looked at */
};

struct gather_part { /* a message where it lies */
        uint64_t message;
        struct place place;
};
struct gather_thread {
        uint64_t root;
        uint32_t topic_id;
        struct str topic, subject; /* the subject without Re: */
        struct str *authors;       /* of what people wrote; each once, oldest first */
        size_t author_count;
        unsigned messages;         /* new ones in this thread that people wrote */
        unsigned changes;          /* journals of its task, new ones */
        uint32_t task;             /* whose thread it is; 0 */
        struct str title;          /* the task's */
        uint32_t before;           /* the version before the first of the changes */
        struct str newest_id;      /* Message-ID, for replies */
        uint64_t newest;           /* message: the newest that people wrote, else the newest */
        time_t newest_at;          /* when it was filed */
        struct str newest_author;
        bool mine;                 /* the person has written in it */
        struct gather_part *parts; /* all that is new, oldest first */
        size_t part_count;
        bool told;                 /* it stands among what waits, or among the tasks */
        bool yours;                /* the person has this task */
};
struct gather_topic {
        struct str name;
        unsigned fresh;    /* unread, filed since the last digest */
        unsigned read;     /* filed since, but read already */
        unsigned older;    /* unread from before */
};
/* What lies unread in INBOX, written by people. */
struct gather_mail {
        const struct recalled *message;
        uint32_t topic_id;  /* where it lies, too; 0: it was only sent to the person */
        struct str topic;
        time_t at;
        struct gather_part part; /* in INBOX */
};
/* A task of the person's. In the order in which they are told. */
enum gather_urgency { TASK_AWAITED, TASK_LATE, TASK_TODAY, TASK_WEEK, TASK_WAITS, TASK_LATER };
struct gather_task {
        struct task task;
        enum gather_urgency urgency;
        struct str topic, status; /* the status in words: the name of its column */
        struct str others; /* "Bo", "Bo and Cem": who waits for it, or for whom it waits; may be empty */
        struct gather_thread *news; /* what is new in its thread; NULL */
};
struct gathered {
        struct gather_thread *threads; /* the person's own first, then the newest first */
        size_t thread_count;
        struct gather_topic *topics;   /* followed ones with anything in them */
        size_t topic_count;
        struct gather_mail *mails;     /* newest first */
        size_t mail_count;
        unsigned mails_more;           /* unread ones beyond */
        struct gather_task *tasks;     /* by urgency, then by date */
        size_t task_count;             /* without TASK_LATER */
        unsigned tasks_later;
        unsigned fresh, read, older;   /* messages; fresh without the person's own and journals */
        unsigned changes;              /* journals */
        size_t talks;                  /* threads in which people wrote */
        uint64_t position;             /* everything up to this MODSEQ was looked at */
};
struct gather_ask {
        const struct person *person;
        uint64_t since; /* position of the last digest; 0: there was none */
        int64_t today;  /* the person's local date */
        struct recall *recall;
};
CHECKED enum status gather(struct site *, const struct gather_ask *, struct arena *, struct gathered *out);
/* The parts of it that are not about topics. gather calls it. */
CHECKED enum status gather_waiting(
        struct site *, const struct gather_ask *, struct arena *, struct gathered *out);
/* The author's own text of a message, as UTF-8, without directives, unless there is nothing else;
 * *words is false then. */
CHECKED enum status gather_words(struct site *, uint64_t message, struct buf *out, bool *words);
CHECKED enum status gather_text(struct site *, uint64_t message, struct buf *out);
