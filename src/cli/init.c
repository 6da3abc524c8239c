#include "base/clock.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/give.h"
#include "cli/password.h"
#include "cli/user.h"
#include "team/rules.h"
#include "wire/tls.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PORT_BASE_MAX = 65535 - 993 };

struct making { /* a site in the making */
        struct cli *cli;
        struct str domain, admin;
        uint32_t port_base;
        const char *user; /* whom it will belong to, or NULL */
        struct passwd owner;
        struct str password;
};

static struct str below(struct making *m, const char *name)
{
        return arena_printf(m->cli->arena, "%s/%s", m->cli->home, name);
}

/* ---- files ---- */

/* One that is there already keeps its mode: it may be somebody's home. */
static int make_folder(struct making *m, const char *path, mode_t mode)
{
        if (mkdir(path, mode) == 0)
                return chmod(path, mode) == 0 ? DONE
                                              : cli_fail(m->cli, "%s: %s", path, strerror(errno));
        return errno == EEXIST
                       ? DONE
                       : cli_fail(m->cli, "cannot make the folder %s: %s", path, strerror(errno));
}

/* Those above the home folder, too. */
static int make_home(struct making *m)
{
        char *path = mem_text(m->cli->home);
        for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = 0;
                (void)mkdir(path, 0755);
                *slash = '/';
        }
        free(path);
        return make_folder(m, m->cli->home, 0755); /* everybody must reach run/deliver */
}

static int write_settings(struct making *m)
{
        struct buf text = {0};
        struct str path = below(m, "baton.conf");
        int fd = open(path.at, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644), status = DONE;
        if (fd < 0)
                return cli_fail(m->cli, "cannot write %s: %s", path.at, strerror(errno));
        config_default(m->domain, m->port_base, &text);
        if (m->user) {
                size_t at = str_find(buf_str(&text), STR("# user = "));
                assert(at != STR_NOWHERE);
                struct buf with = {0};
                buf_add(&with, str_sub(buf_str(&text), 0, at));
                buf_addf(&with, "user = %s\n", m->user);
                buf_add(&with, str_from(buf_str(&text), at));
                buf_release(&text);
                text = with;
        }
        if (write(fd, text.at, text.len) != (ssize_t)text.len || fsync(fd) != 0)
                status = cli_fail(m->cli, "cannot write %s: %s", path.at, strerror(errno));
        close(fd);
        buf_release(&text);
        return status;
}

static int make_certificate(struct making *m)
{
        struct str certificate = below(m, "tls/certificate.pem"), key = below(m, "tls/key.pem");
        if (access(certificate.at, F_OK) == 0 && access(key.at, F_OK) == 0)
                return DONE; /* put there beforehand */
        struct str name = arena_copy(m->cli->arena, m->domain);
        enum status st = tls_self_signed(certificate.at, key.at, name.at, m->port_base);
        return st == OK ? DONE
                        : cli_fail(m->cli, "cannot make a certificate in %s/tls", m->cli->home);
}

/* ---- the store ---- */

static int add_admin(struct making *m)
{
        struct person p;
        user_defaults(m->cli, m->admin, &p);
        p.admin = true;
        m->password = password_first(m->cli, &p);
        return user_save(m->cli, &p);
}

static int make_store(struct making *m)
{
        char *why = NULL;
        int status = DONE;
        enum status st = site_open(m->cli->home, &m->cli->site, &why);
        if (st != OK) {
                status = cli_fail(m->cli, "%s", why ? why : "the store cannot be made; see above");
                free(why);
                return status;
        }
        if (m->admin.len)
                status = add_admin(m);
        site_close(m->cli->site);
        m->cli->site = NULL;
        return status;
}

static int give_away(struct making *m)
{
        if (!m->user)
                return DONE;
        if (!give_folder(m->cli->home, (struct owner){m->owner.pw_uid, m->owner.pw_gid}))
                return cli_fail(
                        m->cli, "cannot give %s to %s: %s", m->cli->home, m->user, strerror(errno));
        return DONE;
}

