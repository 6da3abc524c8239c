#include "team/edit.h"
#include "base/text.h"

static enum status fault(struct edit *e, enum status st, const char *format, ...) PRINTF(3, 4);

static enum status fault(struct edit *e, enum status st, const char *format, ...)
{
        struct buf text = {0};
        va_list ap;
        va_start(ap, format);
        buf_vaddf(&text, format, ap);
        va_end(ap);
        e->fault = arena_copy(e->arena, buf_str(&text));
        buf_release(&text);
        return st;
}

static bool has(const uint32_t *list, size_t count, uint32_t n)
{
        for (size_t i = 0; i < count; i++)
                if (list[i] == n)
                        return true;
        return false;
}

/* ---- each field: what is wanted, into *t ---- */

static enum status want_topic(struct edit *e, struct task *t)
{
        struct topic topic;
        struct rights rights;
        enum status st = topic_get(e->site->store, e->want->topic, e->arena, &topic);
        if (st == OK && e->person)
                st = rules_topic(e->site, e->person, topic.id, &rights);
        if (st == ABSENT || (st == OK && e->person && !rights.read))
                return fault(e, INVALID, "There is no such topic.");
        if (st == OK && e->person && !rights.post)
                return fault(e, FORBIDDEN, "You may not post to %.*s.", STR_ARG(topic.name));
        if (st != OK)
                return st;
        t->topic = topic.id;
        return OK;
}

static enum status want_status(struct edit *e, struct task *t)
{
        struct str word = column_word(e->arena, e->want->status);
        if (!str_eq(word, STR("dropped")) &&
                field_column(&e->topic, word, e->arena) == e->topic.column_count) {
                struct buf all = {0};
                for (size_t i = 0; i < e->topic.column_count; i++)
                        buf_addf(&all, "%s%.*s", i ? ", " : "", STR_ARG(e->topic.columns[i]));
                enum status st = fault(e, INVALID,
                        "There is no column \"%.*s\" in %.*s. Its columns are: %.*s.",
                        STR_ARG(e->want->status), STR_ARG(e->topic.name), STR_ARG(buf_str(&all)));
                buf_release(&all);
                return st;
        }
        t->status = word;
        return OK;
}

static enum status check_person(struct edit *e, const struct task *t, uint32_t person)
{
        bool may;
        enum status st = task_may_assign(e->site, person, t->topic, &may);
        if (st != OK || may)
                return st;
        struct str name = field_person(e->site, person, e->arena);
        return fault(e, INVALID,
                "%.*s cannot have this task: they may not read %.*s. An owner of the topic can "
                "subscribe them.",
                STR_ARG(name), STR_ARG(e->topic.name));
}

static enum status want_assignees(struct edit *e, struct task *t)
{
        const struct task_edit *w = e->want;
        size_t room = t->assignee_count + w->assign_count, count = 0;
        uint32_t *list = arena_alloc(e->arena, room * sizeof *list + 1);
        for (size_t i = 0; i < t->assignee_count; i++) {
                uint32_t p = t->assignees[i];
                bool goes = has(w->unassign, w->unassign_count, p) ||
                            (w->assign_replace && !has(w->assign, w->assign_count, p));
                if (!goes)
                        list[count++] = p;
        }
        for (size_t i = 0; i < w->assign_count; i++) {
                if (has(list, count, w->assign[i]))
                        continue;
                enum status st = check_person(e, t, w->assign[i]);
                if (st != OK)
                        return st;
                list[count++] = w->assign[i];
        }
        if (count > TASK_ASSIGNEES_MOST)
                return fault(e, TOO_MANY, "A task has at most %d people.", TASK_ASSIGNEES_MOST);
        t->assignees = list;
        t->assignee_count = count;
        return OK;
}

enum { DAY_FIRST = 0, DAY_LAST = 2932896 }; /* 1970-01-01 to 9999-12-31 */

static enum status want_day(struct edit *e, int32_t day, int32_t *out)
{
        if (day != DAY_NONE && (day < DAY_FIRST || day > DAY_LAST))
                return fault(e, INVALID, "That is no date.");
        *out = day;
        return OK;
}

static enum status want_due(struct edit *e, struct task *t)
{
        return want_day(e, e->want->due, &t->due);
}

static enum status want_start(struct edit *e, struct task *t)
{
        return want_day(e, e->want->start, &t->start);
}

static struct str label_of(struct edit *e, struct str label)
{
        struct buf folded = {0};
        text_fold(str_trim(label), &folded);
        struct str out = arena_copy(e->arena, buf_str(&folded));
        buf_release(&folded);
        return out;
}

static bool is_label(struct str label)
{
        for (size_t i = 0; i < label.len; i++)
                if ((unsigned char)label.at[i] <= ' ' || strchr(",;\"\x7f", label.at[i]))
                        return false;
        return label.len && label.len <= LABEL_SIZE_MOST && text_is_utf8(label);
}

