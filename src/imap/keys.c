#include "imap/keys.h"
#include "base/text.h"

/* One command's parsing: bounds what a line of 64 KiB can ask for. */
struct keys {
        struct parse *p;
        unsigned count, depth;
        unsigned dear; /* keys for which a text is searched */
};

/* clang-format off */
enum argument {
        NOTHING, FLAG, NO_FLAG, WORD, NO_WORD, DATE, NUMBER, FIELD, NAMED_FIELD, STRING, SET,
        CHANGES, ONE, TWO,
};
/* clang-format on */

struct row {
        const char *name;
        enum argument argument;
        enum key_kind kind;
        unsigned flag;
        const char *field;
};

/* clang-format off */
/* No message is \Recent here: NEW and RECENT find none, OLD all. */
static const struct row rows[] = {
        { "ALL",        NOTHING,     KEY_ALL,         0,             NULL },
        { "ANSWERED",   FLAG,        KEY_FLAG,        FLAG_ANSWERED, NULL },
        { "BCC",        FIELD,       KEY_HEADER,      0,             "Bcc" },
        { "BEFORE",     DATE,        KEY_BEFORE,      0,             NULL },
        { "BODY",       STRING,      KEY_BODY,        0,             NULL },
        { "CC",         FIELD,       KEY_HEADER,      0,             "Cc" },
        { "DELETED",    FLAG,        KEY_FLAG,        FLAG_DELETED,  NULL },
        { "DRAFT",      FLAG,        KEY_FLAG,        FLAG_DRAFT,    NULL },
        { "FLAGGED",    FLAG,        KEY_FLAG,        FLAG_FLAGGED,  NULL },
        { "FROM",       FIELD,       KEY_HEADER,      0,             "From" },
        { "HEADER",     NAMED_FIELD, KEY_HEADER,      0,             NULL },
        { "KEYWORD",    WORD,        KEY_KEYWORD,     0,             NULL },
        { "LARGER",     NUMBER,      KEY_LARGER,      0,             NULL },
        { "MODSEQ",     CHANGES,     KEY_MODSEQ,      0,             NULL },
        { "NEW",        NOTHING,     KEY_NONE,        0,             NULL },
        { "NOT",        ONE,         KEY_NOT,         0,             NULL },
        { "OLD",        NOTHING,     KEY_ALL,         0,             NULL },
        { "OLDER",      NUMBER,      KEY_OLDER,       0,             NULL },
        { "ON",         DATE,        KEY_ON,          0,             NULL },
        { "OR",         TWO,         KEY_OR,          0,             NULL },
        { "RECENT",     NOTHING,     KEY_NONE,        0,             NULL },
        { "SEEN",       FLAG,        KEY_FLAG,        FLAG_SEEN,     NULL },
        { "SENTBEFORE", DATE,        KEY_SENT_BEFORE, 0,             NULL },
        { "SENTON",     DATE,        KEY_SENT_ON,     0,             NULL },
        { "SENTSINCE",  DATE,        KEY_SENT_SINCE,  0,             NULL },
        { "SINCE",      DATE,        KEY_SINCE,       0,             NULL },
        { "SMALLER",    NUMBER,      KEY_SMALLER,     0,             NULL },
        { "SUBJECT",    FIELD,       KEY_SUBJECT,     0,             NULL },
        { "TEXT",       STRING,      KEY_TEXT,        0,             NULL },
        { "TO",         FIELD,       KEY_HEADER,      0,             "To" },
        { "UID",        SET,         KEY_UID,         0,             NULL },
        { "UNANSWERED", NO_FLAG,     KEY_FLAG,        FLAG_ANSWERED, NULL },
        { "UNDELETED",  NO_FLAG,     KEY_FLAG,        FLAG_DELETED,  NULL },
        { "UNDRAFT",    NO_FLAG,     KEY_FLAG,        FLAG_DRAFT,    NULL },
        { "UNFLAGGED",  NO_FLAG,     KEY_FLAG,        FLAG_FLAGGED,  NULL },
        { "UNKEYWORD",  NO_WORD,     KEY_KEYWORD,     0,             NULL },
        { "UNSEEN",     NO_FLAG,     KEY_FLAG,        FLAG_SEEN,     NULL },
        { "YOUNGER",    NUMBER,      KEY_YOUNGER,     0,             NULL },
};
/* clang-format on */

static struct key *one_key(struct keys *k);

static enum key_cost cost_of(enum key_kind kind)
{
        switch (kind) {
        case KEY_BODY:
        case KEY_TEXT:
                return COST_BODY;
        case KEY_HEADER:
                return COST_HEADER;
        case KEY_SENT_BEFORE:
        case KEY_SENT_ON:
        case KEY_SENT_SINCE:
        case KEY_SUBJECT: /* decoded when it was filed */
                return COST_STORED;
        case KEY_BEFORE:
        case KEY_ON:
        case KEY_SINCE:
        case KEY_OLDER:
        case KEY_YOUNGER:
        case KEY_LARGER:
        case KEY_SMALLER:
                return COST_ENTRY;
        default:
                return COST_SETS;
        }
}

static struct key *key_new(struct keys *k, enum key_kind kind)
{
        struct key *key = arena_alloc(k->p->arena, sizeof *key);
        key->kind = kind;
        key->cost = cost_of(kind);
        k->dear += key->cost >= COST_STORED;
        if (++k->count > KEYS_MAX || k->dear > DEAR_KEYS_MAX)
                parse_fail(k->p);
        return key;
}

