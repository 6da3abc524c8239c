#include "team/digest.h"
#include "base/zone.h"
#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/msgid.h"
#include "store/due.h"
#include "store/queue.h"
#include "team/bounce.h"
#include "team/digest_forms.h"
#include "team/list_mail.h"
#include "team/submit.h"

enum { NO_DIGEST = 1440, DUE_BATCH = 32 };

static enum status zone_of(const struct person *person, const struct zone **out)
{
        enum status st = zone_find(person->zone, out);
        return st == OK ? OK : zone_find(STR("UTC"), out);
}

static int64_t day_of(const struct civil *c)
{
        return days_from_civil(c->year, c->month, c->day);
}

/* ---- when ---- */

int64_t digest_day(const struct person *person, time_t at)
{
        const struct zone *zone;
        if (zone_of(person, &zone) != OK)
                return at / 86400; /* not even UTC is there */
        struct civil c = zone_civil(zone, at);
        return day_of(&c);
}

time_t digest_next(const struct person *person, time_t after, int64_t last_day)
{
        enum { DAYS_AHEAD = 15 };
        const struct zone *zone;
        if (person->disabled || person->digest_minute >= NO_DIGEST || !person->days ||
                zone_of(person, &zone) != OK)
                return 0;
        struct civil now = zone_civil(zone, after);
        for (int64_t day = day_of(&now); day < day_of(&now) + DAYS_AHEAD; day++) {
                int y, m, d;
                civil_from_days(day, &y, &m, &d);
                time_t at = zone_instant(
                        zone, y, m, d, person->digest_minute / 60, person->digest_minute % 60);
                struct civil there = zone_civil(zone, at);
                bool exists = day_of(&there) == day; /* a date line can skip a day */
                if (exists && day > last_day && at > after && (person->days >> there.weekday & 1))
                        return at;
        }
        return 0;
}

static enum status last_record(
        struct site *site, uint32_t person, struct arena *arena, int64_t *day, uint64_t *position)
{
        struct digest_record last;
        *day = INT64_MIN;
        *position = 0;
        enum status st = digest_last(site->store, person, arena, &last);
        if (st != OK)
                return st == ABSENT ? OK : st;
        struct digest_items items;
        st = digest_items_read(last.items, arena, &items);
        *day = last.day;
        *position = items.position;
        return st;
}

static void plan(struct change *change, const struct person *person, time_t after, int64_t last_day,
        struct due *due)
{
        *due = (struct due){digest_next(person, after, last_day), DUE_DIGEST, person->id};
        if (due->at)
                change_due(change, due);
        else
                change_due_remove(change, DUE_DIGEST, person->id);
}

CHECKED enum status digest_plan(struct site *site, uint32_t person_id, time_t now)
{
        struct arena *arena = arena_new();
        struct person person;
        struct due due;
        int64_t day;
        uint64_t position;
        enum status st = person_get(site->store, person_id, arena, &person);
        if (st == OK)
                st = last_record(site, person_id, arena, &day, &position);
        if (st == OK) {
                struct change *change = change_new(site->store);
                plan(change, &person, now, day, &due);
                st = store_commit(change);
                change_free(change);
        }
        arena_free(arena);
        return st;
}

/* ---- what ---- */

static struct str place_of(struct str zone, struct arena *arena)
{
        size_t slash = str_rchr(zone, '/');
        struct str place = arena_copy(
                arena, slash == STR_NOWHERE ? zone : str_from(zone, slash + 1));
        char *at = arena_alloc(arena, place.len + 1);
        for (size_t i = 0; i < place.len; i++)
                at[i] = place.at[i] == '_' ? ' ' : place.at[i];
        return str_make(at, place.len);
}

static enum status compose_form(const struct making *m, const struct page *page,
        const struct composition *c, struct buf *out)
{
        switch (page->person->form) {
        case FORM_MIME:
                return digest_mime(m, page->content, c, out);
        case FORM_1153:
                return digest_1153(m, page->content, c, out);
        case FORM_PAGE:
                break;
        }
        compose(m->arena, c, out);
        return OK;
}

static enum status compose_digest(
        const struct making *m, const struct page *page, struct digest *out)
{
        struct site *site = m->site;
        struct arena *arena = m->arena;
        struct digest_ref whole = {page->person->id, m->day, 0};
        struct buf text = {0}, html = {0}, message = {0};
        struct str domain = site_config(site)->domain;
        page_text(page, &text);
        page_html(page, &html);
        out->subject = page_subject(page, arena);
        out->text = arena_copy(arena, buf_str(&text));
        out->items = (unsigned)page->item_count;
        struct composition c = {
                .from = address_field(
                        arena, STR("Baton"), arena_printf(arena, "digest@%.*s", STR_ARG(domain))),
                .to = address_field(arena, page->person->full_name,
                        arena_printf(
                                arena, "%.*s@%.*s", STR_ARG(page->person->name), STR_ARG(domain))),
                .subject = out->subject,
                .message_id = digest_id(site, &whole, arena),
                .date = m->at,
                .offset = page->now.offset,
                .fields = arena_printf(arena, "Reply-To: %.*s\r\nBaton-Kind: digest\r\n",
                        STR_ARG(digest_address(site, &whole, m->at, arena))),
                .text = out->text,
                .html = buf_str(&html),
                .automatic = true,
        };
        enum status st = compose_form(m, page, &c, &message);
        if (st == OK)
                out->message = arena_copy(arena, buf_str(&message));
        buf_release(&text);
        buf_release(&html);
        buf_release(&message);
        return st;
}

