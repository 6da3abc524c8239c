#include "store/logcheck.h"
#include "base/buf.h"
#include "base/log.h"
#include "store/pagecheck.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A log file is a chain of records: u32 offset of the record before, u32 length with this header,
 * u32 checksum over the rest, xored with the first two; in the machine's byte order. Its first
 * record describes the file, and its "before" is the last record of the file before. The file
 * may be longer than its records: the rest is zeros. */
enum { RECORD_HEADER = 12, FILE_RECORD = 28, LOG_MAGIC = 0x040988 };

struct log_file {
        const char *folder;
        uint32_t number;
        char *octets;
        size_t size;
        uint32_t before; /* what the first record says about the file before */
        uint32_t last;   /* offset of the last whole record */
        uint32_t end;    /* behind it */
        bool rest;       /* something else than zeros follows */
};

static uint32_t u32_at(const char *at)
{
        uint32_t value;
        memcpy(&value, at, sizeof(value));
        return value;
}

static void log_path(const char *folder, uint32_t number, struct buf *out)
{
        buf_clear(out);
        buf_addf(out, "%s/log.%010u", folder, number);
}

static bool log_number(const char *name, uint32_t *out)
{
        struct str text = str_of(name);
        return str_starts(text, STR("log.")) && str_u32(str_from(text, 4), out) == OK && *out > 0;
}

enum status log_list(const char *folder, struct log_report *out)
{
        DIR *dir = opendir(folder);
        *out = (struct log_report){0};
        if (dir == NULL) {
                log_error("%s: %s", folder, strerror(errno));
                return BROKEN;
        }
        for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
                uint32_t number;
                if (!log_number(entry->d_name, &number))
                        continue;
                if (out->first == 0 || number < out->first)
                        out->first = number;
                if (number > out->last)
                        out->last = number;
        }
        closedir(dir);
        return OK;
}

static enum status log_load(struct log_file *file)
{
        struct buf path = {0};
        log_path(file->folder, file->number, &path);
        enum status st = DAMAGED;
        int fd = open(buf_text(&path), O_RDONLY | O_CLOEXEC);
        struct stat info;
        if (fd < 0 || fstat(fd, &info) != 0) {
                log_error("log file %s: %s. Restore it, or the whole folder, from a backup; "
                          "nothing has been changed",
                        buf_text(&path),
                        fd < 0 && errno == ENOENT ? "is missing" : strerror(errno));
        } else {
                file->size = (size_t)info.st_size;
                file->octets = mem_grow(file->octets, file->size + 1);
                size_t have = 0;
                ssize_t got = 1;
                while (have < file->size && got > 0) {
                        got = pread(fd, file->octets + have, file->size - have, (off_t)have);
                        have += got > 0 ? (size_t)got : 0;
                }
                st = have == file->size ? OK : DAMAGED;
                if (st != OK)
                        log_error("log file %s cannot be read at offset %zu: %s", buf_text(&path),
                                have, strerror(errno));
        }
        if (fd >= 0)
                close(fd);
        buf_release(&path);
        return st;
}

static bool record_whole(const struct log_file *file, uint32_t offset, uint32_t before)
{
        size_t left = file->size - offset;
        if (left < RECORD_HEADER)
                return false;
        const char *at = file->octets + offset;
        uint32_t prev = u32_at(at), len = u32_at(at + 4);
        if (len <= RECORD_HEADER || len > left || (offset > 0 && prev != before))
                return false;
        if (offset == 0 && (len != FILE_RECORD || u32_at(at + RECORD_HEADER) != LOG_MAGIC))
                return false;
        struct str content = str_make(at + RECORD_HEADER, len - RECORD_HEADER);
        return (page_sum(content) ^ prev ^ len) == u32_at(at + 8);
}

static bool all_zero(struct str octets)
{
        return octets.len == 0 ||
               (octets.at[0] == 0 && memcmp(octets.at, octets.at + 1, octets.len - 1) == 0);
}

