#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/crypt.h"
#include "base/log.h"
#include "store/body.h"
#include "store/codec.h"
#include "store/codec_task.h"
#include <fcntl.h>

static uint64_t dice = 88172645463325252u;

static uint32_t roll(uint32_t below)
{
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        return (uint32_t)(dice >> 20) % below;
}

static void assert_below(struct key a, struct key b)
{
        assert_true(str_cmp(key_str(&a), key_str(&b)) < 0);
}

/* The order of keys is the order of what they are made of. */
static void order_of_keys(void **state)
{
        (void)state;
        assert_below(key_entry(1, 255), key_entry(1, 256));
        assert_below(key_entry(1, UINT32_MAX), key_entry(2, 0));
        assert_below(key_message(255), key_message(256));
        assert_below(key_body(7, 1), key_body(7, 300));
        assert_below(key_mark(1, 2, 0, 300), key_mark(1, 2, 1, 0));
        assert_below(key_change(1, 2, 255), key_change(1, 2, 256));
        assert_below(key_change(1, 0, UINT64_MAX), key_change(1, 1, 0));
        assert_below(key_digest(1, -1), key_digest(1, 0));
        assert_below(key_digest(1, 20000), key_digest(1, 20001));
        struct due d = {.at = 1000, .kind = DUE_DIGEST, .person = UINT32_MAX},
                   later = {.at = 1001, .kind = DUE_DIGEST};
        assert_below(key_due_at(&d), key_due_at(&later));
        assert_below(key_due_at(&d), key_due_until(1000));
        assert_below(key_due_until(1000), key_due_at(&later));
        assert_below(key_due_first(), key_due_at(&d));
}

static void keys_back(void **state)
{
        (void)state;
        struct key k = key_entry(3, 4);
        uint32_t a, b;
        uint64_t x, y;
        struct place p;
        struct str name;
        unsigned char hash[HASH_SIZE] = {1, 2, 3};
        const unsigned char *found;
        assert_true(key_entry_read(key_str(&k), &a, &b));
        assert_int_equal(a * 10 + b, 34);
        k = key_place(1ull << 40, 5, 6);
        assert_true(key_place_read(key_str(&k), &x, &p));
        assert_int_equal(x, 1ull << 40);
        assert_int_equal(p.mailbox * 10 + p.number, 56);
        k = key_id(hash, 77);
        assert_true(key_id_read(key_str(&k), &found, &x));
        assert_memory_equal(found, hash, HASH_SIZE);
        assert_int_equal(x, 77);
        k = key_thread(9);
        assert_true(key_thread_read(key_str(&k), &x));
        assert_false(key_member_read(key_str(&k), &x, &y));
        k = key_member(9, 8);
        assert_false(key_thread_read(key_str(&k), &x));
        assert_true(key_member_read(key_str(&k), &x, &y));
        assert_int_equal(x * 10 + y, 98);
        k = key_mark(1, 2, 3, 4);
        assert_true(key_mark_read(key_str(&k), &a, &b, &p));
        assert_int_equal(a * 1000 + b * 100 + p.mailbox * 10 + p.number, 1234);
        k = key_leftover(LEFT_MAILBOX, 5);
        assert_true(key_leftover_read(key_str(&k), &x));
        assert_int_equal(x, 5);
        struct buf folder = {0};
        key_folder(6, STR("Lists/mutt"), &folder);
        assert_true(key_folder_read(buf_str(&folder), &a, &name));
        assert_int_equal(a, 6);
        assert_true(str_eq(name, STR("Lists/mutt")));
        buf_release(&folder);
        struct subscription s;
        k = key_subscriber(3, 4);
        assert_true(key_subscription_read(key_str(&k), &s));
        assert_int_equal(s.topic * 10 + s.person, 34);
        k = key_subscription(4, 3);
        assert_true(key_subscription_read(key_str(&k), &s));
        assert_int_equal(s.topic * 10 + s.person, 34);
        struct digest_record d;
        k = key_digest(8, -400);
        assert_true(key_digest_read(key_str(&k), &d));
        assert_int_equal(d.day, -400);
        struct due due = {.at = -5, .kind = DUE_DIGEST, .person = 9}, back;
        k = key_due_at(&due);
        assert_true(key_due_read(key_str(&k), &back));
        assert_int_equal(back.at, -5);
        assert_int_equal(back.person, 9);
        k = key_due_of(DUE_DIGEST, 9);
        assert_false(key_due_read(key_str(&k), &back));
}

