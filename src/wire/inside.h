/* inside.h - what the files of wire/ share and nobody else includes: a connection and the crew.
 *
 * Who may touch a wire: its owner, the one worker that has set OWNED in `flags`. Everybody else
 * (the epoll set, wakes, the keeper's deadlines, crew_stop) only sets an event bit there; the
 * owner takes the bits before it lets go, so no event is lost and nobody waits for anybody.
 * Locks, in the order in which they may be taken: crew.lock, then crew.queue_lock. crew.gate.lock
 * and crew.shares.lock are taken alone. */
#pragma once
#include "base/map.h"
#include "wire/crew.h"
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

struct ssl_st; /* OpenSSL's SSL */
struct squeeze;

enum {
        READY = 1,   /* the socket is readable, or writable when that was awaited */
        WAKE = 2,    /* wire_wake, wire_wake_after */
        TIMED = 4,   /* the deadline may have passed */
        STOP = 8,    /* the crew stops */
        EVENTS = 15, /* all of these */
        OWNED = 16,  /* a worker has it */
        QUEUED = 32, /* it lies in the crew's queue of wakes */
        DEAD = 64,   /* ended; the memory lives as long as it is held */
};

enum {
        ROOM = 65536,         /* octets of reply that are gathered before they must leave */
        READ_ROOM = 8192,     /* octets read at once while commands are awaited */
        BLOCK_ROOM = 65536,   /* and in literals and blocks */
        HANDSHAKE_MS = 30000, /* a TLS handshake takes no longer */
        LINGER_MS = 2000,     /* a client may take so long to close its side after ours */
        GRACE_MS = 30000,     /* minimum rates count after so much waiting */
        CROWD_MS = 5000,      /* silence allowed to who waits when others want to wait too */
        TICK_MS = 500,        /* how often the keeper looks at deadlines */
};

/* One client address (an IPv6 /64): how many connections, how many workers wait for it. */
struct address {
        char key[INET6_ADDRSTRLEN];
        bool near; /* loopback or unix socket: ten times the connections, no share of the gate */
        unsigned clients; /* under crew.lock */
        unsigned waiting; /* under gate.lock */
};

struct wire {
        atomic_uint flags, holds;
        _Atomic uint64_t deadline; /* ms; the keeper sets TIMED after it */
        _Atomic uint64_t wake_at;  /* ms, 0: none; the keeper sets WAKE after it */
        atomic_bool cut;           /* crew_stop has no more time for it */
        struct wire *queue_next;   /* under crew.queue_lock, or shares.lock when put off */

        struct crew *crew; /* held */
        const struct protocol *protocol;
        void *site;
        struct session *session;
        struct address *from;
        struct share *share; /* of the crew; NULL: as much as there is; changed under shares.lock */
        bool busy, put_off;  /* counted in it; lies in its row: under shares.lock */
        struct peer peer;
        char address[INET6_ADDRSTRLEN];
        int fd;
        uint64_t handle; /* its slot in the table and the slot's generation */

        struct ssl_st *ssl;
        struct tls *tls; /* for the handshake to come */
        char *cipher;
        short want; /* POLLIN or POLLOUT: what the last read or write that would wait waits for */

        struct squeeze *squeeze; /* NULL: not compressed */

        struct buf in, out; /* as the protocol sees them */
        size_t in_at, seen; /* octets consumed; octets in which no line end is */
        size_t line_max;
        size_t out_at;      /* octets sent */

        uint64_t served_at, moved_at; /* ms: last command; last octet written or start of waiting */
        uint64_t rested_at, taken_at; /* us: last armed; since when its owner has it */
        unsigned idle_seconds, wake_seconds;
        unsigned events;    /* taken from flags, not yet attended */
        uint32_t armed_for; /* EPOLLIN, EPOLLOUT, or 0 */
        bool in_epoll, handshaking, opened, closing, lingering, ended;
        bool skipping; /* inside a line that is too long */
        bool eof;      /* nothing more comes; what is buffered is still obeyed */
        bool told;     /* and the protocol has been told: CLOSED or TIMEOUT */
        bool broken;   /* nothing more can be written */
        bool blocked;  /* the client does not take what we send, since moved_at */
        bool mid_line; /* the stuffed text so far does not end in LF */
        bool quick;    /* the last command followed close behind the reply before it */
};

