/* buf.h - octets that grow. Every sum of lengths is checked here and only here.
 * A zeroed buf is an empty buf. Adding never fails (out of memory ends the process). */
#pragma once
#include "base/str.h"
#include <stdarg.h>

struct buf {
        char *at;
        size_t len, cap;
};

void buf_release(struct buf *); /* frees; the buf is empty and usable again */
void buf_clear(struct buf *);   /* keeps the memory */
void buf_trim(struct buf *, size_t keep); /* gives memory over keep octets back when empty */
char *buf_reserve(struct buf *, size_t more); /* room for more octets at the end; add to len yourself */

void buf_add(struct buf *, struct str);
void buf_add_char(struct buf *, char);
void buf_add_text(struct buf *, const char *);
/* BUF_ADD_ALL(&b, STR("<"), name, STR(">")): one behind the other; much quicker than buf_addf. */
void buf_add_all(struct buf *, const struct str *, size_t count);
#define BUF_ADD_ALL(b, ...)                                                                        \
        buf_add_all((b), (const struct str[]){__VA_ARGS__},                                        \
                sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))
void buf_addf(struct buf *, const char *format, ...) PRINTF(2, 3);
void buf_add_number(struct buf *, uint32_t); /* in decimal digits; much quicker than buf_addf */
void buf_vaddf(struct buf *, const char *format, va_list) PRINTF(2, 0);
void buf_set(struct buf *, struct str);       /* replaces the content by a copy */
void buf_drop(struct buf *, size_t from_front); /* removes octets at the front */

struct str buf_str(const struct buf *); /* view until the next change */
const char *buf_text(struct buf *);     /* the same with a NUL behind it */

/* Big-endian numbers, for records and keys. */
void buf_add_u8(struct buf *, uint8_t);
void buf_add_u16(struct buf *, uint16_t);
void buf_add_u32(struct buf *, uint32_t);
void buf_add_u64(struct buf *, uint64_t);
void buf_add_varint(struct buf *, uint64_t); /* 7 bits an octet, low first, high bit: more follows */
void buf_add_bytes(struct buf *, struct str); /* varint length, then the octets */

/* A reader of such records. After any short or bad read `bad` is set and all reads give 0. */
struct reader {
        const unsigned char *at, *end;
        bool bad;
};
struct reader reader_of(struct str);
uint8_t read_u8(struct reader *);
uint16_t read_u16(struct reader *);
uint32_t read_u32(struct reader *);
uint64_t read_u64(struct reader *);
uint64_t read_varint(struct reader *);
struct str read_bytes(struct reader *); /* view into the record */
