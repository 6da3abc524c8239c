#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store_kit.h"
#include "store/codec.h"
#include "store/inside.h"

static enum status mark(struct kit *k, struct marking *m, const char *numbers)
{
        struct numset *set = kit_set(numbers);
        m->numbers = set;
        enum status st = marks_store(k->store, m);
        m->numbers = NULL;
        numset_free(set);
        return st;
}

static void file_many(struct kit *k, uint32_t mailbox, unsigned count, bool history)
{
        struct filing *f = arena_alloc(k->arena, count * sizeof *f);
        struct filing_entry *e = arena_alloc(k->arena, (size_t)count * sizeof *e);
        struct change *change = change_new(k->store);
        for (unsigned i = 0; i < count; i++) {
                struct str id = arena_printf(k->arena, "%u.%u@x", mailbox, i);
                e[i] = (struct filing_entry){.mailbox = mailbox, .history = history};
                f[i] = (struct filing){.bytes = STR("text"),
                        .derived = kit_derived(k, id.at, ""),
                        .entries = &e[i],
                        .entry_count = 1};
                assert_int_equal(change_file(change, &f[i]), OK);
        }
        assert_int_equal(store_commit(change), OK);
        change_free(change);
}

static void assert_marks(
        struct kit *k, uint32_t mailbox, uint32_t person, const char *const flags[FLAG_COUNT])
{
        struct marks *m;
        assert_int_equal(marks_load(k->store, mailbox, person, &m), OK);
        for (unsigned i = 0; i < FLAG_COUNT; i++)
                assert_set(m->flag[i], flags[i]);
        marks_free(m);
}

static void add_remove_replace(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t"), ana = kit_person(k, "ana"), bo = kit_person(k, "bo");
        file_many(k, topic, 20, false);
        struct marking m = {.mailbox = topic,
                .person = ana,
                .how = MARK_ADD,
                .flags = FLAG_SEEN | FLAG_FLAGGED};
        assert_int_equal(mark(k, &m, "3:7,100:200"), OK);
        assert_true(m.modseq > 0);
        const char *const first[] = {"3:7", "", "3:7", "", ""}, *const none[] = {
                                                                        "", "", "", "", ""};
        assert_marks(k, topic, ana, first);
        assert_marks(k, topic, bo, none);
        assert_int_equal(mark(k, &m, "3:7"), OK);
        assert_int_equal(m.modseq, 0);
        m.how = MARK_REMOVE;
        m.flags = FLAG_FLAGGED | FLAG_DRAFT;
        assert_int_equal(mark(k, &m, "5"), OK);
        const char *const second[] = {"3:7", "", "3:4,6:7", "", ""};
        assert_marks(k, topic, ana, second);
        m.how = MARK_REPLACE;
        m.flags = FLAG_DELETED;
        assert_int_equal(mark(k, &m, "6:8"), OK);
        const char *const third[] = {"3:5", "", "3:4", "6:8", ""};
        assert_marks(k, topic, ana, third);
        kit_reopen(k);
        assert_marks(k, topic, ana, third);
        m.mailbox = 4711;
        assert_int_equal(mark(k, &m, "6:8"), ABSENT);
}

