#include "team/page.h"
#include "base/text.h"

static const char *plural(uint64_t n)
{
        return n == 1 ? "" : "s";
}

struct str page_first_name(struct str name, struct arena *arena)
{
        size_t comma = str_chr(name, ','), at = str_chr(name, '@');
        if (at != STR_NOWHERE) /* an address: its local part */
                return arena_copy(arena, str_sub(name, 0, at));
        if (comma != STR_NOWHERE) /* "Last, First" */
                name = str_trim(str_from(name, comma + 1));
        struct str word, rest = name;
        return str_word(&rest, &word) ? arena_copy(arena, word) : STR("somebody");
}

struct str page_greeting(const struct page *p, struct arena *arena)
{
        const char *time = p->now.hour < 5 ? "Hello"
                                           : /* no hour at which people greet each other */
                                   p->now.hour < 12 ? "Good morning"
                           : p->now.hour < 18       ? "Good afternoon"
                                                    : "Good evening";
        struct str name = p->person->full_name.len ? p->person->full_name : p->person->name;
        return arena_printf(arena, "%s %.*s", time, STR_ARG(page_first_name(name, arena)));
}

static void add_clause(struct buf *b, const char *clause, unsigned n)
{
        if (n)
                buf_addf(b, b->len ? ", %u %s" : "%u %s", n, clause);
}

static unsigned count_tasks(const struct gathered *c, enum gather_urgency urgency)
{
        unsigned n = 0;
        for (size_t i = 0; i < c->task_count; i++)
                n += c->tasks[i].urgency == urgency;
        return n;
}

/* "2 things wait on you, 1 task is late, 3 are due today." */
static void add_duties(const struct gathered *c, struct buf *b)
{
        unsigned waiting = (unsigned)c->mail_count + c->mails_more + count_tasks(c, TASK_AWAITED);
        unsigned late = count_tasks(c, TASK_LATE), today = count_tasks(c, TASK_TODAY);
        add_clause(b, waiting == 1 ? "thing waits on you" : "things wait on you", waiting);
        add_clause(b, late == 1 ? "task is late" : "tasks are late", late);
        add_clause(b,
                late         ? today == 1 ? "is due today" : "are due today"
                : today == 1 ? "task is due today"
                             : "tasks are due today",
                today);
        buf_add_text(b, b->len ? "." : "Nothing waits on you.");
}

struct str page_headline(const struct page *p, struct arena *arena)
{
        const struct gathered *c = p->content;
        unsigned mine = 0;
        struct buf b = {0};
        for (size_t i = 0; i < c->thread_count; i++)
                mine += c->threads[i].mine && c->threads[i].messages;
        add_duties(c, &b);
        if (c->fresh) {
                buf_addf(&b, " %u new message%s in %zu thread%s", c->fresh, plural(c->fresh),
                        c->talks, plural(c->talks));
                if (mine && mine == c->talks)
                        buf_addf(&b, ", %s",
                                mine == 1 ? "one that you wrote in" : "all of which you wrote in");
                else if (mine)
                        buf_addf(&b, "; you wrote in %u of them", mine);
                buf_add_char(&b, '.');
        }
        if (c->changes)
                buf_addf(&b, " %u change%s.", c->changes, c->changes == 1 ? " to a task" : "s to tasks");
        struct str s = arena_copy(arena, buf_str(&b));
        buf_release(&b);
        return s;
}

struct str page_who(const struct gather_thread *t, struct arena *arena)
{
        enum { NAMED = 3 };
        struct buf b = {0};
        const char *yours = t->yours ? "yours, " : "";
        if (!t->messages)
                return arena_printf(arena, "%s%u change%s", yours, t->changes, plural(t->changes));
        buf_addf(&b, "%s%u new: ", yours, t->messages);
        size_t shown = t->author_count <= NAMED + 1 ? t->author_count : NAMED;
        for (size_t i = 0; i < shown; i++) {
                if (i)
                        buf_add_text(&b, ", ");
                buf_add(&b, text_cut(page_first_name(t->authors[i], arena), 16));
        }
        if (shown < t->author_count)
                buf_addf(&b, " and %zu more", t->author_count - shown);
        struct str s = arena_copy(arena, buf_str(&b));
        buf_release(&b);
        return s;
}

static size_t number_of(const struct page *p, bool task)
{
        for (size_t i = 0; i < p->item_count; i++)
                if (p->items[i].task == task)
                        return i + 1;
        return 0;
}

