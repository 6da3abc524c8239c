/* setting.h - the values that baton.conf may hold: each kind has a reader, which says what is wrong
 * in words that a person can act on. Inside config*.c only. */
#pragma once
#include "team/config.h"

/* The file being read, and what is wrong with it. */
struct reading {
        struct config *config;
        struct listen_config *listen; /* the [listen NAME] section that we are in, or NULL */
        const char *section;          /* "site", "listen", ... */
        unsigned line;
        unsigned listen_line;  /* where its section begins */
        uint64_t given;        /* keys seen so far, by row */
        uint64_t given_listen; /* the same for the section that we are in */
        struct buf reason;
};

struct setting {
        const char *section, *name;
        enum status (*read)(struct reading *, const struct setting *, struct str);
        size_t offset;
        uint64_t least, most;
};

/* INVALID, with the reason kept. */
CHECKED enum status setting_refuse(struct reading *, const char *format, ...) PRINTF(2, 3);
/* Relative paths begin at the home folder. */
struct str setting_path_below(struct config *, struct str);

CHECKED enum status setting_text(struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_domain(struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_path(struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_address(struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_size(struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_seconds(struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_count(struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_port(struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_bool(struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_cleartext(struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_relay(struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_resolver(struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_relay_tls(struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_separator(struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_protocol(struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_level(struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_deliver_users(
        struct reading *, const struct setting *, struct str value);
CHECKED enum status setting_distrib_pats(
        struct reading *, const struct setting *, struct str value);
