/* marks.h - flags, exact and per person, at the mailbox where a message lies.
 * Every flag and keyword is kept as blocks of 4,096 numbers; \Seen relative to the mailbox's
 * history (imported messages are seen by everybody until somebody says otherwise). */
#pragma once
#include "store/mailbox.h"

enum {
        FLAG_SEEN = 1,
        FLAG_ANSWERED = 2,
        FLAG_FLAGGED = 4,
        FLAG_DELETED = 8,
        FLAG_DRAFT = 16,
        FLAG_COUNT = 5,
        FLAG_ALL = 31,
        KEYWORDS_MAX = 64, /* per person and mailbox */
        KEYWORD_SIZE_MAX = 64,
};

/* A person's flags in one mailbox, loaded; owned by one session. */
struct marks {
        uint32_t mailbox, person;
        struct numset *flag[FLAG_COUNT]; /* by bit: [0] \Seen, [1] \Answered, [2] \Flagged, [3]
                                            \Deleted, [4] \Draft */
        struct str *keywords;            /* names as first written */
        struct numset **keyword;         /* in parallel */
        size_t keyword_count;
        struct shared_marks *shared; /* whose sets and names these are; NULL: its own */
        struct cache *kept;
};
CHECKED enum status marks_load(
        struct store *, uint32_t mailbox, uint32_t person, struct marks **out);
/* The same for one who opens this view, shared with whoever did since they last changed: this does
 * not grow with the mailbox. *unseen: the first number that is not seen; 0: all are. */
CHECKED enum status marks_open(struct store *, const struct view *, uint32_t person,
        struct marks **out, uint32_t *unseen);
/* Reads these numbers' flags again (mailbox_changes says which). */
CHECKED enum status marks_refresh(struct store *, struct marks *, const struct numset *numbers);
void marks_free(struct marks *);                             /* NULL is fine */
unsigned marks_flags(const struct marks *, uint32_t number); /* FLAG_ bits */

/* Only \Seen, as a new set: for STATUS, digests and news readers. Of person 0: what is history. */
CHECKED enum status seen_load(
        struct store *, uint32_t mailbox, uint32_t person, struct numset **out);

/* Only where the person's \Seen is another than person 0's: for who asks for many people, and has the
 * history. Their \Seen is the one or the other, but not both. */
CHECKED enum status seen_own_load(
        struct store *, uint32_t mailbox, uint32_t person, struct numset **out);

/* When each of these last changed for this person (filed, or its flags): MODSEQ of RFC 7162, up to
 * the view's position; out is parallel to `which`, ascending, 0 for one that has gone. Costs what
 * has changed ever: for single answers after STORE use marking.modseq. */
CHECKED enum status modseqs_read(struct store *, const struct view *, uint32_t person,
        const struct numset *which, uint64_t *out);

/* The same of what changed after `since`, 0 for what did not: costs what has changed since then. */
struct changed_since {
        uint32_t person;
        uint64_t since;
        const struct numset *which;
};
CHECKED enum status modseqs_since(struct store *, const struct view *,
        const struct changed_since *, uint64_t *out);

enum marking_how { MARK_ADD, MARK_REMOVE, MARK_REPLACE };
struct marking {
        uint32_t mailbox, person;
        enum marking_how how;
        unsigned flags; /* FLAG_ bits */
        const struct str *keywords;
        size_t keyword_count;
        const struct numset *numbers;
        uint64_t unchanged_since; /* 0: no condition; else numbers changed after it are left
                                     (CONDSTORE) */
        struct numset *left;      /* those; may be NULL */
        uint64_t modseq;          /* filled: of this change, 0 when nothing changed */
};
/* TOO_MANY: over KEYWORDS_MAX keywords on messages; INVALID: an empty or too long one. ABSENT.
 * Numbers that are not there (in the view of the time of this call) are passed over. */
void change_marks(struct change *, struct marking *);
CHECKED enum status marks_store(struct store *, struct marking *); /* a change of its own */
