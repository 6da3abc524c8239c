#include "base/log.h"
#include "imap/imap.h"
#include "imap/inside.h"

/* clang-format off */
enum {
        BAD_MAX = 20,               /* malformed commands in a row */
        LOGIN_SECONDS = 180,        /* to log in */
        SILENT_SECONDS = 60,        /* silence before login */
        IDLE_SECONDS = 1800 + 60,   /* RFC 9051 5.4: at least 30 minutes */
        SWALLOW_MAX = 256 << 20,    /* octets of an unasked literal that are read to be refused */
};
/* clang-format on */

/* clang-format off */
static const struct verb verbs[] = {
        { "APPEND",       imap_append,       ONLINE,                   1, ARGS_RAW, "folder [(flags)] [\"date\"] {size} or UTF8 (~{size})" },
        { "AUTHENTICATE", imap_authenticate, BEFORE_LOGIN,             1, ARGS_RAW, "mechanism [response]" },
        { "CAPABILITY",   imap_capability,   ALWAYS,                   0, 0,        "" },
        { "CHECK",        imap_noop,         SELECTED,                 0, 0,        "" },
        { "CLOSE",        imap_close,        SELECTED,                 0, 0,        "" },
        { "COMPRESS",     imap_compress,     ONLINE | KEEPS_NUMBERS,   1, ARGS_RAW, "DEFLATE" },
        { "COPY",         imap_copy,         SELECTED | KEEPS_NUMBERS, 1, ARGS_RAW, "set folder" },
        { "CREATE",       imap_create,       ONLINE,                   1, ARGS_RAW, "folder [(USE (\\use))]" },
        { "DELETE",       imap_delete,       ONLINE,                   1, ARGS_RAW, "folder" },
        { "ENABLE",       imap_enable,       ONLINE,                   1, ARGS_RAW, "capability ..." },
        { "EXAMINE",      imap_examine,      ONLINE | TELLS_ALL,       1, ARGS_RAW, "folder [(parameters)]" },
        { "EXPUNGE",      imap_expunge,      SELECTED,                 0, ARGS_RAW, "" },
        { "FETCH",        imap_fetch,        SELECTED | KEEPS_NUMBERS, 1, ARGS_RAW, "set (items) [(modifiers)]" },
        { "ID",           imap_id,           ALWAYS,                   1, ARGS_RAW, "(\"field\" \"value\" ...) or NIL" },
        { "IDLE",         imap_idle,         ONLINE,                   0, 0,        "" },
        { "LIST",         imap_list,         ONLINE,                   1, ARGS_RAW, "[(options)] reference pattern [RETURN (options)]" },
        { "LOGIN",        imap_login,        BEFORE_LOGIN,             1, ARGS_RAW, "name password" },
        { "LOGOUT",       imap_logout,       ALWAYS,                   0, 0,        "" },
        { "LSUB",         imap_lsub,         ONLINE,                   1, ARGS_RAW, "reference pattern" },
        { "MOVE",         imap_move,         SELECTED,                 1, ARGS_RAW, "set folder" },
        { "NAMESPACE",    imap_namespace,    ONLINE,                   0, 0,        "" },
        { "NOOP",         imap_noop,         ALWAYS,                   0, 0,        "" },
        { "RENAME",       imap_rename,       ONLINE,                   1, ARGS_RAW, "folder name" },
        { "SEARCH",       imap_search,       SELECTED | KEEPS_NUMBERS, 1, ARGS_RAW, "[RETURN (options)] [CHARSET charset] keys" },
        { "SELECT",       imap_select,       ONLINE | TELLS_ALL,       1, ARGS_RAW, "folder [(parameters)]" },
        { "SORT",         imap_sort,         SELECTED | KEEPS_NUMBERS, 1, ARGS_RAW, "(criteria) charset keys" },
        { "STARTTLS",     imap_starttls,     BEFORE_LOGIN,             0, 0,        "" },
        { "STATUS",       imap_status,       ONLINE,                   1, ARGS_RAW, "folder (items)" },
        { "STORE",        imap_store,        SELECTED | KEEPS_NUMBERS, 1, ARGS_RAW, "set [(UNCHANGEDSINCE n)] [+|-]FLAGS[.SILENT] (flags)" },
        { "SUBSCRIBE",    imap_subscribe,    ONLINE,                   1, ARGS_RAW, "folder" },
        { "THREAD",       imap_thread,       SELECTED | KEEPS_NUMBERS, 1, ARGS_RAW, "REFERENCES|ORDEREDSUBJECT charset keys" },
        { "UNSELECT",     imap_unselect,     SELECTED,                 0, 0,        "" },
        { "UNSUBSCRIBE",  imap_unsubscribe,  ONLINE,                   1, ARGS_RAW, "folder" },
};