/* What a digest is made for: the time of its making (greeting, Date) and the local date that it is
 * kept under. They differ when one comes late: it takes nothing from the next morning's. */
struct occasion {
        time_t at, due;
        int64_t day;
        uint64_t since; /* position of the last digest */
};

static bool says_something(const struct gathered *c)
{
        return c->fresh || c->changes || c->mail_count || c->task_count;
}

static enum status build(struct making *m, const struct person *person, const struct occasion *when,
        struct digest *out)
{
        struct arena *arena = m->arena;
        const struct zone *zone;
        struct gathered *content = arena_alloc(arena, sizeof *content);
        struct gather_ask ask = {person, when->since, digest_day(person, when->at), m->recall};
        *out = (struct digest){0};
        enum status st = zone_of(person, &zone);
        if (st == OK)
                st = gather(m->site, &ask, arena, content);
        if (st != OK)
                return st;
        struct page page = {
                .person = person,
                .now = zone_civil(zone, when->at),
                .place = place_of(zone_name(zone), arena),
                .content = content,
                .separator = site_config(m->site)->separator,
        };
        m->items.position = content->position;
        m->at = when->at;
        m->day = out->day = when->day;
        if (!says_something(content)) /* nothing to say: no mail */
                return OK;
        time_t next = digest_next(person, when->at, out->day);
        if (next)
                page.next = zone_civil(zone, next);
        st = digest_fill(m, &page);
        if (st == OK)
                st = compose_digest(m, &page, out);
        return st;
}

CHECKED enum status digest_build(struct site *site, const struct person *person, time_t at,
        struct arena *arena, struct digest *out)
{
        int64_t last_day;
        struct making m = {.site = site, .arena = arena, .recall = recall_new(site)};
        struct occasion when = {.at = at, .day = digest_day(person, at)};
        enum status st = last_record(site, person->id, arena, &last_day, &when.since);
        if (st == OK)
                st = build(&m, person, &when, out);
        recall_free(m.recall);
        return st;
}

/* ---- filed once ---- */

/* A digest that is ready to be filed, and all that the change refers to. */
struct ready {
        struct making m;
        struct person person;
        struct digest digest;
        struct buf items;
        struct derived derived;
        struct due due;
        struct filing_entry entry;
        struct filing filing;
        struct queue_recipient recipient;
        struct queue_row row;
        struct digest_record record;
};

static void ready_free(struct ready *r)
{
        if (!r)
                return;
        buf_release(&r->items);
        arena_free(r->m.arena); /* it lies in there */
}

static bool is_mailed(const struct ready *r)
{
        return r->person.digest_to.len && !r->person.reach.suspended &&
               config_relays(site_config(r->m.site));
}

static bool is_eight_bit(struct str s)
{
        for (size_t i = 0; i < s.len; i++)
                if (s.at[i] & 0x80)
                        return true;
        return false;
}

static void add_queue_row(struct change *change, struct ready *r)
{
        struct bounce path = {.person = r->person.id};
        r->recipient = (struct queue_recipient){
                .address = r->person.digest_to, .state = QUEUE_WAITING};
        r->row = (struct queue_row){.filing = &r->filing,
                .person = r->person.id,
                .sender = bounce_path(r->m.site, &path, r->m.arena),
                .recipients = &r->recipient,
                .recipient_count = 1,
                .created = clock_now(),
                .next = clock_now(),
                .eight_bit = is_eight_bit(r->digest.message)};
        change_queue_add(change, &r->row);
}

/* The message, the record of the day, the next due time and the queue's row: of one change, so that
 * a crash in the middle leaves either all of it or none. Who gets it by mail finds it in Digests,
 * too, as read. */
static enum status add_to_change(struct change *change, struct ready *r)
{
        struct store *store = r->m.site->store;
        enum status st = OK;
        r->items.len = 0;
        digest_items_write(&r->m.items, &r->items);
        r->record = (struct digest_record){.person = r->person.id,
                .day = r->digest.day,
                .at = r->m.at,
                .items = buf_str(&r->items)};
        if (r->digest.message.len) {
                bool mailed = is_mailed(r);
                r->entry = (struct filing_entry){.date = r->m.at,
                        .person = mailed ? r->person.id : 0,
                        .flags = mailed ? FLAG_SEEN : 0};
                r->filing = (struct filing){.bytes = r->digest.message,
                        .derived = &r->derived,
                        .entries = &r->entry,
                        .entry_count = 1};
                derive(r->m.arena, r->digest.message, &r->derived);
                st = mailbox_find_use(store, r->person.id, USE_DIGESTS, &r->entry.mailbox);
                if (st == OK)
                        st = change_file(change, &r->filing);
                if (st == OK && mailed)
                        add_queue_row(change, r);
                r->record.filing = &r->filing;
        }
        if (st != OK)
                return st;
        change_digest(change, &r->record); /* its check refuses a second one of the day */
        plan(change, &r->person, r->m.at, r->digest.day, &r->due);
        return OK;
}

