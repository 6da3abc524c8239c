/* task_edit.c - tasks opened and changed from the command line: the words of mail, the same
 * changes. */
#include "base/zone.h"
#include "base/text.h"
#include "cli/task.h"
#include "mail/address.h"
#include "mail/compose.h"
#include "mail/msgid.h"
#include "team/wish.h"

enum { TEXT_MOST = TASK_TEXT_MOST };

struct asking {
        struct cli *cli;
        struct person actor; /* id 0: the site */
        struct task_doing doing;
        struct directives directives;
        struct wish wish;
};

static int find_actor(struct asking *a, const struct options *o)
{
        const char *as = option_value(o, "as");
        if (as && cli_person(a->cli, str_of(as), &a->actor) != OK)
                return FAILED;
        a->doing = (struct task_doing){.person = a->actor.id};
        return DONE;
}

/* "due=fri" becomes the line "due: fri" of a mail; "/done" stays. */
static int add_line(struct asking *a, const struct options *o, struct str word, struct buf *out)
{
        size_t at = str_chr(word, '=');
        if (str_chr(word, '\n') != STR_NOWHERE || str_chr(word, '\r') != STR_NOWHERE)
                return cli_misused(a->cli, o, "'%.*s' is more than one line", STR_ARG(word));
        if (str_starts(word, STR("/"))) {
                buf_addf(out, "%.*s\n", STR_ARG(word));
                return DONE;
        }
        if (at == STR_NOWHERE || !at)
                return cli_misused(a->cli, o, "'%.*s' is not of the form KEY=VALUE, like due=fri",
                        STR_ARG(word));
        struct str value = str_trim(str_from(word, at + 1));
        buf_addf(out, "%.*s: %.*s\n", (int)at, word.at, STR_ARG(value));
        if (!value.len) /* in mail that line would be no field */
                return cli_misused(
                        a->cli, o, "'%.*s' has no value; 'none' takes one away", STR_ARG(word));
        return DONE;
}

/* What is wrong with key=value, in these words and not in those of mail. */
static int say_fault(struct asking *a, const struct options *o, struct str word,
        const struct directive *d)
{
        struct cli *c = a->cli;
        struct buf text = {0};
        size_t at = str_chr(word, '=');
        bool pair = at != STR_NOWHERE && !str_starts(word, STR("/"));
        if (pair && d && d->fault == FAULT_ARGUMENT) {
                buf_addf(&text, "'%.*s' is not understood: %s", STR_ARG(word), d->why);
        } else if (pair && d && d->nearest && d->nearest->kind == DIRECTIVE_FIELD) {
                buf_addf(&text, "'%.*s' is not known; was '", (int)at, word.at);
                buf_add(&text, arena_lower(c->arena, str_of(d->nearest->word)));
                buf_addf(&text, "%.*s' meant?", STR_ARG(str_from(word, at)));
        } else if (d && !pair) {
                directive_fault_say(d, &text);
        } else {
                buf_addf(&text, "'%.*s' is no change of a task; there are", STR_ARG(word));
                for (size_t i = 0, n = 0; i < directive_row_count; i++) {
                        const struct directive_row *row = &directive_rows[i];
                        if (row->kind != DIRECTIVE_FIELD || row->later)
                                continue;
                        buf_add_text(&text, n++ ? ", " : " ");
                        buf_add(&text, arena_lower(c->arena, str_of(row->word)));
                }
        }
        int status = cli_misused(c, o, "%s", buf_text(&text));
        buf_release(&text);
        return status;
}

/* Each word is read by itself: so nothing in one can be taken for another, or for text. */
static int read_one(struct asking *a, const struct options *o, struct str word, struct buf *lines)
{
        const struct zone *zone;
        struct directives one;
        struct cli *c = a->cli;
        struct buf line = {0};
        int status = add_line(a, o, word, &line);
        if (zone_find(a->actor.zone, &zone) != OK && zone_find(STR("UTC"), &zone) != OK)
                status = cli_fail(c, "this system has no time zones: install tzdata");
        if (status == DONE) {
                buf_add_char(&line, '\n');
                struct str kept = arena_copy(c->arena, buf_str(&line));
                directive_read_text(kept, zone, clock_now(), STRICT, c->arena, &one);
                if (one.count != 1 || one.v[0].fault != FAULT_NONE)
                        status = say_fault(a, o, word, one.count == 1 ? &one.v[0] : NULL);
        }
        if (status == DONE)
                buf_add(lines, str_make((const char *)&one.v[0], sizeof one.v[0]));
        buf_release(&line);
        return status;
}

