#include "team/notice.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "mail/address.h"
#include "mail/compose.h"
#include "store/queue.h"

struct draft {
        struct arena *arena;
        struct str bytes;
        struct derived derived;
        struct filing_entry entry;
        struct filing filing;
};

static void make(struct site *site, struct str to, const struct notice *n, struct draft *d)
{
        struct str domain = site_config(site)->domain;
        struct buf out = {0}, fields = {0}, word = {0};
        random_word(16, &word);
        buf_add_text(&fields, "Auto-Submitted: auto-replied\r\nBaton-Kind: notice\r\n");
        if (n->reply_to.len)
                buf_addf(&fields, "Reply-To: <%.*s>\r\n", STR_ARG(n->reply_to));
        struct composition c = {
                .from = address_field(d->arena, STR("Baton"),
                        arena_printf(d->arena, "%.*s@%.*s", STR_ARG(n->from), STR_ARG(domain))),
                .to = address_field(d->arena, STR_NONE, to),
                .subject = n->subject,
                .message_id = arena_printf(d->arena, "<notice.%.*s@%.*s>",
                        STR_ARG(buf_str(&word)), STR_ARG(domain)),
                .in_reply_to = n->in_reply_to,
                .references = n->in_reply_to,
                .date = clock_now(),
                .fields = buf_str(&fields),
                .text = n->text,
        };
        compose(d->arena, &c, &out);
        d->bytes = arena_copy(d->arena, buf_str(&out));
        derive(d->arena, d->bytes, &d->derived);
        d->filing = (struct filing){.bytes = d->bytes, .derived = &d->derived};
        buf_release(&out);
        buf_release(&fields);
        buf_release(&word);
}

enum status notice_person(struct site *site, uint32_t person, const struct notice *n)
{
        struct draft d = {.arena = arena_new()};
        struct person p;
        enum status st = person_get(site->store, person, d.arena, &p);
        if (st == OK)
                st = mailbox_find_use(site->store, person, USE_INBOX, &d.entry.mailbox);
        if (st == OK) {
                struct str domain = site_config(site)->domain;
                make(site, arena_printf(d.arena, "%.*s@%.*s", STR_ARG(p.name), STR_ARG(domain)), n,
                        &d);
                d.entry.prefix = STR("Return-Path: <>\r\n");
                d.entry.date = clock_now();
                d.filing.entries = &d.entry;
                d.filing.entry_count = 1;
                st = message_file(site->store, &d.filing);
        }
        arena_free(d.arena);
        return st;
}

enum status notice_outside(struct site *site, struct str address, const struct notice *n)
{
        struct draft d = {.arena = arena_new()};
        struct queue_recipient to = {.address = address,
                .state = QUEUE_WAITING,
                .own_sender = n->reverse_path.len > 0,
                .sender = n->reverse_path};
        make(site, address, n, &d);
        struct queue_row row = {.filing = &d.filing,
                .recipients = &to,
                .recipient_count = 1,
                .created = clock_now(),
                .next = clock_now()};
        struct change *change = change_new(site->store);
        enum status st = change_file(change, &d.filing);
        if (st == OK) {
                change_queue_add(change, &row);
                st = store_commit(change);
        }
        change_free(change);
        arena_free(d.arena);
        if (st == OK)
                site_queued(site);
        return st;
}
