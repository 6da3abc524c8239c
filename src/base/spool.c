#include "base/spool.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MEMORY_MOST = 256 * 1024 };

struct spool {
        const char *folder;
        struct buf memory; /* empty once there is a file */
        int fd;            /* -1: all in memory */
        size_t size;
        void *map; /* NULL: not mapped */
        size_t map_size;
};

struct spool *spool_new(const char *folder)
{
        struct spool *s = mem_new(sizeof *s);
        s->folder = folder;
        s->fd = -1;
        return s;
}

static void unmap(struct spool *s)
{
        if (s->map)
                munmap(s->map, s->map_size);
        s->map = NULL;
}

void spool_free(struct spool *s)
{
        if (!s)
                return;
        unmap(s);
        if (s->fd >= 0)
                close(s->fd);
        buf_release(&s->memory);
        free(s);
}

static enum status disk_status(const struct spool *s, const char *what)
{
        bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
        log_error("spool %s: %s: %s", s->folder, what, strerror(errno));
        return full ? FULL : BROKEN;
}

/* Some file systems have no O_TMPFILE (EOPNOTSUPP; EISDIR from old kernels): there the file is
 * named for a moment. */
static enum status file_open(const struct spool *s, int *out)
{
        struct buf path = {0};
        enum status st = OK;
        *out = open(s->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (*out < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
                buf_addf(&path, "%s/spool-XXXXXX", s->folder);
                buf_text(&path);
                *out = mkostemp(path.at, O_CLOEXEC);
                if (*out >= 0)
                        unlink(path.at);
        }
        if (*out < 0)
                st = disk_status(s, "open");
        buf_release(&path);
        return st;
}

static enum status write_at(const struct spool *s, int fd, struct str octets, size_t at)
{
        while (octets.len) {
                ssize_t n = pwrite(fd, octets.at, octets.len, (off_t)at);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return disk_status(s, "write");
                octets = str_from(octets, (size_t)n);
                at += (size_t)n;
        }
        return OK;
}

static enum status move_to_file(struct spool *s)
{
        int fd;
        enum status st = file_open(s, &fd);
        if (st != OK)
                return st;
        st = write_at(s, fd, buf_str(&s->memory), 0);
        if (st != OK) {
                close(fd);
                return st;
        }
        s->fd = fd;
        buf_release(&s->memory);
        return OK;
}

enum status spool_add(struct spool *s, struct str octets)
{
        enum status st = OK;
        unmap(s);
        if (s->fd < 0 && (octets.len > MEMORY_MOST || s->size > MEMORY_MOST - octets.len))
                st = move_to_file(s);
        if (st == OK && s->fd >= 0)
                st = write_at(s, s->fd, octets, s->size);
        else if (st == OK)
                buf_add(&s->memory, octets);
        if (st == OK)
                s->size += octets.len;
        return st;
}

enum status spool_settle(struct spool *s)
{
        return s->fd < 0 && s->size ? move_to_file(s) : OK;
}

size_t spool_size(const struct spool *s)
{
        return s->size;
}

enum status spool_view(struct spool *s, struct str *out)
{
        if (s->fd < 0 || s->size == 0) {
                *out = buf_str(&s->memory);
                return OK;
        }
        if (!s->map) {
                void *at = mmap(NULL, s->size, PROT_READ, MAP_PRIVATE, s->fd, 0);
                if (at == MAP_FAILED)
                        return disk_status(s, "map");
                s->map = at;
                s->map_size = s->size;
        }
        *out = str_make(s->map, s->size);
        return OK;
}
