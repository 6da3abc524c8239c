#include "imap/board.h"
#include "team/columns.h"
#include "team/prefix.h"
#include "team/room.h"

enum { TAKEN_MAX = 64 }; /* by one command */

static enum status refused(
        struct session *s, enum status st, const struct task_done *done, enum refusal why)
{
        if (why != REFUSED_NOT && why != REFUSED_SITE)
                return imap_not_filed(s, st, why);
        if (!done->text.len)
                return st;
        return imap_refuse(s, FORBIDDEN, "[%s] %.*s", st == FORBIDDEN ? "NOPERM" : "CANNOT",
                STR_ARG(done->text));
}

static enum status take(struct session *s, const struct arrival *in, uint32_t *number)
{
        struct task_done done;
        enum refusal why;
        enum status st = board_take(s->site, in, s->arena, &done, &why);
        *number = done.burned;
        return st == OK ? OK : refused(s, st, &done, why);
}

static struct arrival arrival_of(struct session *s, uint32_t column)
{
        return (struct arrival){
                .person = s->person, .column = column, .address = wire_peer(s->wire)->address};
}

enum status imap_board_append(
        struct session *s, uint32_t column, struct str bytes, time_t date, uint32_t *number)
{
        struct arrival in = arrival_of(s, column);
        in.bytes = bytes;
        in.date = date;
        return take(s, &in, number);
}

/* ---- COPY and MOVE ---- */

/* A message that is no card, with its octets. */
static enum status take_message(
        struct session *s, struct arrival *in, const struct entry *e, uint32_t *number)
{
        struct buf bytes = {0};
        uint64_t room = 3 * (e->size - e->prefix_size);
        enum status st = room_take(s->site->room, s->wire, room);
        if (st != OK)
                return st;
        st = imap_octets(s, e, &bytes);
        in->bytes = prefix_strip(s->site, buf_str(&bytes));
        in->message = e->message;
        in->date = e->date;
        if (st == OK)
                st = take(s, in, number);
        buf_release(&bytes);
        room_leave(s->site->room, room);
        return st;
}

static enum status take_one(struct session *s, const struct boarding *b, uint32_t n)
{
        struct selected *m = s->selected;
        struct arrival in = arrival_of(s, b->column);
        struct entry e;
        uint32_t number = 0;
        enum status st;
        in.from = (struct place){m->mailbox, n};
        if (board_is_card(s->site, in.from)) {
                st = take(s, &in, &number);
        } else {
                st = entry_read(s->site->store, m->mailbox, n, &e);
                if (st == OK)
                        st = take_message(s, &in, &e, &number);
                if (st == OK && m->kind == MAILBOX_FOLDER)
                        numset_add(b->leaving, n);
        }
        if (st == OK && number) {
                numset_add(b->from, n);
                numset_add(b->to, number);
        }
        return st == ABSENT ? OK : st; /* it has gone meanwhile */
}

/* One element of a set of UIDs. What is named by itself is meant, there or gone. A range is what a
 * client makes of neighbours in its list: where it was told of some, the rest is not meant. */
static enum status add_element(struct session *s, struct str element, struct numset *out)
{
        const struct numset *here = s->selected->told;
        struct numset *asked;
        enum status st = numset_parse(element, s->selected->view->next - 1, &asked);
        if (st != OK)
                return st;
        bool alone = str_chr(element, ':') == STR_NOWHERE,
             gone = numset_count_andnot(asked, here) == numset_count(asked);
        if (!gone && !alone)
                numset_and(asked, here);
        if (!gone || numset_count(asked) <= TAKEN_MAX)
                numset_or(out, asked);
        numset_free(asked);
        return OK;
}

/* UIDs of cards: one that went is still a card (team/board.h). */
static enum status card_numbers(struct session *s, struct str set, struct numset **out)
{
        struct str element;
        enum status st = imap_numbers(s, set, true, out);
        if (st != OK || str_chr(set, '*') != STR_NOWHERE || str_eq(set, STR("$")))
                return st;
        while (st == OK && str_cut(&set, ',', &element))
                st = add_element(s, element, *out);
        return st;
}

