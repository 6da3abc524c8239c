/* keys.h - what a SEARCH asks for (RFC 9051 6.4.4), as a tree. Sets of messages stay text here:
 * only the session knows what their numbers mean. */
#pragma once
#include "imap/parse.h"

enum key_kind {
        KEY_AND, KEY_OR, KEY_NOT, /* of the keys at `first` */
        KEY_ALL, KEY_SEQUENCE, KEY_UID, KEY_FLAG, KEY_KEYWORD, KEY_NONE, KEY_MODSEQ,
        KEY_BEFORE, KEY_ON, KEY_SINCE, KEY_SENT_BEFORE, KEY_SENT_ON, KEY_SENT_SINCE,
        KEY_LARGER, KEY_SMALLER, KEY_OLDER, KEY_YOUNGER,
        KEY_SUBJECT, KEY_HEADER, KEY_BODY, KEY_TEXT,
};
enum { KEYS_MAX = 2000, DEAR_KEYS_MAX = 200, KEYS_DEPTH_MAX = 100 };
/* What must be read of a message to answer a key, cheapest first. */
enum key_cost { COST_SETS, COST_ENTRY, COST_STORED, COST_HEADER, COST_BODY };

struct key {
        enum key_kind kind;
        enum key_cost cost;       /* of the dearest below */
        struct key *first, *next; /* children; siblings, cheapest first */
        struct str set;           /* KEY_SEQUENCE, KEY_UID */
        unsigned flag;            /* KEY_FLAG: FLAG_ bit */
        struct str name;          /* KEY_KEYWORD; KEY_HEADER: the field's */
        struct str text;          /* to be found: folded (text_fold) */
        int64_t number;           /* days, octets or seconds */
        struct numset *numbers;   /* the session's: resolved sets, keywords */
};

/* What a command says that its texts are in. */
enum charset { CHARSET_NONE, CHARSET_ASCII, CHARSET_UTF8, CHARSET_UNKNOWN };
/* Everything behind SEARCH, "CHARSET x" included. The tree lives in the arena. */
struct key *keys_parse(struct parse *, enum charset *);
/* The same behind SORT and THREAD, where the charset is not optional (RFC 5256). */
struct key *keys_parse_sorted(struct parse *, enum charset *);
bool key_has(const struct key *, enum key_kind);
