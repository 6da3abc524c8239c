#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store_stub.h"
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

static char folder[64];

static int begin(void **state)
{
        folder_make(folder);
        *state = open_store(folder);
        return 0;
}

static int end(void **state)
{
        close_checked(*state, folder);
        folder_remove(folder);
        return 0;
}

static enum status get(struct store *store, struct str key)
{
        return table_has(store->env, NULL, TABLE_NAME, key);
}

/* All operations of a change happen, or none. */
static void all_or_none(void **state)
{
        struct store *store = *state;
        unsigned published = 0;
        struct change *change = change_new(store);
        change_put(change, TABLE_NAME, STR("a"), STR("1"))->published = &published;
        change_put(change, TABLE_ID, STR("a"), STR("1"))->published = &published;
        assert_int_equal(store_commit(change), OK);
        assert_int_equal(published, 2);
        assert_int_equal(change->first->modseq, change->last->modseq);
        change_free(change);

        change = change_new(store);
        change_put(change, TABLE_NAME, STR("b"), STR("1"))->published = &published;
        change_put(change, TABLE_NAME, STR("a"), STR("2"))->fresh = true;
        assert_int_equal(store_commit(change), EXISTS);
        change_free(change);
        assert_int_equal(get(store, STR("b")), ABSENT);
        assert_int_equal(published, 2);

        change = change_new(store);
        assert_int_equal(store_commit(change), OK);
        change_free(change);
}

/* A put that fails takes its own change back, not its neighbours'. */
static void culprit_only(void **state)
{
        struct store *store = *state;
        struct change *change = change_new(store);
        change_put(change, TABLE_NAME, STR("a"), STR("1"));
        change_put(change, TABLE_NAME, STR("b"), STR("1"))->fail = FULL;
        assert_int_equal(store_commit(change), FULL);
        change_free(change);
        assert_int_equal(get(store, STR("a")), ABSENT);
        assert_int_equal(put_one(store, TABLE_NAME, STR("c"), STR("1")), OK);
        assert_int_equal(get(store, STR("c")), OK);
}

struct client {
        struct store *store;
        unsigned number, rounds;
        unsigned done, refused, failed;
};

static void client_key(unsigned number, unsigned round, char out[32])
{
        (void)snprintf(out, 32, "%u.%u", number, round);
}

static void *client_work(void *arg)
{
        struct client *client = arg;
        char key[32];
        for (unsigned i = 0; i < client->rounds; i++) {
                struct change *change = change_new(client->store);
                client_key(client->number, i, key);
                struct put_op *put = change_put(change, TABLE_NAME, str_of(key), STR("x"));
                put->fail = i % 50 == 7 ? FULL : OK;
                put = change_put(change, TABLE_ID, str_of(key), STR("x"));
                put->refuse = i % 10 == 3 ? FORBIDDEN : OK;
                enum status st = store_commit(change);
                client->done += st == OK;
                client->refused += st == FORBIDDEN;
                client->failed += st == FULL;
                change_free(change);
        }
        return NULL;
}

static void many_clients(void **state)
{
        enum { CLIENTS = 8, ROUNDS = 100 };
        struct client clients[CLIENTS];
        pthread_t threads[CLIENTS];
        struct store_stats stats;
        char key[32];
        for (unsigned i = 0; i < CLIENTS; i++) {
                clients[i] = (struct client){.store = *state, .number = i, .rounds = ROUNDS};
                assert_int_equal(pthread_create(&threads[i], NULL, client_work, &clients[i]), 0);
        }
        for (unsigned i = 0; i < CLIENTS; i++) {
                pthread_join(threads[i], NULL);
                assert_int_equal(clients[i].refused, ROUNDS / 10);
                assert_int_equal(clients[i].failed, ROUNDS / 50);
                assert_int_equal(clients[i].done, ROUNDS - ROUNDS / 10 - ROUNDS / 50);
        }
        for (unsigned i = 0; i < CLIENTS * ROUNDS; i++) {
                unsigned round = i % ROUNDS;
                client_key(i / ROUNDS, round, key);
                assert_int_equal(
                        get(*state, str_of(key)), round % 50 == 7 || round % 10 == 3 ? ABSENT : OK);
        }
        assert_int_equal(writer_settle(((struct store *)*state)->writer), OK);
        store_stats(*state, &stats);
        assert_int_equal(stats.queued, 0);
        assert_true(stats.commits > 0 && stats.flushes > 0);
}

