#include "team/digest_page.h"
#include "base/text.h"
#include "base/when.h"
#include "team/field.h"

enum { WHOLE_MAX = 8192, DUTIES_MAX = PAGE_ITEMS_MAX * 2 / 3, EVENTS_MAX = 50 };

static struct page_item *new_item(
        struct making *m, struct page *page, const struct digest_item *about)
{
        struct page_item *item = &page->items[page->item_count++];
        struct digest_ref ref = {page->person->id, m->day, (unsigned)page->item_count};
        m->items.v[m->items.count++] = *about;
        *item = (struct page_item){.reply_to = digest_address(m->site, &ref, m->at, m->arena)};
        return item;
}

/* ---- what was changed of a task ---- */

static bool is_nothing(struct str s)
{
        return s.len == 0 || str_same(s, STR("none"));
}

static void say_change(struct making *m, const struct topic *topic, const struct task_change *c,
        struct buf *out)
{
        static const char *const names[FIELD_COUNT] = {[FIELD_STATUS] = "now",
                [FIELD_ASSIGNEES] = "with",
                [FIELD_DUE] = "due",
                [FIELD_START] = "starts",
                [FIELD_LABELS] = "labels",
                [FIELD_PRIORITY] = "priority",
                [FIELD_TITLE] = "called",
                [FIELD_WAITS] = "waits for",
                [FIELD_TOPIC] = "moved to"};
        static const char *const empty[FIELD_COUNT] = {[FIELD_ASSIGNEES] = "with nobody",
                [FIELD_DUE] = "no due date",
                [FIELD_START] = "no start",
                [FIELD_LABELS] = "no labels",
                [FIELD_PRIORITY] = "usual priority",
                [FIELD_WAITS] = "waits for nothing"};
        int64_t day;
        if (out->len)
                buf_add_text(out, "; ");
        if (c->field == FIELD_TEXT) {
                buf_add_text(out, "new description");
        } else if (is_nothing(c->after) && empty[c->field]) {
                buf_add_text(out, empty[c->field]);
        } else if ((c->field == FIELD_DUE || c->field == FIELD_START) &&
                   when_parse(c->after, m->day, &day) == OK) {
                buf_addf(out, "%s ", names[c->field]);
                when_date(day, m->day, out);
        } else {
                struct str is = c->after;
                if (c->field == FIELD_STATUS)
                        is = field_say(m->site, topic, FIELD_STATUS, is, m->arena);
                buf_addf(out, "%s %.*s", names[c->field] ? names[c->field] : "changed",
                        STR_ARG(str_sub(is, 0, 200)));
        }
}

/* All that happened to it since, in one line: of each field the last. */
static enum status fold_changes(struct making *m, const struct gather_thread *t, struct str *out)
{
        const struct task_change *last[FIELD_COUNT] = {NULL};
        struct task_event *events;
        size_t count = EVENTS_MAX;
        struct person person;
        struct topic topic;
        struct buf b = {0};
        *out = STR_NONE;
        if (!t->changes || !t->task)
                return OK;
        enum status st = task_events(m->site->store, t->task, t->before, m->arena, &events, &count);
        if (st == OK)
                st = topic_get(m->site->store, t->topic_id, m->arena, &topic);
        if (st != OK)
                return st == ABSENT ? OK : st;
        for (size_t i = 0; i < count; i++)
                for (size_t j = 0; j < events[i].change_count; j++)
                        last[events[i].changes[j].field] = &events[i].changes[j];
        for (size_t i = 0; i < FIELD_COUNT; i++)
                if (last[i])
                        say_change(m, &topic, last[i], &b);
        if (b.len && person_get(m->site->store, events[count - 1].person, m->arena, &person) == OK)
                buf_addf(&b, " (%.*s)",
                        STR_ARG(page_first_name(
                                person.full_name.len ? person.full_name : person.name, m->arena)));
        *out = arena_copy(m->arena, buf_str(&b));
        buf_release(&b);
        return OK;
}

/* ---- the sections ---- */

static enum status add_mail(struct making *m, struct page *page, const struct gather_mail *mail)
{
        const struct recalled *k = mail->message;
        struct digest_item about = {
                mail->topic_id ? ABOUT_THREAD : ABOUT_MAIL, mail->topic_id, k->root, k->id, 0};
        struct page_item *item = new_item(m, page, &about);
        item->section = SECTION_WAITING;
        item->urgent = true;
        item->topic = mail->topic;
        item->title = k->subject;
        item->by = page_first_name(k->author, m->arena);
        item->tag = arena_printf(m->arena, "%.*s %s", STR_ARG(text_cut(item->by, 24)),
                mail->topic_id ? "named you" : "wrote to you");
        item->in_reply_to = k->message_id;
        bool words;
        return recall_line(m->recall, k->id, &item->line, &words);
}

static struct str task_tag(struct making *m, const struct gather_task *t)
{
        struct buf b = {0};
        int64_t due = t->task.due == DAY_NONE ? WHEN_NONE : t->task.due;
        if (t->urgency == TASK_AWAITED && t->others.len)
                buf_addf(&b, "%.*s %s for it", STR_ARG(t->others),
                        str_find(t->others, STR(" and ")) == STR_NOWHERE ? "waits" : "wait");
        else if (t->urgency == TASK_AWAITED)
                buf_add_text(&b, "others wait for it");
        if (due != WHEN_NONE) {
                if (b.len)
                        buf_add_text(&b, ", ");
                if (due >= m->day)
                        buf_add_text(&b, "due ");
                when_say(due, m->day, &b);
        }
        if (t->urgency == TASK_WAITS)
                buf_addf(&b, "%swaits for %.*s", b.len ? ", " : "",
                        STR_ARG(t->others.len ? t->others : STR("another task")));
        else
                buf_addf(&b, "%s%.*s", b.len ? ", " : "", STR_ARG(t->status));
        struct str s = arena_copy(m->arena, buf_str(&b));
        buf_release(&b);
        return s;
}

