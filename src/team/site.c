#include "team/site.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "store/task.h"
#include "team/gate.h"
#include "team/limit.h"
#include "team/room.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { A_DAY = 24 * 3600, ADDRESSES_MOST = 20000 };

static char *explain_store(enum status st, const struct config *c)
{
        struct buf out = {0};
        switch (st) {
        case BUSY:
                buf_addf(&out, "another batond or baton uses %.*s/db at the moment",
                        STR_ARG(c->home));
                break;
        case DAMAGED:
                buf_addf(&out,
                        "the store in %.*s/db is damaged (the log says where); nothing was "
                        "changed: restore a "
                        "backup, or see 'Damage' in batond(8)",
                        STR_ARG(c->home));
                break;
        case FULL:
                buf_addf(&out, "the disk of %.*s/db is full: make room and start again",
                        STR_ARG(c->home));
                break;
        default:
                buf_addf(&out, "the store in %.*s/db cannot be opened; the log says why",
                        STR_ARG(c->home));
                break;
        }
        char *text = mem_text(buf_text(&out));
        buf_release(&out);
        return text;
}

static enum status open_store(struct site *site, bool verify)
{
        const struct config *c = site->config;
        struct str path = arena_printf(c->arena, "%.*s/db", STR_ARG(c->home));
        struct store_options options = {
                .path = path.at,
                .cache = c->cache,
                .reserve = c->reserve,
                .ballast = c->ballast,
                .log_file = c->log_file,
                .read_only_check = verify,
        };
        return store_open(&options, &site->store);
}

static char *tmp_path(const struct config *c)
{
        struct str path = arena_printf(c->arena, "%.*s/tmp", STR_ARG(c->home));
        return mem_text(path.at);
}

enum status site_prepare(const char *home, struct site **out, char **why)
{
        struct config *config;
        enum status st = config_read(home, &config, why);
        *out = NULL;
        if (st != OK)
                return st;
        struct site *site = mem_new(sizeof *site);
        site->config = config;
        site->tmp = tmp_path(config);
        site->gate = gate_new();
        site->room = room_new();
        site->asked = limit_new(A_DAY, ADDRESSES_MOST);
        site->told = limit_new(A_DAY, ADDRESSES_MOST);
        site->started = clock_now();
        *out = site;
        return OK;
}

/* True when the file is whole. */
static bool read_secret(struct site *site, const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        bool whole = fd >= 0 && read(fd, site->secret, sizeof site->secret) ==
                                        (ssize_t)sizeof site->secret;
        if (fd >= 0)
                close(fd);
        return whole;
}

static void load_secret(struct site *site)
{
        struct str home = site->config->home;
        struct str path = arena_printf(site->config->arena, "%.*s/db/secret", STR_ARG(home));
        if (read_secret(site, path.at))
                return;
        random_bytes(site->secret, sizeof site->secret);
        int fd = open(path.at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        bool written = fd >= 0 && write(fd, site->secret, sizeof site->secret) ==
                                          (ssize_t)sizeof site->secret;
        if (fd >= 0 && close(fd) != 0)
                written = false;
        if (!written)
                log_warn("site: cannot write %s: %s", path.at, strerror(errno));
}

enum status site_start(struct site *site, bool verify, char **why)
{
        enum status st = open_store(site, verify);
        if (st == OK && !verify) /* a check changes nothing */
                st = boards_complete(site->store);
        *why = st == OK ? NULL : explain_store(st, site->config);
        if (st == OK && !verify)
                load_secret(site);
        if (st == OK && mkdir(site->tmp, 0700) != 0 && errno != EEXIST)
                log_warn("site: cannot make %s: %s", site->tmp, strerror(errno));
        return st;
}

static enum status open_how(const char *home, bool verify, struct site **out, char **why)
{
        struct site *site;
        enum status st = site_prepare(home, &site, why);
        *out = NULL;
        if (st == OK)
                st = site_start(site, verify, why);
        if (st == OK)
                *out = site;
        else
                site_close(site);
        return st;
}

enum status site_open(const char *home, struct site **out, char **why)
{
        return open_how(home, false, out, why);
}

enum status site_open_verified(const char *home, struct site **out, char **why)
{
        return open_how(home, true, out, why);
}

void site_close(struct site *site)
{
        if (!site)
                return;
        if (site->store)
                store_close(site->store);
        gate_free(site->gate);
        room_free(site->room);
        limit_free(site->asked);
        limit_free(site->told);
        config_free(site->config);
        free(site->tmp);
        free(site);
}

void site_queued(struct site *site)
{
        void (*queued)(void *) = __atomic_load_n(&site->queued, __ATOMIC_ACQUIRE);
        if (queued)
                queued(site->relay);
}

/* What a running daemon cannot change any more. */
static void tell_unchanged(const struct config *old, const struct config *new)
{
        bool same = old->listen_count == new->listen_count &&str_eq(old->user, new->user) &&
                    old->cache == new->cache && old->log_file == new->log_file;
        for (size_t i = 0; same && i < old->listen_count; i++) {
                const struct listen_config *a = &old->listen[i], *b = &new->listen[i];
                same = str_eq(a->name, b->name) && str_eq(a->address, b->address) &&
                       a->port == b->port && a->tls == b->tls && str_eq(a->protocol, b->protocol);
        }
        if (!same)
                log_warn("site: what changed of listeners, user and [store] counts from the next "
                         "start on");
}

enum status site_reload(struct site *site, char **why)
{
        struct config *old = __atomic_load_n(&site->config, __ATOMIC_ACQUIRE), *new;
        enum status st = config_read(old->home.at, &new, why);
        if (st != OK)
                return st;
        if (!str_eq(old->domain, new->domain)) {
                *why = mem_text(
                        "the domain cannot change while batond runs; the old settings stay");
                config_free(new);
                return INVALID;
        }
        tell_unchanged(old, new);
        new->previous = old;
        __atomic_store_n(&site->config, new, __ATOMIC_RELEASE);
        return OK;
}
