#include "store/person.h"
#include "store/rows.h"
#include "store/view.h"

struct person_op {
        struct op op;
        const struct person *person; /* borrowed */
        uint32_t *id;
};

static const struct {
        const char *name;
        enum special_use use;
} folders[] = { /* clang-format off */
        {"INBOX", USE_INBOX}, {"Digests", USE_DIGESTS}, {"Drafts", USE_DRAFTS}, {"Sent", USE_SENT},
        {"Archive", USE_ARCHIVE}, {"Junk", USE_JUNK}, {"Trash", USE_TRASH},
        {"Tasks/Mine", USE_NONE}, {"Tasks/Late", USE_NONE}, {"Tasks/Waiting on me", USE_NONE},
}; /* clang-format on */

static enum status find_name(
        struct store *store, struct txn *txn, struct str name, struct name_record *out)
{
        struct arena *arena = arena_new();
        struct buf value = {0};
        struct str key = arena_lower(arena, name);
        enum status st = key.len ? table_get(store->env, txn, TABLE_NAME, key, &value) : ABSENT;
        if (st == OK)
                st = name_read(buf_str(&value), out);
        buf_release(&value);
        arena_free(arena);
        return st;
}

enum status name_find(struct store *store, struct str name, unsigned *kind, uint32_t *id)
{
        struct name_record n;
        enum status st = find_name(store, NULL, name, &n);
        if (st != OK)
                return st;
        *kind = n.kind;
        *id = n.id;
        return OK;
}

static enum status get_person(
        struct store *store, struct txn *txn, uint32_t id, struct arena *arena, struct person *out)
{
        struct buf value = {0};
        struct key key = key_mailbox(id);
        enum status st = get_value(store, txn, TABLE_PERSON, &key, &value);
        if (st == OK)
                st = person_read(buf_str(&value), arena, out);
        out->id = id;
        buf_release(&value);
        return st;
}

enum status person_get(struct store *store, uint32_t id, struct arena *arena, struct person *out)
{
        return get_person(store, NULL, id, arena, out);
}

enum status person_find(
        struct store *store, struct str name, struct arena *arena, struct person *out)
{
        struct name_record n;
        enum status st = find_name(store, NULL, name, &n);
        if (st == OK && n.kind != NAME_PERSON)
                st = ABSENT;
        return st == OK ? person_get(store, n.id, arena, out) : st;
}

