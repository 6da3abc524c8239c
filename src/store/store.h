/* store.h - everything that Baton keeps, in one Berkeley DB environment of one process.
 *
 * One writer: a change is a list of operations that happen together or not at all. Changes from
 * many threads are gathered into one transaction, committed without a flush, and answered after
 * the log is flushed: OK from store_commit means that it is on disk.
 * What is not flushed is not shown: readers see a mailbox up to its highest flushed number.
 * Reading functions copy out; no transaction or cursor outlives a call. All functions are
 * thread-safe unless they say otherwise. */
#pragma once
#include "base/arena.h"
#include "base/numset.h"

struct store;

struct store_options {
        const char *path;  /* folder of the environment; made (0700) when absent */
        uint64_t cache;    /* octets of page cache; 0: pages.h says */
        uint64_t reserve;  /* free octets on disk below which new mail is refused; 0: 256 MB */
        uint64_t ballast;  /* octets of the ballast file that is freed for recovery on a full disk;
                              0: 32 MB */
        uint64_t log_file; /* octets of one log file; 0: 16 MB */
        unsigned checkpoint_seconds; /* 0: 60 (or every 64 MB of log) */
        bool read_only_check;        /* `baton check`: verify data pages while opening */
        bool restoring;              /* a backup's copy: all log files that are there are gone through */
};

/* Takes the lock, verifies the log against the watermark of what was flushed, recovers, opens.
 * BUSY: another process has it. DAMAGED: the log or a page is damaged: logged with the file and
 * what to do; nothing has been changed on disk. FULL: no room to recover. BROKEN: logged. */
CHECKED enum status store_open(const struct store_options *, struct store **out);
/* Waits for what was accepted, checkpoints, marks a clean end. */
void store_close(struct store *);
/* True after the environment failed (a damaged page, say): every call answers DAMAGED or BROKEN;
 * the process should say so and end, so that the next start can verify. */
bool store_failed(struct store *);

/* A change: operations added by change_* functions of the headers beside this one. One thread
 * builds it and commits it; what the operations refer to is borrowed until the commit returned. */
struct change;
struct change *change_new(struct store *);
void change_free(struct change *); /* NULL is fine */
/* The first refusal among the operations, and then nothing has happened. FULL: disk; BUSY: the
 * writer's queue is too long; BROKEN: logged. Waits until it is flushed. */
CHECKED enum status store_commit(struct change *);

struct store_stats {
        uint64_t messages, commits,
                flushes;      /* since the start; messages: operations that added mail */
        uint64_t queued;      /* changes that wait now */
        uint64_t modseq;      /* of the last flushed change */
        uint64_t free_octets; /* on the disk */
        bool full;            /* new mail is being refused */
};
void store_stats(struct store *, struct store_stats *out);
bool store_full(struct store *); /* new mail is refused: the disk is nearly full */
/* Does a checkpoint now and deletes log files that neither recovery nor a backup needs. */
CHECKED enum status store_checkpoint(struct store *);
