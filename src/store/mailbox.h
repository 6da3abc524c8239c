/* mailbox.h - a numbered row of messages that one or more people read: a topic, a personal folder,
 * or what the site keeps of tasks: a column of a board, Tasks/Mine. A number is given once and never again: it is the IMAP UID and the NNTP article number
 * (RFC 9051 2.3.1.1, RFC 3977 6.1). Numbers start at 1. */
#pragma once
#include "store/store.h"

enum mailbox_kind {
        MAILBOX_TOPIC = 1,
        MAILBOX_FOLDER = 2,
        MAILBOX_BOARD = 3, /* a column of a topic's board: owner 0, "eng.backend/2 Doing" */
        MAILBOX_TASKS = 4  /* of a person, kept by the site: "Tasks/Mine" */
};
enum special_use {
        USE_NONE,
        USE_INBOX,
        USE_DIGESTS,
        USE_DRAFTS,
        USE_SENT,
        USE_ARCHIVE,
        USE_JUNK,
        USE_TRASH,
        USE_COUNT
};

/* next, count and modseq are as committed: what clients are told of them comes from a view. */
struct mailbox {
        uint32_t id; /* never reused */
        enum mailbox_kind kind;
        uint32_t owner; /* person of a folder; 0 for a topic and its columns */
        enum special_use use;
        struct str name; /* "eng.backend"; "Lists/mutt" in UTF-8 with '/' */
        uint32_t uid_validity;
        uint32_t next; /* the number that the next message gets: UIDNEXT */
        uint32_t count;
        uint64_t modseq; /* of the last shared change */
        time_t created;
};

/* All records and names live in the arena. ABSENT when there is none. */
CHECKED enum status mailbox_get(struct store *, uint32_t id, struct arena *, struct mailbox *out);
/* owner 0: a topic. INBOX is found in any case. */
CHECKED enum status mailbox_find(
        struct store *, uint32_t owner, struct str name, struct arena *, struct mailbox *out);
CHECKED enum status mailbox_find_use(
        struct store *, uint32_t owner, enum special_use, uint32_t *id);
/* All of an owner, by name. Of owner 0: topics and the columns of their boards (kind). In the arena. */
CHECKED enum status mailbox_list(
        struct store *, uint32_t owner, struct arena *, struct mailbox **out, size_t *count);

/* EXISTS when the name is taken. *id is filled by the commit. */
void change_mailbox_add(struct change *, const struct mailbox *, uint32_t *id);
/* The folder and what lies below it; EXISTS / ABSENT. Keeps ids, numbers and UIDVALIDITY.
 * FORBIDDEN: a topic or INBOX. INVALID: a name that no folder can have, or below the folder itself.
 */
void change_mailbox_rename(struct change *, uint32_t id, struct str name);
/* With all its entries; messages nobody refers to any more go too: the mailbox at the commit, the
 * octets of many messages in change_free, which then takes its time. A topic goes with its name,
 * subscriptions and columns. ABSENT; FORBIDDEN: INBOX, a topic that has tasks, what holds cards. */
void change_mailbox_remove(struct change *, uint32_t id);

/* ---- what is in it, as flushed ---- */

/* Immutable and shared by all sessions that are at the same position. */
struct view {
        uint32_t mailbox;
        const struct numset *numbers; /* of the messages that are there */
        uint32_t count, low, high; /* high is next - 1, so that it never falls; low = high + 1 when
                                      empty (RFC 3977 6.1.1) */
        uint32_t next, uid_validity;
        uint64_t modseq;   /* the mailbox's last shared change */
        uint64_t position; /* everything flushed up to this MODSEQ is in here */
};
CHECKED enum status view_open(
        struct store *, uint32_t mailbox, const struct view **out); /* ABSENT */
void view_close(struct store *, const struct view *);               /* NULL is fine */
/* The rank of the first message in the view that was filed after `since`, count + 1 when none was:
 * numbers and MODSEQs rise together, because the writer gives both. */
CHECKED enum status view_after(
        struct store *, const struct view *, uint64_t since, uint32_t *rank);

