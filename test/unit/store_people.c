#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store_kit.h"

static enum status put_person(struct kit *k, const struct person *p, uint32_t *id)
{
        struct change *change = change_new(k->store);
        change_person(change, p, id);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

/* What SCRAM needs goes to the password that it was made of, and changes nothing else. */
static void scram(void **state)
{
        struct kit *k = *state;
        struct person p = {.name = STR("sam"), .password = STR("hash"), .admin = true}, found;
        struct change *change;
        uint32_t id;
        assert_int_equal(put_person(k, &p, &id), OK);
        change = change_new(k->store);
        change_person_scram(change, id, STR("another"), STR("keys"));
        assert_int_equal(store_commit(change), CHANGED);
        change_free(change);
        change = change_new(k->store);
        change_person_scram(change, id, STR("hash"), STR("keys"));
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_int_equal(person_find(k->store, STR("sam"), k->arena, &found), OK);
        assert_true(found.admin && str_eq(found.password, STR("hash")));
        assert_true(str_eq(found.scram, STR("keys")));
        change = change_new(k->store);
        change_person_scram(change, id + 1000, STR("hash"), STR("keys"));
        assert_int_equal(store_commit(change), ABSENT);
        change_free(change);
}

/* Who is outside has no folders, stays outside, and what is known of mail there is no caller's to
 * replace. */
static void outside(void **state)
{
        struct kit *k = *state;
        struct person p = {.name = STR("Zoe@Else.example"), .outside = true}, found;
        struct reach none = {0}, after = {.confirmed = 1, .score = 250, .suspended = 9};
        struct mailbox *boxes;
        struct change *change;
        size_t count;
        uint32_t id;
        assert_int_equal(put_person(k, &p, &id), OK);
        assert_int_equal(mailbox_list(k->store, id, k->arena, &boxes, &count), OK);
        assert_int_equal(count, 0);
        change = change_new(k->store);
        change_person_reach(change, id, &after, &none);
        assert_int_equal(store_commit(change), CHANGED);
        change_free(change);
        change = change_new(k->store);
        change_person_reach(change, id, &none, &after);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        p.id = id;
        p.outside = false;
        p.disabled = true;
        assert_int_equal(put_person(k, &p, NULL), OK);
        assert_int_equal(person_find(k->store, STR("zoe@else.EXAMPLE"), k->arena, &found), OK);
        assert_true(found.outside && found.disabled && found.reach.score == 250);
        assert_int_equal(found.reach.suspended, 9);
        change = change_new(k->store);
        change_person_reach(change, id + 1000, &none, &after);
        assert_int_equal(store_commit(change), ABSENT);
        change_free(change);
}

static void follow(struct kit *k, uint32_t person, uint32_t topic, enum mode mode)
{
        struct subscription s = {.person = person, .topic = topic, .mode = mode};
        struct change *change = change_new(k->store);
        change_subscribe(change, &s);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
}

static enum status forget(struct kit *k, uint32_t id)
{
        struct change *change = change_new(k->store);
        change_person_remove(change, id);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

/* An address that was forgotten is free; people with an account are not forgotten so. */
static void forgotten(void **state)
{
        struct kit *k = *state;
        struct person p = {.name = STR("zoe@else.example"), .outside = true}, found;
        uint32_t id, again, ana = kit_person(k, "ana"), one = kit_topic(k, "one"), two = kit_topic(k, "two");
        struct subscription *v;
        struct topic t;
        size_t count;
        assert_int_equal(put_person(k, &p, &id), OK);
        follow(k, id, one, MODE_EACH);
        follow(k, id, two, MODE_NONE);
        follow(k, ana, one, MODE_EACH);
        assert_int_equal(forget(k, ana), FORBIDDEN);
        assert_int_equal(forget(k, id), OK);
        assert_int_equal(forget(k, id), ABSENT);
        assert_int_equal(person_find(k->store, p.name, k->arena, &found), ABSENT);
        assert_int_equal(subscribers_of(k->store, one, k->arena, &v, &count), OK);
        assert_int_equal(count, 1);
        assert_int_equal(topic_get(k->store, one, k->arena, &t), OK);
        assert_int_equal(t.each, 1);
        assert_int_equal(subscribers_of(k->store, two, k->arena, &v, &count), OK);
        assert_int_equal(count, 0);
        assert_int_equal(put_person(k, &p, &again), OK);
        assert_int_not_equal(again, id);
}

/* kit_end checks the number against the subscriptions each time. */
static void counted(void **state)
{
        struct kit *k = *state;
        uint32_t ana = kit_person(k, "ana"), bo = kit_person(k, "bo"), topic = kit_topic(k, "eng");
        static const struct {
                bool bo;
                enum mode mode; /* 0: leaves */
                uint32_t each;
        } steps[] = {{0, MODE_EACH, 1}, {1, MODE_EACH, 2}, {0, MODE_EACH, 2}, {0, MODE_NONE, 1},
                {0, 0, 1}, {1, 0, 0}, {0, MODE_DIGEST, 0}, {0, MODE_EACH, 1}};
        for (size_t i = 0; i < COUNT_OF(steps); i++) {
                struct topic t;
                uint32_t who = steps[i].bo ? bo : ana;
                if (steps[i].mode) {
                        follow(k, who, topic, steps[i].mode);
                } else {
                        struct change *change = change_new(k->store);
                        change_unsubscribe(change, who, topic);
                        assert_int_equal(store_commit(change), OK);
                        change_free(change);
                }
                assert_int_equal(topic_get(k->store, topic, k->arena, &t), OK);
                assert_int_equal(t.each, steps[i].each);
                t.each = 99; /* is not the caller's to change */
                t.about = STR("other");
                struct change *change = change_new(k->store);
                change_topic(change, &t, NULL);
                assert_int_equal(store_commit(change), OK);
                change_free(change);
                kit_check(k);
        }
}

static void names(void **state)
{
        struct kit *k = *state;
        struct str addresses[] = {STR("Ana.M@example.org"), STR("ana@home.example")};
        struct person p = {.name = STR("ana"), .addresses = addresses, .address_count = 2}, found;
        uint32_t ana, bo, id, topic = kit_topic(k, "eng");
        unsigned kind;
        assert_int_equal(put_person(k, &p, &ana), OK);
        assert_int_equal(put_person(k, &p, &id), EXISTS);
        assert_int_equal(person_find(k->store, STR("ANA"), k->arena, &found), OK);
        assert_int_equal(found.id, ana);
        assert_int_equal(person_find(k->store, STR("ana.m@EXAMPLE.org"), k->arena, &found), OK);
        assert_int_equal(found.id, ana);
        assert_int_equal(person_find(k->store, STR("eng"), k->arena, &found), ABSENT);
        assert_int_equal(person_find(k->store, STR(""), k->arena, &found), ABSENT);
        assert_int_equal(name_find(k->store, STR("Eng"), &kind, &id), OK);
        assert_int_equal(kind, NAME_TOPIC);
        assert_int_equal(id, topic);

        struct person second = {.name = STR("bo"), .addresses = &addresses[1], .address_count = 1};
        assert_int_equal(put_person(k, &second, &bo), EXISTS);
        second.addresses = (struct str[]){STR("eng")};
        assert_int_equal(put_person(k, &second, &bo), EXISTS);
        second.address_count = 0;
        assert_int_equal(put_person(k, &second, &bo), OK);
        assert_true(bo > ana);

        p.id = ana; /* gives one address up, which another may then take */
        p.address_count = 1;
        assert_int_equal(put_person(k, &p, NULL), OK);
        assert_int_equal(name_find(k->store, STR("ana@home.example"), &kind, &id), ABSENT);
        second.id = bo;
        second.addresses = &addresses[1];
        second.address_count = 1;
        assert_int_equal(put_person(k, &second, NULL), OK);
        p.id = 4711;
        assert_int_equal(put_person(k, &p, NULL), ABSENT);

        struct person *all;
        size_t count;
        assert_int_equal(person_list(k->store, k->arena, &all, &count), OK);
        assert_int_equal(count, 2);
        assert_str(all[1].name, "bo");
        struct topic t = {.name = STR("bo")};
        struct change *change = change_new(k->store);
        change_topic(change, &t, NULL);
        assert_int_equal(store_commit(change), EXISTS);
        change_free(change);
}

static void folders(void **state)
{
        struct kit *k = *state;
        uint32_t ana = kit_person(k, "ana"), id, other;
        struct mailbox m, *all;
        size_t count;
        assert_int_equal(mailbox_list(k->store, ana, k->arena, &all, &count), OK);
        assert_int_equal(count, 10);
        assert_str(all[0].name, "Archive");
        assert_int_equal(mailbox_find(k->store, ana, STR("inbox"), k->arena, &m), OK);
        assert_int_equal(m.use, USE_INBOX);
        assert_int_equal(mailbox_find_use(k->store, ana, USE_TRASH, &id), OK);
        assert_int_equal(mailbox_get(k->store, id, k->arena, &m), OK);
        assert_str(m.name, "Trash");
        assert_int_equal(mailbox_find_use(k->store, ana + 1, USE_TRASH, &id), ABSENT);

        id = kit_folder(k, ana, "Lists");
        other = kit_folder(k, ana, "Lists/mutt");
        assert_int_equal(mailbox_get(k->store, other, k->arena, &m), OK);
        uint32_t validity = m.uid_validity;
        static const struct {
                const char *to;
                enum status status;
        } renames[] = {
                /* clang-format off */
                {"Lists/mutt/x", INVALID}, {"Trash", EXISTS}, {"", INVALID}, {"a//b", INVALID},
                {"Old/Lists", OK},
        }; /* clang-format on */
        for (size_t i = 0; i < COUNT_OF(renames); i++) {
                struct change *change = change_new(k->store);
                change_mailbox_rename(change, id, str_of(renames[i].to));
                assert_int_equal(store_commit(change), renames[i].status);
                change_free(change);
        }
        assert_int_equal(mailbox_find(k->store, ana, STR("Old/Lists/mutt"), k->arena, &m), OK);
        assert_int_equal(m.id, other);
        assert_int_equal(m.uid_validity, validity);
        assert_int_equal(mailbox_find(k->store, ana, STR("Lists/mutt"), k->arena, &m), ABSENT);
        struct mailbox again = {.kind = MAILBOX_FOLDER, .owner = ana, .name = STR("Inbox")};
        struct change *change = change_new(k->store);
        change_mailbox_add(change, &again, &id);
        assert_int_equal(store_commit(change), EXISTS);
        change_free(change);
        again.owner = 4711;
        change = change_new(k->store);
        change_mailbox_add(change, &again, &id);
        assert_int_equal(store_commit(change), ABSENT);
        change_free(change);
        assert_int_equal(mailbox_find_use(k->store, ana, USE_INBOX, &id), OK);
        change = change_new(k->store);
        change_mailbox_remove(change, id);
        assert_int_equal(store_commit(change), FORBIDDEN);
        change_free(change);
}

static void topics(void **state)
{
        struct kit *k = *state;
        uint32_t eng = kit_topic(k, "eng.web"), web = kit_topic(k, "eng.api");
        struct str columns[] = {STR("To do"), STR("Done")};
        struct topic t, *all;
        size_t count;
        assert_int_equal(topic_find(k->store, STR("Eng.Web"), k->arena, &t), OK);
        assert_int_equal(t.id, eng);
        t.about = STR("new words");
        t.columns = columns;
        t.column_count = 2;
        t.name = STR("another.name");
        struct change *change = change_new(k->store);
        change_topic(change, &t, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_int_equal(topic_list(k->store, k->arena, &all, &count), OK);
        assert_int_equal(count, 2);
        assert_int_equal(all[0].id, web);
        assert_str(all[1].name, "eng.web");
        assert_str(all[1].about, "new words");
        assert_str(all[1].columns[1], "Done");
}

static enum status subscribe(struct kit *k, const struct subscription *s)
{
        struct change *change = change_new(k->store);
        change_subscribe(change, s);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

static void subscriptions(void **state)
{
        struct kit *k = *state;
        uint32_t ana = kit_person(k, "ana"), eng = kit_topic(k, "eng.web"),
                 web = kit_topic(k, "eng.api");
        struct topic t;
        struct change *change;
        size_t count;
        struct subscription s = {.person = ana, .topic = eng, .mode = MODE_DIGEST, .since = 5}, got,
                            *list;
        assert_int_equal(subscribe(k, &s), OK);
        s.mode = MODE_NONE;
        s.since = 9;
        assert_int_equal(subscribe(k, &s), OK);
        assert_int_equal(subscription_get(k->store, ana, eng, &got), OK);
        assert_int_equal(got.mode, MODE_NONE);
        assert_int_equal(got.since, 5);
        assert_int_equal(subscription_get(k->store, ana, web, &got), ABSENT);
        assert_int_equal(subscribers_of(k->store, eng, k->arena, &list, &count), OK);
        assert_int_equal(count, 1);
        assert_int_equal(list[0].person, ana);
        for (unsigned i = 0; i < 2; i++) {
                change = change_new(k->store);
                change_unsubscribe(change, ana, eng);
                assert_int_equal(store_commit(change), i ? ABSENT : OK);
                change_free(change);
        }
        assert_int_equal(subscriptions_of(k->store, ana, k->arena, &list, &count), OK);
        assert_int_equal(count, 0);
        s.topic = 4711;
        assert_int_equal(subscribe(k, &s), ABSENT);
        s.topic = web;
        assert_int_equal(subscribe(k, &s), OK);
        change = change_new(k->store);
        change_mailbox_remove(change, web);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_int_equal(topic_find(k->store, STR("eng.api"), k->arena, &t), ABSENT);
        assert_int_equal(subscriptions_of(k->store, ana, k->arena, &list, &count), OK);
        assert_int_equal(count, 0);
        uint32_t anew = kit_topic(k, "eng.api");
        assert_true(anew > web);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(scram, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(outside, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(forgotten, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(counted, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(names, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(folders, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(topics, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(subscriptions, kit_begin, kit_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
