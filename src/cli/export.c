/* export.c - mail as files that other programs read, and that `import` reads back to the same
 * octets: one message at a time, in bounded memory. What Baton puts in front of a message in a
 * topic is not part of it and stays here. */
#include "cli/export.h"
#include "base/clock.h"
#include "cli/backup.h"
#include "cli/commands.h"
#include "cli/mbox.h"
#include "cli/progress.h"
#include "store/marks.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRIES_AT_ONCE = 64, PIECE = 1 << 16 };

struct export
{
        struct cli *cli;
        const char *path;
        uint32_t mailbox;
        struct marks *marks; /* NULL: of a topic */
        struct progress progress;
        uint64_t done;
        struct arena *arena; /* of a message */
        struct buf bytes, scratch;
        FILE *file;           /* mbox */
        int folder, tmp, cur; /* Maildir */
        time_t latest;        /* of what came before */
};
typedef int export_one(struct export *, const struct entry *);

/* ---- reading ---- */

/* CLOSED: it was removed meanwhile. */
static enum status read_message(struct export *e, const struct entry *entry, struct stored *stored)
{
        struct store *store = e->cli->site->store;
        enum status st = messages_read(store, &entry->message, 1, READ_SUMMARY, e->arena, stored);
        buf_clear(&e->bytes);
        if (st == OK && !stored->id)
                return CLOSED;
        for (uint64_t at = 0; st == OK && at < stored->size; at += PIECE)
                st = stored_octets(store, stored, at, PIECE, &e->bytes);
        return st == ABSENT ? CLOSED : st;
}

static int each(struct export *e, const struct view *view, export_one *one)
{
        struct cli *c = e->cli;
        struct entry entries[ENTRIES_AT_ONCE];
        uint32_t from = 1;
        int status = DONE;
        progress_begin(&e->progress, c, "Exporting", view->count);
        while (from && status == DONE && view->count) {
                size_t count = ENTRIES_AT_ONCE;
                enum status st = entries_read(
                        c->site->store, e->mailbox, view->numbers, &from, entries, &count);
                if (st != OK)
                        return cli_fail_status(c, st, "reading the messages");
                for (size_t i = 0; i < count && status == DONE; i++) {
                        status = cli_gone(c) ? cli_fail(c, "stopped") : one(e, &entries[i]);
                        arena_reset(e->arena);
                        progress_tell(&e->progress, ++e->done);
                }
        }
        return status;
}

static int fail_read(struct export *e, const struct entry *entry, enum status st)
{
        progress_clear(&e->progress);
        return cli_fail_status(
                e->cli, st, arena_printf(e->cli->arena, "reading message %u", entry->number).at);
}

/* ---- mbox ---- */

static int put_mbox(struct export *e, const struct entry *entry)
{
        struct stored stored;
        enum status st = read_message(e, entry, &stored);
        if (st == CLOSED)
                return DONE;
        if (st != OK)
                return fail_read(e, entry, st);
        buf_clear(&e->scratch);
        mbox_put(buf_str(&e->bytes), stored.from, entry->date, &e->scratch);
        if (fwrite(e->scratch.at, 1, e->scratch.len, e->file) == e->scratch.len)
                return DONE;
        progress_clear(&e->progress);
        return errno == EPIPE ? FAILED : cli_fail(e->cli, "%s: %s", e->path, strerror(errno));
}

void export_close(struct cli *c, FILE *file, const char *path, int *status)
{
        bool output = !strcmp(path, "-");
        bool written = fflush(file) == 0 && (output || fsync(fileno(file)) == 0);
        if (!written && errno != EPIPE && *status == DONE)
                *status = cli_fail(c, "%s: %s", path, strerror(errno));
        fclose(file);
        if (*status != DONE && !output)
                (void)unlinkat(c->cwd, path, 0);
}

static int to_mbox(struct export *e, const struct view *view)
{
        e->file = cli_make(e->cli, e->path);
        if (!e->file)
                return FAILED;
        int status = each(e, view, put_mbox);
        progress_clear(&e->progress);
        export_close(e->cli, e->file, e->path, &status);
        return status;
}

/* ---- Maildir ---- */

