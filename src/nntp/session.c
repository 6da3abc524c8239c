#include "nntp/session.h"
#include "base/clock.h"
#include "base/log.h"
#include "team/login.h"

enum {
        LINE_MAX_OCTETS = 8192, /* RFC 3977 3.1 asks for 512 */
        IDLE_SECONDS = 600,     /* RFC 3977 3.1: at least 3 minutes */
        READ_AFTER_SECONDS = 2, /* of silence, what was read is marked */
        SHOWN_MAX = 200,
};

/* The one table of wordings (RFC 3977 3.2). */
static const char *const nntp_text[STATUS_COUNT] = {
        [OK] = "200 Ok",
        [ABSENT] = "411 There is no such newsgroup here",
        [EXISTS] = "441 This is here already",
        [INVALID] = "501 Syntax error",
        [DENIED] = "480 Authentication required",
        [FORBIDDEN] = "502 This is not allowed",
        [UNSUPPORTED] = "503 This is not kept here",
        [TOO_BIG] = "501 Too long",
        [TOO_MANY] = "501 Too many arguments",
        [CHANGED] = "403 Somebody else changed this just now: try again",
        [BUSY] = "403 The server is busy: try again later",
        [FULL] = "403 No room on the server's disk: try again later",
        [TIMEOUT] = "400 Timeout: closing the connection",
        [CLOSED] = "400 Closing the connection",
        [DAMAGED] = "403 Stored data are damaged: the operator has been told",
        [BROKEN] = "403 The server has a fault: try again later",
};

void nntp_no(struct session *s, enum status st)
{
        wire_say(s->wire, "%s", nntp_text[st]);
}

struct str nntp_shown(struct session *s, struct str text)
{
        char *p = arena_alloc(s->arena, SHOWN_MAX);
        size_t len = text.len < SHOWN_MAX ? text.len : SHOWN_MAX;
        for (size_t i = 0; i < len; i++)
                p[i] = text.at[i] >= ' ' && text.at[i] < 127 ? text.at[i] : '?';
        return str_make(p, len);
}

bool nntp_may_login(struct session *s)
{
        return rules_cleartext(s->site, wire_secure(s->wire), wire_peer(s->wire)->loopback);
}

void nntp_forget(struct session *s)
{
        group_store_read(s);
        group_leave(s);
        buf_clear(&s->user);
        buf_clear(&s->name);
        s->person = 0;
}

/* ---- commands of no family ---- */

static void capability_login(struct session *s)
{
        if (s->person && !wire_compressed(s->wire))
                wire_say(s->wire, "COMPRESS DEFLATE");
        if (s->person)
                return;
        if (s->site->tls && !wire_secure(s->wire))
                wire_say(s->wire, "STARTTLS");
        wire_say(s->wire, nntp_may_login(s) ? "AUTHINFO USER SASL" : "AUTHINFO SASL");
        wire_say(s->wire, "SASL %sSCRAM-SHA-256%s", login_binds(s->wire) ? "SCRAM-SHA-256-PLUS " : "",
                nntp_may_login(s) ? " PLAIN" : "");
}

static enum status nntp_capabilities(struct session *s, const struct args *a)
{
        (void)a;
        s->modern = true;
        wire_say(s->wire, "101 Capabilities follow");
        wire_say(s->wire, "VERSION 2");
        wire_say(s->wire, "IMPLEMENTATION Baton");
        wire_say(s->wire, "READER");
        wire_say(s->wire, "POST");
        wire_say(s->wire, "IHAVE");
        wire_say(s->wire, "LIST ACTIVE ACTIVE.TIMES COUNTS DISTRIB.PATS HEADERS NEWSGROUPS OVERVIEW.FMT");
        wire_say(s->wire, "OVER MSGID");
        wire_say(s->wire, "HDR");
        wire_say(s->wire, "NEWNEWS");
        wire_say(s->wire, "XPAT");
        capability_login(s);
        wire_dot_end(s->wire);
        return OK;
}

/* RFC 8054 2.2. Strangers get no compression: it costs memory; and so no login or STARTTLS can come
 * behind it. */
