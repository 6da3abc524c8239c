/* bdb.h - the environment as env.c, txn.c and scan.c see it: Berkeley DB's handles, and what its
 * error codes mean. Included by these three only. */
#pragma once
#include "store/disk.h"
#include "store/env.h"
#include "store/known.h"
#include "store/watermark.h"
#include <db.h>
#include <pthread.h>
#include <stdatomic.h>

struct env {
        DB_ENV *handle;
        DB *tables[TABLE_COUNT];
        char *path;
        int folder, lock; /* descriptors */
        struct disk *disk;
        struct watermark *watermark;
        struct known *known;
        struct mark mark;         /* as written last; under `flushing` */
        pthread_mutex_t flushing; /* flushes and marks, in order */
        uint64_t checkpointed;    /* clock_ms; under `flushing` */
        unsigned checkpoint_ms, checkpoint_megabytes; /* due after so long, or so much log */
        uint64_t log_file;        /* octets of a log file */
        struct log_place looked;  /* how far the log was when spares were made; checkpointer only */
        unsigned holds; /* backups that copy log files; under `flushing` */
        unsigned spares;          /* so many log files are kept ready; checkpointer only */
        bool serves;
        atomic_bool failed, damaged;
        atomic_bool no_room; /* Berkeley DB met a full disk since this was cleared */
        atomic_bool suspect; /* Berkeley DB met a damaged page, on this thread: */
        pthread_t suspect_thread;
};

struct txn {
        struct env *env;
        DB_TXN *handle;
        bool changes_known; /* it has written to one of the tables of known.h */
};

enum { RETRIES = 1000 }; /* of a read that was a deadlock's victim */

/* What a code means for a caller; logs once what is for good. */
CHECKED enum status env_status(struct env *, enum table, int code);
/* OK, or how the environment failed. */
CHECKED enum status env_state(struct env *);

/* A value of SEAL_FROM octets and more is stored with a checksum behind it: it lies on pages of its
 * own, and Berkeley DB takes a blank page among them for a new one. (Smaller ones lie on tree
 * pages.) So no stored length lies between SEAL_FROM and SEAL_FROM + SEAL_SIZE - 1. */
enum { SEAL_FROM = 900, SEAL_SIZE = 4 };

void value_seal(struct str value, struct buf *out);
/* Takes the checksum off. DAMAGED: it is wrong; logged. */
CHECKED enum status value_unseal(struct env *env, enum table table, struct str *value);

/* Berkeley DB does not write to what it only reads. */
static inline DBT dbt_in(struct str octets)
{
        return (DBT){.data = (void *)(uintptr_t)octets.at, .size = (u_int32_t)octets.len};
}
