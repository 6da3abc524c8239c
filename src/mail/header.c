#include "mail/header.h"
#include "base/text.h"
#include "mail/word.h"

enum { LINE_AIM = 78, LINE_MOST = 998, SUBJECT_MAX = 2000 };

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

/* The next line with its line end; false at the end of the view. */
static bool next_line(struct str rest, struct str *line)
{
        if (rest.len == 0)
                return false;
        size_t at = str_chr(rest, '\n');
        *line = at == STR_NOWHERE ? rest : str_sub(rest, 0, at + 1);
        return true;
}

static bool is_empty_line(struct str line)
{
        return str_eq(line, STR("\r\n")) || str_eq(line, STR("\n"));
}

/* RFC 5322 3.6.8: printable ASCII but the colon; blanks before the colon are RFC 5322 4.5. */
static bool field_name(struct str line, struct str *name)
{
        size_t colon = str_chr(line, ':');
        if (colon == STR_NOWHERE)
                return false;
        size_t n = colon;
        while (n && is_blank(line.at[n - 1]))
                n--;
        for (size_t i = 0; i < n; i++)
                if (line.at[i] <= ' ' || line.at[i] > '~')
                        return false;
        *name = str_sub(line, 0, n);
        return n > 0;
}

static struct str without_line_end(struct str s)
{
        if (s.len && s.at[s.len - 1] == '\n')
                s.len--;
        if (s.len && s.at[s.len - 1] == '\r')
                s.len--;
        return s;
}

bool header_next(struct str *rest, struct field *out)
{
        struct str line, name;
        for (;; *rest = str_from(*rest, line.len)) {
                if (!next_line(*rest, &line) || is_empty_line(line))
                        return false;
                if (!is_blank(line.at[0]) && field_name(line, &name))
                        break;
        }
        size_t colon = str_chr(line, ':');
        size_t len = line.len;
        while (next_line(str_from(*rest, len), &line) && is_blank(line.at[0]))
                len += line.len;
        out->name = name;
        out->all = str_sub(*rest, 0, len);
        out->value = without_line_end(str_from(out->all, colon + 1));
        *rest = str_from(*rest, len);
        return true;
}

/* The next field of that name, cut off *rest with all before it. Only what begins with the name is
 * cut: such a line continues no other field. */
static bool find_next(struct str *rest, struct str name, struct field *out)
{
        struct str line, own;
        for (; next_line(*rest, &line) && !is_empty_line(line); *rest = str_from(*rest, line.len))
                if (str_starts_same(line, name) && field_name(line, &own) && str_same(own, name))
                        return header_next(rest, out);
        return false;
}

bool header_find(struct str header, const char *name, struct str *value)
{
        struct field f;
        bool found = find_next(&header, str_of(name), &f);
        if (found)
                *value = f.value;
        return found;
}

unsigned header_count(struct str header, const char *name)
{
        unsigned n = 0;
        struct field f;
        while (find_next(&header, str_of(name), &f))
                n++;
        return n;
}

size_t header_length(struct str message)
{
        struct str rest = message, line;
        while (next_line(rest, &line)) {
                rest = str_from(rest, line.len);
                if (is_empty_line(line))
                        break;
        }
        return message.len - rest.len;
}

struct str header_unfold(struct arena *arena, struct str raw)
{
        raw = str_trim(raw);
        char *to = arena_alloc(arena, raw.len + 1);
        size_t n = 0;
        for (size_t i = 0; i < raw.len; i++) {
                char c = raw.at[i];
                size_t end = i + (c == '\r' && i + 1 < raw.len && raw.at[i + 1] == '\n');
                if (raw.at[end] == '\n' && end + 1 < raw.len && is_blank(raw.at[end + 1])) {
                        i = end;
                        continue;
                }
                if (raw.at[end] == '\n')
                        i = end;
                to[n++] = c == '\t' || c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
        }
        return str_trim(str_make(to, n));
}

struct str header_decode(struct arena *arena, struct str raw)
{
        struct str flat = header_unfold(arena, raw);
        if (text_is_ascii(flat) && str_find(flat, STR("=?")) == STR_NOWHERE)
                return flat;
        struct buf out = {0};
        word_decode(flat, &out);
        struct str s = arena_copy(arena, str_trim(buf_str(&out)));
        buf_release(&out);
        return s;
}

struct str header_value(struct arena *arena, struct str header, const char *name)
{
        struct str raw;
        return header_find(header, name, &raw) ? header_unfold(arena, raw) : STR_NONE;
}

struct str header_text(struct arena *arena, struct str header, const char *name)
{
        struct str raw;
        return header_find(header, name, &raw) ? header_decode(arena, raw) : STR_NONE;
}

/* ---- writing ---- */

/* A line being filled: `start` is where it begins in the buffer. */
struct folder {
        struct buf *out;
        size_t start;
        bool fresh; /* nothing but the name is on the line yet */
};

static void fold_add(struct folder *f, struct str blanks, struct str word)
{
        size_t used = f->out->len - f->start + blanks.len + word.len;
        if (used > (f->fresh ? LINE_MOST : LINE_AIM)) {
                buf_add_text(f->out, "\r\n");
                f->start = f->out->len;
                blanks = blanks.len ? blanks : STR(" ");
        }
        buf_add(f->out, blanks);
        buf_add(f->out, word);
        f->fresh = false;
}

static bool needs_encoding(struct str word)
{
        if (!text_is_ascii(word) || word.len >= LINE_MOST)
                return true;
        return str_starts(word, STR("=?")) && !word_is_encoded(word);
}

