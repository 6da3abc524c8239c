#include "store/codec.h"

enum { VERSION = 1 };
/* A person got `scram` with the second version, `reach` with the third. */
enum { VERSION_SCRAM = 2, VERSION_REACH = 3, VERSION_MAILED = 4 };
/* A topic counts its subscribers by mail since the second version. */
enum { VERSION_EACH = 2 };
enum { IS_DISABLED = 1, IS_ADMIN = 2, NEWS_MARKS = 4, IS_OUTSIDE = 8 };

static struct reader begin(struct str value)
{
        struct reader r = reader_of(value);
        if (read_u8(&r) != VERSION)
                r.bad = true;
        return r;
}

/* Records of all versions are read; what is written is the newest. */
static struct reader begin_upto(struct str value, unsigned newest, unsigned *version)
{
        struct reader r = reader_of(value);
        *version = read_u8(&r);
        if (*version < VERSION || *version > newest)
                r.bad = true;
        return r;
}

static struct str copy_bytes(struct reader *r, struct arena *arena)
{
        return arena_copy(arena, read_bytes(r));
}

static void add_list(struct buf *out, const struct str *list, size_t count)
{
        buf_add_varint(out, count);
        for (size_t i = 0; i < count; i++)
                buf_add_bytes(out, list[i]);
}

static struct str *copy_list(struct reader *r, struct arena *arena, size_t *count)
{
        uint64_t n = read_varint(r);
        *count = 0;
        if (r->bad || n > (size_t)(r->end - r->at)) { /* each needs an octet at least */
                r->bad = true;
                return NULL;
        }
        struct str *list = arena_alloc(arena, (size_t)n * sizeof *list + 1);
        for (size_t i = 0; i < n; i++)
                list[i] = copy_bytes(r, arena);
        *count = (size_t)n;
        return list;
}

static void reach_write(const struct reach *reach, struct buf *out)
{
        buf_add_varint(out, (uint64_t)reach->confirmed);
        buf_add_varint(out, reach->score);
        buf_add_varint(out, (uint64_t)reach->bounced);
        buf_add_varint(out, (uint64_t)reach->probed);
        buf_add_varint(out, (uint64_t)reach->suspended);
}

static void reach_read(struct reader *r, struct reach *out)
{
        out->confirmed = (time_t)read_varint(r);
        out->score = (uint32_t)read_varint(r);
        out->bounced = (time_t)read_varint(r);
        out->probed = (time_t)read_varint(r);
        out->suspended = (time_t)read_varint(r);
}

void person_write(const struct person *p, struct buf *out)
{
        buf_add_u8(out, VERSION_MAILED);
        buf_add_bytes(out, p->name);
        buf_add_bytes(out, p->full_name);
        buf_add_bytes(out, p->password);
        buf_add_bytes(out, p->zone);
        add_list(out, p->addresses, p->address_count);
        buf_add_u16(out, p->digest_minute);
        buf_add_u16(out, p->hours_from);
        buf_add_u16(out, p->hours_to);
        buf_add_u8(out, p->days);
        buf_add_u8(out, (uint8_t)((p->disabled ? IS_DISABLED : 0) | (p->admin ? IS_ADMIN : 0) |
                                  (p->news_reads_mark ? NEWS_MARKS : 0) |
                                  (p->outside ? IS_OUTSIDE : 0)));
        buf_add_u8(out, (uint8_t)p->form);
        buf_add_varint(out, (uint64_t)p->created);
        buf_add_bytes(out, p->scram);
        reach_write(&p->reach, out);
        buf_add_bytes(out, p->digest_to);
}

