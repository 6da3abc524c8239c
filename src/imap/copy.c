#include "imap/board.h"
#include "team/prefix.h"
#include "team/room.h"

enum { POSTED_MAX = 64 }; /* messages copied into a topic at once, as submit_many takes */

struct transfer {
        struct session *session;
        struct folder folder;   /* where to */
        struct numset *numbers; /* what */
        bool move;
        struct numset *from, *to; /* COPYUID: in parallel, ascending */
};

static void say_copied(struct transfer *t)
{
        struct session *s = t->session;
        const struct view *v;
        if (numset_count(t->from) == 0 || view_open(s->site->store, t->folder.mailbox, &v) != OK)
                return;
        struct buf from = {0}, to = {0};
        numset_print(t->from, &from);
        numset_print(t->to, &to);
        if (t->move) /* RFC 6851 4.3: untagged, before the EXPUNGEs */
                imap_line(s, "* OK [COPYUID %u %s %s] Moved", v->uid_validity, buf_text(&from),
                        buf_text(&to));
        else
                imap_reply(s, "[COPYUID %u %s %s] Copied", v->uid_validity, buf_text(&from),
                        buf_text(&to));
        buf_release(&from);
        buf_release(&to);
        view_close(s->site->store, v);
}

/* ---- into a folder of one's own: the same bytes, one change ---- */

static enum status into_folder(struct transfer *t)
{
        struct session *s = t->session;
        struct copying copy = {.from = s->selected->mailbox,
                .to = t->folder.mailbox,
                .person = s->person,
                .numbers = t->numbers,
                .from_numbers = t->from,
                .to_numbers = t->to};
        struct change *change = change_new(s->site->store);
        change_copy(change, &copy);
        if (t->move)
                change_expunge(change, s->selected->mailbox, t->numbers, NULL);
        enum status st = store_commit(change);
        change_free(change);
        return st == TOO_MANY ? imap_not_filed(s, st, REFUSED_NOT) : st;
}

/* ---- into a topic: that is posting ---- */

enum status imap_octets(struct session *s, const struct entry *e, struct buf *out)
{
        enum { PIECE = 65536 };
        uint64_t size = e->size - e->prefix_size;
        enum status st = OK;
        for (uint64_t at = 0; st == OK && at < size; at += PIECE)
                st = message_octets(s->site->store, e->message, at, PIECE, out);
        return st;
}

static uint64_t together(const struct batch *b)
{
        uint64_t total = 0;
        for (size_t i = 0; i < b->count; i++)
                total += b->entries[i].size;
        return total;
}

/* Reads the messages to be posted; together they may be as long as one message. */
static enum status read_posts(struct transfer *t, struct batch *b, struct buf *bytes)
{
        struct session *s = t->session;
        enum status st = OK;
        if (together(b) > site_config(s->site)->message_size)
                return imap_refuse(s, TOO_BIG,
                        "[LIMIT] Post these one after the other: they are too long together");
        for (size_t i = 0; st == OK && i < b->count; i++) {
                st = imap_octets(s, &b->entries[i], &bytes[i]);
                if (st == OK)
                        st = imap_may_post(s, &t->folder, buf_str(&bytes[i]));
        }
        return st;
}

static void take_flags(struct session *s, uint32_t number, struct placement *to)
{
        const struct marks *marks = s->selected->marks;
        struct str *list = arena_alloc(s->arena, (marks->keyword_count + 1) * sizeof *list);
        to->flags = marks_flags(marks, number);
        to->keywords = list;
        for (size_t i = 0; i < marks->keyword_count; i++)
                if (numset_has(marks->keyword[i], number))
                        list[to->keyword_count++] = marks->keywords[i];
}

static enum status post(struct transfer *t, const struct batch *b, const struct buf *bytes)
{
        struct session *s = t->session;
        struct sender sender = {.way = WAY_APPEND,
                .person = s->person,
                .address = wire_peer(s->wire)->address,
                .secure = wire_secure(s->wire)};
        struct placement to[POSTED_MAX] = {0};
        struct submission all[POSTED_MAX], *list[POSTED_MAX];
        enum refusal why = REFUSED_NOT;
        for (size_t i = 0; i < b->count; i++) {
                to[i].mailbox = t->folder.mailbox;
                take_flags(s, b->entries[i].number, &to[i]);
                all[i] = (struct submission){.sender = &sender,
                        .bytes = prefix_strip(s->site, buf_str(&bytes[i])),
                        .date = b->entries[i].date,
                        .to = &to[i],
                        .to_count = 1};
                list[i] = &all[i];
        }
        enum status st = submit_many(s->site, list, b->count, s->arena, &why);
        if (st != OK)
                return imap_not_filed(s, st, why);
        for (size_t i = 0; i < b->count; i++) {
                numset_add(t->from, b->entries[i].number);
                numset_add(t->to, to[i].number);
        }
        for (size_t i = 0; i < b->count; i++)
                accept_obey(s->site, list[i]);
        /* COPYUID pairs ascending numbers; a message that lay there already breaks the order */
        for (size_t i = 1; i < b->count; i++)
                if (to[i].number <= to[i - 1].number)
                        numset_clear(t->from);
        return OK;
}

