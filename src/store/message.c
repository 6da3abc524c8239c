#include "base/crypt.h"
#include "store/body.h"
#include "store/rows.h"
#include "store/thread.h"
#include "store/view.h"

enum {
        SPREAD_MOST = 4
}; /* ids this many times as wide apart as they are many are still read in bulk */

static void fill(struct stored *out, uint64_t id, const struct message_record *m)
{
        *out = (struct stored){.id = id,
                .size = m->size,
                .header_size = m->header_size,
                .lines = m->lines,
                .date = m->date,
                .dots = m->dots,
                .attachment = m->attachment,
                .automatic = m->automatic,
                .reply = m->reply,
                .chunks = m->body};
        memcpy(out->reference, m->id_hash, REFERENCE_SIZE);
        memcpy(out->subject_key, m->subject_key, REFERENCE_SIZE);
}

void entry_stored(const struct entry *e, struct stored *out)
{
        *out = (struct stored){.id = e->message,
                .size = e->size - e->prefix_size,
                .header_size = e->header_size,
                .dots = e->dots,
                .chunks = e->body};
}

/* Copies what was asked for out of a derived record. */
static enum status take_part(
        unsigned part, struct str value, unsigned what, struct arena *arena, struct stored *out)
{
        struct stored s;
        enum status st = part == DERIVED_HEAD ? derived_head_read(value, &s)
                                              : derived_tail_read(value, &s);
        if (st != OK)
                return st;
        if (part == DERIVED_HEAD && what & READ_ENVELOPE)
                out->envelope = arena_copy(arena, s.envelope);
        if (part == DERIVED_HEAD && what & READ_SUMMARY) {
                out->message_id = arena_copy(arena, s.message_id);
                out->subject = arena_copy(arena, s.subject);
                out->base_subject = arena_copy(arena, s.base_subject);
                out->from = arena_copy(arena, s.from);
                out->from_name = arena_copy(arena, s.from_name);
        }
        if (part == DERIVED_TAIL && what & READ_STRUCTURE)
                out->structure = arena_copy(arena, s.structure);
        if (part == DERIVED_TAIL && what & READ_BODY)
                out->body = arena_copy(arena, s.body);
        if (part == DERIVED_TAIL && what & READ_PARTS)
                out->parts = arena_copy(arena, s.parts);
        return OK;
}

static bool needs(unsigned part, unsigned what)
{
        unsigned head = READ_ENVELOPE | READ_SUMMARY,
                 tail = READ_STRUCTURE | READ_BODY | READ_PARTS;
        return what & (part == DERIVED_HEAD ? head : tail);
}

struct reading {
        struct store *store;
        const uint64_t *ids;
        size_t n;
        unsigned what;
        struct arena *arena;
        struct stored *out;
};

static void take_record(const struct reading *r, size_t i, const struct message_record *m)
{
        fill(&r->out[i], r->ids[i], m);
        if (r->what & READ_REFERENCES)
                r->out[i].references = arena_copy(r->arena, m->references);
}

static enum status read_part(
        const struct reading *r, struct stored *out, unsigned part, struct buf *value)
{
        struct key key = key_derived(out->id, part);
        if (!needs(part, r->what))
                return OK;
        buf_clear(value);
        enum status st = get_value(r->store, NULL, TABLE_DERIVED, &key, value);
        return st == OK ? take_part(part, buf_str(value), r->what, r->arena, out) : st;
}

static enum status read_one(const struct reading *r, size_t i, struct buf *value)
{
        struct key key = key_message(r->ids[i]);
        struct message_record m;
        r->out[i] = (struct stored){0};
        buf_clear(value);
        enum status st = get_value(r->store, NULL, TABLE_MESSAGE, &key, value);
        if (st == OK)
                st = message_read(buf_str(value), &m);
        if (st == OK) {
                take_record(r, i, &m);
                st = read_part(r, &r->out[i], DERIVED_HEAD, value);
        }
        if (st == OK)
                st = read_part(r, &r->out[i], DERIVED_TAIL, value);
        if (st == ABSENT) /* it went, or went meanwhile */
                r->out[i] = (struct stored){0};
        return st == ABSENT ? OK : st;
}

static enum status read_singly(const struct reading *r)
{
        struct buf value = {0};
        enum status st = OK;
        for (size_t i = 0; st == OK && i < r->n; i++)
                st = read_one(r, i, &value);
        buf_release(&value);
        return st;
}