/* What is imported is seen by everybody until somebody says otherwise. */
static void history(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t"), ana = kit_person(k, "ana");
        file_many(k, topic, 10, true);
        file_many(k, topic, 10, false);
        struct numset *seen;
        assert_int_equal(seen_load(k->store, topic, ana, &seen), OK);
        assert_set(seen, "1:10");
        numset_free(seen);
        struct marking m = {
                .mailbox = topic, .person = ana, .how = MARK_REMOVE, .flags = FLAG_SEEN};
        assert_int_equal(mark(k, &m, "4:6,15"), OK);
        m.how = MARK_ADD;
        assert_int_equal(mark(k, &m, "1:3,12"), OK);
        const char *const flags[] = {"1:3,7:10,12", "", "", "", ""};
        assert_marks(k, topic, ana, flags);
        const struct view *view;
        struct numset *changed = numset_new(), *vanished = numset_new();
        assert_int_equal(view_open(k->store, topic, &view), OK);
        assert_int_equal(mailbox_changes(k->store, view, ana, 0, changed, vanished), OK);
        assert_set(changed, "1:10,12");
        assert_set(vanished, "");
        uint64_t since = view->position;
        view_close(k->store, view);
        numset_clear(changed);
        file_many(k, topic, 4, false); /* what is imported now is told, because it has a flag */
        file_many(k, topic, 3, true);
        file_many(k, topic, 2, false);
        assert_int_equal(view_open(k->store, topic, &view), OK);
        assert_int_equal(mailbox_changes(k->store, view, ana, since, changed, NULL), OK);
        assert_set(changed, "25:27");
        numset_clear(changed);
        assert_int_equal(mailbox_changes(k->store, view, ana, view->position, changed, NULL), OK);
        assert_set(changed, "");
        view_close(k->store, view);
        numset_free(changed);
        numset_free(vanished);
}

