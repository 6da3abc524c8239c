#include "cli/commands.h"
#include "team/directive_row.h"
#include "team/near.h"
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif
#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "(built by hand)"
#endif

/* clang-format off */
const struct family families[] = {
        /* name          summary                                         group                      commands             */
        { "init",        "make a new site",                              "Start a site",            init_commands        },
        { "user",        "the people",                                   "Run a site",              user_commands        },
        { "topic",       "the topics",                                   "Run a site",              topic_commands       },
        { "subscribe",   "let a person follow a topic",                  "Run a site",              subscribe_commands   },
        { "unsubscribe", "let a person leave a topic",                   "Run a site",              unsubscribe_commands },
        { "task",        "the tasks: open, look, change",                "Run a site",              task_commands        },
        { "board",       "a topic's tasks in their columns",             "Run a site",              board_commands       },
        { "digest",      "each person's one mail of the day",            "Run a site",              digest_commands      },
        { "queue",       "mail that waits to leave the house",           "Run a site",              queue_commands       },
        { "deliver",     "take one message from standard input",         "Move mail in",            deliver_commands     },
        { "import",      "take over old mail: mbox, Maildir",            "Move mail in",            import_commands      },
        { "export",      "write mail and tasks to files: mbox, Maildir, CSV", "Move mail out",        export_commands      },
        { "check",       "look for damage in everything that is stored", "Look after it",           check_commands       },
        { "backup",      "copy everything, while it is in use",          "Look after it",           backup_commands      },
        { "restore",     "make a site of a backup",                      "Look after it",           restore_commands     },
        { "stats",       "how much there is, and how busy it is",        "Look after it",           stats_commands       },
        { "help",        "explain a command",                            "About baton",             help_commands        },
        { "version",     "tell the version",                             "About baton",             version_commands     },
        { NULL,          NULL,                                           NULL,                      NULL                 },
};
/* clang-format on */

/* ---- finding ---- */

static const struct family *family_find(struct str name)
{
        for (const struct family *f = families; f->name; f++) {
                if (str_eq(name, str_of(f->name)))
                        return f;
        }
        return NULL;
}

static const struct command *command_find(const struct family *f, struct str name)
{
        for (const struct command *cmd = f->commands; cmd->name; cmd++) {
                if (str_eq(name, str_of(cmd->name)))
                        return cmd;
        }
        return NULL;
}

static int unknown_family(struct cli *c, struct str name)
{
        struct buf text = {0};
        buf_addf(&text, "there is no command '%.*s'", STR_ARG(name));
        for (const struct family *f = families; f->name; f++) {
                if (near_enough(name, str_of(f->name))) {
                        buf_addf(&text, "; was 'baton %s' meant?", f->name);
                        break;
                }
        }
        cli_fail(c, "%s\n'baton help' shows all commands.", buf_text(&text));
        buf_release(&text);
        return USAGE;
}

static int unknown_command(struct cli *c, const struct family *f, struct str name)
{
        struct buf text = {0};
        const struct command *meant = f->commands;
        while (meant->name && !near_enough(name, str_of(meant->name)))
                meant++;
        if (name.len)
                buf_addf(&text, "there is no command '%s %.*s'; ", f->name, STR_ARG(name));
        else
                buf_addf(&text, "%s what? ", f->name);
        if (name.len && meant->name) {
                buf_addf(&text, "was 'baton %s %s' meant?", f->name, meant->name);
        } else {
                buf_add_text(&text, "Choose one of:");
                for (const struct command *cmd = f->commands; cmd->name; cmd++)
                        buf_addf(&text, " %s", cmd->name);
        }
        cli_fail(c, "%s", buf_text(&text));
        buf_release(&text);
        return USAGE;
}

/* ---- help ---- */

static void overview(struct buf *out)
{
        const char *group = "";
        buf_add_text(out, "Baton: mail, news and boards for a team, one digest a day.\n\n"
                          "Usage: baton [--home FOLDER] COMMAND ...\n");
        for (const struct family *f = families; f->name; f++) {
                if (strcmp(group, f->group) != 0)
                        buf_addf(out, "\n%s\n", f->group);
                group = f->group;
                buf_addf(out, "   %-13s %s\n", f->name, f->summary);
        }
        buf_add_text(out,
                "\nThe site lies in --home FOLDER, else in $BATON_HOME, else in /var/lib/baton.\n"
                "'baton help COMMAND' explains one of them. The daemon is batond(8).\n");
}