/* Each shorter piece of a record is refused, never read beyond. */
#define assert_refuses_shorter(b, read)                                                            \
        for (size_t cut = 0; cut < (b).len; cut++) {                                               \
                char *exact = mem_copy((b).at, cut + 1);                                           \
                struct str value = str_make(exact, cut);                                           \
                assert_int_equal((read), DAMAGED);                                                 \
                free(exact);                                                                       \
        }

static void messages(void **state)
{
        (void)state;
        struct derived d = {.message_id = STR("<m@x>"),
                .base_subject = STR("b"),
                .references = (struct str[]){STR("<r1@x>"), STR("<a@x>")},
                .reference_count = 2,
                .header_size = 3,
                .lines = 4,
                .date = -1,
                .dots = true,
                .automatic = true,
                .reply = true};
        struct message_record m, back;
        struct buf b = {0}, references = {0};
        unsigned char hash[SHA256_SIZE];
        message_of(&d, &references, &m);
        sha256(STR("<m@x>"), hash);
        assert_memory_equal(m.id_hash, hash, HASH_SIZE);
        sha256(STR("b"), hash);
        assert_memory_equal(m.subject_key, hash, REFERENCE_SIZE);
        sha256(STR("<a@x>"), hash);
        assert_int_equal(m.references.len, 2 * REFERENCE_SIZE);
        assert_memory_equal(m.references.at + REFERENCE_SIZE, hash, REFERENCE_SIZE);
        m.body = 1;
        m.size = 1ull << 33;
        m.modseq = 1ull << 50;
        m.refs = 5;
        memset(m.byte_hash, 8, sizeof m.byte_hash);
        message_write(&m, &b);
        assert_int_equal(message_read(buf_str(&b), &back), OK);
        assert_int_equal(back.size, m.size);
        assert_int_equal(back.modseq, m.modseq);
        assert_int_equal(back.date, -1);
        assert_int_equal(back.refs, 5);
        assert_int_equal(back.header_size * 10 + back.lines, 34);
        assert_true(back.dots && back.automatic && back.reply && !back.attachment);
        assert_memory_equal(back.subject_key, m.subject_key, REFERENCE_SIZE);
        assert_true(str_eq(back.references, m.references));
        assert_memory_equal(back.id_hash, m.id_hash, HASH_SIZE);
        assert_memory_equal(back.byte_hash, m.byte_hash, HASH_SIZE);
        assert_refuses_shorter(b, message_read(value, &back));
        b.at[0] = 77; /* a version to come */
        assert_int_equal(message_read(buf_str(&b), &back), DAMAGED);
        buf_clear(&b);
        m.references.len--; /* no whole references */
        message_write(&m, &b);
        assert_int_equal(message_read(buf_str(&b), &back), DAMAGED);
        buf_clear(&references);
        d = (struct derived){.message_id = STR("<m@x>")};
        message_of(&d, &references, &m);
        for (size_t i = 0; i < REFERENCE_SIZE; i++)
                assert_int_equal(m.subject_key[i], 0);
        assert_int_equal(m.references.len, 0);
        buf_release(&references);
        buf_release(&b);
}

