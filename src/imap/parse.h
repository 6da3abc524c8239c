/* parse.h - the one tokenizer for all commands in all states (RFC 9051 9).
 * It reads a command that has been gathered whole: literals stand in the text as "{3}\r\nabc", the
 * way they came. After the first octet that does not fit `bad` is set and everything that follows
 * is empty, so a command checks once, with parse_end. Never reads past the text, never waits. */
#pragma once
#include "base/arena.h"
#include "store/marks.h"

struct parse {
        const char *at, *end;
        struct arena *arena; /* for strings that cannot be views of the text */
        bool bad;
        bool utf8; /* names of folders are UTF-8; else modified UTF-7, and UTF-8 is taken */
};

struct parse parse_of(struct arena *, struct str text);
bool parse_end(struct parse *); /* nothing but blanks is left and nothing was bad */
void parse_fail(struct parse *);

/* One or more blanks; bad when there is none (RFC has one; some clients send two). */
void parse_space(struct parse *);
bool parse_char(struct parse *, char c);   /* takes c if it comes next */
bool parse_peek(const struct parse *, char c);
/* Takes the word if it comes next as a whole atom, in any case. */
bool parse_word(struct parse *, const char *word);

struct str parse_atom(struct parse *);
struct str parse_string(struct parse *);  /* quoted or literal */
struct str parse_astring(struct parse *); /* atom (with ']'), quoted or literal */
struct str parse_nstring(struct parse *); /* string or NIL (at NULL) */
struct str parse_pattern(struct parse *); /* list-mailbox: % and * may stand in an atom */
/* UTF-8; INBOX in upper case; bad: not in the form that is on. */
struct str parse_mailbox(struct parse *);
uint32_t parse_number(struct parse *);
uint64_t parse_number64(struct parse *);
/* A sequence-set, checked (RFC 9051 sequence-set), or "$". */
struct str parse_set(struct parse *);
/* Numbers only, without "*" and "$" (known-uids of RFC 7162). */
struct str parse_known_set(struct parse *);
int64_t parse_date(struct parse *);    /* "1-Feb-2026", quoted or not: days since 1970-01-01 */
time_t parse_date_time(struct parse *); /* "\" 1-Feb-2026 04:05:06 +0000\"" */

struct flag_list {
        unsigned flags; /* FLAG_ bits */
        struct str *keywords;
        size_t keyword_count;
};
/* "(\Seen $Label)"; without parentheses too when `bare` (STORE). \Recent is passed over: it cannot
 * be set, and clients that copy flags send it. Unknown "\Flags" and over-long keywords are bad. */
void parse_flags(struct parse *, bool bare, struct flag_list *out);

/* Is this line ended by a literal's announcement, outside of quotes? *start is where "{" (or "~{")
 * stands in the line. */
bool literal_announced(struct str line, uint64_t *size, bool *waits, size_t *start);

/* A folder's name, for replies: in modified UTF-7, or as it is (RFC 9051 5.1). */
void print_mailbox(struct buf *out, struct str name, bool utf8);
