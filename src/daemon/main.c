/* main.c - the program batond: opens the ports, becomes its own user, opens the store, serves, and
 * ends cleanly. Everything that can be wrong at the start is said on standard error, and then it
 * has not started (exit status 1). */
#include "base/clock.h"
#include "base/log.h"
#include "daemon/control.h"
#include "daemon/jobs.h"
#include "daemon/start.h"
#include "imap/imap.h"
#include "nntp/nntp.h"
#include "relay/relay.h"
#include "smtp/smtp.h"
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GRACE_SECONDS = 10, CONTROL_GRACE_SECONDS = 10 };

struct daemon {
        struct start *start;
        struct site *site;
        struct crew *crew;
        struct tls *tls;
        struct control *control;
        struct jobs *jobs;
        struct relay *relay;
};

static void set_log_level(const struct config *c)
{
        static const char *const names[] = {[LOG_ERRORS] = "errors",
                [LOG_WARNINGS] = "warnings",
                [LOG_NOTES] = "notes",
                [LOG_DETAILS] = "details"};
        for (size_t i = 0; i < COUNT_OF(names); i++) {
                if (str_eq(c->log_level, str_of(names[i])))
                        log_open(2, (enum log_level)i);
        }
}

/* ---- ports ---- */

static const struct protocol *protocol_named(struct str name)
{
        static const struct {
                const char *name;
                const struct protocol *protocol;
        } all[] = {{"smtp", &smtp_protocol}, {"submission", &submission_protocol},
                {"lmtp", &lmtp_protocol}, {"imap", &imap_protocol}, {"nntp", &nntp_protocol},
                {"deliver", &deliver_protocol}};
        for (size_t i = 0; i < COUNT_OF(all); i++) {
                if (str_eq(name, str_of(all[i].name)))
                        return all[i].protocol;
        }
        return NULL; /* config_read lets none but these pass */
}

static void crew_settings(const struct daemon *d, struct crew_options *out)
{
        const struct config *c = site_config(d->site);
        *out = (struct crew_options){
                .workers = c->workers,
                .connections = c->connections,
                .connections_per_address = c->connections_per_address,
                .tls = d->tls,
        };
}

/* A kernel without IPv6 cannot listen at "::": then all IPv4 addresses are all there are. */
static struct str address_here(struct str address)
{
        int fd;
        if (!str_eq(address, STR("::")))
                return address;
        fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return STR("0.0.0.0");
        close(fd);
        return address;
}

/* Ports may need root; unix sockets must belong to the user that we become. */
static enum status listen_all(struct daemon *d, bool sockets)
{
        const struct config *c = site_config(d->site);
        enum status st = OK;
        for (size_t i = 0; i < c->listen_count && st == OK; i++) {
                const struct listen_config *l = &c->listen[i];
                struct listener listener = {.name = l->name,
                        .address = address_here(l->address),
                        .port = l->port,
                        .mode = 0660,
                        .tls_at_once = l->tls,
                        .protocol = protocol_named(l->protocol),
                        .site = d->site};
                if (str_starts(l->address, STR("/")) == sockets)
                        st = crew_listen(d->crew, &listener);
        }
        return st;
}

static enum status listen_deliver(struct daemon *d)
{
        struct buf path = {0};
        struct str home = site_config(d->site)->home;
        buf_addf(&path, "%.*s/run/deliver", STR_ARG(home));
        struct listener listener = {.name = STR("deliver"),
                .address = buf_str(&path),
                .mode = 0666,
                .protocol = &deliver_protocol,
                .site = d->site};
        enum status st = crew_listen(d->crew, &listener);
        buf_release(&path);
        return st;
}

/* ---- beginning ---- */

static enum status say(enum status st, char *why)
{
        if (why)
                fprintf(stderr, "batond: %s\n", why);
        free(why);
        return st;
}

/* What may need root: ports below 1024 and the key. */
static enum status open_ports(struct daemon *d)
{
        const struct config *c = site_config(d->site);
        struct crew_options settings;
        enum status st;
        if (!c->listen_count)
                return say(INVALID,
                        mem_text(
                                "baton.conf names no listener: add a section like [listen imaps]"));
        st = tls_open(c->certificate.at, c->key.at, &d->tls);
        if (st != OK) {
                fprintf(stderr,
                        "batond: the certificate %s or its key %s cannot be used (see above)\n",
                        c->certificate.at, c->key.at);
                return st;
        }
        d->site->tls = d->tls;
        crew_settings(d, &settings);
        st = crew_new(&settings, &d->crew);
        if (st == OK)
                st = listen_all(d, false);
        if (st != OK)
                fprintf(stderr, "batond: a port cannot be opened (see above): does another server "
                                "use it? Ports below "
                                "1024 need a start as root\n");
        return st;
}

