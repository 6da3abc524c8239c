#include "base/text.h"
#include "imap/board.h"
#include "team/prefix.h"
#include "team/room.h"

enum { MESSAGES_MAX = 64 }; /* of one APPEND (RFC 3502), as submit_many takes */

struct message {
        struct flag_list flags;
        time_t date;
        bool framed; /* it stands in UTF8 (...) */
        struct spool *spool;
        struct buf scratch; /* its CRLF form, when it came otherwise */
};

struct append {
        struct session *session;
        struct folder folder;
        struct message *messages;
        size_t count;
        uint64_t octets; /* announced so far */
};

/* ---- what may be filed where: COPY too ---- */

enum status imap_target(struct session *s, struct str name, struct folder *out)
{
        enum status st = folder_find(s->site, s->person, name, s->arena, out);
        if (st == OK && out->mailbox == 0)
                return imap_refuse(
                        s, ABSENT, "[CANNOT] This is a level of the tree and holds no messages");
        if (st == ABSENT)
                return imap_refuse(s, st, "[TRYCREATE] There is no such folder");
        return st;
}

enum status imap_may_file(struct session *s, const struct folder *f)
{
        if (f->kind == MAILBOX_TOPIC && !f->rights.post)
                return imap_refuse(
                        s, FORBIDDEN, "[NOPERM] Only its subscribers post to this topic");
        if (f->kind == MAILBOX_TASKS)
                return imap_refuse(s, FORBIDDEN,
                        "[NOPERM] What is yours comes here by itself: assign the task to yourself "
                        "by an answer with the line /take");
        return OK;
}

/* RFC 5321 2.3.8, RFC 3977 3.1.1: what newsreaders and other servers get has no CR of its own, for
 * some take "\r.\r\n" for the end. In a folder of one's own it stays what it is. */
enum status imap_may_post(struct session *s, const struct folder *f, struct str octets)
{
        size_t at;
        while (f->topic && (at = str_chr(octets, '\r')) != STR_NOWHERE) {
                octets = str_from(octets, at + 1);
                if (!str_starts(octets, STR("\n")))
                        return imap_refuse(s, UNSUPPORTED,
                                "[CANNOT] A CR in the middle of a line cannot be posted");
        }
        return OK;
}

enum status imap_not_filed(struct session *s, enum status st, enum refusal why)
{
        bool stored = why == REFUSED_NOT || why == REFUSED_SITE || why >= REFUSED_COUNT;
        if (stored && st == TOO_MANY) /* RFC 5530 3 */
                return imap_refuse(s, st, "[LIMIT] A folder may have %d keywords", KEYWORDS_MAX);
        if (stored)
                return st == INVALID ? imap_refuse(s, UNSUPPORTED, "[CANNOT] That is not a message")
                                     : st;
        const char *code = why == REFUSED_SIZE   ? "TOOBIG"
                           : why == REFUSED_FORM ? "CANNOT"
                                                 : "NOPERM";
        return imap_refuse(s, FORBIDDEN, "[%s] Not filed: %s", code, refusal_text(why));
}

/* ---- reading ---- */

/* "(\Seen) \"date\" " in front of a message's literal; both may be left out. A message with UTF-8 in
 * its header comes as "UTF8 (~{5}...)" (RFC 6855 4), but none is refused for coming without: what
 * clients keep in their folders was sent by others (doc/architecture). */
static bool attributes_of(struct parse *p, struct message *m)
{
        if (parse_peek(p, '(')) {
                parse_flags(p, false, &m->flags);
                parse_space(p);
        }
        if (parse_peek(p, '"')) {
                m->date = parse_date_time(p);
                parse_space(p);
        }
        m->framed = parse_word(p, "UTF8");
        if (m->framed) {
                parse_space(p);
                if (!parse_char(p, '('))
                        parse_fail(p);
        }
        return parse_end(p);
}

