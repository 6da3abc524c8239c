#include "imap/parse.h"
#include "base/clock.h"
#include "base/text.h"
#include "mail/envelope.h"

enum { NAME_SIZE_MAX = 1000 };

struct parse parse_of(struct arena *arena, struct str text)
{
        const char *at = text.len ? text.at : "";
        return (struct parse){.at = at, .end = at + text.len, .arena = arena};
}

void parse_fail(struct parse *p)
{
        p->bad = true;
        p->at = p->end;
}

bool parse_end(struct parse *p)
{
        while (p->at < p->end && *p->at == ' ')
                p->at++;
        if (p->at < p->end)
                parse_fail(p);
        return !p->bad;
}

void parse_space(struct parse *p)
{
        if (!parse_char(p, ' '))
                parse_fail(p);
        while (parse_char(p, ' ')) {
        }
}

bool parse_peek(const struct parse *p, char c)
{
        return p->at < p->end && *p->at == c;
}

bool parse_char(struct parse *p, char c)
{
        if (!parse_peek(p, c))
                return false;
        p->at++;
        return true;
}

/* RFC 9051 ATOM-CHAR: no atom-specials, no controls, 7 bits. */
static bool is_atom(char c)
{
        return c > 0x20 && c < 0x7f && !strchr("(){%*\"\\]", c);
}

static bool is_astring(char c)
{
        return is_atom(c) || c == ']';
}

static bool is_pattern(char c)
{
        return is_astring(c) || c == '%' || c == '*';
}

static struct str run_of(struct parse *p, bool (*is)(char))
{
        const char *start = p->at;
        while (p->at < p->end && is(*p->at))
                p->at++;
        if (p->at == start)
                parse_fail(p);
        return str_make(start, (size_t)(p->at - start));
}

bool parse_word(struct parse *p, const char *word)
{
        struct str want = str_of(word);
        struct str rest = str_make(p->at, (size_t)(p->end - p->at));
        if (!str_starts_same(rest, want) || (rest.len > want.len && is_astring(rest.at[want.len])))
                return false;
        p->at += want.len;
        return true;
}

struct str parse_atom(struct parse *p)
{
        return run_of(p, is_atom);
}

static struct str quoted(struct parse *p)
{
        const char *start = ++p->at;
        struct buf copy = {0};
        while (p->at < p->end && *p->at != '"') {
                if (*p->at == '\\') {
                        buf_add(&copy, str_make(start, (size_t)(p->at - start)));
                        start = ++p->at;
                        if (!parse_peek(p, '"') && !parse_peek(p, '\\'))
                                break;
                } else if (*p->at == '\0' || *p->at == '\r' || *p->at == '\n') {
                        break;
                }
                p->at++;
        }
        struct str out = str_make(start, (size_t)(p->at - start));
        if (!parse_char(p, '"')) {
                parse_fail(p);
                out = STR_NONE;
        } else if (copy.len) {
                buf_add(&copy, out);
                out = arena_copy(p->arena, buf_str(&copy));
        }
        buf_release(&copy);
        if (!text_is_utf8(out)) /* RFC 6855 3: BAD */
                parse_fail(p);
        return p->bad ? STR_NONE : out;
}

/* "{3}\r\nabc" or "{3+}\r\nabc" */
static struct str literal(struct parse *p)
{
        const char *digits = ++p->at;
        while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
                p->at++;
        uint64_t size;
        enum status st = str_u64(str_make(digits, (size_t)(p->at - digits)), &size);
        (void)parse_char(p, '+');
        if (st != OK || !parse_char(p, '}') || !parse_char(p, '\r') || !parse_char(p, '\n') ||
                size > (uint64_t)(p->end - p->at)) {
                parse_fail(p);
                return STR_NONE;
        }
        struct str out = str_make(p->at, (size_t)size);
        p->at += size;
        return out;
}

struct str parse_string(struct parse *p)
{
        if (parse_peek(p, '"'))
                return quoted(p);
        if (parse_peek(p, '{'))
                return literal(p);
        parse_fail(p);
        return STR_NONE;
}

