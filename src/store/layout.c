#include "store/layout.h"
#include "base/log.h"
#include "store/env.h"
#include "store/pagecheck.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_MAX = 4096 };

/* How records lie in the tables, as a whole; raised when what an older version wrote cannot be read
 * any more. A list without this line is of layout 1. */
static const char layout_now[] = "layout 3";

static void path_in(const char *folder, const char *name, struct buf *out)
{
        buf_clear(out);
        buf_addf(out, "%s/%s", folder, name);
        (void)buf_text(out);
}

static bool file_there(const char *folder, const char *name)
{
        struct buf path = {0};
        struct stat info;
        path_in(folder, name, &path);
        bool there = stat(buf_text(&path), &info) == 0;
        buf_release(&path);
        return there;
}

static void file_remove(const char *folder, const char *name)
{
        struct buf path = {0};
        path_in(folder, name, &path);
        unlink(buf_text(&path));
        buf_release(&path);
}

enum status folder_sync(const char *folder)
{
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool done = fd >= 0 && fsync(fd) == 0;
        if (!done)
                log_error("%s: %s", folder, strerror(errno));
        if (fd >= 0)
                close(fd);
        return done ? OK : BROKEN;
}

static enum status file_write(const char *folder, const char *name, struct str content)
{
        struct buf path = {0};
        path_in(folder, name, &path);
        int fd = open(buf_text(&path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        enum status st = OK;
        if (fd < 0 || write(fd, content.at, content.len) != (ssize_t)content.len ||
                fsync(fd) != 0) {
                st = errno == ENOSPC || errno == EDQUOT ? FULL : BROKEN;
                log_error("%s: %s", buf_text(&path), strerror(errno));
        }
        if (fd >= 0)
                close(fd);
        buf_release(&path);
        return st;
}

struct list {
        bool named[TABLE_COUNT];
        bool current; /* it is of this layout */
        bool whole;   /* it is there, and such a list */
};

static bool list_line(struct str line, struct list *out)
{
        if (str_eq(line, str_of(layout_now)))
                return out->current = true;
        for (int i = 0; i < TABLE_COUNT; i++)
                if (str_eq(line, str_of(table_name((enum table)i))))
                        return out->named[i] = true;
        return str_starts(line, STR("layout "));
}

static void list_read(const char *folder, struct list *out)
{
        *out = (struct list){0};
        struct buf text = {0}, path = {0};
        path_in(folder, "tables", &path);
        int fd = open(buf_text(&path), O_RDONLY | O_CLOEXEC);
        ssize_t got = fd < 0 ? -1 : read(fd, buf_reserve(&text, LIST_MAX), LIST_MAX);
        if (fd >= 0)
                close(fd);
        text.len = got > 0 ? (size_t)got : 0;
        struct str rest = buf_str(&text), line;
        bool whole = false, known = true;
        while (known && !whole && str_line(&rest, &line)) {
                whole = str_eq(line, STR("end"));
                known = whole || list_line(line, out);
        }
        buf_release(&text);
        buf_release(&path);
        out->whole = whole && known && rest.len == 0;
}

enum status layout_done(const char *folder)
{
        struct buf text = {0}, from = {0}, to = {0};
        buf_addf(&text, "%s\n", layout_now);
        for (int i = 0; i < TABLE_COUNT; i++)
                buf_addf(&text, "%s\n", table_name((enum table)i));
        buf_add_text(&text, "end\n");
        path_in(folder, "tables.new", &from);
        path_in(folder, "tables", &to);
        enum status st = file_write(folder, "tables.new", buf_str(&text));
        if (st == OK && rename(buf_text(&from), buf_text(&to)) != 0) {
                log_error("%s: %s", buf_text(&to), strerror(errno));
                st = BROKEN;
        }
        if (st == OK)
                st = folder_sync(folder);
        file_remove(folder, "making");
        buf_release(&text);
        buf_release(&from);
        buf_release(&to);
        return st == OK ? folder_sync(folder) : st;
}

static unsigned tables_there(const char *folder)
{
        unsigned count = 0;
        for (int i = 0; i < TABLE_COUNT; i++)
                count += file_there(folder, table_name((enum table)i));
        return count;
}

/* Of a folder in which making was interrupted. */
static void remains_remove(const char *folder, const struct log_report *log)
{
        char name[32];
        log_note("%s: making it was interrupted, beginning again", folder);
        for (int i = 0; i < TABLE_COUNT; i++)
                file_remove(folder, table_name((enum table)i));
        for (uint32_t n = log->first; n != 0 && n <= log->last; n++) {
                (void)snprintf(name, sizeof(name), "log.%010u", n);
                file_remove(folder, name);
        }
        file_remove(folder, "flushed");
        file_remove(folder, "tables");
}

static enum status layout_begin(const char *folder, struct layout *out)
{
        out->newborn = out->listed = true;
        enum status st = file_write(folder, "making", STR("nothing has been acknowledged yet\n"));
        if (st == OK)
                st = folder_sync(folder);
        if (st == OK)
                st = watermark_open(folder, &out->watermark, &out->mark);
        return st == ABSENT ? OK : st;
}

static enum status tables_check(const char *folder, const struct mark *mark, bool *complete)
{
        struct list list;
        struct buf path = {0};
        enum status worst = OK;
        list_read(folder, &list);
        if (list.whole && !list.current) {
                log_error("%s: it was written by another version of Baton, which lays it out in "
                          "another way. Nothing has been changed: export with that version (baton "
                          "export), and import with this one into a new site",
                        folder);
                return BROKEN;
        }
        if (!list.whole)
                log_warn("%s/tables: the list of tables is missing or damaged; all tables are "
                         "expected",
                        folder);
        *complete = list.whole;
        for (int i = 0; i < TABLE_COUNT; i++) {
                *complete = *complete && list.named[i];
                path_in(folder, table_name((enum table)i), &path);
                if (list.whole && !list.named[i])
                        continue; /* new in this version: made after recovery */
                enum status st = page_check_first(buf_text(&path), mark->clean);
                if (st == ABSENT)
                        log_error("table file %s is missing. Nothing has been changed: restore the "
                                  "folder from a backup",
                                buf_text(&path));
                if (st != OK && worst != BROKEN)
                        worst = st == ABSENT ? DAMAGED : st;
        }
        buf_release(&path);
        return worst;
}

enum status layout_check_pages(const char *folder, bool closed)
{
        struct buf path = {0};
        enum status worst = OK;
        for (int i = 0; i < TABLE_COUNT; i++) {
                path_in(folder, table_name((enum table)i), &path);
                enum status st = page_check_all(buf_text(&path), closed);
                if (st != OK && st != ABSENT)
                        worst = st;
        }
        buf_release(&path);
        return worst;
}

static enum status layout_verify(const char *folder, struct layout *out)
{
        enum status st = watermark_open(folder, &out->watermark, &out->mark);
        bool marked = st == OK;
        if (st == ABSENT)
                log_warn("%s/flushed: the watermark is missing; the log is taken as far as it is "
                         "whole",
                        folder);
        else if (st == DAMAGED)
                log_warn("%s/flushed: the watermark is damaged; the log is taken as far as it is "
                         "whole",
                        folder);
        else if (st != OK)
                return st;
        st = log_verify(folder, marked ? &out->mark : NULL, &out->log);
        enum status tables = tables_check(folder, &out->mark, &out->listed);
        if (st == OK)
                st = tables;
        /* What lies behind the end was never acknowledged; kept when nobody can say so. */
        if (st == OK && out->log.torn && marked)
                st = log_trim(folder, &out->log);
        return st;
}

enum status layout_check(const char *folder, bool pages, struct layout *out)
{
        *out = (struct layout){0};
        bool making = file_there(folder, "making");
        enum status st = log_list(folder, &out->log);
        if (st != OK)
                return st;
        if (making)
                remains_remove(folder, &out->log);
        if (making || (out->log.first == 0 && tables_there(folder) == 0 &&
                              !file_there(folder, "flushed")))
                return layout_begin(folder, out);
        if (out->log.first == 0) {
                log_error("%s: the log files are missing. Nothing has been changed: restore the "
                          "folder from a backup",
                        folder);
                return DAMAGED;
        }
        st = layout_verify(folder, out);
        if (st == OK && pages)
                st = layout_check_pages(folder, out->mark.clean);
        return st;
}
