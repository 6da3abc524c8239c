#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store_kit.h"
#include "store/subjects.h"

enum { MOST = 4000 };

/* A mailbox, and what its messages' subjects are. */
struct box {
        struct kit *k;
        uint32_t mailbox, filed;
        struct str subject[MOST + 1];
        bool gone[MOST + 1];
};

static uint32_t dice = 4711;

static uint32_t roll(uint32_t below)
{
        dice = dice * 1664525 + 1013904223;
        return (uint32_t)((uint64_t)dice * below >> 32);
}

static struct str any_subject(struct arena *arena)
{
        switch (roll(8)) {
        case 0:
                return STR("");
        case 1: { /* longer than what counts, equal as far as it counts */
                char *text = arena_alloc(arena, 400);
                memset(text, 'x', 400);
                text[260 + roll(100)] = (char)('a' + roll(20));
                return str_make(text, 400);
        }
        default:
                return arena_printf(arena, "%c subject %u", 'a' + roll(3), roll(60));
        }
}

static void file(struct box *b, unsigned count)
{
        struct filing *f = arena_alloc(b->k->arena, count * sizeof *f);
        struct filing_entry *e = arena_alloc(b->k->arena, count * sizeof *e);
        struct change *change = change_new(b->k->store);
        for (unsigned i = 0; i < count; i++) {
                struct str id = arena_printf(b->k->arena, "%u@x", b->filed);
                struct derived *d = kit_derived(b->k, id.at, "");
                d->base_subject = b->subject[++b->filed] = any_subject(b->k->arena);
                e[i] = (struct filing_entry){.mailbox = b->mailbox};
                f[i] = (struct filing){
                        .bytes = id, .derived = d, .entries = &e[i], .entry_count = 1};
                assert_int_equal(change_file(change, &f[i]), OK);
        }
        assert_int_equal(store_commit(change), OK);
        change_free(change);
}

static void expunge(struct box *b)
{
        struct numset *which = numset_new();
        struct change *change = change_new(b->k->store);
        for (unsigned i = 0; i < 40; i++) {
                uint32_t n = 1 + roll(b->filed);
                numset_add(which, n);
                b->gone[n] = true;
        }
        change_expunge(change, b->mailbox, which, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        numset_free(which);
}

static struct str counted(struct str subject)
{
        return str_sub(subject, 0, SUBJECT_OCTETS);
}

static int sign(int64_t n)
{
        return (n > 0) - (n < 0);
}

/* All of the view is there, in order of numbers, and ranks compare as subjects do. */
static void compare(const struct box *b, const struct view *view)
{
        const struct subjects *s;
        uint32_t n, at[MOST], count = 0;
        assert_int_equal(subjects_open(b->k->store, view, &s), OK);
        struct walk w = numset_walk(view->numbers);
        for (size_t i = 0; walk_next(&w, &n); i++) {
                while (i < s->count && s->number[i] < n)
                        i++;
                if (i == s->count || s->number[i] != n) {
                        assert_true(b->gone[n]);
                        i--;
                        continue;
                }
                assert_true(s->rank[i] < s->ranks);
                at[count++] = (uint32_t)i;
        }
        for (unsigned i = 0; count && i < 20000; i++) {
                uint32_t x = at[roll(count)], y = at[roll(count)];
                int64_t by_rank = (int64_t)s->rank[x] - s->rank[y];
                int by_text = str_cmp(counted(b->subject[s->number[x]]),
                        counted(b->subject[s->number[y]]));
                assert_int_equal(sign(by_rank), sign(by_text));
        }
        subjects_close(b->k->store, s);
}

static void grows_and_shrinks(void **state)
{
        struct kit *k = *state;
        struct box *b = mem_new(sizeof *b);
        const struct view *view, *old = NULL;
        b->k = k;
        b->mailbox = kit_topic(k, "t");
        assert_int_equal(view_open(k->store, b->mailbox, &view), OK);
        compare(b, view); /* of nothing */
        view_close(k->store, view);
        for (unsigned i = 0; i < 25; i++) {
                file(b, 1 + roll(150));
                if (roll(2))
                        expunge(b);
                assert_int_equal(view_open(k->store, b->mailbox, &view), OK);
                compare(b, view);
                if (old)
                        compare(b, old); /* by who has not been told yet */
                compare(b, view);
                if (!old || roll(3) == 0) {
                        view_close(k->store, old);
                        old = view;
                } else {
                        view_close(k->store, view);
                }
        }
        view_close(k->store, old);
        free(b);
}

/* What somebody holds stays when others push it out. */
static void many_mailboxes(void **state)
{
        struct kit *k = *state;
        enum { BOXES = 150 };
        const struct view *view[BOXES];
        const struct subjects *held[BOXES];
        for (unsigned i = 0; i < BOXES; i++) {
                struct box *b = mem_new(sizeof *b);
                b->k = k;
                b->mailbox = kit_topic(k, arena_printf(k->arena, "t%u", i).at);
                file(b, 3);
                assert_int_equal(view_open(k->store, b->mailbox, &view[i]), OK);
                assert_int_equal(subjects_open(k->store, view[i], &held[i]), OK);
                free(b);
        }
        for (unsigned i = 0; i < BOXES; i++) {
                assert_int_equal(held[i]->count, 3);
                assert_int_equal(held[i]->number[2], 3);
                subjects_close(k->store, held[i]);
                view_close(k->store, view[i]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(grows_and_shrinks, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(many_mailboxes, kit_begin, kit_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
