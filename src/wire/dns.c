#include "wire/dns.h"
#include "base/clock.h"
#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

enum { TRY_MS = 2000, TRIES = 3, NAME_MOST = 253, LABEL_MOST = 63 };

struct question {
        const struct dns_options *options;
        ares_channel channel;
        struct arena *arena;
        bool answered;
        int result; /* ARES_... */
        struct dns_mx *mx;
        struct str *addresses;
        size_t count;
};

static void begin_library(void)
{
        if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
                fail_now("c-ares cannot be used");
}

/* ---- what a name is ---- */

bool dns_is_host(struct str name)
{
        struct str label;
        if (!name.len || name.len > NAME_MOST || str_ends(name, STR(".")))
                return false;
        while (str_cut(&name, '.', &label)) {
                if (!label.len || label.len > LABEL_MOST)
                        return false;
                for (size_t i = 0; i < label.len; i++) {
                        char c = ascii_lower(label.at[i]);
                        bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
                        if (!letter && !digit && c != '-' && c != '_')
                                return false;
                }
        }
        return true;
}

static bool is_address(struct str text, int family)
{
        struct in6_addr octets;
        char *copy = str_text(text);
        bool right = inet_pton(family, copy, &octets) == 1;
        free(copy);
        return right;
}

/* "192.0.2.7", "192.0.2.7:53", "2001:db8::7", "[2001:db8::7]:53". */
static bool is_server(struct str text)
{
        uint32_t port = 53;
        struct str address = text;
        if (is_address(text, AF_INET6))
                return true;
        size_t colon = str_rchr(text, ':');
        if (colon != STR_NOWHERE) {
                address = str_sub(text, 0, colon);
                if (str_u32(str_from(text, colon + 1), &port) != OK || port < 1 || port > 65535)
                        return false;
        }
        if (str_starts(address, STR("[")) && str_ends(address, STR("]")))
                return is_address(str_sub(address, 1, address.len - 2), AF_INET6);
        return is_address(address, AF_INET);
}

bool dns_is_servers(struct str list)
{
        struct str one;
        if (!list.len || str_ends(list, STR(",")))
                return false;
        while (str_cut(&list, ',', &one))
                if (!is_server(one))
                        return false;
        return true;
}

/* ---- asking ---- */

static enum status open_channel(struct question *q)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        char dns_only[] = "b"; /* no file of hosts: mail goes by DNS (RFC 5321 5.1) */
        struct ares_options o = {.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
                .timeout = TRY_MS,
                .tries = TRIES,
                .lookups = dns_only};
        pthread_once(&once, begin_library);
        q->result = ares_init_options(&q->channel, &o,
                ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS);
        if (q->result != ARES_SUCCESS)
                return BUSY;
        if (q->options->servers)
                q->result = ares_set_servers_ports_csv(q->channel, q->options->servers);
        if (q->result == ARES_SUCCESS)
                return OK;
        ares_destroy(q->channel);
        return BUSY;
}

/* Waits for sockets or time; false: somebody says stop. */
static bool wait_once(struct question *q, int most)
{
        ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
        struct pollfd p[ARES_GETSOCK_MAXNUM + 1] = {{.fd = q->options->stop, .events = POLLIN}};
        struct timeval room, *left;
        /* Readable ones in the low bits; c-ares's own macros shift into a sign. */
        unsigned bits = (unsigned)ares_getsock(q->channel, sockets, ARES_GETSOCK_MAXNUM);
        nfds_t n = 1;
        for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
                bool reads = bits >> i & 1, writes = bits >> (i + ARES_GETSOCK_MAXNUM) & 1;
                if (reads || writes)
                        p[n++] = (struct pollfd){.fd = sockets[i],
                                .events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0))};
        }
        left = ares_timeout(
                q->channel, &(struct timeval){most / 1000, (most % 1000) * 1000L}, &room);
        (void)poll(p, n, (int)(left->tv_sec * 1000 + left->tv_usec / 1000 + 1));
        if (p[0].revents)
                return false;
        for (nfds_t i = 1; i < n; i++)
                ares_process_fd(q->channel, p[i].revents & ~POLLOUT ? p[i].fd : ARES_SOCKET_BAD,
                        p[i].revents & POLLOUT ? p[i].fd : ARES_SOCKET_BAD);
        ares_process_fd(q->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* what timed out */
        return true;
}

