#include "team/digest.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/compose.h"
#include "mail/content.h"
#include "mail/msgid.h"
#include "store/due.h"
#include "team/digest_items.h"
#include "team/page.h"
#include "team/submit.h"

enum { NO_DIGEST = 1440, WHOLE_MAX = 8192, DUE_BATCH = 64 };

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
                time_t at = zone_instant(zone, y, m, d, person->digest_minute / 60, person->digest_minute % 60);
                struct civil there = zone_civil(zone, at);
                bool exists = day_of(&there) == day; /* a date line can skip a day */
                if (exists && day > last_day && at > after && (person->days >> there.weekday & 1))
                        return at;
        }
        return 0;
}

static enum status last_record(struct site *site, uint32_t person, struct arena *arena,
        int64_t *day, uint64_t *position)
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

/* A digest while it is made. */
struct making {
        struct arena *arena;
        time_t at;
        int64_t day;               /* that it is kept under */
        struct digest_items items; /* for the record */
};

static struct str place_of(struct str zone, struct arena *arena)
{
        size_t slash = str_rchr(zone, '/');
        struct str place = arena_copy(arena, slash == STR_NOWHERE ? zone : str_from(zone, slash + 1));
        char *at = arena_alloc(arena, place.len + 1);
        for (size_t i = 0; i < place.len; i++)
                at[i] = place.at[i] == '_' ? ' ' : place.at[i];
        return str_make(at, place.len);
}

/* What the record keeps of an entry, and the address that answers to it go to. */
static void keep_item(struct site *site, struct page_item *item, const struct digest_ref *ref,
        struct making *m)
{
        const struct gather_thread *t = item->thread;
        item->reply_to = digest_address(site, ref, m->at, m->arena);
        m->items.v[m->items.count++] = (struct digest_item){
                .about = ABOUT_THREAD, .topic = t->topic_id, .root = t->root, .message = t->newest};
}

static enum status fill_items(struct site *site, struct page *page, struct making *m)
{
        struct arena *arena = m->arena;
        const struct gathered *c = page->content;
        size_t n = c->thread_count < PAGE_ITEMS_MAX ? c->thread_count : PAGE_ITEMS_MAX;
        struct buf text = {0}, line = {0};
        enum status st = OK;
        m->items.v = arena_alloc(arena, (n + 1) * sizeof *m->items.v);
        page->items = arena_alloc(arena, (n + 1) * sizeof *page->items);
        for (size_t i = 0; i < n && st == OK; i++) {
                const struct gather_thread *t = &c->threads[i];
                buf_clear(&text);
                buf_clear(&line);
                st = gather_text(site, t->newest, &text);
                if (st == ABSENT) /* gone since: the entry stays without a line */
                        st = OK;
                content_line(buf_str(&text), 2 * (PAGE_COLUMNS - 4) - 24, &line);
                struct page_item *item = &page->items[page->item_count++];
                *item = (struct page_item){.thread = t, .line = arena_copy(arena, buf_str(&line))};
                struct digest_ref ref = {page->person->id, m->day, (unsigned)page->item_count};
                keep_item(site, item, &ref, m);
        }
        if (st == OK && n == 1 && c->threads[0].messages == 1) { /* one message only: that message */
                struct str whole = str_sub(buf_str(&text), 0, WHOLE_MAX);
                while (whole.len < text.len && whole.len && ((unsigned char)text.at[whole.len] & 0xc0) == 0x80)
                        whole.len--; /* not inside a character */
                page->whole = arena_copy(arena, whole);
                page->items[0].line = STR_NONE;
        }
        buf_release(&text);
        buf_release(&line);
        return st;
}

static void compose_page(struct site *site, const struct page *page, const struct making *m,
        struct digest *out)
{
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
                .from = address_field(arena, STR("Baton"), arena_printf(arena, "digest@%.*s", STR_ARG(domain))),
                .to = address_field(arena, page->person->full_name,
                        arena_printf(arena, "%.*s@%.*s", STR_ARG(page->person->name), STR_ARG(domain))),
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
        compose(arena, &c, &message);
        out->message = arena_copy(arena, buf_str(&message));
        buf_release(&text);
        buf_release(&html);
        buf_release(&message);
}

/* What a digest is made for: the time of its making (greeting, Date) and the local date that it is
 * kept under. They differ when one comes late: it takes nothing from the next morning's. */
struct occasion {
        time_t at;
        int64_t day;
        uint64_t since; /* position of the last digest */
};

static enum status build(struct site *site, const struct person *person, const struct occasion *when,
        struct making *m, struct digest *out)
{
        struct arena *arena = m->arena;
        const struct zone *zone;
        struct gathered *content = arena_alloc(arena, sizeof *content);
        *out = (struct digest){0};
        enum status st = zone_of(person, &zone);
        if (st == OK)
                st = gather(site, person, when->since, arena, content);
        if (st != OK)
                return st;
        struct page page = {
                .person = person,
                .now = zone_civil(zone, when->at),
                .place = place_of(zone_name(zone), arena),
                .content = content,
        };
        m->items.position = content->position;
        m->at = when->at;
        m->day = out->day = when->day;
        if (content->fresh == 0) /* nothing to say: no mail */
                return OK;
        time_t next = digest_next(person, when->at, out->day);
        if (next)
                page.next = zone_civil(zone, next);
        st = fill_items(site, &page, m);
        if (st == OK)
                compose_page(site, &page, m, out);
        return st;
}

