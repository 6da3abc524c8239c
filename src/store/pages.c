#include "store/pages.h"
#include "store/bdb.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* A page with what Berkeley DB keeps in front of it (96 octets in 5.3). An odd number of cache
 * lines: else what is looked at in each, its head, would fall on a few sets of the processor's
 * cache, and all pages push each other out of these. */
enum { CELL_LEAST = 4096, LINE = 64, CELL = 4096 + 3 * LINE, HUGE_PAGE = 2 << 20 };

struct cell {
        struct cell *next;
};

/* One for the process: Berkeley DB hands its functions nothing of ours. */
static struct {
        pthread_mutex_t lock;
        pthread_once_t once;
        uint64_t cache;
        char *start, *end, *unused;
        struct cell *free;
} pages = {.lock = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT};

static bool is_cell(const void *at)
{
        return (const char *)at >= pages.start && (const char *)at < pages.end;
}

static void *take_cell(void)
{
        pthread_mutex_lock(&pages.lock);
        void *at = pages.free;
        if (at) {
                pages.free = pages.free->next;
        } else if (pages.end - pages.unused >= CELL) {
                at = pages.unused;
                pages.unused += CELL;
        }
        pthread_mutex_unlock(&pages.lock);
        return at;
}

static void *pages_malloc(size_t size)
{
        void *at = size >= CELL_LEAST && size <= CELL ? take_cell() : NULL;
        return at ? at : malloc(size);
}

static void pages_free(void *at)
{
        if (!is_cell(at)) {
                free(at);
                return;
        }
        struct cell *cell = at;
        pthread_mutex_lock(&pages.lock);
        cell->next = pages.free;
        pages.free = cell;
        pthread_mutex_unlock(&pages.lock);
}

static void *pages_realloc(void *at, size_t size)
{
        if (!is_cell(at))
                return realloc(at, size);
        void *more = pages_malloc(size);
        if (more) {
                memcpy(more, at, size < CELL ? size : CELL);
                pages_free(at);
        }
        return more;
}

/* Only addresses are taken here; memory comes as it is touched. */
static void reserve(void)
{
        size_t size = (size_t)(pages.cache + pages.cache / 2) / HUGE_PAGE * HUGE_PAGE + HUGE_PAGE;
        char *at = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED)
                return;
        at += HUGE_PAGE - (uintptr_t)at % HUGE_PAGE;
        (void)madvise(at, size, MADV_HUGEPAGE);
        pages.start = pages.unused = at;
        pages.end = at + size;
        (void)db_env_set_func_malloc(pages_malloc);
        (void)db_env_set_func_realloc(pages_realloc);
        (void)db_env_set_func_free(pages_free);
}

void pages_begin(uint64_t cache)
{
        if (!pages.cache)
                pages.cache = cache;
        pthread_once(&pages.once, reserve);
}

enum { MEGABYTE = 1 << 20, CACHE_LEAST = 64, CACHE_MOST = 512, PART = 8 };

/* What is in a small file, without its last line end; empty when there is none. */
static struct str file_text(const char *path, char *room, size_t size)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t got = fd < 0 ? -1 : read(fd, room, size);
        if (fd >= 0)
                close(fd);
        struct str text = str_make(room, got > 0 ? (size_t)got : 0);
        return str_trim(text);
}

/* The limit that systemd or a container set (cgroup v2). UINT64_MAX: none. */
static uint64_t memory_limit(void)
{
        char groups[1024], path[1200], value[32];
        struct str rest = file_text("/proc/self/cgroup", groups, sizeof groups), line;
        uint64_t limit = UINT64_MAX;
        while (str_line(&rest, &line)) {
                uint64_t n;
                if (!str_starts(line, STR("0::")))
                        continue;
                struct str group = str_from(line, 3);
                snprintf(path, sizeof path, "/sys/fs/cgroup%.*s/memory.max", STR_ARG(group));
                if (str_u64(file_text(path, value, sizeof value), &n) == OK) /* else "max" */
                        limit = n;
        }
        return limit;
}

uint64_t pages_cache(uint64_t asked)
{
        if (asked)
                return asked;
        long count = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
        uint64_t memory = count > 0 && size > 0 ? (uint64_t)count * (uint64_t)size : 0;
        uint64_t limit = memory_limit(), part = (memory < limit ? memory : limit) / PART / MEGABYTE;
        return (part < CACHE_LEAST ? CACHE_LEAST : part > CACHE_MOST ? CACHE_MOST : part) * MEGABYTE;
}