static int print_help(struct cli *c, const struct family *f, const struct command *cmd)
{
        struct buf text = {0};
        if (!f)
                overview(&text);
        else if (!cmd && !family_single(f))
                family_help(f, &text);
        else
                options_help(f, cmd ? cmd : f->commands, &text);
        fwrite(text.at, 1, text.len, c->out);
        buf_release(&text);
        return DONE;
}

static int run_help(struct cli *c, const struct options *o)
{
        const struct family *f;
        const struct command *cmd = NULL;
        if (!o->word_count)
                return print_help(c, NULL, NULL);
        f = family_find(cli_word(o, 0));
        if (!f)
                return unknown_family(c, cli_word(o, 0));
        if (o->word_count > 1) {
                cmd = command_find(f, cli_word(o, 1));
                if (!cmd)
                        return unknown_command(c, f, cli_word(o, 1));
        }
        return print_help(c, f, cmd);
}

const struct command help_commands[] = {
        {.name = "",
                .arguments = "[COMMAND [SUBCOMMAND]]",
                .summary = "explain a command",
                .run = run_help,
                .max = 2},
        {.name = NULL},
};

static int run_version(struct cli *c, const struct options *o)
{
        (void)o;
        fprintf(c->out, "baton %s\n", PACKAGE_VERSION);
        return DONE;
}

const struct command version_commands[] = {
        {.name = "", .arguments = "", .summary = "tell the version", .run = run_version},
        {.name = NULL},
};

/* ---- running ---- */

static bool is_help(const char *word)
{
        return !strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help");
}

bool cli_prepare(struct cli *c, int argc, char **argv, struct options *o, int *status)
{
        struct buf reason = {0};
        char **words = arena_alloc(c->arena, ((size_t)argc + 1) * sizeof *words);
        int used = 1;
        enum parsed parsed;
        *o = (struct options){0};
        *status = DONE;
        if (argc < 1) {
                print_help(c, NULL, NULL);
                return false;
        }
        o->family = family_find(str_of(argv[0]));
        if (!o->family) {
                *status = unknown_family(c, str_of(argv[0]));
                return false;
        }
        o->command = o->family->commands;
        if (!family_single(o->family)) {
                if (argc > 1 && is_help(argv[1])) {
                        *status = print_help(c, o->family, NULL);
                        return false;
                }
                used = 2;
                o->command = argc > 1 ? command_find(o->family, str_of(argv[1])) : NULL;
        }
        if (!o->command) {
                *status = unknown_command(c, o->family, argc > 1 ? str_of(argv[1]) : STR(""));
                return false;
        }
        if (argc > used)
                memcpy(words, argv + used, (size_t)(argc - used) * sizeof *words);
        parsed = options_parse(o, argc - used, words, &reason);
        if (parsed == ASKED_HELP)
                *status = print_help(c, o->family, o->command);
        else if (parsed == MISUSED)
                *status = cli_misused(c, o, "%s", buf_text(&reason));
        buf_release(&reason);
        return parsed == PARSED;
}

int cli_run(struct cli *c, int argc, char **argv)
{
        struct options o;
        int status;
        if (!cli_prepare(c, argc, argv, &o, &status))
                return status;
        if (c->caller >= 0 && o.command->needs == NEEDS_NOTHING)
                return cli_fail(c, "batond does not do this for you");
        status = o.command->run(c, &o);
        if (fflush(c->out) != 0 && status == DONE)
                status = FAILED;
        fflush(c->err);
        return status;
}

/* ---- completion ---- */

static void offer(struct cli *c, struct str word, const char *prefix)
{
        if (str_starts(word, str_of(prefix)))
                fprintf(c->out, "%.*s\n", STR_ARG(word));
}

