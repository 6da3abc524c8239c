#include "cli/cli.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

PRINTF(2, 0)
static void say(struct cli *c, const char *format, va_list list)
{
        struct buf text = {0};
        buf_add_text(&text, "baton: ");
        buf_vaddf(&text, format, list);
        buf_add_char(&text, '\n');
        fflush(c->out);
        fwrite(text.at, 1, text.len, c->err);
        fflush(c->err);
        buf_release(&text);
}

int cli_fail(struct cli *c, const char *format, ...)
{
        va_list list;
        va_start(list, format);
        say(c, format, list);
        va_end(list);
        return FAILED;
}

int cli_misused(struct cli *c, const struct options *o, const char *format, ...)
{
        struct buf text = {0};
        va_list list;
        va_start(list, format);
        buf_vaddf(&text, format, list);
        va_end(list);
        const char *command = o->command ? o->command->name : "";
        cli_fail(c, "%s%s%s: %s\n'baton help %s%s%s' explains it.", o->family->name,
                command[0] ? " " : "", command, buf_text(&text), o->family->name,
                command[0] ? " " : "", command);
        buf_release(&text);
        return USAGE;
}

static const char *const reasons[STATUS_COUNT] = {
        [OK] = "done",
        [ABSENT] = "there is none",
        [EXISTS] = "there is one already",
        [INVALID] = "malformed",
        [DENIED] = "wrong name or password",
        [FORBIDDEN] = "not allowed",
        [UNSUPPORTED] = "not offered here",
        [TOO_BIG] = "too big",
        [TOO_MANY] = "too many",
        [CHANGED] = "somebody else changed it meanwhile: look again",
        [BUSY] = "the store is busy: try again in a moment",
        [FULL] = "the disk is nearly full: make room, then try again",
        [TIMEOUT] = "it took too long",
        [CLOSED] = "the other side has gone",
        [DAMAGED] = "stored data are damaged: run 'baton check', the log has the detail",
        [BROKEN] = "the store failed: the log has the detail",
};

int cli_fail_status(struct cli *c, enum status st, const char *what)
{
        return cli_fail(c, "%s: %s", what, reasons[st]);
}

bool cli_gone(struct cli *c)
{
        struct pollfd p = {.fd = c->caller, .events = POLLIN | POLLRDHUP};
        return c->caller >= 0 && poll(&p, 1, 0) > 0;
}

enum status cli_open_site(struct cli *c, bool verify, char **why)
{
        struct stat home;
        *why = NULL;
        if (geteuid() == 0 && stat(c->home, &home) == 0 && home.st_uid != 0) {
                if (setgroups(0, NULL) != 0 || setgid(home.st_gid) != 0 || setuid(home.st_uid) != 0)
                        log_warn("cannot become the owner of %s: %s", c->home, strerror(errno));
        }
        return verify ? site_open_verified(c->home, &c->site, why)
                      : site_open(c->home, &c->site, why);
}

bool cli_line(struct cli *c, struct buf *out)
{
        enum { LINE_MAX_HERE = 4096 };
        int ch = EOF;
        buf_clear(out);
        while (out->len < LINE_MAX_HERE && (ch = getc(c->in)) != EOF && ch != '\n')
                buf_add_char(out, (char)ch);
        if (out->len && out->at[out->len - 1] == '\r')
                out->len--;
        return out->len || ch == '\n';
}

FILE *cli_open(struct cli *c, const char *path)
{
        int fd;
        FILE *file;
        if (!strcmp(path, "-"))
                fd = fcntl(fileno(c->in), F_DUPFD_CLOEXEC, 3);
        else
                fd = openat(c->cwd, path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 && errno == EACCES) {
                cli_fail(c,
                        "%s: the site's user, as whom this runs, may not read it: give '-' for the "
                        "name and '< %s'",
                        path, path);
                return NULL;
        }
        if (fd < 0) {
                cli_fail(c, "%s: %s", path, strerror(errno));
                return NULL;
        }
        file = fdopen(fd, "r");
        if (!file)
                close(fd);
        return file;
}

FILE *cli_make(struct cli *c, const char *path)
{
        bool output = !strcmp(path, "-");
        int fd = output ? fcntl(fileno(c->out), F_DUPFD_CLOEXEC, 3)
                        : openat(c->cwd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno == EACCES)
                cli_fail(c,
                        "%s: the site's user, as whom this runs, may not write there: give '-' for "
                        "the name and '> %s'",
                        path, path);
        else if (fd < 0)
                cli_fail(c, errno == EEXIST ? "%s is there already: nothing was changed" : "%s: %s",
                        path, strerror(errno));
        FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
        if (!file && fd >= 0)
                close(fd);
        return file;
}

struct str cli_word(const struct options *o, size_t at)
{
        return at < o->word_count ? str_of(o->words[at]) : STR_NONE;
}

enum status cli_person(struct cli *c, struct str name, struct person *out)
{
        struct str domain = site_config(c->site)->domain;
        struct str local = name;
        size_t at = str_rchr(name, '@');
        if (at != STR_NOWHERE && str_same(str_from(name, at + 1), domain))
                local = str_sub(name, 0, at);
        enum status st = person_find(c->site->store, local, c->arena, out);
        if (st == ABSENT)
                cli_fail(c, "there is no person '%.*s'; 'baton user list' shows them all",
                        STR_ARG(name));
        else if (st != OK)
                cli_fail_status(c, st, "looking up a person");
        return st;
}

enum status cli_topic(struct cli *c, struct str name, struct topic *out)
{
        struct str lower = arena_lower(c->arena, name);
        enum status st = topic_find(c->site->store, lower, c->arena, out);
        if (st == ABSENT)
                cli_fail(c, "there is no topic '%.*s'; 'baton topic list' shows them all",
                        STR_ARG(name));
        else if (st != OK)
                cli_fail_status(c, st, "looking up a topic");
        return st;
}
