#include "daemon/jobs.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/due.h"
#include "team/digest.h"
#include "team/task.h"
#include <pthread.h>

enum {
        NAP_SECONDS = 30, /* the longest sleep: new people and a clock that was set are noticed */
        TROUBLE_SECONDS = 60, /* after a failure */
        DUE_MAX = 100000,
        STACK_OCTETS = 4 << 20, /* digests parse mail */
        NO_DIGEST = 1440,
};

struct jobs {
        struct site *site;
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t wake;
        bool stop;
};

/* Sleeps; false when it is time to end. */
static bool nap(struct jobs *jobs, time_t seconds)
{
        struct timespec until;
        bool going;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += seconds;
        pthread_mutex_lock(&jobs->lock);
        while (!jobs->stop && pthread_cond_timedwait(&jobs->wake, &jobs->lock, &until) == 0)
                ;
        going = !jobs->stop;
        pthread_mutex_unlock(&jobs->lock);
        return going;
}

/* A person is saved and made due in two changes; who fell between them is found here, at the start.
 */
static enum status find_forgotten(struct site *site)
{
        struct arena *arena = arena_new();
        struct numset *known = numset_new();
        struct person *people;
        struct due *due = mem_new(DUE_MAX * sizeof *due);
        size_t count, due_count = DUE_MAX;
        enum status st = due_read(site->store, DUE_DIGEST, INT64_MAX, due, &due_count);
        if (st == OK)
                st = person_list(site->store, arena, &people, &count);
        for (size_t i = 0; st == OK && i < due_count; i++)
                numset_add(known, due[i].person);
        for (size_t i = 0; st == OK && due_count < DUE_MAX && i < count; i++) {
                const struct person *p = &people[i];
                if (!p->disabled && p->digest_minute < NO_DIGEST && !numset_has(known, p->id))
                        st = digest_plan(site, p->id, clock_now());
        }
        free(due);
        numset_free(known);
        arena_free(arena);
        return st;
}

/* Cards first: a digest tells what is late. Whatever fails keeps the other from nothing. */
static enum status do_due(struct site *site, time_t now)
{
        unsigned filed = 0;
        enum status cards = task_look_due(site, now), digests = digest_run(site, now, 0, &filed);
        if (filed)
                log_note("digests: %u filed", filed);
        return digests == OK ? cards : digests;
}

/* Does what is due; how long to sleep then. */
static time_t work(struct site *site)
{
        time_t at, now = clock_now();
        enum status st = due_next(site->store, &at);
        if (st == OK && at <= now) {
                st = do_due(site, now);
                if (st == OK)
                        st = due_next(site->store, &at);
                if (st == OK &&
                        at <= now) /* somebody's failed, and was logged: not again at once */
                        return NAP_SECONDS;
        }
        if (st == ABSENT)
                return NAP_SECONDS;
        if (st != OK) {
                log_warn("what is due: %s; tried again in %d s", status_name(st), TROUBLE_SECONDS);
                return TROUBLE_SECONDS;
        }
        now = clock_now();
        return at <= now ? 0 : at - now < NAP_SECONDS ? at - now : NAP_SECONDS;
}

static void *jobs_run(void *arg)
{
        struct jobs *jobs = arg;
        enum status st = find_forgotten(jobs->site);
        if (st != OK)
                log_warn("digests: cannot look for forgotten people: %s", status_name(st));
        while (nap(jobs, work(jobs->site)))
                ;
        return NULL;
}

enum status jobs_start(struct site *site, struct jobs **out)
{
        struct jobs *jobs = mem_new(sizeof *jobs);
        pthread_condattr_t clock;
        pthread_attr_t how;
        jobs->site = site;
        pthread_condattr_init(&clock);
        pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
        pthread_cond_init(&jobs->wake, &clock);
        pthread_condattr_destroy(&clock);
        pthread_mutex_init(&jobs->lock, NULL);
        pthread_attr_init(&how);
        pthread_attr_setstacksize(&how, STACK_OCTETS);
        int error = pthread_create(&jobs->thread, &how, jobs_run, jobs);
        pthread_attr_destroy(&how);
        if (error) {
                log_error("digests: no thread: %s", strerror(error));
                free(jobs);
                return BROKEN;
        }
        *out = jobs;
        return OK;
}

void jobs_stop(struct jobs *jobs)
{
        if (!jobs)
                return;
        pthread_mutex_lock(&jobs->lock);
        jobs->stop = true;
        pthread_cond_signal(&jobs->wake);
        pthread_mutex_unlock(&jobs->lock);
        pthread_join(jobs->thread, NULL);
        pthread_mutex_destroy(&jobs->lock);
        pthread_cond_destroy(&jobs->wake);
        free(jobs);
}