/* Ascending ids: a merge with the table's order. */
static enum status scan_messages(const struct reading *r)
{
        struct key from = key_message(r->ids[0]), upto = key_message(r->ids[r->n - 1] + 1);
        struct scan *scan = scan_open(
                r->store->env, NULL, TABLE_MESSAGE, key_str(&from), key_str(&upto));
        struct message_record m;
        struct str key, value;
        enum status st = OK;
        uint64_t id;
        size_t i = 0;
        while (i < r->n && (st = scan_next(scan, &key, &value)) == OK) {
                if (!key_message_read(key, &id))
                        continue;
                while (i < r->n && r->ids[i] < id)
                        i++;
                if (i == r->n || r->ids[i] != id)
                        continue;
                st = message_read(value, &m);
                if (st != OK)
                        break;
                take_record(r, i++, &m);
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

/* Those that went between the two scans: half of a message is none. */
static void drop_gone(const struct reading *r, const unsigned char *parts)
{
        unsigned all = (needs(DERIVED_HEAD, r->what) ? DERIVED_HEAD : 0) |
                       (needs(DERIVED_TAIL, r->what) ? DERIVED_TAIL : 0);
        for (size_t i = 0; i < r->n; i++)
                if (parts[i] != all)
                        r->out[i] = (struct stored){0};
}

static enum status scan_derived(const struct reading *r)
{
        struct key from = key_derived(r->ids[0], 0), upto = key_derived(r->ids[r->n - 1] + 1, 0);
        struct scan *scan = scan_open(
                r->store->env, NULL, TABLE_DERIVED, key_str(&from), key_str(&upto));
        scan_expect(scan, r->n * 1280); /* what most mail has */
        struct str key, value;
        enum status st;
        size_t i = 0;
        unsigned char *parts = mem_new(r->n); /* that have come */
        while ((st = scan_next(scan, &key, &value)) == OK) {
                struct reader k = reader_of(key);
                uint64_t id = read_u64(&k);
                unsigned part = read_u8(&k);
                while (i < r->n && r->ids[i] < id)
                        i++;
                if (i == r->n)
                        break;
                if (r->out[i].id != id || !needs(part, r->what))
                        continue;
                st = take_part(part, value, r->what, r->arena, &r->out[i]);
                if (st != OK)
                        break;
                parts[i] |= (unsigned char)part;
        }
        scan_close(scan);
        drop_gone(r, parts);
        free(parts);
        return st == ABSENT ? OK : st;
}

/* Messages of so many octets are read ahead, while what they take as stored is below so much. */
enum { AHEAD_EACH = 32768, AHEAD_ALL = 1 << 20 };

/* From one of them on, up to where something lies between that nobody asked for and that is more
 * than a chunk: the octets of mail in other folders are not read through. *i moves on. */
static enum status scan_octets_from(const struct reading *r, size_t *i, size_t *taken)
{
        struct key from = key_body(r->out[*i].chunks, 0), upto = key_body(r->ids[r->n - 1] + 1, 0);
        struct scan *scan = scan_open(
                r->store->env, NULL, TABLE_BODY, key_str(&from), key_str(&upto));
        struct str key, value;
        enum status st = OK;
        scan_expect(scan, (r->n - *i) * 3072);
        while (*i < r->n && *taken < AHEAD_ALL && (st = scan_next(scan, &key, &value)) == OK) {
                struct reader k = reader_of(key);
                uint64_t id = read_u64(&k);
                if (read_u32(&k) > 0)
                        break;
                while (*i < r->n && r->ids[*i] < id)
                        ++*i;
                if (*i == r->n || r->ids[*i] != id || r->out[*i].chunks != id ||
                        r->out[*i].size > AHEAD_EACH)
                        continue;
                r->out[*i].packed = arena_copy(r->arena, value);
                *taken += value.len;
        }
        scan_close(scan);
        return st;
}

static enum status scan_octets(const struct reading *r)
{
        size_t i = 0, taken = 0;
        enum status st = OK;
        while (st == OK && taken < AHEAD_ALL) {
                while (i < r->n && (r->out[i].chunks != r->ids[i] || r->out[i].size > AHEAD_EACH ||
                                    r->out[i].packed.at))
                        i++;
                if (i == r->n)
                        break;
                size_t before = i;
                st = scan_octets_from(r, &i, &taken);
                i += i == before;
        }
        return st == ABSENT ? OK : st;
}

static bool are_dense(const uint64_t *ids, size_t n)
{
        for (size_t i = 1; i < n; i++)
                if (ids[i] <= ids[i - 1])
                        return false;
        return n > 8 && (ids[n - 1] - ids[0]) / n < SPREAD_MOST;
}

enum status messages_read(struct store *store, const uint64_t *ids, size_t n, unsigned what,
        struct arena *arena, struct stored *out)
{
        struct reading r = {store, ids, n, what, arena, out};
        if (!are_dense(ids, n))
                return read_singly(&r);
        memset(out, 0, n * sizeof *out);
        enum status st = scan_messages(&r);
        if (st == OK && (needs(DERIVED_HEAD, what) || needs(DERIVED_TAIL, what)))
                st = scan_derived(&r);
        return st == OK && what & READ_OCTETS ? scan_octets(&r) : st;
}

static enum status get_message(struct store *store, uint64_t id, struct message_record *out)
{
        struct buf value = {0};
        struct key key = key_message(id);
        enum status st = get_value(store, NULL, TABLE_MESSAGE, &key, &value);
        if (st == OK)
                st = message_read(buf_str(&value), out);
        out->references = STR_NONE; /* of the value, which goes */
        buf_release(&value);
        return st;
}

static struct range within(const struct message_record *m, uint64_t offset, uint64_t len)
{
        offset = offset < m->size ? offset : m->size;
        return (struct range){offset, len < m->size - offset ? len : m->size - offset};
}

enum status message_octets(
        struct store *store, uint64_t id, uint64_t offset, uint64_t len, struct buf *out)
{
        struct message_record m;
        enum status st = get_message(store, id, &m);
        if (st != OK)
                return st;
        size_t before = out->len;
        st = body_read(store, &m, within(&m, offset, len), out);
        if (st != OK)
                out->len = before;
        return st;
}

enum status stored_octets(struct store *store, const struct stored *stored, uint64_t offset,
        uint64_t len, struct buf *out)
{
        struct message_record m = {.body = stored->chunks, .size = stored->size};
        struct range range = within(&m, offset, len);
        size_t before = out->len;
        enum status st = stored->packed.at ? body_unpack(stored->packed, &m, range, out)
                                           : body_read(store, &m, range, out);
        if (st != OK)
                out->len = before;
        return st;
}

enum status message_find(struct store *store, struct str message_id, uint64_t *id)
{
        unsigned char hash[HASH_SIZE];
        struct ids ids;
        sha256(message_id, hash);
        enum status st = ids_find(store, NULL, hash, &ids);
        if (st != OK)
                return st;
        *id = ids.message;
        return ids.message ? views_wait_for(store, ids.modseq) : ABSENT;
}

/* Topics are remembered as read (known.h), other mailboxes are not. */
static enum status is_topic(struct store *store, uint32_t mailbox, bool *is)
{
        struct buf value = {0};
        struct key key = key_mailbox(mailbox);
        enum status st = get_value(store, NULL, TABLE_TOPIC, &key, &value);
        buf_release(&value);
        *is = st == OK;
        return st == ABSENT ? OK : st;
}

/* From mailbox to mailbox where they are no topics: whoever keeps a thousand copies in a folder
 * hides no topic by them. */
enum status message_place(struct store *store, uint64_t id, struct place *at)
{
        uint64_t position = views_position(store), modseq;
        for (;;) {
                bool is;
                enum status st = place_from(store, NULL, id, at, &modseq);
                if (st == OK)
                        st = is_topic(store, at->mailbox, &is);
                if (st != OK || (is && modseq <= position))
                        return st;
                *at = is ? (struct place){at->mailbox, at->number + 1}
                         : (struct place){at->mailbox + 1, 0};
        }
}

enum status message_places(struct store *store, uint64_t id, struct place *out, size_t *count)
{
        struct place at = {0};
        size_t room = *count;
        enum status st = OK;
        *count = 0;
        while (*count < room && (st = message_place(store, id, &at)) == OK) {
                out[(*count)++] = at;
                at.number++;
        }
        return st == ABSENT ? OK : st;
}
