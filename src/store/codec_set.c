#include "store/codec.h"

enum { VERSION = 1, FORM_RUNS = 0, FORM_BITMAP = 1, FORM_PORTABLE = 2, BITMAP_SIZE = 512 };

static struct reader begin(struct str value)
{
        struct reader r = reader_of(value);
        if (read_u8(&r) != VERSION)
                r.bad = true;
        return r;
}

bool block_is_empty(const struct block *b)
{
        uint64_t any = 0;
        for (unsigned i = 0; i < BLOCK_WORDS; i++)
                any |= b->bits[i];
        return any == 0;
}

bool block_has(const struct block *b, uint32_t place)
{
        return b->bits[place / 64] >> (place % 64) & 1;
}

void block_set(struct block *b, uint32_t place)
{
        b->bits[place / 64] |= 1ull << (place % 64);
}

/* The first place at or behind `at` whose bit is `on`; BLOCK_NUMBERS when there is none. */
static uint32_t find(const struct block *b, uint32_t at, bool on)
{
        while (at < BLOCK_NUMBERS) {
                uint64_t word = on ? b->bits[at / 64] : ~b->bits[at / 64];
                word >>= at % 64;
                if (word)
                        return at + (uint32_t)__builtin_ctzll(word);
                at = (at / 64 + 1) * 64;
        }
        return BLOCK_NUMBERS;
}

bool block_run(const struct block *b, uint32_t *at, uint32_t *low, uint32_t *high)
{
        *low = find(b, *at, true);
        if (*low >= BLOCK_NUMBERS)
                return false;
        *at = find(b, *low, false);
        *high = *at - 1;
        return true;
}

static void write_bitmap(const struct block *b, struct buf *out)
{
        buf_add_u8(out, FORM_BITMAP);
        for (unsigned i = 0; i < BLOCK_WORDS; i++)
                buf_add_u64(out, b->bits[i]);
}

void block_write(const struct block *b, struct buf *out)
{
        size_t start = out->len;
        uint32_t at = 0, low, high, end = 0;
        buf_add_u8(out, VERSION);
        buf_add_u8(out, FORM_RUNS);
        while (block_run(b, &at, &low, &high)) {
                buf_add_varint(out, low - end);
                buf_add_varint(out, high - low);
                end = high + 1;
                if (out->len - start - 2 < BITMAP_SIZE)
                        continue;
                out->len = start + 1;
                write_bitmap(b, out);
                return;
        }
}

static void fill(struct block *b, uint32_t low, uint32_t high)
{
        for (uint32_t i = low; i <= high;) {
                uint32_t stop = (i / 64 + 1) * 64 - 1;
                stop = stop < high ? stop : high;
                b->bits[i / 64] |= ~0ull >> (63 - (stop - i)) << (i % 64);
                i = stop + 1;
        }
}

enum status block_read(struct str value, struct block *out)
{
        struct reader r = begin(value);
        unsigned form = read_u8(&r);
        uint64_t end = 0;
        memset(out, 0, sizeof *out);
        if (form == FORM_BITMAP)
                for (unsigned i = 0; i < BLOCK_WORDS; i++)
                        out->bits[i] = read_u64(&r);
        else if (form != FORM_RUNS)
                r.bad = true;
        while (!r.bad && form == FORM_RUNS && r.at < r.end) {
                uint64_t gap = read_varint(&r), more = read_varint(&r);
                if (gap >= BLOCK_NUMBERS || more >= BLOCK_NUMBERS ||
                        end + gap + more >= BLOCK_NUMBERS)
                        r.bad = true;
                if (r.bad)
                        break;
                fill(out, (uint32_t)(end + gap), (uint32_t)(end + gap + more));
                end += gap + more + 1;
        }
        return codec_end(&r, "marks");
}

/* Runs, unless they need more than the portable form's worst case of some octets a number. */
void change_write(enum change_kind kind, const struct numset *set, struct buf *out)
{
        uint32_t low = 0, high = 0, end = 0, n;
        buf_add_u8(out, VERSION);
        buf_add_u8(out, (uint8_t)kind);
        size_t start = out->len, room = 8192 + numset_count(set) / 8;
        buf_add_u8(out, FORM_RUNS);
        struct walk w = numset_walk(set);
        bool any = walk_next(&w, &n);
        while (any && out->len - start < room) {
                low = high = n;
                while ((any = walk_next(&w, &n)) && n == high + 1)
                        high = n;
                buf_add_varint(out, low - end);
                buf_add_varint(out, high - low);
                end = high;
        }
        if (!any)
                return;
        out->len = start;
        buf_add_u8(out, FORM_PORTABLE);
        numset_write(set, out);
}

static enum status read_portable(struct reader *r, struct numset *into)
{
        struct numset *set;
        if (numset_read(str_make((const char *)r->at, (size_t)(r->end - r->at)), &set) != OK)
                return codec_damaged("changes");
        numset_or(into, set);
        numset_free(set);
        return OK;
}

enum status change_read(struct str value, struct numset *into)
{
        struct reader r = begin(value);
        unsigned kind = read_u8(&r), form = read_u8(&r);
        uint64_t end = 0;
        if (kind < CHANGE_FLAGS || kind > CHANGE_VANISHED ||
                (form != FORM_RUNS && form != FORM_PORTABLE))
                r.bad = true;
        if (!r.bad && form == FORM_PORTABLE)
                return read_portable(&r, into);
        while (!r.bad && r.at < r.end) {
                uint64_t low = end + read_varint(&r), more = read_varint(&r);
                if (low > UINT32_MAX || more > UINT32_MAX - low)
                        r.bad = true;
                if (r.bad)
                        break;
                numset_add_range(into, (uint32_t)low, (uint32_t)(low + more));
                end = low + more;
        }
        return codec_end(&r, "changes");
}

void words_write(const struct words *w, struct buf *out)
{
        buf_add_u8(out, VERSION);
        buf_add_varint(out, w->count);
        for (size_t i = 0; i < w->count; i++)
                buf_add_bytes(out, w->at[i]);
}

enum status words_read(struct str value, struct words *out)
{
        struct reader r = begin(value);
        uint64_t count = read_varint(&r);
        *out = (struct words){0};
        if (count > KEYWORDS_MAX)
                r.bad = true;
        for (size_t i = 0; !r.bad && i < count; i++)
                out->at[out->count++] = read_bytes(&r);
        return codec_end(&r, "keywords");
}
