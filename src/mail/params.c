#include "mail/params.h"
#include "base/text.h"
#include "mail/header.h"

enum { PARAMS_MAX = 64 };

static struct str skip_blanks(struct str s)
{
        while (s.len && (s.at[0] == ' ' || s.at[0] == '\t'))
                s = str_from(s, 1);
        return s;
}

/* Blanks and comments; a comment that is never closed takes the rest. */
static struct str skip_comments(struct str s)
{
        for (s = skip_blanks(s); s.len && s.at[0] == '('; s = skip_blanks(s)) {
                size_t depth = 0, i = 0;
                do {
                        if (s.at[i] == '\\')
                                i++;
                        else if (s.at[i] == '(')
                                depth++;
                        else if (s.at[i] == ')')
                                depth--;
                        i++;
                } while (i < s.len && depth);
                s = str_from(s, i);
        }
        return s;
}

static size_t span_until(struct str s, const char *stops)
{
        size_t n = 0;
        while (n < s.len && (s.at[n] == '\0' || !strchr(stops, s.at[n])))
                n++;
        return n;
}

struct str params_token(struct arena *arena, struct str value, struct str *rest)
{
        value = skip_comments(value);
        size_t n = span_until(value, " \t;(");
        *rest = str_from(value, n);
        return arena_lower(arena, str_sub(value, 0, n));
}

/* A backslash and the mark that it quotes. */
static bool is_quoted_pair(struct str s, size_t i)
{
        return s.at[i] == '\\' && i + 1 < s.len && (s.at[i + 1] == '"' || s.at[i + 1] == '\\');
}

/* A backslash quotes a quotation mark or a backslash. Before anything else it stands for itself:
 * mailers write file names like C:\report.doc without quoting them. */
static struct str unquote(struct arena *arena, struct str s)
{
        if (str_chr(s, '\\') == STR_NOWHERE)
                return s;
        char *to = arena_alloc(arena, s.len + 1);
        size_t n = 0;
        for (size_t i = 0; i < s.len; i++) {
                i += is_quoted_pair(s, i);
                to[n++] = s.at[i];
        }
        return str_make(to, n);
}

/* Where a quoted value ends; when it is never closed, at the next semicolon. */
static struct str cut_quoted(struct arena *arena, struct str *rest)
{
        size_t i = 1;
        while (i < rest->len && rest->at[i] != '"')
                i += is_quoted_pair(*rest, i) ? 2 : 1;
        bool closed = i < rest->len;
        if (!closed)
                i = span_until(*rest, ";");
        struct str value = str_sub(*rest, 1, i - 1);
        *rest = str_from(*rest, closed ? i + 1 : i);
        return closed ? unquote(arena, value) : str_trim(value);
}

/* File names with blanks are often left unquoted; other values end at a blank. */
static struct str cut_plain(struct str name, struct str *rest)
{
        bool file = str_same(name, STR("filename")) || str_same(name, STR("name"));
        size_t n = span_until(*rest, file ? ";" : "; \t(");
        struct str value = str_trim(str_sub(*rest, 0, n));
        *rest = str_from(*rest, n);
        return value;
}

struct param *params_read(struct arena *arena, struct str rest)
{
        struct param *first = NULL, **link = &first;
        for (unsigned count = 0; rest.len && count < PARAMS_MAX; count++) {
                while ((rest = skip_comments(rest)).len && rest.at[0] == ';')
                        rest = str_from(rest, 1);
                size_t n = span_until(rest, "=;");
                struct str name = str_trim(str_sub(rest, 0, n));
                rest = str_from(rest, n);
                if (rest.len == 0 || rest.at[0] != '=')
                        continue;
                rest = skip_comments(str_from(rest, 1));
                bool quoted = rest.len && rest.at[0] == '"';
                struct str value = quoted ? cut_quoted(arena, &rest) : cut_plain(name, &rest);
                if (name.len == 0)
                        continue;
                struct param *p = arena_alloc(arena, sizeof *p);
                p->name = arena_lower(arena, name);
                p->value = value;
                *link = p;
                link = &p->next;
        }
        return first;
}