static void derived_and_threads(void **state)
{
        (void)state;
        struct buf b = {0};
        struct derived d = {.envelope = STR("e"),
                .message_id = STR("<a@x>"),
                .subject = STR("s"),
                .base_subject = STR("b"),
                .from = STR("f"),
                .from_name = STR("n"),
                .structure = STR("st"),
                .body = STR(""),
                .parts = STR("pp")};
        struct stored s;
        buf_clear(&b);
        derived_head_write(&d, &b);
        assert_int_equal(derived_head_read(buf_str(&b), &s), OK);
        assert_true(str_eq(s.from_name, d.from_name) && str_eq(s.message_id, d.message_id));
        assert_refuses_shorter(b, derived_head_read(value, &s));
        size_t apart = b.len;
        d.envelope = STR("(\"b s\" (\"n\" f) <a@x>)"); /* says it all */
        buf_clear(&b);
        derived_head_write(&d, &b);
        assert_int_equal(b.len, apart - 1 + d.envelope.len - 4);
        assert_int_equal(derived_head_read(buf_str(&b), &s), OK);
        assert_true(str_eq(s.message_id, d.message_id) && str_eq(s.subject, d.subject) &&
                    str_eq(s.base_subject, d.base_subject) && str_eq(s.from, d.from) &&
                    str_eq(s.from_name, d.from_name) && str_eq(s.envelope, d.envelope));
        assert_refuses_shorter(b, derived_head_read(value, &s));
        b.at[2 + d.envelope.len + 1] = (char)(d.envelope.len - 4); /* one octet too far on */
        assert_int_equal(derived_head_read(buf_str(&b), &s), DAMAGED);
        buf_clear(&b);
        derived_tail_write(&d, &b);
        assert_int_equal(derived_tail_read(buf_str(&b), &s), OK);
        assert_true(str_eq(s.parts, d.parts) && s.body.len == 0);

        struct thread_record t = {.root = 5,
                                     .parent = 6,
                                     .children = 7,
                                     .ghost = true,
                                     .id_hash = {1}},
                             t2;
        buf_clear(&b);
        thread_write(&t, &b);
        assert_int_equal(thread_read(buf_str(&b), &t2), OK);
        assert_true(t2.root == 5 && t2.parent == 6 && t2.children == 7 && t2.ghost);
        assert_memory_equal(t2.id_hash, t.id_hash, HASH_SIZE);
        assert_refuses_shorter(b, thread_read(value, &t2));

        struct chunk c = {CHUNK_RAW, 0xdeadbeef, 3, STR("abc")}, c2;
        buf_clear(&b);
        chunk_write(&c, &b);
        assert_int_equal(chunk_read(buf_str(&b), &c2), OK);
        assert_int_equal(c2.crc, c.crc);
        assert_true(str_eq(c2.data, c.data));
        assert_refuses_shorter(b, chunk_read(value, &c2));

        struct id_record i = {.ghost = true, .modseq = 300}, i2;
        buf_clear(&b);
        id_write(&i, &b);
        assert_int_equal(id_read(buf_str(&b), &i2), OK);
        assert_true(i2.ghost && i2.modseq == 300);
        buf_release(&b);
}

static void mailboxes(void **state)
{
        (void)state;
        struct mailbox m = {.kind = MAILBOX_FOLDER,
                               .owner = 3,
                               .use = USE_SENT,
                               .name = STR("Sent"),
                               .uid_validity = 4,
                               .next = 5,
                               .count = 6,
                               .modseq = 7,
                               .created = 8},
                       back;
        struct buf b = {0};
        mailbox_write(&m, &b);
        assert_int_equal(mailbox_read(buf_str(&b), &back), OK);
        assert_true(str_eq(back.name, m.name) && back.use == USE_SENT && back.owner == 3 &&
                    back.uid_validity == 4 && back.next == 5 && back.count == 6 &&
                    back.modseq == 7 && back.created == 8);
        assert_refuses_shorter(b, mailbox_read(value, &back));
        struct entry e = {.message = 1ull << 40, .body = 1ull << 41, .modseq = 2, .size = 30,
                .date = 4, .header_size = 6, .dots = true};
        struct packed packed = {.base = 7, .size = 5, .steps = STR("steps")}, packed2;
        struct entry e2;
        buf_clear(&b);
        entry_write(&e, &(struct packed){0}, &b);
        assert_int_equal(entry_decode(buf_str(&b), &e2, &packed2), OK);
        assert_true(e2.message == e.message && e2.body == e.body && e2.modseq == 2 &&
                    e2.size == 30 && e2.date == 4 && e2.header_size == 6 && e2.dots &&
                    e2.prefix_size == 0 && packed2.size == 0 && packed2.steps.len == 0);
        assert_refuses_shorter(b, entry_decode(value, &e2, &packed2));
        buf_clear(&b);
        e.body = e.message;
        e.dots = false;
        entry_write(&e, &packed, &b);
        assert_int_equal(entry_decode(buf_str(&b), &e2, &packed2), OK);
        assert_true(e2.body == e.message && !e2.dots && e2.prefix_size == 5 && packed2.base == 7 &&
                    str_eq(packed2.steps, packed.steps));
        struct folder_record f = {9, USE_TRASH}, f2;
        buf_clear(&b);
        folder_write(&f, &b);
        assert_int_equal(folder_read(buf_str(&b), &f2), OK);
        assert_true(f2.mailbox == 9 && f2.use == USE_TRASH);
        struct str text;
        buf_clear(&b);
        text_write(STR("a line\r\n"), &b);
        assert_int_equal(text_read(buf_str(&b), &text), OK);
        assert_true(str_eq(text, STR("a line\r\n")));
        buf_release(&b);
}