CHECKED enum status digest_build(struct site *site, const struct person *person, time_t at,
        struct arena *arena, struct digest *out)
{
        int64_t last_day;
        struct making m = {.arena = arena};
        struct occasion when = {.at = at, .day = digest_day(person, at)};
        enum status st = last_record(site, person->id, arena, &last_day, &when.since);
        return st == OK ? build(site, person, &when, &m, out) : st;
}

/* ---- filed once ---- */

/* The message, the record of the day and the next due time: one transaction, so that a crash in the middle
 * leaves either all of it or none. */
static enum status commit(struct site *site, const struct person *person, const struct making *m,
        const struct digest *digest)
{
        struct arena *arena = m->arena;
        time_t at = m->at;
        struct buf items = {0};
        struct derived derived;
        struct due due;
        struct filing_entry entry = {.date = at};
        struct filing filing = {
                .bytes = digest->message, .derived = &derived, .entries = &entry, .entry_count = 1};
        struct change *change = change_new(site->store);
        enum status st = OK;
        digest_items_write(&m->items, &items);
        struct digest_record record = {
                .person = person->id, .day = digest->day, .at = at, .items = buf_str(&items)};
        if (digest->message.len) {
                derive(arena, digest->message, &derived);
                st = mailbox_find_use(site->store, person->id, USE_DIGESTS, &entry.mailbox);
                if (st == OK)
                        st = change_file(change, &filing);
                record.filing = &filing;
        }
        change_digest(change, &record); /* its check refuses a second one of the day */
        plan(change, person, at, digest->day, &due);
        if (st == OK)
                st = store_commit(change);
        change_free(change);
        buf_release(&items);
        return st;
}

static enum status file(struct site *site, const struct person *person, struct occasion *when,
        struct arena *arena, struct digest *out)
{
        int64_t last_day;
        struct making m = {.arena = arena};
        enum status st = last_record(site, person->id, arena, &last_day, &when->since);
        if (st != OK)
                return st;
        if (when->day <= last_day) /* asked before anything is built; the commit asks again */
                return EXISTS;
        st = build(site, person, when, &m, out);
        return st == OK ? commit(site, person, &m, out) : st;
}

CHECKED enum status digest_file(struct site *site, const struct person *person, time_t at,
        struct arena *arena, struct digest *out)
{
        struct occasion when = {.at = at, .day = digest_day(person, at)};
        return file(site, person, &when, arena, out);
}

/* due_at: when it was due; at: now. */
static enum status run_one(struct site *site, uint32_t id, time_t due_at, time_t at, unsigned *filed)
{
        struct arena *arena = arena_new();
        struct person person;
        struct digest digest = {0};
        struct occasion when = {.at = at};
        enum status st = person_get(site->store, id, arena, &person);
        if (st == OK && person.disabled)
                st = ABSENT;
        if (st == OK)
                when.day = digest_day(&person, due_at);
        if (st == OK)
                st = file(site, &person, &when, arena, &digest);
        if (st == OK && digest.message.len) {
                log_note("digest: %.*s gets %u entries", STR_ARG(person.name), digest.items);
                ++*filed;
        }
        arena_free(arena);
        return st;
}

/* Done that day, or gone: only the plan was old. What fails is logged and stays due. */
static enum status run_planned(struct site *site, const struct due *due, time_t at, unsigned *filed)
{
        enum status st = run_one(site, due->person, due->at, at, filed);
        if (st == EXISTS || st == ABSENT)
                st = digest_plan(site, due->person, at);
        if (st != OK)
                log_error("digest: for person %u: %s", due->person, status_name(st));
        return st;
}

/* Whoever fails stays in front, because he was due first: those behind him are read past him. */
static enum status run_due(struct site *site, time_t at, unsigned *filed)
{
        for (size_t failed = 0;;) {
                size_t count = failed + DUE_BATCH, before = failed;
                struct due *due = mem_new(count * sizeof *due);
                enum status st = due_read(site->store, DUE_DIGEST, at, due, &count);
                for (size_t i = before; st == OK && i < count; i++)
                        failed += run_planned(site, &due[i], at, filed) != OK;
                free(due);
                if (st != OK)
                        return st;
                if (count <= before)
                        return failed ? BUSY : OK;
        }
}

CHECKED enum status digest_run(struct site *site, time_t at, uint32_t only_person, unsigned *filed)
{
        *filed = 0;
        if (only_person)
                return run_one(site, only_person, at, at, filed);
        return run_due(site, at, filed);
}
