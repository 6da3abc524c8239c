/* site.h - an opened site: its configuration and its store. Everything right of team/ gets it.
 * Layout of the home folder: baton.conf, db/, tls/, run/ (sockets), tmp/ (spools). */
#pragma once
#include "store/message.h"
#include "store/person.h"
#include "store/topic.h"
#include "team/config.h"

struct site {
        struct config *config; /* replaced whole on reload: read it by site_config */
        struct store *store;
        struct tls *tls;       /* the daemon's; NULL else */
        char *tmp;             /* folder for spools */
        time_t started;
        struct gate *gate;     /* failed logins, by address */
        struct room *room;     /* memory for what is large */
        struct limit *asked, *told; /* addresses outside that were asked to confirm, or were told
                                     * what they asked for, today */
        void (*queued)(void *); /* the relay's: something waits to leave; NULL: no relay runs here */
        void *relay;
        unsigned char secret[32]; /* db/secret, made at the first start, never told: salts (RFC 5802 9) and tokens */
};
/* Mail was queued, or the queue was changed by hand: who sends is woken. */
void site_queued(struct site *);

/* The configuration in force; a command asks once and keeps to it. */
static inline const struct config *site_config(struct site *site)
{
        return __atomic_load_n(&site->config, __ATOMIC_ACQUIRE);
}

/* The two halves of site_open, for the daemon, which becomes another user between them: reads the
 * configuration only; opens the store. site_close takes a site after the first, too. */
CHECKED enum status site_prepare(const char *home, struct site **out, char **why);
CHECKED enum status site_start(struct site *, bool verify, char **why);

/* Opens the store. *why as config_read, or what the store said (BUSY: "a daemon is running ..."). */
CHECKED enum status site_open(const char *home, struct site **out, char **why);
/* The same for `baton check`: data pages are verified while opening, which takes longer. */
CHECKED enum status site_open_verified(const char *home, struct site **out, char **why);
void site_close(struct site *); /* NULL is fine */
/* Reads baton.conf again; old configurations stay in memory (they may be in use), a few KB each. */
CHECKED enum status site_reload(struct site *, char **why);
