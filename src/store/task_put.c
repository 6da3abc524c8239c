#include "base/clock.h"
#include "store/board.h"
#include "store/codec_task.h"
#include "store/mark.h"
#include "store/release.h"
#include "store/rows.h"
#include "store/view.h"

enum {
        NUMBER_LAST = 0x7fffffff,
        PLACES_MOST = TASK_CARDS_MOST, /* old cards, or new ones that are not wanted */
        FORGET_MORE = 8, /* numbers forgotten by each put beyond those that it made */
        DAY = 86400,
};

/* Numbers of one mailbox that vanish. */
struct going {
        uint32_t mailbox;
        struct numset *numbers;
};

struct task_op {
        struct op op;
        struct task_put *put; /* borrowed */
        struct arena *arena;
        struct task old, new; /* old.version 0: there is none yet */
        struct going going[PLACES_MOST];
        size_t going_count;
        struct released released;
};

static time_t now_of(const struct task_op *t)
{
        return t->put->now ? t->put->now : clock_now();
}

static uint32_t today(const struct task_op *t)
{
        time_t now = now_of(t);
        return now > DAY ? (uint32_t)(now / DAY) : 1; /* 0 is a card that lies there */
}

static enum status get_task(
        struct txn *txn, struct op *op, uint32_t number, struct arena *arena, struct task *out)
{
        struct buf value = {0};
        struct key key = key_task(number);
        struct task_record record;
        enum status st = get_value(op->store, txn, TABLE_TASK, &key, &value);
        if (st == OK)
                st = task_read(buf_str(&value), arena, &record);
        if (st == OK)
                *out = record.task;
        out->number = number;
        buf_release(&value);
        return st;
}

static enum status put_task(struct txn *txn, struct op *op, const struct task *task)
{
        struct key key = key_task(task->number);
        struct task_record record = {.task = *task, .modseq = op->modseq};
        struct buf value = {0};
        task_write(&record, &value);
        return put_value(txn, TABLE_TASK, &key, &value);
}

/* ---- checks ---- */

static enum status read_old(struct txn *txn, struct task_op *t)
{
        arena_reset(t->arena);
        t->old = (struct task){0};
        enum status st = get_task(txn, &t->op, t->put->task->number, t->arena, &t->old);
        return st == ABSENT ? OK : st;
}

static enum status task_of(
        struct txn *txn, struct op *op, uint64_t root, uint32_t *number)
{
        struct buf value = {0};
        struct key key = key_task_root(root);
        uint64_t n = 0;
        enum status st = get_value(op->store, txn, TABLE_TASK, &key, &value);
        if (st == OK)
                st = number_read(buf_str(&value), &n);
        *number = (uint32_t)n;
        buf_release(&value);
        return st;
}

/* What was read before a column was called otherwise is thought out again. */
static enum status check_status(struct txn *txn, struct task_op *t)
{
        const struct task *task = t->put->task;
        bool known = t->old.topic == task->topic && str_eq(t->old.status, task->status);
        if (known || str_eq(task->status, STR("dropped")))
                return OK;
        enum status st = board_has(txn, &t->op, task->topic, task->status);
        return st == ABSENT ? OK : st;
}

static enum status task_check(struct txn *txn, struct op *op)
{
        struct task_op *t = (struct task_op *)op;
        const struct task *task = t->put->task;
        uint32_t expected = task->version - (t->put->event != NULL), number;
        assert(!t->put->event || !t->put->stay_count);
        enum status st = read_old(txn, t);
        if (st == OK && (t->old.version != expected || t->old.placed != task->placed))
                return CHANGED;
        if (st == OK && !t->old.version && !t->put->opening) {
                st = task_of(txn, op, task->root, &number);
                st = st == OK ? EXISTS : st == ABSENT ? OK : st;
        }
        return st == OK ? check_status(txn, t) : st;
}

/* ---- cards ---- */

static enum status remember(
        struct txn *txn, struct task_op *t, const struct place *at, const struct card_record *card)
{
        struct key key = key_task_pair(KEY_CARD, at->mailbox, at->number);
        struct buf value = {0}, empty = {0};
        card_write(card, &value);
        enum status st = put_value(txn, TABLE_TASK, &key, &value);
        if (st != OK || !card->gone)
                return st;
        struct key gone = key_card_gone(today(t), at);
        text_write(STR_NONE, &empty);
        return put_value(txn, TABLE_TASK, &gone, &empty);
}

static struct numset *going_in(struct task_op *t, uint32_t mailbox)
{
        for (size_t i = 0; i < t->going_count; i++)
                if (t->going[i].mailbox == mailbox)
                        return t->going[i].numbers;
        assert(t->going_count < PLACES_MOST);
        t->going[t->going_count] = (struct going){mailbox, numset_new()};
        return t->going[t->going_count++].numbers;
}

