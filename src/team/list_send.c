#include "team/list_send.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/header.h"
#include "team/bounce.h"
#include "team/list.h"
#include "team/prefix.h"
#include "team/submit.h"

enum { LOT = 200, PLACES_MOST = 64 };

/* ---- the one row ---- */

static bool has_list_id(struct site *site, struct str name, struct str header, struct arena *arena)
{
        struct str domain = site_config(site)->domain;
        struct str ours = arena_printf(arena, "<%.*s.%.*s>", STR_ARG(name), STR_ARG(domain));
        struct field field;
        while (header_next(&header, &field))
                if (str_same(field.name, STR("List-Id")) &&
                        str_find_same(field.value, ours) != STR_NOWHERE)
                        return true;
        return false;
}

bool list_came_back(struct site *site, const struct submission *mail, struct arena *arena)
{
        struct str header = str_sub(mail->bytes, 0, header_length(mail->bytes));
        enum way way = mail->sender->way;
        struct topic topic;
        if (way == WAY_APPEND || way == WAY_NEWS || way == WAY_IMPORT ||
                !header_count(header, "List-Id"))
                return false;
        for (size_t i = 0; i < mail->to_count; i++)
                if (topic_get(site->store, mail->to[i].mailbox, arena, &topic) == OK &&
                        has_list_id(site, topic.name, header, arena))
                        return true;
        return false;
}

static uint32_t from_of(struct site *site, struct str header, struct arena *arena)
{
        struct str value;
        struct address from;
        if (!header_find(header, "From", &value) || !address_first(arena, value, &from))
                return 0;
        return rules_writer_of(site, address_text(arena, &from));
}

/* A machine's answer would be answered by machines: it is filed, and read by who wants to. What is
 * appended is somebody's archive, unless it is his own mail. */
static bool goes_out(
        struct site *site, const struct submission *mail, struct str header, struct arena *arena)
{
        const struct sender *sender = mail->sender;
        struct str value = header_value(arena, header, "Auto-Submitted"), word = STR_NONE;
        if (value.len && str_cut(&value, ';', &word) &&
                str_same(str_trim(word), STR("auto-replied")))
                return false;
        value = header_value(arena, header, "Precedence");
        if (str_same(value, STR("junk")) || str_same(value, STR("auto_reply")))
                return false;
        switch (sender->way) {
        case WAY_IMPORT:
                return false;
        case WAY_APPEND:
                return sender->person && from_of(site, header, arena) == sender->person;
        case WAY_NEWS:
        case WAY_SITE: /* a journal: what was done in the topic */
                return true;
        default:
                return sender->reverse_path.len > 0;
        }
}

static uint32_t author_of(
        struct site *site, const struct sender *sender, struct str header, struct arena *arena)
{
        uint32_t person = sender->person;
        if (!person && sender->reverse_path.len)
                person = rules_writer_of(site, sender->reverse_path);
        return person ? person : from_of(site, header, arena);
}

/* Recipients that the mail has besides have got it. */
static struct queue_row *make_row(struct site *site, const struct submission *mail,
        const struct topic *topic, struct arena *arena)
{
        struct str header = str_sub(mail->bytes, 0, header_length(mail->bytes));
        struct queue_row *row = arena_alloc(arena, sizeof *row);
        *row = (struct queue_row){
                .list = topic->id,
                .person = author_of(site, mail->sender, header, arena),
                .fields = prefix_mailed(site, mail, topic, arena),
                .recipients = arena_alloc(arena, mail->outside_count * sizeof *row->recipients + 1),
                .recipient_count = mail->outside_count,
                .created = clock_now(),
                .next = clock_now(),
                .eight_bit = !text_is_ascii(mail->bytes),
        };
        for (size_t i = 0; i < mail->outside_count; i++)
                row->recipients[i] = (struct queue_recipient){
                        .address = mail->outside[i].address, .state = QUEUE_DONE};
        return row;
}

bool list_queue(struct site *site, const struct submission *mail, const struct filing *filing,
        struct change *change, struct arena *arena)
{
        struct str header = str_sub(mail->bytes, 0, header_length(mail->bytes));
        bool any = false;
        if (!mail->to_count || !config_relays(site_config(site)) || !goes_out(site, mail, header, arena))
                return false;
        for (size_t i = 0; i < mail->to_count; i++) {
                struct topic topic;
                if (topic_get(site->store, mail->to[i].mailbox, arena, &topic) != OK || !topic.each)
                        continue;
                struct queue_row *row = make_row(site, mail, &topic, arena);
                row->filing = filing;
                row->unless = &filing->entries[i];
                change_queue_add(change, row);
                any = true;
        }
        return any;
}

