#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store_kit.h"
#include "store/codec.h"
#include "store/inside.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* A process that files, marks, expunges and removes is killed at any moment, again and again. What
 * it had been told is done must be there, numbers must not come twice, and the tables must agree.
 */
enum { THREADS = 3, STEPS = 3000 };

struct promise {                  /* what one step was told; shared with the parent */
        _Atomic uint32_t filed;   /* number; 0: not told */
        _Atomic uint32_t removed; /* an expunge of it was asked for, told or not */
        _Atomic uint32_t flagged; /* told */
};
struct shared {
        struct promise promises[THREADS][STEPS];
        uint32_t topic, person;
};

static unsigned rounds = 3; /* or as the first argument says */
static uint64_t dice = 88172645463325252u;

static uint32_t roll(uint64_t *d, uint32_t below)
{
        *d ^= *d << 13;
        *d ^= *d >> 7;
        *d ^= *d << 17;
        return (uint32_t)(*d >> 20) % below;
}

struct hand {
        struct kit kit;
        struct shared *shared;
        unsigned thread, round;
        uint64_t dice;
};

static struct filing *message(struct hand *h, unsigned i, struct filing_entry *e)
{
        struct filing *f = arena_alloc(h->kit.arena, sizeof *f);
        size_t size = roll(&h->dice, 200) == 0 ? 5000000 : roll(&h->dice, 9000);
        struct str id = arena_printf(h->kit.arena, "%u.%u.%u", h->round, h->thread, i);
        struct str of = arena_printf(h->kit.arena, "%u.%u.%u", h->round, roll(&h->dice, THREADS),
                i ? roll(&h->dice, 2 * i) : 0);
        char *text = arena_alloc(h->kit.arena, size + 1);
        memset(text, 'a' + (int)(i % 26), size);
        *f = (struct filing){.bytes = str_make(text, size),
                .derived = kit_derived(&h->kit, id.at, of.at),
                .entries = e,
                .entry_count = 1,
                .site = STR("s")};
        return f;
}

static void file_one(struct hand *h, unsigned i)
{
        struct filing_entry e = {.mailbox = h->shared->topic, .news = true};
        struct filing *f = message(h, i, &e);
        if (message_file(h->kit.store, f) == OK)
                atomic_store(&h->shared->promises[h->thread][i].filed, e.number);
}

static void change_one(struct hand *h, unsigned i)
{
        struct promise *p = &h->shared->promises[h->thread][roll(&h->dice, i + 1)];
        uint32_t number = atomic_load(&p->filed);
        if (!number || atomic_load(&p->removed))
                return;
        struct numset *one = numset_new();
        struct change *change = change_new(h->kit.store);
        struct marking m = {.mailbox = h->shared->topic, .person = h->shared->person};
        bool expunges = roll(&h->dice, 2);
        numset_add(one, number);
        m.flags = FLAG_FLAGGED;
        m.numbers = one;
        if (expunges) {
                atomic_store(&p->removed, 1);
                change_expunge(change, h->shared->topic, one, NULL);
        } else {
                change_marks(change, &m);
        }
        if (store_commit(change) == OK && !expunges)
                atomic_store(&p->flagged, 1);
        change_free(change);
        numset_free(one);
}

/* A folder with copies, made and removed as a whole. */
static void folder_one(struct hand *h, unsigned i)
{
        struct arena *arena = h->kit.arena;
        struct mailbox m = {.kind = MAILBOX_FOLDER, .owner = h->shared->person};
        struct numset *all = numset_new();
        struct copying copying = {.from = h->shared->topic, .person = h->shared->person};
        struct change *change = change_new(h->kit.store);
        m.name = arena_printf(arena, "%u.%u.%u", h->round, h->thread, i);
        numset_add_range(all, 1, 300);
        copying.numbers = all;
        change_mailbox_add(change, &m, &copying.to);
        enum status st = store_commit(change);
        change_free(change);
        for (unsigned step = 0; st == OK && step < 2; step++) {
                change = change_new(h->kit.store);
                if (step == 0)
                        change_copy(change, &copying);
                else
                        change_mailbox_remove(change, copying.to);
                st = store_commit(change);
                change_free(change);
        }
        numset_free(all);
}

