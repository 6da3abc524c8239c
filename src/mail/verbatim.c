#include "mail/verbatim.h"

enum { FENCE_LEAST = 3, RUN_MOST = 32 }; /* marks side by side; a longer run begins no code span */
static const char marks[] = {'`', '~'};

static size_t run_length(struct str s, char mark)
{
        size_t n = 0;
        while (n < s.len && s.at[n] == mark)
                n++;
        return n;
}

/* ---- fences ---- */

struct fence {
        size_t length; /* 0: the line is none */
        bool closes;   /* nothing stands behind it */
};

/* What stands behind backquotes that open a fence holds none: else it is a code span. */
static struct fence fence_of(struct str line, char mark)
{
        struct str text = str_trim(line);
        size_t n = run_length(text, mark);
        struct str behind = str_from(text, n);
        bool open = n >= FENCE_LEAST && (mark != '`' || str_chr(behind, '`') == STR_NOWHERE);
        return (struct fence){open ? n : 0, open && !behind.len};
}

/* The longest line that closes one, from line i on: in v[i]. So no fence is looked for in vain. */
static void find_closers(const struct str *lines, size_t count, char mark, size_t *v)
{
        v[count] = 0;
        for (size_t i = count; i-- > 0;) {
                struct fence f = fence_of(lines[i], mark);
                v[i] = f.closes && f.length > v[i + 1] ? f.length : v[i + 1];
        }
}

/* The line that closes the fence of line i; i itself when it is none, or never closed. */
static size_t closed_at(const struct str *lines, size_t i, char mark, const size_t *closers)
{
        size_t length = fence_of(lines[i], mark).length;
        if (!length || closers[i + 1] < length)
                return i;
        for (size_t k = i + 1;; k++) {
                struct fence f = fence_of(lines[k], mark);
                if (f.closes && f.length >= length)
                        return k;
        }
}

void verbatim_lines(const struct str *lines, size_t count, bool *out)
{
        size_t *closers[COUNT_OF(marks)];
        for (size_t m = 0; m < COUNT_OF(marks); m++) {
                closers[m] = mem_new((count + 1) * sizeof **closers);
                find_closers(lines, count, marks[m], closers[m]);
        }
        for (size_t i = 0; i < count; i++) {
                size_t last = i;
                for (size_t m = 0; m < COUNT_OF(marks) && last == i; m++)
                        last = closed_at(lines, i, marks[m], closers[m]);
                out[i] = last != i;
                while (i < last)
                        out[++i] = true;
        }
        for (size_t m = 0; m < COUNT_OF(marks); m++)
                free(closers[m]);
}

/* ---- code spans ---- */

/* The next run of just so many backquotes, or the text's length. */
static size_t find_run(struct str text, size_t from, size_t length)
{
        while (from < text.len) {
                size_t n = text.at[from] == '`' ? run_length(str_from(text, from), '`') : 0;
                if (n == length)
                        return from;
                from += n ? n : 1;
        }
        return text.len;
}

static void blank(char *at, size_t len)
{
        for (size_t i = 0; i < len; i++)
                if (at[i] != '\n')
                        at[i] = ' ';
}

/* A backquote behind a backslash is one to be read. */
static void blank_spans(char *at, size_t len)
{
        struct str text = str_make(at, len);
        bool none[RUN_MOST + 1] = {false}; /* of this length: no other follows */
        for (size_t i = 0; i < len;) {
                size_t n = at[i] == '`' ? run_length(str_from(text, i), '`') : 0, end = len;
                if (at[i] == '\\') {
                        i += 2;
                        continue;
                }
                if (n && n <= RUN_MOST && !none[n])
                        end = find_run(text, i + n, n);
                if (n && n <= RUN_MOST && end == len)
                        none[n] = true;
                if (end < len)
                        blank(at + i, end - i);
                i = end < len ? end + n : i + (n ? n : 1);
        }
}

/* ---- both ---- */

static bool is_blank(struct str line)
{
        return !str_trim(line).len;
}

/* Paragraph by paragraph, each on its own: lines first to last. */
static void blank_paragraphs(char *out, struct str text, const struct str *lines, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                size_t first = i;
                while (i < count && !is_blank(lines[i]))
                        i++;
                if (i == first)
                        continue;
                size_t from = (size_t)(lines[first].at - text.at),
                       upto = (size_t)(lines[i - 1].at - text.at) + lines[i - 1].len;
                blank_spans(out + from, upto - from);
        }
}

struct str verbatim_blank(struct str text, struct arena *arena)
{
        size_t count = 0, most = 1;
        if (str_chr(text, '`') == STR_NOWHERE && str_find(text, STR("~~~")) == STR_NOWHERE)
                return text;
        for (size_t i = 0; i < text.len; i++)
                most += text.at[i] == '\n';
        struct str *lines = mem_new(most * sizeof *lines), rest = text;
        bool *verbatim = mem_new(most * sizeof *verbatim);
        char *out = arena_alloc(arena, text.len + 1);
        memcpy(out, text.at, text.len);
        while (str_line(&rest, &lines[count]))
                count++;
        verbatim_lines(lines, count, verbatim);
        for (size_t i = 0; i < count; i++) {
                if (!verbatim[i])
                        continue;
                blank(out + (lines[i].at - text.at), lines[i].len);
                lines[i].len = 0; /* ends a paragraph */
        }
        blank_paragraphs(out, text, lines, count);
        free(verbatim);
        free(lines);
        return str_make(out, text.len);
}
