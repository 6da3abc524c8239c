#include "store/codec.h"
#include "base/crypt.h"
#include "base/log.h"

/* All records are of version 1 so far. */
enum { VERSION = 1 };

enum status codec_damaged(const char *what)
{
        log_error("store: a record of %s cannot be read", what);
        return DAMAGED;
}

enum status codec_end(const struct reader *r, const char *what)
{
        return r->bad ? codec_damaged(what) : OK;
}

static struct reader begin(struct str value)
{
        struct reader r = reader_of(value);
        if (read_u8(&r) != VERSION)
                r.bad = true;
        return r;
}

/* read_varint, for what is read a hundred thousand times a command. */
static inline uint64_t varint(struct reader *r)
{
        uint64_t n = 0;
        const unsigned char *at = r->at;
        for (unsigned shift = 0; at < r->end && shift < 56; shift += 7) {
                n |= (uint64_t)(*at & 0x7f) << shift;
                if (*at++ < 0x80) {
                        r->at = at;
                        return n;
                }
        }
        return read_varint(r); /* cut off, or very large */
}

static bool read_octets(struct reader *r, void *out, size_t count)
{
        if (r->bad || (size_t)(r->end - r->at) < count) {
                r->bad = true;
                return false;
        }
        memcpy(out, r->at, count);
        r->at += count;
        return true;
}

static void add_octets(struct buf *out, const void *octets, size_t count)
{
        buf_add(out, str_make(octets, count));
}

void number_write(uint64_t n, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_u64(out, n);
}

enum status number_read(struct str value, uint64_t *out)
{
        struct reader r = begin(value);
        *out = read_u64(&r);
        return codec_end(&r, "a counter");
}

void time_write(time_t at, struct buf *out)
{
        number_write((uint64_t)at, out);
}

enum status time_read(struct str value, time_t *out)
{
        uint64_t n;
        enum status st = number_read(value, &n);
        *out = (time_t)n;
        return st;
}

static void reference_of(struct str text, char out[REFERENCE_SIZE])
{
        unsigned char hash[SHA256_SIZE];
        sha256(text, hash);
        memcpy(out, hash, REFERENCE_SIZE);
}

void message_of(const struct derived *d, struct buf *references, struct message_record *out)
{
        *out = (struct message_record){.header_size = d->header_size,
                .lines = d->lines,
                .date = d->date,
                .dots = d->dots,
                .attachment = d->attachment,
                .automatic = d->automatic,
                .reply = d->reply};
        sha256(d->message_id, out->id_hash);
        if (d->base_subject.len)
                reference_of(d->base_subject, out->subject_key);
        for (size_t i = 0; i < d->reference_count; i++) {
                char one[REFERENCE_SIZE];
                reference_of(d->references[i], one);
                buf_add(references, str_make(one, sizeof one));
        }
        out->references = buf_str(references);
}

void message_write(const struct message_record *m, struct buf *out)
{
        int bits = m->dots | m->attachment << 1 | m->automatic << 2 | m->reply << 3;
        buf_add_u8(out, VERSION);
        buf_add_varint(out, m->body);
        buf_add_varint(out, m->size);
        buf_add_varint(out, m->modseq);
        buf_add_varint(out, m->header_size);
        buf_add_varint(out, m->lines);
        buf_add_varint(out, m->refs);
        buf_add_varint(out, (uint64_t)m->date);
        buf_add_u8(out, (uint8_t)bits);
        add_octets(out, m->id_hash, HASH_SIZE);
        add_octets(out, m->byte_hash, HASH_SIZE);
        add_octets(out, m->subject_key, REFERENCE_SIZE);
        buf_add_bytes(out, m->references);
}

enum status message_read(struct str value, struct message_record *out)
{
        struct reader r = begin(value);
        out->body = varint(&r);
        out->size = varint(&r);
        out->modseq = varint(&r);
        out->header_size = (uint32_t)varint(&r);
        out->lines = (uint32_t)varint(&r);
        out->refs = (uint32_t)varint(&r);
        out->date = (time_t)varint(&r);
        unsigned bits = read_u8(&r);
        out->dots = bits & 1;
        out->attachment = bits & 2;
        out->automatic = bits & 4;
        out->reply = bits & 8;
        read_octets(&r, out->id_hash, HASH_SIZE);
        read_octets(&r, out->byte_hash, HASH_SIZE);
        read_octets(&r, out->subject_key, REFERENCE_SIZE);
        out->references = read_bytes(&r);
        r.bad = r.bad || out->references.len % REFERENCE_SIZE;
        return codec_end(&r, "a message");
}

