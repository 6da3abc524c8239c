#include "base/clock.h"
#include "cli/commands.h"
#include "cli/values.h"

static const char *const meanings[] = {
        [MODE_EACH] = "each message by mail",
        [MODE_DIGEST] = "in the digest",
        [MODE_NAMED] = "only what names this person",
        [MODE_NONE] = "nothing, but may read",
};

static int run_subscribe(struct cli *c, const struct options *o)
{
        struct subscription s = {.mode = MODE_DIGEST, .since = clock_now()}, before;
        struct person p;
        struct topic t;
        if (o->word_count > 2 && mode_read(cli_word(o, 2), &s.mode) != OK)
                return cli_misused(c, o,
                        "'%s' is not a way of delivery: each, digest, named or none", o->words[2]);
        if (cli_person(c, cli_word(o, 0), &p) != OK || cli_topic(c, cli_word(o, 1), &t) != OK)
                return FAILED;
        s.person = p.id;
        s.topic = t.id;
        if (subscription_get(c->site->store, p.id, t.id, &before) == OK)
                s.since = before.since;
        struct change *change = change_new(c->site->store);
        change_subscribe(change, &s);
        enum status st = store_commit(change);
        change_free(change);
        if (st != OK)
                return cli_fail_status(c, st, "subscribing");
        fprintf(c->out, "%.*s follows %.*s: %s.\n", STR_ARG(p.name), STR_ARG(t.name),
                meanings[s.mode]);
        return DONE;
}

static int run_unsubscribe(struct cli *c, const struct options *o)
{
        struct person p;
        struct topic t;
        if (cli_person(c, cli_word(o, 0), &p) != OK || cli_topic(c, cli_word(o, 1), &t) != OK)
                return FAILED;
        struct change *change = change_new(c->site->store);
        change_unsubscribe(change, p.id, t.id);
        enum status st = store_commit(change);
        change_free(change);
        if (st == ABSENT)
                return cli_fail(c, "%.*s does not follow %.*s", STR_ARG(p.name), STR_ARG(t.name));
        if (st != OK)
                return cli_fail_status(c, st, "unsubscribing");
        fprintf(c->out, "%.*s does not follow %.*s any more.\n", STR_ARG(p.name), STR_ARG(t.name));
        return DONE;
}

/* clang-format off */
const struct command subscribe_commands[] = {
        { "", "PERSON TOPIC [each|digest|named|none]", "let a person follow a topic", run_subscribe, NULL, 2, 3, NEEDS_SITE,
          "each: every message by mail; digest: in the digest (the default); named: only what names\n"
          "the person; none: nothing comes, but the person may read. Old messages count as read.\n"
          "Doing it again changes the way of delivery." },
        { NULL, NULL, NULL, NULL, NULL, 0, 0, NEEDS_NOTHING, NULL },
};
const struct command unsubscribe_commands[] = {
        { "", "PERSON TOPIC", "let a person leave a topic", run_unsubscribe, NULL, 2, 2, NEEDS_SITE, NULL },
        { NULL, NULL, NULL, NULL, NULL, 0, 0, NEEDS_NOTHING, NULL },
};
/* clang-format on */
