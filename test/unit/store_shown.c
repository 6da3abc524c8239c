#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store/attention.h"
#include "store_kit.h"

/* A topic's message that names Ana: number 1 in both places. */
struct scene {
        uint32_t ana, bo, topic, inbox;
};

static struct scene begin(struct kit *k)
{
        struct scene s = {.ana = kit_person(k, "ana"), .bo = kit_person(k, "bo")};
        s.topic = kit_topic(k, "t");
        assert_int_equal(mailbox_find_use(k->store, s.ana, USE_INBOX, &s.inbox), OK);
        return s;
}

static void file(struct kit *k, const struct scene *s, const char *id)
{
        struct filing_entry e[] = {{.mailbox = s->topic, .news = true},
                {.mailbox = s->inbox, .shown = true}};
        struct filing f = {.bytes = STR("text"),
                .derived = kit_derived(k, id, ""),
                .entries = e,
                .entry_count = 2,
                .site = STR("x")};
        assert_int_equal(message_file(k->store, &f), OK);
}

struct act {
        uint32_t mailbox, person;
        enum marking_how how;
        unsigned flags;
        const char *numbers;
};

static void mark(struct kit *k, const struct act *act)
{
        struct numset *set = kit_set(act->numbers);
        struct marking m = {.mailbox = act->mailbox,
                .person = act->person,
                .how = act->how,
                .flags = act->flags,
                .numbers = set};
        assert_int_equal(marks_store(k->store, &m), OK);
        numset_free(set);
}

static unsigned flags(struct kit *k, uint32_t mailbox, uint32_t person, uint32_t number)
{
        struct marks *m;
        assert_int_equal(marks_load(k->store, mailbox, person, &m), OK);
        unsigned got = marks_flags(m, number);
        marks_free(m);
        return got;
}

static void reading_it_anywhere_is_reading_it_everywhere(void **state)
{
        struct kit *k = *state;
        struct scene s = begin(k);
        file(k, &s, "1@x");
        file(k, &s, "2@x");
        mark(k, &(struct act){s.inbox, s.ana, MARK_ADD, FLAG_SEEN | FLAG_ANSWERED, "1"});
        assert_int_equal(flags(k, s.topic, s.ana, 1), FLAG_SEEN);
        assert_int_equal(flags(k, s.topic, s.ana, 2), 0);
        assert_int_equal(flags(k, s.topic, s.bo, 1), 0);
        mark(k, &(struct act){s.topic, s.ana, MARK_ADD, FLAG_FLAGGED | FLAG_SEEN, "1:2"});
        assert_int_equal(
                flags(k, s.inbox, s.ana, 1), FLAG_SEEN | FLAG_ANSWERED | FLAG_FLAGGED);
        assert_int_equal(flags(k, s.inbox, s.ana, 2), FLAG_SEEN | FLAG_FLAGGED);
        mark(k, &(struct act){s.inbox, s.ana, MARK_REMOVE, FLAG_SEEN, "2"});
        assert_int_equal(flags(k, s.topic, s.ana, 2), FLAG_FLAGGED);
        mark(k, &(struct act){s.inbox, s.ana, MARK_REPLACE, FLAG_SEEN | FLAG_DRAFT, "1:2"});
        assert_int_equal(flags(k, s.topic, s.ana, 1), FLAG_SEEN);
        assert_int_equal(flags(k, s.topic, s.ana, 2), FLAG_SEEN);
        mark(k, &(struct act){s.topic, s.bo, MARK_ADD, FLAG_FLAGGED, "1"});
        assert_int_equal(flags(k, s.inbox, s.ana, 1), FLAG_SEEN | FLAG_DRAFT);
}

/* A session at the one place is told of what was done at the other. */
static void both_sides_change(void **state)
{
        struct kit *k = *state;
        struct scene s = begin(k);
        const struct view *view;
        file(k, &s, "1@x");
        assert_int_equal(view_open(k->store, s.topic, &view), OK);
        uint64_t since = view->position;
        view_close(k->store, view);
        mark(k, &(struct act){s.inbox, s.ana, MARK_ADD, FLAG_SEEN, "1"});
        struct numset *changed = numset_new();
        assert_int_equal(view_open(k->store, s.topic, &view), OK);
        assert_int_equal(mailbox_changes(k->store, view, s.ana, since, changed, NULL), OK);
        assert_set(changed, "1");
        numset_clear(changed);
        assert_int_equal(mailbox_changes(k->store, view, s.bo, since, changed, NULL), OK);
        assert_set(changed, "");
        view_close(k->store, view);
        numset_free(changed);
}

static void an_end_goes(void **state)
{
        struct kit *k = *state;
        struct scene s = begin(k);
        struct numset *one = kit_set("1"), *two = kit_set("2");
        file(k, &s, "1@x");
        file(k, &s, "2@x");
        struct change *change = change_new(k->store);
        change_expunge(change, s.inbox, one, NULL);
        change_expunge(change, s.topic, two, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        kit_check(k);
        mark(k, &(struct act){s.topic, s.ana, MARK_ADD, FLAG_SEEN, "1"});
        mark(k, &(struct act){s.inbox, s.ana, MARK_ADD, FLAG_SEEN, "2"});
        assert_int_equal(flags(k, s.topic, s.ana, 1), FLAG_SEEN);
        assert_int_equal(flags(k, s.inbox, s.ana, 2), FLAG_SEEN);
        numset_free(one);
        numset_free(two);
}

static void a_topic_goes(void **state)
{
        struct kit *k = *state;
        struct scene s = begin(k);
        file(k, &s, "1@x");
        struct change *change = change_new(k->store);
        change_mailbox_remove(change, s.topic);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        mark(k, &(struct act){s.inbox, s.ana, MARK_ADD, FLAG_SEEN, "1"});
        assert_int_equal(flags(k, s.inbox, s.ana, 1), FLAG_SEEN);
}

static void say(struct kit *k, uint32_t person, uint64_t root, enum attention attention)
{
        struct attended a = {root, attention};
        struct change *change = change_new(k->store);
        change_attention(change, person, &a);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
}

static void muted_and_followed(void **state)
{
        struct kit *k = *state;
        struct scene s = begin(k);
        struct attended *all;
        size_t count;
        enum attention got;
        say(k, s.ana, 7, ATTENTION_MUTED);
        say(k, s.ana, 5, ATTENTION_FOLLOWED);
        say(k, s.bo, 7, ATTENTION_FOLLOWED);
        kit_reopen(k);
        assert_int_equal(attention_get(k->store, s.ana, 7, &got), OK);
        assert_int_equal(got, ATTENTION_MUTED);
        assert_int_equal(attention_list(k->store, s.ana, k->arena, &all, &count), OK);
        assert_int_equal(count, 2);
        assert_int_equal(all[0].root, 5);
        assert_int_equal(all[0].attention, ATTENTION_FOLLOWED);
        say(k, s.ana, 7, ATTENTION_NONE);
        assert_int_equal(attention_get(k->store, s.ana, 7, &got), OK);
        assert_int_equal(got, ATTENTION_NONE);
        struct change *change = change_new(k->store);
        change_attention(change, 999, &(struct attended){1, ATTENTION_MUTED});
        assert_int_equal(store_commit(change), ABSENT);
        change_free(change);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        reading_it_anywhere_is_reading_it_everywhere, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(both_sides_change, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(an_end_goes, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(a_topic_goes, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(muted_and_followed, kit_begin, kit_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
