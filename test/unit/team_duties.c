/* What a digest says of tasks and of what names somebody: everything once, in its place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "task_kit.h"
#include "base/text.h"
#include "team/digest.h"


static struct task_edit with(struct office *o, uint32_t *who, int32_t due)
{
        struct task_edit e = {.fields = 1u << FIELD_ASSIGNEES, .assign = who, .assign_count = 1};
        (void)o;
        if (due != DAY_NONE) {
                e.fields |= 1u << FIELD_DUE;
                e.due = due;
        }
        return e;
}

static struct str digest_of(struct office *o, uint32_t who, struct digest *d)
{
        struct person p;
        assert_int_equal(person_get(o->site.store, who, o->arena, &p), OK);
        assert_int_equal(digest_build(&o->site, &p, o->now, o->arena, d), OK);
        return d->text;
}

static int64_t today(struct office *o)
{
        return o->now / DAY;
}

static unsigned count_of(struct str text, const char *part)
{
        unsigned n = 0;
        size_t at;
        while ((at = str_find(text, str_of(part))) != STR_NOWHERE) {
                n++;
                text = str_from(text, at + 1);
        }
        return n;
}

static void sections(void **state)
{
        struct office *o = *state;
        struct digest d;
        int32_t day = (int32_t)today(o);
        struct task_edit late = with(o, &o->bo, day - 3), now = with(o, &o->bo, day), soon = with(o, &o->bo, day + 4),
                         later = with(o, &o->bo, day + 40), dateless = with(o, &o->bo, DAY_NONE), hers = with(o, &o->cem, DAY_NONE);
        uint32_t a = open_task(o, "Old backups", &late), b = open_task(o, "Release notes", &now), c = open_task(o, "Login page", &soon);
        open_task(o, "Some day", &later);
        open_task(o, "Any time", &dateless);
        uint32_t e = open_task(o, "Export", &hers), f = open_task(o, "Schema", &dateless);
        struct task_edit waits = {.fields = 1u << FIELD_WAITS, .waits = &f, .wait_count = 1};
        assert_int_equal(act(o, o->cem, e, waits, 0), OK);
        waits.waits = &e;
        assert_int_equal(act(o, o->ana, c, waits, 0), OK);

        struct str text = digest_of(o, o->bo, &d), rest = text, line;
        while (str_line(&rest, &line))
                assert_in_range(text_columns(line), 0, 72);
        assert_holds(text, "1 thing waits on you, 1 task is late, 1 is due today.");
        assert_holds(text, "WAITING ON YOU\n--------------\n[1] T-7 Schema ");
        assert_holds(text, "Cem waits for it, To do\n");
        assert_holds(text, "YOUR TASKS\n----------\n[2] T-1 Old backups ");
        assert_holds(text, "3 days late, To do\n    Ana: \"It has to be done.\"\n[3] T-2 Release notes ");
        assert_holds(text, "due today, To do\n    Ana: \"It has to be done.\"\n[4] T-3 Login page ");
        assert_holds(text, "waits for Cem\n");
        assert_holds(text, "2 tasks of yours are not due this week: see Tasks/Mine.");
        assert_true(str_find(text, STR("Some day")) == STR_NOWHERE || count_of(text, "T-4 ") == 1);
        assert_int_equal(a + b, 3);
}

/* A task changes five times: one line says what it came to, and it stands in one place. */
static void told_once(void **state)
{
        struct office *o = *state;
        struct digest d;
        uint32_t n = open_task(o, "Move the disks", NULL);
        struct task_edit due = {.fields = 1u << FIELD_DUE, .due = (int32_t)today(o) + 30};
        struct task_edit give = {.fields = 1u << FIELD_ASSIGNEES, .assign = &o->cem, .assign_count = 1};
        assert_int_equal(act(o, o->bo, n, to("doing"), 0), OK);
        assert_int_equal(act(o, o->bo, n, to("waiting"), 0), OK);
        assert_int_equal(act(o, o->bo, n, due, 0), OK);
        due.due++;
        assert_int_equal(act(o, o->bo, n, due, 0), OK);
        struct str text = digest_of(o, o->ana, &d);
        assert_int_equal(count_of(text, "Move the disks"), 1);
        assert_holds(text, "NEW IN WHAT YOU FOLLOW\n----------------------\n[1] eng - T-1 Move the disks");
        assert_holds(text, "4 changes\n");
        assert_holds(text, "now Waiting; due Thu 24 Dec (Bo)\n");
        assert_true(str_find(text, STR("doing")) == STR_NOWHERE);
        assert_int_equal(act(o, o->ana, n, give, 0), OK);
        /* Bo did them: they are no news to him; to Cem it is a task for later, and the change is told in the thread */
        text = digest_of(o, o->bo, &d);
        assert_holds(text, "    with cem (Ana)\n");
        text = digest_of(o, o->cem, &d);
        assert_int_equal(count_of(text, "T-1 "), 1);
        assert_holds(text, "1 task of yours is not due this week: see Tasks/Mine.");
        /* what is due is told at the task, not in the news */
        due.due = (int32_t)today(o);
        assert_int_equal(act(o, o->ana, n, due, 0), OK);
        text = digest_of(o, o->cem, &d);
        assert_int_equal(count_of(text, "Move the disks"), 1);
        assert_holds(text, "YOUR TASKS\n----------\n[1] T-1 Move the disks");
        assert_holds(text, "due today, Waiting\n    Ana: \"It has to be done.\"\n    now Waiting; with cem; due Mon 23 Nov (Ana)\n");
        assert_int_equal(count_of(text, "now Waiting"), 1);
}

