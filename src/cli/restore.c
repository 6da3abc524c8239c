/* restore.c - a site of a backup, in a home that is empty. Unlike other commands it is never done
 * by batond: none can run there. */
#include "base/clock.h"
#include "cli/backup.h"
#include "cli/commands.h"
#include "cli/give.h"
#include "cli/progress.h"
#include "store/backup.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct restore {
        struct cli *cli;
        const char *name; /* of the backup's folder */
        int folder, home;
        struct str domain, made;
        struct owner owner; /* of the backup */
        struct progress progress;
};

static void show_progress(void *arg, uint64_t done, uint64_t total)
{
        struct restore *r = arg;
        r->progress.total = total;
        progress_tell(&r->progress, done);
}

/* "domain = team.example" */
static struct str field(struct str text, struct str name)
{
        struct str line;
        while (str_line(&text, &line)) {
                struct str key;
                if (str_cut(&line, '=', &key) && str_eq(str_trim(key), name))
                        return str_trim(line);
        }
        return STR_NONE;
}

static int open_backup(struct restore *r)
{
        struct buf text = {0};
        struct stat is;
        r->folder = folder_in(r->cli->cwd, r->name);
        if (r->folder < 0)
                return cli_fail(r->cli, "%s: %s", r->name, strerror(errno));
        enum status st = small_read(r->folder, BACKUP_FILE, &text);
        if (st == FORBIDDEN)
                return cli_fail(r->cli, "%s/%s: %s", r->name, BACKUP_FILE, strerror(errno));
        if (st != OK || fstatat(r->folder, BACKUP_FILE, &is, 0) != 0 ||
                !str_starts(buf_str(&text), STR(BACKUP_FIRST_LINE "\n"))) {
                buf_release(&text);
                return cli_fail(r->cli,
                        "%s is no complete backup: 'baton backup' writes the file '%s' in it last",
                        r->name, BACKUP_FILE);
        }
        r->owner = (struct owner){is.st_uid, is.st_gid};
        r->domain = arena_copy(r->cli->arena, field(buf_str(&text), STR("domain")));
        r->made = arena_copy(r->cli->arena, field(buf_str(&text), STR("made")));
        buf_release(&text);
        return DONE;
}

static int open_home(struct restore *r)
{
        struct cli *c = r->cli;
        if (mkdir(c->home, 0755) != 0 && errno != EEXIST)
                return cli_fail(c, "cannot make %s: %s", c->home, strerror(errno));
        r->home = folder_in(AT_FDCWD, c->home);
        if (r->home < 0)
                return cli_fail(c, "%s: %s", c->home, strerror(errno));
        if (folder_empty(r->home))
                return DONE;
        return cli_fail(c,
                "%s is not empty, and nothing was changed there. Restore to a new folder (--home), "
                "or "
                "stop batond and move this one away first: mv %s %s.old",
                c->home, c->home, c->home);
}

/* Everything but baton.conf: without it nothing starts there. */
static int copy_store(struct restore *r, const struct config *config)
{
        struct cli *c = r->cli;
        struct backup_watch watch = {.progress = show_progress, .arg = r};
        struct str from = folder_path(c->arena, r->folder, "db"),
                   to = arena_printf(c->arena, "%s/db", c->home);
        struct store_options options = {.path = to.at,
                .cache = config->cache,
                .reserve = config->reserve,
                .ballast = config->ballast,
                .log_file = config->log_file};
        char *why = NULL;
        int status = DONE;
        if (mkdirat(r->home, "db", 0700) != 0)
                return cli_fail(c, "%s: %s", to.at, strerror(errno));
        progress_begin(&r->progress, c, "Restoring", 0);
        enum status st = store_restore(from.at, &options, &watch, &why);
        progress_clear(&r->progress);
        if (st != OK)
                status = why ? cli_fail(c, "%s", why)
                             : cli_fail_status(c, st, "recovering the store");
        free(why);
        return status;
}