static void expunge(struct kit *k, uint32_t mailbox, const char *numbers)
{
        struct numset *set = kit_set(numbers);
        struct change *change = change_new(k->store);
        change_expunge(change, mailbox, set, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        numset_free(set);
}

/* What has been removed hides nothing of what was imported with it: removed before the view, its
 * last; or since, where the search for the first new one begins. */
static void history_with_holes(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t"), ana = kit_person(k, "ana"), rank = 0;
        const struct view *before, *view;
        struct numset *changed = numset_new();
        file_many(k, topic, 3, false);
        assert_int_equal(view_open(k->store, topic, &before), OK);
        file_many(k, topic, 9, true);
        expunge(k, topic, "12");
        assert_int_equal(view_open(k->store, topic, &view), OK);
        assert_int_equal(mailbox_changes(k->store, view, ana, before->position, changed, NULL), OK);
        assert_set(changed, "4:11");
        numset_clear(changed);
        expunge(k, topic, "6:8,11");
        assert_int_equal(view_after(k->store, view, before->position, &rank), OK);
        assert_int_equal(rank, 4);
        assert_int_equal(mailbox_changes(k->store, view, ana, before->position, changed, NULL), OK);
        numset_and(changed, view->numbers);
        assert_set(changed, "4:11");
        assert_int_equal(view_after(k->store, view, view->position, &rank), OK);
        assert_int_equal(rank, view->count + 1);
        numset_free(changed);
        view_close(k->store, before);
        view_close(k->store, view);
}

/* The first message after each of many changes; then again when some have gone that the view still
 * shows: what is there below is older, what is there from it on is not. */
static void first_after(void **state)
{
        enum { CHANGES = 45 };
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t"), rank, first[CHANGES + 1];
        uint64_t since[CHANGES + 1];
        const struct view *view;
        struct numset *gone = kit_set("1:3,9,20:31,40,97:100");
        for (unsigned i = 0; i <= CHANGES; i++) {
                assert_int_equal(view_open(k->store, topic, &view), OK);
                since[i] = view->position;
                first[i] = view->count + 1;
                view_close(k->store, view);
                file_many(k, topic, i % 5, false);
        }
        assert_int_equal(view_open(k->store, topic, &view), OK);
        for (unsigned holes = 0; holes < 2; holes++) {
                for (unsigned i = 0; i <= CHANGES; i++) {
                        assert_int_equal(view_after(k->store, view, since[i], &rank), OK);
                        if (!holes)
                                assert_int_equal(rank, first[i]);
                        uint32_t low = rank < first[i] ? rank : first[i];
                        for (uint32_t n = low; n < rank || n < first[i]; n++)
                                assert_true(numset_has(gone, n));
                }
                assert_int_equal(view_after(k->store, view, 0, &rank), OK);
                assert_int_equal(rank, 1);
                expunge(k, topic, "1:3,9,20:31,40,97:100");
        }
        view_close(k->store, view);
        numset_free(gone);
}

static void new_subscribers(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t"), ana = kit_person(k, "ana");
        file_many(k, topic, 5, true);
        file_many(k, topic, 5, false);
        for (unsigned i = 0; i < 2;
                i++) { /* the second time it is a change of mode, and marks nothing */
                struct subscription s = {
                        .person = ana, .topic = topic, .mode = i ? MODE_EACH : MODE_DIGEST};
                struct change *change = change_new(k->store);
                change_subscribe(change, &s);
                assert_int_equal(store_commit(change), OK);
                change_free(change);
                file_many(k, topic, 1, false);
        }
        const char *const flags[] = {"1:10", "", "", "", ""};
        assert_marks(k, topic, ana, flags);
}

static void keywords(void **state)
{
        struct kit *k = *state;
        uint32_t ana = kit_person(k, "ana"), folder = kit_folder(k, ana, "F");
        file_many(k, folder, 10, false);
        struct str words[] = {STR("$Junk"), STR("later")}, junk = STR("$JUNK");
        struct marking m = {
                .mailbox = folder, .person = ana, .keywords = words, .keyword_count = 2};
        assert_int_equal(mark(k, &m, "1:4"), OK);
        m.how = MARK_REMOVE;
        m.keywords = &junk;
        m.keyword_count = 1;
        assert_int_equal(mark(k, &m, "2"), OK);
        struct marks *marks;
        assert_int_equal(marks_load(k->store, folder, ana, &marks), OK);
        assert_int_equal(marks->keyword_count, 2);
        assert_str(marks->keywords[0], "$Junk");
        assert_set(marks->keyword[0], "1,3:4");
        assert_set(marks->keyword[1], "1:4");
        m.how = MARK_REPLACE;
        m.flags = FLAG_SEEN;
        assert_int_equal(mark(k, &m, "1:2"), OK);
        struct numset *numbers = kit_set("1:2");
        assert_int_equal(marks_refresh(k->store, marks, numbers), OK);
        numset_free(numbers);
        assert_set(marks->keyword[0], "1:4");
        assert_set(marks->keyword[1], "3:4");
        assert_set(marks->flag[0], "1:2");
        assert_int_equal(marks_flags(marks, 1), FLAG_SEEN);
        /* 64 are the most; one that is on nothing gives its place up. */
        m = (struct marking){
                .mailbox = folder, .person = ana, .keywords = &junk, .keyword_count = 1};
        for (unsigned i = 2; i <= KEYWORDS_MAX; i++) {
                junk = arena_printf(k->arena, "k%u", i);
                assert_int_equal(mark(k, &m, "9"), i < KEYWORDS_MAX ? OK : TOO_MANY);
        }
        m.how = MARK_REMOVE;
        junk = STR("later");
        assert_int_equal(mark(k, &m, "3:4"), OK);
        m.how = MARK_ADD;
        junk = STR("fresh");
        assert_int_equal(mark(k, &m, "5"), OK);
        numbers = kit_set("9");
        assert_int_equal(marks_refresh(k->store, marks, numbers), OK);
        numset_free(numbers);
        assert_str(marks->keywords[1], "fresh");
        assert_set(marks->keyword[1], "5");
        junk = STR("");
        assert_int_equal(mark(k, &m, "5"), INVALID);
        marks_free(marks);
}

/* Two of one change that would find room singly. */
static void too_many_together(void **state)
{
        enum { EACH = 40 };
        struct kit *k = *state;
        uint32_t ana = kit_person(k, "ana"), folder = kit_folder(k, ana, "F");
        struct str words[2 * EACH];
        struct filing_entry e[2] = {{.mailbox = folder, .person = ana, .keyword_count = EACH},
                {.mailbox = folder, .person = ana, .keyword_count = EACH}};
        struct filing f[2];
        struct change *change = change_new(k->store);
        for (unsigned i = 0; i < 2 * EACH; i++)
                words[i] = arena_printf(k->arena, "k%u", i);
        for (unsigned i = 0; i < 2; i++) {
                e[i].keywords = words + i * EACH;
                f[i] = (struct filing){.bytes = STR("text"),
                        .derived = kit_derived(k, i ? "a@x" : "b@x", ""),
                        .entries = &e[i],
                        .entry_count = 1};
                assert_int_equal(change_file(change, &f[i]), OK);
        }
        assert_int_equal(store_commit(change), TOO_MANY);
        change_free(change);
        const struct view *view;
        assert_int_equal(view_open(k->store, folder, &view), OK);
        assert_int_equal(view->count, 0);
        view_close(k->store, view);
}

static void unchanged_since(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t"), ana = kit_person(k, "ana"), bo = kit_person(k, "bo");
        file_many(k, topic, 10, false);
        uint64_t before, now, each[12];
        const struct view *view;
        assert_int_equal(mailbox_modseq(k->store, topic, ana, &before), OK);
        struct marking m = {.mailbox = topic, .person = ana, .flags = FLAG_SEEN};
        assert_int_equal(mark(k, &m, "2:3"), OK);
        assert_int_equal(mailbox_modseq(k->store, topic, ana, &now), OK);
        assert_int_equal(now, m.modseq);
        assert_int_equal(mailbox_modseq(k->store, topic, bo, &now),
                OK); /* another's reading does not show */
        assert_int_equal(now, before);
        m.person = bo;
        assert_int_equal(mark(k, &m, "5"), OK);
        file_many(k, topic, 2, false); /* 11 and 12 */
        struct numset *left = numset_new();
        m = (struct marking){.mailbox = topic,
                .person = ana,
                .flags = FLAG_FLAGGED,
                .unchanged_since = before,
                .left = left};
        assert_int_equal(mark(k, &m, "1:20"), OK);
        assert_set(left, "2:3,11:12");
        const char *const flags[] = {"2:3", "", "1,4:10", "", ""};
        assert_marks(k, topic, ana, flags);
        struct numset *all = kit_set("1:12");
        assert_int_equal(view_open(k->store, topic, &view), OK);
        assert_int_equal(modseqs_read(k->store, view, ana, all, each), OK);
        assert_int_equal(each[0], m.modseq);
        assert_true(each[1] > before && each[1] < m.modseq && each[1] == each[2]);
        assert_true(each[10] > each[1] && each[10] < m.modseq);
        assert_int_equal(modseqs_read(k->store, view, bo, all, each), OK);
        assert_int_equal(each[0], before);
        assert_true(each[4] > before && each[5] == before);
        struct changed_since asked = {.person = bo, .since = before, .which = all};
        assert_int_equal(modseqs_since(k->store, view, &asked, each), OK);
        assert_true(each[4] > before && each[5] == 0 && each[10] > each[4] && each[11] > before);
        struct numset *changed = numset_new(), *last = kit_set("12");
        struct change *change = change_new(k->store); /* gone, but still in this view */
        change_expunge(change, topic, last, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_int_equal(mailbox_changed(k->store, view, bo, before, changed), OK);
        assert_set(changed, "5,11:12");
        numset_clear(changed);
        assert_int_equal(mailbox_changed(k->store, view, ana, m.modseq - 1, changed), OK);
        assert_set(changed, "1,4:10");
        numset_free(changed);
        numset_free(last);
        view_close(k->store, view);
        numset_free(all);
        m.unchanged_since = m.modseq;
        m.flags = FLAG_DELETED;
        assert_int_equal(mark(k, &m, "1:20"), OK);
        assert_set(left, "");
        numset_free(left);
}

/* ---- against a naive model ---- */

enum { NUMBERS = 9000, PEOPLE = 3 };
struct model {
        unsigned char flags[PEOPLE][NUMBERS + 1];
        bool gone[NUMBERS + 1];
};

static uint64_t dice = 88172645463325252u;

static uint32_t roll(uint32_t below)
{
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        return (uint32_t)(dice >> 20) % below;
}

static struct numset *any_numbers(void)
{
        struct numset *set = numset_new();
        uint32_t from = 1 + roll(NUMBERS), step = 1 + roll(3),
                 count = roll(4) ? roll(20) : roll(NUMBERS);
        for (uint32_t i = 0; i < count && from <= NUMBERS; i++, from += step)
                numset_add(set, from);
        return set;
}

static void step_marks(
        struct kit *k, struct model *model, uint32_t mailbox, const uint32_t people[PEOPLE])
{
        unsigned person = roll(PEOPLE);
        struct numset *numbers = any_numbers(), *changed = numset_new(), *expected = numset_new(),
                      *vanished = numset_new();
        struct marking m = {.mailbox = mailbox,
                .person = people[person],
                .how = roll(3),
                .flags = roll(32),
                .numbers = numbers};
        const struct view *view;
        uint64_t position;
        uint32_t n;
        assert_int_equal(view_open(k->store, mailbox, &view), OK);
        position = view->position;
        view_close(k->store, view);
        assert_int_equal(marks_store(k->store, &m), OK);
        for (struct walk w = numset_walk(numbers); walk_next(&w, &n);) {
                unsigned char *at = &model->flags[person][n], old = *at;
                if (model->gone[n])
                        continue;
                *at = (unsigned char)(m.how == MARK_ADD      ? old | m.flags
                                      : m.how == MARK_REMOVE ? old & ~m.flags
                                                             : m.flags);
                if (*at != old)
                        numset_add(expected, n);
        }
        assert_int_equal(view_open(k->store, mailbox, &view), OK);
        assert_int_equal(
                mailbox_changes(k->store, view, people[person], position, changed, vanished), OK);
        assert_true(numset_equal(changed, expected));
        assert_int_equal(m.modseq != 0, numset_low(expected) != 0);
        view_close(k->store, view);
        numset_free(numbers);
        numset_free(changed);
        numset_free(expected);
        numset_free(vanished);
}

static void step_expunge(struct kit *k, struct model *model, uint32_t mailbox)
{
        struct numset *numbers = any_numbers(), *gone = numset_new();
        struct change *change = change_new(k->store);
        uint32_t n;
        while (numset_count(numbers) > 5)
                numset_remove(numbers, numset_high(numbers));
        change_expunge(change, mailbox, numbers, gone);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        for (struct walk w = numset_walk(numbers); walk_next(&w, &n);) {
                assert_int_equal(numset_has(gone, n), !model->gone[n]);
                model->gone[n] = true;
        }
        numset_free(numbers);
        numset_free(gone);
}

static void compare(struct kit *k, const struct model *model, uint32_t mailbox,
        const uint32_t people[PEOPLE], struct marks *kept[PEOPLE])
{
        for (unsigned p = 0; p < PEOPLE; p++) {
                struct marks *fresh;
                assert_int_equal(marks_load(k->store, mailbox, people[p], &fresh), OK);
                for (uint32_t n = 1; n <= NUMBERS; n++) {
                        if (model->gone[n])
                                continue;
                        assert_int_equal(marks_flags(fresh, n), model->flags[p][n]);
                        assert_int_equal(marks_flags(kept[p], n), model->flags[p][n]);
                }
                marks_free(fresh);
        }
}

/* Sessions that keep up by mailbox_changes and marks_refresh see what a fresh one loads. */
static void keep_up(struct kit *k, uint32_t mailbox, struct marks *kept, uint64_t *since)
{
        struct numset *flags = numset_new(), *vanished = numset_new();
        const struct view *view;
        assert_int_equal(view_open(k->store, mailbox, &view), OK);
        assert_int_equal(
                mailbox_changes(k->store, view, kept->person, *since, flags, vanished), OK);
        assert_int_equal(marks_refresh(k->store, kept, flags), OK);
        *since = view->position;
        view_close(k->store, view);
        numset_free(flags);
        numset_free(vanished);
}

static struct marks *open_any(struct kit *k, uint32_t mailbox, uint32_t person)
{
        const struct view *view;
        struct marks *m;
        uint32_t unseen;
        assert_int_equal(view_open(k->store, mailbox, &view), OK);
        assert_int_equal(marks_open(k->store, view, person, &m, &unseen), OK);
        view_close(k->store, view);
        return m;
}

/* ---- old changes are thrown together ---- */

enum { STEPS = 200, LETTERS = 2 * STEPS };

/* What changed at each step, and where the mailbox stood before it. */
struct diary {
        uint32_t topic, person;
        uint64_t before[2 * STEPS];
        uint32_t marked[2 * STEPS], gone[2 * STEPS];
        size_t count;
};

static void step(struct kit *k, struct diary *d)
{
        const struct view *view;
        struct numset *one = numset_new();
        struct change *change = change_new(k->store);
        struct marking m = {.mailbox = d->topic, .person = d->person, .numbers = one};
        assert_int_equal(view_open(k->store, d->topic, &view), OK);
        d->before[d->count] = view->position;
        d->gone[d->count] = numset_select(view->numbers, 1 + roll(view->count));
        view_close(k->store, view);
        numset_add(one, d->gone[d->count]);
        change_expunge(change, d->topic, one, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        assert_int_equal(view_open(k->store, d->topic, &view), OK);
        numset_clear(one);
        d->marked[d->count] = numset_select(view->numbers, 1 + roll(view->count));
        numset_add(one, d->marked[d->count++]);
        view_close(k->store, view);
        struct marks *now = open_any(k, d->topic, d->person);
        m.how = marks_flags(now, numset_low(one)) & FLAG_SEEN ? MARK_REMOVE : MARK_ADD;
        m.flags = FLAG_SEEN;
        marks_free(now);
        assert_int_equal(marks_store(k->store, &m), OK);
        assert_true(m.modseq > 0);
        numset_free(one);
}

/* Everything that happened since, and no more when `exact`. */
static void compare_diary(struct kit *k, const struct diary *d, size_t from, bool exact)
{
        const struct view *view;
        struct numset *flags = numset_new(), *vanished = numset_new(), *marked = numset_new(),
                      *gone = numset_new();
        assert_int_equal(view_open(k->store, d->topic, &view), OK);
        assert_int_equal(
                mailbox_changes(k->store, view, d->person, d->before[from], flags, vanished), OK);
        for (size_t i = from; i < d->count; i++) {
                numset_add(marked, d->marked[i]);
                numset_add(gone, d->gone[i]);
        }
        assert_int_equal(numset_count_andnot(marked, flags), 0);
        assert_int_equal(numset_count_andnot(gone, vanished), 0);
        if (exact) {
                assert_true(numset_equal(flags, marked));
                assert_true(numset_equal(vanished, gone));
        }
        numset_and(vanished, view->numbers);
        assert_int_equal(numset_count(vanished), 0);
        view_close(k->store, view);
        numset_free(flags);
        numset_free(vanished);
        numset_free(marked);
        numset_free(gone);
}

static size_t count_notes(struct kit *k, uint32_t mailbox, uint32_t person)
{
        struct key from = key_change(mailbox, person, 0),
                   upto = key_change(mailbox, person, UINT64_MAX);
        struct scan *scan = scan_open(
                k->store->env, NULL, TABLE_CHANGE, key_str(&from), key_str(&upto));
        struct str key, value;
        size_t count = 0;
        while (scan_next(scan, &key, &value) == OK)
                count++;
        scan_close(scan);
        return count;
}

static void old_changes(void **state)
{
        struct kit *k = *state;
        struct diary *d = mem_new(sizeof *d);
        d->topic = kit_topic(k, "t");
        d->person = kit_person(k, "a");
        for (unsigned i = 0; i < LETTERS / 100; i++)
                file_many(k, d->topic, 110, false);
        while (d->count < STEPS)
                step(k, d);
        assert_int_equal(count_notes(k, d->topic, d->person), STEPS);
        kit_reopen(k); /* MODSEQ jumps ahead: what was is long ago */
        while (d->count < 2 * STEPS)
                step(k, d);
        assert_in_range(count_notes(k, d->topic, d->person), STEPS, 2 * STEPS - 63);
        assert_in_range(count_notes(k, d->topic, 0), STEPS, 2 * STEPS - 63);
        for (size_t i = 0; i < d->count; i++)
                compare_diary(k, d, i, i >= STEPS);
        free(d);
}

/* What is shared is what anybody would load, and stays so for whoever has it. */
static void open_shared(struct kit *k, const struct model *model, uint32_t mailbox, uint32_t person,
        unsigned index)
{
        const struct view *view;
        struct marks *one, *other;
        uint32_t unseen, again, first = 0;
        assert_int_equal(view_open(k->store, mailbox, &view), OK);
        assert_int_equal(marks_open(k->store, view, person, &one, &unseen), OK);
        assert_int_equal(marks_open(k->store, view, person, &other, &again), OK);
        assert_ptr_equal(one->flag[0], other->flag[0]);
        assert_int_equal(unseen, again);
        for (uint32_t n = NUMBERS; n >= 1; n--) {
                if (model->gone[n])
                        continue;
                first = model->flags[index][n] & FLAG_SEEN ? first : n;
                assert_int_equal(marks_flags(one, n), model->flags[index][n]);
        }
        assert_int_equal(unseen, first);
        assert_int_equal(marks_refresh(k->store, other, view->numbers), OK); /* has its own now */
        assert_ptr_not_equal(one->flag[0], other->flag[0]);
        marks_free(other);
        assert_int_equal(marks_open(k->store, view, person, &other, &again), OK);
        assert_ptr_equal(one->flag[0], other->flag[0]);
        marks_free(one);
        marks_free(other);
        view_close(k->store, view);
}

static void against_a_model(void **state)
{
        struct kit *k = *state;
        uint32_t topic = kit_topic(k, "t"),
                 people[PEOPLE] = {kit_person(k, "a"), kit_person(k, "b"), kit_person(k, "c")};
        struct model *model = mem_new(sizeof *model);
        struct marks *kept[PEOPLE];
        uint64_t since[PEOPLE] = {0};
        for (unsigned i = 0; i < NUMBERS / 150; i++)
                file_many(k, topic, 150, i % 2);
        for (uint32_t n = 1; n <= NUMBERS; n++)
                for (unsigned p = 0; p < PEOPLE; p++)
                        model->flags[p][n] = (n - 1) / 150 % 2 ? FLAG_SEEN : 0;
        for (unsigned p = 0; p < PEOPLE; p++)
                kept[p] = open_any(k, topic, people[p]);
        for (unsigned i = 0; i < 150; i++) {
                if (roll(10))
                        step_marks(k, model, topic, people);
                else
                        step_expunge(k, model, topic);
                unsigned p = roll(PEOPLE);
                keep_up(k, topic, kept[p], &since[p]);
                p = roll(PEOPLE);
                open_shared(k, model, topic, people[p], p);
        }
        for (unsigned p = 0; p < PEOPLE; p++)
                keep_up(k, topic, kept[p], &since[p]);
        compare(k, model, topic, people, kept);
        for (unsigned p = 0; p < PEOPLE; p++)
                marks_free(kept[p]);
        free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(add_remove_replace, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(history, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(history_with_holes, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(first_after, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(new_subscribers, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(keywords, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(too_many_together, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(unchanged_since, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(against_a_model, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(old_changes, kit_begin, kit_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
