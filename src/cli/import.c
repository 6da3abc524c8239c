/* import.c - old mail, taken over: read one message at a time, filed 64 at a time, in bounded
 * memory. Done again it files nothing twice, so what was cut short is simply begun anew. */
#include "base/text.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/maildir.h"
#include "cli/mbox.h"
#include "cli/progress.h"
#include "mail/date.h"
#include "mail/header.h"
#include "team/submit.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GROUP_MAX = 64, GROUP_OCTETS = 16 << 20, TOLD_MAX = 20, TRIES = 50, PAUSE_US = 100000 };

struct item {             /* one message of the group */
        struct buf bytes; /* CRLF form */
        time_t date;
        unsigned flags;
        uint64_t place; /* which of the source */
        struct submission submission;
        struct placement to;
};
struct import {
        struct cli *cli;
        struct sender sender;
        uint32_t mailbox;
        bool keep_flags; /* into a person's folder */
        struct progress progress;
        struct arena *arena; /* of a group */
        struct item group[GROUP_MAX];
        size_t count, octets; /* of the group */
        uint64_t read, filed, already, refused;
        struct buf scratch;
        enum status stopped; /* not OK: it cannot go on */
};

/* ---- one message ---- */

static void tell_refused(struct import *im, uint64_t place, const char *why)
{
        if (im->refused++ < TOLD_MAX) {
                progress_clear(&im->progress);
                cli_fail(im->cli, "message %llu: %s", (unsigned long long)place, why);
        } else if (im->refused == TOLD_MAX + 1) {
                cli_fail(im->cli, "and so on: more are counted only");
        }
}

static void count_one(struct import *im, const struct item *item)
{
        if (item->to.already)
                im->already++;
        else
                im->filed++;
}

static void set_up(struct import *im, struct item *item)
{
        item->to = (struct placement){
                .mailbox = im->mailbox, .flags = im->keep_flags ? item->flags : 0};
        item->submission = (struct submission){.sender = &im->sender,
                .bytes = buf_str(&item->bytes),
                .date = item->date,
                .to = &item->to,
                .to_count = 1};
}

static bool is_fatal(enum status st)
{
        return st == FULL || st == DAMAGED || st == BROKEN || st == BUSY;
}

/* The store may have more waiting than it likes: that passes. */
static enum status try_group(struct import *im, size_t from, size_t count, enum refusal *why)
{
        struct submission *list[GROUP_MAX];
        enum status st = BUSY;
        for (unsigned tries = 0; st == BUSY && tries < TRIES; tries++) {
                if (tries)
                        usleep(PAUSE_US);
                for (size_t i = 0; i < count; i++) {
                        set_up(im, &im->group[from + i]);
                        list[i] = &im->group[from + i].submission;
                }
                st = submit_many(im->cli->site, list, count, im->arena, why);
        }
        return st;
}

static void file_singly(struct import *im)
{
        for (size_t i = 0; i < im->count && im->stopped == OK; i++) {
                enum refusal why;
                enum status st = try_group(im, i, 1, &why);
                if (st == OK)
                        count_one(im, &im->group[i]);
                else if (is_fatal(st))
                        im->stopped = st;
                else
                        tell_refused(im, im->group[i].place, refusal_text(why));
                arena_reset(im->arena);
        }
}

static void file_group(struct import *im)
{
        enum refusal why;
        enum status st = im->count ? try_group(im, 0, im->count, &why) : OK;
        arena_reset(im->arena);
        if (is_fatal(st))
                im->stopped = st;
        else if (st != OK)
                file_singly(im); /* one of them was refused, and none filed */
        for (size_t i = 0; st == OK && i < im->count; i++)
                count_one(im, &im->group[i]);
        im->count = 0;
        im->octets = 0;
}

static time_t date_of(struct import *im, struct str bytes)
{
        struct str header = str_sub(bytes, 0, header_length(bytes));
        struct str value = header_value(im->arena, header, "Date");
        time_t at;
        int offset;
        return value.len && date_parse(value, &at, &offset) == OK && at > 0 ? at : 0;
}