/* Closes the channel. */
static enum status finish(struct question *q, struct str name, struct buf *why)
{
        uint64_t now, until = clock_ms() + q->options->seconds * 1000ull;
        while (!q->answered && (now = clock_ms()) < until && wait_once(q, (int)(until - now)))
                continue;
        ares_destroy(q->channel); /* what has no answer gets one: it is over */
        switch (q->result) {
        case ARES_SUCCESS:
        case ARES_ENODATA:
                return OK;
        case ARES_ENOTFOUND:
        case ARES_EBADNAME:
                return ABSENT;
        default:
                buf_addf(why, "the name %.*s: %s", STR_ARG(name), ares_strerror(q->result));
                return BUSY;
        }
}

static int by_preference(const void *a, const void *b)
{
        const struct dns_mx *x = a, *y = b;
        return x->preference < y->preference ? -1 : x->preference > y->preference;
}

static void take_mx(void *arg, int result, int timeouts, unsigned char *octets, int len)
{
        struct question *q = arg;
        struct ares_mx_reply *first = NULL;
        size_t count = 0;
        (void)timeouts;
        q->answered = true;
        q->result = result == ARES_SUCCESS ? ares_parse_mx_reply(octets, len, &first) : result;
        for (const struct ares_mx_reply *mx = first; mx; mx = mx->next)
                count++; /* a reply has 64 KiB at most */
        q->mx = arena_alloc(q->arena, count * sizeof *q->mx + 1);
        for (const struct ares_mx_reply *mx = first; mx; mx = mx->next) {
                struct str host = arena_lower(q->arena, str_of(mx->host));
                if (!host.len || dns_is_host(host))
                        q->mx[q->count++] = (struct dns_mx){mx->priority, host};
        }
        if (first)
                ares_free_data(first);
        if (count && !q->count) /* names that nobody can have */
                q->result = ARES_EBADRESP;
        qsort(q->mx, q->count, sizeof *q->mx, by_preference);
        q->count = q->count < DNS_MX_MOST ? q->count : DNS_MX_MOST;
}

enum status dns_mx(const struct dns_options *o, struct str name, struct arena *arena,
        struct dns_mx **out, size_t *count, struct buf *why)
{
        struct question q = {.options = o, .arena = arena};
        *count = 0;
        if (!dns_is_host(name))
                return ABSENT;
        if (open_channel(&q) != OK) {
                buf_addf(why, "the resolver: %s", ares_strerror(q.result));
                return BUSY;
        }
        char *text = str_text(name);
        q.result = ARES_ETIMEOUT;
        ares_query(q.channel, text, ns_c_in, ns_t_mx, take_mx, &q);
        enum status st = finish(&q, name, why);
        free(text);
        *out = q.mx;
        *count = st == OK ? q.count : 0;
        return st;
}

static void take_addresses(void *arg, int result, int timeouts, struct ares_addrinfo *all)
{
        struct question *q = arg;
        char text[NI_MAXHOST];
        (void)timeouts;
        q->answered = true;
        q->result = result;
        q->addresses = arena_alloc(q->arena, DNS_ADDRESSES_MOST * sizeof *q->addresses);
        for (const struct ares_addrinfo_node *a = all ? all->nodes : NULL; a; a = a->ai_next) {
                if (q->count < DNS_ADDRESSES_MOST &&
                        getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0,
                                NI_NUMERICHOST) == 0)
                        q->addresses[q->count++] = arena_copy(q->arena, str_of(text));
        }
        if (all)
                ares_freeaddrinfo(all);
}

enum status dns_addresses(const struct dns_options *o, struct str name, struct arena *arena,
        struct str **out, size_t *count, struct buf *why)
{
        struct ares_addrinfo_hints hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
        struct question q = {.options = o, .arena = arena};
        *count = 0;
        if (!dns_is_host(name))
                return ABSENT;
        if (open_channel(&q) != OK) {
                buf_addf(why, "the resolver: %s", ares_strerror(q.result));
                return BUSY;
        }
        char *text = str_text(name);
        q.result = ARES_ETIMEOUT;
        ares_getaddrinfo(q.channel, text, NULL, &hints, take_addresses, &q);
        enum status st = finish(&q, name, why);
        free(text);
        *out = q.addresses;
        *count = st == OK ? q.count : 0;
        return st;
}