static void blocks(void **state)
{
        (void)state;
        for (unsigned round = 0; round < 200; round++) {
                struct block block = {{0}}, back;
                struct buf b = {0};
                uint32_t holes = round < 50 ? roll(4) : roll(3000);
                for (uint32_t i = 0; i < holes; i++)
                        for (uint32_t from = roll(BLOCK_NUMBERS), n = round % 2 ? 1 : roll(200);
                                n && from < BLOCK_NUMBERS; n--)
                                block_set(&block, from++);
                block_write(&block, &b);
                assert_true(b.len <= 2 + 512);
                assert_int_equal(block_read(buf_str(&b), &back), OK);
                assert_memory_equal(&block, &back, sizeof block);
                buf_release(&b);
        }
        struct block full, back;
        struct buf b = {0};
        memset(&full, 0xff, sizeof full);
        block_write(&full, &b);
        assert_int_equal(b.len, 5);
        assert_int_equal(block_read(buf_str(&b), &back), OK);
        assert_memory_equal(&full, &back, sizeof full);
        buf_add_varint(&b, 0); /* a run behind the end */
        buf_add_varint(&b, 0);
        assert_int_equal(block_read(buf_str(&b), &back), DAMAGED);
        buf_release(&b);
}

static void changes(void **state)
{
        (void)state;
        for (unsigned round = 0; round < 40; round++) {
                struct numset *set = numset_new(), *back = numset_new();
                struct buf b = {0};
                uint32_t spread = round % 4 == 3 ? UINT32_MAX - 1 : 100000;
                for (uint32_t i = 0; i < (round < 20 ? round : 40000); i++)
                        numset_add(set, 1 + roll(spread));
                numset_add_range(set, 5000, 5000 + round * 100);
                change_write(CHANGE_FLAGS, set, &b);
                assert_int_equal(change_read(buf_str(&b), back), OK);
                assert_true(numset_equal(set, back));
                for (unsigned i = 0; i < 50;
                        i++) { /* noise is refused or read, never a fault of ours */
                        struct numset *any = numset_new();
                        char *noise = mem_copy(b.at, b.len);
                        noise[roll((uint32_t)b.len)] = (char)roll(256);
                        (void)!change_read(str_make(noise, b.len), any);
                        numset_free(any);
                        free(noise);
                }
                numset_free(set);
                numset_free(back);
                buf_release(&b);
        }
}

