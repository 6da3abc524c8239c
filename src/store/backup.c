#include "store/backup.h"
#include "base/log.h"
#include "store/inside.h"
#include "store/layout.h"
#include "store/pagecheck.h"
#include "store/renew.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 20, TRIES = 2000, PAUSE_US = 1000 };

struct copying {
        const char *from, *to; /* folders */
        const struct backup_watch *watch;
        uint64_t done, total; /* octets */
        char *piece;
        char **why;
};
struct file { /* one that is being copied */
        struct copying *copying;
        const char *name;
        int from, to;
        bool pages; /* a table: each page is looked at */
};

PRINTF(3, 4)
static enum status tell(struct copying *c, enum status st, const char *format, ...)
{
        struct buf text = {0};
        va_list list;
        va_start(list, format);
        buf_vaddf(&text, format, list);
        va_end(list);
        log_error("backup: %s", buf_text(&text));
        if (*c->why == NULL)
                *c->why = mem_text(buf_text(&text));
        buf_release(&text);
        return st;
}

static enum status tell_errno(struct copying *c, const char *folder, const char *name)
{
        int error = errno;
        bool full = error == ENOSPC || error == EDQUOT;
        return tell(c, full ? FULL : BROKEN, "%s%s%s: %s", folder, name[0] ? "/" : "", name,
                strerror(error));
}

/* ---- one file ---- */

/* A page that the store writes at this very moment may be read half: then its checksum is wrong,
 * and right when it is read again. */
static enum status page_again(struct file *f, char *page, uint32_t number)
{
        for (unsigned i = 0; i < TRIES; i++) {
                if (page_whole(page, number))
                        return OK;
                usleep(PAUSE_US);
                if (pread(f->from, page, PAGE_SIZE, (off_t)number * PAGE_SIZE) != PAGE_SIZE)
                        break;
        }
        return tell(f->copying, DAMAGED, "%s/%s is damaged in page %u", f->copying->from, f->name,
                number);
}

static enum status pages_whole(struct file *f, size_t len, uint64_t at)
{
        enum status st = OK;
        for (size_t i = 0; i < len && st == OK; i += PAGE_SIZE) {
                uint32_t number = (uint32_t)((at + i) / PAGE_SIZE);
                char *page = f->copying->piece + i;
                if (!page_whole(page, number))
                        st = page_again(f, page, number);
        }
        return st;
}

static enum status piece_read(struct file *f, size_t len, uint64_t at)
{
        size_t have = 0;
        while (have < len) {
                ssize_t got = pread(
                        f->from, f->copying->piece + have, len - have, (off_t)(at + have));
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return tell_errno(f->copying, f->copying->from, f->name);
                if (got == 0)
                        return tell(f->copying, DAMAGED, "%s/%s is shorter than it was",
                                f->copying->from, f->name);
                have += (size_t)got;
        }
        return f->pages ? pages_whole(f, len, at) : OK;
}

static enum status piece_write(struct file *f, size_t len)
{
        const char *at = f->copying->piece;
        while (len > 0) {
                ssize_t wrote = write(f->to, at, len);
                if (wrote < 0 && errno == EINTR)
                        continue;
                if (wrote <= 0)
                        return tell_errno(f->copying, f->copying->to, f->name);
                at += wrote;
                len -= (size_t)wrote;
        }
        return OK;
}

static enum status octets_copy(struct file *f, uint64_t size)
{
        struct copying *c = f->copying;
        enum status st = OK;
        for (uint64_t at = 0; at < size && st == OK;) {
                size_t len = size - at < PIECE ? (size_t)(size - at) : PIECE;
                if (c->watch->gone != NULL && c->watch->gone(c->watch->arg))
                        return CLOSED;
                st = piece_read(f, len, at);
                if (st == OK)
                        st = piece_write(f, len);
                at += len;
                c->done += len;
                if (c->watch->progress != NULL)
                        c->watch->progress(c->watch->arg, c->done, c->total);
        }
        if (st == OK && fsync(f->to) != 0)
                st = tell_errno(c, c->to, f->name);
        return st;
}

static int open_in(const char *folder, const char *name, int flags)
{
        struct buf path = {0};
        buf_addf(&path, "%s/%s", folder, name);
        int fd = open(buf_text(&path), flags | O_CLOEXEC, 0600);
        buf_release(&path);
        return fd;
}

/* UINT64_MAX: the file cannot be looked at. */
static uint64_t size_of(const char *folder, const char *name)
{
        struct stat info;
        int fd = open_in(folder, name, O_RDONLY);
        uint64_t size = fd >= 0 && fstat(fd, &info) == 0 ? (uint64_t)info.st_size : UINT64_MAX;
        if (fd >= 0)
                close(fd);
        return size;
}

/* Its first `size` octets. */
static enum status file_copy(struct copying *c, const char *name, uint64_t size, bool pages)
{
        struct file f = {.copying = c, .name = name, .pages = pages, .to = -1};
        f.from = open_in(c->from, name, O_RDONLY);
        if (f.from < 0)
                return errno == ENOENT ? tell(c, DAMAGED, "%s/%s is missing", c->from, name)
                                       : tell_errno(c, c->from, name);
        f.to = open_in(c->to, name, O_WRONLY | O_CREAT | O_EXCL);
        enum status st = f.to < 0 ? tell_errno(c, c->to, name) : octets_copy(&f, size);
        close(f.from);
        if (f.to >= 0)
                close(f.to);
        return st;
}

