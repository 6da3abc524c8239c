#include "wire/dial.h"
#include "base/clock.h"
#include "wire/dial_tls.h"
#include "wire/inside.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE_MOST = 4096, PIECE = 16384 };

struct dial {
        int fd, stop;
        struct buf host, address;
        bool loopback, checked;
        struct ssl_st *ssl;
        struct buf in;
        size_t taken; /* of `in`, by the line given last */
};

static uint64_t in_seconds(unsigned seconds)
{
        return clock_ms() + seconds * 1000ull;
}

/* Until the socket is ready, the time is up, or somebody says stop. */
static enum status wait_for(const struct dial *d, short events, uint64_t until, struct buf *why)
{
        struct pollfd p[2] = {{.fd = d->fd, .events = events}, {.fd = d->stop, .events = POLLIN}};
        for (;;) {
                uint64_t now = clock_ms();
                int left = now < until ? (int)(until - now) : 0;
                int n = poll(p, 2, left);
                if (n < 0 && errno != EINTR)
                        break;
                if (n > 0 && p[1].revents) {
                        buf_add_text(why, "this server is stopping");
                        return CLOSED;
                }
                if (n > 0)
                        return OK;
                if (n == 0 && !left) {
                        buf_add_text(why, "no answer in time");
                        return TIMEOUT;
                }
        }
        buf_add_text(why, strerror(errno));
        return CLOSED;
}

/* ---- opening ---- */

