/* placing.h - where a task's card belongs, and until when: a function of the task, the time, the
 * zones of those who have it, and whether others wait for it. */
#pragma once
#include "team/field.h"

enum { BOARD_DAYS = 14 }; /* a done card stays on the board so long */

struct placing {
        struct {
                uint32_t mailbox, owner; /* owner 0: the column */
        } at[TASK_CARDS_MOST];
        size_t count; /* 0: on no board any more. The column is the first */
        time_t look;  /* when to ask again; 0: never */
};
CHECKED enum status placing_find(struct site *, const struct task *, const struct topic *,
        time_t now, struct placing *out);
