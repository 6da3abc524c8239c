/* The store while its environment fails, is slow, or changes between two reads: the linker puts
 * this file's functions between the store and the environment (domain.mk: --wrap). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store_kit.h"
#include "store/codec.h"
#include "store/inside.h"
#include "store/queue.h"
#include <pthread.h>
#include <stdatomic.h>

/* ---- what is put between ---- */

static atomic_uint left_puts, left_commits;              /* so many of the next ones fail */
static atomic_uint odds, dice;                           /* one in so many fails; 0: none */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* held: no flush gets through */
/* Called once, before the next table_last, or a reader's next scan of what is derived. */
static _Atomic(void (*)(void *)) on_last, on_derived; /* looked at by every thread that reads */
static void *on_arg;

enum status __real_table_put(struct txn *, enum table, struct str key, struct str value);
enum status __wrap_table_put(struct txn *, enum table, struct str key, struct str value);
enum status __real_txn_commit(struct txn *);
enum status __wrap_txn_commit(struct txn *);
enum status __real_env_flush(struct env *);
enum status __wrap_env_flush(struct env *);
enum status __real_table_last(struct env *, struct txn *, enum table, struct str from,
        struct str upto, struct buf *key, struct buf *value);
enum status __wrap_table_last(struct env *, struct txn *, enum table, struct str from,
        struct str upto, struct buf *key, struct buf *value);
struct scan *__real_scan_open(struct env *, struct txn *, enum table, struct str, struct str);
struct scan *__wrap_scan_open(struct env *, struct txn *, enum table, struct str, struct str);

static bool fails(atomic_uint *left)
{
        unsigned one_in = atomic_load(&odds), n = atomic_load(left);
        if (n) {
                atomic_store(left, n - 1);
                return true;
        }
        n = atomic_fetch_add(&dice, 1) * 2654435761u;
        n = (n ^ n >> 15) * 2246822519u;
        return one_in && (n ^ n >> 13) % one_in == 0;
}

enum status __wrap_table_put(struct txn *txn, enum table table, struct str key, struct str value)
{
        return fails(&left_puts) ? FULL : __real_table_put(txn, table, key, value);
}

enum status __wrap_txn_commit(struct txn *txn)
{
        if (!fails(&left_commits))
                return __real_txn_commit(txn);
        txn_abort(txn);
        return FULL;
}

enum status __wrap_env_flush(struct env *env)
{
        pthread_mutex_lock(&gate);
        enum status st = __real_env_flush(env);
        pthread_mutex_unlock(&gate);
        return st;
}

static void call_once(_Atomic(void (*)(void *)) *hook)
{
        void (*call)(void *) = atomic_exchange(hook, NULL);
        if (call)
                call(on_arg);
}

enum status __wrap_table_last(struct env *env, struct txn *txn, enum table table, struct str from,
        struct str upto, struct buf *key, struct buf *value)
{
        if (table == TABLE_BODY)
                call_once(&on_last);
        return __real_table_last(env, txn, table, from, upto, key, value);
}

struct scan *__wrap_scan_open(
        struct env *env, struct txn *txn, enum table table, struct str from, struct str upto)
{
        if (table == TABLE_DERIVED && !txn)
                call_once(&on_derived);
        return __real_scan_open(env, txn, table, from, upto);
}

/* ---- bodies written ahead ---- */