/* ---- RFC 2231 ---- */

struct segment {
        struct str name, value;
        struct str base; /* the name without marks */
        uint32_t number;
        bool marked, percent;
};

/* "filename*1*" is base "filename", number 1, with percent octets (RFC 2231 3 and 4). */
static struct segment segment_of(struct str name, struct str value)
{
        struct segment plain = {.name = name, .value = value, .base = name}, s = plain;
        size_t star = str_chr(name, '*');
        if (star == STR_NOWHERE || star == 0)
                return plain;
        struct str tail = str_from(name, star + 1);
        s.percent = tail.len == 0 || str_ends(tail, STR("*"));
        if (tail.len && s.percent)
                tail.len--;
        if (tail.len && str_u32(tail, &s.number) != OK)
                return plain;
        s.base = str_sub(name, 0, star);
        s.marked = true;
        return s;
}

static int hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c = ascii_lower(c);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void percent_decode(struct str s, struct buf *out)
{
        for (size_t i = 0; i < s.len; i++) {
                int high = s.at[i] == '%' && i + 2 < s.len ? hex_value(s.at[i + 1]) : -1;
                int low = high >= 0 ? hex_value(s.at[i + 2]) : -1;
                if (low >= 0) {
                        buf_add_char(out, (char)(unsigned char)(high << 4 | low));
                        i += 2;
                } else {
                        buf_add_char(out, s.at[i]);
                }
        }
}

/* "charset'language'" before the first segment's text. */
static struct str cut_charset(struct str *value)
{
        struct str s = *value, charset, language;
        size_t first = str_chr(s, '\'');
        size_t second = first == STR_NOWHERE ? first : str_chr(str_from(s, first + 1), '\'');
        if (second == STR_NOWHERE || !str_cut(&s, '\'', &charset))
                return STR_NONE;
        if (s.len && s.at[0] == '\'')
                s = str_from(s, 1);
        else if (!str_cut(&s, '\'', &language))
                return STR_NONE;
        *value = s;
        return charset;
}

struct segments {
        struct segment v[PARAMS_MAX];
        size_t count;
};

static const struct segment *find_segment(const struct segments *all, struct str base,
        uint32_t number)
{
        for (size_t i = 0; i < all->count; i++) {
                const struct segment *s = &all->v[i];
                if (s->marked && s->number == number && str_eq(s->base, base))
                        return s;
        }
        return NULL;
}

/* All segments of one name in the order of their numbers, whatever order they stand in. */
static struct str join(struct arena *arena, const struct segments *all, struct str base)
{
        struct buf octets = {0}, text = {0};
        struct str charset = STR_NONE;
        const struct segment *s;
        for (uint32_t number = 0; (s = find_segment(all, base, number)); number++) {
                struct str value = s->value;
                if (number == 0 && s->percent)
                        charset = cut_charset(&value);
                if (s->percent)
                        percent_decode(value, &octets);
                else
                        buf_add(&octets, value);
        }
        text_decode(buf_str(&octets), charset, &text);
        /* A percent octet may be a line end. */
        struct str value = header_unfold(arena, buf_str(&text));
        buf_release(&octets);
        buf_release(&text);
        return value;
}

static bool has_param(const struct param *list, struct str name)
{
        for (; list; list = list->next)
                if (str_eq(list->name, name))
                        return true;
        return false;
}

struct param *params_decode(struct arena *arena, const struct param *raw)
{
        struct segments all = {.count = 0};
        struct param *first = NULL, **link = &first;
        for (const struct param *p = raw; p && all.count < PARAMS_MAX; p = p->next)
                all.v[all.count++] = segment_of(p->name, p->value);
        for (size_t i = 0; i < all.count; i++) {
                const struct segment *s = &all.v[i];
                bool joined = find_segment(&all, s->base, 0) != NULL;
                struct str name = joined ? s->base : s->name;
                if (has_param(first, name))
                        continue;
                struct param *out = arena_alloc(arena, sizeof *out);
                out->name = name;
                out->value = joined ? join(arena, &all, s->base) : header_decode(arena, s->value);
                *link = out;
                link = &out->next;
        }
        return first;
}
