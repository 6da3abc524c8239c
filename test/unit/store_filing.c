#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store_kit.h"
#include "store/codec.h"
#include "store/inside.h"
#include "store/writer.h"

static void one_message(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "eng.backend"), other = kit_topic(k, "eng.web"), number = 0;
        struct str text = STR("Subject: x\r\n\r\nbody\r\n");
        struct filing_entry e[2] = {
                {.mailbox = topic,
                        .prefix = STR("List-Id: <eng.backend>\r\n"),
                        .news = true,
                        .date = 1700000001},
                {.mailbox = other, .news = true, .date = 1700000002},
        };
        struct filing f = {.bytes = text,
                .derived = kit_derived(k, "a@x", ""),
                .entries = e,
                .entry_count = 2,
                .site = STR("news.team.example")};
        assert_int_equal(message_file(k->store, &f), OK);
        assert_int_equal(e[0].number, 1);
        assert_int_equal(e[1].number, 1);

        struct entry entry;
        const char *xref = "Xref: news.team.example eng.backend:1 eng.web:1\r\n";
        assert_int_equal(entry_read(k->store, topic, 1, &entry), OK);
        assert_int_equal(entry.message, f.message);
        assert_int_equal(entry.date, 1700000001);
        assert_int_equal(entry.prefix_size, e[0].prefix.len + strlen(xref));
        assert_int_equal(entry.size, entry.prefix_size + text.len);
        assert_int_equal(entry_read(k->store, topic, 2, &entry), ABSENT);

        struct buf b = {0};
        assert_int_equal(prefix_read(k->store, topic, 1, &b), OK);
        assert_true(str_starts(buf_str(&b), e[0].prefix));
        assert_true(str_ends(buf_str(&b), str_of(xref)));
        buf_clear(&b);
        assert_int_equal(message_octets(k->store, f.message, 0, 1000, &b), OK);
        assert_true(str_eq(buf_str(&b), text));
        buf_clear(&b);
        assert_int_equal(message_octets(k->store, f.message, 9, 1, &b), OK);
        assert_true(str_eq(buf_str(&b), STR("x")));
        assert_int_equal(message_octets(k->store, f.message, 900, 1, &b), OK);
        assert_int_equal(b.len, 1);
        assert_int_equal(message_octets(k->store, f.message + 1, 0, 1, &b), ABSENT);

        const struct view *view;
        struct overview_range range = {1, 100, 10000};
        buf_clear(&b);
        assert_int_equal(view_open(k->store, topic, &view), OK);
        assert_int_equal(overview_read(k->store, view, &range, &b, &number), OK);
        assert_string_equal(buf_text(&b),
                "1\tSubject\tAna\tdate\t<a@x>\t\t93\t3\tXref: news.team.example eng.backend:1 "
                "eng.web:1\r\n");
        assert_int_equal(number, 0);
        view_close(k->store, view);
        buf_release(&b);
}

static void what_was_derived(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t");
        struct letter l = {.id = "a@x", .mailbox = topic};
        uint64_t id = kit_file(k, &l, NULL), gone = id + 1000;
        uint64_t ids[] = {gone, id};
        struct stored s[2];
        unsigned all = READ_ENVELOPE | READ_STRUCTURE | READ_BODY | READ_PARTS | READ_SUMMARY;
        assert_int_equal(messages_read(k->store, ids, 2, all, k->arena, s), OK);
        assert_int_equal(s[0].id, 0);
        assert_int_equal(s[1].id, id);
        assert_str(s[1].envelope, "(NIL \"Subject\")");
        assert_str(s[1].structure, "(\"text\" \"plain\" x)");
        assert_str(s[1].body, "(\"text\" \"plain\")");
        assert_str(s[1].parts, "parts");
        assert_str(s[1].message_id, "<a@x>");
        assert_str(s[1].from, "ana@team.example");
        assert_int_equal(s[1].lines, 3);
        assert_int_equal(s[1].header_size, 10);
        assert_true(s[1].dots);
        assert_int_equal(messages_read(k->store, ids, 2, READ_SIZES, k->arena, s), OK);
        assert_int_equal(s[1].id, id);
        assert_int_equal(s[1].envelope.len, 0);
}

