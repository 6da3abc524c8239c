/* env.h - the Berkeley DB environment and its tables. Inside store/ only: <db.h> is met in env.c,
 * txn.c, scan.c (bdb.h), and nowhere else.
 *
 * B-trees only, page size 4096, DB_CHKSUM; every key is built and read by codec.c. */
#pragma once
#include "store/store.h"

enum table {
        TABLE_META,         /* text -> counters, settings */
        TABLE_BODY,         /* message, chunk -> zstd of 64 KiB */
        TABLE_MESSAGE,      /* message -> sizes, dates, references held, hash */
        TABLE_DERIVED,      /* message, part -> envelope, summary;  structure, parts */
        TABLE_ID,           /* SHA-256 of Message-ID, message -> ghost or not */
        TABLE_PLACE,        /* message, mailbox, number -> */
        TABLE_THREAD,       /* message -> root, parent;  root, message -> (two key kinds) */
        TABLE_MAILBOX,      /* mailbox -> record */
        TABLE_FOLDER,       /* owner, name -> mailbox */
        TABLE_ENTRY,        /* mailbox, number -> message, date, modseq, sizes, prefix */
        TABLE_PREFIX,       /* mailbox, number -> header fields that others differ little from */
        TABLE_OVERVIEW,     /* mailbox, number -> ready overview line */
        TABLE_MARK,         /* person, mailbox, flag, number >> 12 -> block (person 0: history) */
        TABLE_FLAG,         /* person, mailbox -> names of keywords */
        TABLE_CHANGE,       /* mailbox, person or 0, modseq -> flags changed or vanished numbers */
        TABLE_PERSON,       /* person -> record */
        TABLE_NAME,         /* lower-case name -> kind, id */
        TABLE_TOPIC,        /* topic -> record */
        TABLE_SUBSCRIPTION, /* person, topic -> record;  topic, person -> (two key kinds) */
        TABLE_DIGEST,       /* person, day -> record */
        TABLE_DUE,          /* time, kind, person -> ;  kind, person -> time (two key kinds) */
        TABLE_QUEUE,        /* id -> record;  time, id -> ;  message, id -> (three key kinds) */
        TABLE_SHOWN,        /* person, mailbox, number, mailbox, number -> ; each pair both ways */
        TABLE_ATTENTION,    /* person, root of a thread -> muted or followed */
        TABLE_TASK,         /* tasks, their events, indices and cards (see codec_task.h) */
        TABLE_COUNT
};

struct env;
struct disk;
struct txn; /* the writer's transaction */

const char *table_name(enum table); /* its file: "body.db" */

CHECKED enum status env_open(const struct store_options *, struct env **out);
void env_close(struct env *);
bool env_failed(struct env *);
void env_fail(struct env *, const char *why); /* logs; every call answers BROKEN from then on */
struct disk *env_disk(struct env *);
/* When it is due (64 MB of log, or the configured seconds), or now; and removes old logs. */
CHECKED enum status env_checkpoint(struct env *, bool force);
/* Keeps as many log files ready as the log has needed between two calls; none on a full disk. */
void env_spares(struct env *);
CHECKED enum status env_flush(struct env *); /* log_flush, then the watermark */

/* For a backup: after a checkpoint, no log file is removed until as many env_release were called.
 * *oldest: the oldest log file that recovery needs to bring what is on disk now up to date. */
CHECKED enum status env_hold(struct env *, uint32_t *oldest);
void env_release(struct env *);
struct log_place;
CHECKED enum status env_flushed(struct env *, struct log_place *out); /* flushes; and how far */
const char *env_path(struct env *);

/* Reading. txn NULL: outside of the writer, committed data, retried on deadlock. Values are
 * appended to *value. ABSENT. DAMAGED / BROKEN: logged, env_failed is true from then on if it is
 * for good. */
CHECKED enum status table_get(
        struct env *, struct txn *, enum table, struct str key, struct buf *value);
CHECKED enum status table_has(struct env *, struct txn *, enum table, struct str key);

/* Writing, in the writer only. */
CHECKED enum status txn_begin(struct env *, struct txn **out);
CHECKED enum status txn_commit(struct txn *); /* without flush; frees */
void txn_abort(struct txn *);                 /* frees */
struct env *txn_env(struct txn *);
CHECKED enum status table_put(struct txn *, enum table, struct str key, struct str value);
CHECKED enum status table_remove(struct txn *, enum table, struct str key); /* ABSENT */

/* A range in key order: from <= key < upto (upto empty: to the end). Reads in bulk
 * (DB_MULTIPLE_KEY) and holds no cursor between two bulk reads: data may change between them. Views
 * are valid until the next scan_next. Within a txn it sees the txn's own writes (and then reads
 * singly). */
struct scan;
struct scan *scan_open(struct env *, struct txn *, enum table, struct str from, struct str upto);
/* Before the first step: about so many octets of keys and values are wanted. Only a hint; without it the room for
 * bulk reads begins small and doubles, which reads a long range up to twice. */
void scan_expect(struct scan *, size_t octets);
/* Before the first step: one or two records are wanted, and read one by one. */
void scan_singly(struct scan *);
/* ABSENT at the end. */
CHECKED enum status scan_next(struct scan *, struct str *key, struct str *value);
void scan_close(struct scan *); /* NULL is fine */
/* The same from the end, outside of the writer: the last key below `upto` first, down to `from`.
 * For few and short records. Views are valid until the next scan_back_next. */
struct scan_back;
struct scan_back *scan_back_open(struct env *, enum table, struct str from, struct str upto);
CHECKED enum status scan_back_next(
        struct scan_back *, struct str *key, struct str *value); /* ABSENT at the end */
void scan_back_close(struct scan_back *);                        /* NULL is fine */
/* The last key below `upto` that is >= from. ABSENT. */
CHECKED enum status table_last(struct env *, struct txn *, enum table, struct str from,
        struct str upto, struct buf *key, struct buf *value);
/* Smallest string above all that begin with `prefix` (for upto). */
void key_after(struct str prefix, struct buf *out);
