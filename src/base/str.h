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

struct str str_of(const char *text); /* NULL gives STR_NONE */

bool str_eq(struct str, struct str);
bool str_same(struct str, struct str); /* case-insensitively */
int str_cmp(struct str, struct str);   /* by octet, as memcmp */
bool str_starts(struct str, struct str prefix);
bool str_starts_same(struct str, struct str prefix); /* case-insensitively */
bool str_ends(struct str, struct str suffix);

#define STR_NOWHERE SIZE_MAX
size_t str_chr(struct str, char c);              /* position, or STR_NOWHERE */
size_t str_rchr(struct str, char c);             /* last position, or STR_NOWHERE */
size_t str_find(struct str, struct str needle);  /* position, or STR_NOWHERE */
size_t str_find_same(struct str, struct str needle); /* case-insensitively */

struct str str_from(struct str, size_t start);             /* the rest from start; clamps */
struct str str_sub(struct str, size_t start, size_t len);  /* clamps */
struct str str_trim(struct str);                           /* without SP TAB CR LF at the ends */

/* Cuts the text before the first c off *rest into *out (c itself is dropped).
 * False when *rest is empty. Without c the whole rest comes out. */
bool str_cut(struct str *rest, char c, struct str *out);
/* Cuts the next run of octets other than SP and TAB off *rest. False when there is none. */
bool str_word(struct str *rest, struct str *out);
/* Cuts the next line off *rest, ended by CRLF, LF or the end; out has no line end. */
bool str_line(struct str *rest, struct str *out);

/* Decimal digits only, the whole view, no sign, within range; else INVALID. */
CHECKED enum status str_u32(struct str, uint32_t *out);
CHECKED enum status str_u64(struct str, uint64_t *out);

uint64_t str_hash(struct str);      /* seeded once a process: fit for tables that a client fills */
char *str_text(struct str);         /* NUL-terminated copy on the heap */
char ascii_lower(char c);
char ascii_upper(char c);
