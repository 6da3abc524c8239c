/* export.h - what the ways of exporting share. */
#pragma once
#include "cli/cli.h"

int export_csv(struct cli *, const struct options *);
/* Ends an output that cli_make gave; what came of writing it goes into *status. A file that is not
 * whole is removed. */
void export_close(struct cli *, FILE *, const char *path, int *status);
