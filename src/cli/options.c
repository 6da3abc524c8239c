#include "cli/options.h"
#include "base/text.h"
#include "team/near.h"

enum { HELP_COLUMN = 26, HELP_WIDTH = 78 };

static const struct option *option_find(const struct options *o, struct str name)
{
        for (const struct option *row = o->command->options; row && row->name; row++) {
                if (str_eq(name, str_of(row->name)))
                        return row;
        }
        return NULL;
}

static enum parsed unknown_option(const struct options *o, struct str name, struct buf *reason)
{
        buf_addf(reason, "there is no option --%.*s", STR_ARG(name));
        for (const struct option *row = o->command->options; row && row->name; row++) {
                if (near_enough(name, str_of(row->name))) {
                        buf_addf(reason, "; was --%s meant?", row->name);
                        break;
                }
        }
        return MISUSED;
}

/* argv[*at] begins with "--"; takes its value, which may be the next word. */
static enum parsed option_take(
        struct options *o, int argc, char **argv, int *at, struct buf *reason)
{
        struct str name = str_of(argv[*at] + 2);
        size_t equals = str_chr(name, '=');
        const char *value = equals == STR_NOWHERE ? NULL : name.at + equals + 1;
        const struct option *row;
        name = str_sub(name, 0, equals == STR_NOWHERE ? name.len : equals);
        if (str_eq(name, STR("help")))
                return ASKED_HELP;
        row = option_find(o, name);
        if (!row)
                return unknown_option(o, name, reason);
        if (!row->value && value) {
                buf_addf(reason, "--%s takes no value", row->name);
                return MISUSED;
        }
        if (row->value && !value && *at + 1 < argc)
                value = argv[++*at];
        if (row->value && !value) {
                buf_addf(reason, "--%s needs a value: --%s %s", row->name, row->name, row->value);
                return MISUSED;
        }
        if (o->given_count == GIVEN_MAX) {
                buf_add_text(reason, "too many options");
                return MISUSED;
        }
        o->given[o->given_count++] = (struct given){row, value};
        return PARSED;
}

static enum parsed check_count(const struct options *o, struct buf *reason)
{
        const struct command *c = o->command;
        if (o->word_count < c->min)
                buf_addf(reason, "it needs %s", c->arguments);
        else if (c->max != WORDS_ANY && o->word_count > c->max)
                buf_addf(reason, "'%s' is one word too many", o->words[c->max]);
        else
                return PARSED;
        return MISUSED;
}

enum parsed options_parse(struct options *o, int argc, char **argv, struct buf *reason)
{
        bool ended = false;
        o->words = argv;
        o->word_count = 0;
        o->given_count = 0;
        for (int i = 0; i < argc; i++) {
                enum parsed parsed = PARSED;
                if (!ended && !strcmp(argv[i], "--")) {
                        ended = true;
                } else if (!ended && !strncmp(argv[i], "--", 2)) {
                        parsed = option_take(o, argc, argv, &i, reason);
                } else if (!ended && !strcmp(argv[i], "-h")) {
                        parsed = ASKED_HELP;
                } else if (!ended && argv[i][0] == '-' && argv[i][1]) {
                        buf_addf(reason, "there is no option %s (all are long: --like-this)",
                                argv[i]);
                        parsed = MISUSED;
                } else {
                        o->words[o->word_count++] = argv[i];
                }
                if (parsed != PARSED)
                        return parsed;
        }
        return check_count(o, reason);
}

bool option_taken(const char *name, char **argv, int *at, const char **out)
{
        size_t len = strlen(name);
        if (strncmp(argv[*at], name, len) != 0)
                return false;
        if (argv[*at][len] == '=')
                *out = argv[*at] + len + 1;
        else if (!argv[*at][len])
                *out = argv[*at + 1] ? argv[++*at] : "";
        else
                return false;
        return true;
}