/* ---- all of them ---- */

/* A table may grow meanwhile: the pages behind are in the log. */
static enum status tables_copy(struct copying *c)
{
        enum status st = OK;
        for (int i = 0; i < TABLE_COUNT && st == OK; i++) {
                const char *name = table_name((enum table)i);
                uint64_t size = size_of(c->from, name);
                st = size == UINT64_MAX ? tell_errno(c, c->from, name)
                                        : file_copy(c, name, size / PAGE_SIZE * PAGE_SIZE, true);
        }
        return st;
}

static uint64_t log_size(const char *folder, uint32_t number)
{
        char name[32];
        (void)snprintf(name, sizeof(name), "log.%010u", number);
        uint64_t size = size_of(folder, name);
        return size == UINT64_MAX ? 0 : size;
}

/* The last one up to where it is flushed. */
static enum status logs_copy(struct copying *c, uint32_t first, struct log_place end)
{
        enum status st = OK;
        for (uint32_t n = first; n <= end.file && st == OK; n++) {
                char name[32];
                (void)snprintf(name, sizeof(name), "log.%010u", n);
                uint64_t size = n == end.file ? end.offset : log_size(c->from, n);
                if (size > 0)
                        st = file_copy(c, name, size, false);
        }
        return st;
}

static uint64_t tables_size(const char *folder)
{
        uint64_t total = 0;
        for (int i = 0; i < TABLE_COUNT; i++) {
                uint64_t size = size_of(folder, table_name((enum table)i));
                total += size == UINT64_MAX ? 0 : size;
        }
        return total;
}

/* How far recovery must come at least, whatever happens to the copy. */
static enum status mark_write(struct copying *c, const struct mark *mark)
{
        struct watermark *file;
        struct mark none;
        enum status st = watermark_open(c->to, &file, &none);
        if (st == ABSENT)
                st = watermark_set(file, mark, false);
        if (st == OK)
                st = watermark_set(file, mark, true); /* both slots */
        watermark_close(file);
        if (st == OK)
                st = layout_done(c->to);
        return st == OK ? OK : tell(c, st, "%s: the backup's marks cannot be written", c->to);
}

/* Read again from the copy. */
static enum status logs_verify(struct copying *c, const struct mark *mark)
{
        struct log_report report;
        enum status st = log_verify(c->to, mark, &report);
        if (st == OK && (report.torn || place_before(report.end, mark->flushed)))
                st = DAMAGED;
        return st == OK ? OK : tell(c, st, "%s: the copied log is not whole", c->to);
}

static enum status all_copy(struct copying *c, struct env *env, struct mark *mark)
{
        enum status st = env_flushed(env, &mark->flushed);
        uint64_t logs = 0;
        for (uint32_t n = mark->oldest; n <= mark->flushed.file; n++)
                logs += log_size(c->from, n);
        c->total = tables_size(c->from) + logs;
        if (st == OK)
                st = tables_copy(c);
        if (st == OK)
                st = env_flushed(env, &mark->flushed);
        if (st == OK)
                st = logs_copy(c, mark->oldest, mark->flushed);
        return st;
}

enum status store_backup(
        struct store *store, const char *folder, const struct backup_watch *watch, char **why)
{
        struct copying c = {.from = env_path(store->env), .to = folder, .watch = watch, .why = why};
        struct mark mark = {0};
        *why = NULL;
        enum status st = env_hold(store->env, &mark.oldest);
        if (st != OK)
                return st;
        c.piece = mem_new(PIECE);
        st = all_copy(&c, store->env, &mark);
        env_release(store->env);
        if (st == OK)
                st = mark_write(&c, &mark);
        if (st == OK)
                st = logs_verify(&c, &mark);
        free(c.piece);
        return st;
}

/* ---- and back ---- */

static enum status copy_back(struct copying *c)
{
        static const char *const marks[] = {"flushed", "tables"};
        struct log_report logs;
        enum status st = log_list(c->from, &logs);
        if (st != OK || logs.first == 0)
                return tell(c, DAMAGED, "%s: the log files are missing", c->from);
        c->total = tables_size(c->from);
        for (uint32_t n = logs.first; n <= logs.last; n++)
                c->total += log_size(c->from, n);
        for (int i = 0; i < TABLE_COUNT && st == OK; i++) {
                const char *name = table_name((enum table)i);
                uint64_t size = size_of(c->from, name);
                if (size !=
                        UINT64_MAX) /* else of a later version, or the list of tables misses it */
                        st = file_copy(c, name, size, true);
        }
        if (st == OK)
                st = logs_copy(c, logs.first, (struct log_place){logs.last + 1, 0});
        for (size_t i = 0; i < COUNT_OF(marks) && st == OK; i++)
                st = file_copy(c, marks[i], size_of(c->from, marks[i]), false);
        return st == OK ? folder_sync(c->to) : st;
}

enum status store_restore(const char *from, const struct store_options *options,
        const struct backup_watch *watch, char **why)
{
        struct copying c = {.from = from, .to = options->path, .watch = watch, .why = why};
        struct store_options how = *options;
        struct store *store = NULL;
        *why = NULL;
        c.piece = mem_new(PIECE);
        enum status st = copy_back(&c);
        free(c.piece);
        how.restoring = true;
        if (st == OK)
                st = store_open(&how, &store);
        if (st == OK)
                st = store_renew(store);
        if (store != NULL)
                store_close(store);
        return st;
}
