#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store_kit.h"

static void put_due(struct kit *k, uint32_t person, time_t at)
{
        struct due due = {.at = at, .kind = DUE_DIGEST, .person = person};
        struct change *change = change_new(k->store);
        if (at)
                change_due(change, &due);
        else
                change_due_remove(change, DUE_DIGEST, person);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
}

static void in_order(void **state)
{
        struct kit *k = *state;
        struct due due[4];
        size_t count = 4;
        time_t at;
        assert_int_equal(due_next(k->store, &at), ABSENT);
        put_due(k, 1, 3000);
        put_due(k, 2, 1000);
        put_due(k, 3, 2000);
        put_due(k, 1, 500); /* replaces */
        put_due(k, 4, 100);
        put_due(k, 4, 0); /* removes */
        put_due(k, 5, 0);
        assert_int_equal(due_next(k->store, &at), OK);
        assert_int_equal(at, 500);
        assert_int_equal(due_read(k->store, DUE_DIGEST, 1000, due, &count), OK);
        assert_int_equal(count, 2);
        assert_int_equal(due[0].person, 1);
        assert_int_equal(due[1].person, 2);
        count = 4;
        assert_int_equal(due_read(k->store, DUE_DIGEST, 999999, due, &count), OK);
        assert_int_equal(count, 3);
        count = 1;
        assert_int_equal(due_read(k->store, DUE_DIGEST, 999999, due, &count), OK);
        assert_int_equal(count, 1);
}

/* A digest, its record and when the next is due happen together, and once a day. */
static void digests(void **state)
{
        struct kit *k = *state;
        uint32_t ana = kit_person(k, "ana"), folder = kit_folder(k, ana, "D");
        struct digest_record got;
        assert_int_equal(digest_last(k->store, ana, k->arena, &got), ABSENT);
        for (int64_t day = -1; day < 2; day++) {
                struct filing_entry e = {.mailbox = folder};
                struct filing f = {.bytes = STR("digest"),
                        .entries = &e,
                        .entry_count = 1,
                        .derived = kit_derived(k, arena_printf(k->arena, "%d@x", (int)day).at, "")};
                struct digest_record record = {.person = ana,
                        .day = day,
                        .at = 1000 + day,
                        .filing = &f,
                        .items = STR("items")};
                struct due due = {.at = 2000 + day, .kind = DUE_DIGEST, .person = ana};
                for (unsigned again = 0; again < 2; again++) {
                        struct change *change = change_new(k->store);
                        assert_int_equal(change_file(change, &f), OK);
                        change_digest(change, &record);
                        change_due(change, &due);
                        assert_int_equal(store_commit(change), again ? EXISTS : OK);
                        change_free(change);
                }
                assert_int_equal(digest_last(k->store, ana, k->arena, &got), OK);
                assert_int_equal(got.day, day);
                assert_int_equal(got.message, f.message);
                assert_str(got.items, "items");
        }
        assert_int_equal(digest_get(k->store, ana, -1, k->arena, &got), OK);
        assert_int_equal(got.at, 999);
        assert_int_equal(digest_get(k->store, ana, 7, k->arena, &got), ABSENT);
        assert_int_equal(digest_last(k->store, ana + 1, k->arena, &got), ABSENT);
        struct mailbox m;
        assert_int_equal(mailbox_get(k->store, folder, k->arena, &m), OK);
        assert_int_equal(m.count, 3);
}

static enum status record_day(struct kit *k, uint32_t person, int64_t day)
{
        struct digest_record record = {.person = person, .day = day, .at = 1000, .items = STR("x")};
        struct change *change = change_new(k->store);
        change_digest(change, &record);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

/* What is too old to be answered goes, bit by bit; nobody else's does, and none because somebody
 * asked for a day to come. */
static void old_digests(void **state)
{
        struct kit *k = *state;
        uint32_t ana = kit_person(k, "ana"), bo = kit_person(k, "bo");
        struct digest_record got;
        for (int64_t day = -1; day < 7; day++) {
                assert_int_equal(record_day(k, ana, day), OK);
                assert_int_equal(record_day(k, bo, day), OK);
        }
        assert_int_equal(record_day(k, ana, 5 + DIGEST_KEPT_DAYS), OK);
        assert_int_equal(digest_get(k->store, ana, 2, k->arena, &got), ABSENT);
        assert_int_equal(digest_get(k->store, ana, 3, k->arena, &got), OK); /* four at once */
        assert_int_equal(record_day(k, ana, 6 + DIGEST_KEPT_DAYS), OK);
        assert_int_equal(digest_get(k->store, ana, 5, k->arena, &got), ABSENT);
        assert_int_equal(digest_get(k->store, ana, 6, k->arena, &got), OK); /* not too old yet */
        assert_int_equal(digest_last(k->store, ana, k->arena, &got), OK);
        assert_int_equal(got.day, 6 + DIGEST_KEPT_DAYS);
        assert_int_equal(digest_get(k->store, bo, -1, k->arena, &got), OK);
        int64_t today = time(NULL) / 86400;
        assert_int_equal(record_day(k, bo, today - 1), OK);
        assert_int_equal(record_day(k, bo, today + 365), OK);
        assert_int_equal(digest_get(k->store, bo, today - 1, k->arena, &got), OK);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(in_order, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(digests, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(old_digests, kit_begin, kit_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
