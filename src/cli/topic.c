#include "base/clock.h"
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/values.h"
#include "team/columns.h"

/* "To do,Doing,Waiting,Done" */
static int set_columns(struct cli *c, const struct options *o, struct topic *t)
{
        const char *text = option_value(o, "columns");
        struct str rest = str_of(text), part;
        if (!text)
                return DONE;
        t->columns = arena_alloc(c->arena, (BOARD_COLUMNS_MOST + 1) * sizeof *t->columns);
        t->column_count = 0;
        while (str_cut(&rest, ',', &part)) {
                part = str_trim(part);
                if (!part.len || part.len > COLUMN_OCTETS_MOST || column_divides(part) ||
                        str_chr(part, '/') != STR_NOWHERE)
                        return cli_misused(c, o,
                                "a column needs a name of at most %d octets without '/' and ';'",
                                COLUMN_OCTETS_MOST);
                if (t->column_count == BOARD_COLUMNS_MOST)
                        return cli_misused(c, o, "a board has at most %d columns", BOARD_COLUMNS_MOST);
                for (size_t i = 0; i < t->column_count; i++) {
                        if (str_same(t->columns[i], part))
                                return cli_misused(
                                        c, o, "the column '%.*s' is there twice", STR_ARG(part));
                }
                t->columns[t->column_count++] = part;
        }
        return t->column_count < 2 ? cli_misused(c, o, "a board needs two columns at least") : DONE;
}

static int set_all(struct cli *c, const struct options *o, struct topic *t)
{
        const char *about = option_value(o, "about"), *owner = option_value(o, "owner");
        const char *access = option_value(o, "access");
        struct person p;
        if (about)
                t->about = str_of(about);
        if (access && access_read(str_of(access), &t->access) != OK)
                return cli_misused(c, o, "--access takes members, site or open, not '%s'", access);
        if (owner && !strcmp(owner, "none")) {
                t->owner = 0;
        } else if (owner) {
                if (cli_person(c, str_of(owner), &p) != OK)
                        return FAILED;
                t->owner = p.id;
        }
        return set_columns(c, o, t);
}

static int save(struct cli *c, struct topic *t)
{
        struct change *change = change_new(c->site->store);
        change_topic(change, t, t->id ? NULL : &t->id);
        enum status st = store_commit(change);
        change_free(change);
        if (st == EXISTS)
                return cli_fail(c, "the name '%.*s' is taken by a topic, a person or an address",
                        STR_ARG(t->name));
        if (st == FORBIDDEN)
                return cli_fail(c,
                        "a column that still holds cards cannot go: 'baton board %.*s' shows them, "
                        "'baton task set T-N status=...' moves them",
                        STR_ARG(t->name));
        if (st == INVALID)
                return cli_fail(c, "the columns need names that differ, and none may be 'dropped'");
        return st == OK ? DONE : cli_fail_status(c, st, "saving the topic");
}

static int run_add(struct cli *c, const struct options *o)
{
        static struct str usual[] = {{"To do", 5}, {"Doing", 5}, {"Waiting", 7}, {"Done", 4}};
        struct str name = arena_lower(c->arena, cli_word(o, 0)),
                   domain = site_config(c->site)->domain;
        struct topic t = {.name = name,
                .access = ACCESS_SITE,
                .columns = usual,
                .column_count = COUNT_OF(usual),
                .created = clock_now()};
        int status;
        if (!rules_topic_name(name))
                return cli_misused(c, o,
                        "'%.*s' cannot be a topic's name: parts of a-z, 0-9 and '-' with dots "
                        "between them, like eng.backend; at most 8 parts and 120 characters; and "
                        "none of the names that Baton needs itself (help, t-1, NAME-task ...)",
                        STR_ARG(name));
        status = set_all(c, o, &t);
        if (status == DONE)
                status = save(c, &t);
        if (status != DONE)
                return status;
        fprintf(c->out,
                "Added %.*s: mail to %.*s@%.*s, newsgroup %.*s.\nNext: baton subscribe PERSON "
                "%.*s\n",
                STR_ARG(name), STR_ARG(name), STR_ARG(domain), STR_ARG(name), STR_ARG(name));
        return DONE;
}

static int run_set(struct cli *c, const struct options *o)
{
        struct topic t;
        int status;
        if (cli_topic(c, cli_word(o, 0), &t) != OK)
                return FAILED;
        if (!o->given_count)
                return cli_misused(c, o, "nothing to set: give at least one option");
        t.column_count = 0; /* what is not given stays, whoever changes it meanwhile */
        status = set_all(c, o, &t);
        return status == DONE ? save(c, &t) : status;
}