static void nothing_to_say(void **state)
{
        struct office *o = *state;
        struct digest d;
        open_task(o, "Hers alone", NULL);
        assert_int_equal(digest_of(o, o->ana, &d).len, 0); /* her own post, and nobody's task */
        assert_int_equal(digest_of(o, o->eve, &d).len, 0); /* may not read it */
}

static void post(struct office *o, const char *subject, const char *text, bool answers)
{
        enum refusal why;
        struct submission *m = mail(o, o->bo, "bo", subject, text);
        m->bytes = arena_printf(o->arena, "%s%.*s",
                answers ? "References: <1@x.example>\r\n" : "", STR_ARG(m->bytes));
        assert_int_equal(submit(&o->site, m, o->arena, &why), OK);
}

/* The line that is quoted says something to people; whose task it is stands beside it. */
static void quotes_words(void **state)
{
        struct office *o = *state;
        struct digest d;
        struct task_edit give = with(o, &o->cem, DAY_NONE);
        uint32_t n = open_task(o, "Talk", &give);
        post(o, "Re: Talk", "We need tests.\r\n\r\n/label +x", true);
        post(o, "Re: Talk", "/label +y", true);
        post(o, "[task] Renew", "Due: fri\r\nAsign: cem\r\n\r\nThe steps are known.", false);
        post(o, "No task", "/done", false);
        struct str text = digest_of(o, o->cem, &d);
        assert_holds(text, "eng - T-1 Talk ");
        assert_holds(text, " yours, 3 new: Ana, Bo\n    Bo: \"We need tests.\"\n");
        assert_holds(text, "Bo: \"Asign: cem The steps are known.\"\n");
        assert_holds(text, "Bo: \"/done\"\n"); /* that is all there is to say of it */
        assert_int_equal(act(o, o->bo, n, to("doing"), 0), OK);
        text = digest_of(o, o->cem, &d);
        assert_holds(text, "Bo: \"We need tests.\"\n    now Doing (Bo)\n");
        assert_holds(text, " 1 change to a task.");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(sections, begin, end),
                cmocka_unit_test_setup_teardown(told_once, begin, end),
                cmocka_unit_test_setup_teardown(nothing_to_say, begin, end),
                cmocka_unit_test_setup_teardown(quotes_words, begin, end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