static void forget_going(struct task_op *t)
{
        while (t->going_count)
                numset_free(t->going[--t->going_count].numbers);
}

/* Takes the entries away and notes that they vanished. A mailbox that has gone took them along. */
static enum status release_cards(struct txn *txn, struct task_op *t)
{
        enum status st = OK;
        for (size_t i = 0; st == OK && i < t->going_count; i++) {
                struct going *g = &t->going[i];
                struct numset *gone = numset_new();
                struct row *row;
                st = rows_get(txn, t->op.store, g->mailbox, &row);
                if (st == OK)
                        st = entries_release(txn, &t->op, row, g->numbers, gone, &t->released);
                numset_free(g->numbers);
                g->numbers = gone;
                st = st == ABSENT ? OK : st;
        }
        return st;
}

static bool stays(const struct task_put *put, const struct place *card)
{
        for (size_t i = 0; i < put->stay_count; i++)
                if (put->stay[i].mailbox == card->mailbox && put->stay[i].number == card->number)
                        return true;
        return false;
}

static enum status drop_cards(
        struct txn *txn, struct task_op *t, const struct place *cards, size_t count)
{
        struct card_record card = {t->old.number, t->old.version, today(t)};
        enum status st = OK;
        for (size_t i = 0; st == OK && i < count; i++) {
                if (stays(t->put, &cards[i]))
                        continue;
                numset_add(going_in(t, cards[i].mailbox), cards[i].number);
                st = remember(txn, t, &cards[i], &card);
        }
        return st;
}

/* The column's is the first. */
static enum status sort_cards(struct txn *txn, struct task_op *t)
{
        enum status st = OK;
        for (size_t i = 0; st == OK && i < t->new.card_count; i++) {
                struct place *cards = t->new.cards, card = cards[i];
                struct row *row;
                st = rows_get(txn, t->op.store, card.mailbox, &row);
                if (st != OK || row->mailbox.kind != MAILBOX_BOARD)
                        continue;
                cards[i] = cards[0];
                cards[0] = card;
                break;
        }
        return st;
}

static enum status put_cards(struct txn *txn, struct task_op *t)
{
        const struct filing *filing = t->put->card;
        struct card_record card = {t->new.number, t->new.version, 0};
        size_t count = t->put->stay_count, added = filing ? filing->entry_count : 0;
        enum status st = OK;
        t->new.card = filing ? filing->message : count ? t->old.card : 0;
        t->new.card_count = count + added;
        t->new.cards = arena_alloc(t->arena, t->new.card_count * sizeof *t->new.cards + 1);
        if (count)
                memcpy(t->new.cards, t->put->stay, count * sizeof *t->new.cards);
        for (size_t i = 0; st == OK && i < added; i++) {
                struct place at = {filing->entries[i].mailbox, filing->entries[i].number};
                t->new.cards[count + i] = at;
                st = remember(txn, t, &at, &card);
        }
        return st == OK ? sort_cards(txn, t) : st;
}