struct place {
        uint32_t mailbox, number;
};
struct entry {
        uint32_t number;
        uint64_t message; /* see message.h */
        time_t date;      /* internal date: when it came */
        uint64_t modseq;  /* when it was filed */
        uint64_t size;    /* octets with the prefix */
        uint32_t prefix_size;
        uint32_t header_size; /* of the message: without the prefix, the empty line included */
        bool dots;            /* a line of it begins with a dot */
        uint64_t body;        /* where its octets lie: entry_stored */
};
/* Reads the entries of `which` from number *from on, at most *count; sets *count to how many came
 * and *from to where to go on (0: that was the last). Numbers that have gone are passed over. */
CHECKED enum status entries_read(struct store *, uint32_t mailbox, const struct numset *which,
        uint32_t *from, struct entry *out, size_t *count);
CHECKED enum status entry_read(
        struct store *, uint32_t mailbox, uint32_t number, struct entry *out); /* ABSENT */
CHECKED enum status prefix_read(struct store *, uint32_t mailbox, uint32_t number,
        struct buf *out); /* appends; empty for a folder */
/* Both with one look. */
CHECKED enum status entry_read_whole(
        struct store *, const struct place *, struct entry *out, struct buf *prefix);

/* Ready lines "number\tsubject\t...\tXref: ...\r\n" of a topic for numbers low to high that are in
 * the view, appended until about `room` octets came; *next is where to go on, 0 at the end. */
struct overview_range {
        uint32_t low, high;
        size_t room;
};
CHECKED enum status overview_read(struct store *, const struct view *,
        const struct overview_range *, struct buf *out, uint32_t *next);

/* Removes entries (FORBIDDEN: cards; see task.h). Numbers that are not there are passed over; *gone (may be NULL) is filled with
 * those that went. The owner's flags in a folder go too; in a topic the marks that people have stay
 * (bounded, and a number is never given again). Octets of many messages go in change_free. */
void change_expunge(
        struct change *, uint32_t mailbox, const struct numset *numbers, struct numset *gone);
/* Copies entries that are there to a folder in ascending order, with their prefix-free bytes,
 * internal dates, and the flags that `person` has on them. from/to numbers of the pairs are filled
 * in parallel, ascending (COPYUID). TOO_MANY: over KEYWORDS_MAX keywords would be on messages there, or
 * it has given 2^31 numbers. */
struct copying {
        uint32_t from, to, person;
        const struct numset *numbers;
        struct numset *from_numbers, *to_numbers; /* filled; the caller's */
};
void change_copy(struct change *, struct copying *);

/* ---- keeping up ---- */

/* What happened in a mailbox, for one person, after position `since` and up to view->position:
 * flags of which numbers changed (of new numbers: those that came with flags), which numbers
 * vanished. Adds to the sets; either may be NULL. New numbers are those in the view. Of a position
 * that a hundred thousand changes have passed it may say more than happened, never less. */
CHECKED enum status mailbox_changes(struct store *, const struct view *, uint32_t person,
        uint64_t since, struct numset *flags, struct numset *vanished);
/* The same of flags, but for one change: for who is not told what it did itself. */
struct own_change {
        uint32_t person;
        uint64_t since;
        uint64_t modseq; /* that change's; 0: it changed nothing */
};
CHECKED enum status mailbox_changed_by_others(
        struct store *, const struct view *, const struct own_change *, struct numset *flags);
/* Adds the numbers of the view that came, or whose flags changed, after `since`. */
CHECKED enum status mailbox_changed(struct store *, const struct view *, uint32_t person,
        uint64_t since, struct numset *out);
/* The last change that this person may see: shared ones and the person's own (HIGHESTMODSEQ). */
CHECKED enum status mailbox_modseq(
        struct store *, uint32_t mailbox, uint32_t person, uint64_t *out);

/* Calls wake(arg) after something flushed changed this mailbox for this person, on the flusher's
 * thread: it must not block, lock a session or call the store. After watch_end it is not called. */
struct watch;
struct watch *watch_begin(
        struct store *, uint32_t mailbox, uint32_t person, void (*wake)(void *), void *arg);
void watch_end(struct store *, struct watch *); /* NULL is fine */
