#include "team/config.h"
#include "team/near.h"
#include "team/usual.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20, LISTENERS_MAX = 64, SMTP_PORT = 25 };

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

struct key {
        const char *section, *name;
        enum status (*read)(struct reading *, const struct key *, struct str);
        size_t offset;
        uint64_t least, most;
};

static enum status refuse(struct reading *r, const char *format, ...) PRINTF(2, 3);

static enum status refuse(struct reading *r, const char *format, ...)
{
        va_list list;
        va_start(list, format);
        buf_vaddf(&r->reason, format, list);
        va_end(list);
        return INVALID;
}

/* Where a key's value goes: listeners' keys are offsets into struct listen_config. */
static void *place_of(struct reading *r, const struct key *key)
{
        char *base = r->listen ? (char *)r->listen : (char *)r->config;
        return base + key->offset;
}

/* ---- values ---- */

static enum status read_text(struct reading *r, const struct key *key, struct str value)
{
        struct str *out = place_of(r, key);
        if (!value.len)
                return refuse(r, "%s needs a value", key->name);
        *out = arena_copy(r->config->arena, value);
        return OK;
}

bool config_domain(struct str s)
{
        struct str label;
        if (!s.len || s.len > 253 || str_chr(s, '.') == 0 || str_ends(s, STR(".")))
                return false;
        while (str_cut(&s, '.', &label)) {
                if (!label.len || label.len > 63 || label.at[0] == '-' || str_ends(label, STR("-")))
                        return false;
                for (size_t i = 0; i < label.len; i++) {
                        char c = ascii_lower(label.at[i]);
                        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
                                return false;
                }
        }
        return true;
}

static enum status read_domain(struct reading *r, const struct key *key, struct str value)
{
        struct str *out = place_of(r, key);
        if (!config_domain(value))
                return refuse(r, "'%.*s' is not a domain name (like team.example)", STR_ARG(value));
        *out = arena_lower(r->config->arena, value);
        return OK;
}

static struct str path_below(struct config *c, struct str value)
{
        if (str_starts(value, STR("/")))
                return arena_copy(c->arena, value);
        return arena_printf(c->arena, "%.*s/%.*s", STR_ARG(c->home), STR_ARG(value));
}

static enum status read_path(struct reading *r, const struct key *key, struct str value)
{
        struct str *out = place_of(r, key);
        if (!value.len)
                return refuse(
                        r, "%s needs a path (relative ones start at the home folder)", key->name);
        *out = path_below(r->config, value);
        return OK;
}

/* "*" is every address; what holds a slash is a unix socket's path. */
static enum status read_address(struct reading *r, const struct key *key, struct str value)
{
        struct str *out = place_of(r, key);
        if (!value.len)
                return refuse(r, "address needs an IP address, * for all, or a socket's path");
        if (str_chr(value, '/') != STR_NOWHERE)
                *out = path_below(r->config, value);
        else
                *out = arena_copy(r->config->arena, str_eq(value, STR("*")) ? STR("::") : value);
        return OK;
}

/* The number in front, what is behind it times `unit`s. */
static bool number_with(struct str value, const char *units, const uint64_t *factors, uint64_t *out)
{
        struct str digits = value;
        uint64_t factor = 1;
        const char *unit = value.len ? strchr(units, value.at[value.len - 1]) : NULL;
        if (unit) {
                factor = factors[unit - units];
                digits = str_trim(str_sub(value, 0, value.len - 1));
        }
        if (str_u64(digits, out) != OK || *out > UINT64_MAX / factor)
                return false;
        *out *= factor;
        return true;
}

static enum status read_size(struct reading *r, const struct key *key, struct str value)
{
        static const uint64_t factors[] = {1 << 10, 1 << 20, 1 << 30, 1 << 10, 1 << 20, 1 << 30};
        uint64_t *out = place_of(r, key), n;
        if (!number_with(value, "kMGKmg", factors, &n))
                return refuse(r, "%s needs a size like 64k, 50M or 2G, not '%.*s'", key->name,
                        STR_ARG(value));
        if (n < key->least || n > key->most)
                return refuse(r, "%s must lie between %lluk and %lluk", key->name,
                        (unsigned long long)(key->least >> 10),
                        (unsigned long long)(key->most >> 10));
        *out = n;
        return OK;
}

static enum status read_seconds(struct reading *r, const struct key *key, struct str value)
{
        static const uint64_t factors[] = {1, 60, 3600, 86400};
        unsigned *out = place_of(r, key);
        uint64_t n;
        if (!number_with(value, "smhd", factors, &n))
                return refuse(r, "%s needs a time like 90s, 30m or 1h, not '%.*s'", key->name,
                        STR_ARG(value));
        if (n < key->least || n > key->most)
                return refuse(r, "%s must lie between %llus and %llus", key->name,
                        (unsigned long long)key->least, (unsigned long long)key->most);
        *out = (unsigned)n;
        return OK;
}

