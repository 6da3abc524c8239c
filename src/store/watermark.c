#include "store/watermark.h"
#include "base/buf.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { SLOT_SIZE = 36, SLOT_APART = 2048, SLOTS = 2 };

struct watermark {
        int fd;
        uint64_t turn; /* of the last slot written */
};

static const char slot_magic[] = "BatonLSN";

static uint32_t slot_sum(struct str octets)
{
        uint32_t sum = 0xffffffffu; /* CRC-32 (ISO 3309) */
        for (size_t i = 0; i < octets.len; i++) {
                sum ^= (unsigned char)octets.at[i];
                for (int bit = 0; bit < 8; bit++)
                        sum = sum & 1 ? sum >> 1 ^ 0xedb88320u : sum >> 1;
        }
        return ~sum;
}

static bool slot_read(int fd, unsigned slot, uint64_t *turn, struct mark *mark)
{
        char octets[SLOT_SIZE];
        if (pread(fd, octets, sizeof(octets), (off_t)slot * SLOT_APART) != sizeof(octets))
                return false;
        struct str sealed = str_make(octets, SLOT_SIZE - 4);
        struct reader end = reader_of(str_make(octets + sealed.len, 4));
        if (memcmp(octets, slot_magic, 8) != 0 || read_u32(&end) != slot_sum(sealed))
                return false;
        struct reader in = reader_of(str_from(sealed, 8));
        *turn = read_u64(&in);
        mark->flushed.file = read_u32(&in);
        mark->flushed.offset = read_u32(&in);
        mark->oldest = read_u32(&in);
        mark->clean = read_u32(&in) != 0;
        return !in.bad;
}

/* A file that has one slot only has been written once: its second slot lies behind its end. */
static bool slot_expected(int fd, unsigned slot)
{
        return lseek(fd, 0, SEEK_END) > (off_t)slot * SLOT_APART;
}

static enum status slots_read(struct watermark *mark_file, const char *path, struct mark *out)
{
        bool found = false;
        for (unsigned slot = 0; slot < SLOTS; slot++) {
                uint64_t turn;
                struct mark mark;
                if (!slot_read(mark_file->fd, slot, &turn, &mark) || turn % SLOTS != slot) {
                        if (slot_expected(mark_file->fd, slot))
                                log_warn("%s: slot %u is damaged", path, slot);
                        continue;
                }
                if (found && turn < mark_file->turn)
                        continue;
                found = true;
                mark_file->turn = turn;
                *out = mark;
        }
        if (found)
                return OK;
        return lseek(mark_file->fd, 0, SEEK_END) == 0 ? ABSENT : DAMAGED;
}

enum status watermark_open(const char *folder, struct watermark **out, struct mark *mark)
{
        struct buf path = {0};
        buf_addf(&path, "%s/flushed", folder);
        int fd = open(buf_text(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        enum status st = BROKEN;
        *out = NULL;
        if (fd < 0) {
                st = errno == ENOSPC || errno == EDQUOT ? FULL : BROKEN;
                log_error("%s: %s", buf_text(&path), strerror(errno));
        } else {
                struct watermark *new = mem_new(sizeof(*new));
                new->fd = fd;
                *mark = (struct mark){0};
                st = slots_read(new, buf_text(&path), mark);
                *out = new;
        }
        buf_release(&path);
        return st;
}

void watermark_close(struct watermark *mark_file)
{
        if (mark_file == NULL)
                return;
        close(mark_file->fd);
        free(mark_file);
}

enum status watermark_set(struct watermark *mark_file, const struct mark *mark, bool sync)
{
        uint64_t turn = mark_file->turn + 1;
        struct buf slot = {0};
        buf_add_text(&slot, slot_magic);
        buf_add_u64(&slot, turn);
        buf_add_u32(&slot, mark->flushed.file);
        buf_add_u32(&slot, mark->flushed.offset);
        buf_add_u32(&slot, mark->oldest);
        buf_add_u32(&slot, mark->clean);
        buf_add_u32(&slot, slot_sum(buf_str(&slot)));
        assert(slot.len == SLOT_SIZE);
        ssize_t wrote = pwrite(
                mark_file->fd, slot.at, slot.len, (off_t)(turn % SLOTS) * SLOT_APART);
        int error = wrote < 0 ? errno : ENOSPC;
        bool done = wrote == (ssize_t)slot.len;
        buf_release(&slot);
        if (!done || (sync && fdatasync(mark_file->fd) != 0)) {
                if (done)
                        error = errno;
                log_error("the watermark file 'flushed' cannot be written: %s", strerror(error));
                return error == ENOSPC || error == EDQUOT ? FULL : BROKEN;
        }
        mark_file->turn = turn;
        return OK;
}
