/* pagecheck.h - reads Berkeley DB's table files by itself and checks their checksums: page 0 at
 * every open (its flags decide whether Berkeley DB checks the others at all), all pages for
 * `baton check` and when something has gone wrong, to name the file and page. Reads only. */
#pragma once
#include "base/str.h"

enum { PAGE_SIZE = 4096 };

/* Zeros where a page says what it is. */
bool page_blank(const char *page);
/* A page as it was read: its checksum and number are right, or it is blank. */
bool page_whole(char page[PAGE_SIZE], uint32_t number);
uint32_t page_sum(struct str octets); /* Berkeley DB's checksum of pages and log records */
/* Page 0 and the root. ABSENT: no such file. DAMAGED: logged with the file. `closed`: after a clean
 * end the file is as long as page 0 says. */
CHECKED enum status page_check_first(const char *path, bool closed);
/* All pages: every damaged one is logged. Blank pages are well unless `closed`: those that were
 * allocated and not written yet when the machine stopped. */
CHECKED enum status page_check_all(const char *path, bool closed);
