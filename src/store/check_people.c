#include "store/checking.h"
#include "store/rows.h"

static enum status check_name(
        struct checking *c, struct arena *arena, struct str name, const struct name_record *n)
{
        struct buf value = {0};
        struct name_record found = {0};
        enum status st = table_get(
                c->store->env, NULL, TABLE_NAME, arena_lower(arena, name), &value);
        if (st == OK)
                st = name_read(buf_str(&value), &found);
        if ((st == OK || st == ABSENT) && (found.kind != n->kind || found.id != n->id))
                check_fault(c, "%.*s: not found by this name", STR_ARG(name));
        buf_release(&value);
        return st == ABSENT ? OK : st;
}

static enum status check_person(
        struct checking *c, struct arena *arena, uint32_t id, struct str value)
{
        struct name_record n = {NAME_PERSON, id};
        struct person p;
        enum status st = person_read(value, arena, &p);
        if (st == OK)
                st = check_name(c, arena, p.name, &n);
        for (size_t i = 0; st == OK && i < p.address_count; i++)
                st = check_name(c, arena, p.addresses[i], &n);
        c->report.persons++;
        return st;
}

static enum status check_each(struct checking *c, struct arena *arena, const struct topic *t)
{
        struct subscription *v;
        size_t count, each = 0;
        enum status st = subscribers_of(c->store, t->id, arena, &v, &count);
        if (st != OK)
                return st;
        for (size_t i = 0; i < count; i++)
                each += v[i].mode == MODE_EACH;
        if (t->each != EACH_UNKNOWN && t->each != each)
                check_fault(c, "topic %.*s: counts %u subscribers by mail, and has %zu",
                        STR_ARG(t->name), t->each, each);
        return OK;
}

static enum status check_topic(
        struct checking *c, struct arena *arena, uint32_t id, struct str value)
{
        struct name_record n = {NAME_TOPIC, id};
        struct key key = key_mailbox(id);
        struct topic t;
        bool is;
        enum status st = topic_read(value, arena, &t);
        if (st == OK)
                st = check_name(c, arena, t.name, &n);
        if (st == OK)
                st = check_has(c, TABLE_MAILBOX, &key, &is);
        if (st == OK && !is)
                check_fault(c, "topic %.*s: there is no mailbox", STR_ARG(t.name));
        t.id = id;
        return st == OK ? check_each(c, arena, &t) : st;
}

static enum status check_records(struct checking *c, enum table table)
{
        struct scan *scan = scan_open(c->store->env, NULL, table, STR_NONE, STR_NONE);
        struct arena *arena = arena_new();
        struct str key, value;
        uint32_t id;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                arena_reset(arena);
                if (!key_mailbox_read(key, &id))
                        check_fault(c, "a person or topic has a bad key");
                st = table == TABLE_PERSON ? check_person(c, arena, id, value)
                                           : check_topic(c, arena, id, value);
                if (st != OK)
                        break;
        }
        scan_close(scan);
        arena_free(arena);
        return st == ABSENT ? OK : st;
}

static enum status check_names(struct checking *c)
{
        struct scan *scan = scan_open(c->store->env, NULL, TABLE_NAME, STR_NONE, STR_NONE);
        struct str key, value;
        struct name_record n;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                bool is;
                st = name_read(value, &n);
                if (st != OK)
                        break;
                struct key id = key_mailbox(n.id);
                st = check_has(c, n.kind == NAME_PERSON ? TABLE_PERSON : TABLE_TOPIC, &id, &is);
                if (st != OK)
                        break;
                if (!is)
                        check_fault(c, "%.*s: a name of nobody", STR_ARG(key));
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

static enum status check_subscription(struct checking *c, struct str key)
{
        struct subscription s;
        bool one, two, person, topic;
        if (!key_subscription_read(key, &s))
                return codec_damaged("a subscription");
        struct key first = key_subscription(s.person, s.topic),
                   second = key_subscriber(s.topic, s.person);
        struct key of = key_mailbox(s.person), to = key_mailbox(s.topic);
        enum status st = check_has(c, TABLE_SUBSCRIPTION, &first, &one);
        if (st == OK)
                st = check_has(c, TABLE_SUBSCRIPTION, &second, &two);
        if (st == OK)
                st = check_has(c, TABLE_PERSON, &of, &person);
        if (st == OK)
                st = check_has(c, TABLE_TOPIC, &to, &topic);
        if (st == OK && !(one && two && person && topic))
                check_fault(c, "subscription of person %u to topic %u: half of it is missing",
                        s.person, s.topic);
        return st;
}

static enum status check_subscriptions(struct checking *c)
{
        struct scan *scan = scan_open(c->store->env, NULL, TABLE_SUBSCRIPTION, STR_NONE, STR_NONE);
        struct str key, value;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                st = check_subscription(c, key);
                if (st != OK)
                        break;
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

/* What is due at a time, and the time by person, are one to one. */
static enum status check_due(struct checking *c)
{
        struct scan *scan = scan_open(c->store->env, NULL, TABLE_DUE, STR_NONE, STR_NONE);
        struct str key, value;
        struct buf octets = {0};
        struct due due;
        uint64_t by_time = 0, all = 0;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                bool is;
                time_t at = 0;
                all++;
                if (!key_due_read(key, &due))
                        continue;
                struct key of = key_due_of(due.kind, due.person);
                st = check_get(c, TABLE_DUE, &of, &octets, &is);
                if (st == OK && is)
                        st = time_read(buf_str(&octets), &at);
                if (st != OK)
                        break;
                if (!is || at != due.at)
                        check_fault(c, "person %u: due at a time that was replaced", due.person);
                by_time++;
        }
        scan_close(scan);
        buf_release(&octets);
        if (st == ABSENT && all != 2 * by_time)
                check_fault(c, "what is due is not found both ways");
        return st == ABSENT ? OK : st;
}

enum status check_people(struct checking *c)
{
        enum status st = check_records(c, TABLE_PERSON);
        if (st == OK)
                st = check_records(c, TABLE_TOPIC);
        if (st == OK)
                st = check_names(c);
        if (st == OK)
                st = check_subscriptions(c);
        return st == OK ? check_due(c) : st;
}
