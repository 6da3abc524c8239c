#include "base/clock.h"
#include "base/log.h"
#include "nntp/range.h"
#include "nntp/session.h"

enum {
        READ_AT_ONCE = 4096, /* each storing waits for the disk; a silence stores them too */
        RIGHTS_MS = 1000, /* so long after they were taken away a group may still be read */
};

/* ---- the selected group ---- */

enum status group_find(struct session *s, struct str name, struct topic *out, struct rights *rights)
{
        enum status st = topic_find(s->site->store, name, s->arena, out);
        if (st == OK)
                st = rules_topic(s->site, s->person, out->id, rights);
        if (st != OK)
                return st == INVALID ? ABSENT : st;
        /* names of newsgroups have a case (RFC 3977 4.1) */
        return rights->read && str_eq(out->name, name) ? OK : ABSENT;
}

void group_leave(struct session *s)
{
        view_close(s->site->store, s->view);
        s->view = NULL;
        s->current = 0;
        buf_clear(&s->group);
}

void group_refresh(struct session *s)
{
        const struct view *view;
        struct rights rights;
        uint32_t topic = s->view->mailbox;
        s->check_at = clock_ms() + RIGHTS_MS;
        enum status st = rules_topic(s->site, s->person, topic, &rights);
        if (st == OK && rights.read)
                st = view_open(s->site->store, topic, &view);
        else if (st == OK)
                st = ABSENT;
        if (st == OK) {
                view_close(s->site->store, s->view);
                s->view = view;
        } else if (st == ABSENT) {
                group_leave(s);
        }
}

void group_reach(struct session *s, uint32_t number)
{
        if (s->view && (number > s->view->high || clock_ms() >= s->check_at))
                group_refresh(s);
}

/* A group that cannot be selected leaves the selection as it was (RFC 3977 6.1.1). */
CHECKED static enum status group_select(struct session *s, struct str name)
{
        struct topic topic;
        struct rights rights;
        const struct view *view;
        enum status st = group_find(s, name, &topic, &rights);
        if (st == OK)
                st = view_open(s->site->store, topic.id, &view);
        if (st != OK)
                return st;
        if (s->read_mailbox != topic.id)
                group_store_read(s);
        group_leave(s);
        s->view = view;
        s->check_at = clock_ms() + RIGHTS_MS;
        buf_set(&s->group, name);
        return OK;
}

static void say_group(struct session *s, const char *more)
{
        const struct view *v = s->view;
        s->current = v->count ? v->low : 0;
        wire_say(s->wire, "211 %u %u %u %.*s%s", v->count, v->low, v->high,
                STR_ARG(buf_str(&s->group)), more);
}

enum status nntp_group(struct session *s, const struct args *a)
{
        enum status st = group_select(s, a->v[0]);
        if (st == OK)
                say_group(s, "");
        return st;
}

enum status nntp_listgroup(struct session *s, const struct args *a)
{
        uint32_t low = 1, high = UINT32_MAX;
        if (a->count == 2 && range_parse(a->v[1], &low, &high) != OK)
                return INVALID;
        enum status st = OK;
        if (a->count)
                st = group_select(s, a->v[0]);
        else if (s->view)
                group_refresh(s);
        if (st != OK)
                return st;
        if (!s->view) {
                wire_say(s->wire, "412 No newsgroup is selected");
                return OK;
        }
        say_group(s, " list follows");
        uint32_t n = low ? low - 1 : 0;
        while ((n = numset_next(s->view->numbers, n)) && n <= high)
                wire_say(s->wire, "%u", n);
        wire_dot_end(s->wire);
        return OK;
}

/* ---- NEXT and LAST ---- */

/* What the view has not seen come or go yet is looked for once more in a fresh one. */
static enum status step(struct session *s, bool forward, const char *none)
{
        struct found found;
        uint32_t to = 0;
        enum status st = ABSENT;
        if (!s->current) {
                wire_say(s->wire, "420 No article is selected");
                return OK;
        }
        group_reach(s, 0);
        for (int attempt = 0; attempt < 2 && st == ABSENT; attempt++) {
                if (attempt && s->view)
                        group_refresh(s);
                if (!s->view)
                        return ABSENT;
                const struct numset *numbers = s->view->numbers;
                to = forward ? numset_next(numbers, s->current) : numset_prev(numbers, s->current);
                if (to)
                        st = article_get(
                                s, (struct place){s->view->mailbox, to}, READ_SUMMARY, &found);
        }
        if (st != OK) {
                article_refuse(s, st, none);
                return OK;
        }
        s->current = to;
        wire_say(s->wire, "223 %u %.*s", to, STR_ARG(found.stored.message_id));
        return OK;
}

enum status nntp_next(struct session *s, const struct args *a)
{
        (void)a;
        return step(s, true, "421 This is the last article");
}

enum status nntp_last(struct session *s, const struct args *a)
{
        (void)a;
        return step(s, false, "422 This is the first article");
}

/* ---- what was read ---- */

void group_store_read(struct session *s)
{
        if (!s->read || !numset_count(s->read))
                return;
        struct marking marking = {
                .mailbox = s->read_mailbox,
                .person = s->person,
                .how = MARK_ADD,
                .flags = FLAG_SEEN,
                .numbers = s->read,
        };
        enum status st = marks_store(s->site->store, &marking);
        if (st != OK)
                log_warn("nntp: marks of what %.*s read were not stored: %s",
                        STR_ARG(buf_str(&s->name)), status_name(st));
        numset_clear(s->read);
}

void group_read(struct session *s, struct place place)
{
        if (!s->marks_reads)
                return;
        if (s->read_mailbox != place.mailbox)
                group_store_read(s);
        s->read_mailbox = place.mailbox;
        if (!s->read)
                s->read = numset_new();
        numset_add(s->read, place.number);
        if (numset_count(s->read) >= READ_AT_ONCE)
                group_store_read(s);
}
