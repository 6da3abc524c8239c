#include "base/clock.h"
#include "cli/commands.h"
#include "cli/show.h"

static void show_crew(struct show *s, struct cli *c)
{
        struct crew_stats now = crew_stats(c->crew);
        show_number(s, "clients", "Clients connected", now.clients);
        show_number(s, "workers", "Worker threads", now.workers);
        show_number(s, "workers_waiting", "Workers waiting for clients", now.waiting);
        show_number(s, "connections_served", "Connections served", now.served);
        show_number(s, "connections_refused", "Connections refused", now.refused);
        show_time(s, "running_since", "Running since", c->site->started);
}

/* A crosspost counts in each of its topics. */
static enum status count_posts(struct cli *c, const struct topic *topics, size_t count, uint64_t *out)
{
        enum status st = OK;
        *out = 0;
        for (size_t i = 0; st == OK && i < count; i++) {
                struct mailbox box;
                st = mailbox_get(c->site->store, topics[i].id, c->arena, &box);
                *out += st == OK ? box.count : 0;
        }
        return st;
}

static int run_stats(struct cli *c, const struct options *o)
{
        struct store_stats store;
        struct person *people;
        struct topic *topics;
        size_t person_count, topic_count;
        uint64_t posts;
        enum status st = person_list(c->site->store, c->arena, &people, &person_count);
        if (st == OK)
                st = topic_list(c->site->store, c->arena, &topics, &topic_count);
        if (st == OK)
                st = count_posts(c, topics, topic_count, &posts);
        if (st != OK)
                return cli_fail_status(c, st, "reading the counts");
        store_stats(c->site->store, &store);
        struct show *s = show_begin(c, option_on(o, "json"), false);
        show_text(s, "domain", "Domain", site_config(c->site)->domain);
        show_text(s, "home", "Folder", site_config(c->site)->home);
        show_number(s, "persons", "Persons", person_count);
        show_number(s, "topics", "Topics", topic_count);
        show_number(s, "messages", "Messages in topics", posts);
        show_size(s, "free_octets", "Free on the disk", store.free_octets);
        show_bool(s, "full", "New mail refused (disk)", store.full);
        show_number(s, "modseq", "Highest MODSEQ", store.modseq);
        show_number(s, "filed", "Messages filed since the start", store.messages);
        show_number(s, "commits", "Transactions since then", store.commits);
        show_number(s, "flushes", "Log flushes since then", store.flushes);
        show_number(s, "queued", "Changes waiting", store.queued);
        show_bool(s, "daemon", "batond runs", c->crew != NULL);
        if (c->crew)
                show_crew(s, c);
        show_end(s, NULL);
        return DONE;
}

/* clang-format off */
static const struct option json_options[] = {
        { "json", NULL, "for programs" },
        { NULL,   NULL, NULL },
};
const struct command stats_commands[] = {
        { "", "", "how much there is, and how busy it is", run_stats, json_options, 0, 0, NEEDS_SITE, NULL },
        { NULL, NULL, NULL, NULL, NULL, 0, 0, NEEDS_NOTHING, NULL },
};
/* clang-format on */
