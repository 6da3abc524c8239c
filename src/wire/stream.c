/* stream.c - octets of one connection, in the clear or through TLS, without and with waiting. */
#include "base/clock.h"
#include "wire/inside.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static enum status read_plain(struct wire *w, struct buf *in, size_t room, size_t *got)
{
        char *at = buf_reserve(in, room);
        ssize_t n;
        if (w->ssl) {
                enum status st = tls_read(w->ssl, at, room, got);
                w->want = tls_want(w->ssl);
                return st;
        }
        do
                n = recv(w->fd, at, room, 0);
        while (n < 0 && errno == EINTR);
        w->want = POLLIN;
        *got = n > 0 ? (size_t)n : 0;
        if (n > 0)
                return OK;
        return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? BUSY : CLOSED;
}

/* What has been read must be inflated before the socket is asked, and a worker may only wait when
 * neither has anything (InterNetNews/inn#269). At most `room` octets come out, whatever they were
 * squeezed into: a line that is too long goes on being dropped as it comes. */
static enum status read_squeezed(struct wire *w, size_t room, size_t *got)
{
        struct squeeze *s = w->squeeze;
        enum status st;
        size_t before = w->in.len;
        /* blocks with nothing in them may come without end: others shall have their turn */
        for (int i = 0; (st = squeeze_read(s, room, &w->in)) == BUSY && i < 16; i++) {
                size_t more = 0;
                st = read_plain(w, &s->in, room, &more);
                if (st != OK)
                        break;
                s->in.len += more;
        }
        *got = w->in.len - before;
        w->in.len = before; /* the caller adds it */
        return st;
}

static enum status read_some(struct wire *w, size_t room, size_t *got)
{
        return w->squeeze ? read_squeezed(w, room, got) : read_plain(w, &w->in, room, got);
}

enum status stream_read(struct wire *w, size_t room)
{
        size_t got = 0;
        if (w->eof || w->broken)
                return CLOSED;
        if (w->in_at) {
                buf_drop(&w->in, w->in_at);
                w->seen = w->seen > w->in_at ? w->seen - w->in_at : 0;
                w->in_at = 0;
        }
        enum status st = read_some(w, room, &got);
        w->in.len += got;
        if (st == CLOSED)
                w->eof = true;
        return st;
}