static int by_octets(const void *a, const void *b)
{
        const struct str *x = a, *y = b;
        return str_cmp(*x, *y);
}

static bool has_label(const struct str *list, size_t count, struct str label)
{
        for (size_t i = 0; i < count; i++)
                if (str_eq(list[i], label))
                        return true;
        return false;
}

static enum status want_labels(struct edit *e, struct task *t)
{
        const struct task_edit *w = e->want;
        size_t room = t->label_count + w->label_add_count, count = 0;
        struct str *list = arena_alloc(e->arena, room * sizeof *list + 1),
                   *gone = arena_alloc(e->arena, w->label_remove_count * sizeof *gone + 1);
        for (size_t i = 0; i < w->label_remove_count; i++)
                gone[i] = label_of(e, w->label_remove[i]);
        for (size_t i = 0; i < t->label_count && !w->labels_replace; i++)
                if (!has_label(gone, w->label_remove_count, t->labels[i]))
                        list[count++] = t->labels[i];
        for (size_t i = 0; i < w->label_add_count; i++) {
                struct str label = label_of(e, w->label_add[i]);
                if (!is_label(label))
                        return fault(e, INVALID,
                                "\"%.*s\" cannot be a label: one word of at most %d octets without "
                                "a comma.",
                                STR_ARG(w->label_add[i]), LABEL_SIZE_MOST);
                if (!has_label(list, count, label))
                        list[count++] = label;
        }
        if (count > TASK_LABELS_MOST)
                return fault(e, TOO_MANY, "A task has at most %d labels.", TASK_LABELS_MOST);
        if (count)
                qsort(list, count, sizeof *list, by_octets);
        t->labels = list;
        t->label_count = count;
        return OK;
}

static enum status want_priority(struct edit *e, struct task *t)
{
        struct str word = column_word(e->arena, e->want->priority);
        if (str_eq(word, STR("normal")))
                word = STR_NONE;
        if (word.len && !str_eq(word, STR("high")) && !str_eq(word, STR("low")))
                return fault(e, INVALID, "A priority is high, normal or low.");
        t->priority = word;
        return OK;
}

static struct str utf8_of(struct edit *e, struct str text)
{
        struct buf out = {0};
        if (text_is_utf8(text) && str_chr(text, '\0') == STR_NOWHERE)
                return text;
        text_decode(text, STR_NONE, &out);
        for (size_t i = 0; i < out.len; i++)
                if (!out.at[i])
                        out.at[i] = ' ';
        text = arena_copy(e->arena, buf_str(&out));
        buf_release(&out);
        return text;
}

static enum status want_title(struct edit *e, struct task *t)
{
        struct buf flat = {0};
        text_flatten(utf8_of(e, e->want->title), &flat);
        t->title = arena_copy(e->arena, str_trim(buf_str(&flat)));
        buf_release(&flat);
        if (!t->title.len)
                return fault(e, INVALID, "A task needs a title.");
        if (t->title.len > TASK_TITLE_MOST)
                return fault(e, TOO_BIG, "A title has at most %d octets.", TASK_TITLE_MOST);
        return OK;
}

static enum status want_text(struct edit *e, struct task *t)
{
        struct buf out = {0};
        struct str rest = utf8_of(e, e->want->text), line;
        if (rest.len > TASK_TEXT_MOST)
                return fault(e, TOO_BIG, "A description has at most %d KB.", TASK_TEXT_MOST / 1024);
        while (str_line(&rest, &line)) { /* LF line ends */
                buf_add(&out, line);
                buf_add_char(&out, '\n');
        }
        t->text = arena_copy(e->arena, str_trim(buf_str(&out)));
        buf_release(&out);
        return OK;
}

/* A task that the actor may not see is told from none by nothing. */
static enum status check_wait(struct edit *e, uint32_t number)
{
        struct task other;
        struct rights rights = {.read = true};
        if (number == e->old->number)
                return fault(e, INVALID, "A task cannot wait for itself.");
        enum status st = task_get(e->site->store, number, e->arena, &other);
        if (st == OK && e->person)
                st = rules_topic(e->site, e->person, other.topic, &rights);
        if (st == ABSENT || (st == OK && !rights.read))
                return fault(e, INVALID, "There is no task T-%u.", number);
        return st;
}

static int by_number(const void *a, const void *b)
{
        const uint32_t *x = a, *y = b;
        return *x < *y ? -1 : *x > *y;
}

