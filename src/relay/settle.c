#include "relay/settle.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "mail/enhanced.h"
#include "relay/schedule.h"
#include "team/bounce.h"
#include "team/report.h"
#include <unistd.h>

enum { TRIES_MOST = 100, NAP_MS = 200 };

struct settling {
        struct site *site;
        const struct attempt *attempt;
        struct arena *arena;
        struct queue_row row; /* as it will be */
        size_t waiting;
        bool *told[REPORT_KINDS]; /* by kind: recipients about whom the sender is told */
        size_t told_count[REPORT_KINDS];
        time_t now;
        bool quiet; /* no room for reports: failures are kept for the next attempt */
};

/* ---- the row ---- */

/* Where the sender wants to hear it: of failures and delays also where he said nothing (RFC 3461
 * 4.1). A reverse path that is the recipient's own is no person's. */
static void tell(struct settling *s, enum report_kind kind, size_t place)
{
        static const unsigned wish[REPORT_KINDS] = {[REPORT_FAILED] = NOTIFY_FAILURE,
                [REPORT_LATE] = NOTIFY_DELAY,
                [REPORT_RELAYED] = NOTIFY_SUCCESS};
        const struct queue_recipient *r = &s->row.recipients[place];
        bool usual = kind != REPORT_RELAYED && r->notify == NOTIFY_USUAL;
        if (r->own_sender || !(usual || r->notify & wish[kind]))
                return;
        s->told[kind][place] = true;
        s->told_count[kind]++;
}

static void fail_one(struct settling *s, size_t place)
{
        if (s->quiet)
                return;
        s->row.recipients[place].state = QUEUE_FAILED;
        tell(s, REPORT_FAILED, place);
}

static void judge(struct settling *s, size_t place, const struct client_recipient *to)
{
        const struct config *c = site_config(s->site);
        struct queue_recipient *r = &s->row.recipients[place];
        r->reply = arena_copy(s->arena, buf_str(&to->reply));
        if (to->verdict == TAKEN) {
                r->state = QUEUE_DONE;
                if (!s->attempt->passed_on && !s->quiet)
                        tell(s, REPORT_RELAYED, place);
        } else if (to->verdict == NEVER || s->now - s->row.created >= (time_t)c->give_up) {
                fail_one(s, place);
        }
}

/* The sender is told once that it is late, of all that wait then. */
static void judge_late(struct settling *s)
{
        const struct config *c = site_config(s->site);
        if (s->quiet || s->row.warned || s->now - s->row.created < (time_t)c->warn)
                return;
        for (size_t i = 0; i < s->row.recipient_count; i++)
                if (s->row.recipients[i].state == QUEUE_WAITING)
                        tell(s, REPORT_LATE, i);
        s->row.warned = s->told_count[REPORT_LATE] > 0;
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
        if (a->more)
                return;
        random_bytes(&random, sizeof random);
        s->row.attempts++;
        s->row.next = s->now + schedule_wait(&schedule, s->row.attempts, random);
        judge_late(s);
}

/* ---- the reports ---- */

static enum status report(struct settling *s, enum report_kind kind, struct change *change)
{
        const struct queue_row *row = &s->row;
        struct report_recipient *to = arena_alloc(s->arena, s->told_count[kind] * sizeof *to + 1);
        struct report *report = arena_alloc(s->arena, sizeof *report);
        size_t count = 0;
        for (size_t i = 0; i < row->recipient_count; i++)
                if (s->told[kind][i])
                        to[count++] = (struct report_recipient){
                                .address = row->recipients[i].address,
                                .original = row->recipients[i].original,
                                .reply = row->recipients[i].reply};
        *report = (struct report){
                .kind = kind,
                .person = row->person,
                .sender = row->sender,
                .envelope_id = row->envelope_id,
                .returned = row->returned,
                .message = row->message,
                .to = to,
                .to_count = count,
                .next_hop = s->attempt->next_hop,
                .arrived = row->created,
                .now = s->now,
                .until = row->created + site_config(s->site)->give_up,
        };
        return report_file(s->site, report, change, s->arena);
}

static enum status commit(struct settling *s)
{
        struct change *change = change_new(s->site->store);
        enum status st = OK;
        for (enum report_kind kind = 0; kind < REPORT_KINDS && st == OK; kind++)
                if (s->told_count[kind])
                        st = report(s, kind, change);
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
        for (unsigned kind = 0; kind < REPORT_KINDS; kind++)
                s.told[kind] = arena_alloc(arena, s.row.recipient_count * sizeof *s.told[kind] + 1);
        judge_all(&s);
        return commit(&s);
}

static void log_verdicts(const struct attempt *a)
{
        static const char *const words[] = {
                [TAKEN] = "taken", [LATER] = "put off", [NEVER] = "refused"};
        struct str by = a->next_hop.len ? a->next_hop : STR("this server");
        for (size_t i = 0; i < a->to_count; i++)
                log_note("relay: %llu: <%.*s> %s by %.*s: %.*s", (unsigned long long)a->row->id,
                        STR_ARG(a->to[i].address), words[a->to[i].verdict], STR_ARG(by),
                        STR_ARG(buf_str(&a->to[i].reply)));
}

/* Mail of a list that was refused for good, or given up, is a bounce that needs no report. */
static void count_returned(struct site *site, const struct attempt *a, struct arena *arena)
{
        bool old = clock_now() - a->row->created >= (time_t)site_config(site)->give_up;
        for (size_t i = 0; i < a->to_count; i++) {
                const struct queue_recipient *to = &a->row->recipients[a->places[i]];
                bool never = a->to[i].verdict == NEVER;
                struct bounce bounce;
                struct buf code = {0};
                if (!to->own_sender || !(never || (old && a->to[i].verdict == LATER)) ||
                        bounce_of(site, to->sender, arena, &bounce) != OK)
                        continue;
                struct str status = enhanced_status(buf_str(&a->to[i].reply), &code);
                if (bounce_count(site, &bounce, never && bounce_is_hard(status)) != OK)
                        log_error("relay: a bounce of person %u could not be counted",
                                bounce.person);
                buf_release(&code);
        }
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
        if (st == OK)
                count_returned(site, attempt, arena);
        arena_free(arena);
        return st;
}