/* Walks the records of a loaded file. */
static void log_walk(struct log_file *file)
{
        uint32_t offset = 0, last = 0;
        while (offset < file->size && record_whole(file, offset, last)) {
                last = offset;
                offset += u32_at(file->octets + offset + 4);
        }
        file->before = file->size >= RECORD_HEADER ? u32_at(file->octets) : 0;
        file->last = last;
        file->end = offset;
        file->rest = !all_zero(str_make(file->octets + offset, file->size - offset));
}

static enum status log_broken(const struct log_file *file, const char *why)
{
        log_error("log file %s/log.%010u is damaged at offset %u: %s. Acknowledged data lie behind "
                  "it. Nothing has been "
                  "changed and the logs are kept: restore the folder from a backup",
                file->folder, file->number, file->end, why);
        return DAMAGED;
}

/* The last file may have been begun and not written when the machine stopped: then the one before
 * it ends the log. */
static bool begun_only(const struct log_file *file, const struct mark *mark)
{
        return file->end == 0 && (mark == NULL || mark->flushed.file < file->number);
}

static enum status log_follow(
        struct log_file *file, const struct mark *mark, struct log_report *out)
{
        uint32_t number = mark != NULL && mark->oldest > out->first ? mark->oldest : out->first;
        struct log_file before = *file;
        for (bool first = true; number <= out->last; number++, first = false) {
                file->number = number;
                if (log_load(file) != OK)
                        return DAMAGED;
                log_walk(file);
                if (number == out->last && begun_only(file, mark) && !first) {
                        /* also of zeros: Berkeley DB wants its first record, or nothing */
                        out->torn = file->size > 0 || before.rest;
                        return OK;
                }
                if (file->end == 0)
                        return log_broken(file, "it does not begin as a log file");
                if (!first && file->before != before.last)
                        return log_broken(&before,
                                "the record there is not whole, and a further log file follows");
                out->end = (struct log_place){number, file->end};
                before = *file;
        }
        out->torn = file->rest;
        return OK;
}

static enum status log_reach(
        const struct log_file *file, const struct mark *mark, const struct log_report *report)
{
        if (mark == NULL || mark->flushed.file == 0)
                return OK;
        struct log_file last = *file;
        last.number = report->end.file;
        last.end = report->end.offset;
        if (place_before(report->end, mark->flushed))
                return log_broken(&last,
                        "the record there is not whole, but the log was flushed further than that");
        if (mark->clean && (report->torn || place_before(mark->flushed, report->end)))
                log_warn("log file %s/log.%010u goes on after a clean end at offset %u",
                        file->folder, mark->flushed.file, mark->flushed.offset);
        return OK;
}

enum status log_verify(const char *folder, const struct mark *mark, struct log_report *out)
{
        enum status st = log_list(folder, out);
        if (st != OK)
                return st;
        if (out->first == 0 && (mark == NULL || mark->flushed.file == 0))
                return OK;
        if (out->first == 0 || (mark != NULL && mark->oldest != 0 && out->first > mark->oldest)) {
                log_error("log file %s/log.%010u is missing. Restore it, or the whole folder, from "
                          "a backup; nothing has "
                          "been changed",
                        folder, mark == NULL || mark->oldest == 0 ? 1 : mark->oldest);
                return DAMAGED;
        }
        struct log_file file = {.folder = folder};
        st = log_follow(&file, mark, out);
        if (st == OK)
                st = log_reach(&file, mark, out);
        free(file.octets);
        return st;
}

static enum status log_cut(const char *path, off_t keep)
{
        struct stat info;
        int fd = open(path, O_RDWR | O_CLOEXEC);
        bool done = fd >= 0 && fstat(fd, &info) == 0 &&
                    (info.st_size <= keep || (ftruncate(fd, keep) == 0 && fsync(fd) == 0));
        if (!done)
                log_error("%s: %s", path, strerror(errno));
        if (fd >= 0)
                close(fd);
        return done ? OK : BROKEN;
}

enum status log_trim(const char *folder, const struct log_report *report)
{
        struct buf path = {0};
        log_path(folder, report->end.file, &path);
        enum status st = log_cut(buf_text(&path), report->end.offset);
        if (st == OK && report->last > report->end.file) {
                log_path(folder, report->last, &path);
                st = log_cut(buf_text(&path), 0);
        }
        buf_release(&path);
        return st;
}