/* Behind "UID": what takes UIDs for sequence numbers. */
static const struct verb uid_verbs[] = {
        { "COPY",    imap_copy,    SELECTED, 1, ARGS_RAW, "uids folder" },
        { "EXPUNGE", imap_expunge, SELECTED, 1, ARGS_RAW, "uids" },
        { "FETCH",   imap_fetch,   SELECTED, 1, ARGS_RAW, "uids (items) [(modifiers)]" },
        { "MOVE",    imap_move,    SELECTED, 1, ARGS_RAW, "uids folder" },
        { "SEARCH",  imap_search,  SELECTED, 1, ARGS_RAW, "[RETURN (options)] [CHARSET charset] keys" },
        { "SORT",    imap_sort,    SELECTED, 1, ARGS_RAW, "(criteria) charset keys" },
        { "STORE",   imap_store,   SELECTED, 1, ARGS_RAW, "uids [(UNCHANGEDSINCE n)] [+|-]FLAGS[.SILENT] (flags)" },
        { "THREAD",  imap_thread,  SELECTED, 1, ARGS_RAW, "REFERENCES|ORDEREDSUBJECT charset keys" },
};

/* The wording of a refusal that its command has not worded. RFC 5530. */
static const char *const no[STATUS_COUNT] = {
        [ABSENT]      = "[NONEXISTENT] There is no such folder",
        [EXISTS]      = "[ALREADYEXISTS] There is a folder of this name",
        [DENIED]      = "[AUTHENTICATIONFAILED] Name or password is wrong",
        [FORBIDDEN]   = "[NOPERM] You may not do this here",
        [UNSUPPORTED] = "[CANNOT] This is not offered here",
        [TOO_BIG]     = "[TOOBIG] This is too big",
        [TOO_MANY]    = "[LIMIT] That is too many at once",
        [CHANGED]     = "[INUSE] It was changed by somebody else meanwhile",
        [BUSY]        = "[UNAVAILABLE] The server is busy: try again",
        [FULL]        = "[UNAVAILABLE] The server's disk is full: nothing new is taken until there is room",
        [TIMEOUT]     = "[UNAVAILABLE] That took too long",
        [CLOSED]      = "[UNAVAILABLE] The connection is closing",
        [DAMAGED]     = "[SERVERBUG] Stored data are damaged: tell whoever runs this server",
        [BROKEN]      = "[SERVERBUG] The server failed: tell whoever runs it",
};
/* clang-format on */

/* A command, named and found. */
struct order {
        const struct verb *verb;
        struct args args;
};

void imap_reply(struct session *s, const char *format, ...)
{
        va_list ap;
        va_start(ap, format);
        buf_clear(&s->reply);
        buf_vaddf(&s->reply, format, ap);
        va_end(ap);
}

enum status imap_refuse(struct session *s, enum status st, const char *format, ...)
{
        va_list ap;
        va_start(ap, format);
        buf_clear(&s->reply);
        buf_vaddf(&s->reply, format, ap);
        va_end(ap);
        return st;
}

