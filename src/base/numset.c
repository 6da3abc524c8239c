#include "base/numset.h"
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <roaring/roaring.h>
#pragma GCC diagnostic pop

struct numset {
        roaring_bitmap_t *bits;
};

static struct numset *wrap(roaring_bitmap_t *bits)
{
        if (!bits)
                fail_now("out of memory: a set of numbers");
        struct numset *s = mem_new(sizeof *s);
        s->bits = bits;
        return s;
}

/* The full set has one number more than fits the answer. */
static uint32_t clamp(uint64_t n)
{
        return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

struct numset *numset_new(void)
{
        return wrap(roaring_bitmap_create());
}

void numset_free(struct numset *s)
{
        if (!s)
                return;
        roaring_bitmap_free(s->bits);
        free(s);
}

struct numset *numset_copy(const struct numset *s)
{
        return wrap(roaring_bitmap_copy(s->bits));
}

void numset_add(struct numset *s, uint32_t n)
{
        roaring_bitmap_add(s->bits, n);
}

void numset_add_range(struct numset *s, uint32_t low, uint32_t high)
{
        if (low <= high)
                roaring_bitmap_add_range_closed(s->bits, low, high);
}

void numset_remove(struct numset *s, uint32_t n)
{
        roaring_bitmap_remove(s->bits, n);
}

void numset_remove_range(struct numset *s, uint32_t low, uint32_t high)
{
        if (low <= high)
                roaring_bitmap_remove_range_closed(s->bits, low, high);
}

void numset_clear(struct numset *s)
{
        roaring_bitmap_clear(s->bits);
}

bool numset_has(const struct numset *s, uint32_t n)
{
        return roaring_bitmap_contains(s->bits, n);
}

uint32_t numset_count(const struct numset *s)
{
        return clamp(roaring_bitmap_get_cardinality(s->bits));
}

uint32_t numset_count_range(const struct numset *s, uint32_t low, uint32_t high)
{
        if (low > high)
                return 0;
        return clamp(roaring_bitmap_range_cardinality(s->bits, low, (uint64_t)high + 1));
}

uint32_t numset_low(const struct numset *s)
{
        return roaring_bitmap_is_empty(s->bits) ? 0 : roaring_bitmap_minimum(s->bits);
}

uint32_t numset_high(const struct numset *s)
{
        return roaring_bitmap_is_empty(s->bits) ? 0 : roaring_bitmap_maximum(s->bits);
}

uint32_t numset_rank(const struct numset *s, uint32_t n)
{
        return clamp(roaring_bitmap_rank(s->bits, n));
}

uint32_t numset_select(const struct numset *s, uint32_t rank)
{
        uint32_t n;
        return rank && roaring_bitmap_select(s->bits, rank - 1, &n) ? n : 0;
}

uint32_t numset_next(const struct numset *s, uint32_t after)
{
        roaring_uint32_iterator_t it;
        if (after == UINT32_MAX)
                return 0;
        roaring_init_iterator(s->bits, &it);
        return roaring_move_uint32_iterator_equalorlarger(&it, after + 1) ? it.current_value : 0;
}

uint32_t numset_prev(const struct numset *s, uint32_t before)
{
        return before ? numset_select(s, numset_rank(s, before - 1)) : 0;
}

/* Counted, because roaring_bitmap_equals also compares how runs are cut, and stored octets may
 * cut them otherwise. */
bool numset_equal(const struct numset *a, const struct numset *b)
{
        return roaring_bitmap_xor_cardinality(a->bits, b->bits) == 0;
}

void numset_or(struct numset *s, const struct numset *other)
{
        if (s != other)
                roaring_bitmap_or_inplace(s->bits, other->bits);
}

void numset_and(struct numset *s, const struct numset *other)
{
        if (s != other)
                roaring_bitmap_and_inplace(s->bits, other->bits);
}

void numset_andnot(struct numset *s, const struct numset *other)
{
        if (s == other)
                numset_clear(s);
        else
                roaring_bitmap_andnot_inplace(s->bits, other->bits);
}

void numset_xor(struct numset *s, const struct numset *other)
{
        if (s == other)
                numset_clear(s);
        else
                roaring_bitmap_xor_inplace(s->bits, other->bits);
}

uint32_t numset_count_andnot(const struct numset *a, const struct numset *b)
{
        return clamp(roaring_bitmap_andnot_cardinality(a->bits, b->bits));
}

void numset_write(const struct numset *s, struct buf *out)
{
        roaring_bitmap_t *small = roaring_bitmap_copy(s->bits);
        if (!small)
                fail_now("out of memory: a set of numbers");
        roaring_bitmap_run_optimize(small);
        size_t size = roaring_bitmap_portable_size_in_bytes(small);
        out->len += roaring_bitmap_portable_serialize(small, buf_reserve(out, size));
        roaring_bitmap_free(small);
}

/* The library's "safe" reader checks bounds only; it takes unsorted arrays and wrong counts, and
 * later code then reads and writes out of bounds. So all of the portable form is checked here
 * first (https://github.com/RoaringBitmap/RoaringFormatSpec): little-endian, a cookie, for each
 * 65,536 numbers a key and a count, offsets, and the containers: arrays, bitmaps or runs. */
enum {
        COOKIE = 12347,
        COOKIE_NO_RUNS = 12346,
        OFFSETS_FROM = 4, /* with runs, offsets are left out below this many containers */
        ARRAY_MOST = 4096,
        BITMAP_SIZE = 8192,
};

static uint32_t read_low_first(struct reader *r, unsigned octets)
{
        uint32_t n = 0;
        for (unsigned i = 0; i < octets; i++)
                n |= (uint32_t)read_u8(r) << (8 * i);
        return n;
}

static bool skip(struct reader *r, size_t octets)
{
        if (r->bad || (size_t)(r->end - r->at) < octets) {
                r->bad = true;
                return false;
        }
        r->at += octets;
        return true;
}

static bool array_is_sound(struct reader *r, uint32_t count)
{
        for (uint32_t i = 0, least = 0; i < count; i++) {
                uint32_t n = read_low_first(r, 2);
                if (r->bad || n < least)
                        return false;
                least = n + 1;
        }
        return true;
}

static bool bitmap_is_sound(struct reader *r, uint32_t count)
{
        const unsigned char *at = r->at;
        uint32_t found = 0;
        if (!skip(r, BITMAP_SIZE))
                return false;
        for (unsigned i = 0; i < BITMAP_SIZE; i++)
                found += (uint32_t)__builtin_popcount(at[i]);
        return found == count;
}

static bool runs_are_sound(struct reader *r, uint32_t count)
{
        uint32_t runs = read_low_first(r, 2), found = 0, least = 0;
        for (uint32_t i = 0; i < runs; i++) {
                uint32_t first = read_low_first(r, 2);
                uint32_t last = first + read_low_first(r, 2);
                if (r->bad || first < least || last > UINT16_MAX)
                        return false;
                found += last - first + 1;
                least = last + 1;
        }
        return !r->bad && found == count;
}

static bool octets_are_sound(struct str s)
{
        struct reader r = reader_of(s), heads, offsets;
        const unsigned char *start = r.at;
        uint32_t cookie = read_low_first(&r, 4);
        bool with_runs = (cookie & 0xffff) == COOKIE;
        uint32_t containers = with_runs ? (cookie >> 16) + 1 : read_low_first(&r, 4);
        if (r.bad || (!with_runs && cookie != COOKIE_NO_RUNS) || containers > 65536)
                return false;
        const unsigned char *is_run = r.at;
        if (with_runs && !skip(&r, (containers + 7) / 8))
                return false;
        heads = r;
        if (!skip(&r, 4 * (size_t)containers))
                return false;
        offsets = r;
        bool with_offsets = !with_runs || containers >= OFFSETS_FROM;
        if (with_offsets && !skip(&r, 4 * (size_t)containers))
                return false;
        for (uint32_t i = 0, least = 0; i < containers; i++) {
                uint32_t key = read_low_first(&heads, 2);
                uint32_t count = read_low_first(&heads, 2) + 1;
                bool run = with_runs && is_run[i / 8] >> (i % 8) & 1;
                if (key < least || (with_offsets && read_low_first(&offsets, 4) != r.at - start))
                        return false;
                least = key + 1;
                if (run ? !runs_are_sound(&r, count)
                        : count > ARRAY_MOST ? !bitmap_is_sound(&r, count)
                                             : !array_is_sound(&r, count))
                        return false;
        }
        return r.at == r.end;
}

enum status numset_read(struct str s, struct numset **out)
{
        if (!octets_are_sound(s))
                return INVALID;
        roaring_bitmap_t *bits = roaring_bitmap_portable_deserialize_safe(s.at, s.len);
        if (!bits)
                return INVALID;
        *out = wrap(bits);
        return OK;
}

struct range {
        uint32_t low, high;
};

static int range_order(const void *a, const void *b)
{
        const struct range *x = a, *y = b;
        return (x->low > y->low) - (x->low < y->low);
}

static bool parse_number(struct str s, uint32_t star, uint32_t *out)
{
        if (str_eq(s, STR("*"))) {
                *out = star;
                return true;
        }
        return s.len > 0 && s.at[0] != '0' && str_u32(s, out) == OK;
}

static bool parse_range(struct str s, uint32_t star, struct range *out)
{
        size_t colon = str_chr(s, ':');
        if (!parse_number(str_sub(s, 0, colon), star, &out->low))
                return false;
        out->high = out->low;
        if (colon == STR_NOWHERE)
                return true;
        if (!parse_number(str_from(s, colon + 1), star, &out->high))
                return false;
        if (out->low > out->high)
                *out = (struct range){out->high, out->low};
        if (out->high > star)
                out->high = star; /* n:* with n > star is star:n by now, and leaves star */
        return true;
}

/* Ranges are sorted and joined before they are added: "1:*" a thousand times in a line costs
 * no more than once. */
static void add_ranges(struct numset *s, struct range *ranges, size_t count)
{
        qsort(ranges, count, sizeof *ranges, range_order);
        for (size_t i = 0; i < count;) {
                struct range r = ranges[i++];
                for (; i < count && ranges[i].low <= r.high; i++)
                        r.high = ranges[i].high > r.high ? ranges[i].high : r.high;
                if (r.high > 0) /* '*' in an empty mailbox is 0 */
                        numset_add_range(s, r.low, r.high);
        }
}

enum status numset_parse(struct str s, uint32_t star, struct numset **out)
{
        struct buf ranges = {0};
        struct str part;
        enum status st = s.len == 0 || s.at[s.len - 1] == ',' ? INVALID : OK;
        while (st == OK && str_cut(&s, ',', &part)) {
                struct range r;
                if (!parse_range(part, star, &r))
                        st = INVALID;
                else if (r.low <= r.high)
                        buf_add(&ranges, str_make((const char *)&r, sizeof r));
        }
        if (st == OK) {
                *out = numset_new();
                if (ranges.len)
                        add_ranges(*out, (struct range *)(void *)ranges.at,
                                ranges.len / sizeof(struct range));
        }
        buf_release(&ranges);
        return st;
}

static void print_range(struct buf *out, size_t start, uint32_t low, uint32_t high)
{
        if (out->len > start)
                buf_add_char(out, ',');
        if (low == high)
                buf_addf(out, "%u", low);
        else
                buf_addf(out, "%u:%u", low, high);
}

void numset_print(const struct numset *s, struct buf *out)
{
        size_t start = out->len;
        struct walk w = numset_walk(s);
        uint32_t low, high, n;
        if (!walk_next(&w, &low))
                return;
        for (high = low; walk_next(&w, &n); high = n) {
                if (n == high + 1)
                        continue;
                print_range(out, start, low, high);
                low = n;
        }
        print_range(out, start, low, high);
}

struct walk numset_walk(const struct numset *s)
{
        return (struct walk){.set = s};
}

static void fetch_batch(struct walk *w)
{
        roaring_uint32_iterator_t it;
        roaring_init_iterator(w->set->bits, &it);
        w->at = w->len = 0;
        if (!w->end && roaring_move_uint32_iterator_equalorlarger(&it, w->from))
                w->len = roaring_read_uint32_iterator(&it, w->batch, COUNT_OF(w->batch));
        w->end = w->len < COUNT_OF(w->batch) || w->batch[w->len - 1] == UINT32_MAX;
        if (!w->end)
                w->from = w->batch[w->len - 1] + 1;
}

bool walk_next(struct walk *w, uint32_t *out)
{
        if (w->at == w->len)
                fetch_batch(w);
        if (w->at == w->len)
                return false;
        *out = w->batch[w->at++];
        return true;
}
