/* dns.h - what the domain name system says of a name, asked of a resolver (c-ares): blocking, with
 * a deadline, ended at once by a descriptor that says stop. The system's resolver follows aliases
 * (CNAME). Answers are bounded, and are names and addresses only when they look like that. */
#pragma once
#include "base/arena.h"

enum { DNS_MX_MOST = 20, DNS_ADDRESSES_MOST = 16 };

struct dns_options {
        const char *servers; /* "127.0.0.1:5353,[::1]:53"; NULL: the system's */
        int stop;            /* readable: everything ends; -1: none */
        unsigned seconds;    /* for one question */
};
struct dns_mx {
        unsigned preference;
        struct str host; /* lower case; empty: the root, "no mail" (RFC 7505) */
};

/* OK, also when there are none: *count is 0; the preferred ones, in no order among equals. ABSENT:
 * there is no such name. BUSY: no answer now, *why says it. In the arena. */
CHECKED enum status dns_mx(const struct dns_options *, struct str name, struct arena *,
        struct dns_mx **out, size_t *count, struct buf *why);
/* IPv4 and IPv6, "192.0.2.7", in the order in which they are to be tried. As above. */
CHECKED enum status dns_addresses(const struct dns_options *, struct str name, struct arena *,
        struct str **out, size_t *count, struct buf *why);
/* Letters, digits, - and _ in labels: what may be dialled, logged and shown. */
bool dns_is_host(struct str name);
/* Such a list of servers. */
bool dns_is_servers(struct str list);
