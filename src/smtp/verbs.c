#include "smtp/session.h"
#include "base/text.h"
#include "smtp/path.h"
#include "team/login.h"

/* ---- greetings ---- */

static void set_helo(struct session *s, const struct args *a)
{
        buf_set(&s->helo, smtp_shown(s, a->v[0]));
        smtp_reset(s); /* RFC 5321 4.1.4: EHLO is RSET too */
}

static enum status smtp_helo(struct session *s, const struct args *a)
{
        set_helo(s, a);
        struct str host = site_config(s->site)->host;
        smtp_say(s, "250 %.*s", STR_ARG(host));
        return OK;
}

static enum status smtp_ehlo(struct session *s, const struct args *a)
{
        set_helo(s, a);
        const struct config *c = site_config(s->site);
        smtp_say(s, "250-%.*s", STR_ARG(c->host));
        smtp_say(s, "250-PIPELINING");
        smtp_say(s, "250-SIZE %llu", (unsigned long long)c->message_size);
        smtp_say(s, "250-8BITMIME");
        smtp_say(s, "250-SMTPUTF8");
        smtp_say(s, "250-CHUNKING");
        if (s->site->tls && !wire_secure(s->wire) && s->door->way != WAY_PIPE)
                smtp_say(s, "250-STARTTLS");
        if (s->door->login && !s->person)
                smtp_say(s, "250-AUTH %s", login_mechanisms(s->site, s->wire));
        if (s->door->login)
                smtp_say(s, "250-DSN");
        smtp_say(s, "250-ENHANCEDSTATUSCODES");
        smtp_say(s, "250 HELP");
        return OK;
}

/* ---- the envelope ---- */

/* RFC 6531 3.5. True: refused, and said. */
static bool utf8_refused(struct session *s, struct str path)
{
        if (s->smtputf8 || text_is_ascii(path))
                return false;
        smtp_say(s, "553 5.6.7 An address that is not ASCII needs MAIL with SMTPUTF8");
        return true;
}

/* The checks that cost nothing, before the rules are asked. True: refused, and said. */
static bool mail_refused_early(struct session *s, struct str parameters, struct str path)
{
        struct mail_parameters p = {.may_auth = s->door->login, .may_dsn = s->door->login};
        enum status st = path_parameters(parameters, &p);
        struct str unknown = smtp_shown(s, p.unknown);
        s->smtputf8 = p.smtputf8;
        s->returned = p.returned;
        s->envelope_id = p.envelope_id; /* the command's until smtp_mail copies it */
        if (st == UNSUPPORTED)
                smtp_say(s, "555 5.5.4 The parameter %.*s is not offered", STR_ARG(unknown));
        else if (st != OK)
                smtp_say(s, "501 5.5.4 A parameter of MAIL has a bad value");
        else if (p.size > site_config(s->site)->message_size)
                smtp_no(s, TOO_BIG);
        else if (store_full(s->site->store))
                smtp_no(s, FULL);
        else
                return utf8_refused(s, path);
        return true;
}

static bool logged_in(struct session *s)
{
        if (!s->door->login || s->person)
                return true;
        if (smtp_may_login(s))
                smtp_say(s, "530 5.7.0 Authentication required");
        else
                smtp_say(s, "530 5.7.0 STARTTLS and authentication required");
        return false;
}

static enum status smtp_mail(struct session *s, const struct args *a)
{
        if (!logged_in(s))
                return OK;
        struct str rest = a->rest, path;
        if (path_take(s->arena, STR("FROM:"), &rest, &path) != OK ||
                (path.len && str_chr(path, '@') == STR_NOWHERE)) {
                smtp_say(s, "501 5.1.7 Syntax: MAIL FROM:<address>");
                return OK;
        }
        if (mail_refused_early(s, rest, path))
                return OK;
        s->mail = arena_new();
        s->reverse_path = arena_copy(s->mail, path);
        s->envelope_id = arena_copy(s->mail, s->envelope_id);
        if (s->trusted)
                s->person = path.len ? rules_person_of(s->site, path) : 0;
        enum refusal why = REFUSED_NOT;
        struct sender sender = smtp_sender(s);
        enum status st = submit_sender(s->site, &sender, &why);
        if (st != OK) {
                smtp_refuse(s, st, why, path);
                smtp_reset(s);
                return OK;
        }
        smtp_say(s, "250 2.1.0 Ok");
        return OK;
}

static bool may_read(struct session *s, uint32_t topic)
{
        struct rights rights;
        return rules_topic(s->site, s->person, topic, &rights) == OK && rights.read;
}

/* True: refused, and said. */
static bool rcpt_parameters_refused(struct session *s, struct str rest, struct rcpt_parameters *p)
{
        enum status st = path_rcpt_parameters(s->arena, rest, p);
        struct str unknown = smtp_shown(s, p->unknown);
        if (st == UNSUPPORTED)
                smtp_say(s, "555 5.5.4 The parameter %.*s is not offered", STR_ARG(unknown));
        else if (st != OK)
                smtp_say(s, "501 5.5.4 A parameter of RCPT has a bad value");
        return st != OK;
}