static enum status show_topic(struct cli *c, struct show *s, const struct topic *t, bool details)
{
        struct subscription *subscribers;
        struct person owner = {.id = 0};
        struct mailbox box;
        size_t count;
        enum status st = mailbox_get(c->site->store, t->id, c->arena, &box);
        if (st == OK)
                st = subscribers_of(c->site->store, t->id, c->arena, &subscribers, &count);
        if (st != OK)
                return st;
        if (t->owner && person_get(c->site->store, t->owner, c->arena, &owner) != OK)
                owner.name = STR("?");
        show_text(s, "name", "Name", t->name);
        show_number(s, "messages", "Messages", box.count);
        show_number(s, "subscribers", "Subscribers", count);
        show_text(s, "access", "Access", str_of(access_name(t->access)));
        show_text(s, "owner", "Owner", owner.name);
        show_texts(s, "columns", details ? "Columns" : NULL, t->columns, t->column_count);
        show_time(s, "created", details ? "Since" : NULL, t->created);
        show_text(s, "about", "About", t->about);
        return OK;
}

static int run_list(struct cli *c, const struct options *o)
{
        struct topic *topics;
        size_t count;
        enum status st = topic_list(c->site->store, c->arena, &topics, &count);
        if (st != OK)
                return cli_fail_status(c, st, "reading the topics");
        struct show *s = show_begin(c, option_on(o, "json"), true);
        for (size_t i = 0; i < count && st == OK; i++) {
                show_item(s);
                st = show_topic(c, s, &topics[i], false);
        }
        show_end(s, "No topics yet: 'baton topic add NAME' makes the first one.");
        return st == OK ? DONE : cli_fail_status(c, st, "reading the topics");
}

static enum status show_subscribers(struct cli *c, struct show *s, const struct topic *t)
{
        struct subscription *v;
        size_t count;
        enum status st = subscribers_of(c->site->store, t->id, c->arena, &v, &count);
        if (st != OK)
                return st;
        struct pair *people = arena_alloc(c->arena, (count + 1) * sizeof *people);
        for (size_t i = 0; i < count; i++) {
                struct person p;
                st = person_get(c->site->store, v[i].person, c->arena, &p);
                if (st != OK)
                        return st;
                const char *mode = mode_name(v[i].mode);
                if (p.reach.suspended && v[i].mode == MODE_EACH)
                        mode = "each, suspended";
                people[i] = (struct pair){p.name, mode};
        }
        show_pairs(s, "people", "People", people, count);
        return OK;
}

static int run_show(struct cli *c, const struct options *o)
{
        struct topic t;
        if (cli_topic(c, cli_word(o, 0), &t) != OK)
                return FAILED;
        struct show *s = show_begin(c, option_on(o, "json"), false);
        enum status st = show_topic(c, s, &t, true);
        if (st == OK)
                st = show_subscribers(c, s, &t);
        show_end(s, NULL);
        return st == OK ? DONE : cli_fail_status(c, st, "reading the topic");
}

/* clang-format off */
static const struct option topic_options[] = {
        { "about",   "TEXT",   "what the topic is for, one line" },
        { "owner",   "PERSON", "who looks after it (default: the administrators); none takes it back" },
        { "access",  "ACCESS", "members: subscribers only; site: everybody with an account (default); "
                               "open: the world may write too" },
        { "columns", "LIST",   "the board's columns (default \"To do,Doing,Waiting,Done\")" },
        { NULL,      NULL,     NULL },
};
static const struct option json_options[] = {
        { "json",    NULL,     "for programs" },
        { NULL,      NULL,     NULL },
};
const struct command topic_commands[] = {
        { "add",  "NAME", "add a topic",              run_add,  topic_options, 1, 1, NEEDS_SITE,
          "Example: baton topic add eng.backend --about \"The servers\" --owner ana" },
        { "list", "",     "list the topics",          run_list, json_options,  0, 0, NEEDS_SITE, NULL },
        { "show", "NAME", "show one topic",           run_show, json_options,  1, 1, NEEDS_SITE, NULL },
        { "set",  "NAME", "change what a topic has",  run_set,  topic_options, 1, 1, NEEDS_SITE,
          "Only what an option names is changed." },
        { NULL,   NULL,   NULL,                       NULL,     NULL,          0, 0, NEEDS_NOTHING, NULL },
};
/* clang-format on */