/* ---- who gets it ---- */

struct expansion {
        struct site *site;
        const struct queue_row *row;
        struct arena *arena;
        uint32_t earlier[PLACES_MOST]; /* topics by whose way it went out before */
        size_t earlier_count;
        size_t count;
        time_t now;
};

static enum status filed_at(
        struct expansion *x, const struct place *place, uint64_t *modseq)
{
        struct entry entry;
        enum status st = entry_read(x->site->store, place->mailbox, place->number, &entry);
        *modseq = st == OK ? entry.modseq : UINT64_MAX;
        return st == ABSENT ? OK : st;
}

/* Of the topics that hold it, those where it was filed before; at once: the lower one first. */
static enum status find_earlier(struct expansion *x)
{
        struct place places[PLACES_MOST];
        uint64_t own = UINT64_MAX, other;
        size_t count = PLACES_MOST;
        enum status st = message_places(x->site->store, x->row->message, places, &count);
        for (size_t i = 0; i < count && st == OK; i++)
                if (places[i].mailbox == x->row->list)
                        st = filed_at(x, &places[i], &own);
        for (size_t i = 0; i < count && st == OK; i++) {
                if (places[i].mailbox == x->row->list)
                        continue;
                st = filed_at(x, &places[i], &other);
                if (other < own || (other == own && places[i].mailbox < x->row->list))
                        x->earlier[x->earlier_count++] = places[i].mailbox;
        }
        return st;
}

static bool has_got(struct expansion *x, const struct person *p)
{
        struct subscription s;
        struct str address = list_address(p);
        for (size_t i = 0; i < x->row->recipient_count; i++)
                if (str_same(x->row->recipients[i].address, address))
                        return true;
        for (size_t i = 0; i < x->earlier_count; i++)
                if (subscription_get(x->site->store, p->id, x->earlier[i], &s) == OK &&
                        s.mode == MODE_EACH)
                        return true;
        return false;
}

static bool is_reader(struct expansion *x, const struct person *p)
{
        return p->id != x->row->person && !p->disabled && !p->reach.suspended &&
               list_address(p).len && !has_got(x, p);
}

static void add_part(struct expansion *x, const struct person *p, struct change *change)
{
        struct bounce bounce = {.person = p->id, .topic = x->row->list};
        struct queue_recipient *to = arena_alloc(x->arena, sizeof *to);
        struct queue_row *part = arena_alloc(x->arena, sizeof *part);
        *to = (struct queue_recipient){.address = list_address(p),
                .state = QUEUE_WAITING,
                .own_sender = true,
                .sender = bounce_path(x->site, &bounce, x->arena)};
        *part = (struct queue_row){.message = x->row->message,
                .part = true,
                .fields = x->row->fields,
                .recipients = to,
                .recipient_count = 1,
                .created = x->now,
                .next = x->now,
                .eight_bit = x->row->eight_bit};
        change_queue_add(change, part);
        x->count++;
}

static enum status add_parts(struct expansion *x, const struct subscription *subscriptions,
        size_t count, struct change *change)
{
        enum status st = OK;
        for (size_t i = 0; i < count && st == OK; i++) {
                struct person p;
                if (subscriptions[i].mode != MODE_EACH)
                        continue;
                st = person_get(x->site->store, subscriptions[i].person, x->arena, &p);
                if (st == OK && is_reader(x, &p))
                        add_part(x, &p, change);
                st = st == ABSENT ? OK : st;
        }
        return st;
}

enum status list_expand(struct site *site, const struct queue_row *row, struct arena *arena)
{
        struct expansion x = {.site = site, .row = row, .arena = arena, .now = clock_now()};
        struct subscription *lot = arena_alloc(arena, LOT * sizeof *lot);
        struct queue_row rest = *row;
        size_t count = LOT;
        enum status st = find_earlier(&x);
        if (st == OK)
                st = subscribers_after(site->store, row->list, row->after, lot, &count);
        if (st != OK)
                return st;
        struct change *change = change_new(site->store);
        st = add_parts(&x, lot, count, change);
        if (count == LOT) {
                rest.after = lot[count - 1].person;
                rest.attempts++;
                change_queue_update(change, &rest);
        } else {
                change_queue_remove(change, row);
        }
        if (st == OK)
                st = store_commit(change);
        change_free(change);
        if (st == OK)
                log_note("list: %llu: %zu more get it", (unsigned long long)row->id, x.count);
        if (st == OK && x.count)
                site_queued(site);
        return st == CHANGED || st == ABSENT ? OK : st; /* somebody held or dropped it */
}
