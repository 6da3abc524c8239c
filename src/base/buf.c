#include "base/buf.h"

void buf_release(struct buf *b)
{
        free(b->at);
        *b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
        b->len = 0;
}

void buf_trim(struct buf *b, size_t keep)
{
        if (b->len == 0 && b->cap > keep)
                buf_release(b);
}

enum { DOUBLING = 65536 }; /* what is larger grows by half */

char *buf_reserve(struct buf *b, size_t more)
{
        if (more > SIZE_MAX / 4 || b->len > SIZE_MAX / 4)
                fail_now("a buffer of %zu and %zu more octets", b->len, more);
        if (b->cap - b->len < more || !b->at) {
                size_t want = b->len + more;
                size_t cap = b->cap < DOUBLING ? 2 * b->cap : b->cap + b->cap / 2;
                cap = cap < want ? want : cap;
                b->cap = cap < 64 ? 64 : cap;
                b->at = mem_grow(b->at, b->cap);
        }
        return b->at + b->len;
}

void buf_add(struct buf *b, struct str s)
{
        if (s.len == 0)
                return;
        memcpy(buf_reserve(b, s.len), s.at, s.len);
        b->len += s.len;
}

void buf_add_char(struct buf *b, char c)
{
        *buf_reserve(b, 1) = c;
        b->len++;
}

void buf_add_text(struct buf *b, const char *text)
{
        buf_add(b, str_of(text));
}

void buf_add_all(struct buf *b, const struct str *parts, size_t count)
{
        size_t len = 0;
        for (size_t i = 0; i < count; i++)
                len += parts[i].len;
        buf_reserve(b, len);
        for (size_t i = 0; i < count; i++)
                buf_add(b, parts[i]);
}

void buf_vaddf(struct buf *b, const char *format, va_list ap)
{
        va_list again;
        va_copy(again, ap);
        size_t room = b->at ? b->cap - b->len : 0;
        int n = vsnprintf(room ? b->at + b->len : NULL, room, format, ap);
        assert(n >= 0);
        if ((size_t)n >= room) {
                buf_reserve(b, (size_t)n + 1);
                vsnprintf(b->at + b->len, (size_t)n + 1, format, again);
        }
        b->len += (size_t)n;
        va_end(again);
}

void buf_add_number(struct buf *b, uint32_t n)
{
        char digits[10];
        size_t at = sizeof digits;
        do
                digits[--at] = (char)('0' + n % 10);
        while (n /= 10);
        buf_add(b, str_make(digits + at, sizeof digits - at));
}

void buf_addf(struct buf *b, const char *format, ...)
{
        va_list ap;
        va_start(ap, format);
        buf_vaddf(b, format, ap);
        va_end(ap);
}

void buf_set(struct buf *b, struct str s)
{
        buf_clear(b);
        buf_add(b, s);
}

void buf_drop(struct buf *b, size_t from_front)
{
        assert(from_front <= b->len);
        b->len -= from_front;
        if (b->len && from_front)
                memmove(b->at, b->at + from_front, b->len);
}

struct str buf_str(const struct buf *b)
{
        return str_make(b->at, b->len);
}

const char *buf_text(struct buf *b)
{
        *buf_reserve(b, 1) = '\0';
        return b->at;
}

static void add_big_endian(struct buf *b, uint64_t n, unsigned octets)
{
        for (unsigned i = octets; i-- > 0;)
                buf_add_char(b, (char)(unsigned char)(n >> (8 * i)));
}

void buf_add_u8(struct buf *b, uint8_t n)
{
        add_big_endian(b, n, 1);
}

void buf_add_u16(struct buf *b, uint16_t n)
{
        add_big_endian(b, n, 2);
}

void buf_add_u32(struct buf *b, uint32_t n)
{
        add_big_endian(b, n, 4);
}

void buf_add_u64(struct buf *b, uint64_t n)
{
        add_big_endian(b, n, 8);
}

void buf_add_varint(struct buf *b, uint64_t n)
{
        while (n >= 0x80) {
                buf_add_char(b, (char)(unsigned char)(n | 0x80));
                n >>= 7;
        }
        buf_add_char(b, (char)(unsigned char)n);
}

void buf_add_bytes(struct buf *b, struct str s)
{
        buf_add_varint(b, s.len);
        buf_add(b, s);
}

struct reader reader_of(struct str s)
{
        const unsigned char *at = (const unsigned char *)s.at;
        return (struct reader){at, at ? at + s.len : NULL, false};
}

static uint64_t read_big_endian(struct reader *r, unsigned octets)
{
        uint64_t n = 0;
        if (r->bad || (size_t)(r->end - r->at) < octets) {
                r->bad = true;
                return 0;
        }
        for (unsigned i = 0; i < octets; i++)
                n = n << 8 | *r->at++;
        return n;
}

uint8_t read_u8(struct reader *r)
{
        return (uint8_t)read_big_endian(r, 1);
}

uint16_t read_u16(struct reader *r)
{
        return (uint16_t)read_big_endian(r, 2);
}

uint32_t read_u32(struct reader *r)
{
        return (uint32_t)read_big_endian(r, 4);
}

uint64_t read_u64(struct reader *r)
{
        return read_big_endian(r, 8);
}

uint64_t read_varint(struct reader *r)
{
        uint64_t n = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
                uint8_t c = read_u8(r);
                if (shift == 63 && c > 1) /* more than 64 bits */
                        break;
                n |= (uint64_t)(c & 0x7f) << shift;
                if (r->bad || !(c & 0x80))
                        return r->bad ? 0 : n;
        }
        r->bad = true;
        return 0;
}

struct str read_bytes(struct reader *r)
{
        uint64_t n = read_varint(r);
        if (r->bad || n > (size_t)(r->end - r->at)) {
                r->bad = true;
                return STR_NONE;
        }
        struct str s = {(const char *)r->at, (size_t)n};
        r->at += n;
        return s;
}
