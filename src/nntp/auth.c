#include "base/log.h"
#include "nntp/session.h"
#include "team/login.h"

/* RFC 4643 2.2: what a login by AUTHINFO USER depends on. True: refused, and said. */
static bool refused_early(struct session *s)
{
        if (s->person)
                wire_say(s->wire, "502 You have logged in already");
        else if (!nntp_may_login(s))
                wire_say(s->wire, "483 Passwords are taken under TLS only: STARTTLS first");
        else
                return false;
        return true;
}

static void welcome(struct session *s, const struct person *person, struct str challenge)
{
        s->person = person->id;
        wire_person(s->wire, person->id);
        s->marks_reads = person->news_reads_mark;
        buf_set(&s->name, person->name);
        log_note("nntp [%.*s]: %.*s logged in", STR_ARG(wire_peer(s->wire)->address),
                STR_ARG(person->name));
        /* RFC 4643 2.4.2: 283 carries the mechanism's last message */
        if (challenge.len)
                wire_say(s->wire, "283 %.*s", STR_ARG(challenge));
        else
                wire_say(s->wire, "281 Welcome");
}

static void say_failure(struct session *s, enum status st, struct str user)
{
        struct str peer = wire_peer(s->wire)->address, shown = nntp_shown(s, user);
        if (st == DENIED || st == FORBIDDEN) {
                log_note("nntp [%.*s]: login of %.*s failed", STR_ARG(peer), STR_ARG(shown));
                wire_say(s->wire, "481 Name or password is wrong");
        } else if (st == TOO_MANY) {
                wire_say(s->wire, "481 Too many failed logins: try again in a minute");
        } else {
                nntp_no(s, st);
        }
}

static void log_in(struct session *s, struct str user, struct str password)
{
        struct person person;
        wire_aside(s->wire, true);
        enum status st = rules_login(
                s->site, user, password, wire_peer(s->wire)->address, s->arena, &person);
        wire_aside(s->wire, false);
        if (st == OK)
                welcome(s, &person, STR_NONE);
        else
                say_failure(s, st, user);
}

static enum status authinfo_user(struct session *s, const struct args *a)
{
        if (refused_early(s))
                return OK;
        buf_set(&s->user, a->v[0]);
        wire_say(s->wire, "381 Password required");
        return OK;
}

/* The password is the rest of the line: it may hold blanks. */
static enum status authinfo_pass(struct session *s, const struct args *a)
{
        if (refused_early(s))
                return OK;
        if (!s->user.len) {
                wire_say(s->wire, "482 AUTHINFO USER comes first");
                return OK;
        }
        struct str user = arena_copy(s->arena, buf_str(&s->user));
        buf_clear(&s->user);
        log_in(s, user, a->rest);
        return OK;
}

CHECKED static enum status converse(struct session *s, struct login *l, struct str response)
{
        struct buf challenge = {0};
        enum status st;
        while ((st = login_step(l, response, &challenge)) == BUSY) {
                /* RFC 4643 2.4.2: an empty challenge is "=" */
                wire_say(s->wire, "383 %.*s",
                        STR_ARG(challenge.len ? buf_str(&challenge) : STR("=")));
                buf_clear(&challenge);
                st = wire_line_wait(s->wire, &response);
                if (st != OK)
                        break;
        }
        if (st == OK)
                welcome(s, &l->person, buf_str(&challenge));
        buf_release(&challenge);
        return st;
}

static enum status authinfo_sasl(struct session *s, const struct args *a)
{
        struct login l = {
                .site = s->site, .wire = s->wire, .arena = s->arena, .sasl.success_data = true};
        if (s->person) {
                wire_say(s->wire, "502 You have logged in already");
                return OK;
        }
        enum status st = login_start(&l, a->v[0]);
        if (st == UNSUPPORTED || l.sasl.mechanism == SASL_LOGIN) {
                wire_say(s->wire, "503 There is no such mechanism: SCRAM-SHA-256 and PLAIN are offered");
                return OK;
        }
        if (st != OK) {
                wire_say(s->wire, "483 Passwords are taken under TLS only: STARTTLS first");
                return OK;
        }
        st = converse(s, &l, a->count > 1 ? a->v[1] : STR_NONE);
        if (st == INVALID)
                wire_say(s->wire, "504 The response is not what the mechanism asks for");
        else if (st == CHANGED)
                wire_say(s->wire, "481 Authentication cancelled");
        else if (st != OK && st != TIMEOUT && st != CLOSED)
                say_failure(s, st, buf_str(&l.sasl.user));
        login_release(&l);
        return st == TIMEOUT || st == CLOSED ? st : OK;
}

enum status nntp_authinfo(struct session *s, const struct args *a)
{
        static const struct verb rows[] = { /* clang-format off */
                { "USER", authinfo_user, ANYONE, 1, 1,        "name" },
                { "PASS", authinfo_pass, ANYONE, 1, ARGS_RAW, "password" },
                { "SASL", authinfo_sasl, ANYONE, 1, 2,        "mechanism [initial-response]" },
        };                                  /* clang-format on */
        return nntp_second(s, (struct verb_table){rows, COUNT_OF(rows)}, a);
}

/* RFC 4642 2.2. */
enum status nntp_starttls(struct session *s, const struct args *a)
{
        (void)a;
        if (s->person || wire_secure(s->wire)) {
                wire_say(s->wire, "502 TLS is active, or you have logged in already");
                return OK;
        }
        if (!s->site->tls) {
                wire_say(s->wire, "580 This server has no certificate");
                return OK;
        }
        wire_say(s->wire, "382 Go ahead");
        nntp_forget(s); /* RFC 4642 2.2.2: what was said in the clear does not count */
        s->modern = false;
        if (wire_starttls(s->wire, s->site->tls) != OK)
                log_note("nntp [%.*s]: no TLS after STARTTLS",
                        STR_ARG(wire_peer(s->wire)->address));
        return OK;
}
