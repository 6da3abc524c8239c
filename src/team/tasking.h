/* tasking.h - one try at changing a task: what was read, what becomes of it, and the one change
 * that says so everywhere. Inside task*.c of team/ only. */
#pragma once
#include "team/journal.h"
#include "team/placing.h"
#include "team/task.h"

enum { TASKING_TRIES = 20, UNDO_DAYS = 14, SECONDS_A_DAY = 86400 };

struct tasking {
        struct site *site;
        const struct task_doing *doing;
        struct arena *arena;
        time_t now;
        struct task old;  /* version 0: to be opened */
        struct topic was; /* its topic */
        struct edit edit; /* what becomes of it: edit.new, edit.topic */
        struct submission *opening; /* with which it is opened; NULL: none */
        uint32_t undoes;            /* the version that is taken back; 0 */
        time_t undone;              /* when that was made */
        /* filled on the way */
        struct task_event event;
        struct str lines; /* of the journal */
        struct str root_id, fields;
        bool skipped; /* the opening had opened one before */
};
struct tasking *tasking_new(struct site *, const struct task_doing *, struct arena *);
/* Reads the task. ABSENT, FORBIDDEN: as task_change. */
CHECKED enum status tasking_load(struct tasking *, uint32_t number);
/* May the actor change tasks of this topic? ABSENT: may not even see them. */
CHECKED enum status tasking_may(struct tasking *, uint32_t topic);
/* What is wanted against a version; 0: the current one. A fault goes into out->text. */
CHECKED enum status tasking_edit(
        struct tasking *, const struct task_edit *, uint32_t against, struct task_done *out);
/* Writes what was edited, if anything was, or files the card again for a number to burn. CHANGED:
 * try all again. */
CHECKED enum status tasking_finish(struct tasking *, struct task_done *out, enum refusal *why);
/* Places the card of the same version. `again`: a place where it is filed anew; mailbox 0: none. */
CHECKED enum status tasking_place(struct tasking *, struct place again, bool *changed);
