/* crew.h - the threads that serve clients, and the connections they serve.
 * Idle connections lie in one epoll set. A worker takes a session only when a whole command line is
 * buffered (a partial line costs no worker), serves commands as straight-line blocking code until
 * no whole line is left, and re-arms it. The crew grows with blocked workers up to a cap; at most
 * half of it may wait on sockets. Limits by address and by person stop one client from taking it. */
#pragma once
#include "wire/tls.h"
#include "wire/wire.h"

struct crew;
struct session; /* each protocol's own */

struct protocol {
        const char *name;      /* "imap" */
        size_t line_max;       /* octets of a command line, without its CRLF */
        unsigned idle_seconds; /* silence (no whole line) that ends a session */
        /* Greets; NULL: refused (said and closed). */
        struct session *(*open)(struct wire *, void *site);
        void (*serve)(struct session *); /* obeys the buffered lines, until wire_line is BUSY */
        void (*wake)(struct session *);  /* wire_wake or wire_wake_after; may be NULL */
        void (*idle)(struct session *);  /* no work is left: give memory back; may be NULL */
        void (*timeout)(struct session *); /* silent too long: says so, is closed; may be NULL */
        void (*stop)(struct session *);  /* the server stops: says so, is closed; may be NULL */
        void (*close)(struct session *); /* frees; the wire must not be used any more */
        const char *too_many; /* said to clients over the limits, "421 Try later"; may be NULL */
};

struct listener {
        struct str name;      /* "imaps"; copied */
        struct str address;   /* "127.0.0.1", "::", or a path beginning with '/' (unix socket) */
        uint16_t port;        /* 0: the kernel chooses; crew_port tells */
        mode_t mode;          /* of a unix socket */
        bool tls_at_once;     /* implicit TLS */
        const struct protocol *protocol; /* borrowed */
        void *site;                      /* handed to open; borrowed */
};

struct crew_options {
        unsigned workers;            /* most threads; 0: 256 */
        unsigned connections;        /* most clients at once; 0: 20000 */
        unsigned connections_per_address; /* 0: 1000; loopback and unix sockets: 10 times */
        unsigned seconds_to_write;   /* a client that takes nothing for so long is put out; 0: 60 */
        unsigned seconds_to_send;    /* deadline for a literal's or block's next octets; 0: 120 */
        unsigned bytes_per_second;   /* their minimum rate after 30 s of waiting; 0: 100 */
        struct tls *tls;             /* for implicit TLS; borrowed; NULL: none */
};

CHECKED enum status crew_new(const struct crew_options *, struct crew **out);
/* Opens the port (SO_REUSEADDR, backlog 1024) but accepts nobody before crew_start: ports are
 * bound as root, sessions served as somebody else. BROKEN: logged. */
CHECKED enum status crew_listen(struct crew *, const struct listener *);
CHECKED enum status crew_start(struct crew *);
uint16_t crew_port(struct crew *, struct str listener_name); /* 0: no such TCP listener */
/* SIGHUP: listeners stay, limits change. */
void crew_limits(struct crew *, const struct crew_options *);
/* Takes no new clients, lets running commands end (at most grace_seconds), tells and closes all,
 * ends all threads, frees. */
void crew_stop(struct crew *, unsigned grace_seconds);
struct crew_stats {
        unsigned clients, workers, waiting;
        uint64_t served, refused; /* clients since the start */
};
struct crew_stats crew_stats(struct crew *);
