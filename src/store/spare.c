#include "store/spare.h"
#include "base/buf.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

static const char making[] = "spare"; /* behind it, with a number: made */

static void spare_path(struct str folder, unsigned number, struct buf *out)
{
        buf_clear(out);
        buf_addf(out, "%.*s/%s.%u", STR_ARG(folder), making, number);
        (void)buf_text(out);
}

/* FOLDER/log.0123456789 */
static bool is_log(struct str path, struct str *folder)
{
        size_t slash = str_rchr(path, '/');
        uint32_t number;
        if (slash == STR_NOWHERE)
                return false;
        *folder = str_sub(path, 0, slash);
        struct str name = str_from(path, slash + 1);
        return str_starts(name, STR("log.")) && str_u32(str_from(name, 4), &number) == OK;
}

/* What is there already is not replaced. */
static void spare_take(struct str folder, const char *path)
{
        struct buf from = {0};
        bool taken = false;
        for (unsigned n = 1; !taken && n <= SPARES_MOST; n++) {
                spare_path(folder, n, &from);
                taken = renameat2(AT_FDCWD, buf_text(&from), AT_FDCWD, path, RENAME_NOREPLACE) == 0;
        }
        buf_release(&from);
}

int spare_open(const char *path, int flags, ...)
{
        enum { MODE = 0600 }; /* of all files here */
        struct str folder;
        if (flags & O_CREAT && is_log(str_of(path), &folder))
                spare_take(folder, path);
        return open(path, flags | O_CLOEXEC, MODE);
}

/* In pieces, each flushed: a log that is flushed meanwhile waits behind one of them only. */
static bool fill(int fd, size_t size)
{
        char *zeros = mem_new(PIECE);
        bool done = true;
        for (size_t at = 0; done && at < size; at += PIECE) {
                size_t len = size - at < PIECE ? size - at : PIECE;
                done = pwrite(fd, zeros, len, (off_t)at) == (ssize_t)len && fdatasync(fd) == 0;
        }
        free(zeros);
        return done;
}

/* It gets its name when all of it is on disk. */
static bool spare_make(const char *folder, const char *path, size_t size)
{
        struct buf unnamed = {0};
        buf_addf(&unnamed, "%s/%s", folder, making);
        int fd = open(buf_text(&unnamed), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        bool done = fd >= 0 && fill(fd, size) && fsync(fd) == 0 &&
                    rename(buf_text(&unnamed), path) == 0;
        if (fd >= 0)
                close(fd);
        if (!done)
                unlink(buf_text(&unnamed));
        buf_release(&unnamed);
        return done;
}

bool spares_make(const char *folder, unsigned count, size_t size)
{
        struct buf path = {0};
        bool done = true;
        for (unsigned n = 1; done && n <= count && n <= SPARES_MOST; n++) {
                spare_path(str_of(folder), n, &path);
                done = access(buf_text(&path), F_OK) == 0 || spare_make(folder, buf_text(&path), size);
        }
        buf_release(&path);
        return done;
}

void spares_drop(const char *folder)
{
        struct buf path = {0};
        for (unsigned n = 1; n <= SPARES_MOST; n++) {
                spare_path(str_of(folder), n, &path);
                unlink(buf_text(&path));
        }
        buf_release(&path);
}
