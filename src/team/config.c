#include "team/config.h"
#include "team/near.h"
#include "team/setting.h"
#include "team/usual.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20, LISTENERS_MAX = 64, SMTP_PORT = 25, SENDERS = 4, SENDERS_MX = 16 };

/* ---- the keys ---- */

enum { MEGA = 1 << 20 };
#define GIGA ((uint64_t)1 << 30)
#define IN_SITE(field) offsetof(struct config, field)
#define IN_LISTEN(field) offsetof(struct listen_config, field)

/* clang-format off */
static const struct setting keys[] = {
        /* section  name                       read                    offset                             least     most */
        { "site",   "domain",                  setting_domain,         IN_SITE(domain),                   0,        0           },
        { "site",   "host",                    setting_domain,         IN_SITE(host),                     0,        0           },
        { "site",   "user",                    setting_text,           IN_SITE(user),                     0,        0           },
        { "site",   "certificate",             setting_path,           IN_SITE(certificate),              0,        0           },
        { "site",   "key",                     setting_path,           IN_SITE(key),                      0,        0           },
        { "site",   "separator",               setting_separator,      IN_SITE(separator),                0,        0           },
        { "site",   "log",                     setting_level,          IN_SITE(log_level),                0,        0           },
        { "site",   "distrib-pats",            setting_distrib_pats,   0,                                 0,        0           },
        { "listen", "protocol",                setting_protocol,       IN_LISTEN(protocol),               0,        0           },
        { "listen", "address",                 setting_address,        IN_LISTEN(address),                0,        0           },
        { "listen", "port",                    setting_port,           IN_LISTEN(port),                   0,        0           },
        { "listen", "tls",                     setting_bool,           IN_LISTEN(tls),                    0,        0           },
        { "login",  "cleartext-login",         setting_cleartext,      IN_SITE(cleartext_login),          0,        0           },
        { "login",  "login-failures",          setting_count,          IN_SITE(login_failures),           1,        1000000     },
        { "login",  "deliver-users",           setting_deliver_users,  0,                                 0,        0           },
        { "limits", "message-size",            setting_size,           IN_SITE(message_size),             1 << 16,  GIGA        },
        { "limits", "recipients",              setting_count,          IN_SITE(recipients),               1,        10000       },
        { "limits", "workers",                 setting_count,          IN_SITE(workers),                  2,        4096        },
        { "limits", "connections",             setting_count,          IN_SITE(connections),              1,        1000000     },
        { "limits", "connections-per-address", setting_count,          IN_SITE(connections_per_address),  1,        1000000     },
        { "limits", "idle-smtp",               setting_seconds,        IN_SITE(idle_smtp),                10,       86400       },
        { "limits", "idle-imap",               setting_seconds,        IN_SITE(idle_imap),                60,       7 * 86400   },
        { "limits", "idle-nntp",               setting_seconds,        IN_SITE(idle_nntp),                60,       7 * 86400   },
        { "relay",  "relay",                   setting_relay,          0,                                 0,        0           },
        { "relay",  "mx-port",                 setting_port,           IN_SITE(mx_port),                  0,        0           },
        { "relay",  "resolver",                setting_resolver,       IN_SITE(resolver),                 0,        0           },
        { "relay",  "relay-user",              setting_text,           IN_SITE(relay_user),               0,        0           },
        { "relay",  "relay-password-file",     setting_path,           IN_SITE(relay_password_file),      0,        0           },
        { "relay",  "relay-tls",               setting_relay_tls,      IN_SITE(relay_tls),                0,        0           },
        { "relay",  "relay-roots",             setting_path,           IN_SITE(relay_roots),              0,        0           },
        { "relay",  "relay-senders",           setting_count,          IN_SITE(relay_senders),            1,        64          },
        { "relay",  "retry-first",             setting_seconds,        IN_SITE(retry_first),              1,        86400       },
        { "relay",  "retry-most",              setting_seconds,        IN_SITE(retry_most),               1,        7 * 86400   },
        { "relay",  "warn",                    setting_seconds,        IN_SITE(warn),                     1,        30 * 86400  },
        { "relay",  "give-up",                 setting_seconds,        IN_SITE(give_up),                  1,        30 * 86400  },
        { "relay",  "reply-wait",              setting_seconds,        IN_SITE(reply_wait),               1,        3600        },
        { "lists",  "bounce-limit",            setting_count,          IN_SITE(bounce_limit),             1,        100         },
        { "store",  "cache",                   setting_size,           IN_SITE(cache),                    MEGA,     64 * GIGA   },
        { "store",  "reserve",                 setting_size,           IN_SITE(reserve),                  MEGA,     1024 * GIGA },
        { "store",  "ballast",                 setting_size,           IN_SITE(ballast),                  MEGA,     16 * GIGA   },
        { "store",  "log-file",                setting_size,           IN_SITE(log_file),                 MEGA,     GIGA        },
};
/* clang-format on */