struct str parse_astring(struct parse *p)
{
        if (parse_peek(p, '"') || parse_peek(p, '{'))
                return parse_string(p);
        return run_of(p, is_astring);
}

struct str parse_nstring(struct parse *p)
{
        if (parse_word(p, "NIL"))
                return STR_NONE;
        return parse_string(p);
}

struct str parse_pattern(struct parse *p)
{
        struct str s;
        if (parse_peek(p, '"') || parse_peek(p, '{'))
                s = parse_string(p);
        else
                s = run_of(p, is_pattern);
        if (s.len > NAME_SIZE_MAX)
                parse_fail(p);
        return s;
}

struct str parse_mailbox(struct parse *p)
{
        struct str raw = parse_astring(p), name = STR_NONE;
        if (p->bad)
                return STR_NONE;
        if (str_same(raw, STR("INBOX")))
                return STR("INBOX");
        struct buf utf8 = {0};
        if (raw.len == 0 || raw.len > NAME_SIZE_MAX)
                parse_fail(p);
        else if ((p->utf8 || !text_is_7bit(raw)) && text_is_utf8(raw))
                name = arena_copy(p->arena, raw);
        else if (p->utf8 || mutf7_decode(raw, &utf8) != OK)
                parse_fail(p);
        else
                name = arena_copy(p->arena, buf_str(&utf8));
        buf_release(&utf8);
        return name;
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

uint64_t parse_number64(struct parse *p)
{
        uint64_t n = 0;
        if (str_u64(run_of(p, is_digit), &n) != OK)
                parse_fail(p);
        return n;
}

uint32_t parse_number(struct parse *p)
{
        uint64_t n = parse_number64(p);
        if (n > UINT32_MAX)
                parse_fail(p);
        return p->bad ? 0 : (uint32_t)n;
}

static void set_number(struct parse *p)
{
        if (parse_char(p, '*'))
                return;
        if (parse_number(p) == 0)
                parse_fail(p);
}

struct str parse_set(struct parse *p)
{
        const char *start = p->at;
        if (parse_char(p, '$')) /* what a search has saved (RFC 5182) */
                return str_make(start, 1);
        do {
                set_number(p);
                if (parse_char(p, ':'))
                        set_number(p);
        } while (parse_char(p, ','));
        return p->bad ? STR_NONE : str_make(start, (size_t)(p->at - start));
}

struct str parse_known_set(struct parse *p)
{
        struct str set = parse_set(p);
        if (str_chr(set, '*') != STR_NOWHERE || str_chr(set, '$') != STR_NOWHERE)
                parse_fail(p);
        return p->bad ? STR_NONE : set;
}

static int two_digits(struct parse *p)
{
        if (p->end - p->at < 2 || !is_digit(p->at[0]) || !is_digit(p->at[1])) {
                parse_fail(p);
                return 0;
        }
        int n = (p->at[0] - '0') * 10 + p->at[1] - '0';
        p->at += 2;
        return n;
}

static void need(struct parse *p, char c)
{
        if (!parse_char(p, c))
                parse_fail(p);
}

static bool is_letter(char c)
{
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* "-Feb-2026" behind the day; gives the day's number since 1970-01-01. */
static int64_t month_and_year(struct parse *p, int day)
{
        need(p, '-');
        struct str name = run_of(p, is_letter);
        int month = 0;
        for (int i = 0; i < 12; i++)
                if (str_same(name, str_of(month_names[i])))
                        month = i + 1;
        need(p, '-');
        int year = two_digits(p) * 100;
        year += two_digits(p);
        if (p->bad || month == 0 || day == 0) {
                parse_fail(p);
                return 0;
        }
        int64_t days = days_from_civil(year, month, day);
        int y, m, d;
        civil_from_days(days, &y, &m, &d);
        if (m != month || d != day) /* 32-Jan, 30-Feb */
                parse_fail(p);
        return days;
}

int64_t parse_date(struct parse *p)
{
        bool in_quotes = parse_char(p, '"');
        uint32_t day = parse_number(p);
        int64_t days = month_and_year(p, day > 31 ? 0 : (int)day);
        if (in_quotes)
                need(p, '"');
        return days;
}

time_t parse_date_time(struct parse *p)
{
        need(p, '"');
        (void)parse_char(p, ' '); /* date-day-fixed; clients send a bare "1-Feb" too */
        uint32_t day = parse_number(p);
        int64_t at = month_and_year(p, day > 31 ? 0 : (int)day) * 86400;
        need(p, ' ');
        int hour = two_digits(p);
        need(p, ':');
        int minute = two_digits(p);
        need(p, ':');
        int second = two_digits(p);
        need(p, ' ');
        bool west = parse_char(p, '-');
        if (!west)
                need(p, '+');
        int offset = two_digits(p) * 3600;
        offset += two_digits(p) * 60;
        need(p, '"');
        if (hour > 23 || minute > 59 || second > 60)
                parse_fail(p);
        at += hour * 3600 + minute * 60 + second - (west ? -offset : offset);
        /* as INTERNALDATE it must have a year of four digits again */
        if (at < days_from_civil(0, 1, 1) * 86400 || at >= days_from_civil(10000, 1, 1) * 86400)
                parse_fail(p);
        return p->bad ? 0 : (time_t)at;
}

static unsigned system_flag(struct parse *p)
{
        static const char *const names[] = {"Seen", "Answered", "Flagged", "Deleted", "Draft"};
        struct str name = parse_atom(p);
        for (unsigned i = 0; i < COUNT_OF(names); i++)
                if (str_same(name, str_of(names[i])))
                        return 1U << i;
        if (!str_same(name, STR("Recent")))
                parse_fail(p);
        return 0;
}

static void add_keyword(struct parse *p, struct flag_list *out)
{
        struct str word = parse_atom(p);
        if (word.len > KEYWORD_SIZE_MAX || out->keyword_count == KEYWORDS_MAX) {
                parse_fail(p);
                return;
        }
        for (size_t i = 0; i < out->keyword_count; i++)
                if (str_same(out->keywords[i], word))
                        return;
        if (!out->keywords)
                out->keywords = arena_alloc(p->arena, KEYWORDS_MAX * sizeof *out->keywords);
        out->keywords[out->keyword_count++] = word;
}

void parse_flags(struct parse *p, bool bare, struct flag_list *out)
{
        *out = (struct flag_list){0};
        bool list = parse_char(p, '(');
        if (!list && !bare)
                parse_fail(p);
        if (list && parse_char(p, ')'))
                return;
        do {
                if (parse_char(p, '\\'))
                        out->flags |= system_flag(p);
                else
                        add_keyword(p, out);
        } while (parse_char(p, ' ') && !p->bad);
        if (list)
                need(p, ')');
}

static bool ends_in_quotes(struct str line)
{
        bool in = false;
        for (size_t i = 0; i < line.len; i++) {
                if (line.at[i] == '"')
                        in = !in;
                else if (in && line.at[i] == '\\')
                        i++;
        }
        return in;
}

bool literal_announced(struct str line, uint64_t *size, bool *waits, size_t *start)
{
        size_t open = str_rchr(line, '{');
        if (open == STR_NOWHERE || !str_ends(line, STR("}")) ||
                ends_in_quotes(str_sub(line, 0, open)))
                return false;
        struct str inner = str_sub(line, open + 1, line.len - open - 2);
        *waits = !str_ends(inner, STR("+"));
        if (!*waits)
                inner.len--;
        if (str_u64(inner, size) != OK)
                return false;
        *start = open > 0 && line.at[open - 1] == '~' ? open - 1 : open;
        return true;
}

void print_mailbox(struct buf *out, struct str name, bool utf8)
{
        if (utf8) { /* no name has controls (folders.c), and none is too long to be quoted */
                quoted_add(out, name);
                return;
        }
        struct buf wire = {0};
        mutf7_encode(name, &wire);
        string_add(out, buf_str(&wire));
        buf_release(&wire);
}
