#include "store/attention.h"
#include "store/checking.h"
#include "store/env.h"

/* Each pair is there both ways, and between a topic and a folder of the person's. */
static enum status check_pair(struct checking *c, struct str key)
{
        struct place from, to;
        uint32_t person;
        bool is;
        if (!key_shown_read(key, &person, &from, &to)) {
                check_fault(c, "where a message is shown: a bad key");
                return OK;
        }
        struct key back = key_shown(person, &to, &from);
        enum status st = check_has(c, TABLE_SHOWN, &back, &is);
        if (st == OK && !is)
                check_fault(c, "person %u: %u:%u is shown as %u:%u, but not the other way round",
                        person, from.mailbox, from.number, to.mailbox, to.number);
        return st;
}

static enum status check_said(struct checking *c, struct str key, struct str value)
{
        enum attention attention;
        uint32_t person;
        uint64_t root;
        bool is;
        if (!key_attention_read(key, &person, &root)) {
                check_fault(c, "a muted thread: a bad key");
                return OK;
        }
        enum status st = attention_read(value, &attention);
        struct key key_person = key_mailbox(person);
        if (st == OK)
                st = check_has(c, TABLE_PERSON, &key_person, &is);
        if (st == OK && !is)
                check_fault(c, "a muted thread of person %u, who does not exist", person);
        return st;
}

enum status check_attention(struct checking *c)
{
        static const enum table tables[] = {TABLE_SHOWN, TABLE_ATTENTION};
        enum status st = OK;
        for (size_t i = 0; st == OK && i < COUNT_OF(tables); i++) {
                struct scan *scan =
                        scan_open(c->store->env, NULL, tables[i], STR_NONE, STR_NONE);
                struct str key, value;
                while ((st = scan_next(scan, &key, &value)) == OK) {
                        st = tables[i] == TABLE_SHOWN ? check_pair(c, key)
                                                      : check_said(c, key, value);
                        if (st != OK)
                                break;
                }
                scan_close(scan);
                st = st == ABSENT ? OK : st;
        }
        return st;
}
