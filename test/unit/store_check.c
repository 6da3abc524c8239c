#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store_kit.h"
#include "base/log.h"
#include "store/codec.h"
#include "store/inside.h"
#include "store/task.h"
#include <fcntl.h>

/* Each way to spoil one record is found, and named. */
struct spoil {
        const char *name;
        enum table table;
        unsigned which;    /* the n-th record of the table */
        const char *fault; /* part of what is said */
        unsigned at;       /* octet to change; 0: the record is removed */
};

static const struct spoil spoils[] = {
        /* clang-format off */
        {"entry gone", TABLE_ENTRY, 0, "counted 2 messages, has 1", 0},
        {"place gone", TABLE_PLACE, 0, "its message does not know of it", 0},
        {"message gone", TABLE_MESSAGE, 0, "there is no message", 0},
        {"body gone", TABLE_BODY, 0, "its octets", 0},
        {"body octet", TABLE_BODY, 0, "its octets", 12},
        {"body checksum", TABLE_BODY, 0, "its octets", 3},
        {"derived gone", TABLE_DERIVED, 1, "derived", 0},
        {"id gone", TABLE_ID, 0, "Message-ID", 0},
        {"thread gone", TABLE_THREAD, 0, "thread", 0},
        {"member gone", TABLE_THREAD, 2, "its root does not know of it", 0},
        {"prefix gone", TABLE_PREFIX, 0, "prefix", 0},
        {"name gone", TABLE_NAME, 0, "not found by this name", 0},
        {"person gone", TABLE_PERSON, 0, "a name of nobody", 0},
        {"folder gone", TABLE_FOLDER, 0, "not found by its name", 0},
        {"topic gone", TABLE_TOPIC, 0, "a name of nobody", 0},
        {"subscription gone", TABLE_SUBSCRIPTION, 0, "half of it", 0},
        {"subscriber gone", TABLE_SUBSCRIPTION, 1, "half of it", 0},
        {"due gone", TABLE_DUE, 0, "both ways", 0},
        {"due of gone", TABLE_DUE, 1, "replaced", 0},
        {"task gone", TABLE_TASK, 0, "boards hold 1 messages, and tasks have 0 cards", 0},
        {"event gone", TABLE_TASK, 1, "an event is missing", 0},
        {"assignment gone", TABLE_TASK, 2, "one who has it is missing", 0},
        {"topic of a task gone", TABLE_TASK, 3, "its topic is missing", 0},
        {"open gone", TABLE_TASK, 4, "that it is open is missing", 0},
        {"card's meaning gone", TABLE_TASK, 5, "does not mean its card", 0},
        {"root gone", TABLE_TASK, 6, "its root is missing", 0},
}; /* clang-format on */

static void fill(struct kit *k)
{
        uint32_t topic = kit_topic(k, "t"), ana = kit_person(k, "ana");
        struct filing_entry e = {.mailbox = topic,
                .prefix = STR("List-Id: <a topic whose name is long enough to be said only once, and "
                              "then to be taken from there>\r\n"),
                .news = true};
        struct filing f = {.bytes = STR("some text that is long enough to be worth compressing, "
                                        "text text text text text"),
                .derived = kit_derived(k, "a", ""),
                .entries = &e,
                .entry_count = 1,
                .site = STR("s")};
        assert_int_equal(message_file(k->store, &f), OK);
        f.derived = kit_derived(k, "b", "a");
        assert_int_equal(message_file(k->store, &f), OK);
        struct subscription s = {.person = ana, .topic = topic, .mode = MODE_DIGEST};
        struct due due = {.at = 5, .kind = DUE_DIGEST, .person = ana};
        struct change *change = change_new(k->store);
        change_subscribe(change, &s);
        change_due(change, &due);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
}

