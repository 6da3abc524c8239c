/* spare.h - log files made ready beforehand: full of zeros, on disk. Inside store/ only.
 *
 * A flush that makes a log file longer waits for the file's new length too; in a file that is long
 * already it waits for the octets only. So the checkpointer makes some files named spare.N while
 * mail comes in, and Berkeley DB's next log file is one of them, renamed. What follows a log's last
 * record is zeros then, which the log's check and Berkeley DB take for its end. */
#pragma once
#include "base/fail.h"
#include <stdbool.h>
#include <stddef.h>

enum { SPARES_MOST = 4 };

/* What Berkeley DB opens files with (db_env_set_func_open): a log file that is to be made becomes a
 * spare, when there is one beside it. */
int spare_open(const char *path, int flags, ...);
/* There are `count` spares of `size` octets. False: one cannot be made, which harms nothing. */
bool spares_make(const char *folder, unsigned count, size_t size);
void spares_drop(const char *folder);
