/* When a digest is due, in every kind of zone, and how a page reads. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/zone.h"
#include "base/text.h"
#include "team/digest.h"
#include "team/page.h"

enum { EVERY_DAY = 127, WORKDAYS = 62 };

static time_t at(const char *iso)
{
        time_t t;
        assert_int_equal(date_parse_iso(str_of(iso), &t), OK);
        return t;
}

struct due_case {
        const char *name, *zone;
        unsigned minute; /* local, of the day */
        unsigned days;
        const char *after;
        const char *last_day; /* local date of the last digest; NULL: none */
        const char *next;     /* NULL: never */
};

static const struct due_case due_cases[] = {
        {"plain, later today", "Europe/Lisbon", 450, EVERY_DAY, "2026-11-24T07:00:00Z", NULL, "2026-11-24T07:30:00Z"},
        {"plain, today is past", "Europe/Lisbon", 450, EVERY_DAY, "2026-11-24T07:30:00Z", NULL, "2026-11-25T07:30:00Z"},
        {"today has one already", "Europe/Lisbon", 450, EVERY_DAY, "2026-11-24T05:00:00Z", "2026-11-24", "2026-11-25T07:30:00Z"},
        {"Friday to Monday", "Europe/Lisbon", 450, WORKDAYS, "2026-11-27T08:00:00Z", NULL, "2026-11-30T07:30:00Z"},
        {"no working day", "Europe/Lisbon", 450, 0, "2026-11-24T07:00:00Z", NULL, NULL},
        {"no digest", "Europe/Lisbon", 1440, EVERY_DAY, "2026-11-24T07:00:00Z", NULL, NULL},
        /* Berlin, 29 March 2026: 02:00 becomes 03:00 */
        {"skipped hour: at the gap's end", "Europe/Berlin", 150, EVERY_DAY, "2026-03-28T22:00:00Z", NULL, "2026-03-29T01:00:00Z"},
        /* Berlin, 25 October 2026: 03:00 becomes 02:00 */
        {"doubled hour: the first one", "Europe/Berlin", 150, EVERY_DAY, "2026-10-24T22:00:00Z", NULL, "2026-10-25T00:30:00Z"},
        {"doubled hour: not again", "Europe/Berlin", 150, EVERY_DAY, "2026-10-25T00:30:00Z", "2026-10-25", "2026-10-26T01:30:00Z"},
        /* Lord Howe, 4 October 2026: 02:00 +10:30 becomes 02:30 +11 */
        {"half an hour skipped", "Australia/Lord_Howe", 135, EVERY_DAY, "2026-10-03T12:00:00Z", NULL, "2026-10-03T15:30:00Z"},
        {"half an hour, after it", "Australia/Lord_Howe", 405, EVERY_DAY, "2026-10-03T12:00:00Z", NULL, "2026-10-03T19:45:00Z"},
        /* Apia had no 30 December 2011 */
        {"a day that is not", "Pacific/Apia", 450, EVERY_DAY, "2011-12-29T18:00:00Z", "2011-12-29", "2011-12-30T17:30:00Z"},
        {"45 minutes", "Asia/Kathmandu", 450, EVERY_DAY, "2026-11-24T00:00:00Z", NULL, "2026-11-24T01:45:00Z"},
        {"the day before, in UTC", "Pacific/Kiritimati", 450, EVERY_DAY, "2026-11-23T12:00:00Z", NULL, "2026-11-23T17:30:00Z"},
        {"an unknown zone is UTC", "Mars/Olympus", 450, EVERY_DAY, "2026-11-24T07:00:00Z", NULL, "2026-11-24T07:30:00Z"},
};

static void test_due(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(due_cases); i++) {
                const struct due_case *c = &due_cases[i];
                struct person p = {
                        .zone = str_of(c->zone), .digest_minute = (uint16_t)c->minute, .days = (uint8_t)c->days};
                int64_t last = c->last_day ? at(c->last_day) / 86400 : INT64_MIN;
                time_t got = digest_next(&p, at(c->after), last), want = c->next ? at(c->next) : 0;
                if (got != want)
                        fail_msg("%s: got %lld, want %lld", c->name, (long long)got, (long long)want);
        }
}

