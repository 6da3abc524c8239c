#include "store/topic.h"
#include "store/board.h"
#include "store/mark.h"
#include "store/rows.h"
#include "store/view.h"

enum { NAME_SIZE_MAX = 120 };

static enum status get_topic(
        struct store *store, struct txn *txn, uint32_t id, struct arena *arena, struct topic *out)
{
        struct buf value = {0};
        struct key key = key_mailbox(id);
        enum status st = get_value(store, txn, TABLE_TOPIC, &key, &value);
        if (st == OK)
                st = topic_read(buf_str(&value), arena, out);
        out->id = id;
        buf_release(&value);
        return st;
}

enum status topic_get(struct store *store, uint32_t id, struct arena *arena, struct topic *out)
{
        return get_topic(store, NULL, id, arena, out);
}

static enum status find_name(
        struct store *store, struct txn *txn, struct str name, struct name_record *out)
{
        struct buf value = {0};
        enum status st = name.len ? table_get(store->env, txn, TABLE_NAME, name, &value) : ABSENT;
        if (st == OK)
                st = name_read(buf_str(&value), out);
        buf_release(&value);
        return st;
}

enum status topic_find(struct store *store, struct str name, struct arena *arena, struct topic *out)
{
        struct name_record n;
        enum status st = find_name(store, NULL, arena_lower(arena, name), &n);
        if (st == OK && n.kind != NAME_TOPIC)
                st = ABSENT;
        return st == OK ? topic_get(store, n.id, arena, out) : st;
}

