/* answered.h - what a message answers, by In-Reply-To, else by References: a task, as of the
 * version that its author saw, or just what lies in a topic. */
#pragma once
#include "team/site.h"

struct answered {
        uint32_t task;    /* its number; 0: none, or none that the person may read */
        uint32_t against; /* its version when what is answered was filed */
        uint32_t topic;   /* where that lies, the task or else the message; 0 */
};
/* OK also when it answers nothing that is known here. */
CHECKED enum status answered_task(struct site *, uint32_t person, struct str header, struct arena *,
        struct answered *out);
/* The task that a message with this id opened, when it was filed before. out->task is 0: none;
 * out->topic is 0: one that the person may not see, of which nothing is told but that there is one. */
CHECKED enum status answered_opened(
        struct site *, uint32_t person, struct str id, struct arena *, struct answered *out);
/* Does the message that opened the task lie in the topic? */
CHECKED enum status answered_is_in(struct site *, uint32_t task, uint32_t topic, bool *out);
