#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store_kit.h"
#include "base/log.h"
#include "store/backup.h"
#include "store/env.h"
#include "store/pagecheck.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

enum { BEFORE = 200, A_TIME = 30, LETTER = 30000 };

struct copy {
        struct kit *k;
        char folder[80], home[80];
        uint32_t topic;
        char text[LETTER];
        unsigned filed, calls;
        bool gone;
        int damaged; /* a file with a page turned over; -1: none */
        pthread_t repair;
};

static void file_one(struct copy *c)
{
        char id[32];
        (void)snprintf(id, sizeof id, "%u@x", c->filed++);
        struct letter l = {.id = id, .text = c->text, .mailbox = c->topic};
        kit_file(c->k, &l, NULL);
}

/* Hard to squeeze: so that a log file is soon full. */
static void copy_begin(struct copy *c, struct kit *k)
{
        *c = (struct copy){.k = k, .damaged = -1, .topic = kit_topic(k, "eng")};
        uint32_t n = 1;
        memcpy(c->text, "Subject: x\r\n\r\n", 14);
        for (size_t i = 14; i < LETTER - 1; i++) {
                n = n * 1103515245u + 12345u;
                c->text[i] = (char)('!' + (n >> 16) % 90);
        }
        (void)snprintf(c->folder, sizeof c->folder, "%s-backup", k->folder);
        (void)snprintf(c->home, sizeof c->home, "%s-home", k->folder);
        assert_int_equal(mkdir(c->folder, 0700), 0);
        assert_int_equal(mkdir(c->home, 0700), 0);
}

static void folder_clear(const char *folder)
{
        DIR *dir = opendir(folder);
        for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;)
                (void)unlinkat(dirfd(dir), entry->d_name, 0);
        if (dir)
                closedir(dir);
        rmdir(folder);
}

static void copy_end(struct copy *c)
{
        folder_clear(c->folder);
        folder_clear(c->home);
}

static void restore(struct copy *c, struct kit *k)
{
        struct store_options options = {.path = c->home,
                .cache = 8 << 20,
                .reserve = 1,
                .ballast = 4096,
                .log_file = 1 << 20};
        struct backup_watch watch = {0};
        char *why = NULL;
        assert_int_equal(store_restore(c->folder, &options, &watch, &why), OK);
        assert_null(why);
        *k = (struct kit){.arena = c->k->arena};
        assert_int_equal(store_open(&options, &k->store), OK);
}

/* Mail comes and log files are left behind by checkpoints, between any two pieces that are copied. */
static void go_on(void *arg, uint64_t done, uint64_t total)
{
        struct copy *c = arg;
        (void)done;
        (void)total;
        if (c->calls++ % 8 != 0)
                return;
        for (int i = 0; i < A_TIME; i++)
                file_one(c);
        assert_int_equal(store_checkpoint(c->k->store), OK);
}

static void while_it_goes_on(void **state)
{
        struct copy c;
        struct kit other;
        struct mailbox was, is;
        char *why = NULL;
        copy_begin(&c, *state);
        for (int i = 0; i < BEFORE; i++)
                file_one(&c);
        struct backup_watch watch = {.progress = go_on, .arg = &c};
        assert_int_equal(store_backup(c.k->store, c.folder, &watch, &why), OK);
        assert_true(c.filed > BEFORE + 3 * A_TIME);
        assert_int_equal(mailbox_get(c.k->store, c.topic, c.k->arena, &was), OK);

        restore(&c, &other);
        kit_check(&other);
        for (unsigned i = 0; i < BEFORE; i++) {
                uint64_t found;
                assert_int_equal(message_find(other.store,
                                         arena_printf(c.k->arena, "<%u@x>", i), &found),
                        OK);
        }
        assert_int_equal(mailbox_get(other.store, c.topic, c.k->arena, &is), OK);
        assert_true(is.count >= BEFORE && is.count <= was.count);
        assert_true(is.uid_validity > was.uid_validity);
        assert_true(is.next > was.next);
        store_close(other.store);

        /* afterwards log files go again */
        assert_int_equal(store_checkpoint(c.k->store), OK);
        char first[128];
        (void)snprintf(first, sizeof first, "%s/log.0000000001", c.k->folder);
        assert_int_equal(access(first, F_OK), -1);
        copy_end(&c);
}

static void turn_over(int fd)
{
        char octets[64];
        off_t at = (off_t)5 * PAGE_SIZE + 1000;
        assert_int_equal(pread(fd, octets, sizeof octets, at), sizeof octets);
        for (size_t i = 0; i < sizeof octets; i++)
                octets[i] = (char)~octets[i];
        assert_int_equal(pwrite(fd, octets, sizeof octets, at), sizeof octets);
}

static void *repair(void *arg)
{
        usleep(20000);
        turn_over(((struct copy *)arg)->damaged);
        return NULL;
}

/* As if the store were in the middle of writing the page. */
static bool write_half(void *arg)
{
        struct copy *c = arg;
        if (c->damaged >= 0)
                return false;
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", c->k->folder, table_name(TABLE_BODY));
        c->damaged = open(path, O_RDWR);
        turn_over(c->damaged);
        assert_int_equal(pthread_create(&c->repair, NULL, repair, c), 0);
        return false;
}

static void half_a_page(void **state)
{
        struct copy c;
        struct kit other;
        char *why = NULL;
        copy_begin(&c, *state);
        for (int i = 0; i < BEFORE; i++)
                file_one(&c);
        assert_int_equal(store_checkpoint(c.k->store), OK);
        struct backup_watch watch = {.gone = write_half, .arg = &c};
        assert_int_equal(store_backup(c.k->store, c.folder, &watch, &why), OK);
        pthread_join(c.repair, NULL);
        restore(&c, &other);
        kit_check(&other);
        store_close(other.store);

        folder_clear(c.folder);
        folder_clear(c.home);
        assert_int_equal(mkdir(c.folder, 0700), 0);
        watch = (struct backup_watch){0};
        turn_over(c.damaged);
        log_open(2, LOG_ERRORS);
        assert_int_equal(store_backup(c.k->store, c.folder, &watch, &why), DAMAGED);
        log_open(2, LOG_ERRORS);
        assert_non_null(strstr(why, "body.db is damaged in page 5"));
        free(why);
        turn_over(c.damaged);
        close(c.damaged);
        copy_end(&c);
}

static bool is_gone(void *arg)
{
        (void)arg;
        return true;
}

static void stopped(void **state)
{
        struct copy c;
        char *why = NULL;
        copy_begin(&c, *state);
        file_one(&c);
        struct backup_watch watch = {.gone = is_gone};
        assert_int_equal(store_backup(c.k->store, c.folder, &watch, &why), CLOSED);
        assert_null(why);
        copy_end(&c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(while_it_goes_on, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(half_a_page, kit_begin, kit_end),
                cmocka_unit_test_setup_teardown(stopped, kit_begin, kit_end),
        };
        log_open(2, LOG_ERRORS);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