/* ---- what to do next ---- */

static void print_clients(struct making *m)
{
        FILE *out = m->cli->out;
        const char *name = m->admin.len ? arena_copy(m->cli->arena, m->admin).at : "NAME";
        const char *host = m->port_base ? "localhost" : arena_copy(m->cli->arena, m->domain).at;
        unsigned base = m->port_base;
        fprintf(out,
                "\nClient settings\n"
                "  login        %s\n"
                "  IMAP         %s port %u, TLS      (port %u with STARTTLS)\n"
                "  sending      %s port %u, TLS      (port %u with STARTTLS)\n"
                "  newsreader   %s port %u, TLS      (port %u)\n",
                name, host, base + 993, base + 143, host, base + 465, base + 587, host, base + 563,
                base + 119);
        fprintf(out,
                "\n  Thunderbird: account setup, 'Configure manually', the servers and ports "
                "above, 'SSL/TLS',\n"
                "  'Normal password', user name %s.\n",
                name);
        fprintf(out,
                "\n  neomutt (neomuttrc)\n"
                "    set from = \"%s@%.*s\"\n"
                "    set imap_user = \"%s\"\n"
                "    set folder = \"imaps://%s:%u/\"\n"
                "    set spool_file = \"+INBOX\" record = \"+Sent\" postponed = \"+Drafts\" trash "
                "= \"+Trash\"\n"
                "    set smtp_url = \"smtps://%s@%s:%u/\"\n"
                "    set imap_check_subscribed = no\n",
                name, STR_ARG(m->domain), name, host, base + 993, name, host, base + 465);
        if (base)
                fprintf(out,
                        "\n  slrn (slrnrc), on this machine\n"
                        "    set server_object \"nntp\"\n"
                        "    server \"localhost:%u\" \".jnewsrc-baton\"\n"
                        "    nnrpaccess \"localhost:%u\" \"%s\" \"PASSWORD\"\n",
                        base + 119, base + 119, name);
        else
                fprintf(out,
                        "\n  slrn: slrn -h snews://%s:563   (slrnrc: nnrpaccess \"%s\" \"%s\" "
                        "\"PASSWORD\")\n",
                        host, host, name);
}

static void print_dns(struct making *m)
{
        int n = (int)m->domain.len;
        const char *d = m->domain.at;
        fprintf(m->cli->out,
                "\nDNS records to add (203.0.113.1 stands for this server's address)\n"
                "  %.*s.                    A    203.0.113.1\n"
                "  %.*s.                    MX   10 %.*s.\n"
                "  %.*s.                    TXT  \"v=spf1 mx -all\"\n"
                "  _imaps._tcp.%.*s.        SRV  0 1 993 %.*s.\n"
                "  _submissions._tcp.%.*s.  SRV  0 1 465 %.*s.\n"
                "  _nntps._tcp.%.*s.        SRV  0 1 563 %.*s.\n",
                n, d, n, d, n, d, n, d, n, d, n, d, n, d, n, d, n, d, n, d);
}

static void print_next(struct making *m)
{
        struct cli *c = m->cli;
        fprintf(c->out, "The site %.*s is ready in %s.\n", STR_ARG(m->domain), c->home);
        if (m->admin.len)
                fprintf(c->out, "\nFirst person: %.*s\nPassword:     %.*s\n", STR_ARG(m->admin),
                        STR_ARG(m->password));
        fprintf(c->out, "\nNext\n  batond --home %s", c->home);
        if (!m->admin.len)
                fprintf(c->out, "\n  baton --home %s user add ana --name \"Ana M\" --admin",
                        c->home);
        else
                fprintf(c->out,
                        "\n  baton --home %s user set %.*s --name \"YOUR NAME\" --zone Europe/Lisbon",
                        c->home, STR_ARG(m->admin));
        fprintf(c->out,
                "\n  baton --home %s topic add general --about \"What concerns all of us\"\n",
                c->home);
        if (m->admin.len)
                fprintf(c->out, "  baton --home %s subscribe %.*s general\n", c->home,
                        STR_ARG(m->admin));
        print_clients(m);
        if (!m->port_base)
                print_dns(m);
        fprintf(c->out,
                "\nThe certificate in %s/tls is self-signed: clients ask once whether to trust it. "
                "Put a real\n"
                "one in its place (certificate.pem, key.pem) and send batond a SIGHUP.\n",
                c->home);
}

