#include "smtp/session.h"
#include "base/log.h"
#include "team/task.h"
#include "team/vouch.h"

enum {
        LINE_MAX_OCTETS = 12288, /* RFC 4954 4: what AUTH may need; plain commands need 2,000 */
        IDLE_SECONDS = 300,      /* RFC 5321 4.5.3.2.7 */
        SHOWN_MAX = 200,
};

/* The one table of wordings; codes of RFC 5321 4.2, enhanced ones of RFC 3463. */
static const char *const smtp_text[STATUS_COUNT] = {
        [OK] = "250 2.0.0 Ok",
        [ABSENT] = "550 5.1.1 No such person or topic here",
        [EXISTS] = "550 5.7.1 This is here already",
        [INVALID] = "501 5.5.4 Syntax error",
        [DENIED] = "530 5.7.0 Authentication required",
        [FORBIDDEN] = "550 5.7.1 This is not allowed",
        [UNSUPPORTED] = "502 5.5.1 This is not offered here",
        [TOO_BIG] = "552 5.3.4 The message is larger than this server takes",
        [TOO_MANY] = "452 4.5.3 Too many recipients: send the rest in another mail",
        [CHANGED] = "451 4.3.0 Somebody else changed this just now: try again",
        [BUSY] = "451 4.3.2 The server is busy: try again later",
        [FULL] = "452 4.3.1 No room on the server's disk: try again later",
        [TIMEOUT] = "421 4.4.2 Timeout: closing the connection",
        [CLOSED] = "421 4.4.2 Connection lost",
        [DAMAGED] = "451 4.3.0 Stored data are damaged: the operator has been told",
        [BROKEN] = "451 4.3.0 The server has a fault: try again later",
};

/* Codes for what the rules refuse; the text is refusal_text. */
static const char *const refusal_code[REFUSED_COUNT] = {
        [REFUSED_NOT] = "550 5.7.1",     [REFUSED_UNKNOWN] = "550 5.1.1",
        [REFUSED_RELAY] = "550 5.7.1",   [REFUSED_FORGED] = "550 5.7.1",
        [REFUSED_MEMBERS] = "550 5.1.1", [REFUSED_COMMAND] = "550 5.1.1",
        [REFUSED_LOOP] = "554 5.4.6",    [REFUSED_FORM] = "554 5.6.0",
        [REFUSED_SIZE] = "552 5.3.4",    [REFUSED_SENDER] = "550 5.7.1",
        [REFUSED_ANSWER] = "550 5.7.1",  [REFUSED_OLD] = "550 5.1.6",
        [REFUSED_LOGIN] = "550 5.7.1",
        [REFUSED_NAMES] = "550 5.5.3",
        [REFUSED_TOKEN] = "550 5.1.1",   [REFUSED_MODE] = "550 5.7.1",
        [REFUSED_AGAIN] = "550 5.7.1",   [REFUSED_MUTE] = "550 5.7.1",
        [REFUSED_RESENT] = "550 5.7.1",  [REFUSED_TASKS] = "550 5.7.1",
        [REFUSED_THREAD] = "550 5.7.1",  [REFUSED_AUTHOR] = "550 5.7.1",
};

void smtp_say(struct session *s, const char *format, ...)
{
        struct buf *out = wire_out(s->wire);
        size_t start = out->len;
        va_list ap;
        va_start(ap, format);
        buf_vaddf(out, format, ap);
        va_end(ap);
        s->errors += out->at[start] == '4' || out->at[start] == '5';
        buf_add(out, STR("\r\n"));
        wire_room(s->wire);
}

void smtp_no(struct session *s, enum status st)
{
        smtp_say(s, "%s", smtp_text[st]);
}

/* Whether there is a topic of that name is for those who may read it. */
static const char *words_for(const struct session *s, enum refusal why, struct str about)
{
        uint32_t number;
        if (why != REFUSED_UNKNOWN && why != REFUSED_MEMBERS)
                return refusal_text(why);
        if (task_name_read(str_sub(about, 0, str_chr(about, '@')), &number))
                return "no such task here, or none that you may see";
        if (s->person)
                return "no such person or topic here, or a topic that takes mail from its members "
                       "only";
        return "no such person or topic here, or a topic that takes mail from its members only: "
               "write from an address that is known here";
}

