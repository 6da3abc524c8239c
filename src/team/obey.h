/* obey.h - what a message asks for: read (obey_read.c) and done (obey.c), and what of it was not,
 * told to its author. For accept.c only; what is promised stands in accept.h. */
#pragma once
#include "team/submit.h"
#include "team/task.h"
#include "team/wish.h"

/* One message that may command something. */
struct obeying {
        struct site *site;
        struct submission *mail;
        struct arena *arena;
        struct person actor;
        uint32_t topic;            /* the first that it goes to; 0: none */
        uint32_t task;             /* that it is about; 0: none */
        uint32_t against;          /* the version that the actor saw; 0: the current one */
        bool opens;                /* its address or subject opens a task */
        bool addressed;            /* to T-142@: and so to its thread */
        bool private;              /* to people alone: it is not filed in the topic */
        struct directives directives;
        struct wish wish;
        struct task_done done;
};

/* ---- obey_read.c ---- */
/* What it asks for, and what it is about; *commanding: somebody who may ask does. Most mail asks
 * for nothing: only of what does is looked up what it answers, which waits for a flush. */
CHECKED enum status obey_read(struct obeying *, bool *commanding);
/* What its directives ask of o->task; `header` is the message's. */
CHECKED enum status obey_read_wish(struct obeying *, struct str header);
/* Is it to this task's own address, or to that of several? */
bool obey_is_addressed(const struct submission *, uint32_t task);

/* ---- obey.c ---- */
/* Does what a message that is filed asks for; nothing for one that was obeyed before. */
void obey(struct obeying *);
/* Will it open its thread as a task? An answer that says /task makes a task of the thread that it
 * answers, not of itself. */
bool obey_opens_itself(struct obeying *);
/* Then it is filed and opened in one change. As submit. */
CHECKED enum status obey_by_opening(struct obeying *, enum refusal *why);
/* Of mail to several tasks, which has joined the thread of one: does it to the others, too. */
void obey_others(const struct obeying *first);
/* What could not be done, to the author. */
void obey_tell(struct obeying *);
