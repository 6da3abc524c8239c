#include "store/pagecheck.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Page 0 of a B-tree: its first 512 octets are summed, the sum lies at 492; magic at 12, version at
 * 16, page size at 20, type at 25, flags at 26 (1: pages are summed), last page at 32, the
 * root's number at 88. Other pages: summed as a whole, the sum at 28, their own number at 8. The
 * machine's byte order. */
enum {
        META_SIZE = 512,
        META_SUM = 492,
        META_MAGIC = 12,
        META_PAGE_SIZE = 20,
        META_TYPE = 25,
        META_FLAGS = 26,
        META_LAST = 32,
        META_ROOT = 88,
        PAGE_SUM = 28,
        PAGE_NUMBER = 8,
        PAGE_TYPE = 25,
        BTREE_MAGIC = 0x053162,
        BTREE_META = 9,
        SUMMED = 1,
        PAGES_AT_ONCE = 256,
};

/* h = 33 h + c over all octets; sixteen at a time, so that no step waits for the one before. */
enum { POWER = 33, SQUARE = POWER * POWER, CUBE = POWER * SQUARE };
static const uint32_t power4 = (uint32_t)SQUARE * SQUARE;

static inline uint32_t sum_of_four(const unsigned char *at)
{
        return at[0] * (uint32_t)CUBE + at[1] * (uint32_t)SQUARE + at[2] * (uint32_t)POWER + at[3];
}

uint32_t page_sum(struct str octets)
{
        const uint32_t power8 = power4 * power4, power12 = power8 * power4;
        const unsigned char *at = (const unsigned char *)octets.at, *end = at + octets.len;
        uint32_t sum = 0;
        for (; end - at >= 16; at += 16)
                sum = sum * (power8 * power8) + sum_of_four(at) * power12 +
                      sum_of_four(at + 4) * power8 + sum_of_four(at + 8) * power4 +
                      sum_of_four(at + 12);
        for (; at < end; at++)
                sum = sum * POWER + *at;
        return sum;
}

static uint32_t u32_at(const char *at)
{
        uint32_t value;
        memcpy(&value, at, sizeof(value));
        return value;
}

/* The sum is made over the octets with the sum itself as zeros. */
static bool sum_right(char *octets, size_t size, size_t place)
{
        uint32_t stored = u32_at(octets + place);
        memset(octets + place, 0, sizeof(stored));
        bool right = page_sum(str_make(octets, size)) == stored;
        memcpy(octets + place, &stored, sizeof(stored));
        return right;
}

static bool meta_right(char *page)
{
        return u32_at(page + META_MAGIC) == BTREE_MAGIC &&
               u32_at(page + META_PAGE_SIZE) == PAGE_SIZE && page[META_TYPE] == BTREE_META &&
               (page[META_FLAGS] & SUMMED) != 0 && sum_right(page, META_SIZE, META_SUM);
}

/* Berkeley DB takes such a page for one that was never written, and does not look at its sum. */
bool page_blank(const char *page)
{
        return page[PAGE_TYPE] == 0 && u32_at(page) == 0 && u32_at(page + 4) == 0 &&
                u32_at(page + PAGE_NUMBER) == 0;
}

static bool page_right(char *page, uint32_t number)
{
        if (number == 0)
                return meta_right(page);
        return u32_at(page + PAGE_NUMBER) == number && sum_right(page, PAGE_SIZE, PAGE_SUM);
}

bool page_whole(char page[PAGE_SIZE], uint32_t number)
{
        return page_right(page, number) || (number > 0 && page_blank(page));
}

static enum status file_open(const char *path, int *fd, uint64_t *size)
{
        struct stat info;
        *fd = open(path, O_RDONLY | O_CLOEXEC);
        if (*fd < 0 && errno == ENOENT)
                return ABSENT;
        if (*fd < 0 || fstat(*fd, &info) != 0) {
                log_error("%s: %s", path, strerror(errno));
                if (*fd >= 0)
                        close(*fd);
                return BROKEN;
        }
        *size = (uint64_t)info.st_size;
        return OK;
}

static bool page_read(int fd, uint32_t number, char page[PAGE_SIZE])
{
        return pread(fd, page, PAGE_SIZE, (off_t)number * PAGE_SIZE) == PAGE_SIZE &&
                page_right(page, number);
}

enum status page_check_first(const char *path, bool closed)
{
        int fd;
        uint64_t size;
        const char *fault = NULL;
        enum status st = file_open(path, &fd, &size);
        if (st != OK)
                return st;
        char *page = mem_new(PAGE_SIZE);
        if (!page_read(fd, 0, page))
                fault = "is damaged in page 0";
        else if (closed && size < ((uint64_t)u32_at(page + META_LAST) + 1) * PAGE_SIZE)
                fault = "has been cut short";
        else if (!page_read(fd, u32_at(page + META_ROOT), page))
                fault = "is damaged in its root page";
        free(page);
        close(fd);
        if (fault == NULL)
                return OK;
        log_error("table file %s %s. Nothing has been changed: restore the folder from a backup",
                path, fault);
        return DAMAGED;
}

enum status page_check_all(const char *path, bool closed)
{
        int fd;
        uint64_t size;
        enum status st = file_open(path, &fd, &size);
        if (st != OK)
                return st;
        char *pages = mem_new((size_t)PAGES_AT_ONCE * PAGE_SIZE);
        for (uint64_t at = 0; at < size;) {
                ssize_t got = pread(fd, pages, (size_t)PAGES_AT_ONCE * PAGE_SIZE, (off_t)at);
                if (got < PAGE_SIZE) {
                        log_error("table file %s cannot be read at offset %llu", path,
                                (unsigned long long)at);
                        st = DAMAGED;
                        break;
                }
                for (size_t i = 0; i < (size_t)got / PAGE_SIZE; i++) {
                        uint32_t number = (uint32_t)(at / PAGE_SIZE + i);
                        char *page = pages + i * PAGE_SIZE;
                        if (page_right(page, number) || (!closed && page_blank(page)))
                                continue;
                        log_error("table file %s is damaged in page %u", path, number);
                        st = DAMAGED;
                }
                at += (uint64_t)got / PAGE_SIZE * PAGE_SIZE;
        }
        free(pages);
        close(fd);
        return st;
}
