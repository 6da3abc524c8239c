#include "base/clock.h"
#include "base/text.h"
#include "base/wildmat.h"
#include "mail/date.h"
#include "mail/header.h"
#include "nntp/range.h"
#include "nntp/session.h"

enum { BATCH = 256 };

/* ---- one line a group ---- */

enum listing { LIST_ACTIVE, LIST_COUNTS };

/* A group that vanishes meanwhile has no line. */
static enum status say_counters(struct session *s, const struct topic *topic, enum listing how)
{
        const struct view *v;
        struct rights rights;
        enum status st = rules_topic(s->site, s->person, topic->id, &rights);
        if (st == OK)
                st = view_open(s->site->store, topic->id, &v);
        if (st != OK)
                return st == ABSENT ? OK : st;
        char status = rights.post ? 'y' : 'n';
        if (how == LIST_COUNTS)
                wire_say(s->wire, "%.*s %u %u %u %c", STR_ARG(topic->name), v->high, v->low,
                        v->count, status);
        else
                wire_say(s->wire, "%.*s %u %u %c", STR_ARG(topic->name), v->high, v->low, status);
        view_close(s->site->store, v);
        return OK;
}

static void say_description(struct session *s, const struct topic *topic)
{
        struct buf about = {0};
        text_flatten(topic->about, &about);
        wire_say(s->wire, "%.*s\t%.*s", STR_ARG(topic->name),
                STR_ARG(about.len ? buf_str(&about) : STR("(no description)")));
        buf_release(&about);
}

/* "name time creator" (RFC 3977 7.6.4). */
static void say_times(struct session *s, const struct topic *topic)
{
        struct person owner = {.name = STR("postmaster")};
        const struct config *config = site_config(s->site);
        if (topic->owner && person_get(s->site->store, topic->owner, s->arena, &owner) != OK)
                owner.name = STR("postmaster");
        wire_say(s->wire, "%.*s %lld %.*s@%.*s", STR_ARG(topic->name), (long long)topic->created,
                STR_ARG(owner.name), STR_ARG(config->domain));
}

/* ---- LIST ---- */

struct topics {
        struct topic *v;
        size_t count;
};

/* The topics that this person may read and the wildmat matches. */
CHECKED static enum status topics_matching(struct session *s, const struct str *pattern,
        struct topics *out)
{
        size_t kept = 0;
        enum status st = rules_topics(s->site, s->person, s->arena, &out->v, &out->count);
        if (st != OK)
                return st;
        for (size_t i = 0; i < out->count; i++)
                if (!pattern || wildmat(*pattern, out->v[i].name))
                        out->v[kept++] = out->v[i];
        out->count = kept;
        return OK;
}

static const struct str *pattern_of(const struct args *a)
{
        return a->count ? &a->v[0] : NULL;
}

static enum status list_counters(struct session *s, const struct args *a, enum listing how)
{
        struct topics topics;
        enum status st = topics_matching(s, pattern_of(a), &topics);
        if (st != OK)
                return st;
        wire_say(s->wire, "215 Newsgroups follow");
        for (size_t i = 0; i < topics.count && st == OK; i++)
                st = say_counters(s, &topics.v[i], how);
        if (st == OK)
                wire_dot_end(s->wire);
        else
                wire_close(s->wire); /* half a list must not look like a whole one */
        return OK;
}

static enum status list_active(struct session *s, const struct args *a)
{
        return list_counters(s, a, LIST_ACTIVE);
}

static enum status list_counts(struct session *s, const struct args *a)
{
        return list_counters(s, a, LIST_COUNTS);
}

static enum status list_newsgroups(struct session *s, const struct args *a)
{
        struct topics topics;
        enum status st = topics_matching(s, pattern_of(a), &topics);
        if (st != OK)
                return st;
        wire_say(s->wire, "215 Descriptions follow");
        for (size_t i = 0; i < topics.count; i++)
                say_description(s, &topics.v[i]);
        wire_dot_end(s->wire);
        return OK;
}

