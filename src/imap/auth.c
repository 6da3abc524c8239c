#include "base/log.h"
#include "imap/inside.h"
#include "team/login.h"

/* ---- what is offered ---- */

static bool may_log_in(struct session *s)
{
        return rules_cleartext(s->site, wire_secure(s->wire), wire_peer(s->wire)->loopback);
}

static bool offers_tls(struct session *s)
{
        return s->site->tls && !wire_secure(s->wire);
}

void imap_print_capabilities(struct session *s, struct buf *out)
{
        buf_add_text(out, "CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE");
        if (s->person) {
                buf_add_text(out,
                        " NAMESPACE CHILDREN UNSELECT UIDPLUS MULTIAPPEND MOVE WITHIN"
                        " SPECIAL-USE CREATE-SPECIAL-USE"
                        " LIST-EXTENDED LIST-STATUS STATUS=SIZE CONDSTORE QRESYNC ESEARCH SEARCHRES"
                        " SORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES BINARY UTF8=ACCEPT");
                if (!wire_compressed(s->wire))
                        buf_add_text(out, " COMPRESS=DEFLATE");
                buf_addf(out, " APPENDLIMIT=%llu",
                        (unsigned long long)site_config(s->site)->message_size);
                return;
        }
        if (offers_tls(s))
                buf_add_text(out, " STARTTLS");
        buf_add_text(out, login_binds(s->wire) ? " AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256"
                                               : " AUTH=SCRAM-SHA-256");
        buf_add_text(out, may_log_in(s) ? " AUTH=PLAIN AUTH=LOGIN" : " LOGINDISABLED");
}

enum status imap_capability(struct session *s, const struct args *a)
{
        (void)a;
        buf_add_text(imap_out(s), "* ");
        imap_print_capabilities(s, imap_out(s));
        imap_end(s);
        return OK;
}

/* NOOP and CHECK: what there is to tell is told behind every command. */
enum status imap_noop(struct session *s, const struct args *a)
{
        (void)s;
        (void)a;
        return OK;
}

enum status imap_logout(struct session *s, const struct args *a)
{
        (void)a;
        imap_deselect(s);
        imap_line(s, "* BYE Until next time");
        imap_line(s, "%.*s OK LOGOUT done", STR_ARG(s->tag));
        wire_close(s->wire);
        return CLOSED;
}

/* RFC 2971: what a client says of itself is for the log. */
enum status imap_id(struct session *s, const struct args *a)
{
        struct parse p = imap_arguments(s, a);
        struct buf said = {0};
        unsigned count = 0;
        if (parse_char(&p, '(')) {
                while (!p.bad && !parse_char(&p, ')')) {
                        if (count > 0)
                                parse_space(&p);
                        struct str value = parse_nstring(&p);
                        buf_addf(&said, " %.*s", STR_ARG(str_sub(value, 0, 100)));
                        if (++count > 60)
                                parse_fail(&p);
                }
        } else if (!parse_word(&p, "NIL")) {
                parse_fail(&p);
        }
        if (parse_end(&p) && said.len)
                log_detail("imap: client%.*s", STR_ARG(buf_str(&said)));
        buf_release(&said);
        if (p.bad)
                return INVALID;
        imap_line(s, "* ID (\"name\" \"Baton\" \"vendor\" \"Baton\")");
        return OK;
}

/* RFC 5161: what is not known is passed over. */
enum status imap_enable(struct session *s, const struct args *a)
{
        /* clang-format off */
        static const struct { const char *name; unsigned bits; } known[] = {
                {"CONDSTORE", ENABLED_CONDSTORE}, {"QRESYNC", ENABLED_CONDSTORE | ENABLED_QRESYNC},
                {"IMAP4rev2", ENABLED_REV2}, {"UTF8=ACCEPT", ENABLED_UTF8}};
        /* clang-format on */
        struct parse p = imap_arguments(s, a);
        unsigned asked = 0;
        do {
                struct str name = parse_atom(&p);
                for (size_t i = 0; i < COUNT_OF(known); i++)
                        if (str_same(name, str_of(known[i].name)))
                                asked |= 1U << i;
        } while (!p.bad && parse_char(&p, ' '));
        if (!parse_end(&p))
                return INVALID;
        buf_add_text(imap_out(s), "* ENABLED");
        for (size_t i = 0; i < COUNT_OF(known); i++)
                if ((asked & 1U << i) && (s->enabled & known[i].bits) != known[i].bits)
                        buf_addf(imap_out(s), " %s", known[i].name);
        imap_end(s);
        for (size_t i = 0; i < COUNT_OF(known); i++) {
                if (!(asked & 1U << i))
                        continue;
                if (known[i].bits & ENABLED_CONDSTORE)
                        imap_condstore(s);
                s->enabled |= known[i].bits;
        }
        return OK;
}

