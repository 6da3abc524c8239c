#include "store/queue.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/show.h"

enum { BATCH = 256, TRIES = 10 };

/* ---- showing ---- */

static const char *state_name(enum queue_state state)
{
        switch (state) {
        case QUEUE_DONE:
                return "done";
        case QUEUE_FAILED:
                return "failed";
        case QUEUE_WAITING:
                break;
        }
        return "waiting";
}

/* Those that are waited for, and what was last said of the first of them. */
static size_t waiting(const struct queue_row *row, struct str *out, struct str *reply)
{
        size_t count = 0;
        *reply = STR_NONE;
        for (size_t i = 0; i < row->recipient_count; i++) {
                if (row->recipients[i].state != QUEUE_WAITING)
                        continue;
                if (!count)
                        *reply = row->recipients[i].reply;
                out[count++] = row->recipients[i].address;
        }
        return count;
}

static void show_row(struct cli *c, struct show *s, const struct queue_row *row, bool all)
{
        struct str *to = arena_alloc(c->arena, (row->recipient_count + 1) * sizeof *to), reply;
        struct stored mail = {0};
        struct topic topic;
        size_t count = waiting(row, to, &reply);
        bool list = row->list && topic_get(c->site->store, row->list, c->arena, &topic) == OK;
        if (messages_read(c->site->store, &row->message, 1, READ_SUMMARY, c->arena, &mail) != OK)
                mail = (struct stored){0};
        show_number(s, "id", "Id", row->id);
        show_text(s, "from", "From", row->sender.len ? row->sender : STR("<>"));
        if (list && !all)
                to[count++] = arena_printf(c->arena, "(subscribers of %.*s)", STR_ARG(topic.name));
        show_texts(s, "waiting", all ? "Waiting for" : "To", to, count);
        show_text(s, "list", all ? "Subscribers of" : NULL, list ? topic.name : STR_NONE);
        show_text(s, "subject", "Subject", mail.subject);
        show_text(s, "message_id", all ? "Message-ID" : NULL, mail.message_id);
        show_size(s, "size", "Size", mail.size);
        show_time(s, "created", all ? "Since" : NULL, row->created);
        show_number(s, "attempts", "Tries", row->attempts);
        show_bool(s, "hold", all ? "Held" : NULL, row->hold);
        show_time(s, "next", "Next try", row->hold ? 0 : row->next);
        show_text(
                s, "reply", all ? NULL : "Last answer", row->hold && !all ? STR("(held)") : reply);
}

static int list(struct cli *c, const struct options *o)
{
        struct show *s = show_begin(c, option_on(o, "json"), true);
        uint64_t ids[BATCH], from = 0;
        size_t count = BATCH;
        enum status st = OK;
        while (st == OK && count == BATCH && !cli_gone(c)) {
                st = queue_ids(c->site->store, &from, ids, &count);
                for (size_t i = 0; st == OK && i < count; i++) {
                        struct queue_row row;
                        st = queue_get(c->site->store, ids[i], c->arena, &row);
                        if (st == OK) {
                                show_item(s);
                                show_row(c, s, &row, false);
                        }
                        st = st == ABSENT ? OK : st; /* it left just now */
                }
        }
        show_end(s, "Nothing waits to leave.");
        return st == OK ? DONE : cli_fail_status(c, st, "reading the queue");
}

/* An id from the command line. ABSENT, INVALID: said why. */
static enum status find_row(struct cli *c, struct str word, struct queue_row *out)
{
        uint64_t id;
        enum status st = str_u64(word, &id);
        if (st == OK)
                st = queue_get(c->site->store, id, c->arena, out);
        if (st == INVALID || st == ABSENT)
                cli_fail(c, "there is no mail %.*s in the queue; 'baton queue list' shows what is",
                        STR_ARG(word));
        else if (st != OK)
                cli_fail_status(c, st, "reading the queue");
        return st;
}

static int show_one(struct cli *c, const struct options *o)
{
        struct queue_row row;
        if (find_row(c, cli_word(o, 0), &row) != OK)
                return FAILED;
        struct show *s = show_begin(c, option_on(o, "json"), false);
        show_row(c, s, &row, true);
        for (size_t i = 0; i < row.recipient_count; i++) {
                const struct queue_recipient *to = &row.recipients[i];
                struct str said = arena_printf(c->arena, "%s%s%.*s", state_name(to->state),
                        to->reply.len ? ": " : "", STR_ARG(to->reply));
                show_text(s, to->address.at, to->address.at, said);
        }
        show_end(s, NULL);
        return DONE;
}

/* ---- changing ---- */

enum action { RUN, HOLD, RELEASE, DROP };
static const char *const done_words[] = {
        [RUN] = "due now", [HOLD] = "held", [RELEASE] = "released", [DROP] = "dropped"};

