#include "wire_echo.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void until(atomic_uint *counter, unsigned least)
{
        for (uint64_t end = now_ms() + 60000; *counter < least && now_ms() < end;)
                usleep(1000);
        assert_true(*counter >= least);
}

static void test_echo(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew *crew = echo_start_simple(&site, (struct listener){0});
        int fd = client_dial(crew, "echo");
        client_expect(fd, "hello");
        client_say(fd, "ECHO one\r\n");
        client_expect(fd, "one");
        client_say(fd, "ECHO bare line feed\n");
        client_expect(fd, "bare line feed");
        client_say(fd, "PEER\r\n");
        client_expect(fd, "127.0.0.1 echo near -1");
        client_say(fd, "QUIT\r\nECHO not obeyed\r\n");
        client_expect(fd, "bye");
        client_closed(fd);
        crew_stop(crew, 1);
        assert_int_equal(site.open, 1);
        assert_int_equal(site.closed, 1);
}

/* A line may come in any pieces and any number of lines in one. */
static void test_pieces(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew *crew = echo_start_simple(&site, (struct listener){0});
        int fd = client_dial(crew, "echo");
        client_expect(fd, "hello");
        const char *text = "ECHO ab\r\n";
        for (size_t cut = 1; cut < strlen(text); cut++) {
                client_send(fd, str_make(text, cut));
                usleep(2000);
                client_send(fd, str_from(str_of(text), cut));
                client_expect(fd, "ab");
        }
        struct buf many = {0};
        char want[32];
        for (unsigned i = 0; i < 5000; i++)
                buf_addf(&many, "ECHO %u\r\n", i);
        client_send(fd, buf_str(&many));
        for (unsigned i = 0; i < 5000; i++) {
                snprintf(want, sizeof want, "%u", i);
                client_expect(fd, want);
        }
        buf_release(&many);
        close(fd);
        crew_stop(crew, 1);
}

static void test_long_lines(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew *crew = echo_start_simple(&site, (struct listener){0});
        int fd = client_dial(crew, "echo");
        struct buf text = {0}, want = {0};
        client_expect(fd, "hello");
        /* name, length of the line without CRLF, reply */
        static const struct {
                const char *name;
                size_t len;
                bool taken;
        } rows[] = {
                {"just fits", 100, true},
                {"one too long", 101, false},
                {"two too long", 102, false},
                {"much too long", 50000, false},
        };
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
                buf_set(&text, STR("ECHO "));
                while (text.len < rows[i].len)
                        buf_add_char(&text, (char)('a' + text.len % 26));
                struct str line = buf_str(&text), echoed = str_from(line, 5);
                buf_clear(&want);
                if (rows[i].taken)
                        buf_add(&want, echoed);
                else /* and its end is told */
                        buf_addf(&want, "line too long: %.*s",
                                STR_ARG(str_from(line, line.len - WIRE_TAIL)));
                buf_add(&text, STR("\r\nECHO next\r\n"));
                client_send(fd, buf_str(&text));
                client_expect(fd, buf_text(&want));
                client_expect(fd, "next");
        }
        buf_release(&text);
        buf_release(&want);
        close(fd);
        crew_stop(crew, 1);
}

/* Commands sent before the client closed its side are obeyed; half a line is not. */
static void test_half_close(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew *crew = echo_start_simple(&site, (struct listener){0});
        int fd = client_dial(crew, "echo");
        client_say(fd, "ECHO one\r\nECHO two\r\nECHO thr");
        shutdown(fd, SHUT_WR);
        client_expect(fd, "hello");
        client_expect(fd, "one");
        client_expect(fd, "two");
        client_closed(fd);
        until(&site.closed, 1);
        crew_stop(crew, 1);
}

static void test_literals(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew *crew = echo_start_simple(&site, (struct listener){0});
        int fd = client_dial(crew, "echo");
        client_expect(fd, "hello");
        client_say(fd, "TAKE 5\r\n");
        client_expect(fd, "+ go on");
        client_say(fd, "he");
        usleep(5000);
        client_say(fd, "lloECHO after\r\n");
        client_expect(fd, "OK hello");
        client_expect(fd, "after");
        client_say(fd, "ASK\r\nanswer\r\nSKIP 4\r\n1234ECHO x\r\n");
        client_expect(fd, "+ go on");
        client_expect(fd, "OK answer");
        client_expect(fd, "OK");
        client_expect(fd, "x");
        struct buf big = {0};
        buf_add(&big, STR("LITERAL 1000000\r\n"));
        memset(buf_reserve(&big, 1000000), 'a', 1000000);
        big.len += 1000000;
        buf_add(&big, STR("ECHO after\r\n"));
        client_send(fd, buf_str(&big));
        client_expect(fd, "+ go on");
        client_expect(fd, "OK 1000000");
        client_expect(fd, "after");
        client_say(fd, "LITERAL 10\r\n123");
        client_expect(fd, "+ go on");
        shutdown(fd, SHUT_WR);
        client_expect(fd, "CLOSED 3");
        client_closed(fd);
        buf_release(&big);
        crew_stop(crew, 1);
}

