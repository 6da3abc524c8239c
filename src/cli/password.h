/* password.h - what a person logs in with: made up, or given on standard input. */
#pragma once
#include "cli/cli.h"

/* Fewer are guessed (NIST SP 800-63B 3.1.1.2); no more are sure to be carried (RFC 4616 2). */
enum { PASSWORD_LEAST = 8, PASSWORD_MOST = 255 }; /* characters; octets */

/* Why this cannot be a password, as half a sentence; NULL: it can. */
const char *password_fault(struct str);
/* A first password: made up, what is kept of it put into the person, and returned as text in the
 * arena. */
struct str password_first(struct cli *, struct person *);
/* The next line of standard input becomes the person's. Says why not; an exit status. */
int password_take(struct cli *, struct person *);