static enum status want_waits(struct edit *e, struct task *t)
{
        const struct task_edit *w = e->want;
        size_t count = 0;
        uint32_t *list = arena_alloc(e->arena, (t->wait_count + w->wait_count) * sizeof *list + 1);
        for (size_t i = 0; i < t->wait_count; i++) {
                uint32_t n = t->waits[i];
                bool goes = has(w->unwaits, w->unwait_count, n) ||
                            (w->waits_replace && !has(w->waits, w->wait_count, n));
                if (!goes)
                        list[count++] = n;
        }
        for (size_t i = 0; i < w->wait_count; i++) {
                if (has(list, count, w->waits[i]))
                        continue;
                enum status st = check_wait(e, w->waits[i]);
                if (st != OK)
                        return st;
                list[count++] = w->waits[i];
        }
        if (count > TASK_WAITS_MOST)
                return fault(e, TOO_MANY, "A task waits for at most %d others.", TASK_WAITS_MOST);
        if (count)
                qsort(list, count, sizeof *list, by_number);
        t->waits = list;
        t->wait_count = count;
        return OK;
}

/* ---- all of them ---- */

/* The topic first: what the others may be depends on it. Sets never conflict: who adds and who
 * removes both win. */
static const struct {
        enum task_field field;
        enum status (*want)(struct edit *, struct task *);
        bool set;
} wants[] = {
        {FIELD_TOPIC, want_topic, false},      {FIELD_STATUS, want_status, false},
        {FIELD_ASSIGNEES, want_assignees, true}, {FIELD_DUE, want_due, false},
        {FIELD_START, want_start, false},      {FIELD_LABELS, want_labels, true},
        {FIELD_PRIORITY, want_priority, false}, {FIELD_TITLE, want_title, false},
        {FIELD_TEXT, want_text, false},        {FIELD_WAITS, want_waits, true},
};

/* The last event after what was seen that changed this field. NULL: none, or the actor knows it. */
static const struct task_event *changed_since(const struct edit *e, enum task_field field)
{
        for (size_t i = e->since_count; i-- > 0;)
                for (size_t j = 0; j < e->since[i].change_count; j++)
                        if (e->since[i].changes[j].field == field) {
                                bool own = e->person && e->since[i].person == e->person;
                                return e->knows_own && own ? NULL : &e->since[i];
                        }
        return NULL;
}

static enum status apply_one(struct edit *e, size_t i)
{
        enum task_field field = wants[i].field;
        struct task trial = e->new;
        struct str is, wanted;
        enum status st = wants[i].want(e, &trial);
        if (st == OK)
                st = field_value(e->site, &e->new, field, e->arena, &is);
        if (st == OK)
                st = field_value(e->site, &trial, field, e->arena, &wanted);
        if (st != OK)
                return st;
        const struct task_event *event = wants[i].set ? NULL : changed_since(e, field);
        if (str_eq(is, wanted)) {
                e->same |= 1u << field;
        } else if (event) {
                e->conflicted |= 1u << field;
                e->conflicts[e->conflict_count++] =
                        (struct edit_conflict){field, wanted, is, event->person, event->at};
        } else {
                e->applied |= 1u << field;
                e->new = trial;
        }
        return OK;
}

/* In another topic the status is the same where there is such a column, and all who have the task
 * must be able to read it there. */
static enum status settle_topic(struct edit *e)
{
        enum status st = topic_get(e->site->store, e->new.topic, e->arena, &e->topic);
        if (st != OK || e->new.topic == e->old->topic)
                return st;
        for (size_t i = 0; st == OK && i < e->new.assignee_count; i++)
                st = check_person(e, &e->new, e->new.assignees[i]);
        bool known = field_is_closed(&e->topic, e->new.status, e->arena) ||
                     field_column(&e->topic, e->new.status, e->arena) < e->topic.column_count;
        if (st != OK || known || !e->topic.column_count)
                return st;
        size_t column = e->old->closed ? e->topic.column_count - 1 : 0;
        e->new.status = column_word(e->arena, e->topic.columns[column]);
        e->applied |= 1u << FIELD_STATUS;
        return OK;
}

enum status edit_apply(struct edit *e)
{
        enum status st = OK;
        e->new = *e->old;
        e->applied = e->conflicted = e->same = 0;
        e->conflict_count = 0;
        e->fault = STR_NONE;
        if (!(e->want->fields & 1u << FIELD_TOPIC))
                st = topic_get(e->site->store, e->new.topic, e->arena, &e->topic);
        for (size_t i = 0; st == OK && i < COUNT_OF(wants); i++) {
                if (!(e->want->fields & 1u << wants[i].field))
                        continue;
                st = apply_one(e, i);
                if (st == OK && wants[i].field == FIELD_TOPIC)
                        st = settle_topic(e);
        }
        if (st != OK)
                return st;
        /* else a column that was the last one once would open what is done */
        if (!(e->applied & (1u << FIELD_STATUS | 1u << FIELD_TOPIC)))
                return OK;
        bool closed = field_is_closed(&e->topic, e->new.status, e->arena);
        e->new.closed = !closed ? 0 : e->old->closed ? e->old->closed : e->now;
        return OK;
}