static enum status commit(struct ready **ready, size_t count)
{
        struct change *change = change_new(ready[0]->m.site->store);
        enum status st = OK;
        for (size_t i = 0; i < count && st == OK; i++)
                st = add_to_change(change, ready[i]);
        if (st == OK)
                st = store_commit(change);
        change_free(change);
        return st;
}

/* day: the local date that it is kept under. EXISTS: that day is done. */
static enum status prepare(struct site *site, struct recall *known, uint32_t id,
        const struct occasion *wanted, struct ready **out)
{
        struct arena *arena = arena_new();
        struct ready *r = arena_alloc(arena, sizeof *r);
        struct occasion when = *wanted;
        int64_t last_day = 0;
        r->m = (struct making){.site = site, .arena = arena, .recall = known};
        enum status st = person_get(site->store, id, arena, &r->person);
        if (st == OK && r->person.disabled)
                st = ABSENT;
        if (st == OK)
                st = last_record(site, id, arena, &last_day, &when.since);
        if (st == OK)
                when.day = digest_day(&r->person, when.due);
        if (st == OK &&
                when.day <= last_day) /* asked before anything is built; the commit asks again */
                st = EXISTS;
        recall_begin(known);
        if (st == OK)
                st = build(&r->m, &r->person, &when, &r->digest);
        if (st != OK)
                ready_free(r);
        *out = st == OK ? r : NULL;
        return st;
}

static void tell(const struct ready *r, unsigned *filed)
{
        if (!r->digest.message.len)
                return;
        log_detail("digest: %.*s gets %u entries", STR_ARG(r->person.name), r->digest.items);
        ++*filed;
        if (r->row.filing)
                site_queued(r->m.site);
}

static enum status run_one(struct site *site, uint32_t id, time_t at, unsigned *filed)
{
        struct recall *known = recall_new(site);
        struct occasion when = {.at = at, .due = at};
        struct ready *r;
        enum status st = prepare(site, known, id, &when, &r);
        if (st == OK)
                st = commit(&r, 1);
        if (st == OK)
                tell(r, filed);
        ready_free(r);
        recall_free(known);
        return st;
}

/* ---- all that are due ---- */

struct run {
        struct site *site;
        struct recall *recall;
        time_t at;
        unsigned *filed;
        size_t failed;
};

/* Done that day, or gone: only the plan was old. What fails is logged and stays due. */
static void end_one(struct run *run, uint32_t person, enum status st)
{
        if (st == EXISTS || st == ABSENT)
                st = digest_plan(run->site, person, run->at);
        if (st != OK) {
                log_error("digest: for person %u: %s", person, status_name(st));
                run->failed++;
        }
}

/* Many in one change cost one flush; when one of them is refused, each gets its own. */
static void file_batch(struct run *run, struct ready **ready, size_t count)
{
        enum status all = count ? commit(ready, count) : OK;
        for (size_t i = 0; i < count; i++) {
                enum status st = all == OK ? OK : commit(&ready[i], 1);
                if (st == OK)
                        tell(ready[i], run->filed);
                end_one(run, ready[i]->person.id, st);
                ready_free(ready[i]);
        }
}

static void run_batch(struct run *run, const struct due *due, size_t count)
{
        struct ready *ready[DUE_BATCH];
        size_t n = 0;
        for (size_t i = 0; i < count; i++) {
                struct occasion when = {.at = run->at, .due = due[i].at};
                enum status st = prepare(run->site, run->recall, due[i].person, &when, &ready[n]);
                if (st == OK)
                        n++;
                else
                        end_one(run, due[i].person, st);
        }
        file_batch(run, ready, n);
}

/* Whoever fails stays in front, because he was due first: those behind him are read past him. */
static enum status run_due(struct run *run)
{
        for (;;) {
                size_t before = run->failed, count = before + DUE_BATCH;
                struct due *due = mem_new(count * sizeof *due);
                enum status st = due_read(run->site->store, DUE_DIGEST, run->at, due, &count);
                if (st == OK && count > before)
                        run_batch(run, due + before, count - before);
                free(due);
                if (st != OK)
                        return st;
                if (count <= before)
                        return run->failed ? BUSY : OK;
        }
}

CHECKED enum status digest_run(struct site *site, time_t at, uint32_t only_person, unsigned *filed)
{
        *filed = 0;
        if (only_person)
                return run_one(site, only_person, at, filed);
        struct run run = {.site = site, .recall = recall_new(site), .at = at, .filed = filed};
        enum status st = run_due(&run);
        recall_free(run.recall);
        return st;
}
