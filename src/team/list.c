#include "team/list.h"
#include "base/clock.h"
#include "base/log.h"
#include "mail/address.h"
#include "team/task.h"

enum { NO_DIGEST = 1440 };

struct str list_address(const struct person *person)
{
        if (person->outside)
                return person->name;
        for (size_t i = 0; i < person->address_count; i++)
                if (str_chr(person->addresses[i], '@') != STR_NOWHERE)
                        return person->addresses[i];
        return STR_NONE;
}

static enum status add_outsider(struct site *site, struct person *out)
{
        struct change *change = change_new(site->store);
        change_person(change, out, &out->id);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

enum status list_outsider(
        struct site *site, struct str address, struct arena *arena, struct person *out)
{
        struct address parsed;
        if (address_spec(arena, address, false, &parsed) != OK || !parsed.domain.len ||
                rules_is_site(site, address))
                return INVALID;
        struct str text = address_text(arena, &parsed);
        enum status st = person_find(site->store, text, arena, out);
        if (st == ABSENT) {
                *out = (struct person){.name = text,
                        .zone = STR("UTC"),
                        .digest_minute = NO_DIGEST,
                        .outside = true,
                        .created = clock_now()};
                st = add_outsider(site, out);
                if (st == EXISTS) /* somebody was quicker */
                        st = person_find(site->store, text, arena, out);
        }
        return st == OK && !out->outside ? EXISTS : st;
}

bool list_mode_fits(const struct person *person, enum mode mode)
{
        return !person->outside || mode == MODE_EACH || mode == MODE_NONE;
}

enum status list_join(
        struct site *site, uint32_t person, uint32_t topic, enum mode mode, enum mode *before)
{
        struct subscription s = {.person = person, .topic = topic, .mode = mode}, old;
        struct change *change = change_new(site->store);
        enum status st = subscription_get(site->store, person, topic, &old);
        *before = st == OK ? old.mode : 0;
        s.since = st == OK ? old.since : clock_now();
        if (st == OK || st == ABSENT) {
                change_subscribe(change, &s);
                st = store_commit(change);
        }
        change_free(change);
        return st;
}

void list_left(struct site *site, uint32_t person)
{
        if (task_look_person(site, person, clock_now()) != OK)
                log_warn("tasks: cards of person %u stay until the tasks change", person);
}

enum status list_leave(struct site *site, uint32_t person, uint32_t topic)
{
        struct change *change = change_new(site->store);
        change_unsubscribe(change, person, topic);
        enum status st = store_commit(change);
        change_free(change);
        if (st == OK)
                list_left(site, person);
        return st;
}
