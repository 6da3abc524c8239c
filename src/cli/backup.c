#include "cli/backup.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "store/backup.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- small files ---- */

int folder_in(int folder, const char *name)
{
        return openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

struct str folder_path(struct arena *arena, int folder, const char *below)
{
        return arena_printf(arena, "/proc/self/fd/%d%s%s", folder, below[0] ? "/" : "", below);
}

bool folder_empty(int folder)
{
        int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *list = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *item;
        bool empty = list != NULL;
        while (empty && (item = readdir(list)) != NULL)
                empty = !strcmp(item->d_name, ".") || !strcmp(item->d_name, "..");
        if (list != NULL)
                closedir(list);
        return empty;
}

static enum status status_of_errno(void)
{
        if (errno == ENOENT)
                return ABSENT;
        if (errno == EACCES || errno == EPERM)
                return FORBIDDEN;
        return errno == ENOSPC || errno == EDQUOT ? FULL : BROKEN;
}

enum status small_read(int folder, const char *name, struct buf *out)
{
        struct stat is;
        int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return status_of_errno();
        enum status st = fstat(fd, &is) == 0 && S_ISREG(is.st_mode) ? OK : BROKEN;
        if (st == OK && is.st_size > SMALL_MOST)
                st = TOO_BIG;
        if (st == OK) {
                ssize_t got = read(
                        fd, buf_reserve(out, (size_t)is.st_size + 1), (size_t)is.st_size);
                st = got == (ssize_t)is.st_size ? OK : BROKEN;
                out->len += got > 0 ? (size_t)got : 0;
        }
        close(fd);
        return st;
}

enum status small_write(int folder, const char *name, struct str content, mode_t mode)
{
        int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (fd < 0)
                return status_of_errno();
        bool done = write(fd, content.at, content.len) == (ssize_t)content.len && fsync(fd) == 0;
        enum status st = done ? OK : status_of_errno();
        close(fd);
        return st == ABSENT ? BROKEN : st;
}

enum status small_copy(int from, int to, const char *name)
{
        struct buf content = {0};
        struct stat is;
        enum status st = small_read(from, name, &content);
        if (st == OK && fstatat(from, name, &is, 0) != 0)
                st = BROKEN;
        if (st == OK)
                st = small_write(to, name, buf_str(&content), is.st_mode & 0777);
        buf_release(&content);
        return st;
}

enum status tls_copy(int from, int to, unsigned *passed)
{
        int source = folder_in(from, "tls"), target;
        struct dirent *item;
        enum status st = OK;
        *passed = 0;
        if (source < 0)
                return OK;
        DIR *list = fdopendir(source);
        if (list == NULL) {
                close(source);
                return BROKEN;
        }
        target = mkdirat(to, "tls", 0700) == 0 ? folder_in(to, "tls") : -1;
        if (target < 0)
                st = status_of_errno();
        while (st == OK && (item = readdir(list)) != NULL) {
                if (item->d_name[0] == '.')
                        continue;
                st = small_copy(source, target, item->d_name);
                *passed += st != OK && st != FULL;
                st = st == FULL ? FULL : OK;
        }
        if (target >= 0)
                close(target);
        closedir(list);
        return st;
}

/* ---- the command ---- */

struct backup {
        struct cli *cli;
        const char *name; /* of the folder, as the caller gave it */
        int folder, home;
        bool made; /* the folder, by us */
        struct progress progress;
        uint64_t octets;
};

static void show_progress(void *arg, uint64_t done, uint64_t total)
{
        struct backup *b = arg;
        b->progress.total = total;
        b->octets = done;
        progress_tell(&b->progress, done);
}

static bool gone(void *arg)
{
        return cli_gone(((struct backup *)arg)->cli);
}

static int open_folder(struct backup *b)
{
        b->made = mkdirat(b->cli->cwd, b->name, 0700) == 0;
        if (!b->made && errno != EEXIST)
                return cli_fail(b->cli,
                        errno == EACCES || errno == EPERM ? "%s: %s. Make the folder, and give it "
                                                            "to the site's user, as whom "
                                                            "this runs"
                                                          : "cannot make %s: %s",
                        b->name, strerror(errno));
        b->folder = folder_in(b->cli->cwd, b->name);
        if (b->folder < 0)
                return cli_fail(b->cli, "%s: %s", b->name, strerror(errno));
        if (!folder_empty(b->folder))
                return cli_fail(b->cli,
                        "%s is not empty: each backup takes a new folder, like %s-$(date +%%F). "
                        "Nothing was changed",
                        b->name, b->name);
        return DONE;
}

static int fail_copy(struct backup *b, enum status st, const char *why, const char *what)
{
        progress_clear(&b->progress);
        if (st == CLOSED)
                return cli_fail(b->cli, "stopped");
        if (st == FULL)
                return cli_fail(b->cli, "no room for the backup in %s: %s", b->name,
                        why ? why : strerror(ENOSPC));
        return why ? cli_fail(b->cli, "%s", why) : cli_fail_status(b->cli, st, what);
}

static int copy_store(struct backup *b)
{
        struct backup_watch watch = {.progress = show_progress, .gone = gone, .arg = b};
        char *why = NULL;
        int status = DONE;
        if (mkdirat(b->folder, "db", 0700) != 0)
                return cli_fail(b->cli, "%s/db: %s", b->name, strerror(errno));
        progress_begin(&b->progress, b->cli, "Copying", 0);
        struct str path = folder_path(b->cli->arena, b->folder, "db");
        enum status st = store_backup(b->cli->site->store, path.at, &watch, &why);
        progress_clear(&b->progress);
        if (st != OK)
                status = fail_copy(b, st, why, "copying the store");
        free(why);
        return status;
}

static int copy_rest(struct backup *b)
{
        unsigned passed;
        int from = folder_in(b->home, "db"), to = folder_in(b->folder, "db");
        enum status st = from >= 0 && to >= 0 ? small_copy(from, to, "secret") : BROKEN;
        st = st == ABSENT ? OK : st; /* made when it is first needed */
        close(from);
        close(to);
        if (st == OK)
                st = small_copy(b->home, b->folder, "baton.conf");
        if (st == OK)
                st = tls_copy(b->home, b->folder, &passed);
        if (st != OK)
                return fail_copy(b, st, NULL, "copying baton.conf and tls");
        if (passed)
                cli_fail(b->cli,
                        "warning: %u file%s in tls may not be read by the site's user and %s not "
                        "in "
                        "the backup: copy %s by hand",
                        passed, passed > 1 ? "s" : "", passed > 1 ? "are" : "is",
                        passed > 1 ? "them" : "it");
        return DONE;
}

/* Last: a folder without it is no backup. */
static int write_complete(struct backup *b)
{
        struct buf text = {0};
        struct str domain = site_config(b->cli->site)->domain;
        buf_addf(&text, BACKUP_FIRST_LINE "\ndomain = %.*s\nmade = ", STR_ARG(domain));
        date_print_iso(clock_now(), &text);
        buf_add_text(&text, "\n");
        enum status st = fsync(b->folder) == 0 ? OK : BROKEN;
        if (st == OK)
                st = small_write(b->folder, BACKUP_FILE, buf_str(&text), 0600);
        if (st == OK && fsync(b->folder) != 0)
                st = BROKEN;
        buf_release(&text);
        return st == OK ? DONE : fail_copy(b, st, NULL, "writing the backup");
}

/* It was empty: whatever is in it is ours. */
static void clear_below(int folder, unsigned depth)
{
        DIR *list = folder < 0 ? NULL : fdopendir(folder);
        struct dirent *item;
        while (list != NULL && (item = readdir(list)) != NULL) {
                if (!strcmp(item->d_name, ".") || !strcmp(item->d_name, ".."))
                        continue;
                if (unlinkat(folder, item->d_name, 0) == 0 || depth == 0)
                        continue;
                clear_below(openat(folder, item->d_name,
                                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
                        depth - 1);
                (void)unlinkat(folder, item->d_name, AT_REMOVEDIR);
        }
        if (list != NULL)
                closedir(list);
}

static void take_back(struct backup *b)
{
        clear_below(folder_in(b->folder, "."), 1);
        if (b->made)
                (void)unlinkat(b->cli->cwd, b->name, AT_REMOVEDIR);
}

static int run_backup(struct cli *c, const struct options *o)
{
        struct backup b = {.cli = c, .name = o->words[0], .folder = -1};
        int status = open_folder(&b);
        if (status != DONE) {
                if (b.folder >= 0)
                        close(b.folder);
                return status;
        }
        b.home = folder_in(AT_FDCWD, c->home);
        status = copy_store(&b);
        if (status == DONE)
                status = copy_rest(&b);
        if (status == DONE)
                status = write_complete(&b);
        if (status != DONE)
                take_back(&b);
        close(b.folder);
        if (b.home >= 0)
                close(b.home);
        if (status == DONE) {
                struct buf size = {0};
                size_print(b.octets, &size);
                fprintf(c->out, "Backed up %s to %s (%s).\n", c->home, b.name, buf_text(&size));
                buf_release(&size);
        }
        return status;
}

/* clang-format off */
const struct command backup_commands[] = {
        { "", "FOLDER", "copy everything, while it is in use", run_backup, NULL, 1, 1, NEEDS_SITE,
          "Example: baton backup /srv/backup/baton-$(date +%F)\n\n"
          "The folder is made, or there and empty. In it come the store, baton.conf and tls. Whatever\n"
          "was acknowledged before the backup began is in it; every page and log record that is copied\n"
          "is checked. Nobody waits while batond serves. What fails leaves nothing behind. The folder\n"
          "holds everybody's mail and the site's keys: keep it as safe as the site's own.\n\n"
          "'baton restore FOLDER' makes a site of it. By cron (one line), with a week kept:\n\n"
          "  15 3 * * *  baton backup /srv/backup/baton-$(date +\\%F) && "
          "find /srv/backup -name 'baton-*' -prune -mtime +7 -exec rm -r {} +" },
        { NULL, NULL, NULL, NULL, NULL, 0, 0, NEEDS_NOTHING, NULL },
};
/* clang-format on */
