#include "team/field.h"
#include "base/when.h"

const char *const field_names[FIELD_COUNT] = {
        [FIELD_STATUS] = "Status", [FIELD_ASSIGNEES] = "Assign", [FIELD_DUE] = "Due",
        [FIELD_START] = "Start",   [FIELD_LABELS] = "Labels",    [FIELD_PRIORITY] = "Priority",
        [FIELD_TITLE] = "Title",   [FIELD_TEXT] = "Description", [FIELD_WAITS] = "Waits-on",
        [FIELD_TOPIC] = "Topic",
};
const char *const field_words[FIELD_COUNT] = {
        [FIELD_STATUS] = "status",    [FIELD_ASSIGNEES] = "people", [FIELD_DUE] = "due date",
        [FIELD_START] = "start date", [FIELD_LABELS] = "labels",    [FIELD_PRIORITY] = "priority",
        [FIELD_TITLE] = "title",      [FIELD_TEXT] = "description", [FIELD_WAITS] = "waiting",
        [FIELD_TOPIC] = "topic",
};

/* ---- values ---- */

static void add_comma(struct buf *out)
{
        if (out->len)
                buf_add_text(out, ", ");
}

static enum status add_people(
        struct site *site, const struct task *t, struct arena *arena, struct buf *out)
{
        for (size_t i = 0; i < t->assignee_count; i++) {
                struct person p;
                enum status st = person_get(site->store, t->assignees[i], arena, &p);
                if (st != OK)
                        return st;
                add_comma(out);
                buf_add(out, p.name);
        }
        return OK;
}

static void add_labels(const struct task *t, struct buf *out)
{
        for (size_t i = 0; i < t->label_count; i++) {
                add_comma(out);
                buf_add(out, t->labels[i]);
        }
}

static void add_waits(const struct task *t, struct buf *out)
{
        for (size_t i = 0; i < t->wait_count; i++) {
                add_comma(out);
                buf_addf(out, "T-%u", t->waits[i]);
        }
}

static void add_day(int32_t day, struct buf *out)
{
        if (day != DAY_NONE)
                when_iso(day, out);
}

static enum status add_topic(struct site *site, uint32_t id, struct arena *arena, struct buf *out)
{
        struct topic topic;
        enum status st = id ? topic_get(site->store, id, arena, &topic) : ABSENT;
        if (st == OK)
                buf_add(out, topic.name);
        return st == ABSENT ? OK : st;
}

static enum status add_value(struct site *site, const struct task *t, enum task_field field,
        struct arena *arena, struct buf *out)
{
        switch (field) {
        case FIELD_STATUS:
                buf_add(out, t->status);
                break;
        case FIELD_ASSIGNEES:
                return add_people(site, t, arena, out);
        case FIELD_DUE:
                add_day(t->due, out);
                break;
        case FIELD_START:
                add_day(t->start, out);
                break;
        case FIELD_LABELS:
                add_labels(t, out);
                break;
        case FIELD_PRIORITY:
                buf_add(out, t->priority);
                break;
        case FIELD_TITLE:
                buf_add(out, t->title);
                break;
        case FIELD_TEXT:
                buf_add(out, t->text);
                break;
        case FIELD_WAITS:
                add_waits(t, out);
                break;
        case FIELD_TOPIC:
                return add_topic(site, t->topic, arena, out);
        case FIELD_COUNT:
                break;
        }
        return OK;
}

enum status field_value(struct site *site, const struct task *t, enum task_field field,
        struct arena *arena, struct str *out)
{
        struct buf value = {0};
        enum status st = add_value(site, t, field, arena, &value);
        *out = arena_copy(arena, buf_str(&value));
        buf_release(&value);
        return st;
}

size_t field_items(struct str all, struct str but, struct arena *arena, struct str **out)
{
        struct str rest = all, one, other;
        size_t count = 0, room = 1;
        for (size_t i = 0; i < all.len; i++)
                room += all.at[i] == ',';
        *out = arena_alloc(arena, room * sizeof **out);
        while (str_cut(&rest, ',', &one)) {
                struct str others = but;
                bool found = false;
                one = str_trim(one);
                while (!found && str_cut(&others, ',', &other))
                        found = str_eq(str_trim(other), one);
                if (one.len && !found)
                        (*out)[count++] = one;
        }
        return count;
}

/* ---- in words ---- */

size_t field_column(const struct topic *topic, struct str word, struct arena *arena)
{
        size_t i = 0;
        while (i < topic->column_count && !str_eq(column_word(arena, topic->columns[i]), word))
                i++;
        return i;
}

bool field_is_closed(const struct topic *topic, struct str word, struct arena *arena)
{
        return str_eq(word, STR("dropped")) ||
               (topic->column_count && field_column(topic, word, arena) == topic->column_count - 1);
}

struct str field_person(struct site *site, uint32_t person, struct arena *arena)
{
        struct person p;
        if (!person)
                return STR("Baton");
        if (person_get(site->store, person, arena, &p) != OK)
                return STR("somebody");
        return p.full_name.len ? p.full_name : p.name;
}

struct str field_person_named(struct site *site, struct str name, struct arena *arena)
{
        struct person p;
        if (person_find(site->store, name, arena, &p) != OK || !p.full_name.len)
                return name;
        return p.full_name;
}

static struct str say_day(struct str value, struct arena *arena)
{
        struct buf out = {0};
        int64_t day;
        int y, m, d;
        if (when_parse(value, 0, &day) != OK || day == WHEN_NONE)
                return value;
        civil_from_days(day, &y, &m, &d);
        when_date(day, day, &out); /* without the year, which comes always */
        buf_addf(&out, " %d", y);
        struct str text = arena_copy(arena, buf_str(&out));
        buf_release(&out);
        return text;
}

static struct str say_people(struct site *site, struct str value, struct arena *arena)
{
        struct buf out = {0};
        struct str *names;
        size_t count = field_items(value, STR_NONE, arena, &names);
        for (size_t i = 0; i < count; i++) {
                add_comma(&out);
                buf_add(&out, field_person_named(site, names[i], arena));
        }
        struct str text = arena_copy(arena, buf_str(&out));
        buf_release(&out);
        return text;
}

struct str field_say(struct site *site, const struct topic *topic, enum task_field field,
        struct str value, struct arena *arena)
{
        if (!value.len)
                return STR("none");
        if (field == FIELD_DUE || field == FIELD_START)
                return say_day(value, arena);
        if (field == FIELD_ASSIGNEES)
                return say_people(site, value, arena);
        size_t column = field == FIELD_STATUS ? field_column(topic, value, arena) : SIZE_MAX;
        return column < topic->column_count ? topic->columns[column] : value;
}