static void people(void **state)
{
        (void)state;
        struct arena *arena = arena_new();
        struct str addresses[] = {STR("a@x"), STR("b@y")}, columns[] = {STR("To do"), STR("Done")};
        struct person p = {.name = STR("ana"),
                              .full_name = STR("Ana M"),
                              .password = STR("pw"),
                              .scram = STR("keys"),
                              .zone = STR("UTC"),
                              .addresses = addresses,
                              .address_count = 2,
                              .digest_minute = 450,
                              .hours_from = 540,
                              .hours_to = 1020,
                              .days = 62,
                              .admin = true,
                              .news_reads_mark = true,
                              .form = FORM_1153,
                              .created = 99,
                              .digest_to = STR("b@y"),
                              .outside = true,
                              .reach = {1, 2, 3, 4, 5}},
                      back;
        struct buf b = {0};
        person_write(&p, &b);
        assert_int_equal(person_read(buf_str(&b), arena, &back), OK);
        assert_true(str_eq(back.zone, p.zone) && back.address_count == 2 &&
                    str_eq(back.addresses[1], STR("b@y")));
        assert_true(back.digest_minute == 450 && back.hours_from == 540 && back.hours_to == 1020 &&
                    back.days == 62);
        assert_true(back.admin && !back.disabled && back.news_reads_mark &&
                    back.form == FORM_1153 && back.created == 99);
        assert_true(back.outside && back.reach.confirmed == 1 && back.reach.score == 2 &&
                    back.reach.bounced == 3 && back.reach.probed == 4 &&
                    back.reach.suspended == 5);
        assert_true(str_eq(back.digest_to, p.digest_to));
        assert_true(str_eq(back.scram, p.scram) && str_eq(back.password, p.password));
        assert_refuses_shorter(b, person_read(value, arena, &back));
        b.at[0] = 3; /* a record from before digests were mailed out */
        assert_int_equal(person_read(str_sub(buf_str(&b), 0, b.len - 4), arena, &back), OK);
        assert_true(back.reach.suspended == 5 && back.digest_to.len == 0);
        b.at[0] = 2; /* a record from before lists */
        assert_int_equal(person_read(str_sub(buf_str(&b), 0, b.len - 9), arena, &back), OK);
        assert_true(str_eq(back.scram, p.scram) && back.reach.confirmed == 0);
        b.at[0] = 1; /* a record from before SCRAM ends in front of it */
        assert_int_equal(person_read(str_sub(buf_str(&b), 0, b.len - 14), arena, &back), OK);
        assert_true(back.created == 99 && back.scram.len == 0);
        b.at[0] = 5;
        assert_int_equal(person_read(buf_str(&b), arena, &back), DAMAGED);
        struct topic t = {.name = STR("t"),
                             .about = STR("about"),
                             .owner = 4,
                             .access = ACCESS_SITE,
                             .columns = columns,
                             .column_count = 2,
                             .created = 5,
                             .each = 7},
                     t2;
        buf_clear(&b);
        topic_write(&t, &b);
        assert_int_equal(topic_read(buf_str(&b), arena, &t2), OK);
        assert_true(str_eq(t2.columns[1], STR("Done")) && t2.owner == 4 &&
                    t2.access == ACCESS_SITE && t2.created == 5 && t2.each == 7);
        assert_refuses_shorter(b, topic_read(value, arena, &t2));
        b.at[0] = 1; /* from before subscribers were counted */
        assert_int_equal(topic_read(str_sub(buf_str(&b), 0, b.len - 1), arena, &t2), OK);
        assert_true(t2.created == 5 && t2.each == EACH_UNKNOWN);
        buf_release(&b);
        arena_free(arena);
}

static void small_records(void **state)
{
        (void)state;
        struct buf b = {0};
        struct subscription s = {.mode = MODE_NAMED, .since = 6}, s2;
        buf_clear(&b);
        subscription_write(&s, &b);
        assert_int_equal(subscription_read(buf_str(&b), &s2), OK);
        assert_true(s2.mode == MODE_NAMED && s2.since == 6);
        struct digest_record d = {.at = 1, .message = 2, .items = STR("items")}, d2;
        buf_clear(&b);
        digest_write(&d, &b);
        assert_int_equal(digest_read(buf_str(&b), &d2), OK);
        assert_true(d2.at == 1 && d2.message == 2 && str_eq(d2.items, d.items));
        struct words w = {.at = {STR("$Junk"), STR(""), STR("later")}, .count = 3}, w2;
        buf_clear(&b);
        words_write(&w, &b);
        assert_int_equal(words_read(buf_str(&b), &w2), OK);
        assert_true(w2.count == 3 && str_eq(w2.at[2], STR("later")));
        assert_refuses_shorter(b, words_read(value, &w2));
        struct name_record n = {NAME_TOPIC, 300}, n2;
        buf_clear(&b);
        name_write(&n, &b);
        assert_int_equal(name_read(buf_str(&b), &n2), OK);
        assert_true(n2.kind == NAME_TOPIC && n2.id == 300);
        time_t at;
        buf_clear(&b);
        time_write(-7, &b);
        assert_int_equal(time_read(buf_str(&b), &at), OK);
        assert_int_equal(at, -7);
        buf_release(&b);
}