static enum status act(struct cli *c, struct queue_row *row, enum action action)
{
        struct change *change = change_new(c->site->store);
        if (action == RUN || action == RELEASE)
                row->next = clock_now();
        if (action == HOLD || action == RELEASE)
                row->hold = action == HOLD;
        if (action == DROP)
                change_queue_remove(change, row);
        else
                change_queue_update(change, row);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

/* Again when its sender changed it meanwhile. ABSENT: it has left. */
static enum status act_surely(struct cli *c, uint64_t id, enum action action)
{
        enum status st = CHANGED;
        for (unsigned i = 0; i < TRIES && st == CHANGED; i++) {
                struct queue_row row;
                st = queue_get(c->site->store, id, c->arena, &row);
                if (st == OK && action == RUN && row.hold)
                        return EXISTS;
                if (st == OK)
                        st = act(c, &row, action);
        }
        return st;
}

static enum status act_on_each(struct cli *c, enum action action, uint64_t *changed)
{
        uint64_t ids[BATCH], from = 0;
        size_t count = BATCH;
        enum status st = OK;
        while (st == OK && count == BATCH && !cli_gone(c)) {
                st = queue_ids(c->site->store, &from, ids, &count);
                for (size_t i = 0; st == OK && i < count; i++) {
                        st = act_surely(c, ids[i], action);
                        *changed += st == OK;
                        st = st == ABSENT || st == EXISTS ? OK : st;
                }
        }
        site_queued(c->site);
        return st;
}

enum status queue_hold_all(struct cli *c, uint64_t *held)
{
        *held = 0;
        return act_on_each(c, HOLD, held);
}

static int act_on_all(struct cli *c, enum action action)
{
        uint64_t changed = 0;
        enum status st = act_on_each(c, action, &changed);
        if (st != OK)
                return cli_fail_status(c, st, "changing the queue");
        fprintf(c->out, "%llu %s\n", (unsigned long long)changed, done_words[action]);
        return DONE;
}

static int act_on(struct cli *c, const struct options *o, enum action action)
{
        int status = DONE;
        if (option_on(o, "all") == (o->word_count > 0))
                return cli_misused(c, o, "name the mail by its id, or say --all");
        if (option_on(o, "all"))
                return act_on_all(c, action);
        for (size_t i = 0; i < o->word_count; i++) {
                struct queue_row row;
                if (find_row(c, cli_word(o, i), &row) != OK) {
                        status = FAILED;
                        continue;
                }
                enum status st = act_surely(c, row.id, action);
                if (st == OK)
                        fprintf(c->out, "%llu %s\n", (unsigned long long)row.id,
                                done_words[action]);
                else if (st == EXISTS)
                        status = cli_fail(c, "mail %.*s is held; 'baton queue release' lets it go",
                                STR_ARG(cli_word(o, i)));
                else if (st != ABSENT) /* else it left just now */
                        status = cli_fail_status(c, st, "changing the queue");
        }
        site_queued(c->site);
        return status;
}

static int run_now(struct cli *c, const struct options *o)
{
        if (!config_relays(site_config(c->site)))
                return cli_fail(c,
                        "nobody takes mail for the outside: set 'relay = host:port' or "
                        "'relay = mx' under [relay] in baton.conf");
        return o->word_count || option_on(o, "all") ? act_on(c, o, RUN) : act_on_all(c, RUN);
}

static int hold(struct cli *c, const struct options *o)
{
        return act_on(c, o, HOLD);
}

static int release(struct cli *c, const struct options *o)
{
        return act_on(c, o, RELEASE);
}

static int drop(struct cli *c, const struct options *o)
{
        return act_on(c, o, DROP);
}

/* clang-format off */
static const struct option list_options[] = {
        { "json", NULL, "as JSON" },
        { NULL,   NULL, NULL },
};
static const struct option all_options[] = {
        { "all", NULL, "everything that is in the queue" },
        { NULL,  NULL, NULL },
};
const struct command queue_commands[] = {
        { "list",    "",         "show what waits",                       list,     list_options, 0, 0,         NEEDS_SITE, NULL },
        { "show",    "ID",       "show one mail and each recipient",      show_one, list_options, 1, 1,         NEEDS_SITE, NULL },
        { "run",     "[ID...]",  "try now, not when it would be its turn", run_now, all_options,  0, WORDS_ANY, NEEDS_SITE,
          "Without an id everything that is not held is tried. batond does it: where none runs, it is\n"
          "tried as soon as one does." },
        { "hold",    "ID...",    "keep it, and do not try it",            hold,     all_options,  0, WORDS_ANY, NEEDS_SITE, NULL },
        { "release", "ID...",    "let go what was held",                  release,  all_options,  0, WORDS_ANY, NEEDS_SITE, NULL },
        { "drop",    "ID...",    "throw it away; nobody is told",         drop,     all_options,  0, WORDS_ANY, NEEDS_SITE, NULL },
        { NULL,      NULL,       NULL,                                    NULL,     NULL,         0, 0,         NEEDS_NOTHING, NULL },
};
/* clang-format on */
