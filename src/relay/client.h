/* client.h - the SMTP client (RFC 5321): one connection to a next hop, mail after mail.
 *
 * Blocking, with the deadlines of RFC 5321 4.5.3.2. A recipient is TAKEN only when the reply to the
 * final dot said so; whatever goes wrong before or instead of that reply is LATER. */
#pragma once
#include "relay/reply.h"
#include "store/queue.h"

enum client_tls { CLIENT_TLS_MAY, CLIENT_TLS_MUST, CLIENT_TLS_NEVER };
struct client_options {
        struct str host, address; /* as in dial_options */
        bool stranger;            /* who greets under our own name is refused */
        uint16_t port;            /* 465: TLS from the first octet (RFC 8314 3.3) */
        int stop;                 /* readable: everything ends; -1: none */
        struct str helo;
        enum client_tls tls;       /* MUST: with a right certificate */
        const char *roots;         /* PEM file of who may sign; NULL: the system's */
        struct str user, password; /* user empty: no login */
        unsigned seconds;          /* for a reply; 0: as RFC 5321 says */
        unsigned connect_seconds;  /* 0: as for a reply */
};

struct client;
/* Connects, says EHLO, secures, logs in. CLOSED: not now, *why says it in words for the queue;
 * FORBIDDEN: it is this very server. Where TLS is tried, and no certificate is asked for, a
 * handshake that fails is followed by a connection without: who can break it could have hidden the
 * offer, too (RFC 7435). */
CHECKED enum status client_open(
        const struct client_options *, struct client **out, struct buf *why);
void client_close(struct client *);  /* with QUIT where it can be said; NULL is fine */
bool client_usable(struct client *); /* still open, and ready for another mail */

struct client_recipient {
        struct str address;
        unsigned notify; /* RFC 3461, as in the queue; said where the next hop knows it */
        struct str original;
        bool asked;           /* the client's */
        enum verdict verdict; /* filled */
        struct buf reply;     /* filled: the reply, or what happened instead; the caller releases */
};
struct client_mail {
        struct str sender;
        struct str envelope_id;
        enum queue_return returned;
        struct client_recipient *to;
        size_t to_count;
        struct str fields; /* go first */
        struct store *store;
        uint64_t message; /* whose octets follow */
        uint64_t size;    /* fields and octets */
        bool eight_bit;
        bool whole;     /* filled: what was put off or refused was the mail, not recipients of it */
        bool passed_on; /* filled: the next hop knows DSN, and was told what the sender wants */
};
/* Sends it; every recipient has a verdict afterwards. False: the connection broke or was never
 * usable, before any recipient had a verdict from the next hop: worth another connection. */
bool client_send(struct client *, struct client_mail *);