bool option_on(const struct options *o, const char *name)
{
        size_t at = 0;
        while (at < o->given_count) {
                if (!strcmp(o->given[at++].option->name, name))
                        return true;
        }
        return false;
}

const char *option_each(const struct options *o, const char *name, size_t *at)
{
        while (*at < o->given_count) {
                const struct given *g = &o->given[(*at)++];
                if (!strcmp(g->option->name, name))
                        return g->value;
        }
        return NULL;
}

const char *option_value(const struct options *o, const char *name)
{
        const char *value = NULL, *next;
        size_t at = 0;
        while ((next = option_each(o, name, &at)))
                value = next;
        return value;
}

/* ---- help ---- */

bool family_single(const struct family *f)
{
        return !f->commands[0].name[0];
}

static void add_row(struct buf *out, const char *left, const char *right)
{
        size_t start = out->len;
        static const char blanks[] = "                          ";
        buf_addf(out, "  %s", left);
        if (out->len - start > HELP_COLUMN - 2)
                buf_add_text(out, "\n");
        else
                buf_addf(out, "%*s", (int)(HELP_COLUMN - (out->len - start)), "");
        struct buf wrapped = {0};
        text_wrap(str_of(right), HELP_WIDTH, str_make(blanks, HELP_COLUMN),
                str_make(blanks, HELP_COLUMN), &wrapped);
        struct str text = buf_str(&wrapped);
        if (out->at[out->len - 1] != '\n') /* the first line's blanks are there already */
                text = str_from(text, HELP_COLUMN);
        buf_add(out, text);
        buf_release(&wrapped);
}

static void add_paragraph(struct buf *paragraph, struct buf *out)
{
        if (paragraph->len)
                text_wrap(buf_str(paragraph), HELP_WIDTH, STR_NONE, STR_NONE, out);
        buf_clear(paragraph);
}

/* Paragraphs are filled; an example, and what is indented, is there to be copied. */
static void add_more(struct str text, struct buf *out)
{
        struct buf paragraph = {0};
        struct str line;
        buf_add_char(out, '\n');
        while (str_line(&text, &line)) {
                bool kept = !line.len || line.at[0] == ' ' || str_starts(line, STR("Example: "));
                if (kept) {
                        add_paragraph(&paragraph, out);
                        buf_addf(out, "%.*s\n", STR_ARG(line));
                        continue;
                }
                if (paragraph.len)
                        buf_add_char(&paragraph, ' ');
                buf_add(&paragraph, line);
        }
        add_paragraph(&paragraph, out);
        buf_release(&paragraph);
}

void options_help(const struct family *f, const struct command *c, struct buf *out)
{
        buf_addf(out, "baton %s%s%s - %s\n\nUsage: baton %s%s%s", f->name, c->name[0] ? " " : "",
                c->name, c->summary, f->name, c->name[0] ? " " : "", c->name);
        if (c->options && c->options->name)
                buf_add_text(out, " [options]");
        if (c->arguments[0])
                buf_addf(out, " %s", c->arguments);
        buf_add_text(out, "\n");
        if (c->options && c->options->name)
                buf_add_text(out, "\nOptions:\n");
        for (const struct option *row = c->options; row && row->name; row++) {
                struct buf left = {0};
                buf_addf(&left, "--%s%s%s", row->name, row->value ? " " : "",
                        row->value ? row->value : "");
                add_row(out, buf_text(&left), row->help);
                buf_release(&left);
        }
        if (c->more)
                add_more(str_of(c->more), out);
}

void family_help(const struct family *f, struct buf *out)
{
        buf_addf(out, "baton %s - %s\n\nCommands:\n", f->name, f->summary);
        for (const struct command *c = f->commands; c->name; c++) {
                struct buf left = {0};
                buf_addf(&left, "%s %s", f->name, c->name);
                add_row(out, buf_text(&left), c->summary);
                buf_release(&left);
        }
        buf_addf(out, "\n'baton help %s %s' explains one of them.\n", f->name, f->commands[0].name);
}