static int copy_rest(struct restore *r)
{
        unsigned passed = 0;
        int from = folder_in(r->folder, "db"), to = folder_in(r->home, "db");
        enum status st = small_copy(from, to, "secret");
        close(from);
        close(to);
        st = st == ABSENT ? OK : st;
        if (st == OK)
                st = tls_copy(r->folder, r->home, &passed);
        if (st == OK && (mkdirat(r->home, "tmp", 0700) != 0 || mkdirat(r->home, "run", 0755) != 0))
                st = BROKEN;
        if (st == OK && !passed)
                st = small_copy(r->folder, r->home, "baton.conf");
        if (st == OK && !passed)
                return DONE;
        return st == OK ? cli_fail(r->cli, "%s/tls may not be read", r->name)
                        : cli_fail_status(r->cli, st, "copying baton.conf and tls");
}

/* What waited to leave when the backup was made has left since, as a rule. */
static int hold_queue(struct restore *r, uint64_t *held)
{
        struct cli *c = r->cli;
        char *why = NULL;
        enum status st = site_open(c->home, &c->site, &why);
        if (st == OK)
                st = queue_hold_all(c, held);
        site_close(c->site);
        c->site = NULL;
        int status = st == OK ? DONE
                              : cli_fail(c, "%s", why ? why : "the restored site cannot be opened");
        free(why);
        return status;
}

static int restore_all(struct restore *r, uint64_t *held)
{
        struct config *config;
        char *why = NULL;
        struct str folder = folder_path(r->cli->arena, r->folder, "");
        enum status st = config_read(folder.at, &config, &why);
        int status = DONE;
        if (st != OK)
                status = cli_fail(r->cli, "%s", why ? why : "baton.conf cannot be read");
        free(why);
        if (status == DONE) {
                status = copy_store(r, config);
                config_free(config);
        }
        if (status == DONE)
                status = copy_rest(r);
        if (status == DONE)
                status = hold_queue(r, held);
        if (status == DONE && geteuid() == 0 && r->owner.user != 0 &&
                !give_folder(r->cli->home, r->owner))
                status = cli_fail(
                        r->cli, "cannot give %s to its user: %s", r->cli->home, strerror(errno));
        return status;
}

static int run_restore(struct cli *c, const struct options *o)
{
        struct restore r = {.cli = c, .name = o->words[0], .folder = -1, .home = -1};
        uint64_t held = 0;
        int status = open_backup(&r);
        if (status == DONE)
                status = open_home(&r);
        if (status == DONE) {
                status = restore_all(&r, &held);
                if (status != DONE)
                        cli_fail(c, "%s is not a whole site: empty it before you try again",
                                c->home);
        }
        if (r.folder >= 0)
                close(r.folder);
        if (r.home >= 0)
                close(r.home);
        if (status != DONE)
                return status;
        fprintf(c->out, "Restored %.*s as of %.*s to %s.\n", STR_ARG(r.domain), STR_ARG(r.made),
                c->home);
        if (held)
                fprintf(c->out,
                        "%llu mail%s for the outside waited then and may have left since: held.\n"
                        "  baton --home %s queue list      then queue release or queue drop\n",
                        (unsigned long long)held, held == 1 ? "" : "s", c->home);
        fprintf(c->out, "\nNext\n  baton --home %s check\n  batond --home %s\n", c->home, c->home);
        return DONE;
}

/* clang-format off */
const struct command restore_commands[] = {
        { "", "FOLDER", "make a site of a backup", run_restore, NULL, 1, 1, NEEDS_NOTHING,
          "Example: baton --home /var/lib/baton restore /srv/backup/baton-2026-11-24\n\n"
          "The folder that --home names is made, or there and empty; nothing is ever written over.\n"
          "Mail programs read everything anew once (folders have a new UIDVALIDITY), and numbers go on\n"
          "with a gap, so that none is mistaken for one that was given after the backup. Mail for the\n"
          "outside that waited is held, because it may have left since." },
        { NULL, NULL, NULL, NULL, NULL, 0, 0, NEEDS_NOTHING, NULL },
};
/* clang-format on */
