#include "base/crypt.h"
#include "store/body.h"
#include "store/checking.h"
#include "store/rows.h"

enum { PIECE = 1 << 20, HASHED_MOST = 4 << 20 };

struct checked {
        uint64_t id;
        struct message_record record;
};

/* All octets, as often as memory allows against the hash of the whole. */
static enum status check_octets(struct checking *c, const struct checked *m)
{
        struct buf b = {0};
        unsigned char hash[HASH_SIZE];
        enum status st = OK;
        for (uint64_t at = 0; st == OK && at < m->record.size; at += PIECE) {
                uint64_t left = m->record.size - at;
                st = body_read(
                        c->store, &m->record, (struct range){at, left < PIECE ? left : PIECE}, &b);
                if (m->record.size > HASHED_MOST)
                        buf_clear(&b);
        }
        if (st == OK && m->record.size <= HASHED_MOST) {
                sha256(buf_str(&b), hash);
                st = memcmp(hash, m->record.byte_hash, HASH_SIZE) == 0 ? OK : DAMAGED;
        }
        buf_release(&b);
        if (st == ABSENT || st == DAMAGED) {
                check_fault(c, "message %llu: its octets are not those that were filed",
                        (unsigned long long)m->id);
                st = OK;
        }
        return st;
}

static enum status check_places(struct checking *c, const struct checked *m)
{
        struct key prefix = key_places(m->id);
        struct scan *scan = scan_prefix(c->store, NULL, TABLE_PLACE, &prefix);
        struct str key, value;
        struct buf octets = {0};
        struct place at;
        struct entry e;
        struct packed packed;
        uint64_t id, made;
        uint32_t count = 0;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                bool is;
                if (!key_place_read(key, &id, &at))
                        continue;
                struct key entry = key_entry(at.mailbox, at.number);
                st = check_get(c, TABLE_ENTRY, &entry, &octets, &is);
                if (st == OK && is)
                        st = entry_decode(buf_str(&octets), &e, &packed);
                if (st != OK)
                        break;
                if (!is || e.message != m->id)
                        check_fault(c, "message %llu: mailbox %u number %u does not show it",
                                (unsigned long long)m->id, at.mailbox, at.number);
                st = place_read(value, &made);
                if (st != OK)
                        break;
                if (is && made != e.modseq)
                        check_fault(c, "message %llu: mailbox %u number %u was made by another change",
                                (unsigned long long)m->id, at.mailbox, at.number);
                count++;
        }
        scan_close(scan);
        buf_release(&octets);
        if (st != ABSENT)
                return st;
        st = check_holders(c, m->id, &count);
        if (st == OK && count != m->record.refs)
                check_fault(c, "message %llu: %u references counted, has %u",
                        (unsigned long long)m->id, m->record.refs, count);
        return st;
}

static enum status check_parts(struct checking *c, const struct checked *m)
{
        struct key id = key_id(m->record.id_hash, m->id), left = key_leftover(LEFT_MESSAGE, m->id);
        struct buf value = {0};
        struct id_record record = {0};
        bool is;
        enum status st = check_get(c, TABLE_ID, &id, &value, &is);
        if (st == OK && is)
                st = id_read(buf_str(&value), &record);
        if (st == OK && (!is || record.ghost))
                check_fault(
                        c, "message %llu: not found by its Message-ID", (unsigned long long)m->id);
        for (unsigned part = DERIVED_HEAD; st == OK && part <= DERIVED_TAIL; part++) {
                struct key derived = key_derived(m->id, part);
                st = check_has(c, TABLE_DERIVED, &derived, &is);
                if (st == OK && !is)
                        check_fault(c, "message %llu: what was derived from it is not there",
                                (unsigned long long)m->id);
        }
        if (st == OK && m->record.refs == 0) {
                st = check_has(c, TABLE_META, &left, &is);
                if (st == OK && !is)
                        check_fault(c, "message %llu: nothing shows it", (unsigned long long)m->id);
        }
        buf_release(&value);
        return st;
}

/* Bodies of no message: one look for each body, not for each chunk. */
static enum status check_bodies(struct checking *c, const uint64_t *ids, size_t count)
{
        enum status st = OK;
        size_t i = 0;
        for (uint64_t next = 0; st == OK;) {
                struct key from = key_body(next, 0);
                struct scan *scan = scan_open(
                        c->store->env, NULL, TABLE_BODY, key_str(&from), STR_NONE);
                struct str key, value;
                bool pending;
                uint64_t body = 0;
                st = scan_next(scan, &key, &value);
                if (st == OK) {
                        struct reader r = reader_of(key);
                        body = read_u64(&r);
                }
                scan_close(scan);
                if (st != OK)
                        break;
                while (i < count && ids[i] < body)
                        i++;
                struct key left = key_leftover(LEFT_BODY, body);
                st = check_has(c, TABLE_META, &left, &pending);
                if (st == OK && !pending && (i == count || ids[i] != body))
                        check_fault(c, "body %llu: there is no message for it",
                                (unsigned long long)body);
                next = body + 1;
        }
        return st == ABSENT ? OK : st;
}

static enum status check_ids(struct checking *c)
{
        struct scan *scan = scan_open(c->store->env, NULL, TABLE_ID, STR_NONE, STR_NONE);
        struct str key, value;
        const unsigned char *hash;
        struct id_record id;
        uint64_t message;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                bool is;
                st = id_read(value, &id);
                if (st == OK && !key_id_read(key, &hash, &message))
                        st = codec_damaged("a Message-ID");
                if (st != OK)
                        break;
                struct key record = id.ghost ? key_thread(message) : key_message(message);
                st = check_has(c, id.ghost ? TABLE_THREAD : TABLE_MESSAGE, &record, &is);
                if (st != OK)
                        break;
                if (!is)
                        check_fault(c, "Message-ID of %llu: there is no message",
                                (unsigned long long)message);
                c->report.ids++;
                c->report.ghosts += id.ghost;
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

static int by_number(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
        return x < y ? -1 : x > y;
}

static enum status check_one(struct checking *c, const struct checked *m)
{
        enum status st = check_octets(c, m);
        if (st == OK)
                st = check_places(c, m);
        if (st == OK)
                st = check_parts(c, m);
        c->report.messages++;
        check_step(c);
        return st;
}

enum status check_messages(struct checking *c)
{
        struct scan *scan = scan_open(c->store->env, NULL, TABLE_MESSAGE, STR_NONE, STR_NONE);
        struct str key, value;
        uint64_t *bodies = NULL;
        size_t count = 0, room = 0;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                struct checked m;
                st = message_read(value, &m.record);
                if (st == OK && !key_message_read(key, &m.id))
                        st = codec_damaged("a message");
                if (st == OK)
                        st = check_one(c, &m);
                if (st != OK)
                        break;
                if (count == room) {
                        room = 2 * room + 1024;
                        bodies = mem_grow(bodies, room * sizeof *bodies);
                }
                bodies[count++] = m.record.body;
        }
        scan_close(scan);
        if (count)
                qsort(bodies, count, sizeof *bodies, by_number);
        if (st == ABSENT)
                st = check_bodies(c, bodies, count);
        free(bodies);
        return st == OK ? check_ids(c) : st;
}
