#include "base/clock.h"
#include "base/log.h"
#include "store/due.h"
#include "team/tasking.h"

enum { DUE_BATCH = 64 };

/* Nobody is told of a number that no task has. */
static enum status forget(struct site *site, uint32_t number)
{
        struct change *change = change_new(site->store);
        change_due_remove(change, DUE_CARD, number);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

static enum status place_once(struct tasking *t, uint32_t number, struct place gone)
{
        struct place again = {0};
        bool changed;
        enum status st = tasking_load(t, number);
        if (st == ABSENT)
                return forget(t->site, number);
        for (size_t i = 0; st == OK && i < t->old.card_count; i++)
                if (gone.mailbox && t->old.cards[i].mailbox == gone.mailbox &&
                        t->old.cards[i].number == gone.number)
                        again = gone;
        if (st == OK && gone.mailbox && !again.mailbox)
                return OK; /* a fresh one lies there already */
        return st == OK ? tasking_place(t, again, &changed) : st;
}

static enum status place_again(
        struct site *site, const struct task_doing *doing, uint32_t number, struct place gone)
{
        enum status st = CHANGED;
        for (unsigned i = 0; st == CHANGED && i < TASKING_TRIES; i++) {
                struct arena *arena = arena_new();
                st = place_once(tasking_new(site, doing, arena), number, gone);
                arena_free(arena);
        }
        return st == CHANGED ? BUSY : st;
}

enum status task_look(struct site *site, uint32_t number, time_t now)
{
        return place_again(
                site, &(struct task_doing){.now = now}, number, (struct place){0});
}

enum status task_look_by(struct site *site, uint32_t number, uint32_t person)
{
        return place_again(
                site, &(struct task_doing){.person = person}, number, (struct place){0});
}

enum status task_refile(struct site *site, uint32_t number, struct place gone)
{
        return place_again(site, &(struct task_doing){0}, number, gone);
}

enum status task_look_person(struct site *site, uint32_t person, time_t now)
{
        struct numset *all = numset_new();
        uint32_t number;
        enum status st = tasks_of_person(site->store, person, all);
        for (struct walk w = numset_walk(all); st == OK && walk_next(&w, &number);)
                st = task_look(site, number, now);
        numset_free(all);
        return st;
}

/* Whoever fails stays in front, because it was due first: those behind it are read past it. */
enum status task_look_due(struct site *site, time_t now)
{
        for (size_t failed = 0;;) {
                size_t count = failed + DUE_BATCH, before = failed;
                struct due *due = mem_new(count * sizeof *due);
                enum status st = due_read(site->store, DUE_CARD, now, due, &count);
                for (size_t i = before; st == OK && i < count; i++) {
                        enum status one = task_look(site, due[i].person, now);
                        if (one != OK)
                                log_error("task T-%u: its card is not placed: %s", due[i].person,
                                        status_name(one));
                        failed += one != OK;
                }
                free(due);
                if (st != OK)
                        return st;
                if (count <= before)
                        return failed ? BUSY : OK;
        }
}
