/* inside.h - what the files of imap/ share: a session and the mailbox that it has selected.
 *
 * A session sees a mailbox through its own view (store/mailbox.h). Sequence numbers count `told`,
 * what the client has been told of, and nothing else: while IMAP forbids EXPUNGE, messages that
 * have gone stay in it. `update.c` moves the view and tells the client, after every command and in
 * IDLE. A command's body returns a status; the loop makes the tagged reply of it (session.c). */
#pragma once
#include "base/clock.h"
#include "imap/parse.h"
#include "store/message.h"
#include "team/folder.h"
#include "team/accept.h"
#include "wire/verb.h"
#include "wire/wire.h"

struct selected {
        uint32_t mailbox;
        enum mailbox_kind kind;
        bool read_only; /* EXAMINE, or no right to set flags */
        struct rights rights;
        uint32_t topic; /* whose rights count; 0: a folder of one's own */
        const struct view *view;
        const struct numset *told; /* the view's numbers, or `own` */
        struct numset *own;        /* while told is more than the view: EXPUNGEs wait */
        struct numset *gone;       /* of `own`; NULL with it */
        uint32_t exists;           /* as the client counts */
        struct marks *marks;
        uint64_t position;         /* flags and the view are up to here */
        struct numset *untold;     /* flags of these changed; NULL: of none */
        uint64_t untold_since;     /* all of those changes are after it */
        struct numset *saved;      /* the last search's result, "$" (RFC 5182); NULL: none */
        uint64_t flags_told;       /* which FLAGS, in short (update.c) */
        struct watch *watch;       /* in IDLE */
};

struct session {
        struct wire *wire;
        struct site *site;
        struct arena *arena;     /* of the command; NULL while the session sleeps */
        struct buf command;      /* gathered whole, its literals in it */
        struct buf reply;        /* text of the tagged reply, when the body has set one */
        struct str tag;
        uint32_t person;         /* 0: not logged in */
        struct selected *selected; /* NULL: none */
        uint64_t opened;         /* ms */
        unsigned bad;            /* commands refused as malformed, since the last good one */
        bool uid;                /* the command is of the UID form */
        unsigned enabled;        /* ENABLED_ bits */
        char *idle_tag;          /* of the IDLE that is going on; NULL: none */
        uint64_t still_here;     /* ms: when IDLE last said something */
};

/* What a session has asked for (RFC 5161, RFC 7162, RFC 6855); QRESYNC brings CONDSTORE along. */
enum { ENABLED_CONDSTORE = 1, ENABLED_QRESYNC = 2, ENABLED_REV2 = 4, ENABLED_UTF8 = 8 };

/* Where a command may be given, and what may be told behind it. */
enum {
        BEFORE_LOGIN = 1, LOGGED_IN = 2, SELECTED = 4,
        ONLINE = LOGGED_IN | SELECTED, ALWAYS = BEFORE_LOGIN | ONLINE,
        TELLS_ALL = 16,    /* nothing is told behind it: what it said counts from its beginning */
        KEEPS_NUMBERS = 8, /* no EXPUNGE behind it (RFC 9051 7.5.1), except in its UID form */
};
enum {
        LINE_MAX_OCTETS = 65536,
        STRANGER_OCTETS = 8192,    /* of a line or a literal before login */
        LITERALS_MAX = 65536,      /* octets of all literals of a command but APPEND */
        BATCH_MAX = 256,           /* messages read at once */
        NAMES_MAX = 10000,         /* folders of a person */
};

/* ---- session.c ---- */
/* The text of the tagged reply, with its response code: "[READ-ONLY] ...". */
void imap_reply(struct session *, const char *format, ...) PRINTF(2, 3);
/* The same for a refusal, to be returned: `return imap_refuse(s, FORBIDDEN, "[NOPERM] ...");` */
CHECKED enum status imap_refuse(struct session *, enum status, const char *format, ...)
        PRINTF(3, 4);
/* Reads and forgets a literal that comes unasked, and what else belongs to its command. */
enum status imap_swallow(struct session *, uint64_t size);
/* The same for what a line that was too long announces; its tail is what the wire has left of it. */
enum status imap_swallow_behind(struct session *, struct str tail);
struct parse imap_arguments(struct session *, const struct args *);
/* Names of folders are UTF-8 both ways: IMAP4rev2 (RFC 9051 5.1) or UTF8=ACCEPT is on. */
bool imap_utf8(const struct session *);
struct buf *imap_out(struct session *); /* the reply being gathered */
void imap_line(struct session *, const char *format, ...) PRINTF(2, 3);
void imap_end(struct session *); /* of a line that was gathered in imap_out */

/* ---- update.c ---- */
/* Moves the view and the flags to what is flushed now; says nothing. ABSENT: it has gone. */
CHECKED enum status imap_catch_up(struct session *);
/* Tells what has been caught up: EXPUNGE (when allowed), EXISTS, flags. */
void imap_tell(struct session *, bool expunges);
/* Both; puts the client out when its mailbox is gone or not its own to read any more. */
void imap_update(struct session *, bool expunges);
/* The messages that a sequence-set (UIDs in the UID form) means, all of them told. INVALID: a
 * sequence number that the client has never been told of. Freed by the caller. */
CHECKED enum status imap_numbers(struct session *, struct str set, bool uid, struct numset **out);
uint32_t imap_sequence(const struct session *, uint32_t number);
/* "(\Seen $Label)" */
void imap_print_flags(struct buf *out, const struct marks *, uint32_t number);
void imap_begin_fetch(struct session *, uint32_t number); /* "* 7 FETCH (" */
void imap_say_flags(struct session *); /* FLAGS and PERMANENTFLAGS */
void imap_tell_flags(struct session *); /* the same, when they have changed since they were said */
/* modseq 0: it is not told */
void imap_say_fetch_flags(struct session *, uint32_t number, uint64_t modseq);
void imap_deselect(struct session *);

