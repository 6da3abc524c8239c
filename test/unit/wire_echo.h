/* wire_echo.h - a tiny protocol and a tiny client, for the tests of wire/. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "wire/crew.h"
#include <stdatomic.h>

#define ECHO_FILL "0123456789012345678901234567890123456789012345678901234" /* of BIG's lines */

/* What all sessions of one crew share. */
struct echo_site {
        struct tls *tls;
        atomic_uint open, closed, woken, timeouts, stops, idles;
        atomic_uint held; /* sessions that have come to HOLD */
        atomic_bool let;  /* they go on */
        struct wire *_Atomic last; /* of the latest session; held by who uses it */
};

/* Commands: ECHO text; QUIT; ASK; TAKE n; SKIP n; LITERAL n; DATA max; SHOW; BIG n; SLEEP ms;
 * HOLD, until the test lets go; AFTER seconds; LIMIT seconds; LINES octets; PERSON n; ASIDE 0|1; PEER; CIPHER; STARTTLS. */
extern const struct protocol echo_protocol;

struct crew *echo_start(struct echo_site *, const struct crew_options *, struct listener);
struct crew *echo_start_simple(struct echo_site *, struct listener); /* standard limits */

/* The client. Every read gives up after a minute and fails the test. */
int client_dial(struct crew *, const char *listener);
void client_say(int fd, const char *text); /* as it is: "\r\n" included */
void client_send(int fd, struct str);
void client_expect(int fd, const char *line); /* without its CRLF; exactly this line comes */
char *client_line(int fd);                    /* heap; without CRLF; NULL: closed */
void client_closed(int fd);                   /* nothing but the end comes; closes */
uint64_t now_ms(void);
