/* edit.h - what becomes of a task when somebody wants something of it: which fields change, which
 * are so already, and which somebody else has changed since it was seen. Writes nothing. */
#pragma once
#include "team/field.h"
#include "team/task.h"

enum { LABEL_SIZE_MOST = 64 };

/* A field that stays as it is, because it changed after what the actor had seen. */
struct edit_conflict {
        enum task_field field;
        struct str wanted, stays; /* values */
        uint32_t person;          /* who changed it, */
        time_t at;                /* and when */
};
struct edit {
        struct site *site;
        struct arena *arena;
        const struct task_edit *want;
        uint32_t person;          /* the actor: tasks that it may not see do not exist */
        bool knows_own;           /* the actor's own changes are no conflict */
        const struct task *old;
        const struct task_event *since; /* events that the actor had not seen, ascending */
        size_t since_count;
        time_t now;
        /* filled */
        struct task new;    /* version and the like as in old */
        struct topic topic; /* of new */
        unsigned applied, conflicted, same;
        struct edit_conflict conflicts[FIELD_COUNT];
        size_t conflict_count;
        struct str fault; /* why not, when it is INVALID, TOO_MANY, TOO_BIG or FORBIDDEN */
};
/* All or nothing when something cannot be; what conflicts is left out and the rest applied. */
CHECKED enum status edit_apply(struct edit *);
