#include "store/codec_queue.h"

enum { BY_ID = 1, BY_TIME = 2, BY_MESSAGE = 3 };
enum {
        PLAIN = 1, /* the first version: nothing of RFC 3461, one reverse path for all */
        VERSION = 2,
};
enum { IS_HELD = 1, IS_WARNED = 2, IS_EIGHT_BIT = 4 };
/* Of a recipient: what it wants to hear is in the low bits, what follows in the others. */
enum { NOTIFY_BITS = 15, HAS_ORIGINAL = 16, HAS_SENDER = 32 };

static void add(struct key *k, uint64_t n)
{
        for (unsigned i = 8; i-- > 0;)
                k->at[k->len++] = (char)(unsigned char)(n >> (8 * i));
}

static struct key of_kind(unsigned kind)
{
        struct key k = {.len = 1};
        k.at[0] = (char)kind;
        return k;
}

/* Signed numbers are ordered as unsigned ones once the sign is turned. */
static uint64_t turned(int64_t n)
{
        return (uint64_t)n ^ 1ull << 63;
}

/* The numbers of a key of this kind and of exactly this length. */
static bool numbers(struct str key, unsigned kind, uint64_t *out, size_t count)
{
        struct reader r = reader_of(key);
        bool right = key.len == 1 + 8 * count && read_u8(&r) == kind;
        for (size_t i = 0; i < count; i++)
                out[i] = right ? read_u64(&r) : 0;
        return right;
}

struct key key_queue_rows(void)
{
        return of_kind(BY_ID);
}

struct key key_queue(uint64_t id)
{
        struct key k = of_kind(BY_ID);
        add(&k, id);
        return k;
}

bool key_queue_read(struct str key, uint64_t *id)
{
        return numbers(key, BY_ID, id, 1);
}

struct key key_queue_times(void)
{
        return of_kind(BY_TIME);
}

struct key key_queue_at(time_t at, uint64_t id)
{
        struct key k = of_kind(BY_TIME);
        add(&k, turned(at));
        add(&k, id);
        return k;
}

struct key key_queue_until(time_t until)
{
        return key_queue_at(until, UINT64_MAX);
}

bool key_queue_at_read(struct str key, time_t *at, uint64_t *id)
{
        uint64_t n[2];
        bool right = numbers(key, BY_TIME, n, 2);
        *at = (time_t)(n[0] ^ 1ull << 63);
        *id = n[1];
        return right;
}

struct key key_queue_holders(uint64_t message)
{
        struct key k = of_kind(BY_MESSAGE);
        add(&k, message);
        return k;
}

struct key key_queue_of(uint64_t message, uint64_t id)
{
        struct key k = key_queue_holders(message);
        add(&k, id);
        return k;
}

bool key_queue_of_read(struct str key, uint64_t *message, uint64_t *id)
{
        uint64_t n[2];
        bool right = numbers(key, BY_MESSAGE, n, 2);
        *message = n[0];
        *id = n[1];
        return right;
}

bool queue_waits(const struct queue_row *row)
{
        if (row->hold)
                return false;
        if (row->list)
                return true;
        for (size_t i = 0; i < row->recipient_count; i++)
                if (row->recipients[i].state == QUEUE_WAITING)
                        return true;
        return false;
}

static void write_recipient(const struct queue_recipient *to, struct buf *out)
{
        unsigned bits = to->notify & NOTIFY_BITS;
        bits |= to->original.len ? HAS_ORIGINAL : 0;
        bits |= to->own_sender ? HAS_SENDER : 0;
        buf_add_bytes(out, to->address);
        buf_add_u8(out, (uint8_t)to->state);
        buf_add_bytes(out, to->reply);
        buf_add_u8(out, (uint8_t)bits);
        if (bits & HAS_ORIGINAL)
                buf_add_bytes(out, to->original);
        if (bits & HAS_SENDER)
                buf_add_bytes(out, to->sender);
}

