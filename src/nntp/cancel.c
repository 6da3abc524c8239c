#include "nntp/cancel.h"
#include "base/numset.h"

/* An article goes from a newsgroup too that its author may not read any more; but who sees it in
 * none is not told that it is there. */
CHECKED static enum status add_place(struct session *s, struct place at, struct cancel *out,
        bool *seen)
{
        struct rights rights;
        enum status st = rules_topic(s->site, s->person, at.mailbox, &rights);
        if (st != OK)
                return st == ABSENT ? OK : st; /* a person's folder */
        *seen |= rights.read;
        out->places[out->count++] = at;
        return OK;
}

/* Who logged in is the author when From holds an address of theirs: nobody else here can have
 * posted with it. */
CHECKED static enum status check_author(struct session *s, uint64_t message)
{
        struct stored m;
        enum status st = messages_read(s->site->store, &message, 1, READ_SUMMARY, s->arena, &m);
        if (st != OK)
                return st;
        if (!m.id)
                return ABSENT;
        return m.from.len && rules_person_of(s->site, m.from) == s->person ? OK : FORBIDDEN;
}

enum status cancel_find(struct session *s, struct str id, struct cancel *out)
{
        uint64_t message;
        struct place places[CANCEL_PLACES];
        size_t count = CANCEL_PLACES;
        out->count = 0;
        enum status st = message_find(s->site->store, id, &message);
        if (st == OK)
                st = message_places(s->site->store, message, places, &count);
        bool seen = false;
        for (size_t i = 0; st == OK && i < count; i++)
                st = add_place(s, places[i], out, &seen);
        if (st == OK && !seen)
                st = ABSENT;
        return st == OK ? check_author(s, message) : st;
}

enum status cancel_commit(struct session *s, const struct cancel *c)
{
        struct change *change = change_new(s->site->store);
        for (size_t i = 0; i < c->count; i++) {
                struct numset *one = numset_new();
                numset_add(one, c->places[i].number);
                change_expunge(change, c->places[i].mailbox, one, NULL);
                numset_free(one);
        }
        enum status st = store_commit(change);
        change_free(change);
        return st;
}
