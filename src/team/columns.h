/* columns.h - the columns of a topic's board, changed through their folders by who looks after the
 * topic: added, called otherwise, put in another order, removed. A folder's name tells the place
 * and the name, "Boards/eng/backend/2 Doing"; the places of the others follow. */
#pragma once
#include "team/folder.h"

enum { BOARD_COLUMNS_MOST = 9, COLUMN_OCTETS_MOST = 60 };
/* Does it hold what divides columns on the command line, or the parts of Baton-Task? */
bool column_divides(struct str name);

/* All of these fill *why, in the arena, with words for people when they say no. UNSUPPORTED: the
 * folder is below no board that the person may see, *why is empty; ABSENT: no such column;
 * FORBIDDEN: who looks after the topic is told in *why; EXISTS: there is one of that name; INVALID:
 * it cannot be called so, or not stand there, or go; TOO_MANY: so many columns cannot be; BUSY: it
 * still holds cards, or others were quicker again and again. */
CHECKED enum status columns_add(
        struct site *, uint32_t person, struct str folder, struct arena *, struct str *why);
/* Cards and tasks go along: the status is called as the column is. */
CHECKED enum status columns_rename(struct site *, uint32_t person, const struct str folders[2],
        struct arena *, struct str *why);
CHECKED enum status columns_remove(
        struct site *, uint32_t person, struct str folder, struct arena *, struct str *why);