/* MODSEQ rises by one a change, refusals use none up, and a start jumps ahead. */
static void modseq_rises(void **state)
{
        struct store *store = *state;
        uint64_t first = writer_flushed(store->writer);
        for (unsigned i = 1; i <= 5; i++) {
                struct change *change = change_new(store);
                struct put_op *put = change_put(change, TABLE_NAME, STR("a"), STR("1"));
                assert_int_equal(store_commit(change), OK);
                assert_int_equal(put->op.modseq, first + i);
                change_free(change);
                change = change_new(store);
                change_put(change, TABLE_NAME, STR("a"), STR("1"))->refuse = CHANGED;
                assert_int_equal(store_commit(change), CHANGED);
                change_free(change);
        }
        assert_int_equal(writer_flushed(store->writer), first + 5);
        store_close(store);
        *state = store = open_store(folder);
        assert_int_equal(writer_flushed(store->writer), first + 5 + (1 << 20));
}

/* ---- a writer that stands still ---- */

struct gate {
        struct op op;
        sem_t reached, open;
};

static enum status gate_check(struct txn *txn, struct op *op)
{
        struct gate *gate = (struct gate *)(void *)op;
        (void)txn;
        sem_post(&gate->reached);
        while (sem_wait(&gate->open) != 0)
                continue;
        return FORBIDDEN;
}

static void gate_free(struct op *op)
{
        (void)op;
}

static const struct op_kind gate_kind = {"gate", gate_check, NULL, NULL, gate_free};

static void *commit_work(void *arg)
{
        struct change *change = arg;
        change->status = store_commit(change);
        return NULL;
}

static void queue_has_an_end(void **state)
{
        enum { MOST = 2048, SMALL_STACK = 64 * 1024 };
        static pthread_t threads[MOST];
        static struct change *changes[MOST];
        struct gate gate = {.op.kind = &gate_kind};
        struct store_stats stats;
        pthread_attr_t small;
        pthread_t gate_thread;
        sem_init(&gate.reached, 0, 0);
        sem_init(&gate.open, 0, 0);
        pthread_attr_init(&small);
        pthread_attr_setstacksize(&small, SMALL_STACK);
        struct change *change = change_new(*state);
        change_op(change, &gate.op);
        assert_int_equal(pthread_create(&gate_thread, NULL, commit_work, change), 0);
        while (sem_wait(&gate.reached) != 0)
                continue;
        unsigned begun = 0;
        for (; begun < MOST; begun++) {
                changes[begun] = change_new(*state);
                change_put(changes[begun], TABLE_NAME, STR("a"), STR("1"));
                if (pthread_create(&threads[begun], &small, commit_work, changes[begun]) != 0)
                        break; /* a machine that allows fewer threads */
        }
        if (begun == MOST) {
                do
                        store_stats(*state, &stats);
                while (stats.queued < MOST);
                assert_int_equal(put_one(*state, TABLE_NAME, STR("b"), STR("1")), BUSY);
        } else {
                change_free(changes[begun]);
        }
        sem_post(&gate.open);
        for (unsigned i = 0; i < begun; i++) {
                pthread_join(threads[i], NULL);
                assert_int_equal(changes[i]->status, OK);
                change_free(changes[i]);
        }
        pthread_join(gate_thread, NULL);
        assert_int_equal(change->status, FORBIDDEN);
        change_free(change);
        pthread_attr_destroy(&small);
        assert_int_equal(put_one(*state, TABLE_NAME, STR("b"), STR("1")), OK);
}

/* ---- kill -9 ---- */

enum { KILLED_CLIENTS = 6, ROUNDS_KILLED = 20, LIFE_MOST_US = 60000 };

struct report {
        uint32_t client, round;
};

struct killed {
        struct store *store;
        int pipe;
        uint32_t client, from;
};

static void killed_key(const struct report *report, struct buf *key)
{
        buf_clear(key);
        buf_add_u32(key, report->client);
        buf_add_u32(key, report->round);
}

