#include "team/directive.h"
#include "base/text.h"
#include "mail/content.h"
#include "mail/header.h"
#include "mail/verbatim.h"
#include "team/directive_value.h"

enum {
        WORD_MAX = 32,     /* letters of a field's name or a verb */
        PROSE_WORDS = 4,   /* behind an unknown /word: more of them are a sentence */
        WRAP_COLUMNS = 66, /* a line that the next word would have made longer was wrapped */
        WRAPPED_LINES = 4, /* of one field's value, the first included */
};

enum shape { LINE_TEXT, LINE_BLANK, LINE_FIELD, LINE_VERB };

struct line {
        struct str raw;  /* as it stands in the own text */
        struct str text; /* tidied, trimmed, on the arena */
        enum shape shape;
        bool indented, verbatim;         /* between fences */
        bool taken;                      /* it is a directive: no part of the rest */
        struct str word, argument;       /* of a field or verb */
        const struct directive_row *row; /* or NULL */
};

struct reading {
        struct line *v;
        size_t count;
        int64_t today;
        enum strictness strictness;
        struct arena *arena;
        struct directives *out;
        size_t room; /* of out->v */
};

/* ---- lines ---- */

static bool is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Without what cannot be seen, and blanks of all widths as one: HTML and phones put them in. */
static struct str tidy(struct str s, struct arena *arena)
{
        static const struct {
                const char *odd, *plain;
        } signs[] = {{"\u00a0", " "}, {"\u2007", " "}, {"\u202f", " "}, {"\u200b", ""},
                {"\u200e", ""}, {"\u200f", ""}, {"\u2060", ""}, {"\ufeff", ""}};
        struct buf plain = {0}, flat = {0};
        while (s.len) {
                size_t step = 1, i = COUNT_OF(signs);
                if (s.at[0] & 0x80)
                        for (i = 0; i < COUNT_OF(signs); i++)
                                if (str_starts(s, str_of(signs[i].odd)))
                                        break;
                if (i < COUNT_OF(signs)) {
                        buf_add_text(&plain, signs[i].plain);
                        step = strlen(signs[i].odd);
                } else {
                        buf_add_char(&plain, s.at[0]);
                }
                s = str_from(s, step);
        }
        text_flatten(buf_str(&plain), &flat);
        struct str copy = arena_copy(arena, str_trim(buf_str(&flat)));
        buf_release(&plain);
        buf_release(&flat);
        return copy;
}

/* "Waits-on : T-9" is the word Waits-on. False for what is no field at all, as "http://". */
static bool cut_field(struct line *l)
{
        struct str s = l->text;
        size_t n = 0;
        while (n < s.len && n < WORD_MAX && (is_letter(s.at[n]) || (n && s.at[n] == '-')))
                n++;
        struct str behind = str_trim(str_from(s, n));
        if (n == 0 || !str_starts(behind, STR(":")) || str_starts(behind, STR("://")))
                return false;
        l->word = str_sub(s, 0, n);
        l->argument = str_trim(str_from(behind, 1));
        l->row = directive_row_find(DIRECTIVE_FIELD, l->word);
        return true;
}

/* "/take", "/due fri", "/done.". False for paths: "/usr/bin", "/etc", "/a.out". */
static bool cut_verb(struct line *l)
{
        static const char *const folders[] = {"bin", "boot", "dev", "etc", "home", "lib", "media",
                "mnt", "opt", "proc", "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var"};
        struct str s = l->text;
        size_t n = 1;
        while (n < s.len && n <= WORD_MAX && (is_letter(s.at[n]) || (n > 1 && s.at[n] == '-')))
                n++;
        if (!str_starts(s, STR("/")) || n == 1)
                return false;
        struct str behind = str_from(s, n);
        while (behind.len && behind.at[0] && strchr(".,:;!", behind.at[0]))
                behind = str_from(behind, 1);
        if (behind.len && behind.at[0] != ' ')
                return false;
        l->word = str_sub(s, 1, n - 1);
        for (size_t i = 0; i < COUNT_OF(folders); i++)
                if (str_eq(l->word, str_of(folders[i])))
                        return false;
        l->argument = str_trim(behind);
        l->row = directive_row_find(DIRECTIVE_VERB, l->word);
        return true;
}

static void look_at_line(struct line *l, struct arena *arena)
{
        l->indented = l->raw.len && (l->raw.at[0] == ' ' || l->raw.at[0] == '\t');
        l->text = tidy(l->raw, arena);
        if (l->text.len == 0)
                l->shape = LINE_BLANK;
        else if (cut_verb(l))
                l->shape = LINE_VERB;
        else if (cut_field(l))
                l->shape = LINE_FIELD;
        else
                l->shape = LINE_TEXT;
}

