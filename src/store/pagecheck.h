/* pagecheck.h - reads Berkeley DB's table files by itself and checks their checksums: page 0 at
 * every open (its flags decide whether Berkeley DB checks the others at all), all pages for
 * `baton check` and when something has gone wrong, to name the file and page. Reads only. */
#pragma once
#include "base/str.h"

enum { PAGE_SIZE = 4096 };

uint32_t page_sum(struct str octets); /* Berkeley DB's checksum of pages and log records */
/* ABSENT: no such file. DAMAGED: page 0 is; logged with the file. `closed`: after a clean end the
 * file is as long as page 0 says; otherwise pages may not have been written yet, and an empty file
 * is well. */
CHECKED enum status page_check_first(const char *path, bool closed);
/* All pages: every damaged one is logged. Pages that were never written (zeros) are well. */
CHECKED enum status page_check_all(const char *path);
