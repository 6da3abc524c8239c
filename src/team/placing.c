#include "team/placing.h"
#include "base/zone.h"
#include "team/task.h"

enum { SECONDS_A_DAY = 86400 };

static void add(struct placing *p, uint32_t mailbox, uint32_t owner)
{
        assert(p->count < TASK_CARDS_MOST);
        p->at[p->count].mailbox = mailbox;
        p->at[p->count++].owner = owner;
}

static void look_at(struct placing *p, time_t at)
{
        if (!p->look || at < p->look)
                p->look = at;
}

static enum status add_column(struct site *site, const struct task *task, const struct topic *topic,
        struct arena *arena, struct placing *out)
{
        size_t i = field_column(topic, task->status, arena);
        struct mailbox m;
        if (!topic->column_count)
                return OK;
        i = i < topic->column_count ? i : 0;
        struct str name = column_mailbox_name(arena, topic->name, i, topic->columns[i]);
        enum status st = mailbox_find(site->store, 0, name, arena, &m);
        if (st == OK)
                add(out, m.id, 0);
        return st;
}

/* The instant at which a person's day after `due` begins. */
static time_t late_from(const struct person *person, int32_t due)
{
        const struct zone *zone;
        int y, m, d;
        if (zone_find(person->zone, &zone) != OK && zone_find(STR("UTC"), &zone) != OK)
                return (time_t)(due + 1) * SECONDS_A_DAY;
        civil_from_days((int64_t)due + 1, &y, &m, &d);
        return zone_instant(zone, y, m, d, 0, 0);
}

static enum status add_folder(
        struct site *site, uint32_t person, enum tasks_folder which, struct placing *out)
{
        uint32_t mailbox;
        enum status st = tasks_folder(site, person, which, &mailbox);
        if (st == OK)
                add(out, mailbox, person);
        return st;
}

struct concern {
        time_t now;
        bool awaited;
};

static enum status add_person(struct site *site, const struct task *task, uint32_t id,
        const struct concern *c, struct placing *out)
{
        struct arena *arena = arena_new();
        struct person person;
        bool may;
        enum status st = task_may_assign(site, id, task->topic, &may);
        if (st == OK && !may) { /* any more; what the task becomes is not told */
                arena_free(arena);
                return OK;
        }
        if (st == OK)
                st = person_get(site->store, id, arena, &person);
        if (st == OK)
                st = add_folder(site, id, TASKS_MINE, out);
        if (st == OK && task->due != DAY_NONE) {
                time_t late = late_from(&person, task->due);
                if (c->now >= late)
                        st = add_folder(site, id, TASKS_LATE, out);
                else
                        look_at(out, late);
        }
        if (st == OK && c->awaited)
                st = add_folder(site, id, TASKS_WAITING, out);
        arena_free(arena);
        return st;
}

static enum status find(struct site *site, const struct task *task, const struct topic *topic,
        time_t now, struct placing *out)
{
        struct concern c = {.now = now};
        struct arena *arena = arena_new();
        enum status st = add_column(site, task, topic, arena, out);
        arena_free(arena);
        if (task->closed && st == OK)
                look_at(out, task->closed + BOARD_DAYS * SECONDS_A_DAY);
        if (task->closed || st != OK)
                return st;
        st = task_is_awaited(site->store, task->number, &c.awaited);
        for (size_t i = 0; st == OK && i < task->assignee_count; i++)
                st = add_person(site, task, task->assignees[i], &c, out);
        return st;
}

enum status placing_find(struct site *site, const struct task *task, const struct topic *topic,
        time_t now, struct placing *out)
{
        *out = (struct placing){0};
        bool off = task->closed && now >= task->closed + BOARD_DAYS * SECONDS_A_DAY;
        if (off || str_eq(task->status, STR("dropped")))
                return OK;
        return find(site, task, topic, now, out);
}
