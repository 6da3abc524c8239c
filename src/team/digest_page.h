/* digest_page.h - what was gathered becomes entries with numbers. Inside team/ only. */
#pragma once
#include "team/digest_items.h"
#include "team/page.h"

/* A digest while it is made. */
struct making {
        struct site *site;
        struct arena *arena;
        struct recall *recall;
        time_t at;
        int64_t day;               /* that it is kept under */
        struct digest_items items; /* for the record */
};
/* Fills the page's items, and m->items with what each is about. At most PAGE_ITEMS_MAX: what waits and
 * the tasks first, but a third of the room is kept for what is new. */
CHECKED enum status digest_fill(struct making *, struct page *);
