/* Columns that are called otherwise: their cards are rendered again, once, by who did it or by the
 * clock. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "task_kit.h"
#include "team/columns.h"

static enum status rename_column(struct office *o, uint32_t who, const char *from, const char *to)
{
        struct str why, folders[2] = {str_of(from), str_of(to)};
        return columns_rename(&o->site, who, folders, o->arena, &why);
}

static void give_to_ana(struct office *o)
{
        struct topic t;
        struct change *change = change_new(o->site.store);
        assert_int_equal(topic_get(o->site.store, o->eng, o->arena, &t), OK);
        t.owner = o->ana;
        change_topic(change, &t, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
}

static bool says(struct office *o, uint32_t mailbox, const char *fields)
{
        struct str prefix;
        (void)newest(o, mailbox, &prefix);
        struct str value = header_text(o->arena, prefix, "Baton-Task");
        return str_find(value, str_of(fields)) != STR_NOWHERE;
}

static void renders_once(void **state)
{
        static const char *const names[] = {"Doing", "Pr\u00fcfung", "A \"b\" c",
                "x=?utf-8?q?=41?=", "12345678901234567890 12345678901234567890 1234567890",
                "Doing"};
        static const char *const fields[] = {"; status=doing", "; status=pr\u00fcfung",
                "status=a-\"b\"-c", "; status=xA" /* it is read so */,
                "; status=12345678901234567890-12345678901234567890-1234567890", "; status=doing"};
        struct office *o = *state;
        struct task_edit edit = to("doing");
        struct str labels[] = {STR("a-label"), STR("\u00e4-label")};
        edit.fields |= 1u << FIELD_LABELS;
        edit.label_add = labels;
        edit.label_add_count = COUNT_OF(labels);
        give_to_ana(o);
        uint32_t number = open_task(o, "Lamp", &edit), doing = box(o, 0, "eng/2 Doing");
        for (size_t i = 1; i < COUNT_OF(names); i++) {
                struct str from = arena_printf(o->arena, "Boards/eng/2 %s", names[i - 1]),
                           now = arena_printf(o->arena, "Boards/eng/2 %s", names[i]);
                struct task before = get(o, number);
                assert_int_equal(rename_column(o, o->ana, from.at, now.at), OK);
                struct task after = get(o, number);
                assert_int_equal(after.version, before.version);
                assert_int_equal(after.card_count, 1);
                assert_int_equal(after.cards[0].mailbox, doing);
                assert_int_equal(after.cards[0].number, before.cards[0].number + 1);
                if (!says(o, doing, fields[i]))
                        fail_msg("%s: its card does not say so", names[i]);
                assert_int_equal(task_look(&o->site, number, o->now), OK);
                assert_int_equal(get(o, number).cards[0].number, after.cards[0].number);
        }
}

/* The cards that nobody rendered, because there were too many of them or there was no time. */
static void is_finished_by_the_clock(void **state)
{
        static const struct str was[] = {{"To do", 5}, {"Doing", 5}, {"Waiting", 7}, {"Done", 4}},
                                is[] = {{"To do", 5}, {"At it", 5}, {"Waiting", 7}, {"Done", 4}};
        struct office *o = *state;
        struct task_edit edit = to("doing");
        uint32_t number = open_task(o, "Lamp", &edit), doing = box(o, 0, "eng/2 Doing");
        struct columns_put put = {o->eng, was, 4, is, 4, STR("doing"), STR("at-it")};
        struct change *change = change_new(o->site.store);
        change_columns(change, &put);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_str(get(o, number).status, "at-it");
        assert_true(says(o, doing, "; status=doing"));
        assert_int_equal(task_look_due(&o->site, clock_now() + 1), OK);
        assert_true(says(o, doing, "; status=at-it"));
        assert_int_equal(cards_in(o, doing, number), 1);
}

/* Nobody else; and where no name is told, none is known. */
static void knows_who_may(void **state)
{
        static const char doing[] = "Boards/eng/2 Doing", secret[] = "Boards/secret/2 Doing";
        struct office *o = *state;
        struct site *site = &o->site;
        struct str why;
        give_to_ana(o);
        assert_int_equal(rename_column(o, o->bo, doing, "Boards/eng/2 X"), FORBIDDEN);
        assert_int_equal(rename_column(o, o->eve, doing, "Boards/eng/2 X"), UNSUPPORTED);
        assert_int_equal(rename_column(o, o->ana, secret, "Boards/secret/2 X"), FORBIDDEN);
        assert_int_equal(
                columns_add(site, o->eve, STR("Boards/eng/5 X"), o->arena, &why), UNSUPPORTED);
        assert_int_equal(why.len, 0);
        assert_int_equal(columns_remove(site, o->eve, str_of(doing), o->arena, &why), UNSUPPORTED);
        assert_int_equal(why.len, 0);
        for (char last[] = "Boards/eng/5 E"; last[11] <= '9'; last[11]++, last[13]++)
                assert_int_equal(columns_add(site, o->ana, str_of(last), o->arena, &why), OK);
        assert_int_equal(
                columns_add(site, o->ana, STR("Boards/eng/9 More"), o->arena, &why), TOO_MANY);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(renders_once, begin, end),
                cmocka_unit_test_setup_teardown(is_finished_by_the_clock, begin, end),
                cmocka_unit_test_setup_teardown(knows_who_may, begin, end),
        };
        return cmocka_run_group_tests_name("team_columns", tests, NULL, NULL);
}
