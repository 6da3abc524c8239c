#include "cli/maildir.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct item {
        char *name;
        bool fresh; /* in new/ */
};
struct maildir {
        struct cli *cli;
        const char *path;
        size_t max;
        int folders[2]; /* cur, new */
        struct item *items;
        size_t count, room, at;
};

static const char *const names[2] = {"cur", "new"};

/* "1132...", then what follows: the time in front as a number, else by octet. */
static int compare(const void *x, const void *y)
{
        const struct item *a = x, *b = y;
        unsigned long long i = strtoull(a->name, NULL, 10), k = strtoull(b->name, NULL, 10);
        return i < k ? -1 : i > k ? 1 : strcmp(a->name, b->name);
}

static void add(struct maildir *m, const char *name, bool fresh)
{
        if (m->count == m->room) {
                m->room = m->room ? m->room * 2 : 1024;
                m->items = mem_grow(m->items, m->room * sizeof *m->items);
        }
        m->items[m->count++] = (struct item){mem_text(name), fresh};
}

static bool list(struct maildir *m, int which)
{
        int fd = fcntl(m->folders[which], F_DUPFD_CLOEXEC, 3);
        DIR *folder = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;
        if (!folder)
                return false;
        while ((entry = readdir(folder))) {
                if (entry->d_name[0] != '.')
                        add(m, entry->d_name, which == 1);
        }
        closedir(folder);
        return true;
}

struct maildir *maildir_open(struct cli *c, const char *path, size_t message_max)
{
        struct maildir *m = mem_new(sizeof *m);
        *m = (struct maildir){.cli = c, .path = path, .max = message_max, .folders = {-1, -1}};
        for (int i = 0; i < 2; i++) {
                struct str name = arena_printf(c->arena, "%s/%s", path, names[i]);
                m->folders[i] = openat(c->cwd, name.at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (m->folders[i] >= 0 && list(m, i))
                        continue;
                cli_fail(c,
                        errno == ENOENT ? "%.*s: %s: a Maildir has the folders cur and new"
                                        : "%.*s: %s",
                        STR_ARG(name), strerror(errno));
                maildir_close(m);
                return NULL;
        }
        if (m->count)
                qsort(m->items, m->count, sizeof *m->items, compare);
        return m;
}

void maildir_close(struct maildir *m)
{
        if (!m)
                return;
        for (size_t i = 0; i < m->count; i++)
                free(m->items[i].name);
        for (int i = 0; i < 2; i++) {
                if (m->folders[i] >= 0)
                        close(m->folders[i]);
        }
        free(m->items);
        free(m);
}

size_t maildir_count(const struct maildir *m)
{
        return m->count;
}

static unsigned flags_of(const struct item *item)
{
        static const struct {
                char letter;
                unsigned flag;
        } known[] = {{'S', FLAG_SEEN}, {'R', FLAG_ANSWERED}, {'F', FLAG_FLAGGED},
                {'T', FLAG_DELETED}, {'D', FLAG_DRAFT}};
        const char *info = item->fresh ? NULL : strstr(item->name, ":2,");
        unsigned flags = 0;
        for (size_t i = 0; info && i < COUNT_OF(known); i++) {
                if (strchr(info + 3, known[i].letter))
                        flags |= known[i].flag;
        }
        return flags;
}

static enum status read_file(int fd, size_t size, struct buf *out)
{
        size_t got = 0;
        char *at = buf_reserve(out, size + 1);
        while (got < size) {
                ssize_t n = read(fd, at + got, size - got);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return BROKEN;
                if (n == 0)
                        break;
                got += (size_t)n;
        }
        out->len += got;
        return OK;
}

enum status maildir_next(struct maildir *m, struct buf *message, time_t *date, unsigned *flags)
{
        struct stat is;
        enum status st;
        buf_clear(message);
        if (m->at == m->count)
                return ABSENT;
        const struct item *item = &m->items[m->at++];
        int fd = openat(m->folders[item->fresh], item->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &is) != 0 || !S_ISREG(is.st_mode))
                st = BROKEN;
        else if ((uint64_t)is.st_size > m->max)
                st = TOO_BIG;
        else
                st = read_file(fd, (size_t)is.st_size, message);
        if (fd >= 0)
                close(fd);
        *date = fd >= 0 ? is.st_mtime : 0;
        *flags = flags_of(item);
        return st;
}