static enum status check_size(struct append *a, uint64_t size)
{
        uint64_t most = site_config(a->session->site)->message_size;
        if (size > most || a->octets + size > most)
                return imap_refuse(a->session, TOO_BIG,
                        "[TOOBIG] A message may have %llu octets here", (unsigned long long)most);
        a->octets += size;
        if (size == 0)
                return imap_refuse(a->session, UNSUPPORTED, "[CANNOT] An empty message is none");
        if (a->count == MESSAGES_MAX)
                return imap_refuse(a->session, TOO_MANY, "[LIMIT] %d messages at once are enough",
                        MESSAGES_MAX);
        return OK;
}

/* The literal, and the line behind it into the command's buffer. */
static enum status take(struct append *a, uint64_t size, bool waits)
{
        struct session *s = a->session;
        struct message *m = &a->messages[a->count++];
        struct str line;
        size_t start;
        m->spool = spool_new(s->site->tmp);
        if (waits)
                wire_say(s->wire, "+ Send it");
        enum status filled = wire_literal(s->wire, size, m->spool);
        if (filled != OK && filled != FULL)
                return filled;
        enum status st = wire_line_wait(s->wire, &line);
        if (st == TOO_BIG && imap_swallow_behind(s, line) != OK)
                return CLOSED;
        if (st != OK)
                return st;
        buf_set(&s->command, line);
        if (filled == FULL && literal_announced(line, &size, &waits, &start) && !waits)
                (void)imap_swallow(s, size);
        return filled;
}

/* Reads one message: `text` is what stands in front of its literal, with the announcement. */
static enum status read_message(struct append *a, struct str text)
{
        uint64_t size;
        bool waits;
        size_t start;
        if (!literal_announced(text, &size, &waits, &start))
                return INVALID;
        struct parse p = parse_of(
                a->session->arena, arena_copy(a->session->arena, str_sub(text, 0, start)));
        struct message attributes = {0};
        enum status st = attributes_of(&p, &attributes) ? check_size(a, size) : INVALID;
        if (st == OK)
                a->messages[a->count] = attributes;
        if (st == OK)
                return take(a, size, waits);
        if (!waits && imap_swallow(a->session, size) == CLOSED)
                return CLOSED;
        return st;
}

/* What is no message, up to its literal and what comes unasked behind that. */
static enum status refuse_rest(struct append *a, struct str text)
{
        uint64_t size;
        bool waits;
        size_t start;
        if (literal_announced(text, &size, &waits, &start) && !waits &&
                imap_swallow(a->session, size) == CLOSED)
                return CLOSED;
        return INVALID;
}

/* A refusal in the middle: what else comes unasked is read and forgotten. */
static enum status read_all(struct append *a, struct str text)
{
        enum status st = read_message(a, text);
        while (st == OK) {
                struct str more = arena_copy(a->session->arena, buf_str(&a->session->command));
                bool framed = a->messages[a->count - 1].framed;
                if (framed && !str_starts(more, STR(")")))
                        return refuse_rest(a, more);
                struct str next = str_from(more, framed);
                if (str_trim(next).len == 0)
                        break;
                st = str_starts(next, STR(" ")) ? read_message(a, str_from(next, 1))
                                                : refuse_rest(a, next);
        }
        return st;
}

/* ---- filing ---- */

static enum status view_of(struct append *a, struct message *m, struct str *out)
{
        struct str octets;
        enum status st = spool_view(m->spool, &octets);
        if (st != OK)
                return st;
        if (memchr(octets.at, '\0', octets.len))
                return imap_refuse(
                        a->session, UNSUPPORTED, "[UNKNOWN-CTE] A message has no NUL in it");
        *out = lines_to_crlf(octets, &m->scratch);
        if (a->folder.topic) /* what it was read with elsewhere; in one's own folders it stays */
                *out = prefix_strip(a->session->site, *out);
        return imap_may_post(a->session, &a->folder, *out);
}

static enum status say_filed(struct append *a, const struct placement *placements)
{
        struct session *s = a->session;
        const struct view *v;
        struct buf numbers = {0};
        enum status st = view_open(s->site->store, a->folder.mailbox, &v);
        if (st != OK)
                return OK; /* it is filed all the same */
        for (size_t i = 0; i < a->count; i++)
                buf_addf(&numbers, "%s%u", i ? "," : "", placements[i].number);
        imap_reply(s, "[APPENDUID %u %.*s] Filed", v->uid_validity, STR_ARG(buf_str(&numbers)));
        buf_release(&numbers);
        view_close(s->site->store, v);
        return OK;
}

