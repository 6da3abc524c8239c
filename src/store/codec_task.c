#include "store/codec_task.h"

enum { VERSION = 1, IS_CONFLICT = 1 };

/* ---- keys ---- */

static void add(struct key *k, uint32_t n)
{
        for (unsigned i = 4; i-- > 0;)
                k->at[k->len++] = (char)(unsigned char)(n >> (8 * i));
}

struct key key_task_kind(enum task_key kind)
{
        struct key k = {.len = 1};
        k.at[0] = (char)kind;
        return k;
}

struct key key_task_pairs(enum task_key kind, uint32_t first)
{
        struct key k = key_task_kind(kind);
        add(&k, first);
        return k;
}

struct key key_task_pair(enum task_key kind, uint32_t first, uint32_t second)
{
        struct key k = key_task_pairs(kind, first);
        add(&k, second);
        return k;
}

struct key key_task(uint32_t number)
{
        return key_task_pairs(KEY_TASK, number);
}

bool key_task_read(struct str key, enum task_key kind, uint32_t *first, uint32_t *second)
{
        struct reader r = reader_of(key);
        bool right = read_u8(&r) == kind && key.len == (kind == KEY_TASK ? 5 : 9);
        *first = right ? read_u32(&r) : 0;
        *second = right && key.len == 9 ? read_u32(&r) : 0;
        return right;
}

struct key key_task_root(uint64_t message)
{
        return key_task_pair(KEY_ROOT, (uint32_t)(message >> 32), (uint32_t)message);
}

bool key_task_root_read(struct str key, uint64_t *message)
{
        uint32_t high, low;
        bool right = key_task_read(key, KEY_ROOT, &high, &low);
        *message = (uint64_t)high << 32 | low;
        return right;
}

struct key key_card_gone(uint32_t day, const struct place *at)
{
        struct key k = key_task_pair(KEY_GONE, day, at->mailbox);
        add(&k, at->number);
        return k;
}

bool key_card_gone_read(struct str key, uint32_t *day, struct place *out)
{
        struct reader r = reader_of(key);
        bool right = read_u8(&r) == KEY_GONE && key.len == 13;
        *day = read_u32(&r);
        out->mailbox = read_u32(&r);
        out->number = read_u32(&r);
        return right;
}

/* ---- lists ---- */

/* A count within its bound; each item needs an octet at least. */
static size_t read_count(struct reader *r, size_t most)
{
        uint64_t n = read_varint(r);
        if (r->bad || n > most || n > (size_t)(r->end - r->at)) {
                r->bad = true;
                return 0;
        }
        return (size_t)n;
}

static void add_numbers(struct buf *out, const uint32_t *numbers, size_t count)
{
        buf_add_varint(out, count);
        for (size_t i = 0; i < count; i++)
                buf_add_varint(out, numbers[i]);
}

static uint32_t *read_numbers(struct reader *r, struct arena *arena, size_t most, size_t *count)
{
        size_t n = read_count(r, most);
        uint32_t *numbers = arena_alloc(arena, n * sizeof *numbers + 1);
        for (size_t i = 0; i < n; i++)
                numbers[i] = (uint32_t)read_varint(r);
        *count = n;
        return numbers;
}

static struct str copy_bytes(struct reader *r, struct arena *arena)
{
        return arena_copy(arena, read_bytes(r));
}

/* ---- tasks ---- */

static void add_places(struct buf *out, const struct task *t)
{
        buf_add_varint(out, t->card_count);
        for (size_t i = 0; i < t->card_count; i++) {
                buf_add_varint(out, t->cards[i].mailbox);
                buf_add_varint(out, t->cards[i].number);
        }
        buf_add_varint(out, t->card);
}

static void read_places(struct reader *r, struct arena *arena, struct task *t)
{
        t->card_count = read_count(r, TASK_CARDS_MOST);
        t->cards = arena_alloc(arena, t->card_count * sizeof *t->cards + 1);
        for (size_t i = 0; i < t->card_count; i++) {
                t->cards[i].mailbox = (uint32_t)read_varint(r);
                t->cards[i].number = (uint32_t)read_varint(r);
        }
        t->card = read_varint(r);
}

