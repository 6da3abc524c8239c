#include "team/answer.h"
#include "mail/quote.h"
#include "team/answer_shown.h"

enum { ITEMS_AT_ONCE = 10 }; /* "[2][3][5] yes" */

/* Where own words go, as the lines are read. */
enum source {
        BY_NOTHING,
        BY_MARK,  /* "[2]" in own words */
        BY_QUOTE, /* below a quoted "[2]" */
};

struct reading {
        const struct answer_to *to;
        struct arena *arena;
        struct buf *part; /* one for an item, [0] is what fits nowhere */
        bool *cited;      /* "[2]" stands in the middle of somebody's own words */
        enum source source;
        size_t items[ITEMS_AT_ONCE]; /* the current ones */
        size_t item_count;           /* 0: nowhere */
        size_t run_marks; /* quoted items in the quote just read */
        bool quoting;
        bool gap; /* a blank line, if more of the same comes */
};

/* ---- marks ---- */

/* Cuts "[12]" off the front of *s. */
static bool cut_mark(struct str *s, size_t *n)
{
        uint32_t number;
        size_t end = str_chr(*s, ']');
        if (!str_starts(*s, STR("[")) || end == STR_NOWHERE || end > 4 ||
                str_u32(str_sub(*s, 1, end - 1), &number) != OK)
                return false;
        *n = number;
        *s = str_from(*s, end + 1);
        return true;
}

static struct str without_blanks(struct str s)
{
        for (;;) {
                s = str_trim(s);
                if (str_starts(s, STR("\xc2\xa0"))) /* no-break space, out of HTML */
                        s = str_from(s, 2);
                else
                        return s;
        }
}

/* "[2] text", "[2]: text", "[2][3] text". Not "[2](link)". Numbers that the digest has not count as
 * a mark that leads nowhere (then *count is 0). */
static bool read_marks(const struct reading *r, struct str *line, size_t *items, size_t *count)
{
        struct str s = without_blanks(*line);
        size_t n;
        bool known = true;
        *count = 0;
        while (cut_mark(&s, &n)) {
                known = known && n >= 1 && n <= r->to->items && *count < ITEMS_AT_ONCE;
                if (known)
                        items[(*count)++] = n;
                struct str next = without_blanks(s);
                if (str_starts(next, STR("[")) && *count < ITEMS_AT_ONCE)
                        s = next;
                else
                        break;
        }
        if (s.at == without_blanks(*line).at || str_starts(s, STR("(")))
                return false;
        if (!known) {
                *count = 0;
                return true; /* the line stays whole */
        }
        s = without_blanks(s);
        if (str_starts(s, STR(":")))
                s = without_blanks(str_from(s, 1));
        *line = s;
        return true;
}

/* "see [1]": what the marks in the middle of a line are. */
static void note_citations(struct reading *r, struct str line)
{
        size_t at, n;
        while ((at = str_chr(line, '[')) != STR_NOWHERE) {
                line = str_from(line, at);
                struct str rest = line;
                if (cut_mark(&rest, &n) && n >= 1 && n <= r->to->items)
                        r->cited[n] = true;
                line = str_from(line, 1);
        }
}

/* ---- own lines ---- */

static void add_to(struct reading *r, size_t item, struct str line)
{
        struct buf *b = &r->part[item];
        if (r->gap && b->len)
                buf_add_char(b, '\n');
        buf_add(b, line);
        buf_add_char(b, '\n');
}

static void add_own(struct reading *r, struct str line)
{
        note_citations(r, line);
        for (size_t i = 0; i < r->item_count; i++)
                add_to(r, r->items[i], line);
        if (r->item_count == 0)
                add_to(r, 0, line);
        r->gap = false;
}

static void nowhere(struct reading *r, enum source source)
{
        r->source = source;
        r->item_count = 0;
}

/* Below a quote that shows several items, words are about the last of them only where the quote
 * goes on behind: else they may be about all of it. */
static bool more_is_quoted(const struct said_line *lines, size_t count, size_t at)
{
        for (size_t i = at; i < count; i++)
                if (lines[i].said == SAID_QUOTED)
                        return true;
        return false;
}