/* Each opens a task, or takes the one of its card there. */
static enum status file_on_board(struct append *a)
{
        struct session *s = a->session;
        struct placement *to = arena_alloc(s->arena, a->count * sizeof *to);
        bool all = true;
        enum status st = OK;
        for (size_t i = 0; st == OK && i < a->count; i++) {
                struct str bytes;
                to[i] = (struct placement){.mailbox = a->folder.mailbox};
                st = view_of(a, &a->messages[i], &bytes);
                if (st == OK)
                        st = imap_board_append(s, a->folder.mailbox, bytes, a->messages[i].date,
                                &to[i].number);
                all = all && to[i].number;
        }
        return st == OK && all ? say_filed(a, to) : st;
}

static enum status file(struct append *a)
{
        struct session *s = a->session;
        struct sender sender = {.way = WAY_APPEND,
                .person = s->person,
                .address = wire_peer(s->wire)->address,
                .secure = wire_secure(s->wire)};
        struct placement *to = arena_alloc(s->arena, a->count * sizeof *to);
        struct submission *all = arena_alloc(s->arena, a->count * sizeof *all);
        struct submission **list = arena_alloc(s->arena, a->count * sizeof(struct submission *));
        enum status st = OK;
        if (a->folder.kind == MAILBOX_BOARD)
                return file_on_board(a);
        for (size_t i = 0; st == OK && i < a->count; i++) {
                struct message *m = &a->messages[i];
                to[i] = (struct placement){.mailbox = a->folder.mailbox,
                        .flags = m->flags.flags,
                        .keywords = m->flags.keywords,
                        .keyword_count = m->flags.keyword_count};
                all[i] = (struct submission){
                        .sender = &sender, .date = m->date, .to = &to[i], .to_count = 1};
                list[i] = &all[i];
                st = view_of(a, m, &all[i].bytes);
        }
        if (st != OK)
                return st;
        enum refusal why = REFUSED_NOT;
        st = a->count == 1 ? accept_post(s->site, all, s->arena, &why)
                           : submit_many(s->site, list, a->count, s->arena, &why);
        if (st != OK)
                return imap_not_filed(s, st, why);
        for (size_t i = 0; a->count > 1 && i < a->count; i++)
                accept_obey(s->site, list[i]);
        return say_filed(a, to);
}

static enum status prepare(struct append *a, struct str name)
{
        enum status st = imap_target(a->session, name, &a->folder);
        return st == OK ? imap_may_file(a->session, &a->folder) : st;
}

enum status imap_append(struct session *s, const struct args *args)
{
        struct append a = {.session = s};
        struct str rest = arena_copy(
                s->arena, args->rest); /* the command's buffer is used for the next lines */
        struct parse p = parse_of(s->arena, rest);
        p.utf8 = imap_utf8(s);
        struct str name = parse_mailbox(&p);
        parse_space(&p);
        struct str text = str_make(p.at, (size_t)(p.end - p.at));
        uint64_t size = 0;
        bool waits = true;
        size_t start;
        s->tag = arena_copy(s->arena, s->tag);
        enum status st = p.bad ? INVALID : prepare(&a, name);
        if (st != OK) {
                if (literal_announced(rest, &size, &waits, &start) && !waits &&
                        imap_swallow(s, size) == CLOSED)
                        return CLOSED;
                return st;
        }
        a.messages = arena_alloc(s->arena, MESSAGES_MAX * sizeof *a.messages);
        st = read_all(&a, text);
        if (st == OK)
                st = room_take(s->site->room, s->wire, 2 * a.octets);
        if (st == OK) {
                st = file(&a);
                room_leave(s->site->room, 2 * a.octets);
        }
        for (size_t i = 0; i < a.count; i++) {
                spool_free(a.messages[i].spool);
                buf_release(&a.messages[i].scratch);
        }
        return st;
}
