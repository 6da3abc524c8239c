/* client_inside.h - a connection to a next hop, and how one talks over it: opened and closed by
 * client.c, sent mail over by client_send.c. Inside these two only. */
#pragma once
#include "relay/client.h"
#include "wire/dial.h"

/* RFC 5321 4.5.3.2. */
enum {
        CONNECT_SECONDS = 60,
        REPLY_SECONDS = 300,
        DATA_SECONDS = 120,
        BLOCK_SECONDS = 180,
        DOT_SECONDS = 600,
        QUIT_SECONDS = 2, /* ours: who hears no farewell has lost nothing */
};

struct client {
        struct dial *dial;
        const struct client_options *options; /* while it is opened only */
        unsigned seconds;
        bool starttls, pipelining, eight_bit, dsn, plain, login;
        uint64_t size_most; /* SIZE; 0: not said */
        bool broken;
        bool tls_failed, ourselves;
        struct reply reply;
        struct buf out;
};

CHECKED enum status client_fail(struct client *, enum status); /* it is over; the status again */
/* The next reply, into c->reply. Else the connection is over, and *why says it. */
CHECKED enum status client_hear(struct client *, unsigned seconds, struct buf *why);
/* Sends what was gathered in c->out. The same. */
CHECKED enum status client_write(struct client *, unsigned seconds, struct buf *why);
/* One command, its line's end added, and its reply. The same. */
CHECKED enum status client_ask(struct client *, struct buf *why, const char *format, ...)
        PRINTF(3, 4);
