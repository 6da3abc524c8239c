#include "store/checking.h"
#include "store/rows.h"

struct checked {
        struct entry entry;
        struct packed prefix;
};

/* Does the prefix come out of its base? */
static enum status check_prefix(
        struct checking *c, const struct mailbox *m, const struct checked *e, bool *right)
{
        struct key key = key_entry(m->id, e->prefix.base);
        struct buf value = {0}, text = {0};
        struct str base = STR_NONE;
        bool is = true;
        enum status st = OK;
        if (e->prefix.base)
                st = check_get(c, TABLE_PREFIX, &key, &value, &is);
        if (st == OK && is && e->prefix.base)
                st = text_read(buf_str(&value), &base);
        if (st == OK && is)
                st = prefix_unpack(base, &e->prefix, &text);
        *right = st == OK && is;
        buf_release(&value);
        buf_release(&text);
        return st == DAMAGED ? OK : st;
}

/* What newsreaders list, where there is one. */
static enum status check_overview(
        struct checking *c, const struct mailbox *m, const struct entry *e)
{
        struct key at = key_entry(m->id, e->number);
        struct buf value = {0};
        struct str text;
        bool is;
        enum status st = check_get(c, TABLE_OVERVIEW, &at, &value, &is);
        if (st == OK && is)
                st = text_read(buf_str(&value), &text);
        buf_release(&value);
        return st;
}

static bool agrees(const struct message_record *m, const struct entry *e)
{
        return m->body == e->body && m->header_size == e->header_size && m->dots == e->dots;
}

static enum status check_entry(
        struct checking *c, const struct mailbox *m, const struct checked *checked)
{
        const struct entry *e = &checked->entry;
        struct key place = key_place(e->message, m->id, e->number);
        struct key message = key_message(e->message);
        struct message_record record;
        struct buf value = {0};
        bool is, right;
        enum status st = check_has(c, TABLE_PLACE, &place, &is);
        if (st == OK && !is)
                check_fault(c, "mailbox %u number %u: its message does not know of it", m->id,
                        e->number);
        if (st == OK)
                st = check_get(c, TABLE_MESSAGE, &message, &value, &is);
        if (st == OK && !is)
                check_fault(c, "mailbox %u number %u: there is no message", m->id, e->number);
        if (st == OK && is) {
                st = message_read(buf_str(&value), &record);
                if (st == OK && record.size + e->prefix_size != e->size)
                        check_fault(c, "mailbox %u number %u: the size is wrong", m->id, e->number);
                if (st == OK && !agrees(&record, e))
                        check_fault(c, "mailbox %u number %u: it is not the message's entry", m->id,
                                e->number);
        }
        if (st == OK)
                st = check_prefix(c, m, checked, &right);
        if (st == OK && !right)
                check_fault(c, "mailbox %u number %u: the prefix is not the one that was filed",
                        m->id, e->number);
        if (e->number >= m->next)
                check_fault(c, "mailbox %u number %u: above the next number %u", m->id, e->number,
                        m->next);
        buf_release(&value);
        return st;
}

static enum status check_entries(struct checking *c, const struct mailbox *m)
{
        struct key prefix = key_mailbox(m->id);
        struct scan *scan = scan_prefix(c->store, NULL, TABLE_ENTRY, &prefix);
        struct str key, value;
        struct checked e;
        uint32_t mailbox, count = 0;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                if (!key_entry_read(key, &mailbox, &e.entry.number)) {
                        check_fault(c, "mailbox %u: an entry has a bad key", m->id);
                        continue;
                }
                st = entry_decode(value, &e.entry, &e.prefix);
                if (st == OK)
                        st = check_entry(c, m, &e);
                if (st == OK)
                        st = check_overview(c, m, &e.entry);
                if (st != OK)
                        break;
                count++;
                check_step(c);
        }
        scan_close(scan);
        c->report.entries += count;
        if (st == ABSENT && count != m->count)
                check_fault(c, "mailbox %u: counted %u messages, has %u", m->id, m->count, count);
        return st == ABSENT ? OK : st;
}

static enum status check_name(struct checking *c, const struct mailbox *m)
{
        struct buf key = {0}, value = {0};
        struct folder_record f = {0};
        key_folder(m->owner, m->name, &key);
        enum status st = table_get(c->store->env, NULL, TABLE_FOLDER, buf_str(&key), &value);
        if (st == OK)
                st = folder_read(buf_str(&value), &f);
        if ((st == OK || st == ABSENT) && f.mailbox != m->id)
                check_fault(c, "mailbox %u: not found by its name %.*s", m->id, STR_ARG(m->name));
        buf_release(&key);
        buf_release(&value);
        return st == ABSENT ? OK : st;
}

