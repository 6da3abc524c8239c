#include "store/checking.h"
#include "store/codec_task.h"
#include "store/rows.h"

/* How many keys of each kind the records ask for, and how many there are: what every record asks
 * for is looked up, so equal numbers mean that no key is left over. */
struct tally {
        struct checking *c;
        uint64_t wanted[KEY_GONE + 1], found[KEY_GONE + 1];
        uint64_t lying; /* cards that lie somewhere */
};

static enum status expect(struct tally *t, uint32_t number, enum task_key kind, struct key key,
        const char *what)
{
        bool is;
        t->wanted[kind]++;
        enum status st = check_has(t->c, TABLE_TASK, &key, &is);
        if (st == OK && !is)
                check_fault(t->c, "task T-%u: %s is missing", number, what);
        return st;
}

static enum status check_mailbox_kind(
        struct checking *c, uint32_t mailbox, enum mailbox_kind *kind)
{
        struct buf value = {0};
        struct key key = key_mailbox(mailbox);
        struct mailbox m = {0};
        bool is;
        enum status st = check_get(c, TABLE_MAILBOX, &key, &value, &is);
        if (st == OK && is)
                st = mailbox_read(buf_str(&value), &m);
        *kind = is ? m.kind : 0;
        buf_release(&value);
        return st;
}

/* The entry is there and shows this card; its number means this task. */
static enum status check_card(struct tally *t, const struct task *task, const struct place *at)
{
        struct key entry = key_entry(at->mailbox, at->number),
                   memory = key_task_pair(KEY_CARD, at->mailbox, at->number);
        struct buf value = {0};
        struct entry e = {0};
        struct packed prefix;
        struct card_record card = {0};
        bool is;
        enum status st = check_get(t->c, TABLE_ENTRY, &entry, &value, &is);
        if (st == OK && is)
                st = entry_decode(buf_str(&value), &e, &prefix);
        if (st == OK && (!is || e.message != task->card))
                check_fault(t->c, "task T-%u: its card is not in mailbox %u number %u",
                        task->number, at->mailbox, at->number);
        if (st == OK)
                st = check_get(t->c, TABLE_TASK, &memory, &value, &is);
        if (st == OK && is)
                st = card_read(buf_str(&value), &card);
        if (st == OK && (card.task != task->number || card.version != task->version || card.gone))
                check_fault(t->c, "task T-%u: mailbox %u number %u does not mean its card",
                        task->number, at->mailbox, at->number);
        t->wanted[KEY_CARD]++;
        t->lying++;
        buf_release(&value);
        return st;
}

static enum status check_cards(struct tally *t, const struct task *task)
{
        unsigned columns = 0;
        enum status st = OK;
        for (size_t i = 0; st == OK && i < task->card_count; i++) {
                enum mailbox_kind kind;
                st = check_mailbox_kind(t->c, task->cards[i].mailbox, &kind);
                columns += st == OK && kind == MAILBOX_BOARD;
                if (st == OK)
                        st = check_card(t, task, &task->cards[i]);
        }
        if (st == OK && columns != 1 && (task->card_count || !task->closed))
                check_fault(t->c, "task T-%u: its card is in %u columns", task->number, columns);
        return st;
}

static enum status check_events(struct tally *t, const struct task *task)
{
        enum status st = OK;
        for (uint32_t v = 1; st == OK && v <= task->version; v++)
                st = expect(t, task->number, KEY_EVENT, key_task_pair(KEY_EVENT, task->number, v),
                        "an event");
        return st;
}

static enum status check_indices(struct tally *t, const struct task *task)
{
        uint32_t n = task->number;
        enum status st = expect(t, n, KEY_ROOT, key_task_root(task->root), "its root");
        if (st == OK)
                st = expect(t, n, KEY_TOPIC, key_task_pair(KEY_TOPIC, task->topic, n), "its topic");
        if (task->closed || st != OK)
                return st;
        st = expect(t, n, KEY_OPEN, key_task_pair(KEY_OPEN, task->topic, n), "that it is open");
        for (size_t i = 0; st == OK && i < task->assignee_count; i++)
                st = expect(t, n, KEY_PERSON, key_task_pair(KEY_PERSON, task->assignees[i], n),
                        "one who has it");
        for (size_t i = 0; st == OK && i < task->wait_count; i++)
                st = expect(t, n, KEY_AWAITED, key_task_pair(KEY_AWAITED, task->waits[i], n),
                        "that it waits");
        return st;
}