static enum status nntp_compress(struct session *s, const struct args *a)
{
        if (!str_same(a->v[0], STR("DEFLATE"))) {
                wire_say(s->wire, "503 DEFLATE is what is offered");
        } else if (wire_compressed(s->wire)) {
                wire_say(s->wire, "502 Compression is active already");
        } else {
                wire_say(s->wire, "206 Compression is active");
                wire_compress(s->wire);
        }
        return OK;
}

static enum status mode_reader(struct session *s, const struct args *a)
{
        (void)a;
        wire_say(s->wire, "200 Reader mode, posting allowed");
        return OK;
}

static enum status nntp_mode(struct session *s, const struct args *a)
{
        static const struct verb rows[] = {{"READER", mode_reader, ANYONE, 0, 0, ""}};
        return nntp_second(s, (struct verb_table){rows, COUNT_OF(rows)}, a);
}

static enum status nntp_date(struct session *s, const struct args *a)
{
        (void)a;
        struct tm t;
        time_t now = clock_now();
        gmtime_r(&now, &t);
        wire_say(s->wire, "111 %04d%02d%02d%02d%02d%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                t.tm_hour, t.tm_min, t.tm_sec);
        return OK;
}

static enum status nntp_help(struct session *s, const struct args *a)
{
        (void)a;
        wire_say(s->wire, "100 Commands:");
        for (size_t i = 0; i < nntp_verb_count; i++)
                wire_say(s->wire, "  %s %s", nntp_verbs[i].name, nntp_verbs[i].usage);
        wire_dot_end(s->wire);
        return OK;
}

static enum status nntp_quit(struct session *s, const struct args *a)
{
        (void)a;
        group_store_read(s);
        wire_say(s->wire, "205 Bye");
        wire_close(s->wire);
        return OK;
}

const struct verb nntp_verbs[] = { /* clang-format off */
        /* name            run                needs          min max       usage */
        { "CAPABILITIES", nntp_capabilities, ANYONE,         0, ARGS_MAX, "[keyword]" },
        { "MODE",         nntp_mode,         ANYONE,         1, ARGS_MAX, "READER" },
        { "STARTTLS",     nntp_starttls,     ANYONE,         0, 0,        "" },
        { "AUTHINFO",     nntp_authinfo,     ANYONE,         1, ARGS_MAX, "USER name | PASS password | SASL mechanism [initial-response]" },
        { "COMPRESS",     nntp_compress,     READER,         1, 1,        "DEFLATE" },
        { "LIST",         nntp_list,         READER,         0, ARGS_MAX, "[ACTIVE|ACTIVE.TIMES|COUNTS|NEWSGROUPS [wildmat] | HEADERS [MSGID|RANGE] | DISTRIB.PATS | OVERVIEW.FMT]" },
        { "GROUP",        nntp_group,        READER,         1, 1,        "newsgroup" },
        { "LISTGROUP",    nntp_listgroup,    READER,         0, 2,        "[newsgroup [range]]" },
        { "ARTICLE",      nntp_article,      READER,         0, 1,        "[number|<message-id>]" },
        { "HEAD",         nntp_head,         READER,         0, 1,        "[number|<message-id>]" },
        { "BODY",         nntp_body,         READER,         0, 1,        "[number|<message-id>]" },
        { "STAT",         nntp_stat,         READER,         0, 1,        "[number|<message-id>]" },
        { "NEXT",         nntp_next,         READER | GROUP, 0, 0,        "" },
        { "LAST",         nntp_last,         READER | GROUP, 0, 0,        "" },
        { "OVER",         nntp_over,         READER,         0, 1,        "[range|<message-id>]" },
        { "XOVER",        nntp_xover,        READER,         0, 1,        "[range]" },
        { "HDR",          nntp_hdr,          READER,         1, 2,        "field [range|<message-id>]" },
        { "XHDR",         nntp_xhdr,         READER,         1, 2,        "field [range|<message-id>]" },
        { "XPAT",         nntp_xpat,         READER,         3, ARGS_MAX, "field range|<message-id> pattern..." },
        { "POST",         nntp_post,         READER,         0, 0,        "" },
        { "IHAVE",        nntp_ihave,        READER,         1, 1,        "<message-id>" },
        { "NEWGROUPS",    nntp_newgroups,    READER,         2, 3,        "[yy]yymmdd hhmmss [GMT]" },
        { "NEWNEWS",      nntp_newnews,      READER,         3, 4,        "wildmat [yy]yymmdd hhmmss [GMT]" },
        { "DATE",         nntp_date,         ANYONE,         0, 0,        "" },
        { "HELP",         nntp_help,         ANYONE,         0, 0,        "" },
        { "QUIT",         nntp_quit,         ANYONE,         0, 0,        "" },
};                                 /* clang-format on */
const size_t nntp_verb_count = COUNT_OF(nntp_verbs);

/* ---- obeying ---- */

/* `read` is what came of reading it. */
static void run(struct session *s, const struct spoken *o, enum status read)
{
        const struct verb *row = o->verb;
        if (read != OK) {
                wire_say(s->wire, "501 Syntax: %s %s", row->name, row->usage);
        } else if (row->needs & READER && !s->person) {
                nntp_no(s, DENIED);
        } else if (row->needs & GROUP && !s->view) {
                wire_say(s->wire, "412 No newsgroup is selected");
        } else {
                enum status st = row->run(s, &o->args);
                if (st != OK)
                        nntp_no(s, st);
                if (st == TIMEOUT || st == CLOSED)
                        wire_close(s->wire);
        }
}

enum status nntp_second(struct session *s, struct verb_table table, const struct args *a)
{
        struct spoken said;
        enum status st = verb_read(table, a->rest, &said);
        if (st == TOO_MANY)
                return st;
        if (st == ABSENT)
                wire_say(s->wire, "501 There is no such variant of this command");
        else
                run(s, &said, st);
        return OK;
}

static void serve_line(struct session *s, enum status st, struct str line)
{
        struct spoken said;
        struct verb_table table = {nntp_verbs, nntp_verb_count};
        if (st == OK)
                st = verb_read(table, arena_copy(s->arena, line), &said);
        if (st == TOO_BIG || st == TOO_MANY)
                nntp_no(s, st);
        else if (said.verb)
                run(s, &said, st);
        else if (said.args.name.len)
                wire_say(s->wire, "500 There is no such command: try HELP");
        arena_reset(s->arena);
}

static void nntp_serve(struct session *s)
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

static struct session *nntp_open(struct wire *wire, void *site)
{
        struct session *s = mem_new(sizeof *s);
        const struct config *c = site_config(site);
        s->wire = wire;
        s->site = site;
        if (c->idle_nntp)
                wire_idle_limit(wire, c->idle_nntp);
        /* 201 would make readers refuse to post even after login */
        wire_say(wire, "200 %.*s Baton ready, posting allowed", STR_ARG(c->host));
        return s;
}

/* A flush for each article read would slow reading down, so what was read is marked when the
 * reader pauses. */
static void nntp_idle(struct session *s)
{
        arena_free(s->arena);
        s->arena = NULL;
        if (s->read && numset_count(s->read))
                wire_wake_after(s->wire, READ_AFTER_SECONDS);
}

static void nntp_wake(struct session *s)
{
        wire_wake_after(s->wire, 0);
        group_store_read(s);
}

static void nntp_timeout(struct session *s)
{
        nntp_no(s, TIMEOUT);
}

static void nntp_stop(struct session *s)
{
        wire_say(s->wire, "400 The server is stopping: come back later");
}

static void nntp_close(struct session *s)
{
        group_store_read(s);
        group_leave(s);
        numset_free(s->read);
        arena_free(s->arena);
        buf_release(&s->name);
        buf_release(&s->user);
        buf_release(&s->group);
        free(s);
}

const struct protocol nntp_protocol = {
        .name = "nntp",
        .line_max = LINE_MAX_OCTETS,
        .idle_seconds = IDLE_SECONDS,
        .open = nntp_open,
        .serve = nntp_serve,
        .wake = nntp_wake,
        .idle = nntp_idle,
        .timeout = nntp_timeout,
        .stop = nntp_stop,
        .close = nntp_close,
};