/* Keeps the children in the order of their cost, so that a cheap no spares the dear question. */
static void adopt(struct key *parent, struct key *child)
{
        struct key **at = &parent->first;
        while (*at && (*at)->cost <= child->cost)
                at = &(*at)->next;
        child->next = *at;
        *at = child;
        if (parent->cost < child->cost)
                parent->cost = child->cost;
}

static struct key *not_of(struct keys *k, struct key *key)
{
        struct key *inverse = key_new(k, KEY_NOT);
        adopt(inverse, key);
        return inverse;
}

static struct str folded(struct keys *k, struct str raw)
{
        struct buf b = {0};
        text_fold(raw, &b);
        struct str out = arena_copy(k->p->arena, buf_str(&b));
        buf_release(&b);
        return out;
}

/* RFC 7162 3.1.5: an entry's name and type may stand in front; all flags have one MODSEQ here. */
static void modseq_of(struct parse *p, struct key *key)
{
        if (parse_peek(p, '"')) {
                if (!str_starts_same(parse_string(p), STR("/flags/")))
                        parse_fail(p);
                parse_space(p);
                if (!parse_word(p, "all") && !parse_word(p, "priv") && !parse_word(p, "shared"))
                        parse_fail(p);
                parse_space(p);
        }
        uint64_t n = parse_number64(p);
        key->number = n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

static void argument_of(struct keys *k, const struct row *row, struct key *key)
{
        struct parse *p = k->p;
        uint64_t n;
        parse_space(p);
        switch (row->argument) {
        case WORD:
        case NO_WORD:
                key->name = parse_atom(p);
                break;
        case DATE:
                key->number = parse_date(p);
                break;
        case NUMBER:
                n = parse_number64(p);
                key->number = n > INT64_MAX ? INT64_MAX : (int64_t)n;
                break;
        case SET:
                key->set = parse_set(p);
                break;
        case CHANGES:
                modseq_of(p, key);
                break;
        case ONE:
        case TWO:
                adopt(key, one_key(k));
                if (row->argument == TWO) {
                        parse_space(p);
                        adopt(key, one_key(k));
                }
                break;
        default:
                key->name = str_of(row->field);
                if (row->argument == NAMED_FIELD) {
                        key->name = parse_astring(p);
                        parse_space(p);
                }
                key->text = folded(k, parse_astring(p));
                break;
        }
}

static struct key *from_row(struct keys *k, const struct row *row)
{
        struct key *key = key_new(k, row->kind);
        key->flag = row->flag;
        if (row->argument > NO_FLAG)
                argument_of(k, row, key);
        bool inverse = row->argument == NO_FLAG || row->argument == NO_WORD;
        return inverse ? not_of(k, key) : key;
}

/* Search keys up to the end or ")", all of which must be true. */
static struct key *all_of(struct keys *k)
{
        struct key *and = key_new(k, KEY_AND);
        do {
                adopt(and, one_key(k));
                if (k->p->at == k->p->end || parse_peek(k->p, ')'))
                        break;
                parse_space(k->p);
        } while (k->p->at < k->p->end && !parse_peek(k->p, ')')); /* blanks at the end are borne */
        return and;
}

static struct key *unnested(struct keys *k)
{
        if (parse_char(k->p, '(')) {
                struct key *key = all_of(k);
                if (!parse_char(k->p, ')'))
                        parse_fail(k->p);
                return key;
        }
        if (k->p->at < k->p->end && strchr("0123456789*$", *k->p->at)) {
                struct key *key = key_new(k, KEY_SEQUENCE);
                key->set = parse_set(k->p);
                return key;
        }
        for (size_t i = 0; i < COUNT_OF(rows); i++)
                if (parse_word(k->p, rows[i].name))
                        return from_row(k, &rows[i]);
        parse_fail(k->p);
        return key_new(k, KEY_NONE);
}

static struct key *one_key(struct keys *k)
{
        if (++k->depth > KEYS_DEPTH_MAX)
                parse_fail(k->p);
        struct key *key = unnested(k);
        k->depth--;
        return key;
}

static struct key *keys_of(struct parse *p)
{
        struct keys k = {.p = p};
        struct key *key = all_of(&k);
        return parse_end(p) ? key : NULL;
}

static enum charset charset_of(struct parse *p)
{
        struct str name = parse_astring(p);
        parse_space(p);
        if (p->bad)
                return CHARSET_NONE;
        return str_same(name, STR("UTF-8"))      ? CHARSET_UTF8
               : str_same(name, STR("US-ASCII")) ? CHARSET_ASCII
                                                 : CHARSET_UNKNOWN;
}

struct key *keys_parse(struct parse *p, enum charset *charset)
{
        *charset = CHARSET_NONE;
        if (parse_word(p, "CHARSET")) {
                parse_space(p);
                *charset = charset_of(p);
        }
        return keys_of(p);
}

struct key *keys_parse_sorted(struct parse *p, enum charset *charset)
{
        *charset = charset_of(p);
        return keys_of(p);
}

bool key_has(const struct key *key, enum key_kind kind)
{
        if (key->kind == kind)
                return true;
        for (const struct key *k = key->first; k; k = k->next)
                if (key_has(k, kind))
                        return true;
        return false;
}