static enum status read_count(struct reading *r, const struct key *key, struct str value)
{
        unsigned *out = place_of(r, key);
        uint64_t n;
        if (str_u64(value, &n) != OK || n < key->least || n > key->most)
                return refuse(r, "%s needs a number from %llu to %llu, not '%.*s'", key->name,
                        (unsigned long long)key->least, (unsigned long long)key->most,
                        STR_ARG(value));
        *out = (unsigned)n;
        return OK;
}

static enum status read_port(struct reading *r, const struct key *key, struct str value)
{
        uint16_t *out = place_of(r, key);
        uint64_t n;
        if (str_u64(value, &n) != OK || n < 1 || n > 65535)
                return refuse(r, "port needs a number from 1 to 65535, not '%.*s'", STR_ARG(value));
        *out = (uint16_t)n;
        return OK;
}

static enum status read_bool(struct reading *r, const struct key *key, struct str value)
{
        bool *out = place_of(r, key);
        *out = str_same(value, STR("yes"));
        if (!*out && !str_same(value, STR("no")))
                return refuse(r, "%s needs yes or no, not '%.*s'", key->name, STR_ARG(value));
        return OK;
}

static enum status read_cleartext(struct reading *r, const struct key *key, struct str value)
{
        enum cleartext *out = place_of(r, key);
        if (str_same(value, STR("loopback")))
                *out = CLEARTEXT_LOOPBACK;
        else if (str_same(value, STR("never")))
                *out = CLEARTEXT_NEVER;
        else if (str_same(value, STR("always")))
                *out = CLEARTEXT_ALWAYS;
        else
                return refuse(r, "cleartext-login needs loopback, never or always, not '%.*s'",
                        STR_ARG(value));
        return OK;
}

/* host:port, [2001:db8::7]:port, or a host alone. */
static enum status read_relay(struct reading *r, const struct key *key, struct str value)
{
        struct config *c = r->config;
        size_t colon = str_rchr(value, ':');
        struct str host = str_sub(value, 0, colon);
        bool framed = str_starts(value, STR("["));
        uint32_t port = SMTP_PORT;
        if (framed && str_ends(value, STR("]")))
                host = value;
        else if (colon != STR_NOWHERE && (str_u32(str_from(value, colon + 1), &port) != OK ||
                                                 port < 1 || port > 65535))
                return refuse(r, "%s needs host:port, not '%.*s'", key->name, STR_ARG(value));
        if (framed && str_ends(host, STR("]")))
                host = str_sub(host, 1, host.len - 2);
        if (!host.len || str_chr(host, ' ') != STR_NOWHERE ||
                (!framed && str_chr(host, ':') != STR_NOWHERE))
                return refuse(r, "%s needs host:port, not '%.*s'", key->name, STR_ARG(value));
        c->relay_host = arena_copy(c->arena, host);
        c->relay_port = (uint16_t)port;
        return OK;
}

static enum status read_relay_tls(struct reading *r, const struct key *key, struct str value)
{
        enum relay_tls *out = place_of(r, key);
        if (str_same(value, STR("may")))
                *out = RELAY_TLS_MAY;
        else if (str_same(value, STR("must")))
                *out = RELAY_TLS_MUST;
        else if (str_same(value, STR("never")))
                *out = RELAY_TLS_NEVER;
        else
                return refuse(r, "relay-tls needs may, must or never, not '%.*s'", STR_ARG(value));
        return OK;
}

static enum status read_separator(struct reading *r, const struct key *key, struct str value)
{
        char *out = place_of(r, key);
        if (value.len != 1 || !strchr("+=_#%~!$&*", value.at[0]))
                return refuse(
                        r, "separator needs one character of + = _ #, not '%.*s'", STR_ARG(value));
        *out = value.at[0];
        return OK;
}

static enum status read_protocol(struct reading *r, const struct key *key, struct str value)
{
        static const char *const known[] = {
                "smtp", "submission", "lmtp", "imap", "nntp", "deliver"};
        struct str *out = place_of(r, key);
        for (size_t i = 0; i < COUNT_OF(known); i++) {
                if (str_same(value, str_of(known[i]))) {
                        *out = str_of(known[i]);
                        return OK;
                }
        }
        return refuse(r, "protocol needs smtp, submission, lmtp, imap, nntp or deliver, not '%.*s'",
                STR_ARG(value));
}

