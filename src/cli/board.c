/* board.c - a topic's board, drawn in the terminal: columns side by side where they fit, else one
 * below the other. */
#include "base/text.h"
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/task.h"
#include "team/field.h"

enum { COLUMN_LEAST = 18, GAP = 2, WIDTH_USUAL = 80, COLUMN_MOST = 44 };
enum style { PLAIN, HEADING, RULE, LATE, FAINT };

struct line {
        struct str text;
        enum style style;
};
struct column {
        struct str name;
        struct shown_task *cards;
        size_t card_count;
        struct line *lines;
        size_t line_count, line_room;
};
struct board {
        struct cli *cli;
        struct topic topic;
        struct column *columns; /* topic.column_count */
        bool colour;
        size_t width; /* of a column */
};

/* ---- what lies where ---- */

/* What is due first, then what was opened first. */
static int compare(const void *x, const void *y)
{
        const struct shown_task *a = x, *b = y;
        int64_t i = a->task.due == DAY_NONE ? INT64_MAX : a->task.due,
                k = b->task.due == DAY_NONE ? INT64_MAX : b->task.due;
        if (i != k)
                return i < k ? -1 : 1;
        return a->task.number < b->task.number ? -1 : 1;
}

static void add_card(struct board *b, const struct shown_task *t)
{
        size_t i = field_column(&b->topic, t->task.status, b->cli->arena);
        if (i < b->topic.column_count)
                b->columns[i].cards[b->columns[i].card_count++] = *t;
}

/* Only what has a card: closed tasks lose theirs in time. */
static enum status read_cards(struct board *b)
{
        struct cli *c = b->cli;
        struct numset *numbers = numset_new();
        enum status st = tasks_of_topic(c->site->store, b->topic.id, true, numbers);
        uint32_t number;
        for (size_t i = 0; i < b->topic.column_count; i++)
                b->columns[i].cards = arena_alloc(
                        c->arena, (numset_count(numbers) + 1) * sizeof(struct shown_task));
        struct topic_memory *memory = NULL;
        for (struct walk w = numset_walk(numbers); st == OK && walk_next(&w, &number);) {
                struct shown_task t;
                st = task_brief(c, number, &memory, &t);
                if (st == OK && t.task.card)
                        add_card(b, &t);
                st = st == ABSENT ? OK : st;
        }
        numset_free(numbers);
        for (size_t i = 0; i < b->topic.column_count; i++)
                if (b->columns[i].card_count)
                        qsort(b->columns[i].cards, b->columns[i].card_count,
                                sizeof(struct shown_task), compare);
        return st;
}

/* ---- drawing ---- */

static void add_line(struct board *b, struct column *col, struct str text, enum style style)
{
        if (col->line_count == col->line_room) {
                size_t room = col->line_room ? 2 * col->line_room : 32;
                struct line *more = arena_alloc(b->cli->arena, room * sizeof *more);
                if (col->line_count)
                        memcpy(more, col->lines, col->line_count * sizeof *more);
                col->lines = more;
                col->line_room = room;
        }
        col->lines[col->line_count++] = (struct line){arena_copy(b->cli->arena, text), style};
}

/* Wrapped; a word that is longer than the column is cut into pieces. */
static void add_text(struct board *b, struct column *col, struct str text, enum style style)
{
        struct buf flat = {0}, wrapped = {0};
        text_flatten(text, &flat);
        text_wrap(buf_str(&flat), b->width, STR(""), STR("  "), &wrapped);
        struct str rest = buf_str(&wrapped), line;
        while (str_line(&rest, &line)) {
                do {
                        struct str piece = text_cut(line, b->width);
                        if (!piece.len)
                                piece = line;
                        add_line(b, col, piece, style);
                        line = str_from(line, piece.len);
                } while (line.len);
        }
        buf_release(&flat);
        buf_release(&wrapped);
}

static void add_details(struct board *b, struct column *col, const struct shown_task *t)
{
        struct buf text = {0};
        bool dated = !t->task.closed && t->due.len;
        if (str_eq(t->task.priority, STR("high")))
                buf_add_text(&text, "! ");
        buf_add(&text, t->people);
        if (dated)
                buf_addf(&text, "%s%s%.*s", t->people.len ? ", " : "", t->late ? "" : "due ",
                        STR_ARG(t->due));
        if (text.len) {
                struct buf indented = {0};
                buf_addf(&indented, "%s", "");
                text_wrap(buf_str(&text), b->width, STR("  "), STR("  "), &indented);
                struct str rest = buf_str(&indented), line;
                while (str_line(&rest, &line))
                        add_line(b, col, text_cut(line, b->width), t->late ? LATE : FAINT);
                buf_release(&indented);
        }
        buf_release(&text);
}

static void fill_column(struct board *b, size_t i)
{
        struct column *col = &b->columns[i];
        struct buf rule = {0};
        add_text(b, col,
                arena_printf(b->cli->arena, "%zu %.*s (%zu)", i + 1, STR_ARG(col->name),
                        col->card_count),
                HEADING);
        for (size_t k = 0; k < b->width; k++)
                buf_add_text(&rule, "─");
        add_line(b, col, buf_str(&rule), RULE);
        buf_release(&rule);
        for (size_t k = 0; k < col->card_count; k++) {
                const struct shown_task *t = &col->cards[k];
                add_text(b, col,
                        arena_printf(
                                b->cli->arena, "T-%u %.*s", t->task.number, STR_ARG(t->task.title)),
                        PLAIN);
                add_details(b, col, t);
                if (k + 1 < col->card_count)
                        add_line(b, col, STR(""), PLAIN);
        }
}