static void test_wakes(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew *crew = echo_start_simple(&site, (struct listener){0});
        int fd = client_dial(crew, "echo");
        client_expect(fd, "hello");
        client_say(fd, "ECHO x\r\n"); /* opened for sure */
        client_expect(fd, "x");
        struct wire *w = wire_hold(site.last);
        wire_wake(w);
        client_expect(fd, "* woken");
        /* A wake while a command runs comes after it, once. */
        client_say(fd, "HOLD\r\nECHO held\r\n");
        until(&site.held, 1);
        wire_wake(w);
        wire_wake(w);
        site.let = true;
        client_expect(fd, "held");
        client_expect(fd, "* woken");
        client_say(fd, "AFTER 1\r\n");
        client_expect(fd, "* woken");
        client_say(fd, "QUIT\r\n");
        client_expect(fd, "bye");
        client_closed(fd);
        until(&site.closed, 1);
        wire_wake(w); /* nobody is there any more */
        crew_stop(crew, 1);
        wire_wake(w); /* nor the crew */
        assert_int_equal(wire_peer(w)->address.len, 9);
        assert_string_equal(wire_peer(w)->listener.at, "echo");
        wire_drop(w);
        assert_int_equal(site.woken, 3);
}

struct waker {
        struct wire *wire;
        unsigned count;
};

static void *wake_often(void *with)
{
        struct waker *waker = with;
        for (unsigned i = 0; i < waker->count; i++)
                wire_wake(waker->wire);
        return NULL;
}

/* The last wake is never lost, whatever it meets. */
static void test_wakes_race(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew *crew = echo_start_simple(&site, (struct listener){0});
        int fd = client_dial(crew, "echo");
        client_expect(fd, "hello");
        client_say(fd, "ECHO x\r\n");
        client_expect(fd, "x");
        struct waker waker = {wire_hold(site.last), 300};
        unsigned done = 0, woken = 0;
        for (unsigned round = 0; round < 10; round++) {
                pthread_t threads[3];
                unsigned before = site.woken;
                for (size_t i = 0; i < COUNT_OF(threads); i++)
                        assert_int_equal(pthread_create(&threads[i], NULL, wake_often, &waker), 0);
                client_say(fd, "ECHO done\r\n");
                for (size_t i = 0; i < COUNT_OF(threads); i++)
                        pthread_join(threads[i], NULL);
                before = site.woken > before ? before : site.woken;
                wire_wake(waker.wire);
                until(&site.woken, before + 1);
        }
        shutdown(fd, SHUT_WR);
        for (char *line; (line = client_line(fd)); free(line)) {
                done += strcmp(line, "done") == 0;
                woken += strcmp(line, "* woken") == 0;
        }
        assert_int_equal(done, 10);
        assert_int_equal(woken, site.woken);
        wire_drop(waker.wire);
        close(fd);
        crew_stop(crew, 1);
}

/* Replies to who does not read them cost no worker and come whole in the end. */
static void test_slow_reader(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew_options options = {.workers = 4};
        struct crew *crew = echo_start(&site, &options, (struct listener){0});
        int fd = client_dial(crew, "echo"), other = client_dial(crew, "echo");
        client_expect(fd, "hello");
        client_say(fd, "BIG 250000\r\n"); /* 16 MB: more than the kernel keeps */
        usleep(50000);
        client_expect(other, "hello");
        client_say(other, "ECHO quick\r\n");
        client_expect(other, "quick");
        struct buf got = {0};
        while (got.len < 8 || memcmp(got.at + got.len - 6, "done\r\n", 6) != 0) {
                ssize_t n = recv(fd, buf_reserve(&got, 65536), 65536, 0);
                assert_true(n > 0);
                got.len += (size_t)n;
        }
        size_t line = strlen("0000000 " ECHO_FILL "\r\n");
        assert_int_equal(got.len, 250000 * line + 6);
        assert_memory_equal(got.at + 249999 * line, "0249999 ", 8);
        buf_release(&got);
        close(fd);
        close(other);
        crew_stop(crew, 1);
}