static void *killed_work(void *arg)
{
        struct killed *killed = arg;
        struct buf key = {0};
        char body[3000];
        for (struct report report = {killed->client, killed->from};; report.round++) {
                struct change *change = change_new(killed->store);
                memset(body, (int)(report.round % 251), sizeof(body));
                killed_key(&report, &key);
                change_put(change, TABLE_BODY, buf_str(&key), str_make(body, sizeof(body)));
                change_put(change, TABLE_ENTRY, buf_str(&key), STR("entry"));
                if (store_commit(change) != OK ||
                        write(killed->pipe, &report, sizeof(report)) != sizeof(report))
                        _exit(1);
                change_free(change);
        }
        return NULL;
}

static _Noreturn void killed_main(int out, uint32_t from)
{
        pthread_t threads[KILLED_CLIENTS];
        struct killed killed[KILLED_CLIENTS];
        struct store_options options = small_options(folder);
        struct store *store;
        options.checkpoint_seconds = 1;
        if (store_open(&options, &store) != OK)
                _exit(1);
        for (uint32_t i = 0; i < KILLED_CLIENTS; i++) {
                killed[i] = (struct killed){store, out, i, from};
                if (pthread_create(&threads[i], NULL, killed_work, &killed[i]) != 0)
                        _exit(1);
        }
        for (;;)
                if (from % 2 == 0 || store_checkpoint(store) != OK)
                        pause();
}

/* Takes every report of the child, kills it after a while, and reads what was still in the pipe. */
static void kill_once(uint32_t from, unsigned life_us, uint32_t upto[KILLED_CLIENTS])
{
        int ends[2], child_status;
        struct report report;
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                close(ends[0]);
                killed_main(ends[1], from);
        }
        close(ends[1]);
        bool first = true;
        while (read(ends[0], &report, sizeof(report)) == sizeof(report)) {
                assert_true(report.client < KILLED_CLIENTS);
                upto[report.client] = report.round + 1;
                if (first) {
                        struct timespec life = {0, (long)life_us * 1000};
                        nanosleep(&life, NULL);
                        kill(child, SIGKILL);
                }
                first = false;
        }
        close(ends[0]);
        assert_int_equal(waitpid(child, &child_status, 0), child);
        assert_true(WIFSIGNALED(child_status));
}

static void survives_kill(void **state)
{
        uint32_t upto[KILLED_CLIENTS] = {0}, from = 0;
        unsigned dice = 12345;
        struct buf key = {0}, value = {0};
        (void)state;
        folder_make(folder);
        for (unsigned i = 0; i < ROUNDS_KILLED; i++) {
                uint32_t begun = from;
                dice = dice * 1103515245u + 12345u;
                for (uint32_t client = 0; client < KILLED_CLIENTS; client++)
                        upto[client] = from;
                kill_once(from, (dice >> 8) % LIFE_MOST_US, upto);
                struct store *store = open_store(folder);
                for (uint32_t client = 0; client < KILLED_CLIENTS; client++) {
                        for (uint32_t round = begun; round < upto[client]; round++) {
                                struct report report = {client, round};
                                killed_key(&report, &key);
                                buf_clear(&value);
                                assert_int_equal(table_get(store->env, NULL, TABLE_BODY,
                                                         buf_str(&key), &value),
                                        OK);
                                assert_int_equal((unsigned char)value.at[2999], round % 251);
                                assert_int_equal(
                                        table_has(store->env, NULL, TABLE_ENTRY, buf_str(&key)),
                                        OK);
                        }
                        from = upto[client] > from ? upto[client] : from;
                }
                from += 1001; /* what was committed and not reported lies between */
                close_checked(store, folder);
        }
        buf_release(&key);
        buf_release(&value);
        folder_remove(folder);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(survives_kill), /* forks: before there are threads */
                cmocka_unit_test_setup_teardown(all_or_none, begin, end),
                cmocka_unit_test_setup_teardown(culprit_only, begin, end),
                cmocka_unit_test_setup_teardown(many_clients, begin, end),
                cmocka_unit_test_setup_teardown(modseq_rises, begin, end),
                cmocka_unit_test_setup_teardown(queue_has_an_end, begin, end),
        };
        log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_ERRORS);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
