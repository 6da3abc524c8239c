/* wish.h - from words to values: what a person's directives (directive.h) want of one task, as an
 * edit of it (task.h), and what of them cannot be, and why. Names of people and columns are looked
 * up here, so that one wrong name costs only its own line. */
#pragma once
#include "store/attention.h"
#include "team/directive.h"
#include "team/task.h"

/* What came of one directive: `why` is empty while nothing is wrong with it. */
struct outcome {
        const struct directive *directive;
        unsigned fields;  /* of the edit: bits 1 << enum task_field */
        bool done;        /* set by who does it */
        struct str why;   /* a sentence or two, in the arena */
};
struct wish {
        struct task_edit edit;
        bool opens;       /* /task */
        struct str title; /* of /task, or empty */
        struct str why;   /* Summary: for the journal of what is changed, or empty */
        bool undo;
        bool attends;     /* /mute, /follow */
        enum attention attention;
        struct outcome *outcomes; /* in parallel to the directives */
        size_t count;
};

/* For a task in this topic (0: there is none, and what would change it says so). */
struct wishing {
        struct site *site;
        uint32_t person, topic;
        bool has_task; /* the thread is a task, or the message opens one */
};
CHECKED enum status wish_make(const struct wishing *, const struct directives *, struct arena *,
        struct wish *out);
