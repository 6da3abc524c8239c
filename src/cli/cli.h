/* cli.h - what a subcommand of `baton` works with: an opened site, the caller's working directory
 * and his three streams. When batond runs, its control thread runs the very same function with
 * the caller's streams (daemon/control.c), so a subcommand never uses stdin, stdout, the process's
 * working directory, or anything else that belongs to the process, and many may run at once. */
#pragma once
#include "cli/options.h"
#include "team/site.h"
#include "wire/crew.h"

enum { DONE = 0, FAILED = 1, USAGE = 2 }; /* exit statuses */

struct cli {
        const char *home;    /* absolute */
        struct site *site;   /* NULL: the command needs none */
        struct crew *crew;   /* the daemon's; NULL outside of it */
        struct arena *arena; /* dies with the command */
        FILE *in, *out, *err;
        int cwd;    /* the caller's working directory; what he names is opened from here */
        int caller; /* a socket that ends when the caller goes; -1: there is none */
};

/* Runs argv ("user", "add", "ana") on c->site. Returns the exit status. */
int cli_run(struct cli *, int argc, char **argv);
/* Finds the command and reads its options; false: said why (or printed help), *status is the exit
 * status. */
bool cli_prepare(struct cli *, int argc, char **argv, struct options *out, int *status);
/* Which command-line words could come at the end of argv: for the shell's completion. */
void cli_complete(struct cli *, int argc, char **argv);

/* "baton: ..." to the caller's error stream; returns FAILED. Says the next step wherever there is
 * one. */
int cli_fail(struct cli *, const char *format, ...) PRINTF(2, 3);
/* The same with the reason that belongs to a status: "baton: WHAT: disk full ...". */
int cli_fail_status(struct cli *, enum status, const char *what);
/* A usage error: the reason and how to get help; returns USAGE. */
int cli_misused(struct cli *, const struct options *, const char *format, ...) PRINTF(3, 4);
/* Has the caller gone (Ctrl-C)? Long work asks now and then and ends. */
bool cli_gone(struct cli *);
/* Opens c->site, outside of the daemon. root becomes the owner of the folder first, for good:
 * whatever root made in it batond could not open. *why as site_open. */
CHECKED enum status cli_open_site(struct cli *, bool verify, char **why);
/* A line from the caller's input, without its end. False at the end of input. */
bool cli_line(struct cli *, struct buf *out);
/* Opens a file that the caller named, for reading. -1: said why. "-" is the caller's input. */
FILE *cli_open(struct cli *, const char *path);
/* Makes a file that the caller named, for writing; "-" is the caller's output. NULL: said why, also
 * when it is there already. */
FILE *cli_make(struct cli *, const char *path);
struct str cli_word(const struct options *, size_t at); /* an argument; empty when there is none */

/* By name, said why when there is none. */
CHECKED enum status cli_person(struct cli *, struct str name, struct person *out);
CHECKED enum status cli_topic(struct cli *, struct str name, struct topic *out);
