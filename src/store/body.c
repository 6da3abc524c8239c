#include "store/body.h"
#include "base/log.h"
#include "store/rows.h"
#include "store/view.h"
#include <pthread.h>
#include <zlib.h>
#include <zstd.h>

enum { LEVEL = 1, REMOVE_CHUNKS = 256 };

uint32_t body_chunks(uint64_t size)
{
        return (uint32_t)((size + CHUNK_SIZE - 1) / CHUNK_SIZE);
}

static uint32_t crc_of(struct str s)
{
        return (uint32_t)crc32(0, (const unsigned char *)s.at, (unsigned)s.len);
}

static void encode_chunk(ZSTD_CCtx *context, struct str raw, struct buf *packed, struct buf *out)
{
        struct chunk c = {.method = CHUNK_RAW, .size = (uint32_t)raw.len, .data = raw};
        size_t room = ZSTD_compressBound(raw.len);
        buf_clear(packed);
        size_t size = ZSTD_compress2(context, buf_reserve(packed, room), room, raw.at, raw.len);
        if (!ZSTD_isError(size) && size < raw.len) {
                c.method = CHUNK_ZSTD;
                c.data = str_make(packed->at, size);
        } else {
                c.crc = crc_of(raw);
        }
        chunk_write(&c, out);
}

/* Each thread's own, freed with it: making one costs as much as compressing 2 KB. */
static pthread_key_t compressor_key;
static pthread_once_t compressor_once = PTHREAD_ONCE_INIT;

static void compressor_free(void *context)
{
        ZSTD_freeCCtx(context);
}

static void compressor_start(void)
{
        if (pthread_key_create(&compressor_key, compressor_free) != 0)
                fail_now("no thread key for compressing");
}

