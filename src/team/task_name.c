#include "team/field.h"
#include "team/task.h"

enum { NUMBER_DIGITS_MOST = 9 };

const struct str tasks_folder_names[TASKS_FOLDERS] = {
        [TASKS_MINE] = {"Tasks/Mine", 10},
        [TASKS_LATE] = {"Tasks/Late", 10},
        [TASKS_WAITING] = {"Tasks/Waiting on me", 19},
};

enum status tasks_folder(
        struct site *site, uint32_t person, enum tasks_folder which, uint32_t *mailbox)
{
        struct mailbox m = {
                .kind = MAILBOX_TASKS, .owner = person, .name = tasks_folder_names[which]};
        struct mailbox found;
        struct arena *arena = arena_new();
        enum status st = mailbox_find(site->store, person, m.name, arena, &found);
        if (st == ABSENT) { /* a person from before there were tasks */
                struct change *change = change_new(site->store);
                change_mailbox_add(change, &m, NULL);
                st = store_commit(change);
                change_free(change);
                if (st == OK || st == EXISTS)
                        st = mailbox_find(site->store, person, m.name, arena, &found);
        }
        if (st == OK)
                *mailbox = found.id;
        arena_free(arena);
        return st;
}

bool task_name_read(struct str name, uint32_t *number)
{
        if (!str_starts_same(name, STR("T-")) || name.len > 2 + NUMBER_DIGITS_MOST)
                return false;
        return str_u32(str_from(name, 2), number) == OK && *number > 0;
}

bool task_id_read(struct site *site, struct str id, uint32_t *number, uint32_t *version)
{
        struct str rest = id, kind, name, domain = site_config(site)->domain;
        size_t at = str_rchr(id, '@');
        if (id.len < 3 || id.at[0] != '<' || id.at[id.len - 1] != '>' || at == STR_NOWHERE)
                return false;
        if (!str_same(str_sub(id, at + 1, id.len - at - 2), domain))
                return false;
        rest = str_sub(id, 1, at - 1);
        return str_cut(&rest, '.', &kind) && str_cut(&rest, '.', &name) &&
               (str_eq(kind, STR("card")) || str_eq(kind, STR("journal"))) &&
               task_name_read(name, number) && str_u32(rest, version) == OK;
}

/* "eng.backend/2 Doing" */
enum status task_column(struct site *site, uint32_t mailbox, struct arena *arena,
        struct str *status, uint32_t *topic)
{
        struct mailbox m;
        struct topic t;
        struct str name, rest, place;
        uint32_t i;
        enum status st = mailbox_get(site->store, mailbox, arena, &m);
        if (st == OK && m.kind != MAILBOX_BOARD)
                st = ABSENT;
        if (st != OK)
                return st;
        rest = m.name;
        if (!str_cut(&rest, '/', &name) || !str_cut(&rest, ' ', &place) || str_u32(place, &i) != OK)
                return ABSENT;
        st = topic_find(site->store, name, arena, &t);
        if (st == OK && (!i || i > t.column_count))
                st = ABSENT;
        if (st != OK)
                return st;
        *status = column_word(arena, t.columns[i - 1]);
        *topic = t.id;
        return OK;
}

enum status task_column_of(
        struct site *site, const struct topic *topic, struct str status, uint32_t *mailbox)
{
        struct arena *arena = arena_new();
        struct mailbox m;
        size_t i = field_column(topic, column_word(arena, status), arena);
        enum status st = ABSENT;
        if (i < topic->column_count)
                st = mailbox_find(site->store, 0,
                        column_mailbox_name(arena, topic->name, i, topic->columns[i]), arena, &m);
        if (st == OK)
                *mailbox = m.id;
        arena_free(arena);
        return st;
}

enum status task_may_assign(struct site *site, uint32_t person, uint32_t topic, bool *may)
{
        struct rights rights = {0};
        *may = false;
        if (!person)
                return OK;
        enum status st = rules_topic(site, person, topic, &rights);
        *may = st == OK && rights.read;
        return st == ABSENT ? OK : st;
}
