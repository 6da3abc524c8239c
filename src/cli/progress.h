/* progress.h - a bar on the caller's terminal while long work goes on; nothing when it is no
 * terminal. */
#pragma once
#include "cli/cli.h"

struct progress {
        struct cli *cli;
        const char *label;    /* "Importing" */
        uint64_t total;       /* 0: not known */
        uint64_t begun, told; /* ms */
        bool shown;
        unsigned width; /* of the terminal; 0: none */
};
void progress_begin(struct progress *, struct cli *, const char *label, uint64_t total);
void progress_tell(struct progress *, uint64_t done); /* at most ten times a second */
void progress_clear(struct progress *);               /* before other output, and at the end */
