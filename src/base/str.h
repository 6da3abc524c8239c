/* str.h - a view of octets: passed by value, never owns, never assumes a NUL.
 * Every function is ASCII only about case and never looks past len. */
#pragma once
#include "base/fail.h"

struct str {
        const char *at;
        size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
#define STR_ARG(s) (int)((s).len), ((s).len ? (s).at : "") /* for %.*s */

static inline struct str str_make(const char *at, size_t len)
{
        return (struct str){at, len};
}

static inline char ascii_lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static inline char ascii_upper(char c)
{
        return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

struct str str_of(const char *text); /* NULL gives STR_NONE */

/* The rest from start; clamps. (Adding even 0 to no address is undefined.) */
static inline struct str str_from(struct str s, size_t start)
{
        if (!s.at)
                return s;
        return start >= s.len ? str_make(s.at + s.len, 0) : str_make(s.at + start, s.len - start);
}

static inline struct str str_sub(struct str s, size_t start, size_t len) /* clamps */
{
        s = str_from(s, start);
        return len < s.len ? str_make(s.at, len) : s;
}

static inline bool str_eq(struct str a, struct str b)
{
        return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool str_starts(struct str s, struct str prefix)
{
        return s.len >= prefix.len && str_eq(str_make(s.at, prefix.len), prefix);
}

static inline bool str_ends(struct str s, struct str suffix)
{
        return s.len >= suffix.len && str_eq(str_from(s, s.len - suffix.len), suffix);
}

bool str_same(struct str, struct str); /* case-insensitively */
int str_cmp(struct str, struct str);   /* by octet, as memcmp */
/* The order of two folded texts (base/text.h): letters count as capitals, so that marks stand
 * where i;ascii-casemap and i;unicode-casemap have them (RFC 5051: "_" is behind "Z"). */
int str_order(struct str, struct str);
bool str_starts_same(struct str, struct str prefix); /* case-insensitively */

#define STR_NOWHERE SIZE_MAX
static inline size_t str_chr(struct str s, char c) /* position, or STR_NOWHERE */
{
        const char *p = s.len ? memchr(s.at, c, s.len) : NULL;
        return p ? (size_t)(p - s.at) : STR_NOWHERE;
}
size_t str_rchr(struct str, char c);             /* last position, or STR_NOWHERE */
size_t str_find(struct str, struct str needle);  /* position, or STR_NOWHERE */
size_t str_find_same(struct str, struct str needle); /* case-insensitively */

struct str str_trim(struct str); /* without SP TAB CR LF at the ends */

/* Cuts the text before the first c off *rest into *out (c itself is dropped).
 * False when *rest is empty. Without c the whole rest comes out. */
bool str_cut(struct str *rest, char c, struct str *out);
/* Cuts the next run of octets other than SP and TAB off *rest. False when there is none. */
bool str_word(struct str *rest, struct str *out);
/* Cuts the next line off *rest, ended by CRLF, LF or the end; out has no line end. */
bool str_line(struct str *rest, struct str *out);

/* Takes c off the front of *rest. False, and nothing taken: something else is there, or nothing. */
bool str_eat(struct str *rest, char c);

/* Decimal digits only, the whole view, no sign, within range; else INVALID. */
CHECKED enum status str_u32(struct str, uint32_t *out);
CHECKED enum status str_u64(struct str, uint64_t *out);

uint64_t str_hash(struct str);      /* seeded once a process: fit for tables that a client fills */
char *str_text(struct str);         /* NUL-terminated copy on the heap */