void queue_write(const struct queue_row *q, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_varint(out, q->message);
        buf_add_varint(out, q->version);
        buf_add_varint(out, q->person);
        buf_add_varint(out, q->attempts);
        buf_add_u64(out, turned(q->created));
        buf_add_u64(out, turned(q->next));
        buf_add_u8(out, (uint8_t)((q->hold ? IS_HELD : 0) | (q->warned ? IS_WARNED : 0) |
                                  (q->eight_bit ? IS_EIGHT_BIT : 0)));
        buf_add_bytes(out, q->sender);
        buf_add_bytes(out, q->fields);
        buf_add_varint(out, q->list);
        buf_add_varint(out, q->after);
        buf_add_bytes(out, q->envelope_id);
        buf_add_u8(out, (uint8_t)q->returned);
        buf_add_varint(out, q->recipient_count);
        for (size_t i = 0; i < q->recipient_count; i++)
                write_recipient(&q->recipients[i], out);
}

static void read_wishes(struct reader *r, struct arena *arena, struct queue_recipient *to)
{
        unsigned bits = read_u8(r);
        to->notify = bits & NOTIFY_BITS;
        to->own_sender = bits & HAS_SENDER;
        if (bits & HAS_ORIGINAL)
                to->original = arena_copy(arena, read_bytes(r));
        if (bits & HAS_SENDER)
                to->sender = arena_copy(arena, read_bytes(r));
        r->bad = r->bad || bits & ~(unsigned)(NOTIFY_BITS | HAS_ORIGINAL | HAS_SENDER);
}

static void read_recipients(
        struct reader *r, unsigned version, struct arena *arena, struct queue_row *out)
{
        uint64_t count = read_varint(r);
        if (r->bad || count > QUEUE_RECIPIENTS_MOST || count > (size_t)(r->end - r->at)) {
                r->bad = true;
                return;
        }
        out->recipients = arena_alloc(arena, (size_t)count * sizeof *out->recipients + 1);
        out->recipient_count = (size_t)count;
        for (size_t i = 0; i < out->recipient_count; i++) {
                struct queue_recipient *to = &out->recipients[i];
                *to = (struct queue_recipient){0};
                to->address = arena_copy(arena, read_bytes(r));
                to->state = read_u8(r);
                to->reply = arena_copy(arena, read_bytes(r));
                if (version > PLAIN)
                        read_wishes(r, arena, to);
                r->bad = r->bad || to->state < QUEUE_WAITING || to->state > QUEUE_FAILED;
        }
}

/* What the second version brought. */
static void read_more(struct reader *r, struct arena *arena, struct queue_row *out)
{
        out->list = (uint32_t)read_varint(r);
        out->after = (uint32_t)read_varint(r);
        out->envelope_id = arena_copy(arena, read_bytes(r));
        out->returned = read_u8(r);
        r->bad = r->bad || out->returned > RETURN_HEADERS;
}

enum status queue_read(struct str value, struct arena *arena, struct queue_row *out)
{
        struct reader r = reader_of(value);
        *out = (struct queue_row){0};
        unsigned version = read_u8(&r);
        if (version != PLAIN && version != VERSION)
                r.bad = true;
        out->message = read_varint(&r);
        out->version = (uint32_t)read_varint(&r);
        out->person = (uint32_t)read_varint(&r);
        out->attempts = (uint32_t)read_varint(&r);
        out->created = (time_t)(read_u64(&r) ^ 1ull << 63);
        out->next = (time_t)(read_u64(&r) ^ 1ull << 63);
        unsigned bits = read_u8(&r);
        out->hold = bits & IS_HELD;
        out->warned = bits & IS_WARNED;
        out->eight_bit = bits & IS_EIGHT_BIT;
        out->sender = arena_copy(arena, read_bytes(&r));
        out->fields = arena_copy(arena, read_bytes(&r));
        if (version > PLAIN)
                read_more(&r, arena, out);
        read_recipients(&r, version, arena, out);
        return codec_end(&r, "a row of the queue");
}
