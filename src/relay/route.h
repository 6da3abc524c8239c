/* route.h - which servers take mail for a domain (RFC 5321 5.1): its MX hosts, the preferred ones
 * first and equals in a new order each time, each with its addresses; where it has none, the domain
 * itself. A host that is this server is left out, and whoever is preferred no more than it. */
#pragma once
#include "team/config.h"

enum { ROUTE_MOST = 20 }; /* addresses */
struct route_stop {
        struct str host, address;
        unsigned preference;
};
struct route {
        struct route_stop stops[ROUTE_MOST];
        size_t count;
};

/* FORBIDDEN: mail cannot go there, *why is a reply that says so, "556 5.1.10 ..."; BUSY: not now,
 * *why says it. Strings in the arena. */
CHECKED enum status route_find(const struct config *, int stop, struct str domain, struct arena *,
        struct route *out, struct buf *why);
/* "domain.example" of "local@domain.example". */
struct str route_domain(struct str address);