void task_write(const struct task_record *record, struct buf *out)
{
        const struct task *t = &record->task;
        buf_add_u8(out, VERSION);
        buf_add_varint(out, record->modseq);
        buf_add_varint(out, t->version);
        buf_add_varint(out, t->placed);
        buf_add_varint(out, t->topic);
        buf_add_varint(out, t->root);
        buf_add_varint(out, t->opener);
        buf_add_varint(out, (uint64_t)t->opened);
        buf_add_varint(out, (uint64_t)t->changed);
        buf_add_varint(out, (uint64_t)t->closed);
        buf_add_u32(out, (uint32_t)t->start);
        buf_add_u32(out, (uint32_t)t->due);
        buf_add_bytes(out, t->title);
        buf_add_bytes(out, t->text);
        buf_add_bytes(out, t->status);
        buf_add_bytes(out, t->priority);
        add_numbers(out, t->assignees, t->assignee_count);
        add_numbers(out, t->waits, t->wait_count);
        buf_add_varint(out, t->label_count);
        for (size_t i = 0; i < t->label_count; i++)
                buf_add_bytes(out, t->labels[i]);
        add_places(out, t);
}

enum status task_read(struct str value, struct arena *arena, struct task_record *out)
{
        struct reader r = reader_of(value);
        struct task *t = &out->task;
        *out = (struct task_record){0};
        if (read_u8(&r) != VERSION)
                r.bad = true;
        out->modseq = read_varint(&r);
        t->version = (uint32_t)read_varint(&r);
        t->placed = (uint32_t)read_varint(&r);
        t->topic = (uint32_t)read_varint(&r);
        t->root = read_varint(&r);
        t->opener = (uint32_t)read_varint(&r);
        t->opened = (time_t)read_varint(&r);
        t->changed = (time_t)read_varint(&r);
        t->closed = (time_t)read_varint(&r);
        t->start = (int32_t)read_u32(&r);
        t->due = (int32_t)read_u32(&r);
        t->title = copy_bytes(&r, arena);
        t->text = copy_bytes(&r, arena);
        t->status = copy_bytes(&r, arena);
        t->priority = copy_bytes(&r, arena);
        t->assignees = read_numbers(&r, arena, TASK_ASSIGNEES_MOST, &t->assignee_count);
        t->waits = read_numbers(&r, arena, TASK_WAITS_MOST, &t->wait_count);
        t->label_count = read_count(&r, TASK_LABELS_MOST);
        t->labels = arena_alloc(arena, t->label_count * sizeof *t->labels + 1);
        for (size_t i = 0; i < t->label_count; i++)
                t->labels[i] = copy_bytes(&r, arena);
        read_places(&r, arena, t);
        return codec_end(&r, "a task");
}

/* ---- events ---- */

void event_write(const struct task_event *e, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_varint(out, e->person);
        buf_add_varint(out, (uint64_t)e->at);
        buf_add_varint(out, e->undoes);
        buf_add_u8(out, e->conflict ? IS_CONFLICT : 0);
        buf_add_varint(out, e->journal);
        buf_add_varint(out, e->change_count);
        for (size_t i = 0; i < e->change_count; i++) {
                buf_add_u8(out, (uint8_t)e->changes[i].field);
                buf_add_bytes(out, e->changes[i].before);
                buf_add_bytes(out, e->changes[i].after);
        }
}

enum status event_read(struct str value, struct arena *arena, struct task_event *out)
{
        struct reader r = reader_of(value);
        *out = (struct task_event){0};
        if (read_u8(&r) != VERSION)
                r.bad = true;
        out->person = (uint32_t)read_varint(&r);
        out->at = (time_t)read_varint(&r);
        out->undoes = (uint32_t)read_varint(&r);
        out->conflict = read_u8(&r) & IS_CONFLICT;
        out->journal = read_varint(&r);
        out->change_count = read_count(&r, FIELD_COUNT);
        out->changes = arena_alloc(arena, out->change_count * sizeof *out->changes + 1);
        for (size_t i = 0; i < out->change_count; i++) {
                out->changes[i].field = read_u8(&r);
                out->changes[i].before = copy_bytes(&r, arena);
                out->changes[i].after = copy_bytes(&r, arena);
                r.bad = r.bad || out->changes[i].field >= FIELD_COUNT;
        }
        return codec_end(&r, "an event of a task");
}

/* ---- cards ---- */

void card_write(const struct card_record *c, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_varint(out, c->task);
        buf_add_varint(out, c->version);
        buf_add_varint(out, c->gone);
}

enum status card_read(struct str value, struct card_record *out)
{
        struct reader r = reader_of(value);
        if (read_u8(&r) != VERSION)
                r.bad = true;
        out->task = (uint32_t)read_varint(&r);
        out->version = (uint32_t)read_varint(&r);
        out->gone = (uint32_t)read_varint(&r);
        return codec_end(&r, "the memory of a card");
}