static void defaults(struct config *c)
{
        c->certificate = setting_path_below(c, STR("tls/certificate.pem"));
        c->key = setting_path_below(c, STR("tls/key.pem"));
        c->separator = '+';
        c->message_size = 50 * MEGA;
        c->recipients = 100;
        c->workers = 256;
        c->connections = 20000;
        c->connections_per_address = 1000;
        c->login_failures = 20;
        c->idle_smtp = 300;     /* RFC 5321 4.5.3.2.7: at least five minutes */
        c->idle_imap = 30 * 60; /* RFC 9051 5.4 */
        c->idle_nntp = 10 * 60; /* RFC 3977 3.1: at least three minutes */
        c->reserve = 256 * MEGA;
        c->ballast = 96 * MEGA;
        c->log_file = 16 * MEGA;
        c->bounce_limit = 3;
        c->mx_port = SMTP_PORT;
        c->retry_first = 5 * 60;
        c->retry_most = 4 * 3600;
        c->warn = 4 * 3600;
        c->give_up = 5 * 86400; /* RFC 5321 4.5.4.1: at least 4 to 5 days */
        c->log_level = STR("notes");
        c->listen = arena_alloc(c->arena, LISTENERS_MAX * sizeof *c->listen);
}

/* ---- lines ---- */

/* A section [listen NAME] is whole: has it what it needs? */
static enum status listen_end(struct reading *r)
{
        struct listen_config *l = r->listen;
        unsigned line = r->line;
        if (!l)
                return OK;
        r->line = r->listen_line;
        if (!l->protocol.len)
                return setting_refuse(r, "[listen %.*s] needs a protocol", STR_ARG(l->name));
        if (!l->address.len)
                l->address = STR("::");
        if (!l->port && !str_starts(l->address, STR("/")))
                return setting_refuse(r, "[listen %.*s] needs a port", STR_ARG(l->name));
        r->line = line;
        return OK;
}

static enum status listen_begin(struct reading *r, struct str name)
{
        struct config *c = r->config;
        if (!name.len)
                return setting_refuse(r, "a listener needs a name, like [listen imaps]");
        for (size_t i = 0; i < c->listen_count; i++) {
                if (str_same(c->listen[i].name, name))
                        return setting_refuse(r, "[listen %.*s] is there twice", STR_ARG(name));
        }
        if (c->listen_count == LISTENERS_MAX)
                return setting_refuse(r, "more than %d listeners", LISTENERS_MAX);
        r->listen = &c->listen[c->listen_count++];
        const struct listen_config *usual = usual_listener(name);
        if (usual)
                *r->listen = *usual;
        r->listen->name = arena_lower(c->arena, name);
        r->listen_line = r->line;
        r->given_listen = 0;
        return OK;
}

static enum status section_begin(struct reading *r, struct str line)
{
        struct str inner = line, word;
        enum status st = listen_end(r);
        if (st != OK)
                return st;
        r->listen = NULL;
        if (!str_ends(line, STR("]")))
                return setting_refuse(r, "a section's name ends in ']'");
        inner = str_sub(line, 1, line.len - 2);
        if (!str_word(&inner, &word))
                word = STR("");
        inner = str_trim(inner);
        if (str_same(word, STR("listen"))) {
                r->section = "listen";
                return listen_begin(r, inner);
        }
        for (size_t i = 0; i < COUNT_OF(keys) && !inner.len; i++) {
                if (str_same(word, str_of(keys[i].section))) {
                        r->section = keys[i].section;
                        return OK;
                }
        }
        return setting_refuse(r,
                "there is no section %.*s; there are [site], [listen NAME], [login], [limits], "
                "[relay] and [store]",
                STR_ARG(line));
}

static enum status unknown_key(struct reading *r, struct str name)
{
        for (size_t i = 0; i < COUNT_OF(keys); i++) {
                if (str_same(str_of(keys[i].name), name))
                        return setting_refuse(r, "%s belongs into [%s]", keys[i].name, keys[i].section);
        }
        for (size_t i = 0; i < COUNT_OF(keys); i++) {
                if (!strcmp(keys[i].section, r->section) && near_enough(name, str_of(keys[i].name)))
                        return setting_refuse(r, "there is no key '%.*s' in [%s]; was %s meant?",
                                STR_ARG(name), r->section, keys[i].name);
        }
        return setting_refuse(r, "there is no key '%.*s' in [%s]", STR_ARG(name), r->section);
}

static enum status key_line(struct reading *r, struct str line)
{
        size_t equals = str_chr(line, '=');
        struct str name, value;
        if (equals == STR_NOWHERE)
                return setting_refuse(r, "a line is 'key = value', '[section]' or '# comment'");
        name = str_trim(str_sub(line, 0, equals));
        value = str_trim(str_from(line, equals + 1));
        if (!r->section)
                return setting_refuse(r, "before the first key comes a section, like [site]");
        for (size_t i = 0; i < COUNT_OF(keys); i++) {
                uint64_t *given = r->listen ? &r->given_listen : &r->given;
                if (strcmp(keys[i].section, r->section) != 0 ||
                        !str_same(str_of(keys[i].name), name))
                        continue;
                if (*given & (uint64_t)1 << i)
                        return setting_refuse(r, "%s is set twice", keys[i].name);
                *given |= (uint64_t)1 << i;
                return keys[i].read(r, &keys[i], value);
        }
        return unknown_key(r, name);
}