/* A client that vanishes in the middle of a long reply only ends its own session. */
static void test_gone_in_reply(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew *crew = echo_start_simple(&site, (struct listener){0});
        int fd = client_dial(crew, "echo");
        client_expect(fd, "hello");
        client_say(fd, "BIG 100000\r\nECHO x\r\nBIG 1000\r\n");
        usleep(10000);
        struct linger now = {1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(fd);
        until(&site.closed, 1);
        crew_stop(crew, 1);
}

static void test_timeout(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct protocol impatient = echo_protocol;
        impatient.idle_seconds = 1;
        struct crew *crew = echo_start_simple(&site, (struct listener){.protocol = &impatient});
        struct crew *slow = echo_start_simple(&site, (struct listener){0});
        int silent = client_dial(crew, "echo");
        client_expect(silent, "hello");
        client_expect(silent, "* too slow");
        client_closed(silent);
        int half = client_dial(slow, "echo"), patient = client_dial(slow, "echo");
        client_expect(patient, "hello");
        client_say(half, "LIMIT 1\r\nECHO half a li"); /* is silence too */
        client_expect(half, "hello");
        client_expect(half, "* too slow");
        client_closed(half);
        client_say(patient, "ECHO y\r\n");
        client_expect(patient, "y");
        assert_int_equal(site.timeouts, 2);
        close(patient);
        crew_stop(crew, 1);
        crew_stop(slow, 1);
}

/* AUTH, a literal and a block: who does not send what was announced is put out. */
static void test_slow_senders(void **state)
{
        (void)state;
        static const struct {
                const char *command, *reply;
        } rows[] = {
                {"ASK\r\n", "TIMEOUT "},
                {"TAKE 10\r\nabc", "TIMEOUT abc"},
                {"LITERAL 10\r\nabc", "TIMEOUT 3"},
                {"DATA 10\r\nabc\r\n", "TIMEOUT 5"},
        };
        struct echo_site site = {0};
        struct crew_options options = {.seconds_to_send = 1};
        struct crew *crew = echo_start(&site, &options, (struct listener){0});
        int fd[COUNT_OF(rows)];
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
                fd[i] = client_dial(crew, "echo");
                client_say(fd[i], rows[i].command);
        }
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
                client_expect(fd[i], "hello");
                client_expect(fd[i], "+ go on");
                client_expect(fd[i], rows[i].reply);
                client_closed(fd[i]);
        }
        crew_stop(crew, 1);
}

/* Clients that stall in literals never take the whole crew. */
static void test_crowd(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew_options options = {.workers = 4};
        struct crew *crew = echo_start(&site, &options, (struct listener){0});
        int slow[8];
        for (size_t i = 0; i < COUNT_OF(slow); i++) {
                slow[i] = client_dial(crew, "echo");
                client_say(slow[i], "TAKE 10\r\nabc");
        }
        usleep(100000);
        assert_true(crew_stats(crew).waiting <= 2);
        int fd = client_dial(crew, "echo");
        client_expect(fd, "hello");
        client_say(fd, "ECHO served\r\n");
        client_expect(fd, "served");
        for (size_t i = 0; i < COUNT_OF(slow); i++)
                close(slow[i]);
        close(fd);
        crew_stop(crew, 1);
}

static void test_limits(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew_options options = {.connections = 3};
        struct crew *crew = echo_start(&site, &options, (struct listener){0});
        int fd[3];
        for (size_t i = 0; i < COUNT_OF(fd); i++) {
                fd[i] = client_dial(crew, "echo");
                client_expect(fd[i], "hello");
        }
        int more = client_dial(crew, "echo");
        client_expect(more, "too many");
        client_closed(more);
        close(fd[0]);
        until(&site.closed, 1);
        while (crew_stats(crew).clients > 2) /* it is closed before it is taken off the list */
                usleep(1000);
        fd[0] = client_dial(crew, "echo");
        client_expect(fd[0], "hello");
        options = (struct crew_options){.connections = 30};
        crew_limits(crew, &options);
        more = client_dial(crew, "echo");
        client_expect(more, "hello");
        close(more);
        assert_int_equal(crew_stats(crew).refused, 1);
        for (size_t i = 0; i < COUNT_OF(fd); i++)
                close(fd[i]);
        crew_stop(crew, 1);
}

