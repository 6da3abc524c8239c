#include "base/clock.h"
#include "cli/commands.h"
#include "store/due.h"
#include "team/digest.h"

enum { DUE_MOST = 10000 };

static int print_one(struct cli *c, const struct person *p, time_t at, bool whole)
{
        struct digest d;
        enum status st = digest_build(c->site, p, at, c->arena, &d);
        if (st != OK)
                return cli_fail_status(c, st, "building the digest");
        if (!d.message.len)
                fprintf(c->out, "Nothing to say to %.*s.\n", STR_ARG(p->name));
        else if (whole)
                fprintf(c->out, "%.*s", STR_ARG(d.message));
        else
                fprintf(c->out, "To: %.*s\nSubject: %.*s\n\n%.*s", STR_ARG(p->name),
                        STR_ARG(d.subject), STR_ARG(d.text));
        return DONE;
}

static int print_due(struct cli *c, time_t at, bool whole)
{
        struct due *due = arena_alloc(c->arena, DUE_MOST * sizeof *due);
        size_t count = DUE_MOST;
        int status = DONE;
        enum status st = due_read(c->site->store, DUE_DIGEST, at, due, &count);
        if (st != OK)
                return cli_fail_status(c, st, "looking for what is due");
        if (!count)
                fprintf(c->out, "No digest is due then; --user NAME shows one anyway.\n");
        for (size_t i = 0; i < count && status == DONE; i++) {
                struct person p;
                st = person_get(c->site->store, due[i].person, c->arena, &p);
                if (st != OK)
                        return cli_fail_status(c, st, "looking up a person");
                status = print_one(c, &p, at, whole);
        }
        return status;
}

static int run_now(struct cli *c, const struct options *o)
{
        const char *when = option_value(o, "at"), *user = option_value(o, "user");
        struct person p = {.id = 0};
        time_t at = clock_now();
        unsigned filed = 0;
        if (when && date_parse_iso(str_of(when), &at) != OK)
                return cli_misused(
                        c, o, "--at takes a time in UTC like 2026-11-24T07:30:00Z, not '%s'", when);
        if (user && cli_person(c, str_of(user), &p) != OK)
                return FAILED;
        if (option_on(o, "print"))
                return p.id ? print_one(c, &p, at, option_on(o, "whole"))
                            : print_due(c, at, option_on(o, "whole"));
        enum status st = digest_run(c->site, at, p.id, &filed);
        if (st == EXISTS)
                return cli_fail(c,
                        "%s has had the digest of that day; --print shows what the next would say",
                        user);
        if (st != OK)
                return cli_fail_status(c, st, "digest run");
        if (filed)
                fprintf(c->out, "%u digest%s filed\n", filed, filed == 1 ? "" : "s");
        else
                fprintf(c->out, "No digest filed: %s.\n",
                        p.id ? "there is nothing to say" : "none is due that has anything to say");
        return DONE;
}

/* clang-format off */
static const struct option run_options[] = {
        { "at",    "TIME",   "as if it were then: 2026-11-24T07:30:00Z (the content is of now)" },
        { "user",  "PERSON", "only this person's, due or not" },
        { "print", NULL,     "show it only; nothing is filed, nothing counts as sent" },
        { "whole", NULL,     "with --print: the whole message as it would be filed" },
        { NULL,    NULL,     NULL },
};
const struct command digest_commands[] = {
        { "run", "", "file the digests that are due", run_now, run_options, 0, 0, NEEDS_SITE,
          "batond does this by itself at everybody's own time; this is for trying it out, and for a\n"
          "site without a daemon (cron)." },
        { NULL,  NULL, NULL, NULL, NULL, 0, 0, NEEDS_NOTHING, NULL },
};
/* clang-format on */
