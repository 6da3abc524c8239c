#include "team/board.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/msgid.h"
#include "team/answered.h"

struct taking {
        struct site *site;
        const struct arrival *in;
        struct arena *arena;
        struct task_edit edit;
        struct task_doing doing;
        uint32_t topic;
        uint32_t task; /* of a card; 0: it is none */
        struct task_done *done;
};

bool board_is_card(struct site *site, struct place from)
{
        struct card_memory memory;
        return from.mailbox && card_find(site->store, from, &memory) == OK;
}

/* Mail from elsewhere may bear any id, but no From of this site: it would have been refused. */
static bool is_from_task(struct taking *t, struct str header, uint32_t number)
{
        struct str value, domain = site_config(t->site)->domain;
        struct address from;
        if (header_count(header, "From") != 1 || !header_find(header, "From", &value) ||
                !address_first(t->arena, value, &from))
                return false;
        struct str task = arena_printf(t->arena, "T-%u@%.*s", number, STR_ARG(domain));
        return str_same(address_text(t->arena, &from), task);
}

/* A card that was copied to a folder, or is appended as mbsync does, is known by its id. */
static void find_by_id(struct taking *t)
{
        struct str header = str_sub(t->in->bytes, 0, header_length(t->in->bytes));
        struct str raw = header_value(t->arena, header, "Message-ID"), id;
        uint32_t number, version;
        if (!raw.at || !msgid_next(t->arena, &raw, &id) ||
                !task_id_read(t->site, id, &number, &version) || !is_from_task(t, header, number))
                return;
        t->task = number;
        t->doing.against = version;
}

/* Is this stored message these octets? */
static enum status is_same(struct taking *t, uint64_t message, bool *same)
{
        enum { PIECE = 65536 };
        struct str bytes = t->in->bytes;
        struct stored s;
        struct buf piece = {0};
        enum status st = messages_read(t->site->store, &message, 1, READ_SIZES, t->arena, &s);
        *same = st == OK && s.id && s.size == bytes.len;
        for (uint64_t at = 0; st == OK && *same && at < bytes.len; at += PIECE) {
                buf_clear(&piece);
                st = message_octets(t->site->store, message, at, PIECE, &piece);
                *same = st == OK && str_eq(buf_str(&piece), str_sub(bytes, at, PIECE));
        }
        buf_release(&piece);
        return st;
}

/* The very message that opened a task stands for it as a card does, wherever it was read: a thread is
 * one task. One of which only the id is the same is another. Where the person may not see the task,
 * the message can open none, and is not filed: a Baton-Task in it would be of no task. */
static enum status find_opened(struct taking *t)
{
        struct str header = str_sub(t->in->bytes, 0, header_length(t->in->bytes));
        struct str raw = header_value(t->arena, header, "Message-ID"), id;
        struct answered opened;
        uint64_t message;
        bool same = false;
        if (!raw.at || !msgid_next(t->arena, &raw, &id))
                return OK;
        enum status st = answered_opened(t->site, t->in->person, id, t->arena, &opened);
        if (st == OK && opened.task)
                st = message_find(t->site->store, id, &message);
        if (st == OK && opened.task)
                st = is_same(t, message, &same);
        if (!same)
                return st;
        if (!opened.topic) {
                t->done->text = STR("This message can open no task here: write a new one.");
                return INVALID;
        }
        t->task = opened.task;
        return OK;
}

static enum status find_card(struct taking *t)
{
        struct card_memory memory;
        enum status st = t->in->from.mailbox
                ? card_find(t->site->store, t->in->from, &memory)
                : ABSENT;
        if (st == OK) {
                t->task = memory.task;
                t->doing.against = memory.version;
        }
        if (st == ABSENT)
                find_by_id(t);
        if (st == ABSENT && !t->task)
                st = find_opened(t);
        return st == ABSENT ? OK : st;
}

/* A card that goes to the board of another topic takes its thread along. */
static enum status move_card(struct taking *t, struct task_done *done)
{
        struct task task;
        enum status st = task_get(t->site->store, t->task, t->arena, &task);
        if (st == OK && task.topic != t->topic) {
                t->edit.topic = t->topic;
                t->edit.fields |= 1u << FIELD_TOPIC;
        }
        if (st == OK)
                st = task_change(t->site, &t->doing, t->task, &t->edit, t->arena, done);
        if (st == ABSENT && !done->text.len)
                done->text = arena_printf(t->arena, "There is no task T-%u.", t->task);
        return st;
}

static enum status open_task(struct taking *t, struct task_done *done, enum refusal *why)
{
        struct sender sender = {
                .way = WAY_APPEND, .person = t->in->person, .address = t->in->address};
        struct placement to = {.mailbox = t->topic};
        struct submission mail = {.sender = &sender,
                .bytes = t->in->bytes,
                .date = t->in->date,
                .to = &to,
                .to_count = 1};
        if (t->in->message && t->in->from.mailbox == t->topic)
                return task_open_here(
                        t->site, &t->doing, t->in->from, &t->edit, t->arena, done);
        enum status st = task_open(t->site, &t->doing, &mail, &t->edit, t->arena, done, why);
        if (st != OK || done->opened)
                return st;
        /* the same message lies there as a task, since a moment ago: it is moved */
        t->task = done->number;
        return move_card(t, done);
}

static enum status take_once(struct taking *t, struct task_done *done, enum refusal *why)
{
        struct rights rights;
        enum status st = rules_topic(t->site, t->in->person, t->topic, &rights);
        if (st == OK && !rights.post) {
                *why = REFUSED_MEMBERS;
                return FORBIDDEN;
        }
        if (st == OK)
                st = find_card(t);
        if (st != OK)
                return st;
        return t->task ? move_card(t, done) : open_task(t, done, why);
}

/* The column may be called otherwise by now, and then its status is. */
static bool renamed(const struct taking *t)
{
        struct str status;
        uint32_t topic;
        return task_column(t->site, t->in->column, t->arena, &status, &topic) == OK &&
               !str_eq(status, t->edit.status);
}

CHECKED enum status board_take(struct site *site, const struct arrival *in, struct arena *arena,
        struct task_done *done, enum refusal *why)
{
        enum { TRIES = 20 };
        enum status st = BUSY;
        for (unsigned i = 0; i < TRIES; i++) {
                struct taking t = {.site = site,
                        .in = in,
                        .arena = arena,
                        .done = done,
                        .edit = {.fields = 1u << FIELD_STATUS},
                        .doing = {.person = in->person, .burn = in->column}};
                *why = REFUSED_NOT;
                *done = (struct task_done){0};
                st = task_column(site, in->column, arena, &t.edit.status, &t.topic);
                if (st == OK)
                        st = take_once(&t, done, why);
                if ((st != INVALID && st != BUSY) || !renamed(&t))
                        break;
        }
        return st;
}

CHECKED enum status board_return(struct site *site, struct place card)
{
        struct card_memory memory;
        enum status st = card_find(site->store, card, &memory);
        if (st == OK && !memory.gone)
                st = task_refile(site, memory.task, card);
        return st == ABSENT ? OK : st;
}