static void test_local(void **state)
{
        (void)state;
        char folder[] = "/tmp/wire-XXXXXX";
        assert_non_null(mkdtemp(folder));
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        snprintf(a.sun_path, sizeof a.sun_path, "%s/sock", folder);
        for (int round = 0; round < 2; round++) {
                struct echo_site site = {0};
                struct crew *crew = echo_start_simple(&site,
                        (struct listener){.address = str_of(a.sun_path), .mode = 0660});
                struct stat st;
                assert_int_equal(stat(a.sun_path, &st), 0);
                assert_int_equal(st.st_mode & 0777, 0660);
                int fd = socket(AF_UNIX, SOCK_STREAM, 0);
                assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
                char want[64];
                snprintf(want, sizeof want, "local echo near %d", (int)getuid());
                client_say(fd, "PEER\r\n");
                client_expect(fd, "hello");
                client_expect(fd, want);
                /* One that is served is not taken away. */
                struct crew *second;
                struct crew_options options = {0};
                struct listener same = {.address = str_of(a.sun_path),
                        .name = STR("x"),
                        .protocol = &echo_protocol};
                log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_ERRORS);
                assert_int_equal(crew_new(&options, &second), OK);
                assert_int_equal(crew_listen(second, &same), BROKEN);
                crew_stop(second, 0);
                close(fd);
                crew_stop(crew, 1);
                assert_int_equal(access(a.sun_path, F_OK), -1);
                /* What a crash leaves behind: */
                int left = socket(AF_UNIX, SOCK_STREAM, 0);
                assert_int_equal(bind(left, (struct sockaddr *)&a, sizeof a), 0);
                close(left);
        }
        unlink(a.sun_path);
        rmdir(folder);
}

static void *let_after_stop(void *with)
{
        struct echo_site *site = with;
        until(&site->stops, 1);
        site->let = true;
        return NULL;
}

/* The command that runs is the last one. */
static void test_stop(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew *crew = echo_start_simple(&site, (struct listener){0});
        int idle = client_dial(crew, "echo"), busy = client_dial(crew, "echo");
        pthread_t thread;
        client_expect(idle, "hello");
        client_expect(busy, "hello");
        client_say(busy, "HOLD\r\nECHO not begun\r\n");
        until(&site.held, 1);
        assert_int_equal(pthread_create(&thread, NULL, let_after_stop, &site), 0);
        crew_stop(crew, 60);
        pthread_join(thread, NULL);
        client_expect(idle, "* stopping");
        client_closed(idle);
        client_expect(busy, "* stopping");
        client_closed(busy);
        assert_int_equal(site.closed, 2);
}

/* Who owes octets is not waited for as long as it may take to send them, two minutes. */
static void test_stop_stuck(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew *crew = echo_start_simple(&site, (struct listener){0});
        int stuck = client_dial(crew, "echo");
        client_expect(stuck, "hello");
        client_say(stuck, "TAKE 10\r\nabc");
        client_expect(stuck, "+ go on");
        uint64_t start = now_ms();
        crew_stop(crew, 1);
        assert_true(now_ms() - start < 60000);
        close(stuck);
        assert_int_equal(site.closed, 1);
}

/* Descriptors run out: those who are there are served on, and so are newcomers afterwards. */
static void test_descriptors(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew *crew = echo_start_simple(&site, (struct listener){0});
        int fd = client_dial(crew, "echo");
        client_expect(fd, "hello");
        int dialled = client_dial(crew, "echo"); /* its descriptor is ours before the shortage */
        client_expect(dialled, "hello");
        int late = socket(AF_INET, SOCK_STREAM, 0);
        int eaten[4096];
        size_t count = 0;
        struct rlimit before, few;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        few = before;
        few.rlim_cur = COUNT_OF(eaten);
        if (before.rlim_cur > few.rlim_cur)
                assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        while (count < COUNT_OF(eaten) && (eaten[count] = open("/dev/null", O_RDONLY)) >= 0)
                count++;
        struct sockaddr_storage a;
        socklen_t len = sizeof a;
        assert_int_equal(getpeername(fd, (struct sockaddr *)&a, &len), 0);
        assert_int_equal(connect(late, (struct sockaddr *)&a, len), 0);
        assert_null(client_line(late)); /* closed at once */
        client_say(fd, "ECHO still here\r\n");
        client_expect(fd, "still here");
        for (size_t i = 0; i < count; i++)
                close(eaten[i]);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        close(late);
        late = client_dial(crew, "echo");
        client_expect(late, "hello");
        close(late);
        close(dialled);
        close(fd);
        crew_stop(crew, 1);
}