static ZSTD_CCtx *compressor(void)
{
        pthread_once(&compressor_once, compressor_start);
        ZSTD_CCtx *context = pthread_getspecific(compressor_key);
        if (context)
                return context;
        context = ZSTD_createCCtx();
        if (!context || pthread_setspecific(compressor_key, context) != 0)
                fail_now("out of memory: compressing");
        (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
        (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
        return context;
}

void body_encode(struct str bytes, size_t first, size_t most, struct body *out)
{
        struct buf packed = {0};
        ZSTD_CCtx *context = compressor();
        struct str rest = str_from(bytes, first * CHUNK_SIZE);
        size_t count = body_chunks(rest.len);
        *out = (struct body){.count = count < most ? count : most};
        out->ends = mem_new((out->count + 1) * sizeof *out->ends);
        for (size_t i = 0; i < out->count; i++) {
                encode_chunk(
                        context, str_sub(rest, i * CHUNK_SIZE, CHUNK_SIZE), &packed, &out->octets);
                out->ends[i] = out->octets.len;
        }
        buf_release(&packed);
}

void body_release(struct body *b)
{
        buf_release(&b->octets);
        free(b->ends);
        *b = (struct body){0};
}

enum status body_put(struct txn *txn, uint64_t body, uint32_t first, const struct body *b)
{
        enum status st = OK;
        size_t start = 0;
        for (size_t i = 0; st == OK && i < b->count; i++) {
                struct key key = key_body(body, first + (uint32_t)i);
                st = table_put(txn, TABLE_BODY, key_str(&key),
                        str_sub(buf_str(&b->octets), start, b->ends[i] - start));
                start = b->ends[i];
        }
        return st;
}

enum status body_remove(struct txn *txn, uint64_t body, uint32_t first, uint32_t upto)
{
        enum status st = OK;
        for (uint32_t i = first; st == OK && i < upto; i++) {
                struct key key = key_body(body, i);
                st = drop_value(txn, TABLE_BODY, &key);
        }
        return st;
}

/* ---- reading ---- */

static enum status damaged(uint64_t body, uint32_t chunk)
{
        log_error(
                "store: chunk %u of body %llu fails its checksum", chunk, (unsigned long long)body);
        return DAMAGED;
}

/* Each thread's own, as the compressor is. */
static pthread_key_t expander_key;
static pthread_once_t expander_once = PTHREAD_ONCE_INIT;

static void expander_free(void *context)
{
        ZSTD_freeDCtx(context);
}

static void expander_start(void)
{
        if (pthread_key_create(&expander_key, expander_free) != 0)
                fail_now("no thread key for expanding");
}

static ZSTD_DCtx *expander(void)
{
        pthread_once(&expander_once, expander_start);
        ZSTD_DCtx *context = pthread_getspecific(expander_key);
        if (context)
                return context;
        context = ZSTD_createDCtx();
        if (!context || pthread_setspecific(expander_key, context) != 0)
                fail_now("out of memory: expanding");
        return context;
}

/* Appends the raw octets of a chunk. */
static enum status unpack(struct str value, uint64_t body, uint32_t number, struct buf *out)
{
        struct chunk c;
        enum status st = chunk_read(value, &c);
        if (st != OK)
                return st;
        char *room = buf_reserve(out, c.size);
        size_t size = c.size;
        if (c.method == CHUNK_ZSTD)
                size = ZSTD_decompressDCtx(expander(), room, c.size, c.data.at, c.data.len);
        else if (size)
                memcpy(room, c.data.at, size);
        if (size != c.size || (c.method == CHUNK_RAW && crc_of(c.data) != c.crc))
                return damaged(body, number);
        out->len += size;
        return OK;
}

static enum status read_chunk(struct store *store, uint64_t body, uint32_t number, struct buf *out)
{
        struct key key = key_body(body, number);
        struct buf value = {0};
        enum status st = get_value(store, NULL, TABLE_BODY, &key, &value);
        if (st == OK)
                st = unpack(buf_str(&value), body, number, out);
        buf_release(&value);
        return st;
}

/* Which octets of one chunk are wanted, of a message of `size` octets. */
struct cut {
        uint32_t number;
        uint64_t start, stop; /* the chunk's */
        uint64_t from, upto;
        bool whole;
};

static struct cut cut_of(uint64_t size, uint64_t at, uint64_t end)
{
        struct cut c = {.number = (uint32_t)(at / CHUNK_SIZE), .from = at};
        c.start = (uint64_t)c.number * CHUNK_SIZE;
        c.stop = c.start + CHUNK_SIZE < size ? c.start + CHUNK_SIZE : size;
        c.upto = end < c.stop ? end : c.stop;
        c.whole = at == c.start && end >= c.stop;
        return c;
}

/* Leaves of the chunk that stands behind `before` in `out` what is wanted. */
static enum status trim(const struct cut *c, uint64_t body, size_t before, struct buf *out)
{
        if (out->len - before != c->stop - c->start)
                return damaged(body, c->number);
        if (c->whole)
                return OK;
        size_t len = (size_t)(c->upto - c->from);
        memmove(out->at + before, out->at + before + (c->from - c->start), len);
        out->len = before + len;
        return OK;
}

enum status body_unpack(
        struct str value, const struct message_record *m, struct range range, struct buf *out)
{
        struct cut c = cut_of(m->size, range.start, range.start + range.len);
        size_t before = out->len;
        enum status st = range.len ? unpack(value, m->body, 0, out) : OK;
        return st == OK && range.len ? trim(&c, m->body, before, out) : st;
}

enum status body_read(
        struct store *store, const struct message_record *m, struct range range, struct buf *out)
{
        uint64_t at = range.start, end = range.start + range.len;
        enum status st = OK;
        while (st == OK && at < end) {
                struct cut c = cut_of(m->size, at, end);
                size_t before = out->len;
                st = read_chunk(store, m->body, c.number, out);
                if (st == OK)
                        st = trim(&c, m->body, before, out);
                at = c.stop;
        }
        return st;
}

/* ---- long bodies ---- */

struct ahead_op {
        struct op op;
        uint64_t *body; /* the caller's; 0 when it is to be given */
        struct body chunks;
        uint32_t first, remove_upto; /* to be removed: [first, remove_upto) */
        bool last;                   /* of the removal */
};

static enum status ahead_check(struct txn *txn, struct op *op)
{
        (void)txn;
        (void)op;
        return OK;
}

static enum status ahead_put(struct txn *txn, struct op *op)
{
        struct ahead_op *a = (struct ahead_op *)op;
        enum status st = OK;
        if (a->first == 0) {
                struct buf value = {0};
                st = counter_take(txn, op->store, COUNTER_MESSAGE, a->body);
                struct key key = key_leftover(LEFT_BODY, *a->body);
                number_write(0, &value);
                if (st == OK)
                        st = put_value(txn, TABLE_META, &key, &value);
                buf_release(&value);
        }
        return st == OK ? body_put(txn, *a->body, a->first, &a->chunks) : st;
}

static enum status give_up_put(struct txn *txn, struct op *op)
{
        struct ahead_op *a = (struct ahead_op *)op;
        enum status st = body_remove(txn, *a->body, a->first, a->remove_upto);
        return st == OK && a->last ? body_settle(txn, *a->body) : st;
}

static void ahead_free(struct op *op)
{
        body_release(&((struct ahead_op *)op)->chunks);
        free(op);
}

static const struct op_kind ahead_kind = {
        .name = "a body written ahead",
        .check = ahead_check,
        .put = ahead_put,
        .publish = views_passed,
        .free = ahead_free,
};

static const struct op_kind give_up_kind = {
        .name = "a body given up",
        .check = ahead_check,
        .put = give_up_put,
        .publish = views_passed,
        .free = ahead_free,
};

static enum status commit_one(struct store *store, struct ahead_op *op)
{
        struct change *change = change_new(store);
        change_op(change, &op->op);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

enum status body_write_ahead(struct store *store, struct str bytes, uint64_t *body)
{
        uint32_t count = body_chunks(bytes.len);
        enum status st = OK;
        *body = 0;
        for (uint32_t first = 0; st == OK && first < count; first += AHEAD_CHUNKS) {
                struct ahead_op *a = mem_new(sizeof *a);
                a->op.kind = &ahead_kind;
                a->op.adds = true;
                a->body = body;
                a->first = first;
                body_encode(bytes, first, AHEAD_CHUNKS, &a->chunks);
                a->op.weight = a->chunks.octets.len;
                st = commit_one(store, a);
                if (st != OK && first == 0)
                        *body = 0; /* taken back with the change: it may be another's by now */
        }
        if (st != OK && *body)
                body_give_up(store, *body);
        return st;
}

enum status body_settle(struct txn *txn, uint64_t body)
{
        struct key key = key_leftover(LEFT_BODY, body);
        return drop_value(txn, TABLE_META, &key);
}

/* How many chunks there are is read from the table: the writing may have stopped anywhere. */
static enum status count_chunks(struct store *store, uint64_t body, uint32_t *count)
{
        struct buf key = {0}, value = {0};
        struct key from = key_body(body, 0), upto = key_body(body + 1, 0);
        enum status st = table_last(
                store->env, NULL, TABLE_BODY, key_str(&from), key_str(&upto), &key, &value);
        struct reader r = reader_of(str_from(buf_str(&key), 8));
        *count = st == OK ? read_u32(&r) + 1 : 0;
        buf_release(&key);
        buf_release(&value);
        return st == ABSENT ? OK : st;
}

void body_give_up(struct store *store, uint64_t body)
{
        uint32_t count;
        enum status st = count_chunks(store, body, &count);
        for (uint32_t first = 0; st == OK && first <= count; first += REMOVE_CHUNKS) {
                struct ahead_op *a = mem_new(sizeof *a);
                a->op.kind = &give_up_kind;
                a->body = &body;
                a->first = first;
                a->remove_upto = first + REMOVE_CHUNKS < count ? first + REMOVE_CHUNKS : count;
                a->last = first + REMOVE_CHUNKS > count;
                st = commit_one(store, a);
        }
        if (st != OK)
                log_note("store: a body that came to nothing is left for the next start");
}