/* A '#' begins a comment at the start of a line and after a blank. */
static struct str without_comment(struct str line)
{
        for (size_t i = 0; i < line.len; i++) {
                if (line.at[i] == '#' &&
                        (i == 0 || line.at[i - 1] == ' ' || line.at[i - 1] == '\t'))
                        return str_trim(str_sub(line, 0, i));
        }
        return str_trim(line);
}

bool config_relays(const struct config *c)
{
        return c->relay_mx || c->relay_host.len;
}

/* A login needs both its parts, and one server. By MX, a domain that does not answer keeps a sender
 * for a while: it has more of them. */
static enum status relay_end(struct reading *r)
{
        struct config *c = r->config;
        if (!c->relay_senders)
                c->relay_senders = c->relay_mx ? SENDERS_MX : SENDERS;
        r->line = 0;
        if (!c->relay_user.len != !c->relay_password_file.len)
                return setting_refuse(
                        r, "[relay] relay-user and relay-password-file belong together");
        if (c->relay_mx && c->relay_user.len)
                return setting_refuse(
                        r, "[relay] relay-user is a login at one server: relay = host:port, not mx");
        return OK;
}

static enum status read_lines(struct reading *r, struct str text)
{
        struct str line;
        enum status st = OK;
        if (str_starts(text, STR("\xEF\xBB\xBF"))) /* an editor's byte order mark */
                text = str_from(text, 3);
        while (st == OK && str_line(&text, &line)) {
                r->line++;
                if (memchr(line.at, 0, line.len))
                        return setting_refuse(r, "the file is not text");
                line = without_comment(line);
                if (line.len)
                        st = line.at[0] == '[' ? section_begin(r, line) : key_line(r, line);
        }
        if (st == OK)
                st = listen_end(r);
        if (st == OK && !r->config->domain.len) {
                r->line = 0;
                return setting_refuse(r,
                        "[site] needs 'domain = team.example': the part of addresses behind the @");
        }
        return st == OK ? relay_end(r) : st;
}

static enum status load(const char *path, struct buf *out)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = 1;
        if (fd < 0)
                return errno == ENOENT || errno == ENOTDIR ? ABSENT : BROKEN;
        while (n > 0 && out->len <= FILE_MAX) {
                n = read(fd, buf_reserve(out, 65536), 65536);
                if (n > 0)
                        out->len += (size_t)n;
        }
        int saved = errno;
        close(fd);
        errno = saved;
        return n < 0 ? BROKEN : out->len > FILE_MAX ? TOO_BIG : OK;
}

static char *explain_load(enum status st, const char *home, const char *path)
{
        struct buf out = {0};
        if (st == ABSENT)
                buf_addf(&out,
                        "there is no site in %s (%s is missing): make one with 'baton --home %s "
                        "init "
                        "--domain team.example', or name its folder with --home",
                        home, path, home);
        else if (st == TOO_BIG)
                buf_addf(&out, "%s: longer than 1 MB", path);
        else
                buf_addf(&out, "%s: cannot be read: %s", path, strerror(errno));
        char *text = mem_text(buf_text(&out));
        buf_release(&out);
        return text;
}

static char *explain_line(const struct reading *r)
{
        struct buf out = {0};
        struct str file = r->config->file;
        if (r->line)
                buf_addf(&out, "%.*s:%u: ", STR_ARG(file), r->line);
        else
                buf_addf(&out, "%.*s: ", STR_ARG(file));
        buf_add(&out, buf_str(&r->reason));
        char *text = mem_text(buf_text(&out));
        buf_release(&out);
        return text;
}

static struct config *config_new(const char *home)
{
        struct config *c = mem_new(sizeof *c);
        char *real = realpath(home, NULL);
        c->arena = arena_new();
        c->home = arena_copy(c->arena, str_of(real ? real : home));
        c->file = setting_path_below(c, STR("baton.conf"));
        free(real);
        defaults(c);
        return c;
}

enum status config_read(const char *home, struct config **out, char **why)
{
        struct reading r = {.config = config_new(home)};
        struct buf text = {0};
        enum status st = load(r.config->file.at, &text);
        *out = NULL;
        *why = NULL;
        if (st != OK) {
                *why = explain_load(st, home, r.config->file.at);
        } else {
                st = read_lines(&r, buf_str(&text));
                if (st != OK)
                        *why = explain_line(&r);
        }
        if (st == OK && !r.config->host.len)
                r.config->host = r.config->domain;
        buf_release(&text);
        buf_release(&r.reason);
        if (st != OK) {
                config_free(r.config);
                return st == ABSENT ? ABSENT : INVALID;
        }
        *out = r.config;
        return OK;
}

void config_free(struct config *c)
{
        while (c) {
                struct config *previous = c->previous;
                arena_free(c->arena);
                free(c);
                c = previous;
        }
}
