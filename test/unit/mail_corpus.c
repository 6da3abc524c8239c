/* Real and hostile mail through the whole mail layer, where the corpora are there: what must hold
 * for any octets at all (no crash, exact ranges, well-formed IMAP, bounded time) on a small stack.
 * BATON_SHARED names the folder; else ../shared beside the source tree. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "mail_check.h"
#include <dirent.h>
#include <pthread.h>
#include <zstd.h>

enum { STACK = 512 * 1024, SLOW_MS = 10000 };

struct run {
        struct str folder;
        const char *prefix; /* of each file, or NULL */
        unsigned messages, failed;
};

static void complain(struct run *run, const char *name, const char *what)
{
        print_error("%s: %s\n", name, what);
        run->failed++;
}

static void check_message(struct run *run, const char *name, struct str message)
{
        struct arena *arena = arena_new();
        uint64_t start = cpu_ms();
        const char *wrong = check_mail(arena, message);
        if (!wrong && cpu_ms() - start > SLOW_MS)
                wrong = "slow";
        if (wrong)
                complain(run, name, wrong);
        run->messages++;
        arena_free(arena);
}

/* ---- files ---- */

static void check_octets(struct run *run, const char *name, struct str octets)
{
        struct buf message = {0};
        buf_add_text(&message, run->prefix);
        for (size_t i = 0; i < octets.len; i++) {
                if (octets.at[i] == '\n' && (i == 0 || octets.at[i - 1] != '\r'))
                        buf_add_char(&message, '\r');
                buf_add_char(&message, octets.at[i]);
        }
        /* A copy of the exact size, so that a look past its end is seen. */
        char *exact = mem_copy(message.at, message.len);
        check_message(run, name, str_make(exact, message.len));
        free(exact);
        buf_release(&message);
}

static bool read_file(const char *path, struct buf *out)
{
        FILE *f = fopen(path, "rb");
        size_t n;
        if (!f)
                return false;
        while ((n = fread(buf_reserve(out, 65536), 1, 65536, f)) > 0)
                out->len += n;
        fclose(f);
        return true;
}

static void check_folder(struct run *run, const char *path, unsigned depth)
{
        DIR *dir = opendir(path);
        struct dirent *entry;
        while (dir && (entry = readdir(dir))) {
                if (entry->d_name[0] == '.')
                        continue;
                struct buf name = {0}, octets = {0};
                buf_addf(&name, "%s/%s", path, entry->d_name);
                if (entry->d_type == DT_DIR && depth < 4)
                        check_folder(run, buf_text(&name), depth + 1);
                else if (entry->d_type == DT_REG && read_file(buf_text(&name), &octets))
                        check_octets(run, buf_text(&name), buf_str(&octets));
                buf_release(&name);
                buf_release(&octets);
        }
        if (dir)
                closedir(dir);
}

static void check_mbox(struct run *run, const char *name, struct str mbox)
{
        while (mbox.len) {
                size_t end = str_find(mbox, STR("\nFrom "));
                struct str one = end == STR_NOWHERE ? mbox : str_sub(mbox, 0, end + 1), from;
                mbox = str_from(mbox, one.len);
                if (str_line(&one, &from))
                        check_octets(run, name, one);
        }
}

static void check_archive(struct run *run, const char *file)
{
        struct buf path = {0}, packed = {0}, mbox = {0};
        buf_addf(&path, "%.*s/corpora/%s", STR_ARG(run->folder), file);
        if (read_file(buf_text(&path), &packed)) {
                ZSTD_DCtx *zstd = ZSTD_createDCtx();
                ZSTD_inBuffer in = {packed.at, packed.len, 0};
                while (in.pos < in.size) {
                        ZSTD_outBuffer out = {buf_reserve(&mbox, 1 << 20), 1 << 20, 0};
                        size_t st = ZSTD_decompressStream(zstd, &out, &in);
                        assert_false(ZSTD_isError(st));
                        mbox.len += out.pos;
                }
                ZSTD_freeDCtx(zstd);
                check_mbox(run, file, buf_str(&mbox));
        }
        buf_release(&path);
        buf_release(&packed);
        buf_release(&mbox);
}

static void *work(void *context)
{
        struct run *run = context;
        struct buf path = {0};
        buf_addf(&path, "%.*s/corpora/nasty", STR_ARG(run->folder));
        check_folder(run, buf_text(&path), 0);
        check_archive(run, "docs.mbox.zst");
        check_archive(run, "radio.mbox.zst");
        buf_release(&path);
        return NULL;
}

static bool find_folder(struct buf *out)
{
        const char *named = getenv("BATON_SHARED"), *source = getenv("srcdir");
        if (named)
                buf_addf(out, "%s", named);
        else
                buf_addf(out, "%s/../shared", source ? source : ".");
        struct buf corpora = {0};
        buf_addf(&corpora, "%s/corpora", buf_text(out));
        DIR *dir = opendir(buf_text(&corpora));
        if (dir)
                closedir(dir);
        buf_release(&corpora);
        return dir != NULL;
}

/* The seeds of the fuzz targets hold what they are made to reach. */
static void seeds(void **state)
{
        (void)state;
        static const struct {
                const char *folder, *prefix;
        } cases[] = {{"mime", NULL}, {"address", "From: "}, {"address", "Subject: "},
                {"address", "References: "}};
        const char *source = getenv("srcdir");
        struct run run = {0};
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct buf path = {0};
                buf_addf(&path, "%s/test/fuzz/corpus/%s", source ? source : ".", cases[i].folder);
                run.prefix = cases[i].prefix;
                check_folder(&run, buf_text(&path), 0);
                buf_release(&path);
        }
        assert_int_equal(run.failed, 0);
        assert_true(run.messages > 0);
}

static void real_and_hostile_mail(void **state)
{
        (void)state;
        struct buf folder = {0};
        struct run run = {0};
        if (!find_folder(&folder)) {
                print_message("no corpora here (BATON_SHARED, ../shared): skipped\n");
                buf_release(&folder);
                return; /* cmocka's TAP calls a skipped test "not ok" */
        }
        run.folder = buf_str(&folder);
        pthread_attr_t attr;
        pthread_t thread;
        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, STACK);
        assert_int_equal(pthread_create(&thread, &attr, work, &run), 0);
        pthread_join(thread, NULL);
        pthread_attr_destroy(&attr);
        print_message("%u messages\n", run.messages);
        buf_release(&folder);
        assert_int_equal(run.failed, 0);
        assert_true(run.messages > 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(seeds), cmocka_unit_test(real_and_hostile_mail),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
