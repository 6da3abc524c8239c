/* Failed logins by address, guesses at once, and the memory that large things share. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "team/gate.h"
#include "team/room.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static void test_failures(void **state)
{
        (void)state;
        struct gate *g = gate_new();
        for (int i = 0; i < 3; i++) {
                assert_true(gate_open(g, STR("192.0.2.1"), 3));
                gate_failed(g, STR("192.0.2.1"));
        }
        assert_false(gate_open(g, STR("192.0.2.1"), 3));
        assert_true(gate_open(g, STR("192.0.2.1"), 4));
        assert_true(gate_open(g, STR("192.0.2.2"), 3));
        gate_free(g);
}

/* A host with an IPv6 network of its own is one host. */
static void test_networks(void **state)
{
        (void)state;
        struct gate *g = gate_new();
        char address[64];
        for (unsigned i = 1; i <= 20; i++) {
                snprintf(address, sizeof address, "2001:db8:0:1:%x::%x", i, i);
                gate_failed(g, str_of(address));
        }
        assert_false(gate_open(g, STR("2001:db8:0:1::77"), 20));
        assert_true(gate_open(g, STR("2001:db8:0:2::1"), 20));
        assert_true(gate_open(g, STR("local"), 20));
        gate_free(g);
}

static void test_at_once(void **state)
{
        (void)state;
        struct gate *g = gate_new();
        assert_true(gate_begin(g, 2));
        assert_true(gate_begin(g, 2));
        assert_false(gate_begin(g, 2));
        gate_end(g);
        assert_true(gate_begin(g, 2));
        gate_end(g);
        gate_end(g);
        gate_free(g);
}

enum { MEGA = 1 << 20, THREADS = 12 };

struct many {
        struct room *room;
        atomic_uint inside, most, done;
};

static void *take(void *arg)
{
        struct many *m = arg;
        if (room_take(m->room, NULL, 100 * (uint64_t)MEGA) != OK)
                return NULL;
        unsigned now = atomic_fetch_add(&m->inside, 1) + 1, most = m->most;
        while (now > most && !atomic_compare_exchange_weak(&m->most, &most, now)) {
        }
        usleep(5000);
        atomic_fetch_sub(&m->inside, 1);
        room_leave(m->room, 100 * (uint64_t)MEGA);
        m->done++;
        return NULL;
}

static void test_room(void **state)
{
        (void)state;
        struct many m = {.room = room_new()};
        pthread_t threads[THREADS];
        assert_int_equal(room_take(m.room, NULL, 1000 * (uint64_t)MEGA), OK); /* alone */
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, take, &m), 0);
        usleep(20000);
        assert_int_equal(m.inside, 0);
        assert_int_equal(room_take(m.room, NULL, MEGA), OK); /* what is small is let through */
        room_leave(m.room, MEGA);
        room_leave(m.room, 1000 * (uint64_t)MEGA);
        for (int i = 0; i < THREADS; i++)
                pthread_join(threads[i], NULL);
        assert_int_equal(m.done, THREADS);
        assert_in_range(m.most, 1, 2);
        room_free(m.room);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_failures),
                cmocka_unit_test(test_networks),
                cmocka_unit_test(test_at_once),
                cmocka_unit_test(test_room),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