/* What task set takes, ready for its value. */
static void offer_fields(struct cli *c, const char *prefix)
{
        for (size_t i = 0; i < directive_row_count; i++) {
                const struct directive_row *row = &directive_rows[i];
                if (row->kind != DIRECTIVE_FIELD || row->later)
                        continue;
                struct str word = arena_lower(c->arena, str_of(row->word));
                offer(c, arena_printf(c->arena, "%.*s=", STR_ARG(word)), prefix);
        }
}

/* One of "PERSON|ADDRESS", "each|digest|named|none": what is said in small letters is offered, what
 * has to be looked up in the site is told to the shell as <PERSON>. */
static void offer_kind(
        struct cli *c, const struct family *f, const struct command *cmd, struct str kind, const char *prefix)
{
        struct str one;
        if (str_eq(kind, STR("KEY=VALUE"))) {
                offer_fields(c, prefix);
                return;
        }
        if (str_eq(kind, STR("ACCESS")))
                kind = STR("members|site|open");
        if (str_eq(kind, STR("FORM")))
                kind = STR("page|mime|1153");
        if (str_eq(kind, STR("NAME")) && strcmp(cmd->name, "add") != 0)
                kind = !strcmp(f->name, "topic") ? STR("TOPIC") : STR("PERSON");
        while (str_cut(&kind, '|', &one))
                if (one.len && one.at[0] >= 'A' && one.at[0] <= 'Z')
                        fprintf(c->out, "<%.*s>\n", STR_ARG(one));
                else
                        offer(c, one, prefix);
}

/* What stands at this place of "TASK KEY=VALUE...", "PERSON TOPIC [each|none]". */
static struct str argument_at(struct str arguments, size_t at)
{
        struct str word = STR_NONE, next;
        while (str_word(&arguments, &next)) {
                word = next;
                if (at-- == 0)
                        break;
                if (!str_ends(word, STR("...")) && !str_ends(word, STR("...]")))
                        word = STR_NONE;
        }
        if (str_starts(word, STR("[")))
                word = str_from(word, 1);
        while (str_ends(word, STR("]")) || str_ends(word, STR(".")))
                word.len--;
        return word;
}

static const struct option *option_of(const struct command *cmd, const char *word)
{
        for (const struct option *row = cmd->options; row && row->name; row++)
                if (!strncmp(word, "--", 2) && !strcmp(word + 2, row->name))
                        return row;
        return NULL;
}

/* The word behind a command is an option, an option's value, or an argument. */
static void complete_word(struct cli *c, const struct family *f, int argc, char **argv)
{
        const struct command *cmd = family_single(f) ? f->commands : command_find(f, str_of(argv[1]));
        const char *last = argv[argc - 1];
        const struct option *open = NULL;
        size_t arguments = 0;
        if (!cmd)
                return;
        for (int i = family_single(f) ? 1 : 2; i < argc - 1; i++) {
                const struct option *row = open ? NULL : option_of(cmd, argv[i]);
                arguments += !open && argv[i][0] != '-';
                open = row && row->value ? row : NULL;
        }
        if (open) {
                offer_kind(c, f, cmd, str_of(open->value), last);
                return;
        }
        if (last[0] != '-') {
                offer_kind(c, f, cmd, argument_at(str_of(cmd->arguments), arguments), last);
                return;
        }
        for (const struct option *row = cmd->options; row && row->name; row++)
                offer(c, arena_printf(c->arena, "--%s", row->name), last);
        offer(c, STR("--help"), last);
}

static void complete_command(struct cli *c, int argc, char **argv)
{
        const char *last = argc ? argv[argc - 1] : "";
        const struct family *f = argc > 1 ? family_find(str_of(argv[0])) : NULL;
        if (argc <= 1)
                for (f = families; f->name; f++)
                        offer(c, str_of(f->name), last);
        else if (f && !family_single(f) && argc == 2)
                for (const struct command *cmd = f->commands; cmd->name; cmd++)
                        offer(c, str_of(cmd->name), last);
        else if (f)
                complete_word(c, f, argc, argv);
}

void cli_complete(struct cli *c, int argc, char **argv)
{
        bool explains = argc > 1 && !strcmp(argv[0], "help");
        if (!explains)
                complete_command(c, argc, argv);
        else if (argc <= 3) /* there is help on commands, and on nothing behind them */
                complete_command(c, argc - 1, argv + 1);
}