enum status person_read(struct str value, struct arena *arena, struct person *out)
{
        unsigned version;
        struct reader r = begin_upto(value, VERSION_MAILED, &version);
        out->name = copy_bytes(&r, arena);
        out->full_name = copy_bytes(&r, arena);
        out->password = copy_bytes(&r, arena);
        out->zone = copy_bytes(&r, arena);
        out->addresses = copy_list(&r, arena, &out->address_count);
        out->digest_minute = read_u16(&r);
        out->hours_from = read_u16(&r);
        out->hours_to = read_u16(&r);
        out->days = read_u8(&r);
        unsigned bits = read_u8(&r);
        out->disabled = bits & IS_DISABLED;
        out->admin = bits & IS_ADMIN;
        out->news_reads_mark = bits & NEWS_MARKS;
        out->outside = bits & IS_OUTSIDE;
        out->form = read_u8(&r);
        out->created = (time_t)read_varint(&r);
        out->scram = version < VERSION_SCRAM ? STR_NONE : copy_bytes(&r, arena);
        out->reach = (struct reach){0};
        if (version >= VERSION_REACH)
                reach_read(&r, &out->reach);
        out->digest_to = version < VERSION_MAILED ? STR_NONE : copy_bytes(&r, arena);
        return codec_end(&r, "a person");
}

void name_write(const struct name_record *n, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_u8(out, (uint8_t)n->kind);
        buf_add_varint(out, n->id);
}

enum status name_read(struct str value, struct name_record *out)
{
        struct reader r = begin(value);
        out->kind = read_u8(&r);
        out->id = (uint32_t)read_varint(&r);
        return codec_end(&r, "a name");
}

void topic_write(const struct topic *t, struct buf *out)
{
        buf_add_u8(out, VERSION_EACH);
        buf_add_bytes(out, t->name);
        buf_add_bytes(out, t->about);
        buf_add_varint(out, t->owner);
        buf_add_u8(out, (uint8_t)t->access);
        add_list(out, t->columns, t->column_count);
        buf_add_varint(out, (uint64_t)t->created);
        buf_add_varint(out, t->each);
}

enum status topic_read(struct str value, struct arena *arena, struct topic *out)
{
        unsigned version;
        struct reader r = begin_upto(value, VERSION_EACH, &version);
        out->name = copy_bytes(&r, arena);
        out->about = copy_bytes(&r, arena);
        out->owner = (uint32_t)read_varint(&r);
        out->access = read_u8(&r);
        out->columns = copy_list(&r, arena, &out->column_count);
        out->created = (time_t)read_varint(&r);
        out->each = version < VERSION_EACH ? EACH_UNKNOWN : (uint32_t)read_varint(&r);
        return codec_end(&r, "a topic");
}

void subscription_write(const struct subscription *s, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_u8(out, (uint8_t)s->mode);
        buf_add_varint(out, (uint64_t)s->since);
}

enum status subscription_read(struct str value, struct subscription *out)
{
        struct reader r = begin(value);
        out->mode = read_u8(&r);
        out->since = (time_t)read_varint(&r);
        return codec_end(&r, "a subscription");
}

void digest_write(const struct digest_record *d, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_varint(out, (uint64_t)d->at);
        buf_add_varint(out, d->message);
        buf_add_bytes(out, d->items);
}

enum status digest_read(struct str value, struct digest_record *out)
{
        struct reader r = begin(value);
        out->at = (time_t)read_varint(&r);
        out->message = read_varint(&r);
        out->items = read_bytes(&r);
        return codec_end(&r, "a digest");
}

void listed_value_write(bool on, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_u8(out, on);
}

enum status listed_value_read(struct str value, bool *on)
{
        struct reader r = begin(value);
        *on = read_u8(&r);
        return codec_end(&r, "what is listed");
}

void attention_write(enum attention attention, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_u8(out, (unsigned char)attention);
}

enum status attention_read(struct str value, enum attention *out)
{
        struct reader r = begin(value);
        unsigned attention = read_u8(&r);
        *out = (enum attention)attention;
        if (attention != ATTENTION_MUTED && attention != ATTENTION_FOLLOWED)
                return codec_damaged("attention to a thread");
        return codec_end(&r, "attention to a thread");
}
