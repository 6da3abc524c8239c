/* morning.c - fills a site for the scene "digest": people who follow five of twenty topics, new messages in
 * each topic, four fifths of them read, and old ones that nobody has to read. Linked with libbaton.
 *
 *     morning HOME PEOPLE NEW OLD       messages in each topic */
#include "base/clock.h"
#include "mail/derive.h"
#include "store/due.h"
#include "store/message.h"
#include "store/person.h"
#include "store/topic.h"
#include "team/site.h"
#include <stdio.h>
#include <stdlib.h>

enum { TOPICS = 20, FOLLOWED = 5, AT_ONCE = 200, IN_THREAD = 4, READ_OF_FIVE = 4 };

struct fill {
        struct site *site;
        struct arena *arena;
        uint32_t topics[TOPICS], first_new[TOPICS];
        uint32_t *people;
        unsigned long count, fresh, old;
};

static void must(enum status st, const char *what)
{
        if (st == OK)
                return;
        fprintf(stderr, "morning: %s: %s\n", what, status_name(st));
        exit(1);
}

static void commit(struct change *change, const char *what)
{
        must(store_commit(change), what);
        change_free(change);
}

static void add_topics(struct fill *f)
{
        static struct str columns[] = {{"To do", 5}, {"Doing", 5}, {"Done", 4}};
        for (unsigned i = 0; i < TOPICS; i++) {
                struct topic t = {.name = arena_printf(f->arena, "area%u.talk", i),
                        .access = ACCESS_SITE, .columns = columns, .column_count = 3};
                struct change *change = change_new(f->site->store);
                change_topic(change, &t, &f->topics[i]);
                commit(change, "a topic");
        }
}

static void add_people(struct fill *f)
{
        struct person *people = arena_alloc(f->arena, f->count * sizeof *people);
        struct subscription *subs = arena_alloc(f->arena, f->count * FOLLOWED * sizeof *subs);
        f->people = arena_alloc(f->arena, f->count * sizeof *f->people);
        for (unsigned long i = 0; i < f->count; i += AT_ONCE) {
                struct change *change = change_new(f->site->store);
                for (unsigned long j = i; j < i + AT_ONCE && j < f->count; j++) {
                        people[j] = (struct person){.name = arena_printf(f->arena, "p%lu", j),
                                .full_name = arena_printf(f->arena, "Person%lu Long", j),
                                .zone = STR("Europe/Lisbon"), .digest_minute = 450, .days = 127};
                        change_person(change, &people[j], &f->people[j]);
                }
                commit(change, "people");
                change = change_new(f->site->store);
                for (unsigned long j = i; j < i + AT_ONCE && j < f->count; j++)
                        for (unsigned k = 0; k < FOLLOWED; k++) {
                                subs[j * FOLLOWED + k] = (struct subscription){f->people[j],
                                        f->topics[(j + k * 3) % TOPICS], MODE_DIGEST, 0};
                                change_subscribe(change, &subs[j * FOLLOWED + k]);
                        }
                commit(change, "subscriptions");
        }
}

static struct str letter(struct arena *arena, unsigned topic, unsigned long n)
{
        unsigned long head = n - n % IN_THREAD;
        struct str refs = n == head ? STR("") : arena_printf(arena, "References: <%u.%lu@x.example>\r\n", topic, head);
        return arena_printf(arena,
                "From: Person%lu Long <p%lu@team.example>\r\nTo: area%u.talk@team.example\r\n"
                "Subject: %sSomething about the thing %lu that has to be said\r\n"
                "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%u.%lu@x.example>\r\n%.*s\r\n"
                "Hi all,\r\n\r\nit was the log rotation that was off since the %luth, and it is on again now. "
                "Please have\r\na look at the graphs before noon, and say so if they are not what you expected.\r\n"
                "\r\n> what was said before, quoted\r\n-- \r\nPerson%lu\r\n",
                n % 97, n % 97, topic, n == head ? "" : "Re: ", head, topic, n, STR_ARG(refs), n % 30, n % 97);
}

