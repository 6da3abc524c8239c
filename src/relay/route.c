#include "relay/route.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "wire/dns.h"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>

enum { QUESTION_SECONDS = 7, ALL_SECONDS = 30 };

struct finding {
        const struct config *config;
        struct dns_options dns;
        struct arena *arena;
        struct str domain;
        struct route *route;
        struct buf *why;
        uint64_t until; /* clock_ms; later questions are not asked */
        bool unanswered;
};

struct str route_domain(struct str address)
{
        return str_from(address, str_rchr(address, '@') + 1);
}

/* ---- is it this server? ---- */

/* Of all interfaces: what a listener at "::" or "0.0.0.0" can be reached at. */
static bool is_local(struct str address)
{
        struct ifaddrs *all;
        bool found = false;
        char text[NI_MAXHOST];
        if (getifaddrs(&all) != 0)
                return false;
        for (const struct ifaddrs *a = all; a && !found; a = a->ifa_next) {
                int family = a->ifa_addr ? a->ifa_addr->sa_family : AF_UNSPEC;
                socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in)
                                                  : sizeof(struct sockaddr_in6);
                if (family != AF_INET && family != AF_INET6)
                        continue;
                found = getnameinfo(a->ifa_addr, len, text, sizeof text, NULL, 0, NI_NUMERICHOST) ==
                                0 &&
                        str_same(str_of(text), address);
        }
        freeifaddrs(all);
        return found;
}

static bool is_ours(const struct config *c, struct str address)
{
        for (size_t i = 0; i < c->listen_count; i++) {
                const struct listen_config *l = &c->listen[i];
                bool any = str_eq(l->address, STR("::")) || str_eq(l->address, STR("0.0.0.0"));
                if (!str_eq(l->protocol, STR("smtp")) || l->port != c->mx_port)
                        continue;
                if (any ? is_local(address) : str_same(l->address, address))
                        return true;
        }
        return false;
}

/* ---- hosts and their addresses ---- */

static enum status never(struct finding *f, const char *reply, struct str about)
{
        buf_clear(f->why);
        buf_addf(f->why, "%s: %.*s", reply, STR_ARG(about));
        return FORBIDDEN;
}

/* EXISTS: it is this server. */
static enum status add_host(struct finding *f, struct str host, unsigned preference)
{
        struct route *r = f->route;
        struct str *addresses;
        size_t count;
        struct str own = f->config->host;
        if (str_same(host, own))
                return EXISTS;
        if (clock_ms() >= f->until) {
                f->unanswered = true;
                return OK;
        }
        enum status st = dns_addresses(&f->dns, host, f->arena, &addresses, &count, f->why);
        f->unanswered = f->unanswered || st == BUSY;
        for (size_t i = 0; i < count; i++) {
                if (is_ours(f->config, addresses[i]))
                        return EXISTS;
                if (r->count < ROUTE_MOST)
                        r->stops[r->count++] = (struct route_stop){host, addresses[i], preference};
        }
        return OK;
}

/* Equals in a new order each time (RFC 5321 5.1): none of them gets it all. */
static void shuffle(struct dns_mx *mx, size_t count)
{
        size_t first = 0; /* of the equals of i */
        for (size_t i = 0; i < count; i++) {
                uint32_t random;
                if (mx[i].preference != mx[first].preference)
                        first = i;
                random_bytes(&random, sizeof random);
                size_t other = first + random % (i - first + 1);
                struct dns_mx kept = mx[i];
                mx[i] = mx[other];
                mx[other] = kept;
        }
}

/* Those that are preferred less than this server, or as much, are not asked: they would send it
 * back (RFC 5321 5.1). */
static enum status add_all(struct finding *f, const struct dns_mx *mx, size_t count)
{
        struct route *r = f->route;
        for (size_t i = 0; i < count; i++) {
                if (!mx[i].host.len || add_host(f, mx[i].host, mx[i].preference) != EXISTS)
                        continue;
                while (r->count && r->stops[r->count - 1].preference >= mx[i].preference)
                        r->count--;
                return r->count ? OK : EXISTS;
        }
        return OK;
}

/* RFC 7505: one MX that names the root, and nothing else. */
static bool is_null(const struct dns_mx *mx, size_t count)
{
        return count == 1 && !mx[0].host.len;
}

/* "[192.0.2.7]", "[IPv6:2001:db8::7]" (RFC 5321 4.1.3). */
static enum status find_literal(struct finding *f)
{
        struct str inner = str_sub(f->domain, 1, f->domain.len - 2);
        bool six = str_starts_same(inner, STR("IPv6:"));
        struct str address = arena_lower(f->arena, six ? str_from(inner, 5) : inner);
        char octets[sizeof(struct in6_addr)];
        if (inet_pton(six ? AF_INET6 : AF_INET, address.at, octets) != 1)
                return never(f, "550 5.1.2 No such address", f->domain);
        if (is_ours(f->config, address))
                return never(f, "554 5.4.6 Mail would come back to this server", f->domain);
        f->route->stops[f->route->count++] = (struct route_stop){address, address, 0};
        return OK;
}

static enum status find_hosts(struct finding *f)
{
        struct dns_mx *mx;
        size_t count;
        enum status st = dns_mx(&f->dns, f->domain, f->arena, &mx, &count, f->why);
        if (st == ABSENT)
                return never(f, "550 5.1.2 There is no such domain", f->domain);
        if (st != OK)
                return st;
        if (is_null(mx, count))
                return never(f, "556 5.1.10 The domain takes no mail (null MX)", f->domain);
        if (count) {
                shuffle(mx, count);
                st = add_all(f, mx, count);
        } else {
                st = add_host(f, f->domain, 0);
        }
        if (st == EXISTS)
                return never(f, "554 5.4.6 Mail would come back to this server", f->domain);
        if (f->route->count)
                return OK;
        if (f->unanswered && !f->why->len)
                buf_add_text(f->why, "the names of its servers: no answer in time");
        return f->unanswered
                       ? BUSY
                       : never(f, "550 5.4.4 No server for the domain has an address", f->domain);
}

enum status route_find(const struct config *c, int stop, struct str domain, struct arena *arena,
        struct route *out, struct buf *why)
{
        struct finding f = {
                .config = c,
                .dns = {.servers = c->resolver.len ? c->resolver.at : NULL,
                        .stop = stop,
                        .seconds = QUESTION_SECONDS},
                .arena = arena,
                .domain = domain,
                .route = out,
                .why = why,
                .until = clock_ms() + ALL_SECONDS * 1000ull,
        };
        *out = (struct route){0};
        if (str_starts(domain, STR("[")) && str_ends(domain, STR("]")))
                return find_literal(&f);
        return find_hosts(&f);
}
