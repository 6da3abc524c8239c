/* backup.h - what a backup's folder holds beside the store (store/backup.h): baton.conf, tls/, the
 * site's secret, and, written last, the file `backup`, which says that the backup is complete. */
#pragma once
#include "cli/cli.h"

enum { SMALL_MOST = 1 << 20 }; /* octets of a file beside the store */
#define BACKUP_FILE "backup"
#define BACKUP_FIRST_LINE "baton backup 1"

/* From folder to folder, both open. ABSENT: no such file; FORBIDDEN: it may not be read; TOO_BIG;
 * FULL, BROKEN: errno says why. */
CHECKED enum status small_copy(int from, int to, const char *name);
/* A whole small file, appended. */
CHECKED enum status small_read(int folder, const char *name, struct buf *out);
CHECKED enum status small_write(int folder, const char *name, struct str content, mode_t mode);
/* All files of the folder tls, which may be missing. *passed: how many may not be read. */
CHECKED enum status tls_copy(int from, int to, unsigned *passed);
bool folder_empty(int folder);
/* "/proc/self/fd/7": the folder as a path, wherever the caller named it from. */
struct str folder_path(struct arena *, int folder, const char *below);
int folder_in(int folder, const char *name); /* opens it; -1 */