/* The ids of topics in order of their names. Names with '/' are of columns (board.h). */
static enum status list_ids(struct store *store, struct buf *ids)
{
        struct key prefix = key_mailbox(0);
        struct scan *scan = scan_prefix(store, NULL, TABLE_FOLDER, &prefix);
        struct str key, value, name;
        struct folder_record f;
        uint32_t owner;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                if (!key_folder_read(key, &owner, &name) || str_chr(name, '/') != STR_NOWHERE)
                        continue;
                st = folder_read(value, &f);
                if (st != OK)
                        break;
                buf_add_u32(ids, f.mailbox);
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

enum status topic_list(struct store *store, struct arena *arena, struct topic **out, size_t *count)
{
        struct buf ids = {0};
        *count = 0;
        enum status st = list_ids(store, &ids);
        struct reader r = reader_of(buf_str(&ids));
        *out = arena_alloc(arena, (ids.len / 4 + 1) * sizeof **out);
        for (size_t i = ids.len / 4; st == OK && i > 0; i--) {
                st = topic_get(store, read_u32(&r), arena, &(*out)[*count]);
                *count += st == OK;
                st = st == ABSENT ? OK : st; /* it went meanwhile */
        }
        buf_release(&ids);
        return st;
}

struct topic_op {
        struct op op;
        const struct topic *topic; /* borrowed */
        uint32_t *id;
        struct board board;
};

static bool name_is_sound(struct str name)
{
        for (size_t i = 0; i < name.len; i++)
                if ((unsigned char)name.at[i] <= ' ' || ascii_lower(name.at[i]) != name.at[i])
                        return false;
        return name.len && name.len <= NAME_SIZE_MAX;
}

/* What is in the place of another one. */
static struct topic replacing(const struct topic_op *t, const struct topic *old)
{
        struct topic new = *t->topic;
        new.name = old->name;
        new.created = old->created;
        new.each = old->each;
        if (!new.column_count) {
                new.columns = old->columns;
                new.column_count = old->column_count;
        }
        return new;
}

/* The columns as they are and as they will be. */
static enum status check_columns(struct txn *txn, struct topic_op *t)
{
        struct arena *arena = arena_new();
        struct topic old, new;
        enum status st = OK;
        t->board = (struct board){.after = t->topic};
        if (t->topic->id) {
                st = get_topic(t->op.store, txn, t->topic->id, arena, &old);
                if (st == OK)
                        new = replacing(t, &old);
                t->board = (struct board){.before = &old, .after = &new};
        }
        if (st == OK)
                st = board_check(txn, &t->op, &t->board);
        t->board.before = t->board.after = NULL;
        arena_free(arena);
        return st;
}

static enum status topic_check(struct txn *txn, struct op *op)
{
        struct topic_op *t = (struct topic_op *)op;
        struct name_record n;
        enum status st = check_columns(txn, t);
        if (st != OK || t->topic->id)
                return st;
        if (!name_is_sound(t->topic->name))
                return INVALID;
        st = find_name(op->store, txn, t->topic->name, &n);
        return st == OK ? EXISTS : st == ABSENT ? OK : st;
}

static enum status put_topic(struct txn *txn, uint32_t id, const struct topic *t)
{
        struct buf value = {0};
        struct key key = key_mailbox(id);
        topic_write(t, &value);
        return put_value(txn, TABLE_TOPIC, &key, &value);
}

static enum status topic_add(struct txn *txn, struct topic_op *t)
{
        struct mailbox m = {.kind = MAILBOX_TOPIC, .name = t->topic->name};
        struct name_record n = {.kind = NAME_TOPIC};
        struct topic topic = *t->topic;
        struct buf value = {0};
        enum status st = rows_add(txn, &t->op, &m, &n.id);
        if (!topic.created)
                topic.created = time(NULL);
        topic.each = 0;
        name_write(&n, &value);
        if (st == OK)
                st = table_put(txn, TABLE_NAME, topic.name, buf_str(&value));
        buf_release(&value);
        if (st == OK)
                st = put_topic(txn, n.id, &topic);
        t->board = (struct board){.after = &topic};
        if (st == OK)
                st = board_put(txn, &t->op, &t->board);
        t->board.after = NULL;
        if (t->id)
                *t->id = n.id;
        return st;
}

static enum status topic_put(struct txn *txn, struct op *op)
{
        struct topic_op *t = (struct topic_op *)op;
        if (!t->topic->id)
                return topic_add(txn, t);
        struct arena *arena = arena_new();
        struct topic old, new;
        enum status st = get_topic(op->store, txn, t->topic->id, arena, &old);
        if (st == OK) {
                new = replacing(t, &old);
                t->board = (struct board){.before = &old, .after = &new};
                st = put_topic(txn, new.id, &new);
        }
        if (st == OK)
                st = board_put(txn, op, &t->board);
        t->board.before = t->board.after = NULL;
        if (t->id)
                *t->id = t->topic->id;
        arena_free(arena);
        return st;
}

static void topic_publish(struct store *store, struct op *op)
{
        board_publish(op, &((struct topic_op *)op)->board);
        views_passed(store, op);
}

static void op_free(struct op *op)
{
        free(op);
}

static const struct op_kind topic_kind = {
        .name = "a topic",
        .check = topic_check,
        .put = topic_put,
        .publish = topic_publish,
        .free = op_free,
};

void change_topic(struct change *change, const struct topic *topic, uint32_t *id)
{
        struct topic_op *t = mem_new(sizeof *t);
        t->op.kind = &topic_kind;
        t->topic = topic;
        t->id = id;
        change_op(change, &t->op);
}

/* ---- subscriptions ---- */

enum status subscription_get(
        struct store *store, uint32_t person, uint32_t topic, struct subscription *out)
{
        struct buf value = {0};
        struct key key = key_subscription(person, topic);
        enum status st = get_value(store, NULL, TABLE_SUBSCRIPTION, &key, &value);
        if (st == OK)
                st = subscription_read(buf_str(&value), out);
        out->person = person;
        out->topic = topic;
        buf_release(&value);
        return st;
}

static enum status list(struct store *store, const struct key *prefix, struct arena *arena,
        struct subscription **out, size_t *count)
{
        struct scan *scan = scan_prefix(store, NULL, TABLE_SUBSCRIPTION, prefix);
        struct str key, value;
        enum status st;
        size_t room = 0;
        *out = NULL;
        *count = 0;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                if (*count == room) {
                        struct subscription *more = arena_alloc(
                                arena, (2 * room + 16) * sizeof *more);
                        if (*count)
                                memcpy(more, *out, *count * sizeof *more);
                        room = 2 * room + 16;
                        *out = more;
                }
                st = subscription_read(value, &(*out)[*count]);
                if (st != OK)
                        break;
                if (key_subscription_read(key, &(*out)[*count]))
                        ++*count;
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

enum status subscriptions_of(struct store *store, uint32_t person, struct arena *arena,
        struct subscription **out, size_t *count)
{
        struct key prefix = key_subscriptions(person);
        return list(store, &prefix, arena, out, count);
}

enum status subscribers_of(struct store *store, uint32_t topic, struct arena *arena,
        struct subscription **out, size_t *count)
{
        struct key prefix = key_subscribers(topic);
        return list(store, &prefix, arena, out, count);
}

enum status subscribers_after(struct store *store, uint32_t topic, uint32_t after,
        struct subscription *out, size_t *count)
{
        struct key from = key_subscriber(topic, after + 1), upto = key_subscribers(topic + 1);
        struct scan *scan = scan_open(
                store->env, NULL, TABLE_SUBSCRIPTION, key_str(&from), key_str(&upto));
        struct str key, value;
        size_t room = *count;
        enum status st = after == UINT32_MAX ? ABSENT : OK;
        *count = 0;
        while (st == OK && *count < room && (st = scan_next(scan, &key, &value)) == OK) {
                st = subscription_read(value, &out[*count]);
                if (st == OK && key_subscription_read(key, &out[*count]))
                        ++*count;
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

struct subscribe_op {
        struct op op;
        struct subscription s;
        bool marked;
};

/* Who writes to a topic asks its record whether anybody gets it by mail, and not all subscribers. */
static enum status count_each(struct txn *txn, struct op *op, uint32_t topic, int more)
{
        struct arena *arena = arena_new();
        struct topic t;
        enum status st = more ? get_topic(op->store, txn, topic, arena, &t) : OK;
        if (st == OK && more && t.each != EACH_UNKNOWN) {
                t.each += (uint32_t)more;
                st = put_topic(txn, topic, &t);
        }
        arena_free(arena);
        return st;
}

static int is_each(const struct subscription *s)
{
        return s->mode == MODE_EACH;
}

static enum status has(struct txn *txn, struct op *op, enum table table, const struct key *key)
{
        return table_has(op->store->env, txn, table, key_str(key));
}

static enum status subscribe_check(struct txn *txn, struct op *op)
{
        struct subscribe_op *s = (struct subscribe_op *)op;
        struct key topic = key_mailbox(s->s.topic), person = key_mailbox(s->s.person);
        enum status st = has(txn, op, TABLE_TOPIC, &topic);
        return st == OK ? has(txn, op, TABLE_PERSON, &person) : st;
}

/* What is there already is nothing new to who comes now. */
static enum status mark_all(struct txn *txn, struct subscribe_op *s)
{
        struct mark_place place = {
                .person = s->s.person, .mailbox = s->s.topic, .flag = FLAG_INDEX_SEEN};
        struct row *row;
        bool outside; /* reads nothing here */
        enum status st = person_outside(txn, &s->op, s->s.person, &outside);
        if (st == OK)
                st = rows_get(txn, s->op.store, s->s.topic, &row);
        if (st != OK || outside || row->mailbox.next == 1)
                return st;
        struct numset *all = numset_new(), *changed = numset_new();
        numset_add_range(all, 1, row->mailbox.next - 1);
        st = mark_set(txn, &s->op, &place, all, true, changed);
        if (st == OK)
                st = change_note(txn, &s->op, s->s.topic, s->s.person, changed);
        s->marked = true;
        numset_free(all);
        numset_free(changed);
        return st;
}

static enum status subscribe_put(struct txn *txn, struct op *op)
{
        struct subscribe_op *s = (struct subscribe_op *)op;
        struct key one = key_subscription(s->s.person, s->s.topic),
                   two = key_subscriber(s->s.topic, s->s.person);
        struct subscription record = s->s;
        struct buf value = {0};
        int each = is_each(&s->s);
        enum status st = get_value(op->store, txn, TABLE_SUBSCRIPTION, &one, &value);
        s->marked = false;
        if (st == OK) {
                st = subscription_read(buf_str(&value), &record); /* `since` stays */
                each -= is_each(&record);
        } else if (st == ABSENT) {
                st = mark_all(txn, s);
        }
        record.mode = s->s.mode;
        record.since = record.since ? record.since : time(NULL);
        buf_clear(&value);
        subscription_write(&record, &value);
        if (st == OK)
                st = table_put(txn, TABLE_SUBSCRIPTION, key_str(&one), buf_str(&value));
        if (st == OK)
                st = table_put(txn, TABLE_SUBSCRIPTION, key_str(&two), buf_str(&value));
        if (st == OK)
                st = count_each(txn, op, s->s.topic, each);
        buf_release(&value);
        return st;
}

static void subscribe_publish(struct store *store, struct op *op)
{
        struct subscribe_op *s = (struct subscribe_op *)op;
        if (s->marked)
                views_marked(op, s->s.topic, s->s.person);
        views_passed(store, op);
}

static const struct op_kind subscribe_kind = {
        .name = "a subscription",
        .check = subscribe_check,
        .put = subscribe_put,
        .publish = subscribe_publish,
        .free = op_free,
};

void change_subscribe(struct change *change, const struct subscription *subscription)
{
        struct subscribe_op *s = mem_new(sizeof *s);
        s->op.kind = &subscribe_kind;
        s->s = *subscription;
        change_op(change, &s->op);
}

static enum status unsubscribe_check(struct txn *txn, struct op *op)
{
        struct subscribe_op *s = (struct subscribe_op *)op;
        struct key one = key_subscription(s->s.person, s->s.topic);
        return has(txn, op, TABLE_SUBSCRIPTION, &one);
}

static enum status drop_subscription(struct txn *txn, const struct subscription *s)
{
        struct key one = key_subscription(s->person, s->topic),
                   two = key_subscriber(s->topic, s->person);
        enum status st = drop_value(txn, TABLE_SUBSCRIPTION, &one);
        return st == OK ? drop_value(txn, TABLE_SUBSCRIPTION, &two) : st;
}

/* The topic, which stays, has one less. */
static enum status leave_topic(struct txn *txn, struct op *op, const struct subscription *s)
{
        struct key one = key_subscription(s->person, s->topic);
        struct subscription record = *s;
        struct buf value = {0};
        enum status st = get_value(op->store, txn, TABLE_SUBSCRIPTION, &one, &value);
        if (st == OK)
                st = subscription_read(buf_str(&value), &record);
        if (st == OK)
                st = drop_subscription(txn, s);
        if (st == OK)
                st = count_each(txn, op, s->topic, -is_each(&record));
        buf_release(&value);
        return st;
}

static enum status unsubscribe_put(struct txn *txn, struct op *op)
{
        return leave_topic(txn, op, &((struct subscribe_op *)op)->s);
}

/* Those whose keys begin so: of a person, or of a topic, which goes itself and is not counted. */
static enum status drop_all(
        struct txn *txn, struct op *op, const struct key *prefix, bool topic_goes)
{
        struct scan *scan = scan_prefix(op->store, txn, TABLE_SUBSCRIPTION, prefix);
        struct str key, value;
        struct subscription s;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                if (!key_subscription_read(key, &s))
                        continue;
                st = topic_goes ? drop_subscription(txn, &s) : leave_topic(txn, op, &s);
                if (st != OK)
                        break;
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

enum status subscriptions_drop(struct txn *txn, struct op *op, uint32_t person)
{
        struct key prefix = key_subscriptions(person);
        return drop_all(txn, op, &prefix, false);
}

enum status subscribers_drop(struct txn *txn, struct op *op, uint32_t topic)
{
        struct key prefix = key_subscribers(topic);
        return drop_all(txn, op, &prefix, true);
}

static const struct op_kind unsubscribe_kind = {
        .name = "an unsubscription",
        .check = unsubscribe_check,
        .put = unsubscribe_put,
        .publish = views_passed,
        .free = op_free,
};

void change_unsubscribe(struct change *change, uint32_t person, uint32_t topic)
{
        struct subscribe_op *s = mem_new(sizeof *s);
        s->op.kind = &unsubscribe_kind;
        s->s.person = person;
        s->s.topic = topic;
        change_op(change, &s->op);
}
