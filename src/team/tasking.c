#include "team/tasking.h"
#include "base/clock.h"
#include "mail/header.h"
#include "team/card.h"
#include "team/prefix.h"

enum { EVENTS_MOST = 10000 }; /* that somebody may have missed */

struct tasking *tasking_new(
        struct site *site, const struct task_doing *doing, struct arena *arena)
{
        struct tasking *t = arena_alloc(arena, sizeof *t);
        t->site = site;
        t->doing = doing;
        t->arena = arena;
        t->now = doing->now ? doing->now : clock_now();
        return t;
}

enum status tasking_may(struct tasking *t, uint32_t topic)
{
        struct rights rights;
        if (!t->doing->person)
                return OK;
        enum status st = rules_topic(t->site, t->doing->person, topic, &rights);
        if (st != OK)
                return st;
        return !rights.read ? ABSENT : rights.post ? OK : FORBIDDEN;
}

static enum status read_root_id(struct tasking *t)
{
        struct stored s;
        enum status st = messages_read(
                t->site->store, &t->old.root, 1, READ_SUMMARY, t->arena, &s);
        if (st == OK && s.id)
                t->root_id = s.message_id;
        return st;
}

enum status tasking_load(struct tasking *t, uint32_t number)
{
        enum status st = task_get(t->site->store, number, t->arena, &t->old);
        if (st == OK)
                st = topic_get(t->site->store, t->old.topic, t->arena, &t->was);
        if (st == OK)
                st = tasking_may(t, t->old.topic);
        return st == OK ? read_root_id(t) : st;
}

enum status tasking_edit(
        struct tasking *t, const struct task_edit *want, uint32_t against, struct task_done *out)
{
        struct task_event *since = NULL;
        size_t count = EVENTS_MOST;
        enum status st = OK;
        if (against && against < t->old.version)
                st = task_events(
                        t->site->store, t->old.number, against, t->arena, &since, &count);
        t->edit = (struct edit){.site = t->site,
                .arena = t->arena,
                .want = want,
                .person = t->doing->person,
                .knows_own = t->doing->knows_own,
                .old = &t->old,
                .since = since,
                .since_count = since ? count : 0,
                .now = t->now};
        if (st == OK)
                st = edit_apply(&t->edit);
        out->text = t->edit.fault;
        return st;
}

/* ---- what is told ---- */

/* The fields that differ, before and after. A new task has everything to tell. */
static enum status list_changes(struct tasking *t)
{
        struct task_change *changes = arena_alloc(t->arena, FIELD_COUNT * sizeof *changes);
        enum status st = OK;
        t->event.changes = changes;
        for (unsigned field = 0; st == OK && field < FIELD_COUNT; field++) {
                struct task_change *c = &changes[t->event.change_count];
                *c = (struct task_change){.field = field};
                if (t->old.version)
                        st = field_value(t->site, &t->old, field, t->arena, &c->before);
                if (st == OK)
                        st = field_value(t->site, &t->edit.new, field, t->arena, &c->after);
                t->event.change_count += st == OK && !str_eq(c->before, c->after);
        }
        return st;
}

static struct telling telling_of(const struct tasking *t)
{
        return (struct telling){.site = t->site,
                .task = &t->edit.new,
                .topic = &t->edit.topic,
                .was = &t->was,
                .event = &t->event,
                .conflicts = t->edit.conflicts,
                .conflict_count = t->edit.conflict_count,
                .undone = t->undone,
                .why = t->doing->why,
                .root_id = t->root_id,
                .source_id = t->doing->source_id};
}

static enum status make_event(struct tasking *t)
{
        struct task *new = &t->edit.new;
        new->version = t->old.version + 1;
        new->changed = t->now;
        t->event = (struct task_event){.task = new->number,
                .version = new->version,
                .person = t->doing->person,
                .at = t->now,
                .undoes = t->undoes,
                .conflict = t->edit.conflict_count > 0};
        enum status st = list_changes(t);
        if (st == OK)
                st = card_fields(t->site, new, t->arena, &t->fields);
        struct telling telling = telling_of(t);
        t->lines = journal_lines(&telling, t->arena);
        return st;
}

/* Who has it from now on, other than who did it. */
static uint32_t *gained_by(const struct tasking *t, size_t *count)
{
        const struct task *new = &t->edit.new;
        uint32_t *out = arena_alloc(t->arena, new->assignee_count * sizeof *out + 1);
        *count = 0;
        for (size_t i = 0; i < new->assignee_count; i++) {
                bool known = new->assignees[i] == t->doing->person;
                for (size_t j = 0; !known && j < t->old.assignee_count; j++)
                        known = t->old.assignees[j] == new->assignees[i];
                if (!known)
                        out[(*count)++] = new->assignees[i];
        }
        return out;
}