/* Names are in the order of the messages: the time in front never goes back. */
static void name_of(struct export *e, const struct entry *entry, struct buf *out)
{
        static const char letters[FLAG_COUNT + 1] = "SRFTD";
        static const char in_order[] = "DFRST"; /* as the format wants them */
        unsigned flags = e->marks ? marks_flags(e->marks, entry->number) : 0;
        if (entry->date > e->latest)
                e->latest = entry->date;
        buf_clear(out);
        buf_addf(out, "%lld.N%010uM%u.baton:2,", (long long)e->latest, entry->number, e->mailbox);
        for (const char *letter = in_order; *letter; letter++)
                if (flags & 1u << (strchr(letters, *letter) - letters))
                        buf_add_char(out, *letter);
        (void)buf_text(out);
}

static bool write_all(int fd, struct str octets)
{
        while (octets.len) {
                ssize_t n = write(fd, octets.at, octets.len);
                if (n < 0 && errno != EINTR)
                        return false;
                octets = str_from(octets, n > 0 ? (size_t)n : 0);
        }
        return true;
}

/* As the mail programs of this system write them: LF ends a line. */
static void to_lines(struct str message, struct buf *out)
{
        bool keep = mbox_keeps(message);
        size_t at;
        buf_clear(out);
        while (!keep && (at = str_find(message, STR("\r\n"))) != STR_NOWHERE) {
                buf_add(out, str_sub(message, 0, at));
                buf_add_char(out, '\n');
                message = str_from(message, at + 2);
        }
        buf_add(out, message);
}

static int put_maildir(struct export *e, const struct entry *entry)
{
        struct stored stored;
        struct buf name = {0};
        enum status st = read_message(e, entry, &stored);
        if (st == CLOSED)
                return DONE;
        if (st != OK)
                return fail_read(e, entry, st);
        name_of(e, entry, &name);
        to_lines(buf_str(&e->bytes), &e->scratch);
        struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = entry->date}};
        int fd = openat(e->tmp, name.at, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        bool done = fd >= 0 && write_all(fd, buf_str(&e->scratch)) && futimens(fd, times) == 0 &&
                    renameat(e->tmp, name.at, e->cur, name.at) == 0;
        int error = errno;
        if (fd >= 0)
                close(fd);
        buf_release(&name);
        if (done)
                return DONE;
        progress_clear(&e->progress);
        return cli_fail(e->cli, "%s: %s", e->path, strerror(error));
}

static int fail_folder(struct export *e)
{
        return cli_fail(e->cli,
                errno == EACCES
                        ? "%s: %s. Make the folder, and give it to the site's user, as whom "
                          "this runs"
                        : "%s: %s",
                e->path, strerror(errno));
}

static int make_maildir(struct export *e)
{
        if (mkdirat(e->cli->cwd, e->path, 0700) != 0 && errno != EEXIST)
                return fail_folder(e);
        e->folder = folder_in(e->cli->cwd, e->path);
        if (e->folder < 0)
                return fail_folder(e);
        if (!folder_empty(e->folder))
                return cli_fail(e->cli, "%s is not empty: nothing was changed", e->path);
        if (mkdirat(e->folder, "tmp", 0700) != 0 || mkdirat(e->folder, "new", 0700) != 0 ||
                mkdirat(e->folder, "cur", 0700) != 0)
                return fail_folder(e);
        e->tmp = folder_in(e->folder, "tmp");
        e->cur = folder_in(e->folder, "cur");
        return e->tmp >= 0 && e->cur >= 0 ? DONE : fail_folder(e);
}

static int to_maildir(struct export *e, const struct view *view)
{
        if (!strcmp(e->path, "-"))
                return cli_fail(e->cli, "a Maildir is a folder: name one");
        int status = make_maildir(e);
        if (status == DONE)
                status = each(e, view, put_maildir);
        progress_clear(&e->progress);
        if (status == DONE && syncfs(e->folder) != 0)
                status = cli_fail(e->cli, "%s: %s", e->path, strerror(errno));
        int *all[] = {&e->folder, &e->tmp, &e->cur};
        for (size_t i = 0; i < COUNT_OF(all); i++)
                if (*all[i] >= 0)
                        close(*all[i]);
        return status;
}

/* ---- the commands ---- */

