#include "store/disk.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LOOK_EVERY_MS = 100 };

struct disk {
        char *folder, *ballast_path;
        uint64_t reserve, ballast;
        _Atomic uint64_t octets, looked; /* looked: clock_ms, 0 never */
        atomic_bool full;
};

struct disk *disk_new(const char *folder, uint64_t reserve, uint64_t ballast)
{
        struct disk *disk = mem_new(sizeof(*disk));
        struct buf path = {0};
        buf_addf(&path, "%s/ballast", folder);
        disk->folder = mem_text(folder);
        disk->ballast_path = mem_text(buf_text(&path));
        disk->reserve = reserve;
        disk->ballast = ballast;
        buf_release(&path);
        return disk;
}

void disk_free(struct disk *disk)
{
        if (disk == NULL)
                return;
        free(disk->folder);
        free(disk->ballast_path);
        free(disk);
}

static void disk_look(struct disk *disk)
{
        struct statvfs info;
        if (statvfs(disk->folder, &info) != 0)
                return; /* what was seen last holds */
        uint64_t octets = (uint64_t)info.f_bavail * info.f_frsize;
        bool full = octets < disk->reserve;
        atomic_store(&disk->octets, octets);
        if (atomic_exchange(&disk->full, full) == full)
                return;
        if (full)
                log_error("%s: %llu KB are free, new mail is refused until %llu KB are",
                        disk->folder, (unsigned long long)(octets >> 10),
                        (unsigned long long)(disk->reserve >> 10));
        else
                log_note("%s: there is room again, new mail is taken", disk->folder);
}

bool disk_full(struct disk *disk)
{
        uint64_t now = clock_ms() + 1, looked = atomic_load(&disk->looked);
        if ((looked == 0 || now - looked >= LOOK_EVERY_MS) &&
                atomic_compare_exchange_strong(&disk->looked, &looked, now))
                disk_look(disk);
        return atomic_load(&disk->full);
}

bool disk_exhausted(struct disk *disk)
{
        return disk_octets(disk) < disk->ballast / 4;
}

uint64_t disk_octets(struct disk *disk)
{
        (void)disk_full(disk);
        return atomic_load(&disk->octets);
}

bool disk_drop_ballast(struct disk *disk)
{
        if (unlink(disk->ballast_path) != 0)
                return false;
        log_error("%s: the disk is full; the ballast file has been removed to go on. Make room",
                disk->folder);
        atomic_store(&disk->looked, 0);
        return true;
}

void disk_before_recovery(struct disk *disk)
{
        if (disk_octets(disk) < disk->ballast)
                (void)disk_drop_ballast(disk);
}

static bool ballast_whole(const struct disk *disk)
{
        struct stat info;
        return stat(disk->ballast_path, &info) == 0 && (uint64_t)info.st_size >= disk->ballast &&
               (uint64_t)info.st_blocks * 512 >= disk->ballast;
}

bool disk_has(struct disk *disk, uint64_t octets)
{
        return disk_octets(disk) >= disk->reserve + 2 * disk->ballast + octets;
}

void disk_load_ballast(struct disk *disk)
{
        if (!disk_has(disk, 0) || ballast_whole(disk))
                return;
        int fd = open(disk->ballast_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        int error = fd < 0 ? errno : posix_fallocate(fd, 0, (off_t)disk->ballast);
        if (fd >= 0)
                close(fd);
        if (error == 0)
                return;
        log_warn("%s: %s", disk->ballast_path, strerror(error));
        unlink(disk->ballast_path);
}