/* A `baton` command that opened the site itself holds it for a moment: wait for that. */
static enum status start_store(struct daemon *d, char **why)
{
        enum { TRIES = 100 };
        const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
        enum status st = site_start(d->site, false, why);
        for (int i = 0; st == BUSY && i < TRIES; i++) {
                free(*why);
                nanosleep(&pause, NULL);
                st = site_start(d->site, false, why);
        }
        return st;
}

static enum status open_rest(struct daemon *d)
{
        char *why = NULL;
        enum status st = start_store(d, &why);
        if (st != OK)
                return say(st, why);
        st = listen_all(d, true);
        if (st == OK)
                st = listen_deliver(d);
        if (st == OK)
                st = crew_start(d->crew);
        if (st == OK)
                st = jobs_start(d->site, &d->jobs);
        if (st == OK)
                st = relay_start(d->site, &d->relay);
        if (st == OK)
                st = control_start(d->site, d->crew, &d->control);
        return st;
}

static enum status begin(struct daemon *d)
{
        char *why = NULL;
        const char *home = d->start->home;
        enum status st = site_prepare(home, &d->site, &why);
        if (st != OK)
                return say(st, why);
        home = site_config(d->site)->home.at;
        if (control_answers(home)) {
                fprintf(stderr, "batond: another batond runs here (%s)\n", home);
                return BUSY;
        }
        set_log_level(site_config(d->site));
        start_raise_files(site_config(d->site)->connections);
        st = open_ports(d);
        if (st == OK)
                st = start_become_user(site_config(d->site));
        if (st == OK)
                st = open_rest(d);
        return st;
}

/* ---- serving ---- */

static void reload(struct daemon *d)
{
        const struct config *c;
        struct crew_options settings;
        char *why = NULL;
        start_reopen_log(d->start);
        if (site_reload(d->site, &why) != OK) {
                log_error("reload: %s; the old settings stay", why ? why : "failed");
                free(why);
                return;
        }
        c = site_config(d->site);
        set_log_level(c);
        if (tls_reload(d->tls, c->certificate.at, c->key.at) != OK)
                log_error("reload: the old certificate stays");
        crew_settings(d, &settings);
        crew_limits(d->crew, &settings);
        log_note("reload: done");
}

/* Until a signal ends it, or the store fails: then a new start verifies what is there. */
static bool serve(struct daemon *d)
{
        const struct timespec second = {.tv_sec = 1};
        sigset_t set;
        start_signals(&set);
        for (;;) {
                int got = sigtimedwait(&set, NULL, &second);
                if (got == SIGTERM || got == SIGINT) {
                        log_note("stop: %s", got == SIGTERM ? "SIGTERM" : "SIGINT");
                        return true;
                }
                if (got == SIGHUP)
                        reload(d);
                if (store_failed(d->site->store)) {
                        log_error(
                                "the store has failed (the reason is above): batond ends, so that "
                                "the next start can "
                                "verify and recover. If it fails again, see 'Damage' in batond(8)");
                        return false;
                }
        }
}

static void end(struct daemon *d)
{
        bool all;
        if (!d->site)
                return;
        all = control_stop(d->control, CONTROL_GRACE_SECONDS);
        jobs_stop(d->jobs);
        if (d->crew)
                crew_stop(d->crew, GRACE_SECONDS);
        relay_stop(d->relay); /* nobody queues any more */
        if (!all) { /* the store is left as after a power failure, which loses nothing acknowledged
                     */
                log_warn("stop: a command of baton did not end; the next start recovers");
                return;
        }
        tls_close(d->tls);
        site_close(d->site);
}

int main(int argc, char **argv)
{
        struct start start;
        struct daemon d = {.start = &start};
        int status = start_read(&start, argc, argv);
        if (status >= 0) {
                start_end(&start);
                return status;
        }
        setlocale(LC_CTYPE, "C.UTF-8");
        start_block_signals();
        if (!start_detach(&start))
                return 1;
        status = 1;
        if (begin(&d) == OK) {
                struct str domain = site_config(d.site)->domain;
                log_note("start: %s serves %.*s", start.version, STR_ARG(domain));
                start_ready(&start, site_config(d.site));
                status = serve(&d) ? 0 : 1;
        }
        end(&d);
        start_end(&start);
        if (status == 0)
                log_note("stop: done");
        return status;
}
