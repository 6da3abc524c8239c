#include "relay/client_inside.h"
#include "base/encode.h"

enum { SMTPS_PORT = 465 };

/* ---- one command, one reply ---- */

static unsigned patience(const struct client *c, unsigned usual)
{
        return c->seconds ? c->seconds : usual;
}

enum status client_fail(struct client *c, enum status st)
{
        c->broken = true;
        return st;
}

enum status client_hear(struct client *c, unsigned seconds, struct buf *why)
{
        struct str line;
        enum status st = BUSY;
        reply_begin(&c->reply);
        while (st == BUSY) {
                enum status got = dial_line(c->dial, patience(c, seconds), &line, why);
                if (got != OK)
                        return client_fail(c, got);
                st = reply_add(&c->reply, line);
        }
        if (st != OK) {
                buf_add_text(why, "what came is not a reply of SMTP");
                return client_fail(c, CLOSED);
        }
        if (c->reply.code == 421) /* RFC 5321 3.8: it closes the connection */
                c->broken = true;
        return OK;
}

enum status client_write(struct client *c, unsigned seconds, struct buf *why)
{
        enum status st = dial_write(c->dial, buf_str(&c->out), patience(c, seconds), why);
        buf_clear(&c->out);
        return st == OK ? OK : client_fail(c, st);
}

enum status client_ask(struct client *c, struct buf *why, const char *format, ...)
{
        va_list ap;
        va_start(ap, format);
        buf_vaddf(&c->out, format, ap);
        va_end(ap);
        buf_add_text(&c->out, "\r\n");
        enum status st = client_write(c, REPLY_SECONDS, why);
        return st == OK ? client_hear(c, REPLY_SECONDS, why) : st;
}

/* ---- opening ---- */

static enum status refuse(struct client *c, struct buf *why, const char *what)
{
        buf_addf(why, "%s: %s", what, buf_text(&c->reply.text));
        return client_fail(c, CLOSED);
}

static void take_extension(struct client *c, struct str line)
{
        struct str name, word;
        if (!str_word(&line, &name))
                return;
        c->starttls = c->starttls || str_same(name, STR("STARTTLS"));
        c->pipelining = c->pipelining || str_same(name, STR("PIPELINING"));
        c->dsn = c->dsn || str_same(name, STR("DSN"));
        c->eight_bit = c->eight_bit || str_same(name, STR("8BITMIME"));
        if (str_same(name, STR("SIZE")) && str_word(&line, &word) &&
                str_u64(word, &c->size_most) != OK)
                c->size_most = 0;
        while (str_same(name, STR("AUTH")) && str_word(&line, &word)) {
                c->plain = c->plain || str_same(word, STR("PLAIN"));
                c->login = c->login || str_same(word, STR("LOGIN"));
        }
}

/* EHLO with its lines read one by one; what was said before counts no more. */
static enum status greet(struct client *c, struct buf *why)
{
        struct str line;
        enum status st = BUSY;
        c->starttls = c->pipelining = c->eight_bit = c->dsn = c->plain = c->login = false;
        c->size_most = 0;
        buf_addf(&c->out, "EHLO %.*s\r\n", STR_ARG(c->options->helo));
        if (client_write(c, REPLY_SECONDS, why) != OK)
                return CLOSED;
        reply_begin(&c->reply);
        while (st == BUSY) {
                enum status got = dial_line(c->dial, patience(c, REPLY_SECONDS), &line, why);
                if (got != OK)
                        return client_fail(c, got);
                st = reply_add(&c->reply, line);
                if (st != INVALID && c->reply.code == 250 && c->reply.lines > 1)
                        take_extension(c, str_from(line, 4));
        }
        if (st == OK && reply_verdict(&c->reply) == NEVER && !c->broken)
                st = client_ask(c, why, "HELO %.*s", STR_ARG(c->options->helo));
        if (st != OK)
                return client_fail(c, CLOSED);
        return reply_verdict(&c->reply) == TAKEN ? OK : refuse(c, why, "EHLO was refused");
}

static enum status secure(struct client *c, struct buf *why)
{
        const struct client_options *o = c->options;
        struct dial_tls how = {.check = o->tls == CLIENT_TLS_MUST, .roots = o->roots};
        if (dial_tls(c->dial, &how, patience(c, CONNECT_SECONDS), why) != OK)
                return client_fail(c, CLOSED);
        return OK;
}

/* The name that stands first in the greeting (RFC 5321 4.2). */
static enum status check_name(struct client *c, struct buf *why)
{
        struct str text = buf_str(&c->reply.text), code, name;
        if (!c->options->stranger || !str_word(&text, &code) || !str_word(&text, &name) ||
                !str_same(name, c->options->helo))
                return OK;
        c->ourselves = true;
        buf_add_text(why, "the server there is this one");
        return client_fail(c, CLOSED);
}