static enum status read_level(struct reading *r, const struct key *key, struct str value)
{
        static const char *const known[] = {"errors", "warnings", "notes", "details"};
        struct str *out = place_of(r, key);
        for (size_t i = 0; i < COUNT_OF(known); i++) {
                if (str_same(value, str_of(known[i]))) {
                        *out = str_of(known[i]);
                        return OK;
                }
        }
        return refuse(
                r, "log needs errors, warnings, notes or details, not '%.*s'", STR_ARG(value));
}

static enum status read_deliver_users(struct reading *r, const struct key *key, struct str value)
{
        struct config *c = r->config;
        struct str rest = value, part, word;
        (void)key;
        c->deliver_users = arena_alloc(c->arena, (value.len / 2 + 1) * sizeof *c->deliver_users);
        while (str_cut(&rest, ',', &part)) {
                while (str_word(&part, &word))
                        c->deliver_users[c->deliver_user_count++] = arena_copy(c->arena, word);
        }
        return OK;
}

/* ---- the keys ---- */

enum { MEGA = 1 << 20 };
#define GIGA ((uint64_t)1 << 30)
#define IN_SITE(field) offsetof(struct config, field)
#define IN_LISTEN(field) offsetof(struct listen_config, field)

/* clang-format off */
static const struct key keys[] = {
        /* section  name                       read                offset                            least     most */
        { "site",   "domain",                  read_domain,        IN_SITE(domain),                  0,        0         },
        { "site",   "host",                    read_domain,        IN_SITE(host),                    0,        0         },
        { "site",   "user",                    read_text,          IN_SITE(user),                    0,        0         },
        { "site",   "certificate",             read_path,          IN_SITE(certificate),             0,        0         },
        { "site",   "key",                     read_path,          IN_SITE(key),                     0,        0         },
        { "site",   "separator",               read_separator,     IN_SITE(separator),               0,        0         },
        { "site",   "log",                     read_level,         IN_SITE(log_level),               0,        0         },
        { "listen", "protocol",                read_protocol,      IN_LISTEN(protocol),              0,        0         },
        { "listen", "address",                 read_address,       IN_LISTEN(address),               0,        0         },
        { "listen", "port",                    read_port,          IN_LISTEN(port),                  0,        0         },
        { "listen", "tls",                     read_bool,          IN_LISTEN(tls),                   0,        0         },
        { "login",  "cleartext-login",         read_cleartext,     IN_SITE(cleartext_login),         0,        0         },
        { "login",  "login-failures",          read_count,         IN_SITE(login_failures),          1,        1000000   },
        { "login",  "deliver-users",           read_deliver_users, 0,                                0,        0         },
        { "limits", "message-size",            read_size,          IN_SITE(message_size),            1 << 16,  GIGA      },
        { "limits", "recipients",              read_count,         IN_SITE(recipients),              1,        10000     },
        { "limits", "workers",                 read_count,         IN_SITE(workers),                 2,        4096      },
        { "limits", "connections",             read_count,         IN_SITE(connections),             1,        1000000   },
        { "limits", "connections-per-address", read_count,         IN_SITE(connections_per_address), 1,        1000000   },
        { "limits", "idle-smtp",               read_seconds,       IN_SITE(idle_smtp),               10,       86400     },
        { "limits", "idle-imap",               read_seconds,       IN_SITE(idle_imap),               60,       7 * 86400 },
        { "limits", "idle-nntp",               read_seconds,       IN_SITE(idle_nntp),               60,       7 * 86400 },
        { "relay",  "relay",                 read_relay,          0,                               0,        0         },
        { "relay",  "relay-user",            read_text,           IN_SITE(relay_user),             0,        0         },
        { "relay",  "relay-password-file",   read_path,           IN_SITE(relay_password_file),    0,        0         },
        { "relay",  "relay-tls",             read_relay_tls,      IN_SITE(relay_tls),              0,        0         },
        { "relay",  "relay-roots",           read_path,           IN_SITE(relay_roots),            0,        0         },
        { "relay",  "relay-senders",         read_count,          IN_SITE(relay_senders),          1,        64        },
        { "relay",  "retry-first",           read_seconds,        IN_SITE(retry_first),            1,        86400     },
        { "relay",  "retry-most",            read_seconds,        IN_SITE(retry_most),             1,        7 * 86400 },
        { "relay",  "warn",                  read_seconds,        IN_SITE(warn),                   1,        30 * 86400 },
        { "relay",  "give-up",               read_seconds,        IN_SITE(give_up),                1,        30 * 86400 },
        { "relay",  "reply-wait",            read_seconds,        IN_SITE(reply_wait),             1,        3600      },
        { "store",  "cache",                   read_size,          IN_SITE(cache),                   MEGA,     64 * GIGA },
        { "store",  "reserve",                 read_size,          IN_SITE(reserve),                 MEGA,     1024 * GIGA },
        { "store",  "ballast",                 read_size,          IN_SITE(ballast),                 MEGA,     16 * GIGA },
        { "store",  "log-file",                read_size,          IN_SITE(log_file),                MEGA,     GIGA      },
};
/* clang-format on */

