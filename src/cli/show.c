#include "cli/show.h"
#include "base/clock.h"
#include "base/text.h"
#include <jansson.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS_MAX = 24, GAP = 2 };

struct cell {
        const char *heading;
        struct str text;
        bool number; /* set to the right */
};
struct row {
        struct cell cells[COLUMNS_MAX];
        size_t count;
        struct row *next;
};
struct show {
        struct cli *cli;
        bool json, list;
        size_t terminal; /* its width; 0: none */
        json_t *all, *item, *inside; /* inside: an array of the one thing, where items go */
        struct row *first, *last;
};

struct show *show_begin(struct cli *c, bool json, bool list)
{
        struct show *s = mem_new(sizeof *s);
        s->cli = c;
        s->json = json;
        s->list = list;
        s->all = json_array();
        if (!list)
                show_item(s);
        return s;
}

void show_item(struct show *s)
{
        struct row *row;
        if (s->json) {
                s->item = json_object();
                json_array_append_new(s->inside ? s->inside : s->all, s->item);
                return;
        }
        row = arena_alloc(s->cli->arena, sizeof *row);
        if (s->last)
                s->last->next = row;
        else
                s->first = row;
        s->last = row;
}

bool show_is_json(const struct show *s)
{
        return s->json;
}

void show_inside(struct show *s, const char *key)
{
        assert(s->json && !s->list && !s->inside);
        s->inside = json_array();
        json_object_set_new(s->item, key, s->inside);
}

static void put(struct show *s, const char *heading, struct str text, bool number)
{
        struct buf flat = {0};
        if (!heading || s->last->count == COLUMNS_MAX)
                return;
        text_flatten(text, &flat); /* no stored text moves a terminal's cursor */
        s->last->cells[s->last->count++] = (struct cell){
                heading, arena_copy(s->cli->arena, buf_str(&flat)), number};
        buf_release(&flat);
}

/* Takes the value. */
static void put_json(struct show *s, const char *key, json_t *value)
{
        json_object_set_new(s->item, key, value ? value : json_null());
}

static json_t *json_text(struct str text)
{
        struct buf utf8 = {0};
        text_decode(text, STR("utf-8"), &utf8);
        json_t *value = json_stringn(utf8.len ? utf8.at : "", utf8.len);
        buf_release(&utf8);
        return value;
}

void show_text(struct show *s, const char *key, const char *heading, struct str text)
{
        if (s->json)
                put_json(s, key, json_text(text));
        else
                put(s, heading, text, false);
}

void show_number(struct show *s, const char *key, const char *heading, uint64_t n)
{
        if (s->json)
                put_json(s, key, json_integer((json_int_t)n));
        else
                put(s, heading, arena_printf(s->cli->arena, "%llu", (unsigned long long)n), true);
}

void show_bool(struct show *s, const char *key, const char *heading, bool yes)
{
        if (s->json)
                put_json(s, key, json_boolean(yes));
        else
                put(s, heading, yes ? STR("yes") : STR("no"), false);
}

void show_texts(
        struct show *s, const char *key, const char *heading, const struct str *v, size_t count)
{
        json_t *array = s->json ? json_array() : NULL;
        struct buf joined = {0};
        for (size_t i = 0; i < count; i++) {
                if (array)
                        json_array_append_new(array, json_text(v[i]));
                buf_addf(&joined, "%s%.*s", i ? ", " : "", STR_ARG(v[i]));
        }
        if (array)
                put_json(s, key, array);
        else
                put(s, heading, buf_str(&joined), false);
        buf_release(&joined);
}

void show_pairs(
        struct show *s, const char *key, const char *heading, const struct pair *v, size_t count)
{
        json_t *object = s->json ? json_object() : NULL;
        struct buf joined = {0}, name = {0};
        for (size_t i = 0; i < count; i++) {
                buf_set(&name, v[i].name);
                if (object)
                        json_object_set_new(object, buf_text(&name), json_string(v[i].value));
                buf_addf(&joined, "%s%.*s (%s)", i ? ", " : "", STR_ARG(v[i].name), v[i].value);
        }
        if (object)
                put_json(s, key, object);
        else
                put(s, heading, buf_str(&joined), false);
        buf_release(&joined);
        buf_release(&name);
}