static void *work(void *arg)
{
        struct hand *h = arg;
        for (unsigned i = 0; i < STEPS; i++) {
                arena_reset(h->kit.arena);
                file_one(h, i);
                change_one(h, i);
                if (roll(&h->dice, 100) == 0)
                        folder_one(h, i);
        }
        return NULL;
}

static _Noreturn void child(struct kit *k, struct shared *shared, unsigned round)
{
        struct hand hands[THREADS];
        pthread_t threads[THREADS];
        kit_open(k);
        for (unsigned i = 0; i < THREADS; i++) {
                hands[i] = (struct hand){.kit = *k, .shared = shared, .thread = i, .round = round};
                hands[i].dice = dice + 7919 * (i + 1);
                hands[i].kit.arena = arena_new();
                pthread_create(&threads[i], NULL, work, &hands[i]);
        }
        for (unsigned i = 0; i < THREADS; i++)
                pthread_join(threads[i], NULL);
        _exit(0);
}

static uint32_t verify(struct kit *k, const struct shared *s)
{
        const struct view *view;
        struct marks *marks;
        uint32_t highest = 0;
        assert_int_equal(view_open(k->store, s->topic, &view), OK);
        assert_int_equal(marks_load(k->store, s->topic, s->person, &marks), OK);
        for (unsigned t = 0; t < THREADS; t++) {
                for (unsigned i = 0; i < STEPS; i++) {
                        const struct promise *p = &s->promises[t][i];
                        uint32_t number = atomic_load(&p->filed);
                        highest = number > highest ? number : highest;
                        if (!number || atomic_load(&p->removed))
                                continue;
                        assert_true(numset_has(view->numbers, number));
                        if (atomic_load(&p->flagged))
                                assert_true(numset_has(marks->flag[2], number));
                }
        }
        assert_true(view->next > highest);
        marks_free(marks);
        view_close(k->store, view);
        return highest;
}

/* What was left over when it was killed is cleared by the next start. */
static void assert_no_leftovers(struct kit *k)
{
        static const enum leftover kinds[] = {LEFT_BODY, LEFT_MESSAGE, LEFT_MAILBOX};
        for (size_t i = 0; i < COUNT_OF(kinds); i++) {
                struct key from = key_leftovers(kinds[i]);
                struct scan *scan = scan_open(
                        k->store->env, NULL, TABLE_META, key_str(&from), STR_NONE);
                struct str key, value;
                enum status st = scan_next(scan, &key, &value);
                assert_true(st == ABSENT || !str_starts(key, key_str(&from)));
                scan_close(scan);
        }
}

static void killed(void **state)
{
        struct kit *k = *state;
        struct shared *s = mmap(
                NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        uint32_t highest = 0, number;
        assert_true(s != MAP_FAILED);
        s->topic = kit_topic(k, "t");
        s->person = kit_person(k, "ana");
        for (unsigned round = 0; round < rounds; round++) {
                memset(s->promises, 0, sizeof s->promises);
                store_close(k->store);
                pid_t pid = fork();
                if (pid == 0)
                        child(k, s, round);
                usleep(100000 + roll(&dice, 200000));
                kill(pid, SIGKILL);
                assert_int_equal(waitpid(pid, NULL, 0), pid);
                kit_open(k);
                assert_no_leftovers(k);
                number = verify(k, s);
                highest = number > highest ? number : highest;
                kit_check(k);
                struct letter l = {
                        .mailbox = s->topic, .id = arena_printf(k->arena, "after.%u", round).at};
                kit_file(k, &l, &number);
                assert_true(number > highest);
                highest = number;
        }
        munmap(s, sizeof *s);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(killed, kit_begin, kit_end),
        };
        if (argc > 1)
                rounds = (unsigned)strtoul(argv[1], NULL, 10);
        if (argc > 2)
                dice ^= strtoull(argv[2], NULL, 10);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
