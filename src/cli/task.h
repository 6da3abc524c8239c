/* task.h - what the commands about tasks share: a task as it is shown. */
#pragma once
#include "cli/cli.h"
#include "store/task.h"

struct shown_task {
        struct task task;
        struct topic topic;
        struct str people; /* "bo, cem" */
        struct str due;    /* "tomorrow", "Fri 27 Nov", "3 days late"; empty: none */
        bool late;         /* open, and past due for one of its people */
};
/* ABSENT: there is none. All of it lives in c->arena. */
CHECKED enum status task_shown(struct cli *, uint32_t number, struct shown_task *out);
/* The same of one among many: only what a list shows is kept (title, status, priority, days, people,
 * topic); all else of it is not there. *memory: topics that are known; NULL at first. */
struct topic_memory;
CHECKED enum status task_brief(
        struct cli *, uint32_t number, struct topic_memory **memory, struct shown_task *out);
struct str task_due_day(struct cli *, const struct shown_task *); /* "2026-11-27", or empty */
bool task_is_given(const struct shown_task *, struct str person); /* by login name */
/* "T-142", "t-142" or "142"; says why not. */
CHECKED enum status cli_task(struct cli *, struct str name, struct shown_task *out);
int task_set(struct cli *, const struct options *);
int task_add(struct cli *, const struct options *);
int task_undone(struct cli *, const struct options *);
extern const struct option task_set_options[], task_add_options[], task_undo_options[];