/* What stands between fences is shown, not said. */
static void find_fences(struct reading *r)
{
        struct str *lines = mem_new((r->count + 1) * sizeof *lines);
        bool *verbatim = mem_new((r->count + 1) * sizeof *verbatim);
        for (size_t i = 0; i < r->count; i++)
                lines[i] = r->v[i].text;
        verbatim_lines(lines, r->count, verbatim);
        for (size_t i = 0; i < r->count; i++) {
                r->v[i].verbatim = verbatim[i];
                if (verbatim[i] && r->v[i].shape != LINE_BLANK)
                        r->v[i].shape = LINE_TEXT;
        }
        free(verbatim);
        free(lines);
}

static void cut_lines(struct reading *r, struct str own)
{
        size_t most = 1;
        for (size_t i = 0; i < own.len; i++)
                most += own.at[i] == '\n';
        r->v = mem_new(most * sizeof *r->v);
        while (str_line(&own, &r->v[r->count].raw))
                look_at_line(&r->v[r->count++], r->arena);
        find_fences(r);
}

/* ---- giving out ---- */

/* The next directive to fill, or NULL when there are enough. */
static struct directive *next_directive(struct reading *r)
{
        struct directives *out = r->out;
        if (out->count == DIRECTIVES_MAX) {
                out->more = true;
                return NULL;
        }
        if (!out->v)
                out->v = arena_alloc(r->arena, DIRECTIVES_MAX * sizeof *out->v);
        return &out->v[out->count++];
}

/* At most so many octets as a line may have, not cut in a character. */
static struct str clip(struct str s)
{
        size_t n = DIRECTIVE_LINE_MAX;
        if (s.len <= n)
                return s;
        while (n && ((unsigned char)s.at[n] & 0xc0) == 0x80)
                n--;
        return str_sub(s, 0, n);
}

static void give(struct reading *r, const struct line *l, unsigned number)
{
        struct directive *d = next_directive(r);
        if (!d)
                return;
        *d = (struct directive){.row = l->row,
                .line_number = number,
                .word = l->word,
                .name = l->row ? l->row->name : DO_LATER};
        d->line = clip(l->text);
        d->argument = clip(l->argument);
        if (!l->row) {
                d->fault = FAULT_UNKNOWN;
                d->nearest = directive_row_near(
                        l->shape == LINE_VERB ? DIRECTIVE_VERB : DIRECTIVE_FIELD, l->word);
        } else if (l->row->later) {
                d->fault = FAULT_LATER;
        } else if (l->text.len > DIRECTIVE_LINE_MAX) {
                d->fault = FAULT_ARGUMENT;
                d->why = "a line has at most 1000 octets";
        } else {
                directive_value(d, r->today, r->arena);
        }
}

/* ---- verbs ---- */

static bool is_prose(struct str argument)
{
        struct str word;
        size_t n = 0;
        while (str_word(&argument, &word))
                n++;
        return n > PROSE_WORDS;
}

/* Of the unknown ones only those that were meant to be verbs are told of. */
static bool is_verb(const struct reading *r, const struct line *l)
{
        if (l->row)
                return true;
        return !is_prose(l->argument) &&
               (r->strictness == STRICT || directive_row_near(DIRECTIVE_VERB, l->word));
}

/* ---- fields ---- */

static bool takes_text(const struct directive_row *row)
{
        return row && row->takes == TAKES_TEXT;
}

/* Does line `at` go on with the value of the field in line `field`? An indented line does, as in a
 * header; so does, of a title or summary, what a mail program wrapped because it was too long. */
static bool goes_on(const struct reading *r, size_t field, size_t at)
{
        const struct line *l = &r->v[at], *before = &r->v[at - 1];
        if (at - field >= WRAPPED_LINES || l->shape == LINE_BLANK || l->shape == LINE_VERB ||
                l->verbatim || (l->shape == LINE_FIELD && l->row))
                return false;
        if (l->indented)
                return true;
        struct str rest = l->text, word = STR_NONE;
        return takes_text(r->v[field].row) && str_word(&rest, &word) &&
               text_columns(before->text) + 1 + text_columns(word) > WRAP_COLUMNS;
}

/* Joins the field's further lines to it. The line after them. */
static size_t join_field(struct reading *r, size_t field)
{
        struct line *l = &r->v[field];
        size_t at = field + 1;
        for (; at < r->count && goes_on(r, field, at); at++) {
                l->text = arena_printf(
                        r->arena, "%.*s %.*s", STR_ARG(l->text), STR_ARG(r->v[at].text));
                r->v[at].taken = true;
                r->v[at].shape = LINE_TEXT;
        }
        if (at > field + 1)
                l->argument = str_trim(str_from(l->text, str_chr(l->text, ':') + 1));
        return at;
}

