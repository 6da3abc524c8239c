/* disk.h - room on the disk: how much there is, and the ballast, a file of nothing that is removed
 * when the disk is full, so that what was accepted can still be flushed and recovery can run. */
#pragma once
#include "base/fail.h"

struct disk;

struct disk *disk_new(const char *folder, uint64_t reserve, uint64_t ballast);
void disk_free(struct disk *); /* NULL is fine; the ballast stays */
/* True when less than the reserve is free: new mail is refused. Looks at most twice a second. */
bool disk_full(struct disk *);
/* True when a quarter of the ballast's size is not even free: nothing is written, only read. */
bool disk_exhausted(struct disk *);
uint64_t disk_octets(struct disk *); /* free, as last seen */
/* Before recovery: removes the ballast when the disk is too full to recover, and says so. */
void disk_before_recovery(struct disk *);
/* Makes or grows the ballast when there is room for it. */
void disk_load_ballast(struct disk *);
/* So much is free beside what is kept free and a new ballast. */
bool disk_has(struct disk *, uint64_t octets);
/* Removes the ballast; false when there was none. */
bool disk_drop_ballast(struct disk *);