/* The next run of blanks and the word behind it. */
static bool cut_word(struct str *rest, struct str *blanks, struct str *word)
{
        size_t b = 0;
        while (b < rest->len && rest->at[b] == ' ')
                b++;
        size_t w = b;
        while (w < rest->len && rest->at[w] != ' ')
                w++;
        *blanks = str_sub(*rest, 0, b);
        *word = str_sub(*rest, b, w - b);
        *rest = str_from(*rest, w);
        return w > b;
}

static struct str plain_copy(struct str value, struct buf *copy)
{
        for (size_t i = 0; i < value.len; i++) {
                unsigned char c = (unsigned char)value.at[i];
                buf_add_char(copy, c < ' ' || c == 0x7f ? ' ' : value.at[i]);
        }
        return str_trim(buf_str(copy));
}

/* Adjacent words that need it are encoded together, the blanks between them too: blanks between
 * encoded words are not shown (RFC 2047 6.2). */
static void add_encoded(struct folder *f, struct str blanks, struct str text)
{
        struct buf words = {0};
        word_encode(text, f->out->len - f->start + blanks.len, &words);
        struct str rest = buf_str(&words), word;
        while (str_cut(&rest, ' ', &word)) {
                fold_add(f, blanks, word);
                blanks = STR(" ");
        }
        buf_release(&words);
}

void header_add(struct buf *out, const char *name, struct str value)
{
        struct buf copy = {0};
        struct str rest = plain_copy(value, &copy), blanks, word;
        struct folder f = {out, out->len, true};
        buf_addf(out, "%s:", name);
        while (cut_word(&rest, &blanks, &word)) {
                if (blanks.len == 0)
                        blanks = STR(" ");
                if (!needs_encoding(word)) {
                        fold_add(&f, blanks, word);
                        continue;
                }
                struct str ahead = rest, more, next;
                while (cut_word(&ahead, &more, &next) && needs_encoding(next)) {
                        word.len = (size_t)(next.at + next.len - word.at);
                        rest = ahead;
                }
                add_encoded(&f, blanks, word);
        }
        buf_add_text(out, "\r\n");
        buf_release(&copy);
}

/* ---- subjects ---- */

/* RFC 5256 5: subj-blob = "[" *BLOBCHAR "]" *WSP; 0 when there is none at the start. */
static size_t blob_length(struct str s)
{
        if (s.len == 0 || s.at[0] != '[')
                return 0;
        size_t n = 1;
        while (n < s.len && s.at[n] != '[' && s.at[n] != ']')
                n++;
        if (n == s.len || s.at[n] != ']')
                return 0;
        n++;
        while (n < s.len && is_blank(s.at[n]))
                n++;
        return n;
}

/* RFC 5256 5: subj-refwd, what stands for "Re:" and "Fwd:". */
static size_t refwd_length(struct str s)
{
        size_t n = 0;
        if (str_starts_same(s, STR("re")))
                n = 2;
        else if (str_starts_same(s, STR("fwd")))
                n = 3;
        else if (str_starts_same(s, STR("fw")))
                n = 2;
        else
                return 0;
        while (n < s.len && is_blank(s.at[n]))
                n++;
        n += blob_length(str_from(s, n));
        return n < s.len && s.at[n] == ':' ? n + 1 : 0;
}

static struct str drop_trailers(struct str s)
{
        for (;;) {
                s = str_trim(s);
                if (s.len < 5 || !str_same(str_from(s, s.len - 5), STR("(fwd)")))
                        return s;
                s.len -= 5;
        }
}

static bool drop_leader(struct str *s)
{
        struct str rest = *s;
        size_t n;
        while ((n = blob_length(rest)))
                rest = str_from(rest, n);
        n = refwd_length(rest);
        if (n == 0)
                return false;
        *s = str_trim(str_from(rest, n));
        return true;
}

static bool drop_blob(struct str *s)
{
        size_t n = blob_length(*s);
        struct str rest = str_trim(str_from(*s, n));
        if (n == 0 || rest.len == 0)
                return false;
        *s = rest;
        return true;
}

/* RFC 5256 2.1, steps 2 to 6. */
static struct str strip_subject(struct str s)
{
        for (;;) {
                s = drop_trailers(s);
                while (drop_leader(&s) || drop_blob(&s)) {
                }
                if (!str_starts_same(s, STR("[fwd:")) || !str_ends(s, STR("]")))
                        return s;
                s = str_sub(s, 5, s.len - 6);
        }
}

struct str header_base_subject(struct arena *arena, struct str decoded)
{
        struct buf flat = {0}, folded = {0};
        text_flatten(str_sub(decoded, 0, SUBJECT_MAX), &flat);
        text_fold(strip_subject(buf_str(&flat)), &folded);
        struct str s = arena_copy(arena, str_trim(buf_str(&folded)));
        buf_release(&flat);
        buf_release(&folded);
        return s;
}

bool header_is_reply(struct str decoded)
{
        /* What mailers write for "Re" and "Fwd" in other languages. */
        static const char *const marks[] = {"re", "aw", "sv", "antw", "vs", "ref", "rif", "odp",
                "fw", "fwd", "wg", "tr", "vb", "enc", "rv"};
        struct str s = str_trim(decoded);
        size_t n;
        while ((n = blob_length(s)))
                s = str_from(s, n);
        for (size_t i = 0; i < COUNT_OF(marks); i++) {
                if (!str_starts_same(s, str_of(marks[i])))
                        continue;
                struct str rest = str_from(s, strlen(marks[i]));
                while (rest.len && is_blank(rest.at[0]))
                        rest = str_from(rest, 1);
                rest = str_from(rest, blob_length(rest));
                if (rest.len && rest.at[0] == ':')
                        return true;
        }
        return false;
}