/* Where the lines of fields and verbs that begin at `first` end: at a blank line, at the end, or at
 * a line of text (then *text). */
static size_t fields_end(const struct reading *r, size_t first, bool *text)
{
        size_t field = SIZE_MAX, at = first;
        *text = false;
        for (; at < r->count && r->v[at].shape != LINE_BLANK; at++) {
                const struct line *l = &r->v[at];
                bool known = l->row || r->strictness == STRICT ||
                             (l->shape == LINE_VERB && is_verb(r, l));
                if (field != SIZE_MAX && goes_on(r, field, at))
                        continue;
                *text = l->shape == LINE_TEXT || !known;
                if (*text)
                        break;
                field = l->shape == LINE_FIELD ? at : SIZE_MAX;
        }
        return at;
}

/* Is any of these lines a field, or, where they are expected, nearly one? */
static bool holds_field(const struct reading *r, size_t first, size_t end)
{
        for (size_t i = first; i < end; i++) {
                const struct line *l = &r->v[i];
                if (l->shape != LINE_FIELD)
                        continue;
                if (l->row ||
                        (r->strictness == STRICT && directive_row_near(DIRECTIVE_FIELD, l->word)))
                        return true;
        }
        return false;
}

/* The fields that open the text, if it opens with fields: gives each line's shape its meaning by
 * making text of those that are none. */
static void settle_fields(struct reading *r)
{
        size_t first = 0;
        while (first < r->count && r->v[first].shape == LINE_BLANK)
                first++;
        bool text;
        size_t end = fields_end(r, first, &text);
        if ((text && r->strictness == LENIENT) || !holds_field(r, first, end))
                end = first;
        for (size_t i = first; i < end;)
                i = r->v[i].shape == LINE_FIELD && r->v[i].row ? join_field(r, i) : i + 1;
        for (size_t i = 0; i < r->count; i++)
                if (r->v[i].shape == LINE_FIELD && (i < first || i >= end))
                        r->v[i].shape = LINE_TEXT;
}

/* ---- the whole ---- */

static void add_rest(struct reading *r)
{
        struct buf rest = {0};
        bool gap = false;
        for (size_t i = 0; i < r->count; i++) {
                const struct line *l = &r->v[i];
                if (l->taken || l->shape == LINE_BLANK) {
                        gap = gap || l->shape == LINE_BLANK;
                        continue;
                }
                if (gap && rest.len)
                        buf_add_char(&rest, '\n');
                gap = false;
                buf_add(&rest, l->raw);
                buf_add_char(&rest, '\n');
        }
        r->out->rest = arena_copy(r->arena, buf_str(&rest));
        buf_release(&rest);
}

static void read_own(struct reading *r, struct str own)
{
        cut_lines(r, own);
        settle_fields(r);
        for (size_t i = 0; i < r->count; i++) {
                struct line *l = &r->v[i];
                if (l->shape != LINE_FIELD && !(l->shape == LINE_VERB && is_verb(r, l)))
                        continue;
                l->taken = l->row != NULL; /* what is unknown stays in the text */
                give(r, l, (unsigned)i + 1);
        }
        add_rest(r);
        free(r->v);
}

void directive_read_text(struct str own, const struct zone *zone, time_t now,
        enum strictness strict, struct arena *arena, struct directives *out)
{
        struct reading r = {
                .today = when_today(zone, now), .strictness = strict, .arena = arena, .out = out};
        *out = (struct directives){0};
        read_own(&r, str_sub(own, 0, DIRECTIVE_TEXT_MAX));
}

/* Baton's own fields are no directives, whatever a message that was here before brings along. */
static bool is_own_field(struct str word)
{
        static const char *const own[] = {"Topic", "Kind", "Task", "Reason"};
        for (size_t i = 0; i < COUNT_OF(own); i++)
                if (str_same(word, str_of(own[i])))
                        return true;
        return false;
}

static void read_header(struct reading *r, struct str header)
{
        struct field field;
        while (header_next(&header, &field)) {
                struct line l = {.shape = LINE_FIELD};
                if (!str_starts_same(field.name, STR("Baton-")))
                        continue;
                l.word = str_from(field.name, strlen("Baton-"));
                if (is_own_field(l.word))
                        continue;
                l.row = directive_row_find(DIRECTIVE_FIELD, l.word);
                const struct directive_row *near = directive_row_near(DIRECTIVE_FIELD, l.word);
                if (!l.row && (!near || near->kind != DIRECTIVE_FIELD))
                        continue;
                l.word = tidy(l.word, r->arena);
                l.argument = tidy(header_decode(r->arena, field.value), r->arena);
                l.text = arena_printf(
                        r->arena, "Baton-%.*s: %.*s", STR_ARG(l.word), STR_ARG(l.argument));
                give(r, &l, 0);
        }
}

