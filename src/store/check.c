#include "store/checking.h"
#include "store/rows.h"
#include "store/view.h"

enum { FAULTS_SIZE_MOST = 1 << 20, STEPS = 256, TRIES = 3 };

void check_fault(struct checking *c, const char *format, ...)
{
        va_list ap;
        c->report.faults++;
        if (c->faults.len > FAULTS_SIZE_MOST)
                return; /* counted all the same */
        va_start(ap, format);
        buf_vaddf(&c->faults, format, ap);
        va_end(ap);
        buf_add_char(&c->faults, '\0');
}

void check_step(struct checking *c)
{
        if (++c->done % STEPS == 0 && c->watch && c->watch->progress)
                c->watch->progress(c->watch->arg, c->done, c->total > c->done ? c->total : c->done);
}

enum status check_has(struct checking *c, enum table table, const struct key *key, bool *is)
{
        enum status st = table_has(c->store->env, NULL, table, key_str(key));
        *is = st == OK;
        return st == ABSENT ? OK : st;
}

enum status check_get(
        struct checking *c, enum table table, const struct key *key, struct buf *value, bool *is)
{
        buf_clear(value);
        enum status st = get_value(c->store, NULL, table, key, value);
        *is = st == OK;
        return st == ABSENT ? OK : st;
}

/* For the progress bar: entries and messages, as counted. */
static enum status count_work(struct checking *c)
{
        struct scan *scan = scan_open(c->store->env, NULL, TABLE_MAILBOX, STR_NONE, STR_NONE);
        struct str key, value;
        struct mailbox m;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                st = mailbox_read(value, &m);
                if (st != OK)
                        break;
                c->total += 2 * (uint64_t)m.count;
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

static enum status check_once(struct checking *c)
{
        buf_clear(&c->faults);
        c->report = (struct check_report){0};
        c->done = c->total = 0;
        enum status st = count_work(c);
        if (st == OK)
                st = check_mailboxes(c);
        if (st == OK)
                st = check_messages(c);
        if (st == OK)
                st = check_threads(c);
        if (st == OK)
                st = check_people(c);
        if (st == OK)
                st = check_attention(c);
        if (st == OK)
                st = check_tasks(c);
        return st == OK ? check_queue(c) : st;
}

static void tell(const struct checking *c)
{
        struct str rest = buf_str(&c->faults), fault;
        while (c->watch && c->watch->say && str_cut(&rest, '\0', &fault))
                c->watch->say(c->watch->arg, fault.at);
}

/* A change in the middle of a pass looks like damage, so a pass with faults during which something
 * was changed is made again. */
enum status store_check(
        struct store *store, const struct check_watch *watch, struct check_report *out)
{
        struct checking c = {.store = store, .watch = watch};
        enum status st = OK;
        for (unsigned i = 0; i < TRIES; i++) {
                uint64_t position = views_position(store);
                st = check_once(&c);
                if (st != OK || c.report.faults == 0 || views_position(store) == position)
                        break;
        }
        tell(&c);
        *out = c.report;
        buf_release(&c.faults);
        return st;
}