static enum status list_times(struct session *s, const struct args *a)
{
        struct topics topics;
        enum status st = topics_matching(s, pattern_of(a), &topics);
        if (st != OK)
                return st;
        wire_say(s->wire, "215 Times of creation follow");
        for (size_t i = 0; i < topics.count; i++)
                say_times(s, &topics.v[i]);
        wire_dot_end(s->wire);
        return OK;
}

/* RFC 3977 8.4: readers from before it know the old names of the two counters only. */
static enum status list_overview(struct session *s, const struct args *a)
{
        (void)a;
        wire_say(s->wire, "215 Order of fields in OVER");
        wire_put(s->wire, STR("Subject:\r\nFrom:\r\nDate:\r\nMessage-ID:\r\nReferences:\r\n"));
        wire_put(s->wire, s->modern ? STR(":bytes\r\n:lines\r\n") : STR("Bytes:\r\nLines:\r\n"));
        wire_put(s->wire, STR("Xref:full\r\n"));
        wire_dot_end(s->wire);
        return OK;
}

/* ":" stands for every field (RFC 3977 8.6.1). */
static enum status list_headers(struct session *s, const struct args *a)
{
        if (a->count && !str_same(a->v[0], STR("MSGID")) && !str_same(a->v[0], STR("RANGE")))
                return INVALID;
        wire_say(s->wire, "215 Fields of HDR");
        wire_put(s->wire, STR(":\r\n:bytes\r\n:lines\r\n"));
        wire_dot_end(s->wire);
        return OK;
}

/* RFC 3977 7.6.5 */
static enum status list_distributions(struct session *s, const struct args *a)
{
        (void)a;
        const struct config *config = site_config(s->site);
        wire_say(s->wire, "215 Which Distribution for which newsgroup");
        for (size_t i = 0; i < config->distrib_pat_count; i++)
                wire_say(s->wire, "%.*s", STR_ARG(config->distrib_pats[i]));
        wire_dot_end(s->wire);
        return OK;
}

static enum status list_nothing(struct session *s, const struct args *a)
{
        (void)s;
        (void)a;
        return UNSUPPORTED;
}

enum status nntp_list(struct session *s, const struct args *a)
{
        static const struct verb rows[] = { /* clang-format off */
                { "ACTIVE",        list_active,     READER, 0, 1, "[wildmat]" },
                { "ACTIVE.TIMES",  list_times,      READER, 0, 1, "[wildmat]" },
                { "COUNTS",        list_counts,     READER, 0, 1, "[wildmat]" },
                { "NEWSGROUPS",    list_newsgroups, READER, 0, 1, "[wildmat]" },
                { "OVERVIEW.FMT",  list_overview,   READER, 0, 0, "" },
                { "HEADERS",       list_headers,    READER, 0, 1, "[MSGID|RANGE]" },
                { "DISTRIB.PATS",  list_distributions, READER, 0, 0, "" },
                { "DISTRIBUTIONS", list_nothing,    READER, 0, 1, "" },
                { "MODERATORS",    list_nothing,    READER, 0, 1, "" },
                { "MOTD",          list_nothing,    READER, 0, 1, "" },
                { "SUBSCRIPTIONS", list_nothing,    READER, 0, 1, "" },
        };                                  /* clang-format on */
        if (!a->count)
                return list_active(s, a);
        return nntp_second(s, (struct verb_table){rows, COUNT_OF(rows)}, a);
}

/* ---- what is new ---- */

enum status nntp_newgroups(struct session *s, const struct args *a)
{
        time_t since;
        struct topics topics;
        enum status st = range_since(a, 0, clock_now(), &since);
        if (st == OK)
                st = topics_matching(s, NULL, &topics);
        if (st != OK)
                return st;
        wire_say(s->wire, "231 New newsgroups follow");
        for (size_t i = 0; i < topics.count && st == OK; i++)
                if (topics.v[i].created >= since)
                        st = say_counters(s, &topics.v[i], LIST_ACTIVE);
        if (st == OK)
                wire_dot_end(s->wire);
        else
                wire_close(s->wire);
        return OK;
}