/* One task with one card in the first column of a board. */
static void fill_task(struct kit *k)
{
        static struct str columns[] = {{"To do", 5}, {"Done", 4}};
        struct topic topic = {.name = STR("eng"), .columns = columns, .column_count = 2};
        uint32_t bo = kit_person(k, "bo");
        struct task task = {.version = 1,
                .opened = 1,
                .status = STR("to-do"),
                .assignees = &bo,
                .assignee_count = 1};
        struct task_event event = {.person = bo};
        struct mailbox todo;
        struct change *change = change_new(k->store);
        change_topic(change, &topic, &task.topic);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_int_equal(mailbox_find(k->store, 0, STR("eng/1 To do"), k->arena, &todo), OK);
        assert_int_equal(task_reserve(k->store, &task.number), OK);
        struct filing_entry e = {.mailbox = task.topic}, in = {.mailbox = todo.id};
        struct filing opening = {.bytes = STR("open"),
                .derived = kit_derived(k, "o", ""),
                .entries = &e,
                .entry_count = 1};
        struct filing card = {.bytes = STR("card"),
                .derived = kit_derived(k, "c", ""),
                .entries = &in,
                .entry_count = 1};
        struct task_put put = {.task = &task, .event = &event, .opening = &opening, .card = &card};
        change = change_new(k->store);
        assert_int_equal(change_file(change, &opening), OK);
        assert_int_equal(change_file(change, &card), OK);
        change_task(change, &put);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
}

static void spoil(struct kit *k, const struct spoil *s)
{
        struct scan *scan = scan_open(k->store->env, NULL, s->table, STR_NONE, STR_NONE);
        struct str key, value;
        struct txn *txn;
        struct buf octets = {0};
        for (unsigned i = 0; i <= s->which; i++)
                assert_int_equal(scan_next(scan, &key, &value), OK);
        assert_int_equal(txn_begin(k->store->env, &txn), OK);
        buf_set(&octets, value);
        if (s->at) {
                octets.at[s->at] = (char)(octets.at[s->at] ^ 0x55);
                assert_int_equal(table_put(txn, s->table, key, buf_str(&octets)), OK);
        } else {
                assert_int_equal(table_remove(txn, s->table, key), OK);
        }
        assert_int_equal(txn_commit(txn), OK);
        scan_close(scan);
        buf_release(&octets);
}

static void hear(void *arg, const char *fault)
{
        struct buf *all = arg;
        buf_addf(all, "%s\n", fault);
}

static void one(const struct spoil *s)
{
        void *state;
        struct buf heard = {0};
        struct check_watch watch = {.say = hear, .arg = &heard};
        struct check_report report;
        kit_begin(&state);
        struct kit *k = state;
        fill(k);
        if (s->table == TABLE_TASK)
                fill_task(k);
        kit_check(k);
        spoil(k, s);
        assert_int_equal(store_check(k->store, &watch, &report), OK);
        if (str_find(buf_str(&heard), str_of(s->fault)) == STR_NOWHERE)
                print_error("%s: said %s\n", s->name, buf_text(&heard));
        assert_true(report.faults > 0);
        assert_true(str_find(buf_str(&heard), str_of(s->fault)) != STR_NOWHERE);
        buf_release(&heard);
        kit_remove(k);
}

static void spoiled(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(spoils); i++)
                one(&spoils[i]);
}

static void counts(void **state)
{
        struct kit *k = *state;
        struct check_report r;
        fill(k);
        assert_int_equal(store_check(k->store, NULL, &r), OK);
        assert_int_equal(r.messages, 2);
        assert_int_equal(r.entries, 2);
        assert_int_equal(r.mailboxes, 11);
        assert_int_equal(r.persons, 1);
        assert_int_equal(r.replies, 1);
        assert_int_equal(r.replies_found, 1);
        assert_int_equal(r.ghosts, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(counts, kit_begin, kit_end),
                cmocka_unit_test(spoiled),
        };
        log_open(open("/dev/null", O_WRONLY), LOG_ERRORS);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
