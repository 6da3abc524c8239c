#include "relay/client_inside.h"
#include "store/message.h"

enum { PIECE = 65536 };

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
        enum status st = client_hear(c, REPLY_SECONDS, &d->why);
        *begun = st == OK && reply_verdict(&c->reply) == TAKEN;
        d->heard = d->heard || st == OK;
        if (st == OK && !*begun)
                set_rest(d, reply_verdict(&c->reply), buf_str(&c->reply.text));
        return st;
}

static enum status hear_recipient(struct delivery *d, struct client_recipient *to)
{
        struct client *c = d->client;
        enum status st = client_hear(c, REPLY_SECONDS, &d->why);
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
        enum status st = client_write(c, REPLY_SECONDS, &d->why);
        if (st == OK)
                st = hear_mail(d, &begun);
        for (size_t i = 0; st == OK && i < m->to_count; i++)
                if (m->to[i].asked)
                        st = hear_recipient(d, &m->to[i]);
        if (st == OK)
                st = client_hear(c, DATA_SECONDS, &d->why);
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
        enum status st = client_write(c, REPLY_SECONDS, &d->why);
        if (st == OK)
                st = hear_mail(d, &begun);
        if (st != OK || !begun)
                return st;
        for (size_t i = 0; st == OK && i < m->to_count; i++) {
                if (!m->to[i].asked)
                        continue;
                add_recipient(c, &m->to[i]);
                st = client_write(c, REPLY_SECONDS, &d->why);
                if (st == OK)
                        st = hear_recipient(d, &m->to[i]);
        }
        if (st != OK || !d->accepted)
                return st;
        st = client_ask(c, &d->why, "DATA");
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
                st = client_write(c, BLOCK_SECONDS, &d->why);
        }
        buf_release(&piece);
        if (st != OK)
                return client_fail(c, st);
        buf_add_text(&c->out, start ? ".\r\n" : "\r\n.\r\n");
        return client_write(c, BLOCK_SECONDS, &d->why);
}

/* Nobody was accepted, and yet it wants data: a lone dot (RFC 2920 3.1) ends that. */
static void send_nothing(struct delivery *d)
{
        struct client *c = d->client;
        buf_add_text(&c->out, ".\r\n");
        if (client_write(c, BLOCK_SECONDS, &d->why) == OK &&
                client_hear(c, DOT_SECONDS, &d->why) != OK)
                c->broken = true;
}

static void content(struct delivery *d)
{
        struct client *c = d->client;
        struct buf late = {0};
        enum status st = send_content(d);
        bool sent = st == OK, heard = sent && client_hear(c, DOT_SECONDS, &d->why) == OK;
        if (st == CLOSED) /* who has had enough may have said why before closing */
                heard = client_hear(c, QUIT_SECONDS, &late) == OK &&
                        reply_verdict(&c->reply) != TAKEN;
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
        if (!c->broken && client_ask(c, &d->why, "RSET") == OK && reply_verdict(&c->reply) != TAKEN)
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