/* ---- modseq.c: CONDSTORE and QRESYNC (RFC 7162) ---- */
/* From now on MODSEQs are told; said when a folder is selected already (RFC 7162 3.1). */
void imap_condstore(struct session *);
/* HIGHESTMODSEQ of a folder as this view shows it. */
CHECKED enum status imap_highest(struct session *, const struct view *, uint64_t *out);
/* "[HIGHESTMODSEQ 7] words" as the tagged reply of what removed messages, under QRESYNC. */
CHECKED enum status imap_reply_highest(struct session *, const char *words);
/* "* VANISHED (EARLIER) 1:5"; nothing for an empty set. */
void imap_say_vanished(struct session *, const struct numset *, bool earlier);
/* When messages last changed. Empty while nobody asked for CONDSTORE: then every MODSEQ is 0. */
struct modseqs {
        const struct numset *which; /* borrowed */
        uint64_t *at;
};
/* since: all of these changed after it, as far as the caller knows; 0: no idea. */
CHECKED enum status modseqs_load(
        struct session *, const struct numset *which, uint64_t since, struct modseqs *out);
uint64_t modseqs_of(const struct modseqs *, uint32_t number);
void modseqs_release(struct modseqs *);

/* ---- commands, a file a family ---- */
enum status imap_capability(struct session *, const struct args *); /* auth.c */
enum status imap_noop(struct session *, const struct args *);
enum status imap_logout(struct session *, const struct args *);
enum status imap_id(struct session *, const struct args *);
enum status imap_enable(struct session *, const struct args *);
enum status imap_compress(struct session *, const struct args *);
enum status imap_starttls(struct session *, const struct args *);
enum status imap_login(struct session *, const struct args *);
enum status imap_authenticate(struct session *, const struct args *);
void imap_print_capabilities(struct session *, struct buf *out);
enum status imap_namespace(struct session *, const struct args *); /* list.c */
enum status imap_list(struct session *, const struct args *);
enum status imap_lsub(struct session *, const struct args *);
enum status imap_subscribe(struct session *, const struct args *); /* subscribe.c */
enum status imap_unsubscribe(struct session *, const struct args *);
enum status imap_status(struct session *, const struct args *); /* status.c */
enum status imap_create(struct session *, const struct args *); /* folders.c */
enum status imap_delete(struct session *, const struct args *);
enum status imap_rename(struct session *, const struct args *);
enum status imap_select(struct session *, const struct args *); /* select.c */
enum status imap_examine(struct session *, const struct args *);
enum status imap_close(struct session *, const struct args *);
enum status imap_unselect(struct session *, const struct args *);
enum status imap_expunge(struct session *, const struct args *);
enum status imap_append(struct session *, const struct args *); /* append.c */
enum status imap_fetch(struct session *, const struct args *);  /* fetch.c */
enum status imap_store(struct session *, const struct args *);  /* store.c */
enum status imap_search(struct session *, const struct args *); /* search.c */
enum status imap_sort(struct session *, const struct args *);   /* sort.c */
enum status imap_thread(struct session *, const struct args *); /* thread.c */
enum status imap_copy(struct session *, const struct args *);   /* copy.c */
enum status imap_move(struct session *, const struct args *);
enum status imap_idle(struct session *, const struct args *); /* idle.c */
void imap_idle_line(struct session *, struct str line);
void imap_idle_wake(struct session *);

/* What STATUS may be asked for: also LIST's RETURN (STATUS ...). */
enum {
        STATUS_MESSAGES = 1, STATUS_RECENT = 2, STATUS_UIDNEXT = 4, STATUS_UIDVALIDITY = 8,
        STATUS_UNSEEN = 16, STATUS_DELETED = 32, STATUS_SIZE = 64, STATUS_HIGHEST = 128,
};
unsigned imap_status_items(struct parse *); /* "(MESSAGES UNSEEN)" */
CHECKED enum status imap_say_status(struct session *, const struct folder *, unsigned items);

/* Removes the numbers that are \Deleted, of `among` (NULL: of all). */
CHECKED enum status imap_expunge_deleted(struct session *, const struct numset *among);
/* Why something cannot come here; OK when it can. The reply is set. */
CHECKED enum status imap_may_file(struct session *, const struct folder *);
/* The same for a message's octets. */
CHECKED enum status imap_may_post(struct session *, const struct folder *, struct str octets);
/* NO [TRYCREATE] when there is none. */
CHECKED enum status imap_target(struct session *, struct str name, struct folder *out);
/* Appends a message without its prefix, whole: room for it has been taken (team/room.h). */
CHECKED enum status imap_octets(struct session *, const struct entry *, struct buf *out);
/* The reply for what submit refused. */
CHECKED enum status imap_not_filed(struct session *, enum status, enum refusal);

/* ---- batch.c: the messages of a set, in groups ---- */
struct batch {
        struct session *session;
        const struct numset *which;
        unsigned read;     /* READ_ bits */
        bool stored_too;   /* `stored` is wanted */
        size_t count;
        uint32_t from;
        bool end;
        struct entry entries[BATCH_MAX];
        struct stored *stored;
        struct arena *arena;
};
struct batch *batch_new(struct session *, const struct numset *which);
void batch_free(struct batch *); /* NULL is fine */
/* Reads the next group into entries[0..count), stored alongside. ABSENT at the end. */
CHECKED enum status batch_fill(struct batch *);
