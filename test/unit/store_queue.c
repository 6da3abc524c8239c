#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store/codec_queue.h"
#include "store/queue.h"
#include "store_kit.h"

static struct filing filing_of(struct kit *k, const char *id)
{
        return (struct filing){.bytes = arena_printf(k->arena, "Subject: %s\r\n\r\nbody\r\n", id),
                .derived = kit_derived(k, id, ""),
                .once = true};
}

static struct queue_row row_to(struct kit *k, const char *first, const char *second, time_t at)
{
        struct queue_row row = {.sender = STR("ana@team.example"),
                .person = 1,
                .fields = STR("Received: x\r\n"),
                .recipient_count = second ? 2 : 1,
                .created = 100,
                .next = at};
        row.recipients = arena_alloc(k->arena, 2 * sizeof *row.recipients);
        row.recipients[0] = (struct queue_recipient){
                .address = str_of(first), .state = QUEUE_WAITING};
        row.recipients[1] = (struct queue_recipient){
                .address = str_of(second), .state = QUEUE_WAITING};
        return row;
}

static void add(struct kit *k, struct filing *filing, struct queue_row *row)
{
        struct change *change = change_new(k->store);
        row->filing = filing;
        assert_int_equal(change_file(change, filing), OK);
        change_queue_add(change, row);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
}

static enum status change_row(struct kit *k, const struct queue_row *row, bool remove)
{
        struct change *change = change_new(k->store);
        if (remove)
                change_queue_remove(change, row);
        else
                change_queue_update(change, row);
        enum status st = store_commit(change);
        change_free(change);
        return st;
}

static bool has_body(struct kit *k, uint64_t message)
{
        struct buf b = {0};
        enum status st = message_octets(k->store, message, 0, 100, &b);
        buf_release(&b);
        return st == OK;
}

/* A row alone keeps its message; with the row it goes. */
static void holds_the_message(void **state)
{
        struct kit *k = *state;
        struct filing f = filing_of(k, "1@x");
        struct queue_row row = row_to(k, "far@away.example", NULL, 500), got;
        add(k, &f, &row);
        assert_true(row.id > 0);
        kit_check(k);
        kit_reopen(k);
        assert_int_equal(queue_get(k->store, row.id, k->arena, &got), OK);
        assert_int_equal(got.message, f.message);
        assert_str(got.recipients[0].address, "far@away.example");
        assert_str(got.fields, "Received: x\r\n");
        assert_true(has_body(k, f.message));
        assert_int_equal(change_row(k, &got, true), OK);
        assert_false(has_body(k, f.message));
        assert_int_equal(queue_get(k->store, row.id, k->arena, &got), ABSENT);
        assert_int_equal(change_row(k, &row, true), ABSENT);
}