/* ---- at a glance ---- */

static bool is_plain(char c)
{
        return c > ' ' && c < 0x7f;
}

/* "/word", or a known word and a colon, which may stand at the beginning of the next line when
 * this one flows on. Controls and what is no ASCII may be dropped when it is read, or be blanks:
 * they are passed over, and a word that holds any may be a known one. */
static bool begins_like_directive(struct str line)
{
        bool odd = false;
        size_t start = 0, seen = 0, end;
        while (start < line.len && !is_plain(line.at[start]))
                start++;
        line = str_from(line, start);
        if (str_starts(line, STR("/")))
                return true;
        if (str_chr(line, ':') == STR_NOWHERE && !str_ends(line, STR(" ")))
                return false; /* as nearly all */
        for (end = 0; end < line.len && line.at[end] != ':'; end++) {
                bool usual = is_plain(line.at[end]) || line.at[end] == ' ';
                odd = odd || !usual;
                seen += usual;
                if (seen >= DIRECTIVE_WORD_MAX)
                        return false;
        }
        return odd || directive_row_find(DIRECTIVE_FIELD, str_trim(str_sub(line, 0, end)));
}

static bool may_direct(const struct part *leaf, struct str text)
{
        struct str line;
        if (!content_is_open(leaf))
                return true;
        while (str_line(&text, &line))
                if (line.len && (begins_like_directive(line) || str_chr(line, '\r') != STR_NOWHERE))
                        return true;
        return false;
}

bool directive_may_stand(const struct parsed_mail *parsed)
{
        struct str header = parsed->top->header, line;
        while (str_line(&header, &line))
                if (str_starts_same(line, STR("Baton-")))
                        return true;
        return content_any(parsed->top, PARSED_TEXT_MAX, may_direct);
}

void directive_read(struct parsed_mail *parsed, const struct zone *zone, time_t now,
        enum strictness strict, struct directives *out)
{
        struct reading r = {.today = when_today(zone, now),
                .strictness = strict,
                .arena = parsed->arena,
                .out = out};
        *out = (struct directives){0};
        read_header(&r, parsed->top->header);
        read_own(&r, parsed_said(parsed));
}

/* The line that was meant: with what stood behind the mistyped word, where something may. */
static void say_meant(const struct directive *d, struct buf *out)
{
        enum { SHOWN = 100 };
        const struct directive_row *row = d->nearest;
        bool verb = row->kind == DIRECTIVE_VERB;
        if (!d->argument.len || d->argument.len > SHOWN || row->takes == TAKES_NOTHING)
                buf_addf(out, "; did you mean \"%s\"?", row->example);
        else
                buf_addf(out, "; did you mean \"%s%s%s %.*s\"?", verb ? "/" : "", row->word,
                        verb ? "" : ":", STR_ARG(d->argument));
}

void directive_fault_say(const struct directive *d, struct buf *out)
{
        bool verb = d->row ? d->row->kind == DIRECTIVE_VERB : str_starts(d->line, STR("/"));
        const char *before = verb ? "/" : "", *behind = verb ? "" : ":";
        switch (d->fault) {
        case FAULT_NONE:
                break;
        case FAULT_ARGUMENT:
                if (d->meant.len)
                        buf_addf(out, "\"%.*s\" is not understood; did you mean \"%s%s%s %.*s\"?",
                                STR_ARG(d->argument), before, d->row->word, behind,
                                STR_ARG(d->meant));
                else
                        buf_addf(out, "This is not understood: %s; for example \"%s\".", d->why,
                                d->row->example);
                break;
        case FAULT_UNKNOWN:
                buf_addf(out, "\"%s%.*s%s\" is not known here", before, STR_ARG(d->word), behind);
                if (d->nearest)
                        say_meant(d, out);
                else
                        buf_add_char(out, '.');
                break;
        case FAULT_LATER:
                buf_addf(out, "\"%s%s%s\" is not offered here yet.", before, d->row->word, behind);
                break;
        }
}

bool directive_subject_task(struct str subject, struct str *title)
{
        subject = str_trim(subject);
        if (!str_starts_same(subject, STR("[task]")))
                return false;
        *title = str_trim(str_from(subject, strlen("[task]")));
        return true;
}