static enum status write_some(struct wire *w, size_t *done)
{
        struct squeeze *s = w->squeeze;
        const char *at = s ? s->out.at + s->out_at : w->out.at + w->out_at;
        size_t len = stream_unsent(w);
        ssize_t n;
        if (w->ssl) {
                enum status st = tls_write(w->ssl, at, len, done);
                w->want = tls_want(w->ssl);
                return st;
        }
        do
                n = send(w->fd, at, len, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        w->want = POLLOUT;
        *done = n > 0 ? (size_t)n : 0;
        if (n >= 0)
                return OK;
        return errno == EAGAIN || errno == EWOULDBLOCK ? BUSY : CLOSED;
}

/* After this the wire is silent: what is gathered goes nowhere, reads say CLOSED. */
static void forget_output(struct wire *w)
{
        buf_clear(&w->out);
        w->out_at = 0;
        if (w->squeeze) {
                buf_clear(&w->squeeze->out);
                w->squeeze->out_at = 0;
        }
}

static void break_off(struct wire *w)
{
        w->broken = true;
        forget_output(w);
}

static void squeeze_output(struct wire *w)
{
        if (!w->squeeze || w->out.len == w->out_at)
                return;
        squeeze_write(w->squeeze, str_from(buf_str(&w->out), w->out_at));
        buf_clear(&w->out);
        w->out_at = 0;
}

static void sent(struct wire *w, size_t octets)
{
        if (w->squeeze)
                w->squeeze->out_at += octets;
        else
                w->out_at += octets;
}

static enum status blocked(struct wire *w)
{
        if (!w->blocked)
                w->moved_at = clock_ms();
        w->blocked = true;
        return BUSY;
}

enum status stream_send(struct wire *w)
{
        size_t done;
        squeeze_output(w);
        while (!w->broken && stream_unsent(w)) {
                enum status st = write_some(w, &done);
                if (st == BUSY)
                        return blocked(w);
                if (st != OK)
                        break_off(w);
                else
                        w->moved_at = clock_ms();
                sent(w, st == OK ? done : 0);
        }
        forget_output(w);
        w->blocked = false;
        return w->broken ? CLOSED : OK;
}

static bool socket_ready(const struct wire *w, short want, int ms)
{
        struct pollfd p = {w->fd, want, 0};
        int n;
        do
                n = poll(&p, 1, ms);
        while (n < 0 && errno == EINTR);
        return n != 0; /* a poll that fails is found out by the read or write that follows */
}

/* Inside the gate. In slices, so that who is silent gives way when others want in. */
static enum status wait_inside(struct wire *w, short want, uint64_t until)
{
        uint64_t since = clock_ms();
        for (uint64_t now = since; !w->cut; now = clock_ms()) {
                if (now >= until || (now - since > CROWD_MS && gate_crowded(w->crew)))
                        return TIMEOUT;
                uint64_t slice = until - now < 1000 ? until - now : 1000;
                if (socket_ready(w, want, (int)slice))
                        return OK;
        }
        return CLOSED;
}

enum status stream_wait(struct wire *w, short want, uint64_t until)
{
        if (w->cut)
                return CLOSED;
        if (socket_ready(w, want, 0))
                return OK;
        enum status st = gate_enter(w, until);
        if (st != OK)
                return st;
        st = wait_inside(w, want, until);
        gate_leave(w);
        return st;
}

/* A client may wait for our octets before it sends its own. */
enum status stream_wait_input(struct wire *w, uint64_t until)
{
        short want = w->want;
        if (stream_send(w) == BUSY)
                want = (short)(want | w->want);
        return stream_wait(w, want, until);
}

/* The client owes octets, or owes taking them: was it quick enough so far? */
static enum status pace_check(struct wire *w, struct pace *pace, uint64_t since)
{
        pace->waited += clock_ms() - since;
        unsigned least = w->crew->limits.bytes_per_second;
        bool slow = pace->waited > GRACE_MS && pace->octets * 1000 / pace->waited < least;
        return slow ? TIMEOUT : OK;
}

enum status stream_more(struct wire *w, struct pace *pace, size_t room)
{
        for (;;) {
                size_t before = w->in.len - w->in_at;
                enum status st = stream_read(w, room);
                pace->octets += w->in.len - w->in_at - before;
                if (st != BUSY)
                        return st;
                uint64_t now = clock_ms();
                st = stream_wait_input(w, now + w->crew->limits.seconds_to_send * UINT64_C(1000));
                if (st == OK)
                        st = pace_check(w, pace, now);
                if (st != OK)
                        return st;
        }
}

enum status stream_flush(struct wire *w)
{
        struct pace pace = {0};
        for (;;) {
                squeeze_output(w);
                size_t before = stream_unsent(w);
                enum status st = stream_send(w);
                pace.octets += before - stream_unsent(w);
                if (st != BUSY)
                        return st;
                uint64_t now = clock_ms();
                st = stream_wait(w, w->want,
                        now + w->crew->limits.seconds_to_write * UINT64_C(1000));
                if (st == OK)
                        st = pace_check(w, &pace, now);
                if (st != OK) {
                        break_off(w);
                        return st;
                }
        }
}

enum status stream_shake(struct wire *w)
{
        if (!w->ssl && (!w->tls || tls_attach(w->tls, w->fd, &w->ssl) != OK))
                return BROKEN;
        enum status st = tls_shake(w->ssl);
        w->want = tls_want(w->ssl);
        if (st == BROKEN)
                w->broken = true;
        if (st == OK)
                w->cipher = tls_describe(w->ssl);
        return st;
}

bool stream_pending(const struct wire *w)
{
        if (w->squeeze && (w->squeeze->more || w->squeeze->in.len || w->squeeze->ended))
                return true;
        return w->ssl && tls_pending(w->ssl);
}

void stream_shut(struct wire *w)
{
        if (w->ssl && !w->broken)
                tls_shut(w->ssl);
        shutdown(w->fd, SHUT_WR);
}

void stream_release(struct wire *w)
{
        if (w->ssl)
                tls_free(w->ssl);
        w->ssl = NULL;
        free(w->cipher);
        w->cipher = NULL;
        squeeze_free(w->squeeze);
        w->squeeze = NULL;
        buf_release(&w->in);
        buf_release(&w->out);
        close(w->fd);
        w->fd = -1;
}
