#include "smtp/session.h"
#include "base/log.h"
#include "team/login.h"

static void say_failure(struct session *s, const struct login *l, enum status st)
{
        struct str peer = wire_peer(s->wire)->address;
        struct str shown = smtp_shown(s, buf_str(&l->sasl.user));
        switch (st) {
        case INVALID:
                smtp_say(s, "501 5.5.2 The response is not what the mechanism asks for");
                break;
        case CHANGED:
                smtp_say(s, "501 5.7.0 Authentication cancelled");
                break;
        case TOO_BIG:
                smtp_say(s, "500 5.5.6 The response is too long");
                break;
        case DENIED:
        case FORBIDDEN:
                log_note("submission [%.*s]: login of %.*s failed", STR_ARG(peer), STR_ARG(shown));
                smtp_say(s, "535 5.7.8 Name or password is wrong");
                break;
        case TOO_MANY:
                smtp_say(s, "454 4.7.0 Too many failed logins: try again in a minute");
                break;
        default:
                smtp_say(s, "454 4.7.0 Logins cannot be checked now: try again later");
        }
}

/* TIMEOUT and CLOSED come from the line; all else is the mechanism's. */
CHECKED static enum status converse(struct session *s, struct login *l, struct str response)
{
        struct buf challenge = {0};
        enum status st;
        while ((st = login_step(l, response, &challenge)) == BUSY) {
                smtp_say(s, "334 %.*s", STR_ARG(buf_str(&challenge)));
                buf_clear(&challenge);
                st = wire_line_wait(s->wire, &response);
                if (st != OK)
                        break;
        }
        buf_release(&challenge);
        return st;
}

static enum status log_in(struct session *s, struct login *l, struct str response)
{
        enum status st = converse(s, l, response);
        if (st == TIMEOUT || st == CLOSED)
                return st;
        if (st != OK) {
                say_failure(s, l, st);
                return OK;
        }
        s->person = l->person.id;
        wire_person(s->wire, l->person.id);
        log_note("submission [%.*s]: %.*s logged in", STR_ARG(wire_peer(s->wire)->address),
                STR_ARG(smtp_shown(s, buf_str(&l->sasl.user))));
        smtp_say(s, "235 2.7.0 Authentication successful");
        return OK;
}

enum status smtp_auth(struct session *s, const struct args *a)
{
        struct login l = {.site = s->site, .wire = s->wire, .arena = s->arena};
        if (s->person) {
                smtp_say(s, "503 5.5.1 You have logged in already");
                return OK;
        }
        enum status st = login_start(&l, a->v[0]);
        if (st == OK)
                st = log_in(s, &l, a->count > 1 ? a->v[1] : STR_NONE);
        else if (st == FORBIDDEN)
                smtp_say(s, "538 5.7.11 Passwords are taken under TLS only: STARTTLS first");
        else
                smtp_say(s, "504 5.5.4 There is no such mechanism: offered are %s",
                        login_mechanisms(s->site, s->wire));
        login_release(&l);
        return st == TIMEOUT || st == CLOSED ? st : OK;
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
