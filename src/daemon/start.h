/* start.h - how batond becomes a daemon: its options, detaching from the terminal, its user,
 * signals, the log file, and telling whoever waits that it is ready. */
#pragma once
#include "team/config.h"
#include <signal.h>

struct start {
        char *home;          /* absolute, on the heap */
        const char *version; /* "batond 0.1" */
        bool foreground;
        int ready_fd;    /* --ready-fd; -1: none */
        int parent;      /* a pipe to the waiting parent process; -1: none */
        char *log, *pid; /* files, when detached */
};

/* The options. -1: go on; else the exit status. */
int start_read(struct start *, int argc, char **argv);
/* SIGTERM, SIGINT and SIGHUP are waited for by the main thread. */
void start_block_signals(void);
void start_signals(sigset_t *out);
/* Without --foreground: returns in the child; the parent ends when the child is ready or has
 * failed. */
CHECKED bool start_detach(struct start *);
void start_raise_files(unsigned connections);
/* root: becomes [site] user, who must own the home folder. FORBIDDEN: said why. */
CHECKED enum status start_become_user(const struct config *);
/* All ports listen: tells --ready-fd, the parent and systemd; from here the log goes to
 * HOME/batond.log when detached. */
void start_ready(struct start *, const struct config *);
void start_reopen_log(const struct start *); /* for logrotate: on SIGHUP */
void start_end(struct start *);
