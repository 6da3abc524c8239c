#include "team/answered.h"
#include "mail/header.h"
#include "mail/msgid.h"
#include "team/task.h"

enum { IDS_MOST = 20, PLACES_MOST = 100 };

struct looking {
        struct site *site;
        struct arena *arena;
        uint32_t person;
        struct answered *out;
};

/* What In-Reply-To names, then the last of References, the last first. */
static size_t list_ids(struct arena *arena, struct str header, struct str out[2 * IDS_MOST])
{
        struct str rest = header_value(arena, header, "In-Reply-To"), id, last[IDS_MOST];
        size_t count = 0, seen = 0;
        while (count < IDS_MOST && msgid_next(arena, &rest, &id))
                out[count++] = id;
        rest = header_value(arena, header, "References");
        while (msgid_next(arena, &rest, &id))
                last[seen++ % IDS_MOST] = id;
        for (size_t i = 1; i <= seen && i <= IDS_MOST; i++)
                out[count++] = last[(seen - i) % IDS_MOST];
        return count;
}

/* Which task, and as of which version, the message with this id speaks of. ABSENT. */
static enum status look_at(struct looking *l, struct str id)
{
        struct store *store = l->site->store;
        uint64_t message;
        uint32_t version, number;
        if (task_id_read(l->site, id, &number, &version)) {
                l->out->task = number;
                l->out->against = version;
                return OK;
        }
        enum status st = message_find(store, id, &message);
        if (st == OK)
                st = task_of_message(store, message, &number);
        if (st == OK)
                st = task_version_at(store, number, message, &version);
        if (st == OK) {
                l->out->task = number;
                l->out->against = version;
        }
        return st;
}

/* A task that the person may not read is none for him: neither its number is told nor its being. */
static enum status forget_hidden(struct looking *l)
{
        struct task task;
        struct rights rights = {.read = false};
        enum status st = task_get(l->site->store, l->out->task, l->arena, &task);
        if (st == OK)
                st = rules_topic(l->site, l->person, task.topic, &rights);
        if (st == ABSENT || (st == OK && !rights.read)) {
                *l->out = (struct answered){0};
                return OK;
        }
        if (st == OK)
                l->out->topic = task.topic;
        return st;
}

/* The first topic that the message lies in. ABSENT: none that the person may read. */
static enum status find_topic(struct looking *l, struct str id)
{
        struct place places[PLACES_MOST];
        size_t count = PLACES_MOST;
        uint64_t message;
        enum status st = message_find(l->site->store, id, &message);
        if (st == OK)
                st = message_places(l->site->store, message, places, &count);
        for (size_t i = 0; st == OK && i < count; i++) {
                struct topic topic;
                struct rights rights = {.read = false};
                st = topic_get(l->site->store, places[i].mailbox, l->arena, &topic);
                if (st == OK)
                        st = rules_topic(l->site, l->person, topic.id, &rights);
                if (st == OK && rights.read) {
                        l->out->topic = topic.id;
                        return OK;
                }
                st = st == ABSENT ? OK : st;
        }
        return st == OK ? ABSENT : st;
}

CHECKED enum status answered_task(struct site *site, uint32_t person, struct str header,
        struct arena *arena, struct answered *out)
{
        struct looking l = {.site = site, .arena = arena, .person = person, .out = out};
        struct str ids[2 * IDS_MOST];
        size_t count = list_ids(arena, header, ids);
        enum status st = ABSENT;
        *out = (struct answered){0};
        for (size_t i = 0; st == ABSENT && i < count; i++)
                st = look_at(&l, ids[i]);
        if (st == OK)
                st = forget_hidden(&l);
        for (size_t i = 0; st == ABSENT && i < count; i++)
                st = find_topic(&l, ids[i]);
        return st == ABSENT ? OK : st;
}

CHECKED enum status answered_opened(
        struct site *site, uint32_t person, struct str id, struct arena *arena, struct answered *out)
{
        struct looking l = {.site = site, .arena = arena, .person = person, .out = out};
        uint64_t message;
        uint32_t number = 0;
        *out = (struct answered){0};
        enum status st = message_find(site->store, id, &message);
        if (st == OK)
                st = task_of_root(site->store, message, &number);
        out->task = number;
        if (st == OK)
                st = forget_hidden(&l);
        out->task = number;
        return st == ABSENT ? OK : st;
}

CHECKED enum status answered_is_in(struct site *site, uint32_t number, uint32_t topic, bool *out)
{
        struct arena *arena = arena_new();
        struct place places[PLACES_MOST];
        size_t count = PLACES_MOST;
        struct task task;
        enum status st = task_get(site->store, number, arena, &task);
        if (st == OK)
                st = message_places(site->store, task.root, places, &count);
        *out = false;
        for (size_t i = 0; st == OK && i < count; i++)
                *out = *out || places[i].mailbox == topic;
        arena_free(arena);
        return st;
}
