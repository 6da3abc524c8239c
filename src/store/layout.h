/* layout.h - which files an environment consists of, and whether they are all there and whole,
 * before Berkeley DB may touch them. The file `tables` lists the tables that were made; while the
 * file `making` is there, nothing has ever been acknowledged from this folder. */
#pragma once
#include "store/logcheck.h"
#include "store/store.h"

struct layout {
        bool newborn;                /* to be made */
        bool listed;                 /* the list of tables is there and names all */
        struct watermark *watermark; /* open; the caller's */
        struct mark mark;
        struct log_report log;
};

/* DAMAGED: logged, nothing changed. `pages`: check every page, not only the first ones. */
CHECKED enum status layout_check(const char *folder, bool pages, struct layout *out);
/* Checks every page of every table: DAMAGED when one is, logged with its file. */
CHECKED enum status layout_check_pages(const char *folder, bool closed);
/* All tables are there and on disk now. */
CHECKED enum status layout_done(const char *folder);
/* Flushes the names in the folder. */
CHECKED enum status folder_sync(const char *folder);