/* What the words mean for a task of this topic; anything that cannot be stops all. */
static int make_wish(
        struct asking *a, const struct options *o, struct buf *directives, uint32_t topic)
{
        struct cli *c = a->cli;
        struct wishing in = {
                .site = c->site, .person = a->actor.id, .topic = topic, .has_task = true};
        size_t count = directives->len / sizeof(struct directive);
        a->directives.v = arena_alloc(c->arena, directives->len + 1);
        if (directives->len)
                memcpy(a->directives.v, directives->at, directives->len);
        a->directives.count = count;
        for (size_t i = 0; i < count; i++) {
                const struct directive *d = &a->directives.v[i];
                bool me = d->name == DO_TAKE;
                for (size_t k = 0; k < d->item_count; k++)
                        me = me || str_eq(d->items[k].text, STR("me"));
                if (me && !a->actor.id)
                        return cli_misused(c, o, "who is that? --as PERSON says it");
        }
        enum status st = wish_make(&in, &a->directives, c->arena, &a->wish);
        if (st != OK)
                return cli_fail_status(c, st, "reading what is wanted");
        for (size_t i = 0; i < a->wish.count; i++)
                if (a->wish.outcomes[i].why.len)
                        return cli_fail(c, "%.*s", STR_ARG(a->wish.outcomes[i].why));
        if (a->wish.opens || a->wish.undo || a->wish.attends || !(a->wish.edit.fields || !count))
                return cli_misused(c, o, "that is not for 'set' and 'add': see 'baton help task'");
        return DONE;
}

static int tell(struct cli *c, enum status st, const struct task_done *done)
{
        if (st == ABSENT)
                return cli_fail(c, "there is no such task that this person may see");
        if (st == FORBIDDEN && !done->text.len)
                return cli_fail(c, "this person may not change tasks there");
        if (st != OK && done->text.len)
                return cli_fail(c, "%.*s", STR_ARG(done->text));
        if (st != OK)
                return cli_fail_status(c, st, "changing the task");
        struct str text = str_trim(done->text);
        if (done->conflicted)
                return cli_fail(c, "%.*s", STR_ARG(text));
        fprintf(c->out, "%.*s%s", STR_ARG(text), text.len ? "\n" : "");
        return DONE;
}

int task_set(struct cli *c, const struct options *o)
{
        struct asking a = {.cli = c};
        struct shown_task t;
        struct task_done done = {0};
        struct buf directives = {0};
        int status = find_actor(&a, o);
        const char *why = option_value(o, "why");
        if (status == DONE && cli_task(c, cli_word(o, 0), &t) != OK)
                status = FAILED;
        for (size_t i = 1; i < o->word_count && status == DONE; i++)
                status = read_one(&a, o, cli_word(o, i), &directives);
        if (status == DONE)
                status = make_wish(&a, o, &directives, t.task.topic);
        a.doing.why = why ? str_of(why) : a.wish.why;
        if (status == DONE) {
                enum status st = task_change(
                        c->site, &a.doing, t.task.number, &a.wish.edit, c->arena, &done);
                status = tell(c, st, &done);
        }
        buf_release(&directives);
        return status;
}

int task_undone(struct cli *c, const struct options *o)
{
        struct asking a = {.cli = c};
        struct shown_task t;
        struct task_done done = {0};
        if (find_actor(&a, o) != DONE || cli_task(c, cli_word(o, 0), &t) != OK)
                return FAILED;
        enum status st = task_undo(c->site, &a.doing, t.task.number, c->arena, &done);
        if (st == OK && !done.applied)
                return cli_fail(c, "%.*s", STR_ARG(done.text));
        return tell(c, st, &done);
}

/* ---- opening ---- */