/* `fill`: to the column's width, because another one follows. */
static void print_line(struct board *b, const struct line *line, bool fill)
{
        static const char *const codes[] = {[PLAIN] = "",
                [HEADING] = "\033[1m",
                [RULE] = "\033[2m",
                [LATE] = "\033[31m",
                [FAINT] = "\033[2m"};
        FILE *out = b->cli->out;
        const char *code = b->colour ? codes[line->style] : "";
        size_t wide = text_columns(line->text);
        fprintf(out, "%s%.*s%s", code, STR_ARG(line->text), code[0] ? "\033[0m" : "");
        if (fill)
                fprintf(out, "%*s", (int)((wide < b->width ? b->width - wide : 0) + GAP), "");
}

static void print_beside(struct board *b)
{
        size_t rows = 0, count = b->topic.column_count;
        for (size_t i = 0; i < count; i++)
                rows = b->columns[i].line_count > rows ? b->columns[i].line_count : rows;
        for (size_t row = 0; row < rows; row++) {
                size_t last = 0;
                for (size_t i = 0; i < count; i++)
                        if (row < b->columns[i].line_count && b->columns[i].lines[row].text.len)
                                last = i;
                for (size_t i = 0; i <= last; i++) {
                        struct line none = {STR_NONE, PLAIN};
                        bool is = row < b->columns[i].line_count;
                        print_line(b, is ? &b->columns[i].lines[row] : &none, i < last);
                }
                fputc('\n', b->cli->out);
        }
}

static void print_stacked(struct board *b)
{
        for (size_t i = 0; i < b->topic.column_count; i++) {
                if (i)
                        fputc('\n', b->cli->out);
                for (size_t row = 0; row < b->columns[i].line_count; row++) {
                        print_line(b, &b->columns[i].lines[row], false);
                        fputc('\n', b->cli->out);
                }
        }
}

static void draw(struct board *b, size_t width)
{
        size_t count = b->topic.column_count, gaps = (count - 1) * GAP;
        bool beside = width >= gaps && (width - gaps) / count >= COLUMN_LEAST;
        b->width = beside ? (width - gaps) / count : width < 10 ? 10 : width;
        if (beside && b->width > COLUMN_MOST)
                b->width = COLUMN_MOST;
        if (!beside && b->width > WIDTH_USUAL)
                b->width = WIDTH_USUAL;
        for (size_t i = 0; i < count; i++)
                fill_column(b, i);
        if (beside)
                print_beside(b);
        else
                print_stacked(b);
}

/* ---- the command ---- */

static void print_json(struct board *b)
{
        struct cli *c = b->cli;
        struct show *s = show_begin(c, true, true);
        for (size_t i = 0; i < b->topic.column_count; i++) {
                for (size_t k = 0; k < b->columns[i].card_count; k++) {
                        const struct shown_task *t = &b->columns[i].cards[k];
                        struct str *people;
                        size_t count = field_items(t->people, STR_NONE, c->arena, &people);
                        show_item(s);
                        show_text(s, "column", NULL, b->columns[i].name);
                        show_text(s, "status", NULL, t->task.status);
                        show_text(s, "task", NULL, arena_printf(c->arena, "T-%u", t->task.number));
                        show_text(s, "title", NULL, t->task.title);
                        show_texts(s, "assignees", NULL, people, count);
                        show_text(s, "due", NULL, task_due_day(c, t));
                        show_bool(s, "late", NULL, t->late);
                }
        }
        show_end(s, NULL);
}

static int run_board(struct cli *c, const struct options *o)
{
        struct board b = {.cli = c};
        const char *given = option_value(o, "width");
        uint32_t width = show_terminal(c);
        b.colour = width && !option_on(o, "no-color");
        if (given && (str_u32(str_of(given), &width) != OK || width < 10 || width > 10000))
                return cli_misused(c, o, "--width takes a number of characters, not '%s'", given);
        if (cli_topic(c, cli_word(o, 0), &b.topic) != OK)
                return FAILED;
        b.columns = arena_alloc(c->arena, (b.topic.column_count + 1) * sizeof *b.columns);
        for (size_t i = 0; i < b.topic.column_count; i++)
                b.columns[i] = (struct column){.name = b.topic.columns[i]};
        enum status st = b.topic.column_count ? read_cards(&b) : ABSENT;
        if (st != OK)
                return cli_fail_status(c, st, "reading the board");
        if (option_on(o, "json"))
                print_json(&b);
        else
                draw(&b, width ? width : WIDTH_USUAL);
        return DONE;
}

/* clang-format off */
static const struct option board_options[] = {
        { "width",    "N",  "draw it so wide (default: the terminal's width, else 80)" },
        { "no-color", NULL, "no colours (also where NO_COLOR is set, and where it is no terminal)" },
        { "json",     NULL, "the cards, column by column, for programs" },
        { NULL,       NULL, NULL },
};
const struct command board_commands[] = {
        { "", "TOPIC", "a topic's tasks in their columns", run_board, board_options, 1, 1, NEEDS_SITE,
          "Example: baton board eng.backend\n\n"
          "What is due first stands first; '!' is a high priority. Closed tasks leave after 14 days." },
        { NULL, NULL, NULL, NULL, NULL, 0, 0, NEEDS_NOTHING, NULL },
};
/* clang-format on */