struct str page_how(const struct page *p, struct arena *arena)
{
        size_t task = number_of(p, true), thread = number_of(p, false);
        if (p->item_count == 0)
                return STR_NONE;
        if (p->item_count == 1 && !task)
                return STR("To answer, reply to this mail.");
        struct str said = thread ? arena_printf(arena, "[%zu] I have seen it, too.", thread)
                                 : STR_NONE;
        struct str done = task ? arena_printf(arena, "[%zu] done", task) : STR_NONE;
        return arena_printf(arena,
                "To answer, reply to this mail and begin a line with the number of the entry: "
                "%.*s%s%.*s",
                STR_ARG(said), said.len && done.len ? " Or: " : "", STR_ARG(done));
}

struct str page_rest(const struct page *p, struct arena *arena)
{
        const struct gathered *c = p->content;
        struct buf b = {0};
        if (p->hidden_threads)
                buf_addf(&b,
                        "Not shown, but unread in their folders: %u message%s in %u more "
                        "thread%s. ",
                        p->hidden_messages, plural(p->hidden_messages), p->hidden_threads,
                        plural(p->hidden_threads));
        if (c->mails_more)
                buf_addf(&b, "%u more lie%s unread in your INBOX. ", c->mails_more,
                        c->mails_more == 1 ? "s" : "");
        if (p->hidden_tasks)
                buf_addf(&b, "%u more task%s of yours %s here: see Tasks/Mine. ", p->hidden_tasks,
                        plural(p->hidden_tasks), p->hidden_tasks == 1 ? "is not" : "are not");
        if (c->tasks_later)
                buf_addf(&b, "%u task%s of yours %s not due this week: see Tasks/Mine. ",
                        c->tasks_later, plural(c->tasks_later), c->tasks_later == 1 ? "is" : "are");
        if (c->read)
                buf_addf(&b, "Left out because you have read them already: %u message%s. ", c->read,
                        plural(c->read));
        if (c->older)
                buf_addf(
                        &b, "Still unread from before: %u message%s. ", c->older, plural(c->older));
        struct str s = arena_copy(arena, str_trim(buf_str(&b)));
        buf_release(&b);
        return s;
}

struct str page_less(const struct page *p, struct arena *arena)
{
        struct str topic = STR_NONE, domain = STR_NONE;
        for (size_t i = 0; i < p->item_count; i++) {
                if (p->items[i].section != SECTION_NEW || !p->items[i].topic.len)
                        continue;
                topic = p->items[i].topic;
                domain = str_from(p->items[i].reply_to, str_rchr(p->items[i].reply_to, '@') + 1);
        }
        if (!topic.len)
                return STR_NONE;
        return arena_printf(arena,
                "Less of it: mail %.*s%cnamed@%.*s (only what names you) or %cmute; help@%.*s says "
                "what else there is.",
                STR_ARG(topic), p->separator, STR_ARG(domain), p->separator, STR_ARG(domain));
}

static struct str zone_offset(int offset, struct arena *arena)
{
        int minutes = (offset < 0 ? -offset : offset) / 60;
        char sign = offset < 0 ? '-' : '+';
        if (minutes % 60)
                return arena_printf(arena, "UTC%c%d:%02d", sign, minutes / 60, minutes % 60);
        return arena_printf(arena, "UTC%c%d", sign, minutes / 60);
}

struct str page_next(const struct page *p, struct arena *arena)
{
        const struct civil *n = &p->next;
        return arena_printf(arena, "%s %d %s %02d:%02d %.*s (%.*s)", day_names[n->weekday], n->day,
                month_names[n->month - 1], n->hour, n->minute, STR_ARG(p->place),
                STR_ARG(zone_offset(n->offset, arena)));
}

static unsigned count_section(const struct page *p, enum page_section section)
{
        unsigned n = 0;
        for (size_t i = 0; i < p->item_count; i++)
                n += p->items[i].section == section;
        return n;
}

struct str page_subject(const struct page *p, struct arena *arena)
{
        const struct gathered *c = p->content;
        struct str day = arena_printf(arena, "%s %d %s", day_names[p->now.weekday], p->now.day,
                month_names[p->now.month - 1]);
        unsigned waiting = count_section(p, SECTION_WAITING),
                 tasks = count_section(p, SECTION_TASKS);
        struct buf b = {0};
        if (p->item_count == 1)
                return arena_printf(arena, "%.*s: %.*s", STR_ARG(day),
                        STR_ARG(text_cut(p->items[0].title, 60)));
        add_clause(&b, waiting == 1 ? "waits on you" : "wait on you", waiting);
        add_clause(&b, tasks == 1 ? "task" : "tasks", tasks);
        if (c->fresh)
                buf_addf(&b, "%s%u new in %zu thread%s", b.len ? ", " : "", c->fresh, c->talks,
                        plural(c->talks));
        else if (!waiting && !tasks)
                buf_addf(&b, "%u change%s", c->changes, c->changes == 1 ? " to a task" : "s to tasks");
        struct str s = arena_printf(arena, "%.*s: %.*s", STR_ARG(day), STR_ARG(buf_str(&b)));
        buf_release(&b);
        return s;
}