/* How long the client let a worker wait in this literal, block or reply, and for what. */
struct pace {
        uint64_t waited, octets;
};

/* A listening socket. */
struct port {
        struct listener is; /* name and address are heap copies */
        int fd;
        atomic_bool paused; /* accepting failed; the keeper tries again */
        bool local;         /* a unix socket */
};

struct slot {
        struct wire *wire;
        uint32_t generation, next_free;
};

struct worker {
        pthread_t thread;
        struct crew *crew;
        struct worker *next;
        bool ended; /* to be joined */
};

struct gate {
        pthread_mutex_t lock;
        pthread_cond_t moved;
        unsigned inside, queued;
        uint64_t warned_at;
};

struct shares {
        pthread_mutex_t lock;
        struct map *map;
};

struct limits {
        atomic_uint workers, connections, per_address;
        atomic_uint seconds_to_write, seconds_to_send, bytes_per_second;
};

struct crew {
        atomic_uint holds; /* crew_stop's and every wire's */
        int epoll, poke, reserve;
        struct limits limits;
        struct tls *_Atomic tls;
        atomic_bool started, stopping, ending;
        _Atomic uint64_t served, refused, obeyed; /* clients; clients; times that one was served */
        atomic_uint idle;  /* workers in epoll_wait */
        atomic_uint aside; /* workers over the limit: wire_aside */
        atomic_uint busy;  /* workers that serve somebody */
        atomic_flag stays; /* one of them waits for its client's next command: stay.c */
        _Atomic uint64_t stay_from; /* us; nobody stays before */
        uint32_t stay_rest; /* us; of who holds `stays` */
        bool cores;        /* there is more than one core */

        pthread_mutex_t lock; /* the fields below, up to the queue */
        pthread_cond_t changed;
        struct slot *slots;
        uint32_t slot_count, slot_free; /* slot_free: index + 1 of the first free one */
        unsigned clients;
        struct map *addresses;
        struct port **ports;
        size_t port_count;
        struct worker *workers;
        unsigned worker_count;
        pthread_t keeper;

        pthread_mutex_t queue_lock;
        struct wire *queue_first, *queue_last;
        bool queue_closed; /* no worker is left to take from it */

        struct gate gate;
        struct shares shares;
};

/* crew.c */
void crew_grow(struct crew *);
void crew_drop(struct crew *);

/* table.c: which wires there are, and who is told what */
CHECKED bool crew_add(struct crew *, struct wire *); /* false: too many, or stopping */
void crew_remove(struct wire *);
struct wire *crew_find(struct crew *, uint64_t handle); /* held, or NULL */
void wire_post(struct wire *, unsigned events); /* any thread */
bool wire_own(struct wire *, unsigned events);  /* sets the events; true: the caller owns it now */
struct wire *crew_next(struct crew *);          /* the next queued wire, held, or NULL */
void crew_queue(struct wire *);                 /* held, and its flags say QUEUED */
void crew_poke(struct crew *);
void crew_queue_close(struct crew *);
void crew_post_all(struct crew *, unsigned events);
void crew_cut_all(struct crew *);
void crew_sweep(struct crew *, uint64_t now);

/* session.c: what its owner does with a wire */
void session_run(struct wire *);

/* stay.c: after a reply, a worker awaits the next command of a quick client for a moment */
void session_taken(struct wire *);
CHECKED bool session_stays(struct wire *); /* true: READY, and still owned */

/* listen.c */
void port_arm(struct crew *, size_t index);
struct wire *port_accept(struct crew *, size_t index); /* owned, or NULL; re-arms the port */
void port_close(struct port *);
void port_free(struct port *); /* its name lives as long as any wire */
enum { PORT_HANDLE = 1 }; /* an epoll handle's top bit: the rest is a port's index */