void smtp_refuse(struct session *s, enum status st, enum refusal why, struct str about)
{
        bool ours = st == BUSY || st == FULL || st == TOO_MANY || st == DAMAGED || st == BROKEN;
        if (ours || !refusal_code[why]) {
                smtp_no(s, st);
                return;
        }
        struct str shown = smtp_shown(s, about), from = smtp_shown(s, s->reverse_path);
        log_note("%.*s [%.*s]: from <%.*s>: refused%s%.*s: %s",
                STR_ARG(wire_peer(s->wire)->listener), STR_ARG(wire_peer(s->wire)->address),
                STR_ARG(from), about.len ? " " : "", STR_ARG(shown), refusal_text(why));
        smtp_say(s, "%s %s%.*s%s%s", refusal_code[why], about.len ? "<" : "", STR_ARG(shown),
                about.len ? ">: " : "", words_for(s, why, about));
}

struct str smtp_shown(struct session *s, struct str text)
{
        char *p = arena_alloc(s->arena, SHOWN_MAX);
        size_t len = text.len < SHOWN_MAX ? text.len : SHOWN_MAX;
        for (size_t i = 0; i < len; i++)
                p[i] = text.at[i] > ' ' && text.at[i] < 127 ? text.at[i] : '?';
        return str_make(p, len);
}

void smtp_reset(struct session *s)
{
        arena_free(s->mail);
        free(s->targets);
        s->mail = NULL;
        s->targets = NULL;
        s->target_count = 0;
        s->reverse_path = s->envelope_id = STR("");
        s->returned = RETURN_USUAL;
        s->smtputf8 = false;
        spool_free(s->chunks);
        s->chunks = NULL;
        s->chunked = OK;
}

void smtp_end(struct session *s, enum status st)
{
        if (st == TIMEOUT)
                smtp_no(s, TIMEOUT);
        wire_close(s->wire);
}

bool smtp_may_login(struct session *s)
{
        return rules_cleartext(s->site, wire_secure(s->wire), wire_peer(s->wire)->loopback);
}

struct sender smtp_sender(struct session *s)
{
        return (struct sender){
                .way = s->door->way,
                .person = s->person,
                .reverse_path = s->reverse_path,
                .helo = buf_str(&s->helo),
                .address = wire_peer(s->wire)->address,
                .secure = wire_secure(s->wire),
                .smtputf8 = s->smtputf8,
        };
}

/* ---- obeying ---- */

/* Who speaks HTTP here is a browser that a page made talk to us: no line of its is obeyed. */
static bool is_http(struct str name)
{
        return str_same(name, STR("GET")) || str_same(name, STR("POST")) ||
               str_same(name, STR("PUT")) || str_same(name, STR("CONNECT"));
}

static bool row_is_here(const struct session *s, const struct verb *row)
{
        if (row->needs & SMTP_ONLY && s->door->lmtp)
                return false;
        return !(row->needs & LMTP_ONLY) || s->door->lmtp;
}

static bool in_order(struct session *s, const struct verb *row)
{
        if (row->needs & LOGIN_DOOR && !s->door->login)
                smtp_say(s, "503 5.5.1 Nobody logs in here: that is for the submission port");
        else if (row->needs & MAIL_BEGUN && !s->mail)
                smtp_say(s, "503 5.5.1 MAIL comes first");
        else if (row->needs & NO_MAIL && s->mail)
                smtp_say(s, "503 5.5.1 Not within a mail: finish it, or RSET");
        else
                return true;
        return false;
}

/* `read` is what came of reading it. */
static void obey(struct session *s, const struct spoken *o, enum status read)
{
        const struct verb *row = o->verb;
        if (!row || !row_is_here(s, row)) {
                if (is_http(o->args.name)) {
                        smtp_say(s, "221 2.7.0 This is a mail server");
                        wire_close(s->wire);
                } else {
                        smtp_say(s, "500 5.5.2 There is no such command: try HELP");
                }
                return;
        }
        if (row->needs & JUNK && ++s->junk > MOST_JUNK)
                s->errors++;
        if (read != OK) {
                smtp_say(s, "501 5.5.4 Syntax: %s%s%s", row->name, *row->usage ? " " : "",
                        row->usage);
                return;
        }
        if (!in_order(s, row))
                return;
        enum status st = row->run(s, &o->args);
        if (st == TIMEOUT || st == CLOSED)
                smtp_end(s, st);
        else if (st != OK)
                smtp_no(s, st);
}