/* ---- filing ---- */

struct parts { /* of the change; live until the commit */
        struct sender sender, nobody;
        struct placement to[2], here;
        struct submission journal, moved;
        struct filing opening, journal_filing, moved_filing, card;
        struct derived card_derived;
        struct filing_entry entries[TASK_CARDS_MOST];
        struct placing placing;
        struct place burn;
        struct task_put put;
};

static struct parts *parts_new(struct tasking *t)
{
        struct parts *p = arena_alloc(t->arena, sizeof *p);
        p->sender = (struct sender){.way = WAY_SITE, .person = t->doing->person};
        p->nobody = (struct sender){.way = WAY_SITE};
        p->burn.mailbox = t->doing->burn;
        return p;
}

static enum status add_opening(
        struct tasking *t, struct parts *p, struct change *change, enum refusal *why)
{
        struct submission *m = t->opening;
        m->kind = "task";
        m->task = t->fields;
        m->assigned = gained_by(t, &m->assigned_count);
        enum status st = submit_add(t->site, change, m, t->arena, &p->opening, why);
        t->root_id = m->message_id;
        return st;
}

static enum status add_journal(
        struct tasking *t, struct parts *p, struct change *change, enum refusal *why)
{
        struct telling telling = telling_of(t);
        struct submission *m = &p->journal;
        p->to[0].mailbox = t->edit.new.topic;
        p->to[1].mailbox = t->old.topic;
        /* who acted has seen it, but not what was not done of it */
        *m = (struct submission){.sender = t->edit.conflict_count ? &p->nobody : &p->sender,
                .bytes = journal_compose(&telling, t->lines, t->arena),
                .date = t->now,
                .to = p->to,
                .to_count = t->old.version && t->old.topic != t->edit.new.topic ? 2 : 1,
                .kind = "journal",
                .task = t->fields};
        m->assigned = gained_by(t, &m->assigned_count);
        return submit_add(t->site, change, m, t->arena, &p->journal_filing, why);
}

/* In another topic the thread begins with the same message. It may have gone: then without. */
static enum status add_moved(
        struct tasking *t, struct parts *p, struct change *change, enum refusal *why)
{
        struct buf octets = {0};
        enum status st = message_octets(t->site->store, t->old.root, 0, UINT64_MAX, &octets);
        p->here.mailbox = t->edit.new.topic;
        p->moved = (struct submission){.sender = &p->nobody,
                .bytes = arena_copy(t->arena, buf_str(&octets)),
                .to = &p->here,
                .to_count = 1,
                .kind = "task",
                .task = t->fields};
        buf_release(&octets);
        if (st != OK)
                return st == ABSENT ? OK : st;
        return submit_add(t->site, change, &p->moved, t->arena, &p->moved_filing, why);
}

static struct filing_entry entry_of(struct tasking *t, const struct placing *placing, size_t i,
        struct str prefix)
{
        struct filing_entry e = {
                .mailbox = placing->at[i].mailbox, .prefix = prefix, .date = t->now};
        uint32_t owner = placing->at[i].owner;
        if (t->doing->person && (!owner || owner == t->doing->person)) { /* knows what it says */
                e.person = t->doing->person;
                e.flags = FLAG_SEEN;
        }
        return e;
}

/* The card's message, as it lies there or made now. */
static enum status card_bytes(struct tasking *t, bool again, struct str *bytes)
{
        struct card card = {.site = t->site,
                .task = &t->edit.new,
                .topic = &t->edit.topic,
                .root_id = t->root_id};
        struct buf octets = {0};
        enum status st = ABSENT;
        if (again && t->old.card)
                st = message_octets(t->site->store, t->old.card, 0, UINT64_MAX, &octets);
        *bytes = arena_copy(t->arena, buf_str(&octets));
        buf_release(&octets);
        if (st != ABSENT)
                return st;
        st = t->edit.new.root ? thread_root(t->site->store, t->edit.new.root, &card.thread) : OK;
        return st == OK ? card_compose(&card, t->arena, bytes) : st;
}

