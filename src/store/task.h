/* task.h - tasks: their state, their history for good, and the cards that show them.
 *
 * A task is a thread that was opened in a topic. Its state has a version, raised by one with every
 * event. A card is a message rendered from the state (team/card); it lies in exactly one column of
 * the topic's board and in folders of those whom it concerns (Tasks/Mine ...), and goes when a
 * fresh one comes, in the same change. A number under which a card lay names its task and version
 * for 90 days after it went: a client that was away still says what it meant. */
#pragma once
#include "store/message.h"

enum {
        TASK_ASSIGNEES_MOST = 20,
        TASK_LABELS_MOST = 50,
        TASK_WAITS_MOST = 50,
        TASK_CARDS_MOST = 64, /* a column, and three folders of every assignee */
        TASK_TEXT_MOST = 65536,
        TASK_TITLE_MOST = 500,
        CARD_MEMORY_DAYS = 90
};
enum task_field {
        FIELD_STATUS,
        FIELD_ASSIGNEES,
        FIELD_DUE,
        FIELD_START,
        FIELD_LABELS,
        FIELD_PRIORITY,
        FIELD_TITLE,
        FIELD_TEXT,
        FIELD_WAITS,
        FIELD_TOPIC,
        FIELD_COUNT
};
enum { DAY_NONE = INT32_MIN };

struct task {
        uint32_t number;   /* 142 of T-142; never reused */
        uint32_t version;  /* of the state; 1 when opened */
        uint32_t placed;   /* raised by every put, also by those that only place the card anew */
        uint32_t topic;
        uint64_t root;     /* the message that opened it */
        uint32_t opener;   /* person; 0: the site */
        time_t opened, changed; /* changed: when this version was made */
        time_t closed; /* when it came into the last column or was dropped; 0: it is open */
        struct str title, text; /* UTF-8; the text keeps its `[ ]` lines */
        struct str status;      /* a column's word ("to-do", "doing") or "dropped" */
        uint32_t *assignees;    /* persons, in the order in which they were assigned */
        size_t assignee_count;
        int32_t start, due; /* local days since 1970-01-01, or DAY_NONE */
        struct str *labels; /* sorted */
        size_t label_count;
        struct str priority; /* "high", "low"; empty: none */
        uint32_t *waits;     /* numbers of the tasks that it waits for, ascending */
        size_t wait_count;
        struct place *cards; /* where its card lies now, the column first; none: not on the board */
        size_t card_count;
        uint64_t card; /* the message that the card is; 0: none */
};

/* An event says what one change did. Values are in the form of the field's line ("bo, cem",
 * "2026-11-27", "T-9"), so that they can be shown, compared and taken back. */
struct task_change {
        enum task_field field;
        struct str before, after;
};
struct task_event {
        uint32_t task, version; /* the version that it made */
        uint32_t person;        /* who; 0: the site */
        time_t at;
        uint32_t undoes;  /* version of the event that this one takes back; 0: none */
        bool conflict;    /* something of what was asked was not done, because it had changed */
        uint64_t journal; /* the message that tells it (for version 1 the opening one); filled */
        struct task_change *changes;
        size_t change_count; /* 0 in a conflict: nothing was done */
};

/* What is read is on disk. Everything lives in the arena. */
CHECKED enum status task_get(
        struct store *, uint32_t number, struct arena *, struct task *out); /* ABSENT */
/* The task that this very message opened. ABSENT. */
CHECKED enum status task_of_root(struct store *, uint64_t message, uint32_t *number);
/* The task to which a message belongs: the nearest above it in its thread, itself included, that
 * opened one. ABSENT. */
CHECKED enum status task_of_message(struct store *, uint64_t message, uint32_t *number);
/* Events with versions above `after`, ascending, at most *count, which is set. */
CHECKED enum status task_events(struct store *, uint32_t number, uint32_t after, struct arena *,
        struct task_event **out, size_t *count);
/* The version that stood when this message was filed: at least 1. ABSENT: no such task. */
CHECKED enum status task_version_at(
        struct store *, uint32_t number, uint64_t message, uint32_t *version);