/* limits.c */
void limits_set(struct limits *, const struct crew_options *);
CHECKED bool address_enter(struct wire *); /* under crew.lock; false: too many from there */
void address_leave(struct wire *);         /* under crew.lock */
CHECKED enum status gate_enter(struct wire *, uint64_t until);
void gate_leave(struct wire *);
bool gate_crowded(struct crew *);

/* share.c: what one client takes of the crew; its wire's owner calls */
void shares_init(struct shares *);
void shares_release(struct shares *);
void share_by_address(struct wire *);   /* of a new wire */
CHECKED bool share_enter(struct wire *); /* false: put off, and no more the caller's */
void share_again(struct wire *);        /* the same without asking */
void share_leave(struct wire *);
void share_quit(struct wire *);

/* stream.c: octets through the clear or TLS */
CHECKED enum status stream_read(struct wire *, size_t room); /* never waits: OK, BUSY, CLOSED */
CHECKED enum status stream_send(struct wire *);              /* never waits: OK, BUSY, CLOSED */
CHECKED enum status stream_more(struct wire *, struct pace *, size_t room); /* waits for input */
enum status stream_flush(struct wire *);                     /* waits until all is sent */
CHECKED enum status stream_shake(struct wire *); /* never waits: OK, BUSY, BROKEN */
CHECKED enum status stream_wait(struct wire *, short want, uint64_t until);
CHECKED enum status stream_wait_input(struct wire *, uint64_t until); /* sends meanwhile */
bool stream_pending(const struct wire *); /* TLS holds input that the socket will not announce */
void stream_shut(struct wire *);          /* close_notify and FIN */
void stream_release(struct wire *);

/* squeeze.c: what zlib does between the protocol's octets and the stream's */
struct squeeze {
        struct z_stream_s *deflate, *inflate; /* NULL while idle */
        struct buf window; /* while idle: what the client's next octets may refer to */
        struct buf in, out; /* compressed: read and not yet inflated; deflated and not yet sent */
        size_t in_at, out_at;
        bool more;  /* inflate may give more without further input */
        bool ended; /* the client's stream has ended, or is none */
};
struct squeeze *squeeze_new(void);
void squeeze_free(struct squeeze *); /* NULL is fine */
/* At most `room` octets inflated, appended to *out. OK, BUSY (needs input in s->in), CLOSED. */
CHECKED enum status squeeze_read(struct squeeze *, size_t room, struct buf *out);
/* Deflates octets into s->out, up to a border at which the client has all of them. */
void squeeze_write(struct squeeze *, struct str octets);
void squeeze_rest(struct squeeze *); /* idle: gives back what can be made again */

static inline size_t stream_unsent(const struct wire *w)
{
        size_t squeezed = w->squeeze ? w->squeeze->out.len - w->squeeze->out_at : 0;
        return w->out.len - w->out_at + squeezed;
}

/* wire.c */
struct wire *wire_new(struct crew *, int fd);
bool wire_has_line(struct wire *);
void wire_put_out(struct wire *); /* no more reading; what is gathered still leaves */

/* tls.c: all that is known of OpenSSL here */
CHECKED enum status tls_attach(struct tls *, int fd, struct ssl_st **out);
CHECKED enum status tls_shake(struct ssl_st *); /* OK, BUSY, BROKEN */
CHECKED enum status tls_read(struct ssl_st *, char *at, size_t room, size_t *got);
CHECKED enum status tls_write(struct ssl_st *, const char *at, size_t len, size_t *done);
short tls_want(const struct ssl_st *); /* POLLIN or POLLOUT, after BUSY */
bool tls_pending(const struct ssl_st *);
void tls_shut(struct ssl_st *); /* sends close_notify if it can */
void tls_free(struct ssl_st *);
char *tls_describe(const struct ssl_st *); /* heap */
CHECKED enum status tls_binding(const struct ssl_st *, enum binding, struct buf *out);
