#include "relay/client.h"
#include "base/encode.h"
#include "store/message.h"
#include "wire/dial.h"

/* RFC 5321 4.5.3.2, in seconds. */
enum {
        CONNECT_SECONDS = 60,
        REPLY_SECONDS = 300,
        DATA_SECONDS = 120,
        BLOCK_SECONDS = 180,
        DOT_SECONDS = 600,
        QUIT_SECONDS = 2,
        PIECE = 65536,
        SMTPS_PORT = 465,
};

struct client {
        struct dial *dial;
        const struct client_options *options; /* while it is opened only */
        unsigned seconds;
        bool starttls, pipelining, eight_bit, dsn, plain, login;
        uint64_t size_most; /* SIZE; 0: not said */
        bool broken;
        bool tls_failed, ourselves;
        struct reply reply;
        struct buf out;
};

/* ---- one command, one reply ---- */

static unsigned patience(const struct client *c, unsigned usual)
{
        return c->seconds ? c->seconds : usual;
}

static enum status fail(struct client *c, enum status st)
{
        c->broken = true;
        return st;
}

/* OK: c->reply is whole. Else the connection is over and *why says it. */
static enum status hear(struct client *c, unsigned seconds, struct buf *why)
{
        struct str line;
        enum status st = BUSY;
        reply_begin(&c->reply);
        while (st == BUSY) {
                enum status got = dial_line(c->dial, patience(c, seconds), &line, why);
                if (got != OK)
                        return fail(c, got);
                st = reply_add(&c->reply, line);
        }
        if (st != OK) {
                buf_add_text(why, "what came is not a reply of SMTP");
                return fail(c, CLOSED);
        }
        if (c->reply.code == 421) /* RFC 5321 3.8: it closes the connection */
                c->broken = true;
        return OK;
}

static enum status send_out(struct client *c, unsigned seconds, struct buf *why)
{
        enum status st = dial_write(c->dial, buf_str(&c->out), patience(c, seconds), why);
        buf_clear(&c->out);
        return st == OK ? OK : fail(c, st);
}

static enum status ask(struct client *c, struct buf *why, const char *format, ...) PRINTF(3, 4);

static enum status ask(struct client *c, struct buf *why, const char *format, ...)
{
        va_list ap;
        va_start(ap, format);
        buf_vaddf(&c->out, format, ap);
        va_end(ap);
        buf_add_text(&c->out, "\r\n");
        enum status st = send_out(c, REPLY_SECONDS, why);
        return st == OK ? hear(c, REPLY_SECONDS, why) : st;
}

/* ---- opening ---- */

static enum status refuse(struct client *c, struct buf *why, const char *what)
{
        buf_addf(why, "%s: %s", what, buf_text(&c->reply.text));
        return fail(c, CLOSED);
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
        if (send_out(c, REPLY_SECONDS, why) != OK)
                return CLOSED;
        reply_begin(&c->reply);
        while (st == BUSY) {
                enum status got = dial_line(c->dial, patience(c, REPLY_SECONDS), &line, why);
                if (got != OK)
                        return fail(c, got);
                st = reply_add(&c->reply, line);
                if (st != INVALID && c->reply.code == 250 && c->reply.lines > 1)
                        take_extension(c, str_from(line, 4));
        }
        if (st == OK && reply_verdict(&c->reply) == NEVER && !c->broken)
                st = ask(c, why, "HELO %.*s", STR_ARG(c->options->helo));
        if (st != OK)
                return fail(c, CLOSED);
        return reply_verdict(&c->reply) == TAKEN ? OK : refuse(c, why, "EHLO was refused");
}

static enum status secure(struct client *c, struct buf *why)
{
        const struct client_options *o = c->options;
        struct dial_tls how = {.check = o->tls == CLIENT_TLS_MUST, .roots = o->roots};
        if (dial_tls(c->dial, &how, patience(c, CONNECT_SECONDS), why) != OK)
                return fail(c, CLOSED);
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
        return fail(c, CLOSED);
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
                return fail(c, CLOSED);
        }
        enum status st = ask(c, why, "STARTTLS");
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
        enum status st = ask(c, why, "AUTH PLAIN %s", buf_text(&text));
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
        enum status st = ask(c, why, "%s", buf_text(&text));
        buf_release(&text);
        return st;
}