/* ---- text ---- */

static const char *const long_days[] = {
        "Sunday",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
};
static const char *const long_months[] = {
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
};

const char *const page_headings[SECTION_COUNT] = {
        [SECTION_WAITING] = "WAITING ON YOU",
        [SECTION_TASKS] = "YOUR TASKS",
        [SECTION_NEW] = "NEW IN WHAT YOU FOLLOW",
};

static void add_heading(struct buf *out, const char *text)
{
        buf_addf(out, "\n%s\n", text);
        for (size_t i = 0; text[i]; i++)
                buf_add_char(out, '-');
        buf_add_char(out, '\n');
}

/* `left` cut to what `right`, set at the margin, leaves. */
static void add_row(struct buf *out, struct str left, struct str right)
{
        size_t room = PAGE_COLUMNS - text_columns(right) - 2;
        struct str cut = text_cut(left, room);
        size_t used = text_columns(cut);
        if (cut.len < left.len) {
                cut = text_cut(left, room - 3);
                used = text_columns(cut) + 3;
        }
        buf_add(out, cut);
        if (cut.len < left.len)
                buf_add_text(out, "...");
        for (; used < PAGE_COLUMNS - text_columns(right); used++)
                buf_add_char(out, ' ');
        buf_add(out, right);
        buf_add_char(out, '\n');
}

static void add_indented(struct buf *out, struct str text)
{
        text_wrap(text, PAGE_COLUMNS, STR("    "), STR("    "), out);
}

static void add_item(struct buf *out, const struct page_item *item, size_t n, struct arena *arena)
{
        struct str left = item->task || !item->topic.len
                                  ? arena_printf(arena, "[%zu] %.*s", n, STR_ARG(item->title))
                                  : arena_printf(arena, "[%zu] %.*s - %.*s", n,
                                            STR_ARG(item->topic), STR_ARG(item->title));
        add_row(out, left, item->tag);
        if (item->line.len)
                add_indented(out, arena_printf(arena, "%.*s: \"%.*s\"", STR_ARG(item->by),
                                          STR_ARG(item->line)));
        if (item->changes.len)
                add_indented(out, item->changes);
}

/* Line by line, so that what was laid out stays so. */
static void add_whole(struct buf *out, struct str text)
{
        struct str line;
        buf_add_char(out, '\n');
        while (str_line(&text, &line)) {
                if (text_columns(line) <= PAGE_COLUMNS) {
                        buf_add(out, line);
                        buf_add_char(out, '\n');
                } else {
                        text_wrap(line, PAGE_COLUMNS, STR(""), STR(""), out);
                }
        }
}

void page_text(const struct page *p, struct buf *out)
{
        struct arena *arena = arena_new();
        struct str head = arena_printf(arena, "%.*s. %s %d %s, %02d:%02d in %.*s.\n%.*s",
                STR_ARG(page_greeting(p, arena)), long_days[p->now.weekday], p->now.day,
                long_months[p->now.month - 1], p->now.hour, p->now.minute, STR_ARG(p->place),
                STR_ARG(page_headline(p, arena)));
        struct str line;
        while (str_line(&head, &line))
                text_wrap(line, PAGE_COLUMNS, STR(""), STR(""), out);
        for (size_t i = 0; i < p->item_count; i++) {
                if (i == 0 || p->items[i].section != p->items[i - 1].section)
                        add_heading(out, page_headings[p->items[i].section]);
                add_item(out, &p->items[i], i + 1, arena);
        }
        if (p->whole.len)
                add_whole(out, p->whole);
        buf_add_text(out, "\n--\n");
        text_wrap(page_how(p, arena), PAGE_COLUMNS, STR(""), STR(""), out);
        struct str rest = page_rest(p, arena);
        if (rest.len)
                text_wrap(rest, PAGE_COLUMNS, STR(""), STR(""), out);
        struct str less = page_less(p, arena);
        if (less.len)
                text_wrap(less, PAGE_COLUMNS, STR(""), STR(""), out);
        if (p->next.year)
                text_wrap(arena_printf(arena, "Next: %.*s.", STR_ARG(page_next(p, arena))),
                        PAGE_COLUMNS, STR(""), STR(""), out);
        arena_free(arena);
}