static struct str long_text(struct arena *arena)
{
        enum { SIZE = 4300000 };
        char *at = arena_alloc(arena, SIZE);
        for (size_t i = 0; i < SIZE; i++)
                at[i] = (char)('a' + i / 1000 % 26);
        return str_make(at, SIZE);
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

struct other {
        struct kit *k;
        struct letter letter;
};

static void file_other(void *arg)
{
        struct other *other = arg;
        atomic_store(&left_puts, 0);
        kit_file(other->k, &other->letter, NULL);
}

/* An id that was taken back goes to another message, whose body is not the failed one's to remove.
 */
static void given_up(void **state)
{
        struct kit *k = *state;
        struct filing_entry e = {.mailbox = kit_topic(k, "t")};
        struct filing f = {.bytes = long_text(k->arena),
                .derived = kit_derived(k, "long@x", ""),
                .entries = &e,
                .entry_count = 1};
        struct other other = {.k = k, .letter = {.id = "other@x", .mailbox = e.mailbox}};
        on_arg = &other;
        on_last = file_other;
        atomic_store(&left_puts, 1000);
        assert_int_equal(message_file(k->store, &f), FULL);
        if (on_last)
                call_once(&on_last);
        kit_check(k);
}

/* The filing's commit fails, and again when it runs alone: what was written ahead of it goes. */
static void not_landed(void **state)
{
        struct kit *k = *state;
        struct filing_entry e = {.mailbox = kit_topic(k, "t")};
        struct filing f = {.bytes = long_text(k->arena),
                .derived = kit_derived(k, "long@x", ""),
                .entries = &e,
                .entry_count = 1};
        struct change *change = change_new(k->store);
        assert_int_equal(change_file(change, &f), OK);
        assert_true(count_keys(k, TABLE_BODY) > 0);
        atomic_store(&left_commits, 2);
        assert_int_equal(store_commit(change), FULL);
        change_free(change);
        assert_int_equal(count_keys(k, TABLE_BODY), 0);
}

/* ---- what is not flushed is not shown ---- */

struct later {
        struct kit *k;
        struct filing *filing;
        struct marking *marking;
        struct queue_row *row;
        atomic_bool open; /* flushes get through */
        bool seen, was_open;
};

static void *file_later(void *arg)
{
        struct later *l = arg;
        assert_int_equal(message_file(l->k->store, l->filing), OK);
        return NULL;
}

/* A message that is known gets a further place. */
static void places(void **state)
{
        struct kit *k = *state;
        uint32_t a = kit_topic(k, "a"), b = kit_topic(k, "b");
        struct letter letter = {.id = "m@x", .mailbox = a};
        uint64_t id = kit_file(k, &letter, NULL);
        struct filing_entry e = {.mailbox = b};
        struct filing f = {.bytes = STR("Subject: x\r\n\r\nbody\r\n"),
                .derived = kit_derived(k, "m@x", ""),
                .entries = &e,
                .entry_count = 1,
                .once = true};
        struct later l = {.k = k, .filing = &f};
        struct place found[4];
        struct entry entry;
        size_t count = 4;
        pthread_t thread;
        pthread_mutex_lock(&gate);
        assert_int_equal(pthread_create(&thread, NULL, file_later, &l), 0);
        while (entry_read(k->store, b, 1, &entry) != OK)
                usleep(1000);
        assert_int_equal(message_places(k->store, id, found, &count), OK);
        pthread_mutex_unlock(&gate);
        pthread_join(thread, NULL);
        assert_int_equal(count, 1);
        assert_int_equal(found[0].mailbox, a);
        count = 4;
        assert_int_equal(message_places(k->store, id, found, &count), OK);
        assert_int_equal(count, 2);
}

static void *mark_later(void *arg)
{
        struct later *l = arg;
        assert_int_equal(marks_store(l->k->store, l->marking), OK);
        return NULL;
}

static void *load_marks(void *arg)
{
        struct later *l = arg;
        const struct marking *m = l->marking;
        struct marks *marks;
        assert_int_equal(marks_load(l->k->store, m->mailbox, m->person, &marks), OK);
        l->was_open = atomic_load(&l->open);
        l->seen = marks_flags(marks, 1) & FLAG_SEEN;
        marks_free(marks);
        return NULL;
}

static void flags(void **state)
{
        struct kit *k = *state;
        struct letter letter = {.id = "m@x", .mailbox = kit_topic(k, "a")};
        struct numset *one = kit_set("1");
        struct marking marking = {.mailbox = letter.mailbox,
                .person = kit_person(k, "ana"),
                .flags = FLAG_SEEN,
                .numbers = one};
        struct later l = {.k = k, .marking = &marking};
        pthread_t writer, reader;
        kit_file(k, &letter, NULL);
        pthread_mutex_lock(&gate);
        assert_int_equal(pthread_create(&writer, NULL, mark_later, &l), 0);
        while (count_keys(k, TABLE_MARK) == 0)
                usleep(1000);
        assert_int_equal(pthread_create(&reader, NULL, load_marks, &l), 0);
        usleep(30000);
        atomic_store(&l.open, true);
        pthread_mutex_unlock(&gate);
        pthread_join(writer, NULL);
        pthread_join(reader, NULL);
        assert_true(l.seen && l.was_open);
        numset_free(one);
}

static void *queue_later(void *arg)
{
        struct later *l = arg;
        struct change *change = change_new(l->k->store);
        assert_int_equal(change_file(change, l->filing), OK);
        change_queue_add(change, l->row);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        return NULL;
}

static void *get_row(void *arg)
{
        struct later *l = arg;
        struct arena *arena = arena_new();
        struct queue_row row;
        struct place at = {0};
        uint64_t id;
        size_t count = 1;
        assert_int_equal(queue_due(l->k->store, 100, &id, &count), OK);
        assert_int_equal(count, 1);
        assert_int_equal(queue_get(l->k->store, id, arena, &row), OK);
        l->was_open = atomic_load(&l->open);
        l->seen = message_place(l->k->store, row.message, &at) == OK;
        arena_free(arena);
        return NULL;
}

/* A sender that is awake sends nothing that a crash would take back. */
static void queue_rows(void **state)
{
        struct kit *k = *state;
        struct queue_recipient bo = {.address = STR("bo@x.example"), .state = QUEUE_WAITING};
        struct filing_entry e = {.mailbox = kit_topic(k, "a")};
        struct filing f = {.bytes = STR("Subject: x\r\n\r\nbody\r\n"),
                .derived = kit_derived(k, "m@x", ""),
                .entries = &e,
                .entry_count = 1};
        struct queue_row row = {.filing = &f,
                .person = kit_person(k, "ana"),
                .sender = STR("ana@team.example"),
                .recipients = &bo,
                .recipient_count = 1,
                .next = 50};
        struct later l = {.k = k, .filing = &f, .row = &row};
        pthread_t writer, sender;
        time_t next;
        pthread_mutex_lock(&gate);
        assert_int_equal(pthread_create(&writer, NULL, queue_later, &l), 0);
        while (queue_next(k->store, &next) != OK)
                usleep(1000);
        assert_int_equal(pthread_create(&sender, NULL, get_row, &l), 0);
        usleep(30000);
        atomic_store(&l.open, true);
        pthread_mutex_unlock(&gate);
        pthread_join(writer, NULL);
        pthread_join(sender, NULL);
        assert_true(l.seen && l.was_open);
}

/* ---- gone between two reads ---- */

static void expunge_five(void *arg)
{
        struct other *other = arg;
        struct numset *five = kit_set("5");
        struct change *change = change_new(other->k->store);
        change_expunge(change, other->letter.mailbox, five, NULL);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
        numset_free(five);
}

static void gone_meanwhile(void **state)
{
        enum { COUNT = 20 };
        struct kit *k = *state;
        struct other other = {.k = k, .letter = {.mailbox = kit_topic(k, "t")}};
        struct stored out[COUNT];
        uint64_t ids[COUNT];
        for (unsigned i = 0; i < COUNT; i++) {
                other.letter.id = arena_printf(k->arena, "%u@x", i).at;
                ids[i] = kit_file(k, &other.letter, NULL);
        }
        on_arg = &other;
        on_derived = expunge_five;
        assert_int_equal(messages_read(k->store, ids, COUNT, READ_ENVELOPE, k->arena, out), OK);
        for (unsigned i = 0; i < COUNT; i++) {
                assert_int_equal(out[i].id, i == 4 ? 0 : ids[i]);
                assert_int_equal(out[i].envelope.len > 0, i != 4);
        }
}

/* ---- anything fails at any time ---- */

/* A person with two folders, whose contents are known. */
struct actor {
        struct store *store;
        struct arena *arena;
        struct str text;
        uint32_t person, topic, box[2], next[2];
        struct numset *have[2];
        uint64_t dice;
        unsigned refused;
};

static unsigned roll(struct actor *a, unsigned most)
{
        a->dice ^= a->dice << 13;
        a->dice ^= a->dice >> 7;
        a->dice ^= a->dice << 17;
        return (unsigned)(a->dice >> 8) % most;
}

static struct numset *some_numbers(struct actor *a, unsigned b)
{
        struct numset *some = numset_new();
        for (unsigned i = 0; i < 5; i++)
                numset_add(some, 1 + roll(a, a->next[b]));
        return some;
}

static enum status step_file(struct actor *a, struct change *change, unsigned b)
{
        struct str answered = arena_printf(a->arena, "<%u@x>", roll(a, 99));
        struct derived d = {.message_id = arena_printf(a->arena, "<%u@x>", roll(a, 99)),
                .references = &answered,
                .reference_count = 1};
        struct filing_entry e[2] = {
                {.mailbox = a->box[b], .person = a->person, .flags = roll(a, FLAG_ALL + 1)},
                {.mailbox = a->topic, .news = true, .history = roll(a, 2)},
        };
        struct filing f = {.bytes = str_sub(a->text, 0, roll(a, 50) ? roll(a, 3) : a->text.len),
                .derived = &d,
                .entries = e,
                .entry_count = 1 + roll(a, 2),
                .once = roll(a, 2)};
        enum status st = change_file(change, &f);
        if (st == OK)
                st = store_commit(change);
        if (st != OK)
                return st;
        assert_int_equal(e[0].already, e[0].already && numset_has(a->have[b], e[0].number));
        if (e[0].already)
                return OK;
        assert_int_equal(e[0].number, a->next[b]);
        numset_add(a->have[b], a->next[b]++);
        return OK;
}

static enum status step_expunge(struct actor *a, struct change *change, unsigned b)
{
        struct numset *some = some_numbers(a, b);
        change_expunge(change, a->box[b], some, NULL);
        enum status st = store_commit(change);
        if (st == OK)
                numset_andnot(a->have[b], some);
        numset_free(some);
        return st;
}

static enum status step_move(struct actor *a, struct change *change, unsigned b)
{
        struct numset *some = some_numbers(a, b), *from = numset_new(), *to = numset_new();
        struct copying copying = {a->box[b], a->box[!b], a->person, some, from, to};
        change_copy(change, &copying);
        change_expunge(change, a->box[b], some, NULL);
        enum status st = store_commit(change);
        if (st == OK) {
                uint32_t next = a->next[!b];
                numset_and(some, a->have[b]);
                assert_true(numset_equal(some, from));
                a->next[!b] += numset_count(from);
                numset_add_range(a->have[!b], next, a->next[!b] - 1);
                assert_int_equal(numset_count(to), numset_count(from));
                assert_int_equal(numset_count_range(to, next, a->next[!b]), numset_count(to));
                numset_andnot(a->have[b], some);
        }
        numset_free(some);
        numset_free(from);
        numset_free(to);
        return st;
}

static enum status step_mark(struct actor *a, struct change *change, unsigned b)
{
        struct numset *some = some_numbers(a, b);
        struct marking m = {.mailbox = a->box[b],
                .person = a->person,
                .how = roll(a, 3),
                .flags = roll(a, FLAG_ALL + 1),
                .numbers = some};
        change_marks(change, &m);
        enum status st = store_commit(change);
        numset_free(some);
        return st;
}

static void *act(void *arg)
{
        enum { STEPS = 150 };
        enum status (*const steps[])(struct actor *, struct change *, unsigned) = {
                step_file, step_file, step_file, step_expunge, step_move, step_mark};
        struct actor *a = arg;
        for (unsigned i = 0; i < STEPS; i++) {
                struct change *change = change_new(a->store);
                enum status st = steps[roll(a, COUNT_OF(steps))](a, change, roll(a, 2));
                assert_true(st == OK || st == FULL);
                a->refused += st != OK;
                change_free(change);
        }
        return NULL;
}

static void actor_begin(struct actor *a, struct kit *k, unsigned number)
{
        a->store = k->store;
        a->arena = arena_new();
        a->person = kit_person(k, arena_printf(a->arena, "p%u", number).at);
        a->dice = 88172645463325252u * (number + 1);
        for (unsigned b = 0; b < 2; b++) {
                a->box[b] = kit_folder(k, a->person, b ? "x" : "y");
                a->next[b] = 1;
                a->have[b] = numset_new();
        }
}

static void actor_end(struct actor *a)
{
        const struct view *v;
        for (unsigned b = 0; b < 2; b++) {
                assert_int_equal(view_open(a->store, a->box[b], &v), OK);
                assert_true(numset_equal(v->numbers, a->have[b]));
                assert_int_equal(v->next, a->next[b]);
                view_close(a->store, v);
                numset_free(a->have[b]);
        }
        arena_free(a->arena);
}

/* What was refused has not happened, what was not has, and everything agrees. */
static void anything(void **state)
{
        enum { ACTORS = 4 };
        struct kit *k = *state;
        struct actor actors[ACTORS];
        pthread_t threads[ACTORS];
        unsigned refused = 0;
        for (unsigned i = 0; i < ACTORS; i++) {
                actors[i] = (struct actor){.text = long_text(k->arena), .topic = 0};
                actors[i].topic = i ? actors[0].topic : kit_topic(k, "t");
                actor_begin(&actors[i], k, i);
        }
        atomic_store(&odds, 60);
        for (unsigned i = 0; i < ACTORS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, act, &actors[i]), 0);
        for (unsigned i = 0; i < ACTORS; i++)
                pthread_join(threads[i], NULL);
        atomic_store(&odds, 0);
        for (unsigned i = 0; i < ACTORS; i++) {
                refused += actors[i].refused;
                actor_end(&actors[i]);
        }
        assert_true(refused > 0);
        kit_check(k);
        kit_reopen(k);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(given_up, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(not_landed, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(places, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(flags, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(queue_rows, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(gone_meanwhile, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(anything, kit_begin, kit_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
