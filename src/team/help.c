#include "team/help.h"
#include "team/directive_row.h"

struct helping {
        struct str domain, name; /* the topic's name, or TOPIC */
        struct buf *out;
};

static void add_row(const struct helping *h, const char *word, const char *what)
{
        buf_addf(h->out, "  %.*s+%s@%.*s\n      %s\n", STR_ARG(h->name), word, STR_ARG(h->domain),
                what);
}

static void add_writing(const struct helping *h)
{
        buf_addf(h->out,
                "Writing\n\n"
                "  %.*s@%.*s\n"
                "      A mail to this address is a post: everybody who follows the topic\n"
                "      reads it. An answer goes to the same address.\n\n",
                STR_ARG(h->name), STR_ARG(h->domain));
}

static void add_following(const struct helping *h)
{
        buf_add_text(h->out, "Following\n\nAn empty mail to one of these is enough:\n\n");
        add_row(h, "subscribe", "follow the topic");
        add_row(h, "unsubscribe", "follow it no more");
        add_row(h, "each", "get each message by mail");
        add_row(h, "digest", "get it in the digest of the day (people of the site)");
        add_row(h, "named", "get only what names you (people of the site)");
        add_row(h, "mute", "get nothing, but stay a member");
        add_row(h, "owner", "write to who looks after the topic");
        add_row(h, "help", "this text");
        buf_add_text(h->out,
                "\nWhoever has not logged in is asked to confirm first: answer that mail.\n"
                "Where a plus cannot be written, a minus does as well.\n\n");
}

static void add_reading(const struct helping *h)
{
        buf_addf(h->out,
                "Reading\n\n"
                "People of the site also read the topic as a folder over IMAP and as a\n"
                "newsgroup, on %.*s. What is read in one is read in the other.\n"
                "The folders under Boards are its tasks: a card that is moved from one\n"
                "column to another moves the task. Who looks after the topic may rename\n"
                "these folders, make others (as \"5 Review\") and delete empty ones.\n\n"
                "The digest of the day comes to the folder Digests. Answer it: a line that\n"
                "begins with the number of an entry, as \"[2] I have seen it\" or \"[1] done\",\n"
                "goes to that entry's thread.\n\n",
                STR_ARG(h->domain));
}

static void add_tasks(const struct helping *h)
{
        buf_addf(h->out,
                "Tasks\n\n"
                "  %.*s+task@%.*s\n"
                "      A mail to this address opens a task (people of the site, logged in).\n"
                "      So does \"[task]\" at the start of the subject of a post.\n"
                "  T-142@%.*s\n"
                "      A task's own address. An answer in its thread does as well.\n\n"
                "What such a mail may say, each on a line of its own:\n\n",
                STR_ARG(h->name), STR_ARG(h->domain), STR_ARG(h->domain));
        directive_help(h->out);
        buf_add_text(h->out,
                "\nA day is written as 2026-12-01, 26 Nov, fri, next fri, tomorrow, in 3 days\n"
                "or none. \"@bo\" in a text, or Bo in To or Cc, names Bo: he finds\n"
                "the message in INBOX.\n\n");
}

static void add_people(const struct helping *h)
{
        buf_addf(h->out, "A person answers at postmaster@%.*s.\n", STR_ARG(h->domain));
}

/* The sections in their order. */
static void (*const sections[])(const struct helping *) = {
        add_writing, add_following, add_tasks, add_reading, add_people};

void help_text(struct site *site, const struct topic *topic, struct buf *out)
{
        struct helping h = {.domain = site_config(site)->domain,
                .name = topic ? topic->name : STR("TOPIC"),
                .out = out};
        buf_addf(out, "How %.*s%s%.*s is used by mail.\n\n", STR_ARG(topic ? topic->name : STR_NONE),
                topic ? " at " : "", STR_ARG(h.domain));
        if (topic && topic->about.len)
                buf_addf(out, "%.*s\n\n", STR_ARG(topic->about));
        for (size_t i = 0; i < COUNT_OF(sections); i++)
                sections[i](&h);
}