/* Numbers of tasks, added to *out. Open is what is neither in the last column nor dropped. */
CHECKED enum status tasks_of_person(
        struct store *, uint32_t person, struct numset *out); /* assigned and open */
CHECKED enum status tasks_of_topic(
        struct store *, uint32_t topic, bool all, struct numset *out); /* open; or all */
CHECKED enum status tasks_waiting(
        struct store *, uint32_t number, struct numset *out); /* open ones that wait for it */
/* Does any open task wait for it? Costs nothing when many do. */
CHECKED enum status task_is_awaited(struct store *, uint32_t number, bool *is);

/* What the number of a card, there or gone, means. ABSENT: never a card, or forgotten. */
struct card_memory {
        uint32_t task, version;
        bool gone;
};
CHECKED enum status card_find(struct store *, struct place, struct card_memory *out);

/* ---- boards ---- */

/* A column's word, by which a status is known: "To do" is "to-do". In the arena. */
struct str column_word(struct arena *, struct str column);
/* The name of the mailbox of column i (from 0) of a topic: "eng.backend/2 Doing". */
struct str column_mailbox_name(struct arena *, struct str topic, size_t i, struct str column);
/* What reads as a list of columns: at least two, at most 20, no word twice, no '/' or control, none
 * "dropped". */
bool columns_are_sound(const struct str *columns, size_t count);
/* What becomes of a topic's columns, and of nothing else that it has. */
struct columns_put {
        uint32_t topic;
        const struct str *was; /* as they were read */
        size_t was_count;
        const struct str *columns;
        size_t count;
        struct str from, to; /* words of one that is called otherwise from now on: its mailbox and
                              * cards stay, and its tasks have the new status, all versions as they
                              * were. Their cards, which say the old one, are due (DUE_CARD). Empty:
                              * none is */
};
/* ABSENT; CHANGED: the columns are not as they were read; INVALID: they are not sound; FORBIDDEN: one
 * that goes still holds cards. */
void change_columns(struct change *, const struct columns_put *);
/* Makes the boards of topics that are older than boards. At the start. */
CHECKED enum status boards_complete(struct store *);

/* ---- changing ---- */

/* Takes the next number: a change of its own. A number whose task is never opened is skipped. */
CHECKED enum status task_reserve(struct store *, uint32_t *number);

/* Gives a number that vanishes at once: what a client's COPY, MOVE or APPEND is told that its
 * octets got. burn->mailbox is set, burn->number is filled. Before the card is filed, whose
 * number is higher then: a client that has seen this one looks above it for what is new. ABSENT,
 * TOO_MANY. */
void change_burn(struct change *, struct place *burn);

struct task_put {
        const struct task *task; /* the new state; version and placed as they were read, the version
                                  * one more when there is an event (0 + 1 when it is opened, placed
                                  * 0 then). cards and card are ignored */
        const struct task_event *event; /* NULL: the version stays and the card is placed anew */
        const struct filing *opening; /* of this change: its message is the root. NULL: as given */
        const struct filing *journal;   /* of this change: event->journal is its message. NULL: as
                                         * given, for version 1 the root */
        const struct filing *card; /* of this change: its entries are the new cards. NULL: none */
        const struct place *stay;  /* without an event: old cards that stay where they lie. The
                                    * others go */
        size_t stay_count;
        const struct place *burn; /* of this change, by change_burn: is remembered as a card of the
                                   * new version. NULL: none */
        time_t look;        /* when the placement must be looked at again; 0: never (DUE_CARD) */
        time_t now;         /* by which numbers of cards are forgotten; 0: the clock's */
        bool skipped;       /* filled: `opening` has opened a task before; nothing was done */
};
/* Replaces the state, removes the old cards, remembers their numbers, keeps indices and what is
 * due. Tasks that are waited for from now on, or no longer, become due to be looked at. The
 * filings are earlier operations of the same change. At the commit: CHANGED: version or placed
 * is not as expected (a new task: the number is taken), or there is no such status any more; EXISTS: the root, as given, has opened a
 * task. */
void change_task(struct change *, struct task_put *);
