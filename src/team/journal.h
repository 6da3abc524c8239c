/* journal.h - what was done to a task, told in its thread: one line a change, in words. */
#pragma once
#include "team/edit.h"

enum { WHY_MOST = 2000 };

struct telling {
        struct site *site;
        const struct task *task;        /* as it is now */
        const struct topic *topic, *was; /* its topic now, and before */
        const struct task_event *event;
        const struct edit_conflict *conflicts;
        size_t conflict_count;
        time_t undone;        /* when the change that is taken back was made */
        struct str why;       /* in the actor's words; may be empty */
        struct str root_id;   /* Message-ID of the message that opened it; may be empty */
        struct str source_id; /* of the message that says so; may be empty */
};
/* "Bo moved this from To do to Doing.\n" ... In the arena. */
struct str journal_lines(const struct telling *, struct arena *);
/* What is said of one of its conflicts, as a sentence or two. In the arena. */
struct str journal_conflict(const struct telling *, const struct edit_conflict *, struct arena *);
/* The whole message, in CRLF form. */
struct str journal_compose(const struct telling *, struct str lines, struct arena *);
