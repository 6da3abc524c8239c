/* backup.h - a copy of the store that is made while it serves, and a store made of such a copy.
 *
 * What was on disk when the backup began is in it; of what came meanwhile, some. Copied are the
 * tables page by page, each page when its checksum is right, and then the log as far as it is flushed,
 * from the file on that a checkpoint before the copying needs. Log files are kept meanwhile. What
 * lies in the copy is not of one moment: only recovery over all of its log makes it a store. */
#pragma once
#include "store/store.h"

struct backup_watch {
        void (*progress)(void *arg, uint64_t done, uint64_t total); /* octets */
        bool (*gone)(void *arg); /* should it end? */
        void *arg;
};
/* Into a folder that is there and empty. On failure *why is a sentence for people (freed by the
 * caller) or NULL, and some files may be there. FULL: no room there; CLOSED: watch->gone;
 * DAMAGED: a page or the log is not as it should be; BROKEN: cannot be written; logged. */
CHECKED enum status store_backup(
        struct store *, const char *folder, const struct backup_watch *, char **why);
/* Makes a store of the copy in `from`: at `options->path`, an empty folder. Recovers it, and lets
 * nothing be given again that was given since the backup: mailboxes have a new UIDVALIDITY, numbers
 * go on with a gap. DAMAGED, also when something is missing. */
CHECKED enum status store_restore(const char *from, const struct store_options *options,
        const struct backup_watch *, char **why);
