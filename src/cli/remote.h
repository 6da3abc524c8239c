/* remote.h - a subcommand handed to the running daemon, over HOME/run/control: "BTN1", a 32-bit
 * length and the words, each ended by a NUL; with the first octets come four descriptors: the
 * caller's working directory and his three streams. The answer is the exit status in one octet.
 * Both ends are here. */
#pragma once
#include "base/buf.h"

enum { REMOTE_WORDS_MAX = 4096, REMOTE_OCTETS_MAX = 1 << 20 };

/* ABSENT: no daemon listens there. FORBIDDEN: it listens, but not to this user. CLOSED: it went
 * away before the command was done. TOO_BIG. A terminal is not handed over as input: the shell
 * could no longer read it. */
CHECKED enum status remote_call(const char *home, int argc, char **argv, int *status);

struct remote_request {
        struct buf text;
        char **words; /* into text */
        int count;
        int cwd, streams[3]; /* the receiver's to close; -1: none */
};
/* Reads one request; waits at most ten seconds. INVALID, TIMEOUT, CLOSED. Release it in any case.
 */
CHECKED enum status remote_receive(int socket, struct remote_request *out);
void remote_release(struct remote_request *);
void remote_answer(int socket, int status);