struct parse imap_arguments(struct session *s, const struct args *a)
{
        struct parse p = parse_of(s->arena, a->rest);
        p.utf8 = imap_utf8(s);
        return p;
}

bool imap_utf8(const struct session *s)
{
        return s->enabled & (ENABLED_REV2 | ENABLED_UTF8);
}

struct buf *imap_out(struct session *s)
{
        return wire_out(s->wire);
}

void imap_end(struct session *s)
{
        buf_add_text(wire_out(s->wire), "\r\n");
        wire_room(s->wire);
}

void imap_line(struct session *s, const char *format, ...)
{
        va_list ap;
        va_start(ap, format);
        buf_vaddf(wire_out(s->wire), format, ap);
        va_end(ap);
        imap_end(s);
}

static unsigned state_of(const struct session *s)
{
        return s->selected ? SELECTED : s->person ? LOGGED_IN : BEFORE_LOGIN;
}

/* ---- gathering a command ---- */

/* Of a line whose beginning is gone: quotes cannot be counted, but no line ends inside of them. */
static struct str announcement(struct str tail)
{
        size_t open = str_rchr(tail, '{');
        return open == STR_NOWHERE ? STR_NONE : str_from(tail, open);
}

enum status imap_swallow(struct session *s, uint64_t size)
{
        bool waits = false;
        size_t start;
        struct str line;
        uint64_t most = s->person ? SWALLOW_MAX : LITERALS_MAX, total = 0;
        while (!waits) {
                total += size < most ? size + 1 : most + 1; /* literals of nothing do not go on for ever */
                if (total > most) {
                        imap_line(
                                s, "* BYE [TOOBIG] That literal is too big even to be passed over");
                        wire_close(s->wire);
                        return CLOSED;
                }
                enum status st = wire_skip(s->wire, size);
                if (st == OK)
                        st = wire_line_wait(s->wire, &line);
                if (st != OK && st != TOO_BIG)
                        return st;
                if (!literal_announced(st == OK ? line : announcement(line), &size, &waits, &start))
                        return OK;
        }
        return OK; /* the client waits for a "+" and gets the tagged reply */
}

enum status imap_swallow_behind(struct session *s, struct str tail)
{
        uint64_t size;
        bool waits;
        size_t start;
        if (!literal_announced(announcement(tail), &size, &waits, &start) || waits)
                return OK;
        return imap_swallow(s, size);
}

/* APPEND reads its message itself: the literal behind the folder's name (which may be one too). */
static bool is_message(struct session *s, struct str before)
{
        struct parse p = parse_of(s->arena, before);
        (void)parse_astring(&p);
        parse_space(&p);
        return parse_word(&p, "APPEND") && (parse_space(&p), p.at < p.end);
}

static struct str tag_of(struct str command)
{
        return str_sub(command, 0, str_chr(command, ' '));
}

/* Appends a literal and the line behind it to the command. */
static enum status add_literal(struct session *s, uint64_t size, bool waits)
{
        uint64_t most = s->person ? LITERALS_MAX : STRANGER_OCTETS;
        if (size > most || size + s->command.len > most + LINE_MAX_OCTETS) {
                imap_line(s, "%.*s BAD [TOOBIG] This command is too long",
                        STR_ARG(tag_of(buf_str(&s->command))));
                s->bad++;
                return !waits && imap_swallow(s, size) != OK ? CLOSED : TOO_BIG;
        }
        if (waits)
                wire_say(s->wire, "+ Go on");
        buf_add_text(&s->command, "\r\n");
        enum status st = wire_take(s->wire, (size_t)size, &s->command);
        struct str line;
        if (st == OK)
                st = wire_line_wait(s->wire, &line);
        if (st == OK)
                buf_add(&s->command, line);
        if (st != TOO_BIG)
                return st;
        imap_line(s, "%.*s BAD [TOOBIG] This line is too long",
                STR_ARG(tag_of(buf_str(&s->command))));
        return imap_swallow_behind(s, line) == OK ? TOO_BIG : CLOSED;
}