static bool is_loopback(const struct sockaddr *a)
{
        if (a->sa_family == AF_INET) {
                struct sockaddr_in in;
                memcpy(&in, a, sizeof in);
                return ntohl(in.sin_addr.s_addr) >> 24 == 127;
        }
        struct sockaddr_in6 in6;
        memcpy(&in6, a, sizeof in6);
        return a->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

static enum status connect_one(
        struct dial *d, const struct addrinfo *a, uint64_t until, struct buf *why)
{
        char address[NI_MAXHOST] = "";
        int one = 1, error = 0;
        socklen_t len = sizeof error;
        d->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (d->fd < 0) {
                buf_add_text(why, strerror(errno));
                return CLOSED;
        }
        (void)getnameinfo(
                a->ai_addr, a->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST);
        buf_set(&d->address, str_of(address));
        d->loopback = is_loopback(a->ai_addr);
        (void)setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        enum status st = OK;
        if (connect(d->fd, a->ai_addr, a->ai_addrlen) != 0) {
                error = errno;
                if (error == EINPROGRESS) {
                        st = wait_for(d, POLLOUT, until, why);
                        error = 0;
                        if (st == OK && getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
                                error = errno;
                }
        }
        if (st == OK && error) {
                buf_add_text(why, strerror(error));
                st = CLOSED;
        }
        if (st == OK)
                return OK;
        close(d->fd);
        d->fd = -1;
        return st;
}

/* Each address has a share of the time that is left. */
static enum status connect_any(
        struct dial *d, const struct addrinfo *all, uint64_t until, struct buf *why)
{
        enum status st = CLOSED;
        uint64_t count = 0;
        for (const struct addrinfo *a = all; a; a = a->ai_next)
                count++;
        for (const struct addrinfo *a = all; a && st != OK; a = a->ai_next, count--) {
                uint64_t now = clock_ms(), left = until > now ? until - now : 0;
                buf_clear(why);
                st = connect_one(d, a, now + left / count, why);
                if (st != OK)
                        buf_addf(why, " (connecting to %s)", buf_text(&d->address));
        }
        return st;
}

enum status dial_open(
        const struct dial_options *o, unsigned seconds, struct dial **out, struct buf *why)
{
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *all;
        struct dial *d = mem_new(sizeof *d);
        char port[8];
        uint64_t until = in_seconds(seconds);
        d->fd = -1;
        d->stop = o->stop;
        buf_set(&d->host, o->host);
        (void)snprintf(port, sizeof port, "%u", o->port);
        if (o->address.len)
                hints.ai_flags = AI_NUMERICHOST;
        buf_set(&d->address, o->address.len ? o->address : o->host);
        int failed = getaddrinfo(buf_text(&d->address), port, &hints, &all);
        enum status st = OK;
        *out = d;
        if (failed) {
                buf_addf(why, "the name %s: %s", buf_text(&d->host), gai_strerror(failed));
                st = ABSENT;
        } else {
                st = connect_any(d, all, until, why);
                freeaddrinfo(all);
        }
        if (st == OK)
                return OK;
        dial_close(d);
        *out = NULL;
        return st;
}

void dial_close(struct dial *d)
{
        if (!d)
                return;
        if (d->ssl) {
                tls_shut(d->ssl);
                tls_free(d->ssl);
        }
        if (d->fd >= 0)
                close(d->fd);
        buf_release(&d->host);
        buf_release(&d->address);
        buf_release(&d->in);
        free(d);
}

enum status dial_tls(struct dial *d, const struct dial_tls *how, unsigned seconds, struct buf *why)
{
        uint64_t until = in_seconds(seconds);
        buf_clear(&d->in);
        d->taken = 0;
        enum status st = dial_tls_attach(d->fd, buf_str(&d->host), how, &d->ssl, why);
        while (st == OK && (st = tls_shake(d->ssl)) == BUSY)
                st = wait_for(d, tls_want(d->ssl), until, why);
        if (st == OK)
                d->checked = how->check;
        else if (st == BROKEN && d->ssl)
                st = dial_tls_reason(d->ssl, why) ? DENIED : CLOSED;
        return st;
}

/* ---- octets ---- */

static enum status read_some(struct dial *d, size_t *got)
{
        char *at = buf_reserve(&d->in, PIECE);
        *got = 0;
        if (d->ssl)
                return tls_read(d->ssl, at, PIECE, got);
        ssize_t n = recv(d->fd, at, PIECE, 0);
        if (n > 0)
                *got = (size_t)n;
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return BUSY;
        return n > 0 ? OK : CLOSED;
}

static enum status fill(struct dial *d, uint64_t until, struct buf *why)
{
        size_t got;
        enum status st;
        while ((st = read_some(d, &got)) == BUSY) {
                st = wait_for(d, d->ssl ? tls_want(d->ssl) : POLLIN, until, why);
                if (st != OK)
                        return st;
        }
        d->in.len += got;
        if (st != OK)
                buf_add_text(why, "the other side closed the connection");
        return st;
}

enum status dial_line(struct dial *d, unsigned seconds, struct str *out, struct buf *why)
{
        uint64_t until = in_seconds(seconds);
        size_t end;
        buf_drop(&d->in, d->taken);
        d->taken = 0;
        while ((end = str_chr(buf_str(&d->in), '\n')) == STR_NOWHERE) {
                if (d->in.len > LINE_MOST) {
                        buf_add_text(why, "a line without end");
                        return TOO_BIG;
                }
                enum status st = fill(d, until, why);
                if (st != OK)
                        return st;
        }
        d->taken = end + 1;
        *out = str_sub(buf_str(&d->in), 0, end);
        if (out->len && out->at[out->len - 1] == '\r')
                out->len--;
        return OK;
}

static enum status write_some(struct dial *d, struct str octets, size_t *done)
{
        *done = 0;
        if (d->ssl)
                return tls_write(d->ssl, octets.at, octets.len, done);
        ssize_t n = send(d->fd, octets.at, octets.len, MSG_NOSIGNAL);
        if (n >= 0)
                *done = (size_t)n;
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return BUSY;
        return n >= 0 ? OK : CLOSED;
}

enum status dial_write(struct dial *d, struct str octets, unsigned seconds, struct buf *why)
{
        uint64_t until = in_seconds(seconds);
        while (octets.len) {
                size_t done;
                enum status st = write_some(d, octets, &done);
                octets = str_from(octets, done);
                if (st == BUSY) {
                        st = wait_for(d, d->ssl ? tls_want(d->ssl) : POLLOUT, until, why);
                        if (st != OK)
                                return st;
                } else if (st != OK) {
                        buf_add_text(why, "the other side closed the connection");
                        return st;
                }
        }
        return OK;
}

/* ---- what it is ---- */

bool dial_secure(const struct dial *d)
{
        return d->ssl != NULL;
}

bool dial_checked(const struct dial *d)
{
        return d->checked;
}

bool dial_loopback(const struct dial *d)
{
        return d->loopback;
}

struct str dial_address(const struct dial *d)
{
        return buf_str(&d->address);
}

bool dial_silent(struct dial *d)
{
        size_t got;
        if (d->in.len > d->taken)
                return false;
        enum status st = read_some(d, &got);
        d->in.len += got;
        return st == BUSY;
}
