/* listen.c - listening sockets: TCP and unix, and the taking of clients. */
#include "base/log.h"
#include "wire/inside.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

union any_address {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        struct sockaddr_un local;
        struct sockaddr_storage all;
};

static void set(int fd, int level, int option, int value)
{
        if (setsockopt(fd, level, option, &value, sizeof value) < 0)
                log_detail("setsockopt %d: %s", option, strerror(errno));
}

/* --- opening --- */

/* 0: not an address. "" and "*" are everything. */
static socklen_t tcp_address(const struct listener *l, union any_address *out)
{
        char *text = str_text(l->address);
        socklen_t len = 0;
        memset(out, 0, sizeof *out);
        if (l->address.len == 0 || str_eq(l->address, STR("*"))) {
                out->six.sin6_family = AF_INET6;
                out->six.sin6_port = htons(l->port);
                len = sizeof out->six;
        } else if (inet_pton(AF_INET, text, &out->four.sin_addr) == 1) {
                out->four.sin_family = AF_INET;
                out->four.sin_port = htons(l->port);
                len = sizeof out->four;
        } else if (inet_pton(AF_INET6, text, &out->six.sin6_addr) == 1) {
                out->six.sin6_family = AF_INET6;
                out->six.sin6_port = htons(l->port);
                len = sizeof out->six;
        }
        free(text);
        return len;
}

static int failed(const struct listener *l, int fd, const char *what)
{
        log_error("listener %.*s: %s %.*s port %u: %s", STR_ARG(l->name), what,
                STR_ARG(l->address), (unsigned)l->port, strerror(errno));
        if (fd >= 0)
                close(fd);
        return -1;
}

/* Linux gives these on to every connection accepted. */
static void tcp_options(int fd)
{
        set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        /* One write is one reply: waiting for more (Nagle) costs 40 ms each. */
        set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 300);
        set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 60);
        set(fd, IPPROTO_TCP, TCP_KEEPCNT, 5);
}

static int tcp_listen(const struct listener *l)
{
        union any_address a;
        socklen_t len = tcp_address(l, &a);
        if (!len) {
                errno = EINVAL;
                return failed(l, -1, "address");
        }
        int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return failed(l, fd, "socket for");
        tcp_options(fd);
        if (a.any.sa_family == AF_INET6) /* "::" takes IPv4 too */
                set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
        if (bind(fd, &a.any, len) < 0)
                return failed(l, fd, "cannot bind");
        if (listen(fd, 1024) < 0)
                return failed(l, fd, "cannot listen on");
        return fd;
}