static enum status gather(struct session *s, struct str line)
{
        uint64_t size;
        bool waits;
        size_t from = 0, start;
        buf_set(&s->command, line);
        while (literal_announced(str_from(buf_str(&s->command), from), &size, &waits, &start)) {
                if (is_message(s, str_sub(buf_str(&s->command), 0, from + start)))
                        break;
                from = s->command.len + 2 + (size_t)size; /* where the line behind it begins */
                enum status st = add_literal(s, size, waits);
                if (st != OK)
                        return st;
        }
        return OK;
}

/* ---- obeying it ---- */

static void finish(struct session *s, const struct order *o, enum status st)
{
        const char *word = st == OK ? "OK" : st == INVALID ? "BAD" : "NO";
        if (s->idle_tag || st == CLOSED || st == TIMEOUT)
                return; /* IDLE answers when it is done; nobody is there to be answered */
        buf_addf(imap_out(s), "%.*s %s ", STR_ARG(s->tag), word);
        if (s->reply.len)
                imap_line(s, "%.*s", STR_ARG(buf_str(&s->reply)));
        else if (st == OK)
                imap_line(s, "%s%s done", s->uid ? "UID " : "", o->verb->name);
        else if (st == INVALID)
                imap_line(s, "[CLIENTBUG] The form is: %s%s %s", s->uid ? "UID " : "",
                        o->verb->name, o->verb->usage);
        else
                imap_line(s, "%s", no[st]);
        s->bad = st == INVALID ? s->bad + 1 : s->person ? 0 : s->bad;
}

static void complain(struct session *s, const char *why)
{
        imap_line(s, "%.*s BAD [CLIENTBUG] %s", STR_ARG(s->tag), why);
        s->bad++;
}

/* Cuts the name of a command off; what follows its one blank is the rest. */
static bool cut_name(struct str *rest, struct str *name)
{
        size_t end = str_chr(*rest, ' ');
        *name = str_sub(*rest, 0, end == STR_NOWHERE ? rest->len : end);
        *rest = end == STR_NOWHERE ? STR_NONE : str_from(*rest, end + 1);
        return name->len > 0;
}

/* Finds tag and verb; false: it has been refused. */
static bool name_order(struct session *s, struct order *o)
{
        struct str rest = buf_str(&s->command);
        struct parse p = parse_of(s->arena, rest);
        s->tag = parse_peek(&p, '"') || parse_peek(&p, '{') ? STR_NONE : parse_astring(&p);
        if (s->tag.len == 0 || s->tag.len > 200 || str_chr(s->tag, '+') != STR_NOWHERE ||
                (p.at < p.end && *p.at != ' ')) {
                s->tag = STR("*");
                complain(s, "A command begins with a tag");
                return false;
        }
        rest = str_from(rest, s->tag.len + 1);
        if (!cut_name(&rest, &o->args.name)) {
                complain(s, "There is no command behind the tag");
                return false;
        }
        s->uid = str_same(o->args.name, STR("UID"));
        if (s->uid && cut_name(&rest, &o->args.name))
                o->verb = verb_find(uid_verbs, COUNT_OF(uid_verbs), o->args.name);
        else if (!s->uid)
                o->verb = verb_find(verbs, COUNT_OF(verbs), o->args.name);
        o->args.rest = rest;
        if (!o->verb)
                complain(s, "There is no such command");
        return o->verb != NULL;
}

static bool may_run(struct session *s, const struct order *o)
{
        unsigned state = state_of(s);
        if (!(o->verb->needs & state)) {
                complain(s, state == BEFORE_LOGIN       ? "Log in first"
                            : o->verb->needs & SELECTED ? "Select a folder first"
                                                        : "You have logged in already");
                return false;
        }
        if (o->verb->max == 0 && str_trim(o->args.rest).len > 0) {
                complain(s, "This command takes no arguments");
                return false;
        }
        return true;
}

