/* user.h - making a person, for `baton user add` and `baton init`. */
#pragma once
#include "cli/cli.h"

/* What a new person has unless told otherwise: the server's zone, a page at 07:30, Monday to
 * Friday, 09:00 to 17:00. Texts live in the arena. */
void user_defaults(struct cli *, struct str name, struct person *out);
/* Files a new person (id 0) or a changed one, and when the next digest is due. Says why not; an
 * exit status. */
int user_save(struct cli *, struct person *);