static void file_one(struct fill *f, struct arena *arena, struct change *change, unsigned topic, unsigned long n)
{
        struct filing *filing = arena_alloc(arena, sizeof *filing);
        struct filing_entry *entry = arena_alloc(arena, sizeof *entry);
        struct derived *derived = arena_alloc(arena, sizeof *derived);
        *entry = (struct filing_entry){.mailbox = f->topics[topic], .news = true, .history = n < f->old,
                .prefix = arena_printf(arena, "Path: x!y\r\nBaton-Topic: area%u.talk\r\nBaton-Kind: post\r\n", topic)};
        *filing = (struct filing){.bytes = letter(arena, topic, n), .derived = derived, .entries = entry,
                .entry_count = 1, .site = STR("x")};
        derive(arena, filing->bytes, derived);
        must(change_file(change, filing), "a message");
}

static void add_messages(struct fill *f)
{
        unsigned long each = f->old + f->fresh;
        for (unsigned long n = 0; n < each; n += AT_ONCE / TOPICS) {
                struct arena *arena = arena_new();
                struct change *change = change_new(f->site->store);
                for (unsigned t = 0; t < TOPICS; t++)
                        for (unsigned long i = n; i < n + AT_ONCE / TOPICS && i < each; i++)
                                file_one(f, arena, change, t, i);
                commit(change, "messages");
                arena_free(arena);
        }
}

/* Numbers begin at 1, one for each message. */
static void add_marks(struct fill *f)
{
        for (unsigned long i = 0; i < f->count; i += AT_ONCE / FOLLOWED) {
                struct change *change = change_new(f->site->store);
                struct arena *arena = arena_new();
                struct numset *sets[AT_ONCE];
                unsigned n = 0;
                for (unsigned long j = i; j < i + AT_ONCE / FOLLOWED && j < f->count; j++)
                        for (unsigned k = 0; k < FOLLOWED; k++) {
                                struct marking *m = arena_alloc(arena, sizeof *m);
                                sets[n] = numset_new();
                                for (unsigned long x = 0; x < f->fresh; x++)
                                        if ((x + j) % 5 < READ_OF_FIVE)
                                                numset_add(sets[n], (uint32_t)(f->old + x + 1));
                                *m = (struct marking){.mailbox = f->topics[(j + k * 3) % TOPICS], .person = f->people[j],
                                        .flags = FLAG_SEEN, .numbers = sets[n]};
                                change_marks(change, m);
                                n++;
                        }
                commit(change, "marks");
                while (n)
                        numset_free(sets[--n]);
                arena_free(arena);
        }
}

static void add_due(struct fill *f)
{
        struct due *due = arena_alloc(f->arena, f->count * sizeof *due);
        for (unsigned long i = 0; i < f->count; i += AT_ONCE) {
                struct change *change = change_new(f->site->store);
                for (unsigned long j = i; j < i + AT_ONCE && j < f->count; j++) {
                        due[j] = (struct due){clock_now() + 60, DUE_DIGEST, f->people[j]};
                        change_due(change, &due[j]);
                }
                commit(change, "what is due");
        }
}

int main(int argc, char **argv)
{
        struct fill f = {.arena = arena_new()};
        char *why;
        if (argc != 5) {
                fprintf(stderr, "usage: morning HOME PEOPLE NEW OLD\n");
                return 2;
        }
        f.count = strtoul(argv[2], NULL, 10);
        f.fresh = strtoul(argv[3], NULL, 10);
        f.old = strtoul(argv[4], NULL, 10);
        must(site_open(argv[1], &f.site, &why), "the site");
        add_topics(&f);
        add_people(&f);
        add_messages(&f);
        add_marks(&f);
        add_due(&f);
        site_close(f.site);
        arena_free(f.arena);
        return 0;
}