static void own_line(struct reading *r, const struct said_line *lines, size_t count, size_t at)
{
        size_t items[ITEMS_AT_ONCE], n;
        struct str line = lines[at].text;
        if (r->quoting && r->source == BY_QUOTE && r->run_marks > 1 && !more_is_quoted(lines, count, at))
                nowhere(r, BY_QUOTE);
        r->quoting = false;
        if (read_marks(r, &line, items, &n)) {
                memcpy(r->items, items, sizeof items);
                r->item_count = n;
                r->source = BY_MARK;
                r->gap = true; /* from what was said to it before */
                if (line.len == 0)
                        return;
        }
        add_own(r, line);
}

/* ---- quoted lines ---- */

static struct str unquoted(struct str line, size_t *depth)
{
        struct str s = str_trim(line);
        for (*depth = 0; str_starts(s, STR(">")); ++*depth)
                s = without_blanks(str_from(s, 1));
        return s;
}

/* A heading of the page or a rule: what stands below is about no item. */
static bool divides(struct str s)
{
        size_t letters = 0, marks = 0;
        for (size_t i = 0; i < s.len; i++) {
                if ((s.at[i] >= 'a' && s.at[i] <= 'z') || (s.at[i] >= '0' && s.at[i] <= '9') ||
                        (unsigned char)s.at[i] > 0x7f)
                        return false;
                letters += s.at[i] >= 'A' && s.at[i] <= 'Z';
                marks += s.at[i] == '-' || s.at[i] == '_';
        }
        return letters > 3 || (letters == 0 && marks >= 2 && marks == s.len);
}

/* Does another item's mark stand in the middle, as it does when a program has wrapped the quote
 * anew? Then nobody knows where that item begins. */
static bool hides_mark(const struct reading *r, struct str s)
{
        size_t at, n;
        while ((at = str_chr(s, '[')) != STR_NOWHERE) {
                struct str rest = s = str_from(s, at);
                bool mine = false;
                s = str_from(s, 1);
                if (!cut_mark(&rest, &n) || n < 1 || n > r->to->items)
                        continue;
                for (size_t i = 0; i < r->item_count; i++)
                        mine = mine || r->items[i] == n;
                if (!mine)
                        return true;
        }
        return false;
}

static void quoted_line(struct reading *r, struct str line)
{
        size_t depth, n;
        struct str s = unquoted(line, &depth), rest = s;
        if (!r->quoting)
                r->run_marks = 0;
        r->quoting = true;
        r->gap = true;
        if (depth > 1) { /* somebody's answer to a digest, and not the digest */
                nowhere(r, BY_QUOTE);
        } else if (cut_mark(&rest, &n) && n >= 1 && n <= r->to->items) {
                r->source = BY_QUOTE;
                r->items[0] = n;
                r->item_count = 1;
                r->run_marks++;
        } else if (divides(s) || hides_mark(r, s)) {
                nowhere(r, BY_QUOTE);
        }
}

static void read_lines(struct reading *r, const struct said_line *lines, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                switch (lines[i].said) {
                case SAID_BLANK:
                        r->gap = true;
                        break;
                case SAID_OWN:
                        own_line(r, lines, count, i);
                        break;
                case SAID_QUOTED:
                        quoted_line(r, lines[i].text);
                        break;
                case SAID_AWAY:
                        r->quoting = false;
                        nowhere(r, BY_NOTHING);
                        break;
                }
        }
}

/* ---- what comes of it ---- */

/* "Thanks," "Best regards", the name below: nothing that anybody waits for. */
static bool is_courtesy(const struct reading *r, struct str line)
{
        static const char *const words[] = {"thanks", "thank you", "many thanks", "thx", "best",
                "best regards", "kind regards", "regards", "best wishes", "cheers", "br", "greetings",
                "danke", "viele grüße", "liebe grüße", "gruß", "grüße", "mfg", "lg", "vg", "merci",
                "cordialement", "gracias", "saludos", "obrigado", "obrigada", "grazie"};
        struct str s = str_trim(line);
        while (s.len && strchr(",.!-", s.at[s.len - 1]))
                s.len--;
        while (str_starts(s, STR("-")) || str_starts(s, STR(" ")))
                s = str_from(s, 1);
        if (s.len == 0 || content_greets(line))
                return true;
        for (size_t i = 0; i < COUNT_OF(words); i++)
                if (str_same(s, str_of(words[i])))
                        return true;
        struct str name = r->to->name, first;
        struct str rest = name;
        return str_same(s, name) || (str_word(&rest, &first) && str_same(s, first));
}