static enum status say_login(struct client *c, struct buf *why)
{
        enum status st = ask(c, why, "AUTH LOGIN");
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
                return fail(c, CLOSED);
        }
        if (!c->plain && !c->login) {
                buf_add_text(why, "it offers no login by password (AUTH PLAIN or LOGIN)");
                return fail(c, CLOSED);
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
                st = hear(c, REPLY_SECONDS, why);
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
                if (send_out(c, QUIT_SECONDS, &why) == OK && hear(c, QUIT_SECONDS, &why) != OK)
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

/* ---- one mail ---- */

/* A mail on its way: which replies have come. */
struct delivery {
        struct client *client;
        struct client_mail *mail;
        struct buf why;
        size_t accepted; /* recipients */
        bool heard;      /* at least one reply */
};

static void set_verdict(struct client_recipient *to, enum verdict verdict, struct str reply)
{
        to->verdict = verdict;
        buf_set(&to->reply, reply);
}

/* Those that the next hop has accepted (or has not been asked about) get this verdict. */
static void set_rest(struct delivery *d, enum verdict verdict, struct str reply)
{
        for (size_t i = 0; i < d->mail->to_count; i++) {
                if (d->mail->to[i].verdict != TAKEN)
                        continue;
                set_verdict(&d->mail->to[i], verdict, reply);
                d->mail->whole = verdict != TAKEN;
        }
}

static void connection_lost(struct delivery *d, const char *where)
{
        struct buf text = {0};
        buf_addf(&text, "%s: %s", where, buf_text(&d->why));
        set_rest(d, LATER, buf_str(&text));
        buf_release(&text);
}

/* What would end a command line or a path early never leaves. */
static bool is_sendable(struct str address)
{
        for (size_t i = 0; i < address.len; i++)
                if ((unsigned char)address.at[i] < ' ' || (unsigned char)address.at[i] > 0x7e)
                        return false;
        return address.len < 512;
}

/* False: it cannot go this way at all, and the verdicts say why. */
static bool fits(struct delivery *d)
{
        struct client *c = d->client;
        struct client_mail *m = d->mail;
        const char *why = NULL;
        if (c->size_most && m->size > c->size_most)
                why = "552 5.3.4 The message is larger than the next server takes";
        else if (m->eight_bit && !c->eight_bit)
                why = "554 5.6.3 The next server takes no octets above 127 (8BITMIME)";
        else if (!is_sendable(m->sender))
                why = "553 5.1.7 The sender's address cannot be sent";
        if (why)
                set_rest(d, NEVER, str_of(why));
        return !why;
}

static void add_mail(struct delivery *d)
{
        struct client *c = d->client;
        buf_addf(&c->out, "MAIL FROM:<%.*s>", STR_ARG(d->mail->sender));
        if (c->size_most)
                buf_addf(&c->out, " SIZE=%llu", (unsigned long long)d->mail->size);
        if (d->mail->eight_bit)
                buf_add_text(&c->out, " BODY=8BITMIME");
        if (c->dsn && d->mail->returned != RETURN_USUAL)
                buf_addf(&c->out, " RET=%s", d->mail->returned == RETURN_FULL ? "FULL" : "HDRS");
        if (c->dsn && d->mail->envelope_id.len)
                buf_addf(&c->out, " ENVID=%.*s", STR_ARG(d->mail->envelope_id));
        buf_add_text(&c->out, "\r\n");
}

static enum status hear_mail(struct delivery *d, bool *begun)
{
        struct client *c = d->client;
        enum status st = hear(c, REPLY_SECONDS, &d->why);
        *begun = st == OK && reply_verdict(&c->reply) == TAKEN;
        d->heard = d->heard || st == OK;
        if (st == OK && !*begun)
                set_rest(d, reply_verdict(&c->reply), buf_str(&c->reply.text));
        return st;
}

static enum status hear_recipient(struct delivery *d, struct client_recipient *to)
{
        struct client *c = d->client;
        enum status st = hear(c, REPLY_SECONDS, &d->why);
        if (st != OK)
                return st;
        if (to->verdict != TAKEN) /* refused with MAIL already */
                return OK;
        if (reply_verdict(&c->reply) == TAKEN)
                d->accepted++;
        else
                set_verdict(to, reply_verdict(&c->reply), buf_str(&c->reply.text));
        return OK;
}

static void add_notify(struct buf *out, unsigned notify)
{
        static const struct {
                unsigned bit;
                const char *word;
        } words[] = {{NOTIFY_NEVER, "NEVER"}, {NOTIFY_SUCCESS, "SUCCESS"},
                {NOTIFY_FAILURE, "FAILURE"}, {NOTIFY_DELAY, "DELAY"}};
        const char *before = " NOTIFY=";
        for (size_t i = 0; i < COUNT_OF(words); i++) {
                if (!(notify & words[i].bit))
                        continue;
                buf_addf(out, "%s%s", before, words[i].word);
                before = ",";
        }
}

static void add_recipient(struct client *c, const struct client_recipient *to)
{
        buf_addf(&c->out, "RCPT TO:<%.*s>", STR_ARG(to->address));
        if (c->dsn && to->notify)
                add_notify(&c->out, to->notify);
        if (c->dsn && to->original.len)
                buf_addf(&c->out, " ORCPT=%.*s", STR_ARG(to->original));
        buf_add_text(&c->out, "\r\n");
}

/* MAIL, every RCPT and DATA in one write, then the replies in order (RFC 2920 3.1).
 * *ready: DATA was answered with 354. */
static enum status envelope_at_once(struct delivery *d, bool *ready)
{
        struct client *c = d->client;
        struct client_mail *m = d->mail;
        bool begun;
        add_mail(d);
        for (size_t i = 0; i < m->to_count; i++)
                if (m->to[i].asked)
                        add_recipient(c, &m->to[i]);
        buf_add_text(&c->out, "DATA\r\n");
        enum status st = send_out(c, REPLY_SECONDS, &d->why);
        if (st == OK)
                st = hear_mail(d, &begun);
        for (size_t i = 0; st == OK && i < m->to_count; i++)
                if (m->to[i].asked)
                        st = hear_recipient(d, &m->to[i]);
        if (st == OK)
                st = hear(c, DATA_SECONDS, &d->why);
        *ready = st == OK && c->reply.code == 354;
        if (st == OK && !*ready)
                set_rest(d, reply_verdict(&c->reply) == NEVER ? NEVER : LATER,
                        buf_str(&c->reply.text));
        return st;
}

static enum status envelope_singly(struct delivery *d, bool *ready)
{
        struct client *c = d->client;
        struct client_mail *m = d->mail;
        bool begun;
        *ready = false;
        add_mail(d);
        enum status st = send_out(c, REPLY_SECONDS, &d->why);
        if (st == OK)
                st = hear_mail(d, &begun);
        if (st != OK || !begun)
                return st;
        for (size_t i = 0; st == OK && i < m->to_count; i++) {
                if (!m->to[i].asked)
                        continue;
                add_recipient(c, &m->to[i]);
                st = send_out(c, REPLY_SECONDS, &d->why);
                if (st == OK)
                        st = hear_recipient(d, &m->to[i]);
        }
        if (st != OK || !d->accepted)
                return st;
        st = ask(c, &d->why, "DATA");
        *ready = st == OK && c->reply.code == 354;
        if (st == OK && !*ready)
                set_rest(d, reply_verdict(&c->reply) == NEVER ? NEVER : LATER,
                        buf_str(&c->reply.text));
        return st;
}

/* RFC 5321 4.5.2. *start: the next octet begins a line. */
static void add_stuffed(struct str octets, bool *start, struct buf *out)
{
        while (octets.len) {
                size_t end = str_chr(octets, '\n');
                size_t len = end == STR_NOWHERE ? octets.len : end + 1;
                if (*start && octets.at[0] == '.')
                        buf_add_char(out, '.');
                buf_add(out, str_sub(octets, 0, len));
                *start = end != STR_NOWHERE;
                octets = str_from(octets, len);
        }
}

/* DAMAGED, BROKEN, ABSENT: the store's. */
static enum status send_content(struct delivery *d)
{
        struct client *c = d->client;
        struct client_mail *m = d->mail;
        struct buf piece = {0};
        uint64_t at = 0, all = m->size - m->fields.len;
        bool start = true;
        enum status st = OK;
        add_stuffed(m->fields, &start, &c->out);
        while (st == OK && at < all) {
                buf_clear(&piece);
                st = message_octets(m->store, m->message, at, PIECE, &piece);
                if (st == OK && !piece.len)
                        st = DAMAGED; /* shorter than its record says: half a mail never leaves */
                if (st != OK) {
                        buf_addf(&d->why, "its octets cannot be read: %s", status_name(st));
                        break;
                }
                at += piece.len;
                add_stuffed(buf_str(&piece), &start, &c->out);
                st = send_out(c, BLOCK_SECONDS, &d->why);
        }
        buf_release(&piece);
        if (st != OK)
                return fail(c, st);
        buf_add_text(&c->out, start ? ".\r\n" : "\r\n.\r\n");
        return send_out(c, BLOCK_SECONDS, &d->why);
}

/* Nobody was accepted, and yet it wants data: a lone dot (RFC 2920 3.1) ends that. */
static void send_nothing(struct delivery *d)
{
        struct client *c = d->client;
        buf_add_text(&c->out, ".\r\n");
        if (send_out(c, BLOCK_SECONDS, &d->why) == OK && hear(c, DOT_SECONDS, &d->why) != OK)
                c->broken = true;
}

static void content(struct delivery *d)
{
        struct client *c = d->client;
        struct buf late = {0};
        enum status st = send_content(d);
        bool sent = st == OK, heard = sent && hear(c, DOT_SECONDS, &d->why) == OK;
        if (st == CLOSED) /* who has had enough may have said why before closing */
                heard = hear(c, QUIT_SECONDS, &late) == OK && reply_verdict(&c->reply) != TAKEN;
        buf_release(&late);
        if (heard)
                set_rest(d, reply_verdict(&c->reply), buf_str(&c->reply.text));
        else
                connection_lost(d, sent ? "the message was sent, but not acknowledged"
                                        : "while the message was sent");
}

static void reset(struct delivery *d)
{
        struct client *c = d->client;
        if (!c->broken && ask(c, &d->why, "RSET") == OK && reply_verdict(&c->reply) != TAKEN)
                c->broken = true;
}

bool client_send(struct client *c, struct client_mail *mail)
{
        struct delivery d = {.client = c, .mail = mail};
        mail->passed_on = c->dsn;
        mail->whole = false;
        bool ready = false;
        size_t open = 0;
        for (size_t i = 0; i < mail->to_count; i++) {
                mail->to[i].verdict = TAKEN;
                mail->to[i].asked = is_sendable(mail->to[i].address);
                if (!mail->to[i].asked)
                        set_verdict(
                                &mail->to[i], NEVER, STR("553 5.1.3 This address cannot be sent"));
                open += mail->to[i].asked;
        }
        if (!open || !fits(&d))
                return true;
        enum status st = c->pipelining ? envelope_at_once(&d, &ready) : envelope_singly(&d, &ready);
        if (st != OK)
                connection_lost(&d, "while the envelope was sent");
        else if (ready && d.accepted)
                content(&d);
        else if (ready)
                send_nothing(&d);
        else
                reset(&d);
        buf_release(&d.why);
        return st == OK || d.heard;
}
