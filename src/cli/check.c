#include "store/check.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/show.h"

enum { FAULTS_MOST = 100 };

struct looking {
        struct cli *cli;
        struct progress progress;
        unsigned said;
};

static void say_fault(void *arg, const char *fault)
{
        struct looking *l = arg;
        progress_clear(&l->progress);
        if (l->said++ < FAULTS_MOST)
                cli_fail(l->cli, "%s", fault);
        else if (l->said == FAULTS_MOST + 1)
                cli_fail(l->cli, "and so on: more are counted only");
}

static void show_progress(void *arg, uint64_t done, uint64_t total)
{
        struct looking *l = arg;
        l->progress.total = total;
        progress_tell(&l->progress, done);
}

static void show_report(struct cli *c, const struct options *o, const struct check_report *r)
{
        struct show *s = show_begin(c, option_on(o, "json"), false);
        show_number(s, "messages", "Messages", r->messages);
        show_number(s, "entries", "Filed in mailboxes", r->entries);
        show_number(s, "mailboxes", "Mailboxes", r->mailboxes);
        show_number(s, "persons", "Persons", r->persons);
        show_number(s, "tasks", "Tasks", r->tasks);
        show_number(s, "message_ids", "Message-IDs", r->ids);
        show_number(s, "ghosts", "Parents not here", r->ghosts);
        show_number(s, "replies", "Replies", r->replies);
        show_number(s, "replies_joined", "Replies joined to parents", r->replies_found);
        show_number(s, "faults", "Faults", r->faults);
        show_end(s, NULL);
}

static int run_check(struct cli *c, const struct options *o)
{
        struct looking looking = {.cli = c};
        struct check_watch watch = {.say = say_fault, .progress = show_progress, .arg = &looking};
        struct check_report report = {0};
        progress_begin(&looking.progress, c, "Checking", 0);
        enum status st = store_check(c->site->store, &watch, &report);
        progress_clear(&looking.progress);
        if (st != OK && !report.faults)
                return cli_fail_status(c, st, "check");
        show_report(c, o, &report);
        if (report.faults || st != OK)
                return cli_fail(c, "damage was found, and nothing was changed: keep a copy of the "
                                   "folder db, then restore a "
                                   "backup");
        return DONE;
}

/* clang-format off */
static const struct option json_options[] = {
        { "json", NULL, "for programs" },
        { NULL,   NULL, NULL },
};
const struct command check_commands[] = {
        { "", "", "look for damage in everything that is stored", run_check, json_options, 0, 0, NEEDS_VERIFIED_SITE,
          "It may run while batond serves. Exit status 0: all is well; 1: there are faults, which are\n"
          "listed on standard error. Nothing is ever repaired silently." },
        { NULL, NULL, NULL, NULL, NULL, 0, 0, NEEDS_NOTHING, NULL },
};
/* clang-format on */