/* A socket file that nobody serves is left over from a crash. */
static bool stale(const union any_address *a)
{
        struct stat st;
        if (lstat(a->local.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
                return false;
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return false;
        bool dead = connect(fd, &a->any, sizeof a->local) < 0 && errno == ECONNREFUSED;
        close(fd);
        return dead;
}

static int local_listen(const struct listener *l)
{
        union any_address a = {.local = {.sun_family = AF_UNIX}};
        if (l->address.len >= sizeof a.local.sun_path) {
                errno = ENAMETOOLONG;
                return failed(l, -1, "path");
        }
        memcpy(a.local.sun_path, l->address.at, l->address.len);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return failed(l, fd, "socket for");
        if (stale(&a))
                unlink(a.local.sun_path);
        if (bind(fd, &a.any, sizeof a.local) < 0)
                return failed(l, fd, "cannot bind");
        /* Nobody can connect before listen(), so the mode is in time. */
        if (chmod(a.local.sun_path, l->mode) < 0)
                return failed(l, fd, "cannot set the mode of");
        if (listen(fd, 1024) < 0)
                return failed(l, fd, "cannot listen on");
        return fd;
}

void port_arm(struct crew *crew, size_t index)
{
        struct port *port = crew->ports[index];
        struct epoll_event e = {.events = EPOLLIN | EPOLLONESHOT};
        e.data.u64 = (uint64_t)PORT_HANDLE << 63 | index;
        if (epoll_ctl(crew->epoll, EPOLL_CTL_MOD, port->fd, &e) < 0 && errno == ENOENT &&
                epoll_ctl(crew->epoll, EPOLL_CTL_ADD, port->fd, &e) < 0)
                port->paused = true;
}

enum status crew_listen(struct crew *crew, const struct listener *l)
{
        bool local = l->address.len && l->address.at[0] == '/';
        assert(!crew->started);
        int fd = local ? local_listen(l) : tcp_listen(l);
        if (fd < 0)
                return BROKEN;
        struct port *port = mem_new(sizeof *port);
        port->is = *l;
        port->is.name = str_of(str_text(l->name));
        port->is.address = str_of(str_text(l->address));
        port->fd = fd;
        port->local = local;
        crew->ports = mem_grow(crew->ports, (crew->port_count + 1) * sizeof(struct port *));
        crew->ports[crew->port_count++] = port;
        return OK;
}

uint16_t crew_port(struct crew *crew, struct str name)
{
        union any_address a;
        socklen_t len = sizeof a;
        for (size_t i = 0; i < crew->port_count; i++) {
                struct port *port = crew->ports[i];
                if (!str_eq(port->is.name, name) || port->local)
                        continue;
                if (getsockname(port->fd, &a.any, &len) < 0)
                        return 0;
                return ntohs(a.any.sa_family == AF_INET6 ? a.six.sin6_port : a.four.sin_port);
        }
        return 0;
}

void port_close(struct port *port)
{
        close(port->fd);
        if (port->local)
                unlink(port->is.address.at);
}

void port_free(struct port *port)
{
        /* str_text made them */
        free((void *)(uintptr_t)port->is.name.at);
        free((void *)(uintptr_t)port->is.address.at);
        free(port);
}

/* --- taking clients --- */

static void peer_local(struct wire *w)
{
        struct ucred who;
        socklen_t len = sizeof who;
        snprintf(w->address, sizeof w->address, "local");
        w->peer.loopback = true;
        if (getsockopt(w->fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0)
                w->peer.uid = who.uid;
}

static void peer_tcp(struct wire *w, const union any_address *a)
{
        struct in_addr four = a->four.sin_addr;
        bool is_four = a->any.sa_family == AF_INET;
        if (a->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->six.sin6_addr)) {
                memcpy(&four, a->six.sin6_addr.s6_addr + 12, sizeof four);
                is_four = true;
        }
        if (is_four) {
                inet_ntop(AF_INET, &four, w->address, sizeof w->address);
                w->peer.loopback = ntohl(four.s_addr) >> 24 == 127;
        } else {
                inet_ntop(AF_INET6, &a->six.sin6_addr, w->address, sizeof w->address);
                w->peer.loopback = IN6_IS_ADDR_LOOPBACK(&a->six.sin6_addr);
        }
}

static struct wire *wire_of_client(struct crew *crew, const struct port *port, int fd,
        const union any_address *a)
{
        struct wire *w = wire_new(crew, fd);
        w->protocol = port->is.protocol;
        w->site = port->is.site;
        w->idle_seconds = w->protocol->idle_seconds;
        w->line_max = w->protocol->line_max;
        w->peer.uid = (uid_t)-1;
        w->peer.listener = port->is.name;
        if (port->local)
                peer_local(w);
        else
                peer_tcp(w, a);
        w->peer.address = str_of(w->address);
        w->handshaking = port->is.tls_at_once;
        w->tls = crew->tls;
        return w;
}

/* Over the limits: told so if it can be told at once. */
static void refuse(struct wire *w)
{
        struct crew *crew = w->crew;
        crew->refused++;
        log_detail("%s: too many connections, %s is refused", w->protocol->name, w->address);
        if (w->protocol->too_many && !w->handshaking) {
                wire_say(w, "%s", w->protocol->too_many);
                if (stream_send(w) == OK)
                        stream_shut(w);
        }
        stream_release(w);
        wire_drop(w);
}

/* No descriptor is left: the reserve one is spent on taking the client and closing it, else it
 * would stay readable and the crew would spin. */
static void refuse_blindly(struct crew *crew, int listening)
{
        pthread_mutex_lock(&crew->lock);
        if (crew->reserve >= 0)
                close(crew->reserve);
        int fd = accept(listening, NULL, NULL);
        if (fd >= 0)
                close(fd);
        crew->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
        pthread_mutex_unlock(&crew->lock);
        crew->refused++;
}

struct wire *port_accept(struct crew *crew, size_t index)
{
        struct port *port = crew->ports[index];
        union any_address a;
        socklen_t len = sizeof a;
        int fd = accept4(port->fd, &a.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        int why = fd < 0 ? errno : 0;
        if (why == EMFILE || why == ENFILE)
                refuse_blindly(crew, port->fd);
        if (why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM) {
                log_warn("listener %.*s: %s", STR_ARG(port->is.name), strerror(why));
                port->paused = true; /* until the keeper's next round */
                return NULL;
        }
        if (crew->stopping) {
                if (fd >= 0)
                        close(fd);
                return NULL;
        }
        port_arm(crew, index);
        if (fd < 0)
                return NULL;
        struct wire *w = wire_of_client(crew, port, fd, &a);
        if (crew_add(crew, w)) {
                crew->served++;
                share_by_address(w);
                return w;
        }
        refuse(w);
        return NULL;
}