static enum status starttls(struct client *c, struct buf *why)
{
        const struct client_options *o = c->options;
        if (dial_secure(c->dial) || o->tls == CLIENT_TLS_NEVER)
                return OK;
        if (!c->starttls) {
                if (o->tls == CLIENT_TLS_MAY)
                        return OK;
                buf_add_text(why, "it offers no TLS, and without it nothing is sent (relay-tls)");
                return client_fail(c, CLOSED);
        }
        enum status st = client_ask(c, why, "STARTTLS");
        c->tls_failed = st != OK;
        if (st != OK) {
                buf_add_text(why, " (asked for TLS)");
                return st;
        }
        if (reply_verdict(&c->reply) != TAKEN)
                return o->tls == CLIENT_TLS_MAY ? OK : refuse(c, why, "STARTTLS was refused");
        st = secure(c, why);
        c->tls_failed = st != OK;
        return st == OK ? greet(c, why) : st;
}

static enum status say_plain(struct client *c, struct buf *why)
{
        struct buf secret = {0}, text = {0};
        buf_add_char(&secret, '\0');
        buf_add(&secret, c->options->user);
        buf_add_char(&secret, '\0');
        buf_add(&secret, c->options->password);
        base64_encode(buf_str(&secret), &text);
        enum status st = client_ask(c, why, "AUTH PLAIN %s", buf_text(&text));
        buf_release(&secret);
        buf_release(&text);
        return st;
}

static enum status say_word(struct client *c, struct str word, struct buf *why)
{
        struct buf text = {0};
        if (c->reply.code != 334)
                return OK; /* refused already */
        base64_encode(word, &text);
        enum status st = client_ask(c, why, "%s", buf_text(&text));
        buf_release(&text);
        return st;
}

static enum status say_login(struct client *c, struct buf *why)
{
        enum status st = client_ask(c, why, "AUTH LOGIN");
        if (st == OK)
                st = say_word(c, c->options->user, why);
        return st == OK ? say_word(c, c->options->password, why) : st;
}

/* A password leaves under TLS with a right certificate only, or within this machine. */
static enum status log_in(struct client *c, struct buf *why)
{
        if (!c->options->user.len)
                return OK;
        if (!dial_checked(c->dial) && !dial_loopback(c->dial)) {
                buf_add_text(why, "a password is sent under checked TLS only: relay-tls = must");
                return client_fail(c, CLOSED);
        }
        if (!c->plain && !c->login) {
                buf_add_text(why, "it offers no login by password (AUTH PLAIN or LOGIN)");
                return client_fail(c, CLOSED);
        }
        enum status st = c->plain ? say_plain(c, why) : say_login(c, why);
        if (st != OK)
                return st;
        return c->reply.code == 235 ? OK : refuse(c, why, "the login was refused");
}

static enum status begin(struct client *c, struct buf *why)
{
        const struct client_options *o = c->options;
        enum status st = OK;
        if (o->port == SMTPS_PORT && o->tls != CLIENT_TLS_NEVER)
                st = secure(c, why);
        if (st == OK)
                st = client_hear(c, REPLY_SECONDS, why);
        if (st == OK && c->reply.code != 220)
                st = refuse(c, why, "it takes no mail now");
        if (st == OK)
                st = check_name(c, why);
        if (st == OK)
                st = greet(c, why);
        if (st == OK)
                st = starttls(c, why);
        return st == OK ? log_in(c, why) : st;
}

static struct client *open_once(const struct client_options *o, struct buf *why)
{
        struct dial_options where = {
                .host = o->host, .address = o->address, .port = o->port, .stop = o->stop};
        struct client *c = mem_new(sizeof *c);
        c->options = o;
        c->seconds = o->seconds;
        unsigned usual = o->connect_seconds ? o->connect_seconds : CONNECT_SECONDS;
        enum status st = dial_open(&where, patience(c, usual), &c->dial, why);
        if (st == OK)
                st = begin(c, why);
        c->options = NULL;
        c->broken = c->broken || st != OK;
        return c;
}

enum status client_open(const struct client_options *o, struct client **out, struct buf *why)
{
        struct client *c = open_once(o, why);
        if (c->tls_failed && o->tls == CLIENT_TLS_MAY) {
                struct client_options clear = *o;
                clear.tls = CLIENT_TLS_NEVER;
                client_close(c);
                buf_clear(why);
                c = open_once(&clear, why);
        }
        *out = c->broken ? NULL : c;
        if (*out)
                return OK;
        enum status st = c->ourselves ? FORBIDDEN : CLOSED;
        client_close(c);
        return st;
}

void client_close(struct client *c)
{
        struct buf why = {0};
        if (!c)
                return;
        if (c->dial && !c->broken) {
                buf_add_text(&c->out, "QUIT\r\n");
                c->seconds = QUIT_SECONDS;
                if (client_write(c, QUIT_SECONDS, &why) == OK &&
                        client_hear(c, QUIT_SECONDS, &why) != OK)
                        c->broken = true; /* what was sent before is settled all the same */
        }
        dial_close(c->dial);
        reply_release(&c->reply);
        buf_release(&c->out);
        buf_release(&why);
        free(c);
}

bool client_usable(struct client *c)
{
        return c && !c->broken && dial_silent(c->dial);
}