/* Most of what a summary says stands in the envelope, word for word: then it is said where. */
static void add_found(struct str text, struct str envelope, struct buf *out)
{
        size_t at = text.len ? str_find(envelope, text) : STR_NOWHERE;
        buf_add_varint(out, (uint64_t)text.len << 1 | (at != STR_NOWHERE));
        if (at == STR_NOWHERE)
                buf_add(out, text);
        else
                buf_add_varint(out, at);
}

static struct str read_found(struct reader *r, struct str envelope)
{
        uint64_t coded = varint(r), len = coded >> 1;
        uint64_t at = coded & 1 ? varint(r) : 0;
        struct str from = coded & 1 ? envelope
                                    : str_make((const char *)r->at, (size_t)(r->end - r->at));
        if (r->bad || at > from.len || len > from.len - at) {
                r->bad = true;
                return STR_NONE;
        }
        if (!(coded & 1))
                r->at += len;
        return str_sub(from, (size_t)at, (size_t)len);
}

void derived_head_write(const struct derived *d, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_bytes(out, d->envelope);
        add_found(d->message_id, d->envelope, out);
        add_found(d->subject, d->envelope, out);
        add_found(d->base_subject, d->envelope, out);
        add_found(d->from, d->envelope, out);
        add_found(d->from_name, d->envelope, out);
}

enum status derived_head_read(struct str value, struct stored *out)
{
        struct reader r = begin(value);
        struct str *const said[] = {
                &out->message_id, &out->subject, &out->base_subject, &out->from, &out->from_name};
        out->envelope = read_bytes(&r);
        for (size_t i = 0; i < COUNT_OF(said); i++)
                *said[i] = read_found(&r, out->envelope);
        return codec_end(&r, "an envelope");
}

void derived_tail_write(const struct derived *d, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_bytes(out, d->structure);
        buf_add_bytes(out, d->body);
        buf_add_bytes(out, d->parts);
}

enum status derived_tail_read(struct str value, struct stored *out)
{
        struct reader r = begin(value);
        out->structure = read_bytes(&r);
        out->body = read_bytes(&r);
        out->parts = read_bytes(&r);
        return codec_end(&r, "a structure");
}

void place_write(uint64_t modseq, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_varint(out, modseq);
}

enum status place_read(struct str value, uint64_t *modseq)
{
        struct reader r = begin(value);
        *modseq = varint(&r);
        return codec_end(&r, "a place");
}

void id_write(const struct id_record *i, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_u8(out, i->ghost);
        buf_add_varint(out, i->modseq);
}

enum status id_read(struct str value, struct id_record *out)
{
        struct reader r = begin(value);
        out->ghost = read_u8(&r);
        out->modseq = read_varint(&r);
        return codec_end(&r, "a Message-ID");
}

void thread_write(const struct thread_record *t, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_varint(out, t->root);
        buf_add_varint(out, t->parent);
        buf_add_varint(out, t->children);
        buf_add_u8(out, t->ghost);
        if (t->ghost)
                add_octets(out, t->id_hash, HASH_SIZE);
}

enum status thread_read(struct str value, struct thread_record *out)
{
        struct reader r = begin(value);
        *out = (struct thread_record){0};
        out->root = read_varint(&r);
        out->parent = read_varint(&r);
        out->children = (uint32_t)read_varint(&r);
        out->ghost = read_u8(&r);
        if (out->ghost)
                read_octets(&r, out->id_hash, HASH_SIZE);
        return codec_end(&r, "a thread");
}

void member_write(bool ghost, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_u8(out, ghost);
}

enum status member_read(struct str value, bool *ghost)
{
        struct reader r = begin(value);
        *ghost = read_u8(&r);
        return codec_end(&r, "a thread's member");
}

void chunk_write(const struct chunk *c, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_u8(out, (uint8_t)c->method);
        if (c->method == CHUNK_RAW)
                buf_add_u32(out, c->crc);
        buf_add_u32(out, c->size);
        buf_add(out, c->data);
}