static void take(struct import *im, struct str bytes, time_t date, unsigned flags)
{
        struct item *item = &im->group[im->count++];
        buf_set(&item->bytes, lines_to_crlf(bytes, &im->scratch));
        item->date = date ? date : date_of(im, bytes);
        item->flags = flags;
        item->place = im->read;
        im->octets += item->bytes.len;
        if (im->count == GROUP_MAX || im->octets > GROUP_OCTETS)
                file_group(im);
}

/* Says what a reader's status means for the message at hand; false: the source is at its end. */
static bool go_on(struct import *im, enum status st, const char *path)
{
        if (st == ABSENT)
                return false;
        if (st == TOO_BIG)
                tell_refused(im, im->read, refusal_text(REFUSED_SIZE));
        else if (st == BROKEN)
                tell_refused(im, im->read, "it cannot be read");
        else if (st == INVALID) {
                progress_clear(&im->progress);
                cli_fail(im->cli,
                        "%s is not an mbox file: it does not begin with a line 'From ADDRESS DATE'",
                        path);
                return false;
        }
        return true;
}

static bool may_go_on(struct import *im)
{
        if (im->stopped == OK && cli_gone(im->cli))
                im->stopped = CLOSED;
        return im->stopped == OK;
}

/* ---- sources ---- */

static int from_mbox(struct import *im, const char *path)
{
        FILE *file = cli_open(im->cli, path);
        struct stat is;
        struct buf message = {0};
        enum status st = OK;
        if (!file)
                return FAILED;
        bool sized = fstat(fileno(file), &is) == 0 && S_ISREG(is.st_mode);
        struct mbox *mbox = mbox_open(file, site_config(im->cli->site)->message_size);
        progress_begin(&im->progress, im->cli, "Importing", sized ? (uint64_t)is.st_size : 0);
        while (may_go_on(im)) {
                time_t date = 0;
                st = mbox_next(mbox, &message, &date);
                im->read += st != ABSENT && st != INVALID;
                if (!go_on(im, st, path))
                        break;
                if (st == OK)
                        take(im, buf_str(&message), date, 0);
                if (st == BROKEN)
                        break;
                progress_tell(&im->progress, sized ? mbox_position(mbox) : im->read);
        }
        mbox_close(mbox);
        buf_release(&message);
        return st == INVALID || st == BROKEN ? FAILED : DONE;
}

static int from_maildir(struct import *im, const char *path)
{
        struct maildir *m = maildir_open(im->cli, path, site_config(im->cli->site)->message_size);
        struct buf message = {0};
        uint64_t begun = im->read;
        if (!m)
                return FAILED;
        progress_begin(&im->progress, im->cli, "Importing", maildir_count(m));
        while (may_go_on(im)) {
                time_t date = 0;
                unsigned flags = 0;
                enum status st = maildir_next(m, &message, &date, &flags);
                im->read += st != ABSENT;
                if (!go_on(im, st, path))
                        break;
                if (st == OK)
                        take(im, buf_str(&message), date, flags);
                progress_tell(&im->progress, im->read - begun);
        }
        maildir_close(m);
        buf_release(&message);
        return DONE;
}

/* ---- where to ---- */

static bool is_shared(struct str folder)
{
        static const char *const names[] = {
                "Topics", "Boards", "Notes", "Decisions", "Files", "Tasks", "Search", "Today"};
        struct str first = folder;
        if (str_chr(folder, '/') != STR_NOWHERE)
                first = str_sub(folder, 0, str_chr(folder, '/'));
        for (size_t i = 0; i < COUNT_OF(names); i++) {
                if (str_same(first, str_of(names[i])))
                        return true;
        }
        return false;
}

static int find_folder(struct import *im, const struct options *o)
{
        struct cli *c = im->cli;
        const char *name = option_value(o, "folder");
        struct person p;
        struct mailbox box;
        struct str folder = str_of(name ? name : "Archive");
        if (!folder.len || folder.len > 200 || is_shared(folder) ||
                str_find(folder, STR("//")) != STR_NOWHERE || folder.at[0] == '/' ||
                str_ends(folder, STR("/")))
                return cli_misused(c, o, "'%s' cannot be a folder of a person's own", name);
        if (cli_person(c, str_of(option_value(o, "user")), &p) != OK)
                return FAILED;
        im->sender.person = p.id;
        im->keep_flags = true;
        enum status st = mailbox_find(c->site->store, p.id, folder, c->arena, &box);
        if (st == ABSENT) {
                box = (struct mailbox){.kind = MAILBOX_FOLDER,
                        .owner = p.id,
                        .name = folder,
                        .created = clock_now()};
                struct change *change = change_new(c->site->store);
                change_mailbox_add(change, &box, &box.id);
                st = store_commit(change);
                change_free(change);
        }
        im->mailbox = box.id;
        return st == OK ? DONE : cli_fail_status(c, st, "looking for the folder");
}