static bool is_only_courtesy(const struct reading *r, struct str text)
{
        struct str line;
        while (str_line(&text, &line))
                if (!is_courtesy(r, line))
                        return false;
        return true;
}

/* "see [1]" with "[1] https://..." below is a footnote, or an answer to item 1: nobody knows. */
static bool is_footnote(const struct reading *r, size_t item)
{
        struct str s = without_blanks(buf_str(&r->part[item]));
        return r->cited[item] &&
               (str_starts_same(s, STR("http://")) || str_starts_same(s, STR("https://")) ||
                       str_starts_same(s, STR("<http")) || str_starts_same(s, STR("www.")));
}

static void move_to_rest(struct reading *r, size_t item)
{
        struct str text = buf_str(&r->part[item]);
        if (r->part[0].len)
                buf_add_char(&r->part[0], '\n');
        buf_addf(&r->part[0], "[%zu] %.*s", item, STR_ARG(text));
        buf_clear(&r->part[item]);
}

/* A footnote takes everything with it that may have pointed to it. */
static void take_back_footnotes(struct reading *r)
{
        bool doubt = false;
        for (size_t i = 1; i <= r->to->items; i++)
                doubt = doubt || is_footnote(r, i);
        for (size_t i = 1; doubt && i <= r->to->items; i++) {
                struct str text = buf_str(&r->part[i]);
                bool points = false;
                for (size_t n = 1; n <= r->to->items && !points; n++) {
                        struct str mark = arena_printf(r->arena, "[%zu]", n);
                        points = is_footnote(r, n) && str_find(text, mark) != STR_NOWHERE;
                }
                if (text.len && points)
                        move_to_rest(r, i);
        }
        for (size_t i = 1; doubt && i <= r->to->items; i++)
                if (is_footnote(r, i))
                        move_to_rest(r, i);
}

static void hand_out(struct reading *r, struct answer *out)
{
        *out = (struct answer){0};
        out->parts = arena_alloc(r->arena, (r->to->items + 1) * sizeof *out->parts);
        for (size_t i = 1; i <= r->to->items; i++)
                if (r->part[i].len)
                        out->parts[out->count++] = (struct answer_part){
                                i, arena_copy(r->arena, buf_str(&r->part[i]))};
        struct str rest = buf_str(&r->part[0]);
        if (out->count == 0 || !is_only_courtesy(r, rest))
                out->rest = arena_copy(r->arena, rest);
}

/* All of it is about one item: "[n]" in front is allowed. */
static void take_whole(struct reading *r, const struct said_line *lines, size_t count, size_t item)
{
        size_t items[ITEMS_AT_ONCE], n;
        r->items[0] = item;
        r->item_count = 1;
        for (size_t i = 0; i < count; i++) {
                struct str line = lines[i].text, cut = line;
                bool first = r->part[item].len == 0;
                if (lines[i].said != SAID_OWN) {
                        r->gap = true;
                        continue;
                }
                if (first && read_marks(r, &cut, items, &n) && n == 1 && items[0] == item)
                        line = cut;
                if (line.len)
                        add_own(r, line);
        }
}

/* The item that all of it is about; 0 when it says itself. */
static size_t whole_item(const struct answer_to *to)
{
        return to->item_address <= to->items ? to->item_address : 0;
}

void answer_read(struct str text, const struct answer_to *to, struct arena *arena, struct answer *out)
{
        struct said_line *lines;
        struct buf marked = {0};
        struct reading r = {.to = to, .arena = arena};
        answer_mark_shown(text, to->shown, &marked);
        size_t count = content_lines(buf_str(&marked), arena, &lines), item = whole_item(to);
        r.part = mem_new((to->items + 1) * sizeof *r.part);
        r.cited = mem_new((to->items + 1) * sizeof *r.cited);
        if (!item)
                read_lines(&r, lines, count);
        bool said = item;
        for (size_t i = 1; i <= to->items; i++)
                said = said || r.part[i].len;
        if (!said && (to->item_message || to->items == 1)) {
                item = to->item_message && to->item_message <= to->items ? to->item_message : 1;
                buf_clear(&r.part[0]);
        }
        if (item)
                take_whole(&r, lines, count, item);
        else
                take_back_footnotes(&r);
        hand_out(&r, out);
        for (size_t i = 0; i <= to->items; i++)
                buf_release(&r.part[i]);
        free(r.part);
        free(r.cited);
        buf_release(&marked);
}