static enum status leave(struct session *s, const struct numset *numbers)
{
        struct change *change = change_new(s->site->store);
        change_expunge(change, s->selected->mailbox, numbers, NULL);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

static enum status into_topic(struct transfer *t)
{
        struct session *s = t->session;
        if (numset_count(t->numbers) > POSTED_MAX)
                return imap_refuse(s, TOO_MANY, "[LIMIT] At most %d messages can be posted at once",
                        POSTED_MAX);
        struct batch *b = batch_new(s, t->numbers);
        struct buf bytes[POSTED_MAX] = {0};
        enum status st = batch_fill(b);
        uint64_t room = 3 * together(b);
        if (st == OK)
                st = room_take(s->site->room, s->wire, room);
        if (st == OK) {
                st = read_posts(t, b, bytes);
                if (st == OK)
                        st = post(t, b, bytes);
                for (size_t i = 0; i < POSTED_MAX; i++)
                        buf_release(&bytes[i]);
                room_leave(s->site->room, room);
        }
        batch_free(b);
        return st == OK && t->move ? leave(s, t->numbers) : st;
}

/* ---- the commands ---- */

static bool shows_cards(const struct session *s)
{
        return s->selected->kind == MAILBOX_BOARD || s->selected->kind == MAILBOX_TASKS;
}

static enum status may_leave(struct session *s)
{
        if (s->selected->read_only)
                return imap_refuse(s, FORBIDDEN, "[NOPERM] This folder is open for reading only");
        if (shows_cards(s))
                return imap_refuse(s, FORBIDDEN,
                        "[NOPERM] A card stays on its board: move it to another column, or "
                        "copy it");
        if (!s->selected->rights.expunge)
                return imap_refuse(s, FORBIDDEN,
                        "[NOPERM] What was posted to a topic stays there: copy it instead");
        return OK;
}

/* What lies in a topic stays there, also when it is dragged onto the board: its thread is the
 * task. */
static enum status into_board(struct transfer *t, struct str set)
{
        struct session *s = t->session;
        struct numset *leaving = numset_new();
        struct boarding b = {
                .column = t->folder.mailbox,
                .set = set,
                .from = t->from,
                .to = t->to,
                .leaving = leaving,
        };
        enum status st = OK;
        if (t->move && s->selected->read_only)
                st = imap_refuse(s, FORBIDDEN, "[NOPERM] This folder is open for reading only");
        if (st == OK)
                st = imap_board_copy(s, &b);
        enum status left = t->move && numset_low(leaving) ? leave(s, leaving) : OK;
        numset_free(leaving);
        if (st == OK)
                st = left;
        if (st == OK || t->move) /* RFC 6851 3.3: of a move that failed in part, what went is told */
                say_copied(t);
        if (st == OK && t->move)
                st = imap_reply_highest(s, "Moved");
        return st;
}

static enum status transfer(struct transfer *t, struct str set)
{
        struct session *s = t->session;
        enum status st = imap_may_file(s, &t->folder);
        if (st == OK && t->folder.kind == MAILBOX_BOARD)
                return into_board(t, set);
        if (st == OK && t->folder.kind == MAILBOX_TOPIC && shows_cards(s))
                st = imap_refuse(s, FORBIDDEN,
                        "[CANNOT] A card is not posted: answer it, and the answer is in the "
                        "thread");
        if (st == OK && t->move)
                st = may_leave(s);
        if (st == OK)
                st = imap_numbers(s, set, s->uid, &t->numbers);
        if (st != OK)
                return st;
        if (!s->uid && numset_count_andnot(t->numbers, s->selected->view->numbers) > 0)
                return imap_refuse(
                        s, ABSENT, "[EXPUNGEISSUED] Some of these messages have been removed");
        numset_and(t->numbers, s->selected->view->numbers);
        if (numset_count(t->numbers) == 0)
                return OK; /* absent UIDs are no fault (RFC 9051 6.4.9) */
        st = t->folder.kind == MAILBOX_TOPIC ? into_topic(t) : into_folder(t);
        if (st == OK)
                say_copied(t);
        if (st == OK && t->move)
                st = imap_reply_highest(s, "Moved");
        return st;
}

static enum status run(struct session *s, const struct args *a, bool move)
{
        struct parse p = imap_arguments(s, a);
        struct str set = parse_set(&p);
        parse_space(&p);
        struct str name = parse_mailbox(&p);
        if (!parse_end(&p))
                return INVALID;
        struct transfer t = {.session = s, .move = move};
        enum status st = imap_target(s, name, &t.folder);
        if (st != OK)
                return st;
        t.from = numset_new();
        t.to = numset_new();
        st = transfer(&t, set);
        numset_free(t.numbers);
        numset_free(t.from);
        numset_free(t.to);
        return st;
}

enum status imap_copy(struct session *s, const struct args *a)
{
        return run(s, a, false);
}

enum status imap_move(struct session *s, const struct args *a)
{
        return run(s, a, true);
}