/* What went too long ago, some of it at a time: a little more than comes. */
static enum status forget(struct txn *txn, struct task_op *t)
{
        struct key prefix = key_task_kind(KEY_GONE);
        struct scan *scan = scan_prefix(t->op.store, txn, TABLE_TASK, &prefix);
        struct str key, value;
        size_t room = t->old.card_count + FORGET_MORE;
        enum status st = OK;
        while (room-- && (st = scan_next(scan, &key, &value)) == OK) {
                struct place at;
                uint32_t day;
                if (!key_card_gone_read(key, &day, &at)) {
                        st = codec_damaged("a card that has gone");
                        break;
                }
                if (day + CARD_MEMORY_DAYS >= today(t))
                        break;
                struct key card = key_task_pair(KEY_CARD, at.mailbox, at.number),
                           gone = key_card_gone(day, &at);
                st = drop_value(txn, TABLE_TASK, &card);
                if (st == OK)
                        st = drop_value(txn, TABLE_TASK, &gone);
                if (st != OK)
                        break;
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

/* ---- indices ---- */

static bool has(const uint32_t *list, size_t count, uint32_t n)
{
        for (size_t i = 0; i < count; i++)
                if (list[i] == n)
                        return true;
        return false;
}

static enum status put_key(struct txn *txn, const struct key *key)
{
        struct buf empty = {0};
        text_write(STR_NONE, &empty);
        return put_value(txn, TABLE_TASK, key, &empty);
}

/* It is waited for from now on, or by one less: its card may belong elsewhere. What somebody is
 * about to write of it was thought out before this. */
static enum status wake(struct txn *txn, struct task_op *t, uint32_t number)
{
        struct task task;
        struct due due = {.at = now_of(t), .kind = DUE_CARD, .person = number};
        enum status st = get_task(txn, &t->op, number, t->arena, &task);
        if (st != OK || number == t->new.number)
                return st == ABSENT ? OK : st;
        task.placed++;
        st = put_task(txn, &t->op, &task);
        return st == OK ? due_set(txn, &t->op, &due) : st;
}

static enum status index_waits(struct txn *txn, struct task_op *t)
{
        size_t old_count = t->old.closed ? 0 : t->old.wait_count,
               new_count = t->new.closed ? 0 : t->new.wait_count;
        enum status st = OK;
        for (size_t i = 0; st == OK && i < old_count; i++) {
                struct key key = key_task_pair(KEY_AWAITED, t->old.waits[i], t->old.number);
                if (has(t->new.waits, new_count, t->old.waits[i]))
                        continue;
                st = drop_value(txn, TABLE_TASK, &key);
                if (st == OK)
                        st = wake(txn, t, t->old.waits[i]);
        }
        for (size_t i = 0; st == OK && i < new_count; i++) {
                struct key key = key_task_pair(KEY_AWAITED, t->new.waits[i], t->new.number);
                if (has(t->old.waits, old_count, t->new.waits[i]))
                        continue;
                st = put_key(txn, &key);
                if (st == OK)
                        st = wake(txn, t, t->new.waits[i]);
        }
        return st;
}

static enum status index_people(struct txn *txn, struct task_op *t)
{
        size_t old_count = t->old.closed ? 0 : t->old.assignee_count,
               new_count = t->new.closed ? 0 : t->new.assignee_count;
        enum status st = OK;
        for (size_t i = 0; st == OK && i < old_count; i++) {
                struct key key = key_task_pair(KEY_PERSON, t->old.assignees[i], t->old.number);
                if (!has(t->new.assignees, new_count, t->old.assignees[i]))
                        st = drop_value(txn, TABLE_TASK, &key);
        }
        for (size_t i = 0; st == OK && i < new_count; i++) {
                struct key key = key_task_pair(KEY_PERSON, t->new.assignees[i], t->new.number);
                if (!has(t->old.assignees, old_count, t->new.assignees[i]))
                        st = put_key(txn, &key);
        }
        return st;
}

static enum status index_topic(struct txn *txn, struct task_op *t)
{
        struct key was = key_task_pair(KEY_TOPIC, t->old.topic, t->old.number),
                   was_open = key_task_pair(KEY_OPEN, t->old.topic, t->old.number),
                   is = key_task_pair(KEY_TOPIC, t->new.topic, t->new.number),
                   is_open = key_task_pair(KEY_OPEN, t->new.topic, t->new.number);
        bool moved = t->old.topic != t->new.topic;
        enum status st = OK;
        if (moved && t->old.version)
                st = drop_value(txn, TABLE_TASK, &was);
        if (st == OK && t->old.version && (moved || t->new.closed))
                st = drop_value(txn, TABLE_TASK, &was_open);
        if (st == OK && moved)
                st = put_key(txn, &is);
        bool opens = !t->new.closed && (moved || t->old.closed);
        return st == OK && opens ? put_key(txn, &is_open) : st;
}

/* ---- the change ---- */

static enum status put_event(struct txn *txn, struct task_op *t)
{
        struct task_event event = *t->put->event;
        struct key key = key_task_pair(KEY_EVENT, t->new.number, t->new.version);
        struct buf value = {0};
        if (t->put->journal)
                event.journal = t->put->journal->message;
        else if (!event.journal && t->new.version == 1)
                event.journal = t->new.root;
        event_write(&event, &value);
        return put_value(txn, TABLE_TASK, &key, &value);
}

static enum status put_root(struct txn *txn, struct task_op *t)
{
        struct key key = key_task_root(t->new.root);
        struct buf value = {0};
        number_write(t->new.number, &value);
        return put_value(txn, TABLE_TASK, &key, &value);
}

static enum status put_state(struct txn *txn, struct task_op *t)
{
        struct due due = {.at = t->put->look, .kind = DUE_CARD, .person = t->new.number};
        enum status st = t->old.version ? OK : put_root(txn, t);
        if (st == OK)
                st = index_people(txn, t);
        if (st == OK)
                st = index_topic(txn, t);
        if (st == OK)
                st = index_waits(txn, t);
        if (st == OK && t->put->event)
                st = put_event(txn, t);
        if (st == OK)
                st = put_task(txn, &t->op, &t->new);
        return st == OK ? due_set(txn, &t->op, &due) : st;
}

/* The opening has opened a task before: what this change filed beside it goes again. */
static enum status skip(struct txn *txn, struct task_op *t, uint32_t number)
{
        struct task there;
        enum status st = get_task(txn, &t->op, number, t->arena, &there);
        struct card_record card = {number, there.version, today(t)};
        const struct filing *filing = t->put->card;
        t->put->skipped = true;
        for (size_t i = 0; st == OK && filing && i < filing->entry_count; i++) {
                struct place at = {filing->entries[i].mailbox, filing->entries[i].number};
                numset_add(going_in(t, at.mailbox), at.number);
        }
        if (st == OK)
                st = release_cards(txn, t);
        return st == OK && t->put->burn ? remember(txn, t, t->put->burn, &card) : st;
}

static enum status replace(struct txn *txn, struct task_op *t)
{
        struct card_record burned = {t->new.number, t->new.version, today(t)};
        enum status st = drop_cards(txn, t, t->old.cards, t->old.card_count);
        if (st == OK)
                st = release_cards(txn, t);
        if (st == OK && t->put->burn)
                st = remember(txn, t, t->put->burn, &burned);
        if (st == OK)
                st = put_cards(txn, t);
        if (st == OK)
                st = put_state(txn, t);
        return st == OK ? forget(txn, t) : st;
}

static enum status task_put_op(struct txn *txn, struct op *op)
{
        struct task_op *t = (struct task_op *)op;
        uint32_t number;
        forget_going(t);
        t->released = (struct released){0};
        t->put->skipped = false;
        enum status st = read_old(txn, t);
        if (st != OK)
                return st;
        t->new = *t->put->task;
        t->new.placed = t->old.placed + 1;
        if (t->put->opening) {
                t->new.root = t->put->opening->message;
                st = task_of(txn, op, t->new.root, &number);
                if (st != ABSENT)
                        return st == OK ? skip(txn, t, number) : st;
        }
        return replace(txn, t);
}

static void task_publish(struct store *store, struct op *op)
{
        struct task_op *t = (struct task_op *)op;
        for (size_t i = 0; i < t->going_count; i++)
                if (numset_low(t->going[i].numbers))
                        views_removed(op, t->going[i].mailbox, t->going[i].numbers);
        views_passed(store, op);
}

static void task_free(struct op *op)
{
        struct task_op *t = (struct task_op *)op;
        if (t->released.left)
                leftovers_clear(op->store);
        forget_going(t);
        arena_free(t->arena);
        free(t);
}

static const struct op_kind task_kind = {
        .name = "a task",
        .check = task_check,
        .put = task_put_op,
        .publish = task_publish,
        .free = task_free,
};

void change_task(struct change *change, struct task_put *put)
{
        struct task_op *t = mem_new(sizeof *t);
        t->op.kind = &task_kind;
        t->op.weight = 4096 + put->task->text.len;
        t->put = put;
        t->arena = arena_new();
        for (size_t i = 0; put->event && i < put->event->change_count; i++)
                t->op.weight += put->event->changes[i].before.len +
                                put->event->changes[i].after.len;
        change_op(change, &t->op);
}

/* ---- numbers for nothing ---- */

struct burn_op {
        struct op op;
        struct place *at; /* borrowed */
};

static enum status burn_check(struct txn *txn, struct op *op)
{
        struct row *row;
        enum status st = rows_get(txn, op->store, ((struct burn_op *)op)->at->mailbox, &row);
        return st == OK && row->mailbox.next > NUMBER_LAST - 64 ? TOO_MANY : st;
}

static enum status burn_put(struct txn *txn, struct op *op)
{
        struct place *at = ((struct burn_op *)op)->at;
        struct row *row;
        struct numset *one = numset_new();
        enum status st = rows_get(txn, op->store, at->mailbox, &row);
        if (st == OK) {
                at->number = row->mailbox.next++;
                row->mailbox.modseq = op->modseq;
                rows_touch(op->store, row);
                numset_add(one, at->number);
                st = change_note(txn, op, at->mailbox, 0, one);
        }
        numset_free(one);
        return st;
}

static void burn_publish(struct store *store, struct op *op)
{
        const struct place *at = ((struct burn_op *)op)->at;
        struct numset *one = numset_new();
        numset_add(one, at->number);
        views_added(op, at->mailbox, at->number, at->number);
        views_removed(op, at->mailbox, one);
        views_passed(store, op);
        numset_free(one);
}

static void burn_free(struct op *op)
{
        free(op);
}

static const struct op_kind burn_kind = {
        .name = "a number for nothing",
        .check = burn_check,
        .put = burn_put,
        .publish = burn_publish,
        .free = burn_free,
};

void change_burn(struct change *change, struct place *burn)
{
        struct burn_op *b = mem_new(sizeof *b);
        b->op.kind = &burn_kind;
        b->at = burn;
        change_op(change, &b->op);
}
