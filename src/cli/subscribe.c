#include "cli/commands.h"
#include "cli/values.h"
#include "team/list.h"

static const char *const meanings[] = {
        [MODE_EACH] = "each message by mail",
        [MODE_DIGEST] = "in the digest",
        [MODE_NAMED] = "only what names this person",
        [MODE_NONE] = "nothing, but may read",
};

/* An administrator says who subscribes: somebody else's address is not asked first. */
static int outsider(struct cli *c, struct str address, struct person *out)
{
        enum status st = list_outsider(c->site, address, c->arena, out);
        if (st == INVALID)
                return cli_fail(c, "'%.*s' is no address outside that mail can go to",
                        STR_ARG(address));
        if (st != OK && st != EXISTS)
                return cli_fail_status(c, st, "adding a subscriber from outside");
        return DONE;
}

/* Anything with another domain than the site's is an address outside. */
static int find_subscriber(struct cli *c, struct str name, struct person *out)
{
        if (str_chr(name, '@') != STR_NOWHERE && !rules_is_site(c->site, name))
                return outsider(c, name, out);
        return cli_person(c, name, out) == OK ? DONE : FAILED;
}

static int run_subscribe(struct cli *c, const struct options *o)
{
        enum mode mode = MODE_DIGEST, before;
        struct person p;
        struct topic t;
        bool chosen = o->word_count > 2;
        if (chosen && mode_read(cli_word(o, 2), &mode) != OK)
                return cli_misused(c, o,
                        "'%s' is not a way of delivery: each, digest, named or none", o->words[2]);
        if (cli_topic(c, cli_word(o, 1), &t) != OK)
                return FAILED;
        int status = find_subscriber(c, cli_word(o, 0), &p);
        if (status != DONE)
                return status;
        if (p.outside && !chosen)
                mode = MODE_EACH;
        if (!list_mode_fits(&p, mode))
                return cli_fail(c, "%.*s is outside and reads no folders here: each or none",
                        STR_ARG(p.name));
        enum status st = list_join(c->site, p.id, t.id, mode, &before);
        if (st != OK)
                return cli_fail_status(c, st, "subscribing");
        fprintf(c->out, "%.*s follows %.*s: %s.\n", STR_ARG(p.name), STR_ARG(t.name),
                meanings[mode]);
        if (p.outside && !before)
                fprintf(c->out,
                        "That is an address outside, and its owner was not asked: tell him.\n");
        if (mode == MODE_EACH && !list_address(&p).len)
                fprintf(c->out, "No address outside is known of %.*s, so nothing is mailed: 'baton user set "
                                "%.*s --address ADDRESS' adds one.\n",
                        STR_ARG(p.name), STR_ARG(p.name));
        else if (mode == MODE_EACH && !config_relays(site_config(c->site)))
                fprintf(c->out, "No mail leaves this site yet: see [relay] in baton.conf(5).\n");
        if (p.reach.suspended && mode == MODE_EACH)
                fprintf(c->out, "Nothing is mailed there: too much came back ('baton user resume "
                                "%.*s').\n",
                        STR_ARG(p.name));
        return DONE;
}

static int run_unsubscribe(struct cli *c, const struct options *o)
{
        struct person p;
        struct topic t;
        if (cli_person(c, cli_word(o, 0), &p) != OK || cli_topic(c, cli_word(o, 1), &t) != OK)
                return FAILED;
        enum status st = list_leave(c->site, p.id, t.id);
        if (st == ABSENT)
                return cli_fail(c, "%.*s does not follow %.*s", STR_ARG(p.name), STR_ARG(t.name));
        if (st != OK)
                return cli_fail_status(c, st, "unsubscribing");
        fprintf(c->out, "%.*s does not follow %.*s any more.\n", STR_ARG(p.name), STR_ARG(t.name));
        return DONE;
}

/* clang-format off */
const struct command subscribe_commands[] = {
        { "", "PERSON|ADDRESS TOPIC [each|digest|named|none]", "let a person follow a topic", run_subscribe, NULL, 2, 3, NEEDS_SITE,
          "each: every message by mail; digest: in the digest (the default); named: only what names\n"
          "the person; none: nothing comes, but the person may read. Old messages count as read.\n"
          "Doing it again changes the way of delivery. Instead of a person, an address elsewhere can\n"
          "subscribe (each, or none): its owner is not asked." },
        { NULL, NULL, NULL, NULL, NULL, 0, 0, NEEDS_NOTHING, NULL },
};
const struct command unsubscribe_commands[] = {
        { "", "PERSON|ADDRESS TOPIC", "let a person leave a topic", run_unsubscribe, NULL, 2, 2, NEEDS_SITE, NULL },
        { NULL, NULL, NULL, NULL, NULL, 0, 0, NEEDS_NOTHING, NULL },
};
/* clang-format on */
