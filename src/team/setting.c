#include "team/setting.h"
#include "wire/dns.h"

enum { SMTP_PORT = 25 };

enum status setting_refuse(struct reading *r, const char *format, ...)
{
        va_list list;
        va_start(list, format);
        buf_vaddf(&r->reason, format, list);
        va_end(list);
        return INVALID;
}

/* Where a key's value goes: listeners' keys are offsets into struct listen_config. */
static void *place_of(struct reading *r, const struct setting *key)
{
        char *base = r->listen ? (char *)r->listen : (char *)r->config;
        return base + key->offset;
}

enum status setting_text(struct reading *r, const struct setting *key, struct str value)
{
        struct str *out = place_of(r, key);
        if (!value.len)
                return setting_refuse(r, "%s needs a value", key->name);
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

enum status setting_domain(struct reading *r, const struct setting *key, struct str value)
{
        struct str *out = place_of(r, key);
        if (!config_domain(value))
                return setting_refuse(
                        r, "'%.*s' is not a domain name (like team.example)", STR_ARG(value));
        *out = arena_lower(r->config->arena, value);
        return OK;
}

struct str setting_path_below(struct config *c, struct str value)
{
        if (str_starts(value, STR("/")))
                return arena_copy(c->arena, value);
        return arena_printf(c->arena, "%.*s/%.*s", STR_ARG(c->home), STR_ARG(value));
}

enum status setting_path(struct reading *r, const struct setting *key, struct str value)
{
        struct str *out = place_of(r, key);
        if (!value.len)
                return setting_refuse(
                        r, "%s needs a path (relative ones start at the home folder)", key->name);
        *out = setting_path_below(r->config, value);
        return OK;
}

/* "*" is every address; what holds a slash is a unix socket's path. */
enum status setting_address(struct reading *r, const struct setting *key, struct str value)
{
        struct str *out = place_of(r, key);
        if (!value.len)
                return setting_refuse(
                        r, "address needs an IP address, * for all, or a socket's path");
        if (str_chr(value, '/') != STR_NOWHERE)
                *out = setting_path_below(r->config, value);
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

enum status setting_size(struct reading *r, const struct setting *key, struct str value)
{
        static const uint64_t factors[] = {1 << 10, 1 << 20, 1 << 30, 1 << 10, 1 << 20, 1 << 30};
        uint64_t *out = place_of(r, key), n;
        if (!number_with(value, "kMGKmg", factors, &n))
                return setting_refuse(r, "%s needs a size like 64k, 50M or 2G, not '%.*s'",
                        key->name, STR_ARG(value));
        if (n < key->least || n > key->most)
                return setting_refuse(r, "%s must lie between %lluk and %lluk", key->name,
                        (unsigned long long)(key->least >> 10),
                        (unsigned long long)(key->most >> 10));
        *out = n;
        return OK;
}

enum status setting_seconds(struct reading *r, const struct setting *key, struct str value)
{
        static const uint64_t factors[] = {1, 60, 3600, 86400};
        unsigned *out = place_of(r, key);
        uint64_t n;
        if (!number_with(value, "smhd", factors, &n))
                return setting_refuse(r, "%s needs a time like 90s, 30m or 1h, not '%.*s'",
                        key->name, STR_ARG(value));
        if (n < key->least || n > key->most)
                return setting_refuse(r, "%s must lie between %llus and %llus", key->name,
                        (unsigned long long)key->least, (unsigned long long)key->most);
        *out = (unsigned)n;
        return OK;
}

enum status setting_count(struct reading *r, const struct setting *key, struct str value)
{
        unsigned *out = place_of(r, key);
        uint64_t n;
        if (str_u64(value, &n) != OK || n < key->least || n > key->most)
                return setting_refuse(r, "%s needs a number from %llu to %llu, not '%.*s'",
                        key->name, (unsigned long long)key->least, (unsigned long long)key->most,
                        STR_ARG(value));
        *out = (unsigned)n;
        return OK;
}

enum status setting_port(struct reading *r, const struct setting *key, struct str value)
{
        uint16_t *out = place_of(r, key);
        uint64_t n;
        if (str_u64(value, &n) != OK || n < 1 || n > 65535)
                return setting_refuse(
                        r, "port needs a number from 1 to 65535, not '%.*s'", STR_ARG(value));
        *out = (uint16_t)n;
        return OK;
}

enum status setting_bool(struct reading *r, const struct setting *key, struct str value)
{
        bool *out = place_of(r, key);
        *out = str_same(value, STR("yes"));
        if (!*out && !str_same(value, STR("no")))
                return setting_refuse(
                        r, "%s needs yes or no, not '%.*s'", key->name, STR_ARG(value));
        return OK;
}

enum status setting_cleartext(struct reading *r, const struct setting *key, struct str value)
{
        enum cleartext *out = place_of(r, key);
        if (str_same(value, STR("loopback")))
                *out = CLEARTEXT_LOOPBACK;
        else if (str_same(value, STR("never")))
                *out = CLEARTEXT_NEVER;
        else if (str_same(value, STR("always")))
                *out = CLEARTEXT_ALWAYS;
        else
                return setting_refuse(r,
                        "cleartext-login needs loopback, never or always, not '%.*s'",
                        STR_ARG(value));
        return OK;
}

/* mx, or host:port, [2001:db8::7]:port, or a host alone. */
enum status setting_relay(struct reading *r, const struct setting *key, struct str value)
{
        struct config *c = r->config;
        size_t colon = str_rchr(value, ':');
        struct str host = str_sub(value, 0, colon);
        bool framed = str_starts(value, STR("["));
        uint32_t port = SMTP_PORT;
        c->relay_mx = str_same(value, STR("mx"));
        if (c->relay_mx)
                return OK;
        if (framed && str_ends(value, STR("]")))
                host = value;
        else if (colon != STR_NOWHERE &&
                 (str_u32(str_from(value, colon + 1), &port) != OK || port < 1 || port > 65535))
                return setting_refuse(
                        r, "%s needs host:port, or mx, not '%.*s'", key->name, STR_ARG(value));
        if (framed && str_ends(host, STR("]")))
                host = str_sub(host, 1, host.len - 2);
        if (!host.len || str_chr(host, ' ') != STR_NOWHERE ||
                (!framed && str_chr(host, ':') != STR_NOWHERE))
                return setting_refuse(
                        r, "%s needs host:port, or mx, not '%.*s'", key->name, STR_ARG(value));
        c->relay_host = arena_copy(c->arena, host);
        c->relay_port = (uint16_t)port;
        return OK;
}

/* Addresses with or without a port, between commas. */
enum status setting_resolver(struct reading *r, const struct setting *key, struct str value)
{
        struct str *out = place_of(r, key);
        if (!dns_is_servers(value))
                return setting_refuse(
                        r, "%s needs an address like 127.0.0.1 or 127.0.0.1:53, not '%.*s'",
                        key->name, STR_ARG(value));
        *out = arena_copy(r->config->arena, value);
        return OK;
}

enum status setting_relay_tls(struct reading *r, const struct setting *key, struct str value)
{
        enum relay_tls *out = place_of(r, key);
        if (str_same(value, STR("may")))
                *out = RELAY_TLS_MAY;
        else if (str_same(value, STR("must")))
                *out = RELAY_TLS_MUST;
        else if (str_same(value, STR("never")))
                *out = RELAY_TLS_NEVER;
        else
                return setting_refuse(
                        r, "relay-tls needs may, must or never, not '%.*s'", STR_ARG(value));
        return OK;
}

enum status setting_separator(struct reading *r, const struct setting *key, struct str value)
{
        char *out = place_of(r, key);
        if (value.len != 1 || !strchr("+=_#%~!$&*", value.at[0]))
                return setting_refuse(
                        r, "separator needs one character of + = _ #, not '%.*s'", STR_ARG(value));
        *out = value.at[0];
        return OK;
}

enum status setting_protocol(struct reading *r, const struct setting *key, struct str value)
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
        return setting_refuse(r,
                "protocol needs smtp, submission, lmtp, imap, nntp or deliver, not '%.*s'",
                STR_ARG(value));
}

enum status setting_level(struct reading *r, const struct setting *key, struct str value)
{
        static const char *const known[] = {"errors", "warnings", "notes", "details"};
        struct str *out = place_of(r, key);
        for (size_t i = 0; i < COUNT_OF(known); i++) {
                if (str_same(value, str_of(known[i]))) {
                        *out = str_of(known[i]);
                        return OK;
                }
        }
        return setting_refuse(
                r, "log needs errors, warnings, notes or details, not '%.*s'", STR_ARG(value));
}

enum status setting_deliver_users(struct reading *r, const struct setting *key, struct str value)
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

static bool is_token(struct str s)
{
        for (size_t i = 0; i < s.len; i++) {
                char c = ascii_lower(s.at[i]);
                if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-+_.", c))))
                        return false;
        }
        return s.len > 0;
}

/* "10:eng.*,!eng.ops:local" (RFC 3977 7.6.5); a wildmat has no colon and no blank in it. */
static bool is_distrib_pat(struct str s)
{
        struct str weight, pattern;
        uint32_t number;
        return str_cut(&s, ':', &weight) && str_u32(weight, &number) == OK &&
               str_cut(&s, ':', &pattern) && pattern.len && is_token(s);
}

enum status setting_distrib_pats(struct reading *r, const struct setting *key, struct str value)
{
        struct config *c = r->config;
        struct str word;
        c->distrib_pats = arena_alloc(c->arena, (value.len / 2 + 1) * sizeof *c->distrib_pats);
        while (str_word(&value, &word)) {
                if (!is_distrib_pat(word))
                        return setting_refuse(r,
                                "%s needs weight:wildmat:distribution, like 10:eng.*:local, not "
                                "'%.*s'",
                                key->name, STR_ARG(word));
                c->distrib_pats[c->distrib_pat_count++] = arena_copy(c->arena, word);
        }
        return OK;
}
