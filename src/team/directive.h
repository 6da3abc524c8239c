/* directive.h - what a message asks to be done, read from its header and its author's own text.
 * Pure: no store, no site, no effect. Who may do it, and on which object, is the caller's to check
 * (the rows say what is asked for), and so is that From is the actor's and that the message is no
 * automatic answer. Quoted lines, the copy of the mail answered and the signature give nothing;
 * neither do lines between ``` or ~~~ fences.
 * Every directive found comes out, faulty ones too: each has an outcome that its author is told. */
#pragma once
#include "base/arena.h"
#include "base/when.h"
#include "mail/parsed.h"
#include "team/directive_row.h"

enum {
        DIRECTIVES_MAX = 50,                 /* in one message; what is beyond sets `more` */
        DIRECTIVE_LINE_MAX = 1000,           /* octets; a longer line is FAULT_ARGUMENT */
        DIRECTIVE_WORD_MAX = 40,             /* octets before a field's colon that a glance looks at */
        DIRECTIVE_ITEMS_MAX = 20,            /* persons, labels or tasks in one directive */
        DIRECTIVE_TEXT_MAX = PARSED_TEXT_MAX, /* octets of text that are looked at; bounds `rest` */
};

enum directive_fault {
        FAULT_NONE,
        FAULT_ARGUMENT, /* `why` says what would be right */
        FAULT_UNKNOWN,  /* no such word; `nearest` may be one that was meant */
        FAULT_LATER,    /* known, not offered here yet */
};

enum priority { PRIORITY_LOW = -1, PRIORITY_NORMAL = 0, PRIORITY_HIGH = 1 };

struct directive_item {
        bool remove;     /* "-ios" */
        struct str text; /* person: "bo", "bo@x.example" or "me", lower case; label: case folded */
        uint32_t number; /* of a task: 9 of "T-9" */
};

struct directive {
        const struct directive_row *row; /* NULL with FAULT_UNKNOWN */
        enum directive_name name;        /* row's; DO_LATER without a row */
        struct str line;     /* as written, in one line: for the transcript */
        unsigned line_number; /* in the author's own text, from 1; 0: from the header */
        struct str word;     /* as written, without "/", ":" and "Baton-" */
        struct str argument; /* UTF-8, one line, blanks single, trimmed; may be empty */
        enum directive_fault fault;
        const char *why;                     /* FAULT_ARGUMENT: a sentence; static */
        struct str meant;                    /* FAULT_ARGUMENT: a value that may be; or empty */
        const struct directive_row *nearest; /* FAULT_UNKNOWN: or NULL */
        /* The value, by row->takes; all zero with a fault. */
        bool clear;                 /* "none" */
        int64_t day;                /* TAKES_DAY; WHEN_NONE to clear */
        struct str status;          /* TAKES_STATUS: as directive_status makes it */
        enum priority priority;     /* TAKES_PRIORITY */
        struct directive_item *items; /* persons, labels, tasks; no doubles */
        size_t item_count;
};

struct directives {
        struct directive *v; /* those of the header first, then in the order of the text */
        size_t count;
        bool more;       /* there were over DIRECTIVES_MAX; none of the rest was read */
        struct str rest; /* the author's own text without directive lines: LF line ends, no blank
                          * lines at its ends; checklist lines stay in it. For a description. */
};

/* STRICT is for mail to +task and the like, where fields are expected: an unknown name among them,
 * or an unknown /word, is a fault, and a line of text ends the fields. LENIENT is for everything
 * else: a paragraph with one line that is no known field is ordinary text, and of the unknown
 * /words only near misses are told. A path ("/usr/bin") is text for both. */
enum strictness { LENIENT, STRICT };

/* The message: header and body as submitted. Days are counted from `now` in the author's zone. All
 * that comes out lies in its arena. Never fails: what is no directive is text. */
void directive_read(
        struct parsed_mail *, const struct zone *, time_t now, enum strictness, struct directives *out);
/* The same for a text that is the author's own already: a part of an answer to a digest. */
void directive_read_text(struct str own, const struct zone *, time_t now, enum strictness,
        struct arena *, struct directives *out);

/* Without reading it: may there be a directive, read leniently? Most mail can be told so in a
 * fraction of the time. Where it says no, directive_read finds none. */
bool directive_may_stand(const struct parsed_mail *);

/* One sentence for the transcript: what is wrong with it and what would be right. Nothing without
 * a fault. */
void directive_fault_say(const struct directive *, struct buf *out);

/* The status that names a column ("In review" -> "in-review"), product.md 5: case folded, blanks
 * as "-". False, and nothing added, when it has none or over 64 octets. */
bool directive_status(struct str name, struct buf *out);

/* Does a decoded subject open a task ("[task] Login fails")? *title is what follows, maybe empty.
 * An answer ("Re: [task] ...") opens none. */
bool directive_subject_task(struct str subject, struct str *title);
