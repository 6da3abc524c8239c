/* pages.h - memory for Berkeley DB's page cache: side by side and in huge pages, where the system
 * has them. A look into a tree meets several pages all over the cache, and without huge pages the
 * processor looks up where each of them lies. The rest of Berkeley DB's memory is malloc's. */
#pragma once
#include "store/env.h"

/* Before the first environment of the process is made; later calls do nothing. `cache`: octets. */
void pages_begin(uint64_t cache);
/* The size of the cache: as it was asked for, or, for 0, an eighth of the memory that this process
 * may have, but 64 MB at least and 512 MB at most. */
uint64_t pages_cache(uint64_t asked);