#define LISTS "List-Id: <t>\r\nList-Post: <mailto:t@s>\r\n"

static const struct {
        const char *name, *base, *text;
        size_t most; /* octets of the steps */
} prefix_rows[] = {
        {"of nothing", "", "A: b\r\n", 9},
        {"the same", LISTS, LISTS, 3},
        {"inside a line", "A: 1\r\nB: the time is 12:30\r\n" LISTS,
                "A: 1\r\nB: the time is 13:30\r\n" LISTS, 8},
        {"longer", "A: x1y\r\n" LISTS, "A: x22222y\r\n" LISTS, 12},
        {"shorter", "A: x22222y\r\n" LISTS, "A: x1y\r\n" LISTS, 8},
        {"repeated ends", "A: aab\r\n", "A: ab\r\n", 8},
        {"a field more", "A: 1\r\n" LISTS, "A: 1\r\nReferences: <x>\r\n" LISTS, 25},
        {"a field less", "A: 1\r\nReferences: <x>\r\n" LISTS, "A: 1\r\n" LISTS, 8},
        {"another order", "A: 1\r\nB: 2\r\nC: 3\r\n", "C: 3\r\nB: 2\r\nA: 1\r\n", 32},
        {"a field more at the end", LISTS, LISTS "Xref: s t:1\r\n", 20},
        {"folded", "A: 1\r\n\tby a; b: 2\r\n" LISTS, "A: 2\r\n\tby x; b: 2\r\n" LISTS, 14},
        {"no end of line", "A: 1", "A: 2", 8},
        {"no field", "\n\n:\nx", "\n:\n\nxx", 16},
        {"nothing alike", "abc", "xyzxyzxyz", 12},
};

static void prefixes(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(prefix_rows); i++) {
                struct buf steps = {0}, text = {0};
                struct str base = str_of(prefix_rows[i].base), want = str_of(prefix_rows[i].text);
                prefix_pack(base, want, &steps);
                struct packed p = {1, (uint32_t)want.len, buf_str(&steps)};
                if (steps.len > prefix_rows[i].most)
                        fail_msg("%s: %zu octets", prefix_rows[i].name, steps.len);
                assert_int_equal(prefix_unpack(base, &p, &text), OK);
                if (!str_eq(buf_str(&text), want))
                        fail_msg("%s: %s", prefix_rows[i].name, buf_text(&text));
                buf_release(&steps);
                buf_release(&text);
        }
}

/* Any two texts: of few letters, so that much is alike. */
static void prefixes_any(void **state)
{
        static const char letters[] = "A:b \n\r-a";
        uint64_t seed = 1;
        (void)state;
        for (unsigned round = 0; round < 20000; round++) {
                char octets[2][64];
                struct buf steps = {0}, text = {0};
                struct str pair[2];
                for (unsigned i = 0; i < 2; i++) {
                        size_t len = (seed >> 33) % sizeof octets[i];
                        for (size_t j = 0; j < sizeof octets[i]; j++) {
                                seed = seed * 6364136223846793005u + 1442695040888963407u;
                                bool same = i && (seed >> 40) % 8;
                                octets[i][j] = same ? octets[0][j] : letters[(seed >> 33) % 8];
                        }
                        pair[i] = str_make(octets[i], len);
                }
                prefix_pack(pair[0], pair[1], &steps);
                struct packed p = {1, (uint32_t)pair[1].len, buf_str(&steps)};
                assert_int_equal(prefix_unpack(pair[0], &p, &text), OK);
                assert_true(str_eq(buf_str(&text), pair[1]));
                buf_release(&steps);
                buf_release(&text);
        }
}

