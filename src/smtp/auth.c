#include "smtp/session.h"
#include "base/log.h"
#include "wire/sasl.h"

static enum status say_failure(struct session *s, enum status st)
{
        if (st == INVALID)
                smtp_say(s, "501 5.5.2 The response is not what the mechanism asks for");
        else if (st == DENIED)
                smtp_say(s, "501 5.7.0 Authentication cancelled");
        else if (st == TOO_BIG)
                smtp_say(s, "500 5.5.6 The response is too long");
        else
                return st;
        return OK;
}

CHECKED static enum status converse(struct session *s, struct sasl *sasl, struct str response)
{
        struct buf challenge = {0};
        enum status st;
        while ((st = sasl_step(sasl, response, &challenge)) == BUSY) {
                smtp_say(s, "334 %.*s", STR_ARG(buf_str(&challenge)));
                buf_clear(&challenge);
                st = wire_line_wait(s->wire, &response);
                if (st != OK)
                        break;
        }
        buf_release(&challenge);
        return st;
}

static void check_password(struct session *s, struct sasl *sasl)
{
        struct str user = buf_str(&sasl->user), authorize = buf_str(&sasl->authorize);
        struct str peer = wire_peer(s->wire)->address;
        struct person person;
        wire_aside(s->wire, true);
        enum status st = rules_login(s->site, user, buf_str(&sasl->password), peer, s->arena,
                &person);
        wire_aside(s->wire, false);
        /* RFC 4616 2: to act as somebody else is nobody's right here. */
        if (st == OK && authorize.len && !str_same(authorize, user) &&
                !str_same(authorize, person.name))
                st = DENIED;
        struct str shown = smtp_shown(s, user);
        if (st == OK) {
                s->person = person.id;
                wire_person(s->wire, person.id);
                log_note("submission [%.*s]: %.*s logged in", STR_ARG(peer), STR_ARG(shown));
                smtp_say(s, "235 2.7.0 Authentication successful");
        } else if (st == DENIED) {
                log_note("submission [%.*s]: login of %.*s failed", STR_ARG(peer), STR_ARG(shown));
                smtp_say(s, "535 5.7.8 Name or password is wrong");
        } else if (st == TOO_MANY) {
                smtp_say(s, "454 4.7.0 Too many failed logins: try again in a minute");
        } else {
                smtp_say(s, "454 4.7.0 Logins cannot be checked now: try again later");
        }
}

enum status smtp_auth(struct session *s, const struct args *a)
{
        if (s->person) {
                smtp_say(s, "503 5.5.1 You have logged in already");
                return OK;
        }
        if (!smtp_may_login(s)) {
                smtp_say(s, "538 5.7.11 Passwords are taken under TLS only: STARTTLS first");
                return OK;
        }
        struct sasl sasl = {0};
        if (sasl_start(&sasl, a->v[0]) != OK) {
                smtp_say(s, "504 5.5.4 There is no such mechanism: PLAIN and LOGIN are offered");
                return OK;
        }
        enum status st = converse(s, &sasl, a->count > 1 ? a->v[1] : STR_NONE);
        if (st == OK)
                check_password(s, &sasl);
        sasl_release(&sasl);
        return st == OK ? OK : say_failure(s, st);
}

enum status smtp_starttls(struct session *s, const struct args *a)
{
        (void)a;
        if (wire_secure(s->wire)) {
                smtp_say(s, "503 5.5.1 TLS is active already");
                return OK;
        }
        if (!s->site->tls || s->door->way == WAY_PIPE)
                return UNSUPPORTED;
        smtp_say(s, "220 2.0.0 Go ahead");
        /* RFC 3207 4.2: what the client said in the clear is forgotten. */
        smtp_reset(s);
        buf_clear(&s->helo);
        s->person = 0;
        wire_person(s->wire, 0);
        if (wire_starttls(s->wire, s->site->tls) != OK)
                log_note("%.*s [%.*s]: no TLS after STARTTLS",
                        STR_ARG(wire_peer(s->wire)->listener),
                        STR_ARG(wire_peer(s->wire)->address));
        return OK;
}
