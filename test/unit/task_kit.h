/* task_kit.h - a site with people in three zones, and what they do with tasks. */
#pragma once
#include "base/clock.h"
#include "mail/header.h"
#include "store_kit.h"
#include "team/card.h"
#include "team/task.h"

enum { HOUR = 3600, DAY = 86400 };

struct office {
        struct kit *k;
        struct config config;
        struct site site;
        struct arena *arena;
        uint32_t ana, bo, cem, eve; /* eve may not read eng */
        uint32_t eng, secret;
        time_t now;
        unsigned mails;
        struct task_done done; /* of the last act */
};

static inline uint32_t person(struct kit *k, const char *name, const char *full, const char *zone)
{
        struct person p = {.name = str_of(name), .full_name = str_of(full), .zone = str_of(zone)};
        struct change *change = change_new(k->store);
        uint32_t id = 0;
        change_person(change, &p, &id);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        return id;
}

static inline uint32_t topic(struct kit *k, const char *name, enum access access, const char *last)
{
        struct str columns[] = {{"To do", 5}, {"Doing", 5}, {"Waiting", 7}, str_of(last)};
        struct topic t = {
                .name = str_of(name), .access = access, .columns = columns, .column_count = 4};
        struct change *change = change_new(k->store);
        change_topic(change, &t, &t.id);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        return t.id;
}

static inline void join(struct kit *k, uint32_t who, uint32_t where)
{
        struct subscription s = {.person = who, .topic = where, .mode = MODE_DIGEST};
        struct change *change = change_new(k->store);
        change_subscribe(change, &s);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
}

static inline int begin(void **state)
{
        struct office *o = mem_new(sizeof *o);
        void *kit;
        kit_begin(&kit);
        o->k = kit;
        o->arena = o->k->arena;
        o->config = (struct config){.domain = STR("team.example"),
                .host = STR("mail.team.example"),
                .message_size = 1 << 20,
                .separator = '+'};
        o->site = (struct site){.config = &o->config, .store = o->k->store};
        o->ana = person(o->k, "ana", "Ana M", "Europe/Lisbon");
        o->bo = person(o->k, "bo", "Bo B", "Asia/Tokyo");
        o->cem = person(o->k, "cem", "Cem Aydin", "UTC");
        o->eve = person(o->k, "eve", "Eve", "UTC");
        o->eng = topic(o->k, "eng", ACCESS_MEMBERS, "Done");
        o->secret = topic(o->k, "secret", ACCESS_MEMBERS, "Shipped");
        join(o->k, o->ana, o->eng);
        join(o->k, o->bo, o->eng);
        join(o->k, o->cem, o->eng);
        join(o->k, o->ana, o->secret);
        join(o->k, o->eve, o->secret);
        assert_int_equal(date_parse_iso(STR("2026-11-23T10:00:00Z"), &o->now), OK);
        *state = o;
        return 0;
}

static inline int end(void **state)
{
        struct office *o = *state;
        void *kit = o->k;
        kit_end(&kit);
        free(o);
        return 0;
}

static inline struct task_doing by(struct office *o, uint32_t who)
{
        return (struct task_doing){.person = who, .now = o->now};
}

static inline struct submission *mail(struct office *o, uint32_t who, const char *name, const char *subject,
        const char *body)
{
        struct submission *m = arena_alloc(o->arena, sizeof *m);
        struct sender *sender = arena_alloc(o->arena, sizeof *sender);
        *sender = (struct sender){.way = WAY_SUBMISSION, .person = who};
        m->to = arena_alloc(o->arena, sizeof *m->to);
        m->to->mailbox = o->eng;
        m->to_count = 1;
        m->sender = sender;
        m->bytes = arena_printf(o->arena,
                "From: %s@team.example\r\nTo: eng@team.example\r\nSubject: %s\r\n"
                "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%u@x.example>\r\n\r\n%s\r\n",
                name, subject, ++o->mails, body);
        return m;
}