enum status person_list(
        struct store *store, struct arena *arena, struct person **out, size_t *count)
{
        struct scan *scan = scan_open(store->env, NULL, TABLE_PERSON, STR_NONE, STR_NONE);
        struct str key, value;
        enum status st;
        size_t room = 0;
        *out = NULL;
        *count = 0;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                if (*count == room) {
                        struct person *more = arena_alloc(arena, (2 * room + 16) * sizeof *more);
                        if (*count)
                                memcpy(more, *out, *count * sizeof *more);
                        room = 2 * room + 16;
                        *out = more;
                }
                st = person_read(value, arena, &(*out)[*count]);
                if (st != OK)
                        break;
                if (key_mailbox_read(key, &(*out)[*count].id))
                        ++*count;
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

/* ---- changing ---- */

static enum status check_name(struct txn *txn, struct person_op *p, struct str name)
{
        struct name_record n;
        if (!name.len || name.len > 320)
                return INVALID;
        enum status st = find_name(p->op.store, txn, name, &n);
        if (st == OK)
                return n.kind == NAME_PERSON && n.id == p->person->id ? OK : EXISTS;
        return st == ABSENT ? OK : st;
}

static enum status person_check(struct txn *txn, struct op *op)
{
        struct person_op *p = (struct person_op *)op;
        struct key key = key_mailbox(p->person->id);
        enum status st = p->person->id ? table_has(op->store->env, txn, TABLE_PERSON, key_str(&key))
                                       : OK;
        if (st == OK)
                st = check_name(txn, p, p->person->name);
        for (size_t i = 0; st == OK && i < p->person->address_count; i++)
                st = check_name(txn, p, p->person->addresses[i]);
        return st;
}

static enum status change_name(struct txn *txn, struct str name, const struct name_record *n)
{
        struct arena *arena = arena_new();
        struct buf value = {0};
        struct str key = arena_lower(arena, name);
        if (n)
                name_write(n, &value);
        enum status st = n ? table_put(txn, TABLE_NAME, key, buf_str(&value))
                           : table_remove(txn, TABLE_NAME, key);
        buf_release(&value);
        arena_free(arena);
        return st == ABSENT ? OK : st;
}

/* All names of a person, put (to an id) or removed. */
static enum status change_names(
        struct txn *txn, const struct person *p, const struct name_record *n)
{
        enum status st = change_name(txn, p->name, n);
        for (size_t i = 0; st == OK && i < p->address_count; i++)
                st = change_name(txn, p->addresses[i], n);
        return st;
}

/* What this person was before; names go, and what is not the caller's to change stays. */
static enum status replace_old(struct txn *txn, struct op *op, struct person *person)
{
        struct arena *arena = arena_new();
        struct person old;
        enum status st = get_person(op->store, txn, person->id, arena, &old);
        if (st == OK)
                st = change_names(txn, &old, NULL);
        if (st == OK) {
                person->reach = old.reach;
                person->outside = old.outside;
        }
        arena_free(arena);
        return st;
}

static enum status add_folders(struct txn *txn, struct op *op, uint32_t person)
{
        enum status st = OK;
        for (size_t i = 0; st == OK && i < COUNT_OF(folders); i++) {
                struct mailbox m = {.kind = MAILBOX_FOLDER, .owner = person, .use = folders[i].use};
                uint32_t id;
                m.name = str_of(folders[i].name);
                if (m.use == USE_NONE)
                        m.kind = MAILBOX_TASKS;
                st = rows_add(txn, op, &m, &id);
        }
        return st;
}

static enum status person_put(struct txn *txn, struct op *op)
{
        struct person_op *p = (struct person_op *)op;
        struct person person = *p->person;
        struct buf value = {0};
        uint64_t id = person.id;
        enum status st = id ? replace_old(txn, op, &person)
                            : counter_take(txn, op->store, COUNTER_PERSON, &id);
        struct name_record name = {.kind = NAME_PERSON, .id = (uint32_t)id};
        struct key key = key_mailbox(name.id);
        if (!person.id && !person.created)
                person.created = time(NULL);
        person_write(&person, &value);
        if (st == OK)
                st = put_value(txn, TABLE_PERSON, &key, &value);
        buf_release(&value);
        if (st == OK)
                st = change_names(txn, &person, &name);
        if (st == OK && !person.id && !person.outside)
                st = add_folders(txn, op, name.id);
        if (p->id)
                *p->id = name.id;
        return st;
}

static void person_free(struct op *op)
{
        free(op);
}

static const struct op_kind person_kind = {
        .name = "a person",
        .check = person_check,
        .put = person_put,
        .publish = views_passed,
        .free = person_free,
};

void change_person(struct change *change, const struct person *person, uint32_t *id)
{
        struct person_op *p = mem_new(sizeof *p);
        p->op.kind = &person_kind;
        p->person = person;
        p->id = id;
        change_op(change, &p->op);
}

/* ---- what SCRAM needs ---- */

struct scram_op {
        struct op op;
        uint32_t person;
        struct str password, scram; /* borrowed */
};

static enum status scram_check(struct txn *txn, struct op *op)
{
        struct scram_op *s = (struct scram_op *)op;
        struct arena *arena = arena_new();
        struct person p;
        enum status st = get_person(op->store, txn, s->person, arena, &p);
        if (st == OK && !str_eq(p.password, s->password))
                st = CHANGED;
        arena_free(arena);
        return st;
}

static enum status scram_put(struct txn *txn, struct op *op)
{
        struct scram_op *s = (struct scram_op *)op;
        struct key key = key_mailbox(s->person);
        struct arena *arena = arena_new();
        struct buf value = {0};
        struct person p;
        enum status st = get_person(op->store, txn, s->person, arena, &p);
        if (st == OK) {
                p.scram = s->scram;
                person_write(&p, &value);
                st = put_value(txn, TABLE_PERSON, &key, &value);
        }
        buf_release(&value);
        arena_free(arena);
        return st;
}

static const struct op_kind scram_kind = {
        .name = "a person's SCRAM keys",
        .check = scram_check,
        .put = scram_put,
        .publish = views_passed,
        .free = person_free,
};

void change_person_scram(struct change *change, uint32_t id, struct str password, struct str scram)
{
        struct scram_op *s = mem_new(sizeof *s);
        s->op.kind = &scram_kind;
        s->person = id;
        s->password = password;
        s->scram = scram;
        change_op(change, &s->op);
}

/* ---- how mail to the outside fares ---- */

struct reach_op {
        struct op op;
        uint32_t person;
        struct reach before, after;
};

static bool same_reach(const struct reach *a, const struct reach *b)
{
        return a->confirmed == b->confirmed && a->score == b->score && a->bounced == b->bounced &&
               a->probed == b->probed && a->suspended == b->suspended;
}

static enum status reach_check(struct txn *txn, struct op *op)
{
        struct reach_op *r = (struct reach_op *)op;
        struct arena *arena = arena_new();
        struct person p;
        enum status st = get_person(op->store, txn, r->person, arena, &p);
        if (st == OK && !same_reach(&p.reach, &r->before))
                st = CHANGED;
        arena_free(arena);
        return st;
}

static enum status reach_put(struct txn *txn, struct op *op)
{
        struct reach_op *r = (struct reach_op *)op;
        struct key key = key_mailbox(r->person);
        struct arena *arena = arena_new();
        struct buf value = {0};
        struct person p;
        enum status st = get_person(op->store, txn, r->person, arena, &p);
        if (st == OK) {
                p.reach = r->after;
                person_write(&p, &value);
                st = put_value(txn, TABLE_PERSON, &key, &value);
        }
        buf_release(&value);
        arena_free(arena);
        return st;
}

static const struct op_kind reach_kind = {
        .name = "how mail to a person fares",
        .check = reach_check,
        .put = reach_put,
        .publish = views_passed,
        .free = person_free,
};

void change_person_reach(
        struct change *change, uint32_t id, const struct reach *before, const struct reach *after)
{
        struct reach_op *r = mem_new(sizeof *r);
        r->op.kind = &reach_kind;
        r->person = id;
        r->before = *before;
        r->after = *after;
        change_op(change, &r->op);
}

/* ---- who is outside goes ---- */

struct forget_op {
        struct op op;
        uint32_t person;
};

enum status person_outside(struct txn *txn, struct op *op, uint32_t person, bool *outside)
{
        struct arena *arena = arena_new();
        struct person p;
        enum status st = get_person(op->store, txn, person, arena, &p);
        *outside = st == OK && p.outside;
        arena_free(arena);
        return st;
}

static enum status forget_check(struct txn *txn, struct op *op)
{
        bool outside;
        enum status st = person_outside(txn, op, ((struct forget_op *)op)->person, &outside);
        return st == OK && !outside ? FORBIDDEN : st;
}

static enum status forget_put(struct txn *txn, struct op *op)
{
        uint32_t id = ((struct forget_op *)op)->person;
        struct key key = key_mailbox(id);
        struct person person = {.id = id};
        enum status st = subscriptions_drop(txn, op, id);
        if (st == OK)
                st = replace_old(txn, op, &person);
        return st == OK ? drop_value(txn, TABLE_PERSON, &key) : st;
}

static const struct op_kind forget_kind = {
        .name = "who is outside",
        .check = forget_check,
        .put = forget_put,
        .publish = views_passed,
        .free = person_free,
};

void change_person_remove(struct change *change, uint32_t id)
{
        struct forget_op *f = mem_new(sizeof *f);
        f->op.kind = &forget_kind;
        f->person = id;
        change_op(change, &f->op);
}
