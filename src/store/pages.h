/* pages.h - memory for Berkeley DB's page cache: side by side and in huge pages, where the system
 * has them. A look into a tree meets several pages all over the cache, and without huge pages the
 * processor looks up where each of them lies. The rest of Berkeley DB's memory is malloc's. */
#pragma once
#include "store/env.h"

/* Before the first environment of the process is made; later calls do nothing. `cache`: octets. */
void pages_begin(uint64_t cache);
