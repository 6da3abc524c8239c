#include "relay/settle.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "relay/dsn.h"
#include "relay/schedule.h"
#include <unistd.h>

enum { REPORTS_MOST = 2, TRIES_MOST = 100, NAP_MS = 200 };

struct settling {
        struct site *site;
        const struct attempt *attempt;
        struct arena *arena;
        struct queue_row row; /* as it will be */
        bool *failed, *late;  /* recipients about whom the sender is told */
        size_t failed_count, late_count, waiting;
        time_t now;
        bool quiet; /* no room for reports: failures are kept for the next attempt */
        struct filing filings[REPORTS_MOST];
        struct filing_entry entries[REPORTS_MOST];
        struct derived derived[REPORTS_MOST];
        size_t filing_count;
};

/* ---- the row ---- */

static void fail_one(struct settling *s, size_t place)
{
        if (s->quiet)
                return;
        s->row.recipients[place].state = QUEUE_FAILED;
        s->failed[place] = true;
        s->failed_count++;
}

static void judge(struct settling *s, size_t place, const struct client_recipient *to)
{
        const struct config *c = site_config(s->site);
        struct queue_recipient *r = &s->row.recipients[place];
        r->reply = arena_copy(s->arena, buf_str(&to->reply));
        if (to->verdict == TAKEN) {
                r->state = QUEUE_DONE;
        } else if (to->verdict == NEVER || s->now - s->row.created >= (time_t)c->give_up) {
                fail_one(s, place);
        } else {
                s->late[place] = true;
                s->late_count++;
        }
}

/* It came forward, and others have not been asked, or were too many at once: the next lot goes at
 * once (RFC 5321 4.5.3.1.10). */
static bool goes_on(const struct settling *s)
{
        const struct attempt *a = s->attempt;
        bool forward = false, more = false;
        for (size_t i = 0; i < a->to_count; i++) {
                struct str reply = buf_str(&a->to[i].reply);
                forward = forward || a->to[i].verdict != LATER;
                more = more || (a->to[i].verdict == LATER && str_starts(reply, STR("452")));
        }
        for (size_t i = 0; i < s->row.recipient_count; i++) {
                const struct queue_recipient *r = &s->row.recipients[i];
                more = more || (r->state == QUEUE_WAITING && !r->reply.len);
        }
        return forward && more && !s->quiet;
}

static void judge_all(struct settling *s)
{
        const struct attempt *a = s->attempt;
        const struct config *c = site_config(s->site);
        struct schedule schedule = {c->retry_first, c->retry_most};
        uint32_t random;
        for (size_t i = 0; i < a->to_count; i++)
                judge(s, a->places[i], &a->to[i]);
        for (size_t i = 0; i < s->row.recipient_count; i++)
                s->waiting += s->row.recipients[i].state == QUEUE_WAITING;
        random_bytes(&random, sizeof random);
        s->row.attempts++;
        s->row.next = s->now;
        if (!goes_on(s))
                s->row.next += schedule_wait(&schedule, s->row.attempts, random);
        bool warn = !s->quiet && !s->row.warned && s->late_count &&
                    s->now - s->row.created >= (time_t)c->warn;
        if (warn)
                s->row.warned = true;
        else
                s->late_count = 0;
}

/* ---- the reports ---- */

/* The null sender is never answered (RFC 5321 6.1). */
static enum status report(
        struct settling *s, enum dsn_kind kind, const bool *about, struct change *change)
{
        struct filing *f = &s->filings[s->filing_count];
        struct filing_entry *e = &s->entries[s->filing_count];
        struct derived *derived = &s->derived[s->filing_count];
        struct dsn dsn = {.kind = kind,
                .row = &s->row,
                .about = about,
                .next_hop = s->attempt->next_hop,
                .now = s->now,
                .until = s->row.created + site_config(s->site)->give_up};
        struct str bytes;
        if (!s->row.sender.len)
                return OK;
        *e = (struct filing_entry){.prefix = STR("Return-Path: <>\r\n"), .date = s->now};
        enum status st = mailbox_find_use(s->site->store, s->row.person, USE_INBOX, &e->mailbox);
        if (st == ABSENT) {
                log_warn("relay: %llu: nobody is left to be told of a failure",
                        (unsigned long long)s->row.id);
                return OK;
        }
        if (st == OK)
                st = dsn_build(s->site, &dsn, s->arena, &bytes);
        if (st != OK)
                return st;
        derive(s->arena, bytes, derived);
        *f = (struct filing){.bytes = bytes, .derived = derived, .entries = e, .entry_count = 1};
        s->filing_count++;
        return change_file(change, f);
}

static enum status commit(struct settling *s)
{
        struct change *change = change_new(s->site->store);
        enum status st = OK;
        if (s->failed_count)
                st = report(s, DSN_FAILED, s->failed, change);
        if (st == OK && s->late_count)
                st = report(s, DSN_LATE, s->late, change);
        if (s->waiting)
                change_queue_update(change, &s->row);
        else
                change_queue_remove(change, &s->row);
        if (st == OK)
                st = store_commit(change);
        change_free(change);
        return st;
}

/* ---- all of it ---- */

static enum status settle_once(
        struct site *site, const struct attempt *attempt, struct arena *arena, bool quiet)
{
        struct settling s = {.site = site,
                .attempt = attempt,
                .arena = arena,
                .now = clock_now(),
                .quiet = quiet};
        enum status st = queue_get(site->store, attempt->row->id, arena, &s.row);
        if (st != OK)
                return st;
        s.failed = arena_alloc(arena, s.row.recipient_count * sizeof *s.failed);
        s.late = arena_alloc(arena, s.row.recipient_count * sizeof *s.late);
        judge_all(&s);
        return commit(&s);
}

static void log_verdicts(const struct attempt *a)
{
        static const char *const words[] = {
                [TAKEN] = "taken", [LATER] = "put off", [NEVER] = "refused"};
        for (size_t i = 0; i < a->to_count; i++)
                log_note("relay: %llu: <%.*s> %s by %.*s: %.*s", (unsigned long long)a->row->id,
                        STR_ARG(a->to[i].address), words[a->to[i].verdict], STR_ARG(a->next_hop),
                        STR_ARG(buf_str(&a->to[i].reply)));
}

enum status settle(struct site *site, const struct attempt *attempt, const bool *stop)
{
        struct arena *arena = arena_new();
        bool quiet = false;
        enum status st = BUSY;
        log_verdicts(attempt);
        for (unsigned i = 0; i < TRIES_MOST && !store_failed(site->store); i++) {
                arena_reset(arena);
                st = settle_once(site, attempt, arena, quiet);
                if (st == OK || st == ABSENT || (i && __atomic_load_n(stop, __ATOMIC_RELAXED)))
                        break;
                quiet = quiet || st == FULL || st == DAMAGED;
                if (st != CHANGED)
                        usleep(NAP_MS * 1000);
        }
        if (st == ABSENT)
                log_note("relay: %llu: it was dropped while it was sent",
                        (unsigned long long)attempt->row->id);
        else if (st != OK)
                log_error("relay: %llu: what became of it could not be stored: %s",
                        (unsigned long long)attempt->row->id, status_name(st));
        arena_free(arena);
        return st == ABSENT ? OK : st;
}