/* What NEWNEWS has told already: messages lie in several groups. */
struct news {
        time_t since;
        struct numset *told;
};

static bool is_told(struct news *news, uint64_t message)
{
        uint32_t id = (uint32_t)message;
        if (message > UINT32_MAX)
                return false;
        bool told = numset_has(news->told, id);
        numset_add(news->told, id);
        return told;
}

CHECKED static enum status say_news(struct session *s, struct news *news, const struct entry *e,
        size_t count)
{
        uint64_t ids[BATCH];
        size_t n = 0;
        for (size_t i = 0; i < count; i++)
                if (!is_told(news, e[i].message))
                        ids[n++] = e[i].message;
        struct arena *arena = arena_new();
        struct stored *m = arena_alloc(arena, (n + 1) * sizeof *m);
        enum status st = n ? messages_read(s->site->store, ids, n, READ_SUMMARY, arena, m) : OK;
        for (size_t i = 0; i < n && st == OK; i++)
                if (m[i].id)
                        wire_say(s->wire, "%.*s", STR_ARG(m[i].message_id));
        arena_free(arena);
        return st;
}

/* When an article came: the topmost Received tells it. An entry's date is what who appended or
 * copied it wished it to be. What the site itself wrote has no such field, and the right date. */
CHECKED static enum status arrival(struct session *s, struct place place, time_t *out)
{
        struct entry entry = {0};
        struct buf prefix = {0};
        struct str raw;
        time_t at;
        int offset;
        enum status st = entry_read(s->site->store, place.mailbox, place.number, &entry);
        if (st == OK)
                st = prefix_read(s->site->store, place.mailbox, place.number, &prefix);
        *out = entry.date;
        if (st == OK && header_find(buf_str(&prefix), "Received", &raw)) {
                struct str text = header_unfold(s->arena, raw);
                size_t mark = str_rchr(text, ';');
                if (mark != STR_NOWHERE &&
                        date_parse(str_trim(str_from(text, mark + 1)), &at, &offset) == OK)
                        *out = at;
        }
        buf_release(&prefix);
        return st == ABSENT ? OK : st; /* gone meanwhile: of no interest */
}

/* The first that came at that time or later: numbers are given in the order of arrival. 0: none. */
CHECKED static enum status first_since(
        struct session *s, const struct view *view, time_t since, uint32_t *out)
{
        uint32_t low = 1, high = view->count + 1; /* ranks */
        enum status st = OK;
        while (st == OK && low < high) {
                uint32_t middle = low + (high - low) / 2;
                time_t at;
                st = arrival(s,
                        (struct place){view->mailbox, numset_select(view->numbers, middle)}, &at);
                if (at < since)
                        low = middle + 1;
                else
                        high = middle;
        }
        *out = low <= view->count ? numset_select(view->numbers, low) : 0;
        return st;
}

CHECKED static enum status news_of(struct session *s, uint32_t topic, struct news *news)
{
        const struct view *view;
        struct entry entries[BATCH];
        uint32_t from;
        enum status st = view_open(s->site->store, topic, &view);
        if (st != OK)
                return st == ABSENT ? OK : st;
        st = first_since(s, view, news->since, &from);
        while (st == OK && from && !wire_gone(s->wire)) {
                size_t count = BATCH;
                st = entries_read(s->site->store, topic, view->numbers, &from, entries, &count);
                if (st == OK)
                        st = say_news(s, news, entries, count);
        }
        view_close(s->site->store, view);
        return st;
}

enum status nntp_newnews(struct session *s, const struct args *a)
{
        struct news news = {0};
        struct topics topics;
        enum status st = range_since(a, 1, clock_now(), &news.since);
        if (st == OK)
                st = topics_matching(s, &a->v[0], &topics);
        if (st != OK)
                return st;
        news.told = numset_new();
        wire_say(s->wire, "230 New articles follow");
        for (size_t i = 0; i < topics.count && st == OK; i++)
                st = news_of(s, topics.v[i].id, &news);
        numset_free(news.told);
        if (st == OK)
                wire_dot_end(s->wire);
        else
                wire_close(s->wire);
        return OK;
}