static enum status check_task(struct tally *t, uint32_t number, struct str value)
{
        struct arena *arena = arena_new();
        struct task_record record;
        enum status st = task_read(value, arena, &record);
        record.task.number = number;
        if (st == OK)
                st = check_events(t, &record.task);
        if (st == OK)
                st = check_indices(t, &record.task);
        if (st == OK)
                st = check_cards(t, &record.task);
        arena_free(arena);
        t->c->report.tasks++;
        return st;
}

/* A number that is gone is forgotten some day. */
static enum status check_memory(struct tally *t, const struct place *at, struct str value)
{
        struct card_record card;
        enum status st = card_read(value, &card);
        if (st != OK || !card.gone)
                return st;
        t->wanted[KEY_CARD]++;
        return expect(t, card.task, KEY_GONE, key_card_gone(card.gone, at),
                "when a card of it went");
}

static enum status check_key(struct tally *t, struct str key, struct str value)
{
        struct reader r = reader_of(key);
        unsigned kind = read_u8(&r);
        uint32_t first, second;
        struct place at;
        if (kind < KEY_TASK || kind > KEY_GONE)
                return codec_damaged("a key of tasks");
        t->found[kind]++;
        if (kind == KEY_TASK && key_task_read(key, KEY_TASK, &first, &second))
                return check_task(t, first, value);
        if (kind == KEY_CARD && key_task_read(key, KEY_CARD, &at.mailbox, &at.number))
                return check_memory(t, &at, value);
        return OK;
}

static void compare(struct tally *t)
{
        static const char *const names[] = {
                [KEY_EVENT] = "events",
                [KEY_PERSON] = "people",
                [KEY_TOPIC] = "topics",
                [KEY_OPEN] = "open ones",
                [KEY_AWAITED] = "waiting ones",
                [KEY_CARD] = "cards",
                [KEY_ROOT] = "roots",
                [KEY_GONE] = "cards that went",
        };
        for (unsigned kind = KEY_EVENT; kind <= KEY_GONE; kind++)
                if (t->found[kind] != t->wanted[kind])
                        check_fault(t->c, "tasks: %llu %s are noted, and %llu there are",
                                (unsigned long long)t->found[kind], names[kind],
                                (unsigned long long)t->wanted[kind]);
}

/* Nothing but cards lies in columns and Tasks/. */
static enum status count_lying(struct tally *t)
{
        struct scan *scan = scan_open(t->c->store->env, NULL, TABLE_MAILBOX, STR_NONE, STR_NONE);
        struct str key, value;
        struct mailbox m;
        uint64_t count = 0;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                st = mailbox_read(value, &m);
                if (st != OK)
                        break;
                if (m.kind == MAILBOX_BOARD || m.kind == MAILBOX_TASKS)
                        count += m.count;
        }
        scan_close(scan);
        if (st == ABSENT && count != t->lying)
                check_fault(t->c, "boards hold %llu messages, and tasks have %llu cards",
                        (unsigned long long)count, (unsigned long long)t->lying);
        return st == ABSENT ? OK : st;
}

static enum status check_counter(struct tally *t)
{
        struct key from = key_task_kind(KEY_TASK), upto = key_task_kind(KEY_EVENT),
                   counter = key_counter(COUNTER_TASK);
        struct buf key = {0}, value = {0};
        uint32_t last = 0, none;
        uint64_t next = 1;
        bool is;
        enum status st = table_last(t->c->store->env, NULL, TABLE_TASK, key_str(&from),
                key_str(&upto), &key, &value);
        if (st == OK && !key_task_read(buf_str(&key), KEY_TASK, &last, &none))
                st = codec_damaged("a task");
        if (st == OK || st == ABSENT)
                st = check_get(t->c, TABLE_META, &counter, &value, &is);
        if (st == OK && is)
                st = number_read(buf_str(&value), &next);
        if (st == OK && next <= last)
                check_fault(t->c, "tasks: the next number T-%llu has been given",
                        (unsigned long long)next);
        buf_release(&key);
        buf_release(&value);
        return st;
}

enum status check_tasks(struct checking *c)
{
        struct scan *scan = scan_open(c->store->env, NULL, TABLE_TASK, STR_NONE, STR_NONE);
        struct tally t = {.c = c};
        struct str key, value;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                st = check_key(&t, key, value);
                if (st != OK)
                        break;
        }
        scan_close(scan);
        if (st != ABSENT)
                return st;
        compare(&t);
        st = count_lying(&t);
        return st == OK ? check_counter(&t) : st;
}
