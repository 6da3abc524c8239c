/* wire.h - one client's connection: lines and octets in, replies out, with deadlines.
 *
 * Reading: wire_line gives what is buffered and never waits; wire_line_wait, wire_literal,
 * wire_dots wait, with a deadline and a minimum rate, and count against the crew's share of
 * workers that may wait on sockets. Writing: replies gather in a buffer and leave in one write
 * when the session goes back to sleep, waits for the client, or 64 KiB are gathered. After a
 * failed write the wire is silent and the next read says CLOSED, so commands check nothing.
 * A client that is too slow (TIMEOUT) is put out: reads say CLOSED from then on, a last line still
 * leaves. A wire is used by one thread at a time (the crew sees to it); only wire_wake may come
 * from any. */
#pragma once
#include "base/spool.h"

struct wire;
struct tls;

struct peer {
        struct str address; /* "192.0.2.1", "::1"; "local" for a unix socket */
        struct str listener; /* the listener's name in baton.conf: "smtp", "imaps" */
        bool loopback;      /* 127/8, ::1 or a unix socket */
        uid_t uid;          /* of a unix socket's peer (SO_PEERCRED); (uid_t)-1 else */
};
const struct peer *wire_peer(const struct wire *); /* for the wire's life */

/* The next whole line, without its CRLF (a bare LF is taken too: only commands come this way).
 * View until the next wire_* read. BUSY: none is buffered. TOO_BIG: longer than the protocol's
 * line_max; it has been skipped, and *out is its last WIRE_TAIL octets, which tell whether it
 * announces more. CLOSED. */
enum { WIRE_TAIL = 64 };
CHECKED enum status wire_line(struct wire *, struct str *out);
/* The same, waiting for it (AUTH, continuation lines). TIMEOUT. Flushes first. */
CHECKED enum status wire_line_wait(struct wire *, struct str *out);
/* Exactly len octets, appended to *out; flushes first. TIMEOUT, CLOSED. FULL: the disk is; all
 * were read. */
CHECKED enum status wire_take(struct wire *, size_t len, struct buf *out);
CHECKED enum status wire_literal(struct wire *, uint64_t len, struct spool *out);
CHECKED enum status wire_skip(struct wire *, uint64_t len);
/* A dot-stuffed block (RFC 5321 4.5.2, RFC 3977 3.1.1) up to CRLF.CRLF, unstuffed, in CRLF form.
 * Only CRLF.CRLF ends it. On TOO_BIG, INVALID (a bare CR or LF, or a NUL) and FULL the block has
 * been read to its end and the conversation can go on. TIMEOUT, CLOSED (also who sends without
 * end after the limit). */
CHECKED enum status wire_dots(struct wire *, uint64_t max, struct spool *out);

void wire_put(struct wire *, struct str);                            /* raw octets */
void wire_say(struct wire *, const char *format, ...) PRINTF(2, 3);  /* a line; CRLF is added */
/* A multi-line block's content: lines beginning with '.' get another; `text` ends in CRLF. The end
 * mark is wire_dot_end. `dots`: known whether any line begins with a dot (then a plain copy). */
void wire_put_stuffed(struct wire *, struct str text, bool dots);
void wire_dot_end(struct wire *); /* ".\r\n" */
void wire_flush(struct wire *); /* sends; what the client does not take now leaves later */
/* The reply being gathered: formatters append here and call wire_room after. */
struct buf *wire_out(struct wire *);
void wire_room(struct wire *); /* sends and waits when 64 KiB are gathered */

void wire_close(struct wire *); /* after this reply: flush, close_notify, close */
/* The client has gone, wire_close was called, or the server stops and waits no longer: what takes
 * long asks now and then. */
bool wire_gone(const struct wire *);

/* STARTTLS: say the reply first; flushes, drops buffered plaintext input (command injection),
 * shakes hands. BROKEN when it failed (the wire is closed). */
CHECKED enum status wire_starttls(struct wire *, struct tls *);
bool wire_secure(const struct wire *); /* under TLS */
/* What binds a login to this connection and no other: what somebody in between cannot have with both
 * sides. Appended. ABSENT: not under TLS, or there is no such binding for this version of TLS (the
 * exporter's needs 1.3, RFC 9266) or certificate (RFC 5929 4.1: of an unknown digest). */
enum binding { BINDING_EXPORTER, BINDING_END_POINT };
CHECKED enum status wire_binding(const struct wire *, enum binding, struct buf *out);
struct str wire_cipher(const struct wire *); /* "TLSv1.3 TLS_AES_256_GCM_SHA384" or empty */

/* COMPRESS DEFLATE (RFC 4978, RFC 8054): say the reply first; it leaves in the clear, all behind it
 * is compressed, in both directions. What is buffered behind the command already is taken for
 * compressed octets, as it must be. */
void wire_compress(struct wire *);
bool wire_compressed(const struct wire *);

/* From any thread, never blocks: the crew will call the protocol's wake(session). Wakes gather.
 * Whoever keeps the pointer for this holds the wire. */
void wire_wake(struct wire *);
struct wire *wire_hold(struct wire *);
void wire_drop(struct wire *);

/* Who has logged in, 0: nobody. All connections of one person together may have three eighths of the
 * workers (those of one far address before login, half): the others wait for their turn. */
void wire_person(struct wire *, uint32_t person);
/* From true to false this worker waits its turn for something that is neither a socket nor the disk
 * (a password's check): the crew may have one more meanwhile. */
void wire_aside(struct wire *, bool);
/* The longest line; starts as the protocol's line_max, and is never more. */
void wire_line_limit(struct wire *, size_t octets);
/* The time after which a silent client is put out; starts as the protocol's idle_seconds. */
void wire_idle_limit(struct wire *, unsigned seconds);
/* Asks for one wake after so many seconds of silence (IDLE's "still here"); 0: none. */
void wire_wake_after(struct wire *, unsigned seconds);