/* By sequence, what has gone is no longer there. */
static enum status numbers_of(struct session *s, struct str set, struct numset **out)
{
        const struct numset *here = s->selected->view->numbers;
        bool cards = s->selected->kind == MAILBOX_BOARD || s->selected->kind == MAILBOX_TASKS;
        enum status st = cards && s->uid ? card_numbers(s, set, out)
                                         : imap_numbers(s, set, s->uid, out);
        if (st != OK)
                return st;
        if (!s->uid && numset_count_andnot(*out, here) > 0)
                return imap_refuse(
                        s, ABSENT, "[EXPUNGEISSUED] Some of these messages have been removed");
        if (!cards)
                numset_and(*out, here);
        if (numset_count(*out) > TAKEN_MAX)
                return imap_refuse(s, TOO_MANY,
                        "[LIMIT] At most %d messages can go to a board at once", TAKEN_MAX);
        return OK;
}

/* What is said of the message itself: the others are not touched by it. */
static bool of_this_one(enum status st)
{
        return st == FORBIDDEN || st == INVALID || st == TOO_MANY || st == TOO_BIG;
}

/* Each by itself: what cannot be of one does not keep the rest back. The first refusal is told. */
static enum status take_all(
        struct session *s, const struct boarding *b, const struct numset *numbers)
{
        enum status st = OK, refusal = OK;
        struct str why = STR_NONE;
        uint32_t n;
        for (struct walk w = numset_walk(numbers); st == OK && walk_next(&w, &n);) {
                st = take_one(s, b, n);
                if (!of_this_one(st))
                        continue;
                if (refusal == OK) {
                        refusal = st;
                        why = arena_copy(s->arena, buf_str(&s->reply));
                }
                st = OK;
        }
        if (st != OK || refusal == OK)
                return st;
        return why.len ? imap_refuse(s, refusal, "%.*s", STR_ARG(why)) : refusal;
}

enum status imap_board_copy(struct session *s, const struct boarding *b)
{
        struct numset *numbers = NULL;
        enum status st = numbers_of(s, b->set, &numbers);
        if (st == OK)
                st = take_all(s, b, numbers);
        numset_free(numbers);
        return st;
}

enum status imap_board_return(struct session *s, const struct numset *numbers)
{
        struct place card = {.mailbox = s->selected->mailbox};
        enum status st = OK;
        for (struct walk w = numset_walk(numbers); st == OK && walk_next(&w, &card.number);)
                st = board_return(s->site, card);
        return st;
}

/* ---- the columns themselves ---- */

static enum status answer(struct session *s, enum status st, struct str why)
{
        static const char *const codes[STATUS_COUNT] = {
                [ABSENT] = "NONEXISTENT",
                [FORBIDDEN] = "NOPERM",
                [EXISTS] = "ALREADYEXISTS",
                [TOO_MANY] = "LIMIT",
                [INVALID] = "CANNOT",
                [BUSY] = "INUSE",
        };
        if (!codes[st] || !why.len)
                return st;
        /* INVALID would be BAD: the command is well-formed */
        return imap_refuse(s, st == INVALID ? FORBIDDEN : st, "[%s] %.*s", codes[st], STR_ARG(why));
}

enum status imap_column_create(struct session *s, struct str name)
{
        struct str why;
        enum status st = columns_add(s->site, s->person, name, s->arena, &why);
        return answer(s, st, why);
}

enum status imap_column_rename(struct session *s, struct str from, struct str to)
{
        struct str why;
        enum status st = columns_rename(
                s->site, s->person, (const struct str[]){from, to}, s->arena, &why);
        return answer(s, st, why);
}

enum status imap_column_delete(struct session *s, struct str name)
{
        struct str why;
        enum status st = columns_remove(s->site, s->person, name, s->arena, &why);
        return answer(s, st, why);
}