static enum status smtp_rcpt(struct session *s, const struct args *a)
{
        struct str rest = a->rest, path;
        const struct config *config = site_config(s->site);
        if (path_take(s->arena, STR("TO:"), &rest, &path) != OK || !path.len) {
                bool bare = a->rest.len > 5 && str_chr(a->rest, '@') == STR_NOWHERE;
                smtp_say(s, "501 5.1.3 Syntax: RCPT TO:<%s%.*s>%s", bare ? "name@" : "address",
                        STR_ARG(bare ? config->domain : STR("")),
                        bare ? ", an address names its domain" : "");
                return OK;
        }
        if (utf8_refused(s, path))
                return OK;
        if (s->chunks) { /* RFC 3030 2: the mail has begun */
                smtp_say(s, "503 5.5.1 The mail has begun by BDAT: no more recipients");
                return OK;
        }
        struct rcpt_parameters p = {.may_dsn = s->door->login, .smtputf8 = s->smtputf8};
        if (rcpt_parameters_refused(s, rest, &p))
                return OK;
        if (s->target_count >= config->recipients) {
                /* RFC 5321 4.5.3.1.10: who sends on shall not lose what was taken already */
                smtp_no(s, TOO_MANY);
                s->errors -= ++s->junk <= MOST_OVER;
                return OK;
        }
        if (str_chr(path, '@') == STR_NOWHERE) /* <postmaster>, RFC 5321 4.5.1 */
                path = arena_printf(
                        s->arena, "%.*s@%.*s", STR_ARG(path), STR_ARG(config->domain));
        struct target target = {0};
        enum refusal why = REFUSED_NOT;
        struct sender sender = smtp_sender(s);
        enum status st = submit_target(s->site, &sender, path, s->mail, &target, &why);
        if (st == OK)
                st = submit_beside(s->targets, s->target_count, &target, &why);
        if (why == REFUSED_COMMAND && !may_read(s, target.id))
                why = REFUSED_MEMBERS;
        if (st != OK) {
                smtp_refuse(s, st, why, path);
                return OK;
        }
        s->targets = mem_grow(s->targets, (s->target_count + 1) * sizeof *s->targets);
        target.address = arena_copy(s->mail, target.address);
        target.notify = p.notify;
        target.original = arena_copy(s->mail, p.original);
        s->targets[s->target_count++] = target;
        smtp_say(s, "250 2.1.5 Ok");
        return OK;
}

/* ---- the rest ---- */

static enum status smtp_rset(struct session *s, const struct args *a)
{
        (void)a;
        smtp_reset(s);
        smtp_say(s, "250 2.0.0 Ok");
        return OK;
}

static enum status smtp_noop(struct session *s, const struct args *a)
{
        (void)a;
        smtp_say(s, "250 2.0.0 Ok");
        return OK;
}

/* RFC 5321 7.3: who is here is not told to strangers; RCPT tells what is needed. */
static enum status smtp_vrfy(struct session *s, const struct args *a)
{
        (void)a;
        smtp_say(s, "252 2.5.2 Addresses are not verified here: send the mail and see");
        return OK;
}

static enum status smtp_expn(struct session *s, const struct args *a)
{
        (void)s;
        (void)a;
        return UNSUPPORTED;
}

static enum status smtp_help(struct session *s, const struct args *a)
{
        (void)a;
        for (size_t i = 0; i < smtp_verb_count; i++) {
                const struct verb *row = &smtp_verbs[i];
                bool here = !(row->needs & (s->door->lmtp ? SMTP_ONLY : LMTP_ONLY)) &&
                            (!(row->needs & LOGIN_DOOR) || s->door->login);
                if (here)
                        smtp_say(s, "214-2.0.0 %s %s", row->name, row->usage);
        }
        smtp_say(s, "214 2.0.0 RFC 5321 tells the rest");
        return OK;
}

static enum status smtp_quit(struct session *s, const struct args *a)
{
        (void)a;
        smtp_say(s, "221 2.0.0 Bye");
        wire_close(s->wire);
        return OK;
}

const struct verb smtp_verbs[] = { /* clang-format off */
        /* name        run            needs                 min max       usage */
        { "HELO",     smtp_helo,     SMTP_ONLY,             1, ARGS_RAW, "hostname" },
        { "EHLO",     smtp_ehlo,     SMTP_ONLY,             1, ARGS_RAW, "hostname" },
        { "LHLO",     smtp_ehlo,     LMTP_ONLY,             1, ARGS_RAW, "hostname" },
        { "STARTTLS", smtp_starttls, NO_MAIL,               0, 0,        "" },
        { "AUTH",     smtp_auth,     LOGIN_DOOR | NO_MAIL,  1, 2,        "mechanism [initial-response]" },
        { "MAIL",     smtp_mail,     NO_MAIL,               1, ARGS_RAW, "FROM:<address> [SIZE=octets] [BODY=7BIT|8BITMIME] [SMTPUTF8]" },
        { "RCPT",     smtp_rcpt,     MAIL_BEGUN,            1, ARGS_RAW, "TO:<address>" },
        { "DATA",     smtp_data,     MAIL_BEGUN,            0, 0,        "" },
        { "BDAT",     smtp_bdat,     ANYWHERE,              0, ARGS_RAW, "size [LAST]" },
        { "RSET",     smtp_rset,     JUNK,                  0, 0,        "" },
        { "NOOP",     smtp_noop,     JUNK,                  0, ARGS_RAW, "[text]" },
        { "VRFY",     smtp_vrfy,     JUNK,                  1, ARGS_RAW, "address" },
        { "EXPN",     smtp_expn,     JUNK,                  0, ARGS_RAW, "list" },
        { "HELP",     smtp_help,     JUNK,                  0, ARGS_RAW, "" },
        { "QUIT",     smtp_quit,     ANYWHERE,              0, 0,        "" },
};                                 /* clang-format on */
const size_t smtp_verb_count = COUNT_OF(smtp_verbs);