static enum status get_mailbox(struct checking *c, uint32_t id, struct mailbox *m, bool *is)
{
        struct buf value = {0};
        struct key key = key_mailbox(id);
        enum status st = check_get(c, TABLE_MAILBOX, &key, &value, is);
        if (st == OK && *is)
                st = mailbox_read(buf_str(&value), m);
        m->name = STR_NONE;
        buf_release(&value);
        return st;
}

/* No mark above what has been filed. Marks of a mailbox that has gone are dust, and stay. */
static enum status check_marks(struct checking *c)
{
        struct scan *scan = scan_open(c->store->env, NULL, TABLE_MARK, STR_NONE, STR_NONE);
        struct str key, value;
        struct mailbox m = {0};
        struct place at;
        struct block bits;
        uint32_t person, mailbox, last = 0;
        bool is = false;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                uint32_t run = 0, low, high = 0;
                bool read = key_mark_read(key, &person, &mailbox, &at);
                if (!read)
                        check_fault(c, "a mark has a bad key");
                st = block_read(value, &bits);
                if (st == OK && read && mailbox != last)
                        st = get_mailbox(c, last = mailbox, &m, &is);
                if (st != OK)
                        break;
                while (block_run(&bits, &run, &low, &high))
                        continue;
                if (read && is && ((uint64_t)at.number << BLOCK_BITS) + high >= m.next)
                        check_fault(c, "mailbox %u: person %u has marks above what has been filed",
                                mailbox, person);
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

static enum status check_folders(struct checking *c)
{
        struct scan *scan = scan_open(c->store->env, NULL, TABLE_FOLDER, STR_NONE, STR_NONE);
        struct str key, value, name;
        struct folder_record f;
        uint32_t owner;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                bool is;
                st = folder_read(value, &f);
                if (st != OK)
                        break;
                struct key mailbox = key_mailbox(f.mailbox);
                st = check_has(c, TABLE_MAILBOX, &mailbox, &is);
                if (st != OK)
                        break;
                if (!is && key_folder_read(key, &owner, &name))
                        check_fault(c, "folder %.*s of person %u: there is no mailbox",
                                STR_ARG(name), owner);
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

/* A counter must be above everything that it has given. */
static enum status check_counter(struct checking *c, enum counter counter, enum table table)
{
        struct buf key = {0}, value = {0};
        struct key at = key_counter(counter);
        uint64_t next = 1, last = 0;
        bool is;
        enum status st = table_last(c->store->env, NULL, table, STR_NONE, STR_NONE, &key, &value);
        struct reader r = reader_of(buf_str(&key));
        if (st == OK)
                last = key.len == 8 ? read_u64(&r) : read_u32(&r);
        if (st == OK || st == ABSENT)
                st = check_get(c, TABLE_META, &at, &value, &is);
        if (st == OK && is)
                st = number_read(buf_str(&value), &next);
        if (st == OK && next <= last)
                check_fault(c, "counter %u is behind what it has given", (unsigned)counter);
        buf_release(&key);
        buf_release(&value);
        return st;
}

static enum status check_counters(struct checking *c)
{
        enum status st = check_counter(c, COUNTER_MESSAGE, TABLE_MESSAGE);
        if (st == OK)
                st = check_counter(c, COUNTER_MAILBOX, TABLE_MAILBOX);
        return st == OK ? check_counter(c, COUNTER_PERSON, TABLE_PERSON) : st;
}

enum status check_mailboxes(struct checking *c)
{
        struct scan *scan = scan_open(c->store->env, NULL, TABLE_MAILBOX, STR_NONE, STR_NONE);
        struct str key, value;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                struct mailbox m;
                st = mailbox_read(value, &m);
                if (st == OK && !key_mailbox_read(key, &m.id))
                        st = codec_damaged("a mailbox");
                if (st == OK)
                        st = check_name(c, &m);
                if (st == OK)
                        st = check_entries(c, &m);
                if (st != OK)
                        break;
                c->report.mailboxes++;
        }
        scan_close(scan);
        if (st != ABSENT)
                return st;
        st = check_folders(c);
        if (st == OK)
                st = check_marks(c);
        return st == OK ? check_counters(c) : st;
}