/* What the client must not be left without when its command is refused: the message of an APPEND
 * that comes unasked. */
static void drop_message(struct session *s, struct str rest)
{
        uint64_t size;
        bool waits;
        size_t start;
        if (literal_announced(rest, &size, &waits, &start) && !waits &&
                is_message(s, str_sub(rest, 0, start)))
                (void)imap_swallow(s, size);
}

static void obey(struct session *s)
{
        struct order o = {0};
        buf_clear(&s->reply);
        if (!name_order(s, &o) || !may_run(s, &o)) {
                drop_message(s, buf_str(&s->command));
                return;
        }
        enum status st = o.verb->run(s, &o.args);
        if (s->selected && st != INVALID && !wire_gone(s->wire) && !(o.verb->needs & TELLS_ALL))
                imap_update(s, !(o.verb->needs & KEEPS_NUMBERS));
        finish(s, &o, st);
}

static void take_line(struct session *s, struct str line)
{
        if (s->idle_tag) {
                imap_idle_line(s, line);
                return;
        }
        if (gather(s, line) == OK && !wire_gone(s->wire))
                obey(s);
        arena_reset(s->arena);
        buf_clear(&s->command);
        s->tag = STR_NONE;
        if (s->bad >= BAD_MAX) {
                imap_line(s, "* BYE [CLIENTBUG] Too many commands that are none");
                wire_close(s->wire);
        }
}

/* ---- what the crew calls ---- */

static struct session *session_open(struct wire *w, void *site)
{
        struct session *s = mem_new(sizeof *s);
        struct str host = site_config(site)->host; /* of one configuration: a reload may come between */
        s->wire = w;
        s->site = site;
        s->opened = clock_ms();
        wire_idle_limit(w, SILENT_SECONDS);
        wire_line_limit(w, STRANGER_OCTETS);
        buf_add_text(imap_out(s), "* OK [");
        imap_print_capabilities(s, imap_out(s));
        imap_line(s, "] %.*s Baton ready", STR_ARG(host));
        return s;
}

static void session_serve(struct session *s)
{
        struct str line;
        if (!s->arena)
                s->arena = arena_new();
        while (!wire_gone(s->wire)) {
                enum status st = wire_line(s->wire, &line);
                if (st == OK && !s->person && clock_ms() - s->opened > LOGIN_SECONDS * 1000) {
                        imap_line(s, "* BYE Nobody logged in for too long");
                        wire_close(s->wire);
                } else if (st == OK) {
                        take_line(s, line);
                } else if (st == TOO_BIG) {
                        imap_line(s, "* BAD [TOOBIG] A line may have at most %d octets",
                                s->person ? LINE_MAX_OCTETS : STRANGER_OCTETS);
                        (void)imap_swallow_behind(s, line); /* closes when that cannot be done */
                } else {
                        return;
                }
        }
}

static void session_wake(struct session *s)
{
        if (s->idle_tag)
                imap_idle_wake(s);
}

static void session_idle(struct session *s)
{
        arena_free(s->arena);
        s->arena = NULL;
        buf_release(&s->command);
        buf_release(&s->reply);
}

static void session_timeout(struct session *s)
{
        imap_line(s, "* BYE Silent for too long");
}

static void session_stop(struct session *s)
{
        imap_line(s, "* BYE [UNAVAILABLE] The server is being stopped");
}

static void session_close(struct session *s)
{
        imap_deselect(s);
        session_idle(s);
        free(s->idle_tag);
        free(s);
}

const struct protocol imap_protocol = {
        .name = "imap",
        .line_max = LINE_MAX_OCTETS,
        .idle_seconds = IDLE_SECONDS,
        .open = session_open,
        .serve = session_serve,
        .wake = session_wake,
        .idle = session_idle,
        .timeout = session_timeout,
        .stop = session_stop,
        .close = session_close,
};