enum status chunk_read(struct str value, struct chunk *out)
{
        struct reader r = begin(value);
        out->method = read_u8(&r);
        out->crc = out->method == CHUNK_RAW ? read_u32(&r) : 0;
        out->size = read_u32(&r);
        out->data = r.bad ? STR_NONE : str_make((const char *)r.at, (size_t)(r.end - r.at));
        if (out->method > CHUNK_ZSTD || out->size > CHUNK_SIZE ||
                (out->method == CHUNK_RAW && out->data.len != out->size))
                r.bad = true;
        return codec_end(&r, "a body");
}

void mailbox_write(const struct mailbox *m, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_u8(out, (uint8_t)m->kind);
        buf_add_u8(out, (uint8_t)m->use);
        buf_add_varint(out, m->owner);
        buf_add_varint(out, m->uid_validity);
        buf_add_varint(out, m->next);
        buf_add_varint(out, m->count);
        buf_add_varint(out, m->modseq);
        buf_add_varint(out, (uint64_t)m->created);
        buf_add_bytes(out, m->name);
}

enum status mailbox_read(struct str value, struct mailbox *out)
{
        struct reader r = begin(value);
        out->kind = read_u8(&r);
        out->use = read_u8(&r);
        out->owner = (uint32_t)read_varint(&r);
        out->uid_validity = (uint32_t)read_varint(&r);
        out->next = (uint32_t)read_varint(&r);
        out->count = (uint32_t)read_varint(&r);
        out->modseq = read_varint(&r);
        out->created = (time_t)read_varint(&r);
        out->name = read_bytes(&r);
        if (out->kind < MAILBOX_TOPIC || out->kind > MAILBOX_TASKS || out->use >= USE_COUNT)
                r.bad = true;
        return codec_end(&r, "a mailbox");
}

void folder_write(const struct folder_record *f, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_varint(out, f->mailbox);
        buf_add_u8(out, (uint8_t)f->use);
}

enum status folder_read(struct str value, struct folder_record *out)
{
        struct reader r = begin(value);
        out->mailbox = (uint32_t)read_varint(&r);
        out->use = read_u8(&r);
        return codec_end(&r, "a folder's name");
}

/* Version 1 knew nothing of the octets, and prefixes lay in a table of their own. */
enum { ENTRY_VERSION = 2, ENTRY_DOTS = 1, ENTRY_BODY = 2 };

void entry_write(const struct entry *e, const struct packed *prefix, struct buf *out)
{
        bool elsewhere = e->body != e->message;
        buf_add_u8(out, ENTRY_VERSION);
        buf_add_u8(out, (uint8_t)((e->dots ? ENTRY_DOTS : 0) | (elsewhere ? ENTRY_BODY : 0)));
        buf_add_varint(out, e->message);
        if (elsewhere)
                buf_add_varint(out, e->body);
        buf_add_varint(out, (uint64_t)e->date);
        buf_add_varint(out, e->modseq);
        buf_add_varint(out, e->size);
        buf_add_varint(out, e->header_size);
        buf_add_varint(out, prefix->size);
        if (!prefix->size)
                return;
        buf_add_varint(out, prefix->base);
        buf_add(out, prefix->steps);
}

enum status entry_decode(struct str value, struct entry *out, struct packed *prefix)
{
        struct reader r = reader_of(value);
        r.bad = read_u8(&r) != ENTRY_VERSION;
        unsigned bits = read_u8(&r);
        out->dots = bits & ENTRY_DOTS;
        out->message = varint(&r);
        out->body = bits & ENTRY_BODY ? varint(&r) : out->message;
        out->date = (time_t)varint(&r);
        out->modseq = varint(&r);
        out->size = varint(&r);
        out->header_size = (uint32_t)varint(&r);
        out->prefix_size = prefix->size = (uint32_t)varint(&r);
        prefix->base = prefix->size ? (uint32_t)varint(&r) : 0;
        prefix->steps = str_make((const char *)r.at, r.bad ? 0 : (size_t)(r.end - r.at));
        r.bad = r.bad || out->size < out->prefix_size || (!prefix->size && prefix->steps.len);
        return codec_end(&r, "an entry");
}

void text_write(struct str text, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add(out, text);
}

enum status text_read(struct str value, struct str *out)
{
        struct reader r = begin(value);
        *out = str_from(value, 1);
        return codec_end(&r, "a text");
}