/* Steps that do not fit their base, or do not give what they say. */
static void prefixes_damaged(void **state)
{
        static const struct {
                const char *name;
                struct str steps;
                uint32_t size;
        } rows[] = {
                {"more than the base", {"\x05\x00\x00", 3}, 5},
                {"passes over more", {"\x01\x04\x00", 3}, 1},
                {"too long", {"\x04\x00\x01x", 4}, 4},
                {"too short", {"\x04\x00\x00", 3}, 5},
                {"cut off", {"\x04\x00", 2}, 4},
                {"literal cut off", {"\x00\x00\x05x", 4}, 5},
                {"a sum that wraps", {"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", 12}, 1},
                {"none", {"", 0}, 1},
        };
        (void)state;
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
                struct buf text = {0};
                struct packed p = {1, rows[i].size, rows[i].steps};
                if (prefix_unpack(STR("base"), &p, &text) != DAMAGED)
                        fail_msg("%s: taken", rows[i].name);
                buf_release(&text);
        }
}

static void task_keys(void **state)
{
        (void)state;
        uint32_t a, b;
        uint64_t root;
        struct place at;
        struct key k = key_task(7), event = key_task_pair(KEY_EVENT, 7, 300);
        assert_true(key_task_read(key_str(&k), KEY_TASK, &a, &b));
        assert_int_equal(a, 7);
        assert_false(key_task_read(key_str(&k), KEY_EVENT, &a, &b));
        assert_true(key_task_read(key_str(&event), KEY_EVENT, &a, &b));
        assert_int_equal(a * 1000 + b, 7300);
        assert_true(str_cmp(key_str(&k), key_str(&event)) < 0);
        k = key_task_root(0x123456789abcull);
        assert_true(key_task_root_read(key_str(&k), &root));
        assert_true(root == 0x123456789abcull);
        k = key_card_gone(20000, &(struct place){3, 4});
        assert_true(key_card_gone_read(key_str(&k), &a, &at));
        assert_int_equal(a, 20000);
        assert_int_equal(at.mailbox * 10 + at.number, 34);
        assert_false(key_card_gone_read(key_str(&event), &a, &at));
}