void show_time(struct show *s, const char *key, const char *heading, time_t at)
{
        struct buf text = {0};
        if (at)
                date_print_iso(at, &text);
        if (s->json)
                put_json(s, key, at ? json_text(buf_str(&text)) : json_null());
        else
                put(s, heading, at ? buf_str(&text) : STR("-"), false);
        buf_release(&text);
}

void size_print(uint64_t octets, struct buf *out)
{
        static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB"};
        double n = (double)octets;
        size_t unit = 0;
        while (n >= 1024 && unit + 1 < COUNT_OF(units)) {
                n /= 1024;
                unit++;
        }
        buf_addf(out, unit && n < 10 ? "%.1f %s" : "%.0f %s", n, units[unit]);
}

void show_size(struct show *s, const char *key, const char *heading, uint64_t octets)
{
        struct buf text = {0};
        size_print(octets, &text);
        if (s->json)
                put_json(s, key, json_integer((json_int_t)octets));
        else
                put(s, heading, buf_str(&text), true);
        buf_release(&text);
}

/* ---- printing ---- */

unsigned show_terminal(struct cli *c)
{
        struct winsize size;
        int fd = fileno(c->out);
        if (fd < 0 || !isatty(fd))
                return 0;
        return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

static void print_padded(FILE *out, struct str text, size_t width, bool right)
{
        size_t columns = text_columns(text);
        int fill = columns < width ? (int)(width - columns) : 0;
        if (right)
                fprintf(out, "%*s%.*s", fill, "", STR_ARG(text));
        else
                fprintf(out, "%.*s%*s", STR_ARG(text), fill, "");
}

static void print_line(struct show *s, const struct row *row, const size_t *widths, bool headings)
{
        FILE *out = s->cli->out;
        size_t left = s->terminal ? s->terminal : SIZE_MAX;
        for (size_t i = 0; i < row->count; i++) {
                const struct cell *cell = &row->cells[i];
                bool last = i + 1 == row->count && !cell->number;
                struct str text = headings ? str_of(cell->heading) : cell->text;
                if (last && text_columns(text) > left)
                        text = text_cut(text, left);
                left -= left > widths[i] + GAP ? widths[i] + GAP : left;
                print_padded(out, text, last ? 0 : widths[i], cell->number);
                fprintf(out, "%s", i + 1 < row->count ? "  " : "\n");
        }
}

static void print_table(struct show *s)
{
        size_t widths[COLUMNS_MAX] = {0};
        s->terminal = show_terminal(s->cli);
        for (const struct row *row = s->first; row; row = row->next) {
                for (size_t i = 0; i < row->count; i++) {
                        size_t heading = strlen(row->cells[i].heading),
                               text = text_columns(row->cells[i].text);
                        size_t wide = heading > text ? heading : text;
                        if (wide > widths[i])
                                widths[i] = wide;
                }
        }
        print_line(s, s->first, widths, true);
        for (const struct row *row = s->first; row; row = row->next)
                print_line(s, row, widths, false);
}

static void print_lines(struct show *s)
{
        size_t wide = 0;
        for (size_t i = 0; i < s->first->count; i++) {
                size_t n = strlen(s->first->cells[i].heading);
                wide = n > wide ? n : wide;
        }
        for (size_t i = 0; i < s->first->count; i++) {
                const struct cell *cell = &s->first->cells[i];
                fprintf(s->cli->out, "%s:%*s%.*s\n", cell->heading,
                        (int)(wide - strlen(cell->heading)) + 1, "", STR_ARG(cell->text));
        }
}

static void print_json(struct show *s)
{
        char *text = json_dumps(s->list ? s->all : json_array_get(s->all, 0), JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        fprintf(s->cli->out, "%s\n", text ? text : "null");
        free(text);
}

void show_end(struct show *s, const char *none)
{
        if (s->json)
                print_json(s);
        else if (!s->first)
                fprintf(s->cli->out, "%s\n", none ? none : "");
        else if (s->list)
                print_table(s);
        else
                print_lines(s);
        json_decref(s->all);
        free(s);
}
