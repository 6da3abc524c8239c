/* task.h - what people do with tasks: they open, change and take back; each is told in the thread,
 * and the card is placed where it belongs, in one change of the store. */
#pragma once
#include "store/task.h"
#include "team/submit.h"

/* What is wanted: names only the fields that it changes. */
struct task_edit {
        unsigned fields;   /* bits 1 << enum task_field */
        struct str status; /* a column's word, or its name, or "dropped"; in any case */
        uint32_t *assign, *unassign; /* FIELD_ASSIGNEES: persons added and removed */
        size_t assign_count, unassign_count;
        bool assign_replace; /* those who are not in `assign` go */
        int32_t due, start;  /* DAY_NONE: none any more */
        struct str *label_add, *label_remove;
        size_t label_add_count, label_remove_count;
        bool labels_replace;
        struct str priority, title, text; /* priority: "high", "low", "normal" or empty: none */
        uint32_t *waits, *unwaits;        /* FIELD_WAITS: numbers added and removed */
        size_t wait_count, unwait_count;
        bool waits_replace;
        uint32_t topic; /* FIELD_TOPIC: the thread goes on in this one */
};

/* Who does it, how, against what. */
struct task_doing {
        uint32_t person;      /* the actor; 0: the site itself, which may everything */
        uint32_t against;     /* the version that the actor saw; 0: the current one */
        bool knows_own; /* what the actor changed himself after `against` is no conflict: he writes
                         * mail, once. A client's folders may say late what it was told before. */
        struct str why; /* goes into the journal; may be empty */
        struct str source_id; /* "<...>" of the message that says so; empty: a client's folders, or
                               * the command line */
        uint32_t burn; /* mailbox in which a number is given and vanishes at once (COPYUID); 0 */
        time_t now;    /* 0: the clock's */
};

struct task_done {
        uint32_t number, version;
        uint32_t burned; /* number in doing->burn */
        unsigned applied, conflicted, same; /* fields: bits */
        bool opened;    /* by task_open: not for the second time */
        struct str conflicts[FIELD_COUNT]; /* for people, of each field that conflicted: by whom */
        struct str text; /* for people, in the arena: "T-142 is in Doing now.", what conflicts with
                          * what by whom, or why nothing was done. Also when the status is not OK */
};

/* All of these: ABSENT: no such task, or not one that the actor may see; FORBIDDEN: may be read but
 * not changed; INVALID, TOO_MANY, TOO_BIG: a value that cannot be (text says which and why), and
 * nothing was done. A conflict is OK: what does not conflict was done, the thread tells the rest.
 * BUSY: others were quicker again and again. */

/* Files `opening`, which goes to the topic (its first placement) and perhaps elsewhere, and opens a
 * task with it. Without FIELD_TITLE the subject is the title, without FIELD_TEXT the author's own
 * text is the description. The same message again opens nothing: opened is false then, number is
 * the task's. Refusals of the filing itself: FORBIDDEN and so on with *why, as of submit. */
CHECKED enum status task_open(struct site *, const struct task_doing *, struct submission *opening,
        const struct task_edit *, struct arena *, struct task_done *out, enum refusal *why);
/* Opens a task with a message that lies in a topic. One whose thread is a task already is changed
 * instead. ABSENT: no such message there. */
CHECKED enum status task_open_here(struct site *, const struct task_doing *, struct place message,
        const struct task_edit *, struct arena *, struct task_done *out);
CHECKED enum status task_change(struct site *, const struct task_doing *, uint32_t number,
        const struct task_edit *, struct arena *, struct task_done *out);
/* Takes the actor's last event back, if it is not older than 14 days. */
CHECKED enum status task_undo(struct site *, const struct task_doing *, uint32_t number,
        struct arena *, struct task_done *out);
/* The card is placed anew when where it belongs has changed (late, done for 14 days, waited for), or what its column is called.
 * Idempotent. OK also when there is no such task. */
CHECKED enum status task_look(struct site *, uint32_t number, time_t now);
/* The same, by a person, who has seen it then. */
CHECKED enum status task_look_by(struct site *, uint32_t number, uint32_t person);
/* Looks at all whose time has come. */
CHECKED enum status task_look_due(struct site *, time_t now);
/* Looks at all that a person has: the zone has changed, or what they may read. */
CHECKED enum status task_look_person(struct site *, uint32_t person, time_t now);
/* EXPUNGE of a card: the same version again under a new number. `gone` is where it lay. */
CHECKED enum status task_refile(struct site *, uint32_t number, struct place gone);

/* ---- for the callers' convenience ---- */

/* The status that a column's mailbox stands for, and its topic. ABSENT: no column. */
CHECKED enum status task_column(struct site *, uint32_t mailbox, struct arena *, struct str *status,
        uint32_t *topic);
/* The mailbox of the column for a status. ABSENT: the topic has no such column. */
CHECKED enum status task_column_of(
        struct site *, const struct topic *, struct str status, uint32_t *mailbox);
/* "<card.T-142.7@site>", "<journal.T-142.7@site>": which task and version. False: neither. */
bool task_id_read(struct site *, struct str message_id, uint32_t *number, uint32_t *version);
/* "T-142" in any case. False: not that form. */
bool task_name_read(struct str, uint32_t *number);
enum tasks_folder { TASKS_MINE, TASKS_LATE, TASKS_WAITING, TASKS_FOLDERS };
extern const struct str tasks_folder_names[TASKS_FOLDERS]; /* "Tasks/Mine" ... */
/* The person's folder; made when there is none yet. */
CHECKED enum status tasks_folder(
        struct site *, uint32_t person, enum tasks_folder, uint32_t *mailbox);
/* May this person read the topic, and so be assigned? */
CHECKED enum status task_may_assign(struct site *, uint32_t person, uint32_t topic, bool *may);