/* Files the card in those places of p->placing that `entries` names. */
static enum status add_card(struct tasking *t, struct parts *p, struct change *change, bool again)
{
        struct str bytes;
        if (!p->card.entry_count)
                return OK;
        enum status st = card_bytes(t, again, &bytes);
        if (st != OK)
                return st;
        derive(t->arena, bytes, &p->card_derived);
        struct str prefix = prefix_card(
                t->site, p->card_derived.message_id, &t->edit.topic, t->fields, t->arena);
        p->card.bytes = bytes;
        p->card.derived = &p->card_derived;
        p->card.site = site_config(t->site)->host;
        for (size_t i = 0; i < p->card.entry_count; i++)
                p->entries[i].prefix = prefix;
        return change_file(change, &p->card);
}

static enum status place_all(struct tasking *t, struct parts *p)
{
        enum status st = placing_find(
                t->site, &t->edit.new, &t->edit.topic, t->now, &p->placing);
        for (size_t i = 0; st == OK && i < p->placing.count; i++)
                p->entries[i] = entry_of(t, &p->placing, i, STR_NONE);
        p->card.entries = p->entries;
        p->card.entry_count = p->placing.count;
        return st;
}

static enum status fill_change(
        struct tasking *t, struct parts *p, struct change *change, enum refusal *why)
{
        enum status st = place_all(t, p);
        if (p->burn.mailbox)
                change_burn(change, &p->burn);
        if (st == OK && t->opening)
                st = add_opening(t, p, change, why);
        if (st == OK && t->old.version && t->old.topic != t->edit.new.topic)
                st = add_moved(t, p, change, why);
        if (st == OK && !t->opening)
                st = add_journal(t, p, change, why);
        if (st == OK)
                st = add_card(t, p, change, false);
        p->put = (struct task_put){.task = &t->edit.new,
                .event = &t->event,
                .opening = t->opening ? &p->opening : NULL,
                .journal = t->opening ? NULL : &p->journal_filing,
                .card = p->card.entry_count ? &p->card : NULL,
                .burn = p->burn.mailbox ? &p->burn : NULL,
                .look = p->placing.look,
                .now = t->now};
        if (st == OK)
                change_task(change, &p->put);
        return st;
}

/* Those that are waited for from now on, or no longer. The store has made them due in any case. */
static void look_at_others(struct tasking *t)
{
        struct numset *before = numset_new(), *after = numset_new();
        uint32_t n;
        for (size_t i = 0; i < t->old.wait_count && !t->old.closed; i++)
                numset_add(before, t->old.waits[i]);
        for (size_t i = 0; i < t->edit.new.wait_count && !t->edit.new.closed; i++)
                numset_add(after, t->edit.new.waits[i]);
        numset_xor(before, after);
        for (struct walk w = numset_walk(before); walk_next(&w, &n);)
                if (task_look(t->site, n, t->now) != OK)
                        break;
        numset_free(before);
        numset_free(after);
}

/* The relay learns of what goes out to those who have each message mailed. */
static void tell_filed(struct tasking *t, struct parts *p)
{
        if (t->opening)
                submit_done(t->site, t->opening, &p->opening);
        if (p->journal_filing.bytes.len)
                submit_done(t->site, &p->journal, &p->journal_filing);
        if (p->moved_filing.bytes.len)
                submit_done(t->site, &p->moved, &p->moved_filing);
}

static enum status commit(struct tasking *t, struct task_done *out, enum refusal *why)
{
        struct parts *p = parts_new(t);
        struct change *change = change_new(t->site->store);
        enum status st = fill_change(t, p, change, why);
        if (st == OK)
                st = store_commit(change);
        else if (st == ABSENT && *why == REFUSED_NOT)
                st = CHANGED; /* the columns changed between two looks */
        change_free(change);
        if (st == ABSENT && *why == REFUSED_NOT)
                st = CHANGED;
        if (st != OK)
                return st;
        tell_filed(t, p);
        t->skipped = p->put.skipped;
        out->burned = p->burn.number;
        out->version = t->edit.new.version;
        look_at_others(t);
        return OK;
}

/* ---- the same version in other places ---- */

/* Does the card that lies there tell the status by what its column was called before? */
static enum status is_stale(struct tasking *t, bool *stale)
{
        struct buf prefix = {0};
        const struct place *card = t->old.cards;
        *stale = false;
        if (!t->old.card_count)
                return OK;
        enum status st = prefix_read(t->site->store, card->mailbox, card->number, &prefix);
        struct str now = prefix_card(t->site, STR_NONE, &t->edit.topic, t->fields, t->arena);
        if (st == OK) /* as they are written: what is encoded may be read in two ways */
                *stale = !str_eq(header_value(t->arena, now, "Baton-Task"),
                        header_value(t->arena, buf_str(&prefix), "Baton-Task"));
        buf_release(&prefix);
        return st == ABSENT ? CHANGED : st;
}