static void tasks(void **state)
{
        (void)state;
        uint32_t people[] = {5, 3}, waits[] = {9};
        struct str labels[] = {{"auth", 4}, {"ios", 3}};
        struct place cards[] = {{11, 12}, {13, 1u << 31}};
        struct task_record r = {.modseq = 1ull << 40,
                .task = {.version = 2, .placed = 3, .topic = 4, .root = 1ull << 33, .opener = 5,
                        .opened = 6, .changed = 7, .closed = 8, .title = STR("t"), .text = STR("x"),
                        .status = STR("to-do"), .assignees = people, .assignee_count = 2, .start = -1,
                        .due = DAY_NONE, .labels = labels, .label_count = 2, .priority = STR("low"),
                        .waits = waits, .wait_count = 1, .cards = cards, .card_count = 2, .card = 99}};
        struct task_record back;
        struct arena *arena = arena_new();
        struct buf b = {0};
        task_write(&r, &b);
        assert_int_equal(task_read(buf_str(&b), arena, &back), OK);
        const struct task *t = &back.task;
        assert_true(back.modseq == r.modseq && t->version == 2 && t->placed == 3 && t->topic == 4);
        assert_true(t->root == 1ull << 33 && t->opener == 5 && t->opened == 6 && t->changed == 7);
        assert_true(t->closed == 8 && str_eq(t->title, STR("t")) && str_eq(t->text, STR("x")));
        assert_true(str_eq(t->status, STR("to-do")) && str_eq(t->priority, STR("low")));
        assert_true(t->assignee_count == 2 && t->assignees[1] == 3 && t->start == -1);
        assert_true(t->due == DAY_NONE && t->label_count == 2 && str_eq(t->labels[1], labels[1]));
        assert_true(t->wait_count == 1 && t->waits[0] == 9 && t->card == 99);
        assert_true(t->card_count == 2 && t->cards[1].number == 1u << 31);
        assert_refuses_shorter(b, task_read(value, arena, &back));

        struct task_change changes[] = {{FIELD_DUE, STR_NONE, {"2026-11-27", 10}},
                {FIELD_TOPIC, {"a", 1}, {"b", 1}}};
        struct task_event e = {.person = 3, .at = 4, .undoes = 5, .conflict = true, .journal = 6,
                .changes = changes, .change_count = 2}, e2;
        buf_clear(&b);
        event_write(&e, &b);
        assert_int_equal(event_read(buf_str(&b), arena, &e2), OK);
        assert_true(e2.person == 3 && e2.at == 4 && e2.undoes == 5 && e2.conflict && e2.journal == 6);
        assert_true(e2.change_count == 2 && e2.changes[0].field == FIELD_DUE);
        assert_true(str_eq(e2.changes[1].after, STR("b")));
        assert_refuses_shorter(b, event_read(value, arena, &e2));

        struct card_record c = {7, 8, 20000}, c2;
        buf_clear(&b);
        card_write(&c, &b);
        assert_int_equal(card_read(buf_str(&b), &c2), OK);
        assert_true(c2.task == 7 && c2.version == 8 && c2.gone == 20000);
        assert_refuses_shorter(b, card_read(value, &c2));
        buf_release(&b);
        arena_free(arena);
}

/* One bit anywhere in a chunk, compressed or raw: it is refused, or gives what was put in. */
static void chunks_damaged(void **state)
{
        (void)state;
        char noise[300];
        for (size_t i = 0; i < sizeof noise; i++)
                noise[i] = (char)roll(256);
        struct str texts[] = {STR("Subject: a\r\n\r\n"
                                  "the same the same the same the same the same the same\r\n"),
                str_make(noise, sizeof noise)};
        for (size_t t = 0; t < COUNT_OF(texts); t++) {
                struct message_record m = {.size = texts[t].len};
                struct range all = {0, texts[t].len};
                struct buf out = {0};
                struct body body;
                struct chunk chunk;
                body_encode(texts[t], 0, 1, &body);
                assert_int_equal(chunk_read(buf_str(&body.octets), &chunk), OK);
                assert_int_equal(chunk.method, t ? CHUNK_RAW : CHUNK_ZSTD);
                assert_int_equal(body_unpack(buf_str(&body.octets), &m, all, &out), OK);
                assert_true(str_eq(buf_str(&out), texts[t]));
                for (size_t bit = 0; bit < 8 * body.octets.len; bit++) {
                        body.octets.at[bit / 8] ^= (char)(1 << bit % 8);
                        buf_clear(&out);
                        if (body_unpack(buf_str(&body.octets), &m, all, &out) == OK &&
                                !str_eq(buf_str(&out), texts[t]))
                                fail_msg("bit %zu of text %zu", bit, t);
                        body.octets.at[bit / 8] ^= (char)(1 << bit % 8);
                }
                body_release(&body);
                buf_release(&out);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(order_of_keys),
                cmocka_unit_test(keys_back),
                cmocka_unit_test(messages),
                cmocka_unit_test(derived_and_threads),
                cmocka_unit_test(small_records),
                cmocka_unit_test(mailboxes),
                cmocka_unit_test(blocks),
                cmocka_unit_test(changes),
                cmocka_unit_test(people),
                cmocka_unit_test(prefixes),
                cmocka_unit_test(prefixes_any),
                cmocka_unit_test(prefixes_damaged),
                cmocka_unit_test(chunks_damaged),
                cmocka_unit_test(task_keys),
                cmocka_unit_test(tasks),
        };
        log_open(open("/dev/null", 1), LOG_ERRORS); /* what is refused is logged, by the hundred */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