static void serve_line(struct session *s, enum status st, struct str line)
{
        struct spoken said;
        struct verb_table table = {smtp_verbs, smtp_verb_count};
        if (st == OK)
                st = verb_read(table, arena_copy(s->arena, line), &said);
        if (st == TOO_BIG)
                smtp_say(s, "500 5.5.2 The line is too long");
        else if (st == TOO_MANY)
                smtp_say(s, "500 5.5.2 Syntax error");
        else
                obey(s, &said, st);
        arena_reset(s->arena);
        if (s->errors >= s->door->most_errors && !wire_gone(s->wire)) {
                smtp_say(s, "421 4.7.0 Too many errors: closing the connection");
                wire_close(s->wire);
        }
}

static void smtp_serve(struct session *s)
{
        if (!s->arena)
                s->arena = arena_new();
        while (!wire_gone(s->wire)) {
                struct str line;
                enum status st = wire_line(s->wire, &line);
                if (st == BUSY || st == CLOSED)
                        return;
                serve_line(s, st, line);
        }
}

/* ---- coming and going ---- */

static struct session *open_door(struct wire *wire, struct site *site, const struct door *door)
{
        struct session *s = mem_new(sizeof *s);
        s->wire = wire;
        s->site = site;
        s->door = door;
        s->reverse_path = STR("");
        s->trusted = door->way == WAY_PIPE && vouch_allowed(site, wire_peer(wire)->uid);
        const struct config *c = site_config(site);
        if (c->idle_smtp)
                wire_idle_limit(wire, c->idle_smtp);
        smtp_say(s, "220 %.*s %s Baton", STR_ARG(c->host), door->lmtp ? "LMTP" : "ESMTP");
        return s;
}

/* Gives the command's memory back; a mail that is half said keeps its own. */
static void smtp_idle(struct session *s)
{
        arena_free(s->arena);
        s->arena = NULL;
        smtp_chunks_settle(s);
}

static void smtp_timeout(struct session *s)
{
        smtp_no(s, TIMEOUT);
}

static void smtp_stop(struct session *s)
{
        smtp_say(s, "421 4.3.2 The server is stopping: come back later");
}

static void smtp_close(struct session *s)
{
        smtp_reset(s);
        arena_free(s->arena);
        buf_release(&s->helo);
        free(s);
}

static struct session *smtp_open(struct wire *wire, void *site)
{
        static const struct door door = {.way = WAY_SMTP, .most_errors = 20};
        return open_door(wire, site, &door);
}

static struct session *submission_open(struct wire *wire, void *site)
{
        static const struct door door = {.way = WAY_SUBMISSION, .login = true, .most_errors = 20};
        return open_door(wire, site, &door);
}

static struct session *lmtp_open(struct wire *wire, void *site)
{
        static const struct door door = {.way = WAY_LMTP, .lmtp = true, .most_errors = 1000};
        return open_door(wire, site, &door);
}

static struct session *deliver_open(struct wire *wire, void *site)
{
        static const struct door door = {.way = WAY_PIPE, .lmtp = true, .most_errors = 1000};
        return open_door(wire, site, &door);
}

#define PROTOCOL(title, opener)                                                                    \
        {                                                                                          \
                .name = title, .line_max = LINE_MAX_OCTETS, .idle_seconds = IDLE_SECONDS,          \
                .open = opener, .serve = smtp_serve, .idle = smtp_idle, .timeout = smtp_timeout,   \
                .stop = smtp_stop, .close = smtp_close,                                            \
        }
const struct protocol smtp_protocol = PROTOCOL("smtp", smtp_open);
const struct protocol submission_protocol = PROTOCOL("submission", submission_open);
const struct protocol lmtp_protocol = PROTOCOL("lmtp", lmtp_open);
const struct protocol deliver_protocol = PROTOCOL("deliver", deliver_open);