static inline uint32_t open_task(struct office *o, const char *title, const struct task_edit *edit)
{
        struct task_edit none = {0};
        struct task_doing doing = by(o, o->ana);
        enum refusal why;
        struct submission *m = mail(o, o->ana, "ana", title, "It has to be done.");
        assert_int_equal(
                task_open(&o->site, &doing, m, edit ? edit : &none, o->arena, &o->done, &why), OK);
        assert_true(o->done.opened);
        return o->done.number;
}

static inline struct task_edit to(const char *status)
{
        return (struct task_edit){.fields = 1u << FIELD_STATUS, .status = str_of(status)};
}

static inline enum status act(struct office *o, uint32_t who, uint32_t number, struct task_edit edit,
        uint32_t against)
{
        struct task_doing doing = by(o, who);
        doing.against = against;
        o->now += 60;
        doing.now = o->now;
        return task_change(&o->site, &doing, number, &edit, o->arena, &o->done);
}

static inline enum status undo(struct office *o, uint32_t who, uint32_t number)
{
        struct task_doing doing = by(o, who);
        o->now += 60;
        doing.now = o->now;
        return task_undo(&o->site, &doing, number, o->arena, &o->done);
}

static inline struct task get(struct office *o, uint32_t number)
{
        struct task t;
        assert_int_equal(task_get(o->site.store, number, o->arena, &t), OK);
        return t;
}

static inline uint32_t box(struct office *o, uint32_t owner, const char *name)
{
        struct mailbox m;
        assert_int_equal(mailbox_find(o->site.store, owner, str_of(name), o->arena, &m), OK);
        return m.id;
}

/* How many cards of the task lie in a mailbox. */
static inline unsigned cards_in(struct office *o, uint32_t mailbox, uint32_t number)
{
        const struct view *v;
        unsigned count = 0;
        uint32_t n;
        assert_int_equal(view_open(o->site.store, mailbox, &v), OK);
        for (struct walk w = numset_walk(v->numbers); walk_next(&w, &n);) {
                struct card_memory m;
                assert_int_equal(card_find(o->site.store, (struct place){mailbox, n}, &m), OK);
                assert_false(m.gone);
                count += m.task == number;
        }
        view_close(o->site.store, v);
        return count;
}

/* The column in which its one card lies; "" when it is on no board. */
static inline void assert_column(struct office *o, uint32_t number, const char *want)
{
        struct mailbox *all;
        size_t count;
        unsigned cards = 0;
        assert_int_equal(mailbox_list(o->site.store, 0, o->arena, &all, &count), OK);
        for (size_t i = 0; i < count; i++) {
                if (all[i].kind != MAILBOX_BOARD || !cards_in(o, all[i].id, number))
                        continue;
                cards += cards_in(o, all[i].id, number);
                assert_str(all[i].name, want);
        }
        assert_int_equal(cards, *want ? 1 : 0);
}

static inline struct str newest(struct office *o, uint32_t mailbox, struct str *prefix)
{
        const struct view *v;
        struct entry e;
        struct buf octets = {0}, fields = {0};
        assert_int_equal(view_open(o->site.store, mailbox, &v), OK);
        assert_true(v->count > 0);
        uint32_t last = numset_high(v->numbers);
        view_close(o->site.store, v);
        assert_int_equal(entry_read(o->site.store, mailbox, last, &e), OK);
        assert_int_equal(message_octets(o->site.store, e.message, 0, 1 << 20, &octets), OK);
        assert_int_equal(prefix_read(o->site.store, mailbox, last, &fields), OK);
        struct str out = arena_copy(o->arena, buf_str(&octets));
        if (prefix)
                *prefix = arena_copy(o->arena, buf_str(&fields));
        buf_release(&octets);
        buf_release(&fields);
        return out;
}

static inline void assert_holds(struct str text, const char *part)
{
        if (str_find(text, str_of(part)) == STR_NOWHERE)
                fail_msg("not in it: %s\n%.*s", part, STR_ARG(text));
}

static inline unsigned count_in(struct office *o, uint32_t mailbox)
{
        const struct view *v;
        assert_int_equal(view_open(o->site.store, mailbox, &v), OK);
        unsigned count = v->count;
        view_close(o->site.store, v);
        return count;
}