static int read_text(struct asking *a, const struct options *o, struct buf *out)
{
        const char *text = option_value(o, "text");
        if (!text || strcmp(text, "-") != 0) {
                buf_add_text(out, text ? text : "");
                return DONE;
        }
        FILE *file = cli_open(a->cli, "-");
        if (!file)
                return FAILED;
        size_t got = fread(buf_reserve(out, TEXT_MOST + 1), 1, TEXT_MOST + 1, file);
        fclose(file);
        out->len += got;
        return got <= TEXT_MOST ? DONE
                                : cli_fail(a->cli, "the text is over %d KB", TEXT_MOST / 1024);
}

/* The message that opens it, as its author would have mailed it. */
static struct str write_opening(
        struct asking *a, const struct topic *t, struct str title, struct str text)
{
        struct arena *arena = a->cli->arena;
        struct str domain = site_config(a->cli->site)->domain,
                   local = a->actor.id ? a->actor.name : t->name,
                   name = !a->actor.id             ? STR("Baton")
                          : a->actor.full_name.len ? a->actor.full_name
                                                   : a->actor.name;
        struct buf message = {0};
        struct composition c = {
                .from = address_field(arena, name,
                        arena_printf(arena, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain))),
                .to = arena_printf(arena, "%.*s@%.*s", STR_ARG(t->name), STR_ARG(domain)),
                .subject = title,
                .message_id = msgid_new(arena, domain),
                .date = clock_now(),
                .text = text,
        };
        compose(arena, &c, &message);
        struct str out = arena_copy(arena, buf_str(&message));
        buf_release(&message);
        return out;
}

static int open_task(struct asking *a, const struct topic *t, struct str title, struct str text)
{
        struct cli *c = a->cli;
        struct sender sender = {.way = WAY_SITE, .person = a->actor.id};
        struct placement to = {.mailbox = t->id};
        struct submission mail = {.sender = &sender,
                .bytes = write_opening(a, t, title, text),
                .to = &to,
                .to_count = 1};
        struct task_done done = {0};
        enum refusal why = REFUSED_NOT;
        a->wish.edit.title = title;
        a->wish.edit.text = text;
        a->wish.edit.fields |= 1u << FIELD_TITLE | 1u << FIELD_TEXT;
        enum status st = task_open(c->site, &a->doing, &mail, &a->wish.edit, c->arena, &done, &why);
        if (st != OK && why != REFUSED_NOT && why != REFUSED_SITE)
                return cli_fail(c, "%s", refusal_text(why));
        if (st != OK)
                return tell(c, st, &done);
        fprintf(c->out, "T-%u opened in %.*s\n", done.number, STR_ARG(t->name));
        return DONE;
}

int task_add(struct cli *c, const struct options *o)
{
        struct asking a = {.cli = c};
        struct topic t;
        struct buf directives = {0}, text = {0}, title = {0};
        const char *given = option_value(o, "title");
        int status = find_actor(&a, o);
        if (status == DONE && cli_topic(c, cli_word(o, 0), &t) != OK)
                status = FAILED;
        text_flatten(str_of(given ? given : ""), &title);
        if (status == DONE && !title.len)
                status = cli_misused(c, o, "it needs --title TEXT: what is to be done");
        size_t at = 0;
        for (const char *word; status == DONE && (word = option_each(o, "set", &at)) != NULL;)
                status = read_one(&a, o, str_of(word), &directives);
        if (status == DONE)
                status = make_wish(&a, o, &directives, t.id);
        if (status == DONE)
                status = read_text(&a, o, &text);
        if (status == DONE)
                status = open_task(&a, &t, buf_str(&title), str_trim(buf_str(&text)));
        buf_release(&directives);
        buf_release(&text);
        buf_release(&title);
        return status;
}

/* clang-format off */
const struct option task_set_options[] = {
        { "as",    "PERSON",    "who does it (default: the site itself)" },
        { "why",   "TEXT",      "goes into the thread" },
        { NULL,    NULL,        NULL },
};
const struct option task_undo_options[] = {
        { "as",    "PERSON",    "whose change (default: the site's own)" },
        { NULL,    NULL,        NULL },
};
const struct option task_add_options[] = {
        { "title", "TEXT",      "what is to be done" },
        { "text",  "TEXT",      "more about it; '-' reads standard input" },
        { "set",   "KEY=VALUE", "as of 'task set', several times: due=fri, assign=bo ..." },
        { "as",    "PERSON",    "who opens it (default: the site itself)" },
        { NULL,    NULL,        NULL },
};
/* clang-format on */