static size_t heap_and_all(void)
{
        unsigned long total = 0, resident = 0;
        FILE *f = fopen("/proc/self/statm", "r");
        if (f && fscanf(f, "%lu %lu", &total, &resident) != 2)
                resident = 0;
        if (f)
                fclose(f);
        return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void test_many_idle(void **state)
{
        (void)state;
        enum { MANY = 2000 };
        struct echo_site site = {0};
        struct crew *crew = echo_start_simple(&site, (struct listener){0});
        int *fd = mem_new(MANY * sizeof *fd);
        size_t before = heap_and_all();
        for (int i = 0; i < MANY; i++) {
                fd[i] = client_dial(crew, "echo");
                client_say(fd[i], "ECHO x\r\n");
        }
        for (int i = 0; i < MANY; i++) {
                client_expect(fd[i], "hello");
                client_expect(fd[i], "x");
        }
        print_message("%d idle connections: %zu octets each\n", MANY,
                (heap_and_all() - before) / MANY);
        assert_int_equal(crew_stats(crew).clients, MANY);
        uint64_t start = now_ms();
        for (int i = 0; i < MANY; i++)
                client_say(fd[i], "ECHO y\r\n");
        for (int i = 0; i < MANY; i++)
                client_expect(fd[i], "y");
        print_message("%d commands: %d ms\n", MANY, (int)(now_ms() - start));
        for (int i = 0; i < MANY; i++)
                close(fd[i]);
        until(&site.closed, MANY);
        free(fd);
        crew_stop(crew, 5);
}

/* One person's many connections wait for each other, and nobody waits for them. */
static void test_persons(void **state)
{
        (void)state;
        enum { GREEDY = 30, SHARE = 3 }; /* three eighths of the workers */
        struct echo_site site = {0};
        struct crew *crew = echo_start(
                &site, &(struct crew_options){.workers = 8}, (struct listener){0});
        int greedy[GREEDY], other = client_dial(crew, "echo");
        client_expect(other, "hello");
        client_say(other, "PERSON 8\r\nECHO me\r\n");
        client_expect(other, "me");
        for (int i = 0; i < GREEDY; i++) {
                greedy[i] = client_dial(crew, "echo");
                client_expect(greedy[i], "hello");
                client_say(greedy[i], "PERSON 7\r\nECHO in\r\n");
                client_expect(greedy[i], "in");
        }
        for (int i = 0; i < GREEDY; i++)
                client_say(greedy[i], "HOLD\r\nECHO held\r\n");
        until(&site.held, SHARE);
        for (int i = 0; i < 20; i++) {
                client_say(other, "ECHO still\r\n");
                client_expect(other, "still");
                assert_true(crew_stats(crew).workers <= 8);
                assert_int_equal(site.held, SHARE);
        }
        close(greedy[3]); /* gone while it waits, or while it is obeyed */
        close(greedy[29]);
        site.let = true;
        for (int i = 0; i < GREEDY - 1; i++)
                if (i != 3)
                        client_expect(greedy[i], "held");
        for (int i = 0; i < GREEDY - 1; i++)
                if (i != 3)
                        close(greedy[i]);
        close(other);
        until(&site.closed, GREEDY + 1);
        crew_stop(crew, 1);
}

struct talker {
        int fd;
        atomic_bool enough;
        atomic_uint said;
};

static void *talk_on(void *with)
{
        struct talker *t = with;
        while (!t->enough) {
                client_say(t->fd, "ECHO on\r\n");
                client_expect(t->fd, "on");
                t->said++;
        }
        return NULL;
}

/* A worker may stay with a client that talks without a pause. It must not keep the others of that
 * person waiting, who have one worker together here, nor wakes, nor the end. */
static void test_quick(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew *crew = echo_start(
                &site, &(struct crew_options){.workers = 2}, (struct listener){0});
        struct talker talker = {.fd = client_dial(crew, "echo")};
        pthread_t thread;
        client_expect(talker.fd, "hello");
        client_say(talker.fd, "PERSON 7\r\nECHO in\r\n");
        client_expect(talker.fd, "in");
        struct wire *w = wire_hold(site.last);
        int other = client_dial(crew, "echo");
        client_expect(other, "hello");
        client_say(other, "PERSON 7\r\nECHO in\r\n");
        client_expect(other, "in");
        assert_int_equal(pthread_create(&thread, NULL, talk_on, &talker), 0);
        until(&talker.said, 1);
        for (int i = 0; i < 20; i++) {
                client_say(other, "ECHO me too\r\n");
                client_expect(other, "me too");
        }
        talker.enough = true;
        pthread_join(thread, NULL);
        wire_wake(w);
        client_expect(talker.fd, "* woken");
        wire_drop(w);
        client_say(talker.fd, "ECHO last\r\n");
        client_expect(talker.fd, "last");
        crew_stop(crew, 5);
        assert_int_equal(site.closed, 2);
        close(talker.fd);
        close(other);
}

/* Stopping while most of them are put off. */
static void test_persons_stop(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew *crew = echo_start(
                &site, &(struct crew_options){.workers = 2}, (struct listener){0});
        int fd[20];
        for (int i = 0; i < 20; i++) {
                fd[i] = client_dial(crew, "echo");
                client_expect(fd[i], "hello");
                client_say(fd[i], "PERSON 7\r\nECHO in\r\n");
                client_expect(fd[i], "in");
        }
        for (int i = 0; i < 20; i++)
                client_say(fd[i], "SLEEP 50\r\n");
        usleep(20000);
        crew_stop(crew, 5);
        assert_int_equal(site.closed, 20);
        for (int i = 0; i < 20; i++)
                close(fd[i]);
}

/* Workers that stand aside do not keep the others from being served. */
static void test_aside(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew *crew = echo_start(
                &site, &(struct crew_options){.workers = 2}, (struct listener){0});
        int fd[5];
        for (int i = 0; i < 5; i++) {
                fd[i] = client_dial(crew, "echo");
                client_expect(fd[i], "hello");
        }
        for (int i = 0; i < 4; i++)
                client_say(fd[i], "ASIDE 1\r\nHOLD\r\nASIDE 0\r\nECHO done\r\n");
        until(&site.held, 4);
        client_say(fd[4], "ECHO now\r\n");
        client_expect(fd[4], "now");
        site.let = true;
        for (int i = 0; i < 4; i++)
                client_expect(fd[i], "done");
        for (int i = 0; i < 5; i++)
                close(fd[i]);
        crew_stop(crew, 1);
}

/* A session may make its own lines shorter; who is asked for a line and sends one without end is
 * put out like who says nothing. */
static void test_line_limit(void **state)
{
        (void)state;
        struct echo_site site = {0};
        struct crew_options options = {.seconds_to_send = 1};
        struct crew *crew = echo_start(&site, &options, (struct listener){0});
        int fd = client_dial(crew, "echo");
        client_expect(fd, "hello");
        client_say(fd, "LINES 10\r\nECHO 12345\r\nECHO 123456\r\nECHO 1\r\n");
        client_expect(fd, "12345");
        client_expect(fd, "line too long: ECHO 123456");
        client_expect(fd, "1");
        client_say(fd, "ASK\r\n");
        client_expect(fd, "+ go on");
        static const char text[8192] = {0};
        for (uint64_t end = now_ms() + 60000; now_ms() < end;)
                if (send(fd, text, sizeof text, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
                        if (errno != EAGAIN)
                                break;
                        usleep(1000);
                }
        until(&site.closed, 1);
        close(fd);
        crew_stop(crew, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_echo),          cmocka_unit_test(test_pieces),
                cmocka_unit_test(test_long_lines),    cmocka_unit_test(test_half_close),
                cmocka_unit_test(test_literals),      cmocka_unit_test(test_wakes),
                cmocka_unit_test(test_wakes_race),    cmocka_unit_test(test_slow_reader),
                cmocka_unit_test(test_gone_in_reply), cmocka_unit_test(test_timeout),
                cmocka_unit_test(test_slow_senders),  cmocka_unit_test(test_crowd),
                cmocka_unit_test(test_limits),        cmocka_unit_test(test_local),
                cmocka_unit_test(test_stop),          cmocka_unit_test(test_stop_stuck),
                cmocka_unit_test(test_descriptors),
                cmocka_unit_test(test_many_idle),
                cmocka_unit_test(test_persons),       cmocka_unit_test(test_quick),
                cmocka_unit_test(test_persons_stop),
                cmocka_unit_test(test_aside),         cmocka_unit_test(test_line_limit),
        };
        return cmocka_run_group_tests_name("wire_crew", tests, NULL, NULL);
}
