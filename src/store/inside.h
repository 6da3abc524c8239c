/* inside.h - what struct store is made of. Inside store/ only. */
#pragma once
#include "store/env.h"
#include "store/writer.h"

struct rows;  /* the writer's knowledge of mailboxes, and its counters (rows.c) */
struct views; /* published positions, views and watches (view.c) */
struct cache;
struct bases; /* what prefixes of entries rest on (bases.c) */

struct store {
        struct env *env;
        struct writer *writer;
        struct rows *rows;
        struct views *views;
        struct cache *kept;     /* marks that are kept ready (kept.c) */
        struct cache *subjects; /* orders of subjects (subjects.c) */
        struct bases *bases;
};

struct rows *rows_new(void);
void rows_free(struct rows *);
struct views *views_new(void);
void views_free(struct views *);
/* At open, after recovery and before the writer starts: removes bodies that were written ahead of a
 * filing that never came. (The writer jumps MODSEQ ahead when it starts.) */
CHECKED enum status store_tidy(struct store *);