/* ---- the command ---- */

static int read_words(struct making *m, const struct options *o)
{
        const char *domain = option_value(o, "domain"), *admin = option_value(o, "admin");
        const char *base = option_value(o, "port-base");
        struct cli *c = m->cli;
        if (!domain)
                return cli_misused(
                        c, o, "it needs --domain: what stands behind the @ in everybody's address");
        m->domain = arena_lower(c->arena, str_of(domain));
        if (!config_domain(m->domain))
                return cli_misused(c, o, "'%s' is not a domain name like team.example", domain);
        if (admin) {
                m->admin = arena_lower(c->arena, str_of(admin));
                if (!rules_person_name(m->admin))
                        return cli_misused(
                                c, o, "'%s' cannot be a login name: a-z, 0-9, '-' and '.'", admin);
        }
        if (base && (str_u32(str_of(base), &m->port_base) != OK || m->port_base < 1 ||
                            m->port_base > PORT_BASE_MAX))
                return cli_misused(c, o, "--port-base takes a number from 1 to %d, not '%s'",
                        PORT_BASE_MAX, base);
        m->user = option_value(o, "user");
        if (m->user) {
                struct passwd *found;
                char *room = arena_alloc(c->arena, 16384);
                if (getpwnam_r(m->user, &m->owner, room, 16384, &found) != 0 || !found)
                        return cli_fail(c,
                                "there is no user '%s' on this system: 'useradd --system %s' makes "
                                "one",
                                m->user, m->user);
        }
        return DONE;
}

static int run_init(struct cli *c, const struct options *o)
{
        struct making m = {.cli = c};
        int status = read_words(&m, o);
        struct str settings = below(&m, "baton.conf");
        if (status != DONE)
                return status;
        if (access(settings.at, F_OK) == 0)
                return cli_fail(c, "there is a site in %s already: nothing was changed", c->home);
        status = make_home(&m);
        if (status == DONE)
                status = make_folder(&m, below(&m, "run").at, 0755);
        if (status == DONE)
                status = make_folder(&m, below(&m, "tls").at, 0700);
        if (status == DONE)
                status = make_folder(&m, below(&m, "tmp").at, 0700);
        if (status == DONE)
                status = make_certificate(&m);
        if (status == DONE)
                status = write_settings(&m);
        if (status != DONE)
                return status;
        status = make_store(&m);
        if (status == DONE)
                status = give_away(&m);
        if (status == DONE)
                print_next(&m);
        else
                (void)unlink(settings.at); /* so that a second try begins anew */
        return status;
}

/* clang-format off */
static const struct option init_options[] = {
        { "domain",    "DOMAIN", "the site's domain, like team.example: addresses are NAME@DOMAIN" },
        { "admin",     "NAME",   "add the first person; the password is made up and printed" },
        { "port-base", "N",      "for trying it out: serve this machine only, on ports N+25, N+143, N+993 ..." },
        { "user",      "NAME",   "the system's user whom batond, started as root, becomes; gets the folder" },
        { NULL,        NULL,     NULL },
};
const struct command init_commands[] = {
        { "", "", "make a new site", run_init, init_options, 0, 0, NEEDS_NOTHING,
          "It goes into the folder that --home names:\n\n"
          "  baton --home /var/lib/baton init --domain team.example --admin ana\n"
          "  baton --home ~/try init --domain team.example --admin ana --port-base 10000\n\n"
          "Printed are the first password, what to enter into mail clients, and the DNS records to add." },
        { NULL, NULL, NULL, NULL, NULL, 0, 0, NEEDS_NOTHING, NULL },
};
/* clang-format on */