static int find_target(struct import *im, const struct options *o)
{
        const char *topic = option_value(o, "topic"), *user = option_value(o, "user");
        struct topic t;
        if (!topic == !user)
                return cli_misused(
                        im->cli, o, "where to? --topic NAME, or --user NAME [--folder NAME]");
        if (topic && option_on(o, "folder"))
                return cli_misused(im->cli, o, "--folder goes with --user");
        if (user)
                return find_folder(im, o);
        if (cli_topic(im->cli, str_of(topic), &t) != OK)
                return FAILED;
        im->mailbox = t.id;
        return DONE;
}

/* ---- the commands ---- */

static int summary(struct import *im)
{
        FILE *out = im->cli->out;
        progress_clear(&im->progress);
        if (!im->read)
                return DONE;
        fprintf(out, "%llu messages read: %llu filed, %llu there already, %llu refused\n",
                (unsigned long long)im->read, (unsigned long long)im->filed,
                (unsigned long long)im->already, (unsigned long long)im->refused);
        if (im->stopped == OK)
                return DONE;
        if (im->stopped == CLOSED)
                cli_fail(im->cli, "import stopped: batond is ending");
        else
                cli_fail_status(im->cli, im->stopped, "import stopped");
        return cli_fail(im->cli, "begin it again afterwards: what is filed already is passed over");
}

static int run(struct cli *c, const struct options *o, int (*source)(struct import *, const char *))
{
        struct import *im = mem_new(sizeof *im);
        int status;
        im->cli = c;
        im->sender = (struct sender){.way = WAY_IMPORT,
                .helo = STR("localhost"),
                .address = STR("local"),
                .smtputf8 = true};
        im->arena = arena_new();
        status = find_target(im, o);
        if (status == DONE) {
                for (size_t i = 0; i < o->word_count && status == DONE; i++)
                        status = source(im, o->words[i]);
                file_group(im);
                int sum = summary(im);
                status = status == DONE ? sum : status;
        }
        for (size_t i = 0; i < GROUP_MAX; i++)
                buf_release(&im->group[i].bytes);
        buf_release(&im->scratch);
        arena_free(im->arena);
        free(im);
        return status;
}

static int run_mbox(struct cli *c, const struct options *o)
{
        return run(c, o, from_mbox);
}

static int run_maildir(struct cli *c, const struct options *o)
{
        return run(c, o, from_maildir);
}

/* clang-format off */
static const struct option import_options[] = {
        { "topic",  "TOPIC",  "file it in this topic" },
        { "user",   "PERSON", "file it in a folder of this person" },
        { "folder", "FOLDER", "which (made when it is not there; default Archive), like Lists/mutt" },
        { NULL,     NULL,     NULL },
};
const struct command import_commands[] = {
        { "mbox",    "FILE...",   "from mbox files ('-' is standard input)", run_mbox, import_options, 1, WORDS_ANY, NEEDS_SITE,
          "Example: baton import mbox --topic eng.backend old-list.mbox\n\n"
          "Imported mail is history: nobody has it unread, and no notice comes of it. What is there\n"
          "already is passed over, so an import can be begun again at any time." },
        { "maildir", "FOLDER...", "from Maildirs",                           run_maildir, import_options, 1, WORDS_ANY, NEEDS_SITE,
          "Example: baton import maildir --user ana --folder Lists/mutt ~/Maildir/.Lists.mutt\n\n"
          "Flags are kept in a person's folder. Imported mail is history: nobody has it unread. What\n"
          "is there already is passed over, so an import can be begun again at any time." },
        { NULL, NULL, NULL, NULL, NULL, 0, 0, NEEDS_NOTHING, NULL },
};
/* clang-format on */
