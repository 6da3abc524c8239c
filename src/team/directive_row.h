/* directive_row.h - the one table of directives: what may stand in a mail as `Field: value` or as
 * a line `/verb`. The parser, the help mail and the tables of baton-directives(7) are made from it.
 * Rows marked `later` are known words that this version does not obey yet: they are recognised, so
 * that nobody's directive is taken for text, but neither help nor manual announce them. */
#pragma once
#include "base/buf.h"

enum directive_kind { DIRECTIVE_FIELD, DIRECTIVE_VERB };

/* What is to be done. A field and a verb that do the same share the name ("Due:", "/due"). */
enum directive_name {
        DO_STATUS,   /* word: the status, normalised */
        DO_ASSIGN,   /* items: persons, put in addition; clear: nobody is assigned */
        DO_UNASSIGN, /* items: persons */
        DO_DUE,      /* day, or WHEN_NONE to clear */
        DO_START_ON, /* the field Start: day, or WHEN_NONE to clear */
        DO_LABELS,   /* items: labels to put or remove; clear: all go first */
        DO_PRIORITY, /* priority */
        DO_WAITS_ON, /* items: numbers of tasks to put or remove; clear: all go first */
        DO_TITLE,    /* argument */
        DO_SUMMARY,  /* argument; clear */
        DO_TAKE,     /* the author becomes an assignee */
        DO_START,    /* the verb: to the board's second column */
        DO_DONE,     /* to the last column */
        DO_DROP,     /* status dropped */
        DO_REOPEN,   /* to the first column */
        DO_UNDO,     /* takes back the author's last change of the task */
        DO_MUTE,     /* this thread names the author no more */
        DO_FOLLOW,   /* this thread reaches the author */
        DO_TASK,     /* opens a task; argument: its title, or empty for the subject */
        DO_LATER,    /* a known word without an effect in this version */
};

enum directive_takes {
        TAKES_NOTHING,
        TAKES_DAY,      /* when.h */
        TAKES_STATUS,
        TAKES_PERSONS,
        TAKES_LABELS,
        TAKES_PRIORITY,
        TAKES_TASKS,
        TAKES_TEXT,
        TAKES_ANY_TEXT, /* or none */
};

enum directive_object {
        ON_TASK,   /* the task whose thread is answered, or that the message opens */
        ON_THREAD, /* any thread: changes only what the author himself is told */
        ON_ANY,    /* the message itself (/task) */
};

enum directive_who {
        BY_POSTER, /* whoever may post to the topic */
        BY_READER, /* whoever may read it */
        BY_ACTOR,  /* whoever made the change that is taken back */
};

struct directive_row {
        const char *word; /* "Waits-on", "take" */
        enum directive_kind kind;
        enum directive_name name;
        enum directive_takes takes;
        enum directive_object object;
        enum directive_who who;
        bool later;
        const char *does;    /* one sentence */
        const char *example; /* a whole line */
};

extern const struct directive_row directive_rows[];
extern const size_t directive_row_count;

/* The row of that word, in any case; NULL when there is none. */
const struct directive_row *directive_row_find(enum directive_kind, struct str word);
/* The row that a mistyped word was meant for: of its own kind, else one of the other kind that is
 * spelt exactly so ("/status" for "Status:"), or, of a long verb, all but one letter ("/asign").
 * Never a later one. NULL when nothing is near. */
const struct directive_row *directive_row_near(enum directive_kind, struct str word);

/* All that can be written, for the help mail: text of at most 72 columns, ended by LF. */
void directive_help(struct buf *out);
/* The same as mdoc source: the generated part of doc/baton-directives.7. */
void directive_manual(struct buf *out);