/* A year of mornings in every zone that misbehaves: one a day, each at the local minute or at a gap's end. */
static void test_once_a_day(void **state)
{
        static const char *const zones[] = {"Europe/Lisbon", "America/New_York", "Asia/Kolkata",
                "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "Pacific/Chatham",
                "Africa/Casablanca", "America/Santiago", "Africa/Cairo"};
        static const uint16_t minutes[] = {0, 15, 120, 135, 150, 180, 450, 1439};
        (void)state;
        for (size_t z = 0; z < COUNT_OF(zones); z++) {
                const struct zone *zone;
                assert_int_equal(zone_find(str_of(zones[z]), &zone), OK);
                for (size_t m = 0; m < COUNT_OF(minutes); m++) {
                        struct person p = {.zone = str_of(zones[z]), .digest_minute = minutes[m], .days = EVERY_DAY};
                        time_t now = at("2026-01-01T00:00:00Z"), end = at("2027-01-01T00:00:00Z");
                        int64_t last = INT64_MIN;
                        while ((now = digest_next(&p, now, last)) < end) {
                                struct civil c = zone_civil(zone, now);
                                int64_t day = days_from_civil(c.year, c.month, c.day);
                                assert_true(now != 0);
                                assert_true(last == INT64_MIN || day == last + 1);
                                int late = c.hour * 60 + c.minute - minutes[m];
                                assert_in_range(late, 0, 60);
                                last = day;
                        }
                }
        }
}

static void test_names(void **state)
{
        static const struct { const char *full, *first; } cases[] = {
                {"Ana Marques", "Ana"}, {"Marques, Ana", "Ana"}, {"ana@team.example", "ana"}, {"Bo", "Bo"}, {"", "somebody"}};
        struct arena *arena = arena_new();
        (void)state;
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct str got = page_first_name(str_of(cases[i].full), arena);
                assert_true(str_eq(got, str_of(cases[i].first)));
        }
        arena_free(arena);
}

static struct page sample(struct gather_thread *threads, struct gathered *content, struct page_item *items, struct arena *arena)
{
        static struct str authors[] = {{"Cem Aydin", 9}, {"Bo Lind", 7}, {"Dee", 3}, {"Eva", 3}, {"Finn", 4}, {"Gil", 3}};
        static const struct person person = {.name = {"ana", 3}, .full_name = {"Ana M", 5}};
        threads[0] = (struct gather_thread){.topic = STR("app.export"), .authors = authors, .author_count = 6,
                .subject = STR("A <subject> & one that is so long that it cannot stand in a line of seventy-two columns"),
                .messages = 7, .newest_id = STR("<a@b>"), .newest_author = authors[1]};
        *content = (struct gathered){.threads = threads, .thread_count = 1, .talks = 1, .fresh = 7, .read = 2, .older = 1};
        items[0] = (struct page_item){.section = SECTION_WAITING, .title = STR("T-142 Export"), .topic = STR("app.export"), .task = true,
                .tag = STR("Ken waits for it, due today"), .changes = STR("now Doing (Ken)"), .urgent = true,
                .reply_to = STR("r+x@team.example"), .in_reply_to = STR("<t@b>")};
        items[1] = (struct page_item){.section = SECTION_NEW, .title = threads[0].subject, .topic = threads[0].topic,
                .tag = page_who(threads, arena), .by = STR("Bo"), .reply_to = STR("r+y@team.example"), .in_reply_to = STR("<a@b>"),
                .line = STR("It is <b>bold</b> & `code`, and the line goes on and on until it must be wrapped for a terminal.")};
        return (struct page){.person = &person, .now = {.year = 2026, .month = 11, .day = 24, .hour = 7, .minute = 30, .weekday = 2},
                .place = STR("Lisbon"), .content = content, .items = items, .item_count = 2,
                .next = {.year = 2026, .month = 11, .day = 25, .hour = 7, .minute = 30, .weekday = 3}};
}