/* What a folder shows stays when its row has gone, and the other way round. */
static void shared_with_a_folder(void **state)
{
        struct kit *k = *state;
        uint32_t ana = kit_person(k, "ana");
        struct filing_entry e = {.mailbox = kit_folder(k, ana, "Out")};
        struct filing f = filing_of(k, "2@x");
        struct queue_row row = row_to(k, "far@away.example", NULL, 500);
        struct numset *all = kit_set("1:9");
        f.entries = &e;
        f.entry_count = 1;
        add(k, &f, &row);
        struct change *change = change_new(k->store);
        change_expunge(change, e.mailbox, all, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_true(has_body(k, f.message));
        kit_check(k);
        assert_int_equal(change_row(k, &row, true), OK);
        assert_false(has_body(k, f.message));
        numset_free(all);
}

/* The same mail of the same sender is one row; another set of recipients is another. */
static void once(void **state)
{
        struct kit *k = *state;
        struct filing f = filing_of(k, "3@x"), again = filing_of(k, "3@x");
        struct queue_row a = row_to(k, "far@away.example", NULL, 500),
                         b = row_to(k, "far@away.example", NULL, 600),
                         c = row_to(k, "far@away.example", "near@away.example", 700);
        add(k, &f, &a);
        add(k, &again, &b);
        add(k, &again, &c);
        assert_int_equal(a.id, b.id);
        assert_int_not_equal(a.id, c.id);
        assert_int_equal(f.message, again.message);
}

static void in_order_of_time(void **state)
{
        struct kit *k = *state;
        struct queue_row rows[3];
        uint64_t ids[8], from = 0;
        size_t count = 8;
        time_t at;
        assert_int_equal(queue_next(k->store, &at), ABSENT);
        for (unsigned i = 0; i < 3; i++) {
                struct filing f = filing_of(k, arena_printf(k->arena, "o%u@x", i).at);
                rows[i] = row_to(k, "far@away.example", NULL, 900 - 100 * (time_t)i);
                add(k, &f, &rows[i]);
        }
        assert_int_equal(queue_due(k->store, 800, ids, &count), OK);
        assert_int_equal(count, 2);
        assert_int_equal(ids[0], rows[2].id);
        assert_int_equal(ids[1], rows[1].id);
        rows[2].hold = true; /* is not due */
        assert_int_equal(change_row(k, &rows[2], false), OK);
        assert_int_equal(queue_next(k->store, &at), OK);
        assert_int_equal(at, 800);
        rows[1].recipients[0].state = QUEUE_DONE; /* waits for nothing */
        assert_int_equal(change_row(k, &rows[1], false), OK);
        assert_int_equal(queue_next(k->store, &at), OK);
        assert_int_equal(at, 900);
        count = 2;
        assert_int_equal(queue_ids(k->store, &from, ids, &count), OK);
        assert_int_equal(count, 2);
        count = 2;
        assert_int_equal(queue_ids(k->store, &from, ids, &count), OK);
        assert_int_equal(count, 1);
}

/* Who changes what somebody else has changed meanwhile learns of it. */
static void versions(void **state)
{
        struct kit *k = *state;
        struct filing f = filing_of(k, "v@x");
        struct queue_row row = row_to(k, "far@away.example", NULL, 500), got;
        add(k, &f, &row);
        row.attempts = 1;
        assert_int_equal(change_row(k, &row, false), OK);
        assert_int_equal(change_row(k, &row, false), CHANGED);
        assert_int_equal(change_row(k, &row, true), CHANGED);
        assert_int_equal(queue_get(k->store, row.id, k->arena, &got), OK);
        assert_int_equal(got.attempts, 1);
        assert_int_equal(got.version, 1);
        assert_int_equal(change_row(k, &got, true), OK);
}

/* What a sender wants to hear, and a reverse path of a recipient's own, come back. */
static void wishes_are_kept(void **state)
{
        struct kit *k = *state;
        struct queue_row row = row_to(k, "a@b", "c@d", 5), got;
        struct buf b = {0};
        row.list = 77;
        row.envelope_id = STR("QQ+2B1");
        row.returned = RETURN_HEADERS;
        row.recipients[0].notify = NOTIFY_SUCCESS | NOTIFY_DELAY;
        row.recipients[0].original = STR("rfc822;x@b");
        row.recipients[1].own_sender = true;
        row.recipients[1].sender = STR("eng+bounce-1@team.example");
        queue_write(&row, &b);
        assert_int_equal(queue_read(buf_str(&b), k->arena, &got), OK);
        assert_int_equal(got.list, 77);
        assert_str(got.envelope_id, "QQ+2B1");
        assert_int_equal(got.returned, RETURN_HEADERS);
        assert_int_equal(got.recipients[0].notify, NOTIFY_SUCCESS | NOTIFY_DELAY);
        assert_str(got.recipients[0].original, "rfc822;x@b");
        assert_false(got.recipients[0].own_sender);
        assert_int_equal(got.recipients[1].notify, NOTIFY_USUAL);
        assert_true(got.recipients[1].own_sender);
        assert_str(got.recipients[1].sender, "eng+bounce-1@team.example");
        for (size_t n = 0; n < b.len; n++)
                assert_int_equal(queue_read(str_make(b.at, n), k->arena, &got), DAMAGED);
        buf_release(&b);
}

/* A row that waited when this was brought up to date is sent. */
static void first_version_is_read(void **state)
{
        static const char old[] = "\1"
                                  "\7"
                                  "\2"
                                  "\3"
                                  "\4"
                                  "\x80\0\0\0\0\0\0\144"
                                  "\x80\0\0\0\0\0\1\364"
                                  "\4"
                                  "\3a@b"
                                  "\0"
                                  "\1"
                                  "\3c@d"
                                  "\1"
                                  "\0";
        struct kit *k = *state;
        struct queue_row got;
        assert_int_equal(queue_read(str_make(old, sizeof old - 1), k->arena, &got), OK);
        assert_int_equal(got.message, 7);
        assert_int_equal(got.created, 100);
        assert_int_equal(got.next, 500);
        assert_true(got.eight_bit && !got.hold && !got.list);
        assert_int_equal(got.recipient_count, 1);
        assert_str(got.recipients[0].address, "c@d");
        assert_int_equal(got.recipients[0].notify, NOTIFY_USUAL);
        assert_false(got.recipients[0].own_sender);
}

/* A list's row waits before it names anybody; a part of a row is a row of its own. */
static void lists_and_parts(void **state)
{
        struct kit *k = *state;
        struct filing f = filing_of(k, "l@x");
        struct queue_row list = row_to(k, "a@b", NULL, 500), part = row_to(k, "a@b", NULL, 600),
                         other = row_to(k, "a@b", NULL, 600);
        time_t at;
        list.list = 9;
        list.recipient_count = 0;
        add(k, &f, &list);
        assert_int_equal(queue_next(k->store, &at), OK);
        assert_int_equal(at, 500);
        add(k, &f, &part);
        other.part = true;
        add(k, &f, &other);
        assert_int_not_equal(part.id, other.id);
        kit_check(k);
        list.recipient_count = 1; /* who has it already */
        list.recipients[0].state = QUEUE_DONE;
        list.after = 5;
        list.next = 550;
        assert_int_equal(change_row(k, &list, false), OK);
        assert_int_equal(queue_next(k->store, &at), OK);
        assert_int_equal(at, 550);
        assert_int_equal(queue_get(k->store, list.id, k->arena, &list), OK);
        assert_int_equal(list.after, 5);
        list.hold = true;
        assert_int_equal(change_row(k, &list, false), OK);
        assert_int_equal(queue_next(k->store, &at), OK);
        assert_int_equal(at, 600);
        kit_check(k);
}

/* A post that is there already went out when it came first. */
static void not_again(void **state)
{
        struct kit *k = *state;
        struct filing f = filing_of(k, "n@x");
        struct queue_row row = row_to(k, "a@b", NULL, 500);
        struct filing_entry e = {.already = true};
        row.list = 9;
        row.unless = &e;
        add(k, &f, &row);
        assert_int_equal(row.id, 0);
        e.already = false;
        add(k, &f, &row);
        assert_int_not_equal(row.id, 0);
        kit_check(k);
}

static void damaged_rows_are_refused(void **state)
{
        struct kit *k = *state;
        struct queue_row row = row_to(k, "a@b", "c@d", -5), got;
        struct buf b = {0};
        row.hold = row.eight_bit = true;
        queue_write(&row, &b);
        assert_int_equal(queue_read(buf_str(&b), k->arena, &got), OK);
        assert_int_equal(got.next, -5);
        assert_true(got.hold && got.eight_bit && !got.warned);
        assert_str(got.recipients[1].address, "c@d");
        for (size_t n = 0; n < b.len; n++)
                assert_int_equal(queue_read(str_make(b.at, n), k->arena, &got), DAMAGED);
        buf_release(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(holds_the_message, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(shared_with_a_folder, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(once, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(in_order_of_time, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(versions, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(wishes_are_kept, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(first_version_is_read, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(not_again, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(lists_and_parts, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(damaged_rows_are_refused, kit_begin, kit_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