enum status imap_starttls(struct session *s, const struct args *a)
{
        (void)a;
        if (wire_secure(s->wire))
                return imap_refuse(s, INVALID, "[CLIENTBUG] This connection is under TLS already");
        if (!s->site->tls)
                return imap_refuse(s, UNSUPPORTED, "[UNAVAILABLE] This server has no certificate");
        imap_line(s, "%.*s OK Begin TLS now", STR_ARG(s->tag));
        enum status st = wire_starttls(s->wire, s->site->tls); /* closes when it fails */
        if (st != OK)
                log_detail("imap: no TLS with %.*s", STR_ARG(wire_peer(s->wire)->address));
        return CLOSED; /* it is answered */
}

/* RFC 4978. Strangers get no compression: it costs memory. */
enum status imap_compress(struct session *s, const struct args *a)
{
        struct parse p = imap_arguments(s, a);
        struct str algorithm = parse_atom(&p);
        if (!parse_end(&p))
                return INVALID;
        if (!str_same(algorithm, STR("DEFLATE")))
                return imap_refuse(s, UNSUPPORTED, "[CANNOT] DEFLATE is what is offered");
        if (wire_compressed(s->wire))
                return imap_refuse(s, EXISTS, "[COMPRESSIONACTIVE] It is compressed already");
        imap_line(s, "%.*s OK DEFLATE active", STR_ARG(s->tag));
        wire_compress(s->wire);
        return CLOSED; /* it is answered */
}

/* ---- logging in ---- */

static enum status welcome(struct session *s, const struct person *person)
{
        s->person = person->id;
        s->bad = 0;
        wire_person(s->wire, person->id);
        wire_line_limit(s->wire, LINE_MAX_OCTETS);
        wire_idle_limit(s->wire, site_config(s->site)->idle_imap);
        log_note("imap: %.*s logged in from %.*s%s", STR_ARG(person->name),
                STR_ARG(wire_peer(s->wire)->address), wire_secure(s->wire) ? " under TLS" : "");
        struct buf capabilities = {0};
        imap_print_capabilities(s, &capabilities);
        imap_reply(
                s, "[%.*s] Welcome, %.*s", STR_ARG(buf_str(&capabilities)), STR_ARG(person->name));
        buf_release(&capabilities);
        return OK;
}

static enum status refuse_login(struct session *s, enum status st)
{
        if (st == TOO_MANY)
                return imap_refuse(
                        s, st, "[LIMIT] Too many failed logins from your address: wait a minute");
        return st;
}

static enum status log_in(struct session *s, struct str user, struct str password)
{
        struct person person;
        wire_aside(s->wire, true);
        enum status st = rules_login(
                s->site, user, password, wire_peer(s->wire)->address, s->arena, &person);
        wire_aside(s->wire, false);
        if (st == OK)
                return welcome(s, &person);
        return refuse_login(s, st);
}

static enum status need_privacy(struct session *s)
{
        if (may_log_in(s))
                return OK;
        return imap_refuse(s, FORBIDDEN, "[PRIVACYREQUIRED] Passwords go under TLS only here");
}

enum status imap_login(struct session *s, const struct args *a)
{
        struct parse p = imap_arguments(s, a);
        struct str user = parse_astring(&p);
        parse_space(&p);
        struct str password = parse_astring(&p);
        if (!parse_end(&p))
                return INVALID;
        enum status st = need_privacy(s);
        return st == OK ? log_in(s, user, password) : st;
}

/* The exchange up to its end; the client's lines are waited for. */
static enum status exchange(struct session *s, struct login *l, struct str response)
{
        struct buf challenge = {0};
        enum status st = login_step(l, response, &challenge);
        while (st == BUSY) {
                wire_say(s->wire, "+ %.*s", STR_ARG(buf_str(&challenge)));
                struct str line;
                buf_clear(&challenge);
                st = wire_line_wait(s->wire, &line);
                if (st == OK)
                        st = login_step(l, line, &challenge);
        }
        buf_release(&challenge);
        if (st == CHANGED)
                return imap_refuse(s, INVALID, "Given up as you wished");
        if (st == INVALID || st == TOO_BIG)
                return imap_refuse(s, INVALID, "[CLIENTBUG] That is no answer of this mechanism");
        if (st == FORBIDDEN)
                return imap_refuse(s, DENIED, "[AUTHORIZATIONFAILED] You can act for yourself only");
        return st == OK ? welcome(s, &l->person) : refuse_login(s, st);
}

enum status imap_authenticate(struct session *s, const struct args *a)
{
        struct parse p = imap_arguments(s, a);
        struct str mechanism = parse_atom(&p), response = STR_NONE;
        if (parse_char(&p, ' ') && p.at < p.end) {
                response = str_make(p.at, (size_t)(p.end - p.at)); /* base64, or "=" */
                p.at = p.end;
        }
        if (!parse_end(&p))
                return INVALID;
        struct login l = {.site = s->site, .wire = s->wire, .arena = s->arena};
        enum status st = login_start(&l, mechanism);
        if (st == OK)
                st = exchange(s, &l, response);
        else if (st == FORBIDDEN)
                st = need_privacy(s);
        else
                st = imap_refuse(s, st, "[CANNOT] Offered are: %s",
                        login_mechanisms(s->site, s->wire));
        login_release(&l);
        return st;
}