static void test_page(void **state)
{
        struct gather_thread threads[1];
        struct gathered content;
        struct page_item items[2];
        struct arena *arena = arena_new();
        struct page page = sample(threads, &content, items, arena);
        struct buf text = {0}, html = {0};
        struct str rest, line;
        (void)state;
        page_text(&page, &text);
        page_html(&page, &html);
        rest = buf_str(&text);
        while (str_line(&rest, &line))
                assert_in_range(line.len, 0, PAGE_COLUMNS);
        assert_true(str_starts(buf_str(&text), STR("Good morning Ana. Tuesday 24 November, 07:30 in Lisbon.\n")));
        assert_true(str_find(buf_str(&text), STR("7 new: Cem, Bo, Dee and 3 more\n")) != STR_NOWHERE);
        assert_true(str_find(buf_str(&text), STR("WAITING ON YOU\n--------------\n[1] T-142 Export ")) != STR_NOWHERE);
        assert_true(str_find(buf_str(&text), STR("Ken waits for it, due today\n    now Doing (Ken)\n")) != STR_NOWHERE);
        assert_true(str_find(buf_str(&text), STR("[2] I have seen it, too. Or: [1] done")) != STR_NOWHERE);
        assert_true(str_find(buf_str(&html), STR("mailto:r+x@team.example?subject=Re%3A%20T-142%20Export&amp;In-Reply-To=%3Ct%40b%3E&amp;body=due%20tomorrow")) != STR_NOWHERE);
        assert_true(str_find(buf_str(&text), STR("Next: Wed 25 Nov 07:30 Lisbon (UTC+0).")) != STR_NOWHERE);
        assert_true(str_find(buf_str(&html), STR("A &lt;subject&gt; &amp; one")) != STR_NOWHERE);
        assert_true(str_find(buf_str(&html), STR("<b>bold")) == STR_NOWHERE);
        assert_true(str_find(buf_str(&html), STR("<code>code</code>")) != STR_NOWHERE);
        assert_true(str_find(buf_str(&html), STR("In-Reply-To=%3Ca%40b%3E")) != STR_NOWHERE);
        buf_release(&text);
        buf_release(&html);
        arena_free(arena);
}

/* Forty entries that are as long as they get: programs cut larger pages. */
static void test_bounds(void **state)
{
        struct gather_thread threads[1];
        struct gathered content;
        struct page_item items[PAGE_ITEMS_MAX];
        struct arena *arena = arena_new();
        struct buf long_subject = {0}, text = {0}, html = {0};
        struct page page = sample(threads, &content, items, arena);
        struct str rest, line;
        (void)state;
        for (unsigned i = 0; i < 900; i++)
                buf_add_text(&long_subject, "<\xe6\x97\xa5&");
        for (unsigned i = 0; i < PAGE_ITEMS_MAX; i++) {
                items[i] = items[i % 2];
                items[i].title = buf_str(&long_subject);
        }
        page.item_count = PAGE_ITEMS_MAX;
        page_text(&page, &text);
        page_html(&page, &html);
        rest = buf_str(&text);
        while (str_line(&rest, &line))
                assert_in_range(text_columns(line), 0, PAGE_COLUMNS);
        assert_true(str_find(buf_str(&text), STR("[40] ")) != STR_NOWHERE);
        assert_in_range(html.len, 1000, 80 * 1024);
        assert_true(str_find(buf_str(&html), STR("more stand in the plain text")) != STR_NOWHERE);
        buf_release(&long_subject);
        buf_release(&text);
        buf_release(&html);
        arena_free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_due),
                cmocka_unit_test(test_bounds),
                cmocka_unit_test(test_once_a_day),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_page),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
