/* session.c - what a worker does with a connection that it owns: the conversation's course from
 * TLS handshake through greeting, commands and wakes to the last octet. Nothing here waits, except
 * in the protocol's own code. */
#include "base/clock.h"
#include "wire/inside.h"
#include <sys/epoll.h>

/* The time at which the client's silence ends this state. */
static uint64_t session_due(const struct wire *w)
{
        uint64_t write_ms = (uint64_t)w->crew->limits.seconds_to_write * 1000;
        if (w->handshaking)
                return w->served_at + HANDSHAKE_MS;
        if (w->lingering)
                return w->moved_at + LINGER_MS;
        if (stream_unsent(w))
                return w->moved_at + write_ms;
        return w->served_at + (uint64_t)w->idle_seconds * 1000;
}

static bool session_late(const struct wire *w)
{
        return (w->events & TIMED) && clock_ms() >= session_due(w);
}

/* Does not wait: a client that stalls in its handshake costs no worker, and one that says nothing
 * no TLS state. */
static bool session_shake(struct wire *w)
{
        enum status st = w->events & READY ? stream_shake(w) : BUSY;
        if (st == BUSY && !w->cut && !w->crew->stopping && !session_late(w))
                return false;
        w->handshaking = false;
        w->served_at = clock_ms();
        if (st == OK)
                return true;
        w->broken = w->opened = true;
        return true;
}

static void session_open(struct wire *w)
{
        w->opened = true;
        w->served_at = w->moved_at = clock_ms();
        w->session = w->protocol->open(w, w->site);
        if (!w->session)
                w->closing = true;
}

static void session_serve(struct wire *w)
{
        w->crew->obeyed++;
        w->protocol->serve(w->session);
        w->served_at = clock_ms();
        if (w->wake_seconds && w->wake_at)
                w->wake_at = w->served_at + (uint64_t)w->wake_seconds * 1000;
}

/* Under TLS the socket is no witness: what OpenSSL has read already must be asked for. */
static void session_input(struct wire *w)
{
        enum status st;
        do {
                st = stream_read(w, READ_ROOM);
                if (wire_has_line(w) && !w->crew->stopping)
                        session_serve(w);
        } while (st == OK && !w->closing && !w->broken && stream_pending(w));
        if (w->eof && !wire_has_line(w))
                w->closing = true;
}

static void session_attend(struct wire *w)
{
        const struct protocol *p = w->protocol;
        if (w->events & READY)
                session_input(w);
        if ((w->events & WAKE) && !w->closing && p->wake)
                p->wake(w->session);
        if (w->closing)
                return;
        if ((w->events & STOP) || w->crew->stopping) {
                if (p->stop)
                        p->stop(w->session);
                w->closing = true;
        } else if (session_late(w)) {
                if (p->timeout)
                        p->timeout(w->session);
                w->closing = true;
        }
}

static void session_close(struct wire *w)
{
        struct session *session = w->session;
        w->session = NULL;
        if (session)
                w->protocol->close(session);
}

static void session_end(struct wire *w)
{
        session_close(w);
        atomic_fetch_or(&w->flags, DEAD);
        share_quit(w);
        crew_remove(w);
        stream_release(w);
        w->ended = true;
        wire_drop(w); /* the crew's hold; the caller has its own */
}

/* The client's unread octets would make the kernel reset the connection and take our last reply
 * with it, so our side is closed first and the client's awaited for a moment. */
static void session_linger(struct wire *w)
{
        enum status st;
        if (!w->lingering) {
                w->lingering = true;
                w->moved_at = clock_ms();
                stream_shut(w);
        }
        buf_clear(&w->in);
        w->in_at = w->seen = 0;
        st = stream_read(w, BLOCK_ROOM);
        buf_release(&w->in);
        if (st == CLOSED || w->crew->stopping || clock_ms() >= session_due(w))
                session_end(w);
}

/* An idle connection keeps no buffers. */
static void session_rest(struct wire *w)
{
        if (w->protocol->idle)
                w->protocol->idle(w->session);
        if (w->in.len == w->in_at) {
                buf_release(&w->in);
                w->in_at = w->seen = 0;
        }
        buf_trim(&w->out, 0);
        if (w->squeeze)
                squeeze_rest(w->squeeze);
}

static void session_step(struct wire *w)
{
        if (w->events & READY)
                w->armed_for = 0;
        if (w->handshaking && !session_shake(w))
                return;
        if (!w->opened)
                session_open(w);
        /* Who does not read replies is not given more: commands and wakes wait meanwhile. */
        if (w->session && !w->closing && stream_send(w) != BUSY) {
                do {
                        session_attend(w);
                        w->events = 0;
                } while (session_stays(w));
        }
        if (w->closing || w->broken)
                session_close(w);
        if (stream_send(w) == BUSY && !session_late(w) && !w->cut)
                return;
        if (w->broken || w->cut || stream_unsent(w))
                session_end(w);
        else if (w->closing)
                session_linger(w);
        else
                session_rest(w);
}

static uint32_t session_wants(const struct wire *w)
{
        bool out = w->handshaking || stream_unsent(w) ? w->want == POLLOUT : false;
        return out ? EPOLLOUT : EPOLLIN;
}

/* False when the kernel has no room for it: the connection ends. */
static bool session_arm(struct wire *w)
{
        uint32_t wants = session_wants(w);
        w->events &= ~(unsigned)(READY | TIMED);
        w->deadline = session_due(w);
        w->rested_at = clock_us();
        if (w->armed_for == wants)
                return true;
        struct epoll_event e = {.events = wants | EPOLLONESHOT, .data.u64 = w->handle};
        int how = w->in_epoll ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
        w->armed_for = wants;
        w->in_epoll = true;
        return epoll_ctl(w->crew->epoll, how, w->fd, &e) == 0;
}

/* Gives the wire up if nothing has happened to it meanwhile. */
static bool session_release(struct wire *w)
{
        unsigned old = atomic_load(&w->flags), new;
        do
                new = old & EVENTS ? old & ~(unsigned)EVENTS : old & ~(unsigned)OWNED;
        while (!atomic_compare_exchange_weak(&w->flags, &old, new));
        if (!(old & EVENTS))
                return true; /* and it may be another's already */
        w->events |= old & EVENTS;
        return false;
}

void session_run(struct wire *w)
{
        w->events |= atomic_fetch_and(&w->flags, ~(unsigned)EVENTS) & EVENTS;
        session_taken(w);
        for (;;) {
                session_step(w);
                if (w->ended)
                        return;
                if (!session_arm(w)) {
                        session_end(w);
                        return;
                }
                share_leave(w);
                if (session_release(w))
                        return;
                share_again(w);
        }
}
