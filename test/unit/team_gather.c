/* What a digest is made of: each message once, whatever comes meanwhile. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store/attention.h"
#include "store_kit.h"
#include "team/gather.h"

static struct kit *between_kit; /* a letter that comes once the first topic has been opened */
static struct letter between;

enum status __real_seen_load(struct store *, uint32_t, uint32_t, struct numset **);
enum status __wrap_seen_load(struct store *, uint32_t, uint32_t, struct numset **);

enum status __wrap_seen_load(
        struct store *store, uint32_t mailbox, uint32_t person, struct numset **out)
{
        if (between_kit)
                kit_file(between_kit, &between, NULL);
        between_kit = NULL;
        return __real_seen_load(store, mailbox, person, out);
}

struct setting {
        struct config config;
        struct site site;
        struct person person;
        uint32_t topics[2];
};

static void subscribe(struct kit *k, uint32_t person, uint32_t topic)
{
        struct subscription s = {.person = person, .topic = topic, .mode = MODE_DIGEST};
        struct change *change = change_new(k->store);
        change_subscribe(change, &s);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
}

static void begin(struct kit *k, struct setting *s)
{
        *s = (struct setting){.config = {.domain = STR("team.example"), .host = STR("team.example")}};
        s->site = (struct site){.config = &s->config, .store = k->store};
        s->person = (struct person){.id = kit_person(k, "mara"), .name = STR("mara")};
        for (unsigned i = 0; i < 2; i++) {
                s->topics[i] = kit_topic(k, i ? "b" : "a");
                subscribe(k, s->person.id, s->topics[i]);
        }
}

static void assert_gathered(
        struct kit *k, struct setting *s, uint64_t *since, const unsigned expected[3])
{
        struct gathered got;
        struct recall *known = recall_new(&s->site);
        struct gather_ask ask = {.person = &s->person, .since = *since, .recall = known};
        assert_int_equal(gather(&s->site, &ask, k->arena, &got), OK);
        recall_free(known);
        assert_int_equal(got.fresh, expected[0]);
        assert_int_equal(got.older, expected[1]);
        assert_int_equal(got.read, expected[2]);
        *since = got.position;
}

static void day_by_day(void **state)
{
        struct kit *k = *state;
        struct setting s;
        uint64_t since = 0;
        begin(k, &s);
        struct letter l = {.id = "1@x", .mailbox = s.topics[0]};
        kit_file(k, &l, NULL);
        assert_gathered(k, &s, &since, (const unsigned[]){1, 0, 0});
        l.id = "2@x";
        kit_file(k, &l, NULL);
        struct numset *two = kit_set("2");
        struct marking m = {.mailbox = s.topics[0],
                .person = s.person.id,
                .flags = FLAG_SEEN,
                .numbers = two};
        assert_int_equal(marks_store(k->store, &m), OK);
        numset_free(two);
        l.id = "3@x";
        l.mailbox = s.topics[1];
        kit_file(k, &l, NULL);
        assert_gathered(k, &s, &since, (const unsigned[]){1, 1, 1});
        assert_gathered(k, &s, &since, (const unsigned[]){0, 2, 0});
}

/* What is imported is neither news nor read. */
static void imported(void **state)
{
        struct kit *k = *state;
        struct setting s;
        uint64_t since = 0;
        begin(k, &s);
        struct letter l = {.id = "1@x", .mailbox = s.topics[0]};
        kit_file(k, &l, NULL);
        assert_gathered(k, &s, &since, (const unsigned[]){1, 0, 0});
        for (unsigned i = 0; i < 5; i++) {
                struct filing_entry e = {.mailbox = s.topics[1], .history = true};
                struct filing f = {.bytes = STR("x"),
                        .derived = kit_derived(k, arena_printf(k->arena, "h%u@x", i).at, ""),
                        .entries = &e,
                        .entry_count = 1};
                assert_int_equal(message_file(k->store, &f), OK);
        }
        assert_gathered(k, &s, &since, (const unsigned[]){0, 1, 0});
}

/* In the second topic, while the first is being looked at: in one digest, the next. */
static void comes_meanwhile(void **state)
{
        struct kit *k = *state;
        struct setting s;
        uint64_t since = 0;
        begin(k, &s);
        struct letter l = {.id = "1@x", .mailbox = s.topics[0]};
        kit_file(k, &l, NULL);
        between = (struct letter){.id = "2@x", .mailbox = s.topics[1]};
        between_kit = k;
        assert_gathered(k, &s, &since, (const unsigned[]){1, 0, 0});
        assert_gathered(k, &s, &since, (const unsigned[]){1, 1, 0});
        assert_gathered(k, &s, &since, (const unsigned[]){0, 2, 0});
}

static void say(struct kit *k, const struct setting *s, uint64_t root, enum attention attention)
{
        struct change *change = change_new(k->store);
        change_attention(change, s->person.id, &(struct attended){root, attention});
        assert_int_equal(store_commit(change), OK);
        change_free(change);
}

/* A muted thread is silent; one that is followed comes also out of a topic that does not. */
static void muted_and_followed(void **state)
{
        struct kit *k = *state;
        struct setting s;
        uint64_t muted, followed;
        uint64_t since = 0;
        begin(k, &s);
        struct subscription named = {
                .person = s.person.id, .topic = s.topics[1], .mode = MODE_NAMED};
        struct change *change = change_new(k->store);
        change_subscribe(change, &named);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        struct letter l = {.id = "1@x", .mailbox = s.topics[0]};
        muted = kit_file(k, &l, NULL);
        l.id = "2@x";
        kit_file(k, &l, NULL);
        l.mailbox = s.topics[1];
        l.id = "3@x";
        followed = kit_file(k, &l, NULL);
        l.id = "4@x";
        kit_file(k, &l, NULL);
        say(k, &s, muted, ATTENTION_MUTED);
        assert_gathered(k, &s, &(uint64_t){0}, (const unsigned[]){1, 0, 0});
        say(k, &s, followed, ATTENTION_FOLLOWED);
        assert_gathered(k, &s, &since, (const unsigned[]){2, 0, 0});
        say(k, &s, muted, ATTENTION_NONE);
        assert_gathered(k, &s, &(uint64_t){0}, (const unsigned[]){3, 0, 0});
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(day_by_day, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(imported, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(comes_meanwhile, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(muted_and_followed, kit_begin, kit_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