/* Old cards that stay, and places where one is wanted. */
static void compare_places(struct tasking *t, struct parts *p, struct place again, bool stale)
{
        struct place *stay = arena_alloc(t->arena, t->old.card_count * sizeof *stay + 1);
        p->put.stay = stay;
        for (size_t i = 0; i < p->placing.count; i++) {
                const struct place *lies = NULL;
                for (size_t j = 0; !lies && j < t->old.card_count; j++)
                        if (t->old.cards[j].mailbox == p->placing.at[i].mailbox)
                                lies = &t->old.cards[j];
                if (lies && !stale && lies->mailbox != again.mailbox)
                        stay[p->put.stay_count++] = *lies;
                else
                        p->entries[p->card.entry_count++] = entry_of(t, &p->placing, i, STR_NONE);
        }
}

static enum status fill_place(
        struct tasking *t, struct parts *p, struct change *change, struct place again)
{
        bool stale = false;
        enum status st = placing_find(
                t->site, &t->edit.new, &t->edit.topic, t->now, &p->placing);
        if (st == OK)
                st = card_fields(t->site, &t->edit.new, t->arena, &t->fields);
        if (st == OK)
                st = is_stale(t, &stale);
        if (st != OK)
                return st;
        compare_places(t, p, again, stale);
        p->card.entries = p->entries;
        if (p->burn.mailbox)
                change_burn(change, &p->burn);
        st = add_card(t, p, change, !stale);
        p->put.task = &t->edit.new;
        p->put.card = p->card.entry_count ? &p->card : NULL;
        p->put.burn = p->burn.mailbox ? &p->burn : NULL;
        p->put.look = p->placing.look;
        p->put.now = t->now;
        if (st == OK)
                change_task(change, &p->put);
        return st;
}

static enum status place(struct tasking *t, struct place again, uint32_t *burned, bool *changed)
{
        struct parts *p = parts_new(t);
        struct change *change = change_new(t->site->store);
        t->edit.new = t->old;
        t->edit.topic = t->was;
        enum status st = fill_place(t, p, change, again);
        if (st == OK)
                st = store_commit(change);
        change_free(change);
        *changed = p->card.entry_count || p->put.stay_count < t->old.card_count;
        *burned = p->burn.number;
        return st == ABSENT ? CHANGED : st;
}

enum status tasking_place(struct tasking *t, struct place again, bool *changed)
{
        uint32_t burned;
        return place(t, again, &burned, changed);
}

/* ---- */

static struct str say_result(struct tasking *t)
{
        const struct task *new = &t->edit.new;
        struct str where = field_say(t->site, &t->edit.topic, FIELD_STATUS, new->status, t->arena);
        if (new->version == 1)
                return arena_printf(t->arena, "T-%u is open in %.*s: %.*s", new->number,
                        STR_ARG(where), STR_ARG(new->title));
        return arena_printf(t->arena, "T-%u: %.*s", new->number, STR_ARG(str_trim(t->lines)));
}

/* A client that moves a card to where it lies has to find it there anew. */
static enum status answer_same(struct tasking *t, struct task_done *out)
{
        struct place again = {0};
        bool changed;
        out->version = t->old.version;
        out->text = arena_printf(t->arena, "T-%u: that is so already.", t->old.number);
        if (!t->doing->burn)
                return OK;
        if (t->old.card_count)
                again = t->old.cards[0];
        return place(t, again, &out->burned, &changed);
}

enum status tasking_finish(struct tasking *t, struct task_done *out, enum refusal *why)
{
        *why = REFUSED_NOT;
        out->number = t->old.number;
        out->applied = t->edit.applied;
        out->conflicted = t->edit.conflicted;
        out->same = t->edit.same;
        if (t->old.version && !t->edit.applied && !t->edit.conflicted)
                return answer_same(t, out);
        enum status st = make_event(t);
        if (st == OK)
                st = commit(t, out, why);
        struct telling telling = telling_of(t);
        for (size_t i = 0; st == OK && i < t->edit.conflict_count; i++)
                out->conflicts[t->edit.conflicts[i].field] =
                        journal_conflict(&telling, &t->edit.conflicts[i], t->arena);
        if (st == OK)
                out->text = say_result(t);
        return st;
}
