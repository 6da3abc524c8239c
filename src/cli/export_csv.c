#include "base/clock.h"
#include "cli/export.h"
#include "cli/progress.h"
#include "store/task.h"
#include "team/field.h"
#include <errno.h>

struct table {
        struct cli *cli;
        FILE *file;
        struct arena *arena; /* of a line */
        struct buf line;
        struct progress progress;
        uint64_t done, total;
        enum status st;
};

static const char heading[] = "number,topic,title,status,assignees,start,due,labels,priority,waits,"
                              "opened,changed,closed\r\n";

/* RFC 4180 2: in quotes where it must be, a quote doubled. */
static void add_cell(struct table *t, struct str text)
{
        bool quoted = false;
        for (size_t i = 0; i < text.len && !quoted; i++)
                quoted = strchr(",\"\r\n", text.at[i]) != NULL && text.at[i];
        if (t->line.len)
                buf_add_char(&t->line, ',');
        if (quoted)
                buf_add_char(&t->line, '"');
        for (size_t i = 0; i < text.len; i++) {
                if (text.at[i] == '"')
                        buf_add_char(&t->line, '"');
                buf_add_char(&t->line, text.at[i]);
        }
        if (quoted)
                buf_add_char(&t->line, '"');
}

static void add_time(struct table *t, time_t at)
{
        struct buf text = {0};
        if (at)
                date_print_iso(at, &text);
        add_cell(t, buf_str(&text));
        buf_release(&text);
}

static void add_field(struct table *t, const struct task *task, enum task_field field)
{
        struct str value = STR_NONE;
        if (t->st == OK)
                t->st = field_value(t->cli->site, task, field, t->arena, &value);
        add_cell(t, value);
}

static void add_task(struct table *t, const struct task *task)
{
        static const enum task_field fields[] = {FIELD_TOPIC, FIELD_TITLE, FIELD_STATUS,
                FIELD_ASSIGNEES, FIELD_START, FIELD_DUE, FIELD_LABELS, FIELD_PRIORITY, FIELD_WAITS};
        buf_clear(&t->line);
        add_cell(t, arena_printf(t->arena, "T-%u", task->number));
        for (size_t i = 0; i < COUNT_OF(fields); i++)
                add_field(t, task, fields[i]);
        add_time(t, task->opened);
        add_time(t, task->changed);
        add_time(t, task->closed);
        buf_add_text(&t->line, "\r\n");
}

static int write_tasks(struct table *t, const struct numset *numbers)
{
        uint32_t number;
        for (struct walk w = numset_walk(numbers); walk_next(&w, &number);) {
                struct task task;
                if (cli_gone(t->cli))
                        return cli_fail(t->cli, "stopped");
                t->st = task_get(t->cli->site->store, number, t->arena, &task);
                if (t->st == OK)
                        add_task(t, &task);
                if (t->st == OK && fwrite(t->line.at, 1, t->line.len, t->file) != t->line.len)
                        return errno == EPIPE ? FAILED : cli_fail(t->cli, "%s", strerror(errno));
                if (t->st != OK && t->st != ABSENT)
                        return cli_fail_status(t->cli, t->st, "reading the tasks");
                arena_reset(t->arena);
                progress_tell(&t->progress, ++t->done);
        }
        return DONE;
}

static enum status find_tasks(struct cli *c, const char *topic, struct numset *out)
{
        struct topic one, *all = &one;
        size_t count = 1;
        enum status st = topic ? cli_topic(c, str_of(topic), &one)
                               : topic_list(c->site->store, c->arena, &all, &count);
        for (size_t i = 0; i < count && st == OK; i++)
                st = tasks_of_topic(c->site->store, all[i].id, true, out);
        return st;
}

int export_csv(struct cli *c, const struct options *o)
{
        struct table t = {.cli = c};
        struct numset *numbers = numset_new();
        const char *path = o->words[0], *topic = option_value(o, "topic");
        enum status st = find_tasks(c, topic, numbers);
        int status = DONE;
        if (st != OK)
                status = topic ? FAILED : cli_fail_status(c, st, "looking for the tasks");
        if (status == DONE)
                t.file = cli_make(c, path);
        if (t.file) {
                t.arena = arena_new();
                fwrite(heading, 1, sizeof heading - 1, t.file);
                progress_begin(&t.progress, c, "Exporting", numset_count(numbers));
                status = write_tasks(&t, numbers);
                progress_clear(&t.progress);
                export_close(c, t.file, path, &status);
                arena_free(t.arena);
                buf_release(&t.line);
        } else {
                status = FAILED;
        }
        numset_free(numbers);
        if (status == DONE && strcmp(path, "-") != 0)
                fprintf(c->out, "%llu task%s written to %s\n", (unsigned long long)t.done,
                        t.done == 1 ? "" : "s", path);
        return status;
}