static void defaults(struct config *c)
{
        c->certificate = path_below(c, STR("tls/certificate.pem"));
        c->key = path_below(c, STR("tls/key.pem"));
        c->separator = '+';
        c->message_size = 50 * MEGA;
        c->recipients = 100;
        c->workers = 64;
        c->connections = 20000;
        c->connections_per_address = 1000;
        c->login_failures = 20;
        c->idle_smtp = 300;     /* RFC 5321 4.5.3.2.7: at least five minutes */
        c->idle_imap = 30 * 60; /* RFC 9051 5.4 */
        c->idle_nntp = 10 * 60; /* RFC 3977 3.1: at least three minutes */
        c->cache = 256 * MEGA;
        c->reserve = 256 * MEGA;
        c->ballast = 32 * MEGA;
        c->log_file = 16 * MEGA;
        c->relay_senders = 4;
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
                return refuse(r, "[listen %.*s] needs a protocol", STR_ARG(l->name));
        if (!l->address.len)
                l->address = STR("::");
        if (!l->port && !str_starts(l->address, STR("/")))
                return refuse(r, "[listen %.*s] needs a port", STR_ARG(l->name));
        r->line = line;
        return OK;
}

static enum status listen_begin(struct reading *r, struct str name)
{
        struct config *c = r->config;
        if (!name.len)
                return refuse(r, "a listener needs a name, like [listen imaps]");
        for (size_t i = 0; i < c->listen_count; i++) {
                if (str_same(c->listen[i].name, name))
                        return refuse(r, "[listen %.*s] is there twice", STR_ARG(name));
        }
        if (c->listen_count == LISTENERS_MAX)
                return refuse(r, "more than %d listeners", LISTENERS_MAX);
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
                return refuse(r, "a section's name ends in ']'");
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
        return refuse(r,
                "there is no section %.*s; there are [site], [listen NAME], [login], [limits], "
                "[relay] and [store]",
                STR_ARG(line));
}

static enum status unknown_key(struct reading *r, struct str name)
{
        for (size_t i = 0; i < COUNT_OF(keys); i++) {
                if (str_same(str_of(keys[i].name), name))
                        return refuse(r, "%s belongs into [%s]", keys[i].name, keys[i].section);
        }
        for (size_t i = 0; i < COUNT_OF(keys); i++) {
                if (!strcmp(keys[i].section, r->section) && near_enough(name, str_of(keys[i].name)))
                        return refuse(r, "there is no key '%.*s' in [%s]; was %s meant?",
                                STR_ARG(name), r->section, keys[i].name);
        }
        return refuse(r, "there is no key '%.*s' in [%s]", STR_ARG(name), r->section);
}

static enum status key_line(struct reading *r, struct str line)
{
        size_t equals = str_chr(line, '=');
        struct str name, value;
        if (equals == STR_NOWHERE)
                return refuse(r, "a line is 'key = value', '[section]' or '# comment'");
        name = str_trim(str_sub(line, 0, equals));
        value = str_trim(str_from(line, equals + 1));
        if (!r->section)
                return refuse(r, "before the first key comes a section, like [site]");
        for (size_t i = 0; i < COUNT_OF(keys); i++) {
                uint64_t *given = r->listen ? &r->given_listen : &r->given;
                if (strcmp(keys[i].section, r->section) != 0 ||
                        !str_same(str_of(keys[i].name), name))
                        continue;
                if (*given & (uint64_t)1 << i)
                        return refuse(r, "%s is set twice", keys[i].name);
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

/* A login needs both its parts. */
static enum status relay_end(struct reading *r)
{
        const struct config *c = r->config;
        if (!c->relay_user.len == !c->relay_password_file.len)
                return OK;
        r->line = 0;
        return refuse(r, "[relay] relay-user and relay-password-file belong together");
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
                        return refuse(r, "the file is not text");
                line = without_comment(line);
                if (line.len)
                        st = line.at[0] == '[' ? section_begin(r, line) : key_line(r, line);
        }
        if (st == OK)
                st = listen_end(r);
        if (st == OK && !r->config->domain.len) {
                r->line = 0;
                return refuse(r,
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
        c->file = path_below(c, STR("baton.conf"));
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
