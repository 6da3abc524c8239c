/* config.h - baton.conf: `key = value` lines under `[section name]`, `#` for comments. An unknown key or a
 * bad value is refused with file, line and reason. Sizes take k, M, G (1024s); times s, m, h, d. */
#pragma once
#include "base/arena.h"

enum relay_tls { RELAY_TLS_MAY, RELAY_TLS_MUST, RELAY_TLS_NEVER };
enum cleartext { CLEARTEXT_LOOPBACK, CLEARTEXT_NEVER, CLEARTEXT_ALWAYS };

struct listen_config {
        struct str name;     /* [listen imaps] -> "imaps" */
        struct str protocol; /* smtp, submission, lmtp, imap, nntp, deliver */
        struct str address;  /* or a path relative to the home folder */
        uint16_t port;
        bool tls;            /* implicit */
};

struct config {
        struct arena *arena; /* owns everything here */
        struct str home;     /* absolute */
        struct str file;     /* home/baton.conf */
        struct str domain;   /* "team.example", lower case */
        struct str host;     /* the server's own name; default: the domain */
        struct str user;     /* to become after binding; empty: stay */
        struct str certificate, key; /* absolute paths */
        struct listen_config *listen;
        size_t listen_count;
        enum cleartext cleartext_login;
        struct str *deliver_users; /* names or uids that may say who wrote (run/deliver) */
        size_t deliver_user_count;
        char separator;      /* of sub-addresses: '+' */
        struct str *distrib_pats;   /* LIST DISTRIB.PATS: "weight:wildmat:distribution" */
        size_t distrib_pat_count;
        uint64_t message_size;      /* octets; 50M */
        unsigned recipients;        /* a message; 100 */
        unsigned workers, connections, connections_per_address;
        unsigned login_failures;    /* a minute and address before logins there are put off; 20 */
        unsigned idle_smtp, idle_imap, idle_nntp; /* seconds */
        uint64_t cache, reserve, ballast, log_file; /* store, octets */
        struct str relay_host;      /* who takes mail for the outside; empty: nobody, or by MX */
        uint16_t relay_port;
        bool relay_mx;              /* each domain's own servers do, found by DNS */
        uint16_t mx_port;           /* 25 */
        struct str resolver;        /* "127.0.0.1:53,..."; empty: the system's */
        struct str relay_user, relay_password_file; /* user empty: no login; an absolute path */
        enum relay_tls relay_tls;
        struct str relay_roots;     /* PEM file of who may sign its certificate; empty: the system's */
        unsigned relay_senders;     /* threads, each with one mail at a time; 4, by MX 16 */
        unsigned retry_first, retry_most, warn, give_up, reply_wait; /* seconds */
        unsigned bounce_limit;      /* lasting failures of list mail before an address is probed; 3 */
        struct str log_level;       /* errors, warnings, notes, details */
        struct config *previous;    /* the one before the last reload: somebody may still read it */
};

/* *why (heap, free it) says "baton.conf:12: ..." when INVALID or ABSENT (no such file). */
CHECKED enum status config_read(const char *home, struct config **out, char **why);
void config_free(struct config *); /* and the previous ones; NULL is fine */
/* A commented default file for `baton init`; port_base 0: the real ports on all addresses, else loopback. */
void config_default(struct str domain, unsigned port_base, struct buf *out);
/* Does mail leave this site? */
bool config_relays(const struct config *);
/* Is this a domain name as [site] wants it? */
bool config_domain(struct str);