static int find_source(struct export *e, const struct options *o)
{
        const char *topic = option_value(o, "topic"), *user = option_value(o, "user"),
                   *folder = option_value(o, "folder");
        struct cli *c = e->cli;
        struct topic t;
        struct person p;
        struct mailbox box;
        if (!topic == !user)
                return cli_misused(c, o, "of what? --topic NAME, or --user NAME [--folder NAME]");
        if (topic && folder)
                return cli_misused(c, o, "--folder goes with --user");
        if (topic && cli_topic(c, str_of(topic), &t) == OK)
                e->mailbox = t.id;
        if (topic)
                return e->mailbox ? DONE : FAILED;
        if (cli_person(c, str_of(user), &p) != OK)
                return FAILED;
        enum status st = mailbox_find(
                c->site->store, p.id, str_of(folder ? folder : "INBOX"), c->arena, &box);
        if (st == ABSENT)
                return cli_fail(c, "%s has no folder '%s'", user, folder ? folder : "INBOX");
        if (st == OK)
                st = marks_load(c->site->store, box.id, p.id, &e->marks);
        e->mailbox = box.id;
        return st == OK ? DONE : cli_fail_status(c, st, "looking for the folder");
}

static int run(
        struct cli *c, const struct options *o, int (*way)(struct export *, const struct view *))
{
        struct export e = {.cli = c, .path = o->words[0], .folder = -1, .tmp = -1, .cur = -1};
        const struct view *view = NULL;
        int status = find_source(&e, o);
        enum status st = status == DONE ? view_open(c->site->store, e.mailbox, &view) : OK;
        if (st != OK)
                status = cli_fail_status(c, st, "reading the messages");
        e.arena = arena_new();
        if (status == DONE)
                status = way(&e, view);
        if (status == DONE && strcmp(e.path, "-") != 0)
                fprintf(c->out, "%llu message%s written to %s\n", (unsigned long long)e.done,
                        e.done == 1 ? "" : "s", e.path);
        view_close(c->site->store, view);
        marks_free(e.marks);
        arena_free(e.arena);
        buf_release(&e.bytes);
        buf_release(&e.scratch);
        return status;
}

static int run_mbox(struct cli *c, const struct options *o)
{
        return run(c, o, to_mbox);
}

static int run_maildir(struct cli *c, const struct options *o)
{
        return run(c, o, to_maildir);
}

/* clang-format off */
static const struct option mail_options[] = {
        { "topic",  "TOPIC",  "what was posted to this topic" },
        { "user",   "PERSON", "what lies in a folder of this person's own" },
        { "folder", "FOLDER", "which (default INBOX)" },
        { NULL,     NULL,     NULL },
};
static const struct option csv_options[] = {
        { "topic",  "TOPIC",  "of this topic only" },
        { NULL,     NULL,     NULL },
};
const struct command export_commands[] = {
        { "mbox",    "FILE",   "mail as an mbox file ('-' is standard output)", run_mbox, mail_options, 1, 1, NEEDS_SITE,
          "Example: baton export mbox --topic eng.backend - | gzip > eng.backend.mbox.gz\n\n"
          "Lines that begin with From are quoted as mboxrd has it. 'baton import mbox' gives the same\n"
          "messages again, octet for octet. The format has no place for flags: see 'export maildir'." },
        { "maildir", "FOLDER", "mail as a new Maildir",                         run_maildir, mail_options, 1, 1, NEEDS_SITE,
          "Example: baton export maildir --user ana --folder Archive ~/archive\n\n"
          "A person's flags are in the files' names, the time when each message came is the files' time.\n"
          "'baton import maildir' gives the same messages again, octet for octet." },
        { "csv",     "FILE",   "tasks as a table ('-' is standard output)",     export_csv, csv_options, 1, 1, NEEDS_SITE,
          "Example: baton export csv --topic eng.backend tasks.csv\n\n"
          "One line a task, closed ones too, in the form of RFC 4180, UTF-8: number, topic, title, status,\n"
          "assignees, start, due, labels, priority, waits, opened, changed, closed." },
        { NULL, NULL, NULL, NULL, NULL, 0, 0, NEEDS_NOTHING, NULL },
};
/* clang-format on */
