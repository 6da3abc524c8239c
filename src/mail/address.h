/* address.h - addresses as RFC 5322 writes them and as mail really has them.
 * libetpan parses; one bad address costs only itself (libetpan alone drops the whole field). */
#pragma once
#include "base/arena.h"

struct address {
        struct str name;   /* display name, decoded to UTF-8; empty when none */
        struct str raw_name; /* as in the header, unquoted, not decoded (IMAP ENVELOPE gives this) */
        struct str local;  /* unquoted */
        struct str domain; /* empty: a group mark (RFC 9051 envelope) or none given */
        bool group_start, group_end; /* "name:" and ";" of a group: local is the group's name / empty */
};

struct addresses {
        struct address *v;
        size_t count; /* at most 1000; more are left out */
};

/* Never fails: what cannot be understood is left out. Views live in the arena. */
struct addresses address_list(struct arena *, struct str raw_value);
/* The first real address (no group mark); false when there is none. */
bool address_first(struct arena *, struct str raw_value, struct address *out);
/* SMTP paths: one addr-spec "local@domain" or "postmaster", quoted local parts allowed; strict
 * (RFC 5321 4.1.2, at most 64 + 1 + 255 octets). Octets above 0x7f only when utf8. */
CHECKED enum status address_spec(struct arena *, struct str text, bool utf8, struct address *out);
/* "local@domain" with local quoted where needed; the domain in lower case. */
struct str address_text(struct arena *, const struct address *);
/* `Name <local@domain>`, encoded for a header field. */
struct str address_field(struct arena *, struct str name_utf8, struct str spec);