/* Many ascending ids are read in bulk, and give the same as one by one. */
static void many_messages(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t");
        uint64_t ids[60];
        struct stored one, all[60];
        char id[32], text[64];
        for (unsigned i = 0; i < COUNT_OF(ids); i++) {
                struct letter l = {.id = id, .text = text, .mailbox = topic};
                (void)snprintf(id, sizeof id, "%u@x", i);
                (void)snprintf(
                        text, sizeof text, "Subject: %u\r\n\r\n%*u\r\n", i, (int)(i % 30) + 1, i);
                ids[i] = kit_file(k, &l, NULL);
        }
        struct numset *some = kit_set("3,7:12,60"), *every = kit_set("1:60");
        struct change *change = change_new(k->store);
        change_expunge(change, topic, some, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_int_equal(
                messages_read(k->store, ids, COUNT_OF(ids), READ_SUMMARY, k->arena, all), OK);
        for (unsigned i = 0; i < COUNT_OF(ids); i++) {
                assert_int_equal(
                        messages_read(k->store, &ids[i], 1, READ_SUMMARY, k->arena, &one), OK);
                assert_int_equal(one.id, numset_has(some, i + 1) ? 0 : ids[i]);
                assert_int_equal(all[i].id, one.id);
                assert_int_equal(all[i].size, one.size);
                assert_true(str_eq(all[i].message_id, one.message_id));
        }
        struct entry entries[7];
        uint32_t from = 0, seen = 0;
        do {
                size_t count = COUNT_OF(entries);
                assert_int_equal(entries_read(k->store, topic, every, &from, entries, &count), OK);
                for (size_t i = 0; i < count; i++, seen++) {
                        assert_false(numset_has(some, entries[i].number));
                        assert_int_equal(entries[i].message, ids[entries[i].number - 1]);
                }
        } while (from);
        assert_int_equal(seen, 60 - 8);
        numset_free(some);
        numset_free(every);
}

struct delivery {
        const char *name;
        const char *id, *text;
        bool once, unique;
        enum status status;
        bool already;
        uint32_t number;
        unsigned message; /* the same number: the same message */
};

/* Duplicates: the same message again, the same Message-ID over other octets. */
static void duplicates(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t");
        static const struct delivery table[] = {
                /* clang-format off */
                {"first", "a@x", "one\r\n\r\n1\r\n", true, false, OK, false, 1, 1},
                {"again, once", "a@x", "one\r\n\r\n1\r\n", true, false, OK, true, 1, 1},
                {"again, appended", "a@x", "one\r\n\r\n1\r\n", false, false, OK, false, 2, 1},
                {"other octets", "a@x", "two\r\n\r\n1\r\n", true, false, OK, false, 3, 2},
                {"other octets, news", "a@x", "six\r\n\r\n1\r\n", true, true, EXISTS, false, 0, 0},
                {"other octets again", "a@x", "two\r\n\r\n1\r\n", true, false, OK, true, 3, 2},
                {"other id, same octets", "b@x", "one\r\n\r\n1\r\n", true, false, OK, false, 4, 3},
                {"new, news", "c@x", "new\r\n\r\n1\r\n", true, true, OK, false, 5, 4},
        }; /* clang-format on */
        uint64_t ids[5] = {0};
        for (size_t i = 0; i < COUNT_OF(table); i++) {
                const struct delivery *d = &table[i];
                struct filing_entry e = {.mailbox = topic};
                struct filing f = {.bytes = str_of(d->text),
                        .derived = kit_derived(k, d->id, ""),
                        .entries = &e,
                        .entry_count = 1,
                        .once = d->once,
                        .unique_id = d->unique};
                enum status st = message_file(k->store, &f);
                if (st != d->status)
                        print_error("%s: %s\n", d->name, status_name(st));
                assert_int_equal(st, d->status);
                if (st != OK)
                        continue;
                assert_int_equal(e.number, d->number);
                assert_int_equal(e.already, d->already);
                if (!ids[d->message])
                        ids[d->message] = f.message;
                assert_int_equal(f.message, ids[d->message]);
        }
        uint64_t id;
        assert_int_equal(message_find(k->store, STR("<a@x>"), &id), OK);
        assert_int_equal(id, ids[1]);
        assert_int_equal(message_find(k->store, STR("<z@x>"), &id), ABSENT);
        struct place places[3];
        size_t count = 3;
        assert_int_equal(message_places(k->store, ids[1], places, &count), OK);
        assert_int_equal(count, 2);
        assert_int_equal(places[1].number, 2);
}

/* Whoever sends ever new messages under one Message-ID makes nobody wait, and hides no copy that
 * came lately; and news takes no such id. */
static void one_id_for_all(void **state)
{
        enum { COUNT = 200 };
        struct kit *k = *state;
        uint32_t ana = kit_person(k, "ana"), topic = kit_topic(k, "t");
        struct filing_entry e = {.mailbox = kit_folder(k, ana, "F")};
        struct filing f = {.derived = kit_derived(k, "a@x", ""),
                .entries = &e,
                .entry_count = 1,
                .once = true};
        for (unsigned i = 0; i <= COUNT; i++) {
                f.bytes = arena_printf(k->arena, "%u", i < COUNT ? i : COUNT - 20);
                assert_int_equal(message_file(k->store, &f), OK);
        }
        assert_true(e.already);
        assert_int_equal(e.number, COUNT - 19);
        e.mailbox = topic;
        f.unique_id = true;
        f.bytes = STR("news");
        assert_int_equal(message_file(k->store, &f), EXISTS);
}

/* Copies in folders neither show nor hide where a message is to be read by all. */
static void places_in_topics(void **state)
{
        enum { COPIES = 70 };
        struct kit *k = *state;
        uint32_t ana = kit_person(k, "ana"), folder = kit_folder(k, ana, "F");
        struct letter letter = {.id = "a@x", .mailbox = folder};
        struct place found[COPIES];
        size_t count = 1;
        for (unsigned i = 0; i < COPIES; i++)
                kit_file(k, &letter, NULL);
        letter.mailbox = kit_topic(k, "t");
        uint64_t id = kit_file(k, &letter, NULL);
        assert_int_equal(message_places(k->store, id, found, &count), OK);
        assert_int_equal(count, 1);
        assert_int_equal(found[0].mailbox, letter.mailbox);
        count = COPIES;
        kit_file(k, &letter, NULL);
        assert_int_equal(message_places(k->store, id, found, &count), OK);
        assert_int_equal(count, 2);
        assert_int_equal(found[1].number, 2);
}

static void to_nowhere(void **state)
{
        struct kit *k = *state;
        struct filing_entry e[2] = {{.mailbox = kit_topic(k, "t")}, {.mailbox = 4711}};
        struct filing f = {.bytes = STR("x"),
                .derived = kit_derived(k, "a@x", ""),
                .entries = e,
                .entry_count = 2};
        uint64_t id;
        assert_int_equal(message_file(k->store, &f), ABSENT);
        assert_int_equal(message_find(k->store, STR("<a@x>"), &id), ABSENT);
}

/* Octets of which no two stretches are alike, and others that are easily compressed. */
static struct str long_text(struct arena *arena, size_t size, bool dull)
{
        char *at = arena_alloc(arena, size + 1);
        uint64_t dice = 88172645463325252u;
        for (size_t i = 0; i < size; i++) {
                dice ^= dice << 13;
                dice ^= dice >> 7;
                dice ^= dice << 17;
                at[i] = dull ? (char)('a' + i / 1000 % 26) : (char)(dice >> 20);
        }
        return str_make(at, size);
}

static void any_size(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t");
        static const size_t sizes[] = {
                0, 1, 65535, 65536, 65537, 200000, 4 << 20, (4 << 20) + 1, 5000000};
        for (unsigned i = 0; i < 2 * COUNT_OF(sizes); i++) {
                struct str text = long_text(k->arena, sizes[i / 2], i % 2);
                struct filing_entry e = {.mailbox = topic};
                struct derived *d = kit_derived(k, arena_printf(k->arena, "%u@x", i).at, "");
                struct filing f = {.bytes = text, .derived = d, .entries = &e, .entry_count = 1};
                struct buf b = {0};
                assert_int_equal(message_file(k->store, &f), OK);
                assert_int_equal(message_octets(k->store, f.message, 0, UINT64_MAX, &b), OK);
                assert_true(str_eq(buf_str(&b), text));
                buf_clear(&b);
                assert_int_equal(message_octets(k->store, f.message, 65530, 10, &b), OK);
                assert_true(str_eq(buf_str(&b), str_sub(text, 65530, 10)));
                buf_release(&b);
        }
}

/* Octets that were read ahead are those of message_octets, among messages that are too long for it,
 * that lie elsewhere, and that have gone. */
static void read_ahead(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t");
        static const size_t sizes[] = {1, 3000, 0, 32768, 32769, 70000, 200, (4 << 20) + 1, 90, 5000};
        enum { COUNT = 4 * COUNT_OF(sizes) };
        uint64_t ids[COUNT];
        struct stored all[COUNT];
        unsigned ahead = 0;
        for (unsigned i = 0; i < COUNT; i++) {
                struct filing_entry e = {.mailbox = topic};
                struct derived *d = kit_derived(k, arena_printf(k->arena, "%u@x", i).at, "");
                struct filing f = {.bytes = long_text(k->arena, sizes[i % COUNT_OF(sizes)], i % 2),
                        .derived = d, .entries = &e, .entry_count = 1};
                assert_int_equal(message_file(k->store, &f), OK);
                ids[i] = f.message;
        }
        struct numset *some = kit_set("2,10:12,25");
        struct change *change = change_new(k->store);
        change_expunge(change, topic, some, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_int_equal(messages_read(k->store, ids, COUNT, READ_OCTETS, k->arena, all), OK);
        for (unsigned i = 0; i < COUNT; i++) {
                struct buf b = {0}, c = {0};
                assert_int_equal(all[i].id, numset_has(some, i + 1) ? 0 : ids[i]);
                ahead += all[i].packed.at != NULL;
                if (!all[i].id)
                        continue;
                for (unsigned from = 0; from < 70000; from += 32766) {
                        uint64_t len = from ? 7 : UINT64_MAX;
                        assert_int_equal(message_octets(k->store, ids[i], from, len, &b), OK);
                        assert_int_equal(stored_octets(k->store, &all[i], from, len, &c), OK);
                }
                assert_true(str_eq(buf_str(&b), buf_str(&c)));
                buf_release(&b);
                buf_release(&c);
        }
        assert_true(ahead >= 20 && ahead <= 28);
        numset_free(some);
}

static size_t count_keys(struct kit *k, enum table table)
{
        struct scan *scan = scan_open(k->store->env, NULL, table, STR_NONE, STR_NONE);
        struct str key, value;
        size_t count = 0;
        while (scan_next(scan, &key, &value) == OK)
                count++;
        scan_close(scan);
        return count;
}

/* A long body that came to nothing leaves nothing: refused, or the same message was here already.
 */
static void long_for_nothing(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t");
        struct filing_entry e = {.mailbox = 4711};
        struct filing f = {.bytes = long_text(k->arena, 5000000, true),
                .derived = kit_derived(k, "a@x", ""),
                .entries = &e,
                .entry_count = 1,
                .once = true};
        assert_int_equal(message_file(k->store, &f), ABSENT);
        assert_int_equal(count_keys(k, TABLE_BODY), 0);
        e.mailbox = topic;
        assert_int_equal(message_file(k->store, &f), OK);
        size_t chunks = count_keys(k, TABLE_BODY);
        assert_int_equal(message_file(k->store, &f), OK);
        assert_true(e.already);
        assert_int_equal(count_keys(k, TABLE_BODY), chunks);

        struct change *change = change_new(k->store); /* built, never committed */
        f.derived = kit_derived(k, "b@x", "");
        assert_int_equal(change_file(change, &f), OK);
        change_free(change);
        assert_int_equal(count_keys(k, TABLE_BODY), chunks);
}

static void expunge(struct kit *k, uint32_t mailbox, const char *numbers, const char *expected)
{
        struct numset *set = kit_set(numbers), *gone = numset_new();
        struct change *change = change_new(k->store);
        change_expunge(change, mailbox, set, gone);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_set(gone, expected);
        numset_free(set);
        numset_free(gone);
}

/* A message goes with the last entry that shows it. */
static void shown_twice(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t"), ana = kit_person(k, "ana"),
                 folder = kit_folder(k, ana, "Lists/t");
        struct letter l = {.id = "a@x", .mailbox = topic};
        uint64_t id = kit_file(k, &l, NULL);
        l.id = "b@x";
        kit_file(k, &l, NULL);
        struct numset *all = kit_set("1:9"), *from = numset_new(), *to = numset_new();
        struct copying copying = {.from = topic,
                .to = folder,
                .person = ana,
                .numbers = all,
                .from_numbers = from,
                .to_numbers = to};
        struct change *change = change_new(k->store);
        change_copy(change, &copying);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_set(from, "1:2");
        assert_set(to, "1:2");
        struct entry e;
        assert_int_equal(entry_read(k->store, folder, 1, &e), OK);
        assert_int_equal(e.message, id);
        assert_int_equal(e.prefix_size, 0);
        assert_int_equal(e.date, 1700000001);
        expunge(k, topic, "1:2", "1:2");
        expunge(k, topic, "1:2", "");
        uint64_t found;
        assert_int_equal(message_find(k->store, STR("<a@x>"), &found), OK);
        expunge(k, folder, "1", "1");
        assert_int_equal(message_find(k->store, STR("<a@x>"), &found), ABSENT);
        assert_int_equal(message_find(k->store, STR("<b@x>"), &found), OK);
        expunge(k, folder, "1:*", "2");
        assert_int_equal(count_keys(k, TABLE_BODY) + count_keys(k, TABLE_MESSAGE) +
                                 count_keys(k, TABLE_DERIVED),
                0);
        assert_int_equal(
                count_keys(k, TABLE_ID) + count_keys(k, TABLE_PLACE) + count_keys(k, TABLE_ENTRY),
                0);
        numset_free(all);
        numset_free(from);
        numset_free(to);
}

/* More than one transaction may remove: numbers at once, octets soon after. */
static void many_go(void **state)
{
        struct kit *k = *state;
        uint32_t ana = kit_person(k, "ana"), folder = kit_folder(k, ana, "Big"),
                 other = kit_folder(k, ana, "Kept");
        enum { EACH = 50, ROUNDS = 14 };
        struct filing f[EACH];
        struct filing_entry e[EACH];
        for (unsigned round = 0; round < ROUNDS; round++) {
                struct change *change = change_new(k->store);
                for (unsigned i = 0; i < EACH; i++) {
                        struct str id = arena_printf(k->arena, "%u@x", round * EACH + i);
                        e[i] = (struct filing_entry){
                                .mailbox = i ? folder : other, .person = ana, .flags = FLAG_SEEN};
                        f[i] = (struct filing){.bytes = id,
                                .derived = kit_derived(k, id.at, ""),
                                .entries = &e[i],
                                .entry_count = 1};
                        assert_int_equal(change_file(change, &f[i]), OK);
                }
                assert_int_equal(store_commit(change), OK);
                change_free(change);
        }
        expunge(k, folder, "1:650", "1:650");
        assert_int_equal(count_keys(k, TABLE_MESSAGE), EACH * ROUNDS - 650);
        struct change *change = change_new(k->store);
        struct mailbox m;
        change_mailbox_remove(change, folder);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_int_equal(count_keys(k, TABLE_MESSAGE), ROUNDS);
        assert_int_equal(mailbox_find(k->store, ana, STR("Big"), k->arena, &m), ABSENT);
        assert_int_equal(mailbox_get(k->store, folder, k->arena, &m), ABSENT);
}

/* ---- a change that fails as the environment does takes everything back, counters too ---- */

static enum status fine(struct txn *txn, struct op *op)
{
        (void)txn;
        (void)op;
        return OK;
}

static enum status cannot(struct txn *txn, struct op *op)
{
        (void)txn;
        (void)op;
        return BROKEN;
}

static void op_free(struct op *op)
{
        free(op);
}

static const struct op_kind failing = {"failing", fine, cannot, NULL, op_free};

static void taken_back(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t"), number;
        struct letter l = {.id = "a@x", .mailbox = topic};
        kit_file(k, &l, NULL);
        struct filing_entry e = {.mailbox = topic, .history = true};
        struct filing f = {.bytes = STR("x"),
                .derived = kit_derived(k, "b@x", "z@x"),
                .entries = &e,
                .entry_count = 1};
        struct change *change = change_new(k->store);
        struct person p = {.name = STR("ana")};
        assert_int_equal(change_file(change, &f), OK);
        change_person(change, &p, NULL);
        struct op *op = mem_new(sizeof *op);
        op->kind = &failing;
        change_op(change, op);
        assert_int_equal(store_commit(change), BROKEN);
        change_free(change);
        uint64_t id;
        assert_int_equal(message_find(k->store, STR("<b@x>"), &id), ABSENT);
        assert_int_equal(person_find(k->store, STR("ana"), k->arena, &p), ABSENT);
        kit_check(k);
        l.id = "c@x";
        kit_file(k, &l, &number);
        assert_int_equal(number, 2);
        assert_int_equal(kit_person(k, "ana"), 1);
}

/* Prefixes that differ little rest on one text; a new one is made when they differ much, but not for
 * each; what they are stays exact when the first entry has gone, after a restart, and beside many
 * mailboxes; and with the mailbox their texts go. */
static void prefixes_rest(void **state)
{
        struct kit *k = *state;
        enum { MANY = 300 };
        uint32_t topic = kit_topic(k, "eng.backend");
        struct buf prefix = {0}, back = {0}, want[MANY + 1] = {{0}};
        for (unsigned i = 1; i <= MANY; i++) {
                char id[32];
                snprintf(id, sizeof id, "p%u@x", i);
                buf_clear(&prefix);
                buf_addf(&prefix, "Received: by a server of a certain name; id %u\r\nList-Id: <one that "
                                  "is said by all of them>\r\n", i * 7919);
                for (unsigned j = 0; i > 200 && i <= 210 && j < 20; j++)
                        buf_addf(&prefix, "Other-%u: %u\r\n", i * 31 + j, i * j);
                struct filing_entry e = {.mailbox = topic, .prefix = buf_str(&prefix), .news = true};
                struct filing f = {.bytes = STR("A: b\r\n\r\nc\r\n"),
                        .derived = kit_derived(k, id, ""),
                        .entries = &e,
                        .entry_count = 1,
                        .site = STR("s")};
                assert_int_equal(message_file(k->store, &f), OK);
                buf_addf(&want[i], "%.*sXref: s eng.backend:%u\r\n", STR_ARG(buf_str(&prefix)), i);
                if (i == 100)
                        kit_reopen(k);
        }
        size_t bases = count_keys(k, TABLE_PREFIX);
        assert_in_range(bases, 1, 4);
        struct numset *first = numset_new();
        numset_add(first, 1);
        struct change *change = change_new(k->store);
        change_expunge(change, topic, first, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        for (unsigned turn = 0; turn < 2; turn++) {
                for (uint32_t i = 2; i <= MANY; i++) {
                        struct entry entry;
                        buf_clear(&back);
                        assert_int_equal(entry_read_whole(k->store, &(struct place){topic, i}, &entry,
                                                 &back), OK);
                        assert_int_equal(entry.prefix_size, want[i].len);
                        assert_string_equal(buf_text(&back), buf_text(&want[i]));
                }
                kit_check(k);
                kit_reopen(k);
        }
        change = change_new(k->store);
        change_mailbox_remove(change, topic);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_int_equal(count_keys(k, TABLE_PREFIX), 0);
        numset_free(first);
        buf_release(&prefix);
        buf_release(&back);
        for (unsigned i = 0; i <= MANY; i++)
                buf_release(&want[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(one_message, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(prefixes_rest, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(what_was_derived, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(many_messages, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(duplicates, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(one_id_for_all, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(places_in_topics, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(to_nowhere, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(any_size, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(read_ahead, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(long_for_nothing, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(shown_twice, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(many_go, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(taken_back, kit_begin, kit_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