static enum status add_task(struct making *m, struct page *page, const struct gather_task *t)
{
        struct digest_item about = {
                ABOUT_TASK, t->task.topic, t->task.root, t->task.root, t->task.number};
        struct page_item *item = new_item(m, page, &about);
        const struct recalled *opening;
        item->section = t->urgency == TASK_AWAITED ? SECTION_WAITING : SECTION_TASKS;
        item->urgent = t->urgency <= TASK_LATE;
        item->task = true;
        item->topic = t->topic;
        item->title = arena_printf(m->arena, "T-%u %.*s", t->task.number, STR_ARG(t->task.title));
        item->tag = task_tag(m, t);
        enum status st = recall_messages(m->recall, &t->task.root, 1, &opening);
        if (st == OK && opening)
                item->in_reply_to = opening->message_id;
        if (st == OK && t->news && t->news->told &&
                t->news->messages) { /* new: how it was opened */
                bool words;
                item->by = page_first_name(t->news->newest_author, m->arena);
                st = recall_line(m->recall, t->news->newest, &item->line, &words);
        }
        return st == OK && t->news ? fold_changes(m, t->news, &item->changes) : st;
}

/* The newest that somebody says to people; a line that only commands shows in what it changed, and
 * is quoted when it changed nothing. */
static enum status quote_thread(
        struct making *m, const struct gather_thread *t, struct page_item *item)
{
        enum { LOOKED_AT = 8 };
        size_t looked_at = 0;
        enum status st = OK;
        for (size_t i = t->part_count; st == OK && i-- > 0 && looked_at < LOOKED_AT;) {
                const struct recalled *k;
                struct str line;
                bool words = false;
                st = recall_messages(m->recall, &t->parts[i].message, 1, &k);
                if (st != OK || !k || (k->version && k->task == t->task))
                        continue;
                st = recall_line(m->recall, k->id, &line, &words);
                if (st == OK && (words || (!t->changes && !looked_at))) {
                        item->line = line;
                        item->by = page_first_name(k->author, m->arena);
                }
                if (words)
                        break;
                looked_at++;
        }
        return st;
}

static bool has_task(const struct page *page, uint32_t number)
{
        const struct gathered *c = page->content;
        for (size_t i = 0; number && i < c->task_count; i++)
                if (c->tasks[i].task.number == number)
                        return true;
        return false;
}

static enum status add_thread(struct making *m, struct page *page, const struct gather_thread *t)
{
        struct digest_item about = {
                t->task ? ABOUT_TASK : ABOUT_THREAD, t->topic_id, t->root, t->newest, t->task};
        struct page_item *item = new_item(m, page, &about);
        item->section = SECTION_NEW;
        item->topic = t->topic;
        item->title = t->task ? arena_printf(m->arena, "T-%u %.*s", t->task,
                                        STR_ARG(t->title.len ? t->title : t->subject))
                              : t->subject;
        item->tag = page_who(t, m->arena);
        item->in_reply_to = t->newest_id;
        enum status st = t->messages ? quote_thread(m, t, item) : OK;
        if (st == OK && !has_task(page, t->task)) /* else it is told there */
                st = fold_changes(m, t, &item->changes);
        return st;
}

/* ---- all of it ---- */

/* One message only: that message. */
static enum status show_whole(struct making *m, struct page *page)
{
        struct buf text = {0};
        const struct gathered *c = page->content;
        enum status st = OK;
        if (page->item_count == 1 && page->items[0].section == SECTION_NEW &&
                c->threads[0].messages == 1) {
                st = gather_text(m->site, c->threads[0].newest, &text);
                st = st == ABSENT ? OK : st;
                struct str whole = str_sub(buf_str(&text), 0, WHOLE_MAX);
                while (whole.len < text.len && whole.len &&
                        ((unsigned char)text.at[whole.len] & 0xc0) == 0x80)
                        whole.len--; /* not inside a character */
                page->whole = arena_copy(m->arena, whole);
                page->items[0].line = STR_NONE;
        }
        buf_release(&text);
        return st;
}

static enum status add_tasks(struct making *m, struct page *page, bool awaited)
{
        const struct gathered *c = page->content;
        enum status st = OK;
        for (size_t i = 0; i < c->task_count && st == OK; i++) {
                if ((c->tasks[i].urgency == TASK_AWAITED) != awaited)
                        continue;
                if (page->item_count < DUTIES_MAX)
                        st = add_task(m, page, &c->tasks[i]);
                else
                        page->hidden_tasks++;
        }
        return st;
}

CHECKED enum status digest_fill(struct making *m, struct page *page)
{
        const struct gathered *c = page->content;
        enum status st = OK;
        m->items.v = arena_alloc(m->arena, PAGE_ITEMS_MAX * sizeof *m->items.v);
        page->items = arena_alloc(m->arena, PAGE_ITEMS_MAX * sizeof *page->items);
        for (size_t i = 0; i < c->mail_count && st == OK; i++)
                st = add_mail(m, page, &c->mails[i]);
        if (st == OK)
                st = add_tasks(m, page, true);
        if (st == OK)
                st = add_tasks(m, page, false);
        for (size_t i = 0; i < c->thread_count && st == OK; i++) {
                const struct gather_thread *t = &c->threads[i];
                if (t->told)
                        continue;
                if (page->item_count < PAGE_ITEMS_MAX) {
                        st = add_thread(m, page, t);
                } else {
                        page->hidden_threads++;
                        page->hidden_messages += t->messages + t->changes;
                }
        }
        return st == OK ? show_whole(m, page) : st;
}
