#include "team/obey.h"
#include "base/log.h"
#include "mail/header.h"
#include "team/transcript.h"

static const struct str not_now = {"It could not be done now: send it again.", 40};

/* Of a mail to several, one thread has it; the others are not drawn into that by their journals. */
static bool is_in_thread(const struct obeying *o)
{
        struct task task;
        uint64_t mine, root;
        if (o->private)
                return false;
        return !o->task || task_get(o->site->store, o->task, o->arena, &task) != OK ||
               thread_root(o->site->store, o->mail->message, &mine) != OK ||
               thread_root(o->site->store, task.root, &root) != OK || mine == root;
}

static struct task_doing doing_of(const struct obeying *o)
{
        return (struct task_doing){.person = o->actor.id,
                .against = o->against,
                .knows_own = true,
                .why = o->wish.why,
                .source_id = is_in_thread(o) ? o->mail->message_id : STR_NONE};
}

/* Why what was asked of these fields was not done. */
static struct str why_not(struct obeying *o, unsigned fields)
{
        struct str said = STR_NONE;
        for (size_t f = 0; f < FIELD_COUNT; f++)
                if (fields & 1u << f && o->done.conflicts[f].len)
                        said = arena_printf(o->arena, "%.*s%s%.*s", STR_ARG(said),
                                said.len ? " " : "", STR_ARG(o->done.conflicts[f]));
        return said.len ? said : o->done.text.len ? o->done.text : not_now;
}

/* What was asked of fields is done, or is so already, or is in conflict. */
static void settle_fields(struct obeying *o, enum status st)
{
        for (size_t i = 0; i < o->wish.count; i++) {
                struct outcome *out = &o->wish.outcomes[i];
                if (!out->fields)
                        continue;
                if (st == OK && !(out->fields & o->done.conflicted))
                        out->done = !out->why.len; /* one of several names may be wrong */
                else if (!out->why.len)
                        out->why = why_not(o, out->fields);
        }
}

static void settle(struct obeying *o, enum directive_name name, enum status st, struct str text)
{
        for (size_t i = 0; i < o->wish.count; i++) {
                struct outcome *out = &o->wish.outcomes[i];
                if (out->directive->name != name || out->directive->fault != FAULT_NONE)
                        continue;
                out->done = st == OK;
                if (st != OK && !out->why.len)
                        out->why = text;
        }
}

static void change_fields(struct obeying *o)
{
        struct task_doing doing = doing_of(o);
        enum status st = OK;
        if (o->wish.edit.fields && o->task)
                st = task_change(o->site, &doing, o->task, &o->wish.edit, o->arena, &o->done);
        settle_fields(o, st);
        if (o->task) /* said with the change, else by the message itself */
                settle(o, DO_SUMMARY, st, o->done.text);
}

static void undo(struct obeying *o)
{
        struct task_doing doing = doing_of(o);
        if (!o->wish.undo || !o->task)
                return;
        enum status st = task_undo(o->site, &doing, o->task, o->arena, &o->done);
        if (st == OK && !o->done.applied) /* there was nothing, or somebody has changed it since */
                st = o->done.conflicted ? CHANGED : ABSENT;
        settle(o, DO_UNDO, st, o->done.text);
}

/* Of the thread with this message. */
static void attend(struct obeying *o, uint64_t message)
{
        struct attended said = {.attention = o->wish.attention};
        if (!o->wish.attends)
                return;
        enum status st = thread_root(o->site->store, message, &said.root);
        if (st == OK) {
                struct change *change = change_new(o->site->store);
                change_attention(change, o->actor.id, &said);
                st = store_commit(change);
                change_free(change);
        }
        settle(o, DO_MUTE, st, not_now);
        settle(o, DO_FOLLOW, st, not_now);
}

/* Where the thread begins, when that is in the topic; else this very message. */
static struct place thread_place(struct obeying *o)
{
        enum { PLACES_MOST = 100 };
        struct place places[PLACES_MOST], place = {.mailbox = o->topic};
        size_t count = PLACES_MOST;
        uint64_t root;
        for (size_t i = 0; i < o->mail->to_count; i++)
                if (o->mail->to[i].mailbox == o->topic)
                        place.number = o->mail->to[i].number;
        if (o->opens || thread_root(o->site->store, o->mail->message, &root) != OK ||
                message_places(o->site->store, root, places, &count) != OK)
                return place;
        for (size_t i = 0; i < count; i++)
                if (places[i].mailbox == o->topic)
                        return places[i];
        return place;
}

/* A message that was filed asks for a task: its thread becomes one. */
static void open_here(struct obeying *o)
{
        struct task_doing doing = doing_of(o);
        enum status st = task_open_here(o->site, &doing, thread_place(o), &o->wish.edit, o->arena,
                &o->done);
        settle_fields(o, st);
        settle(o, DO_TASK, st, o->done.text);
        if (st == OK)
                o->task = o->done.number;
}

/* It was filed before, and this is the same mail once more: had it been obeyed? */
static bool was_obeyed(struct obeying *o)
{
        struct task_event *events;
        size_t count = 100;
        uint32_t since; /* what the actor did before it came is not what it asks for */
        bool already = false;
        for (size_t i = 0; i < o->mail->to_count; i++)
                already = already || ((o->private || o->mail->to[i].mailbox == o->topic) &&
                                             o->mail->to[i].already);
        if (!already || !o->task ||
                task_version_at(o->site->store, o->task, o->mail->message, &since) != OK ||
                task_events(o->site->store, o->task, since, o->arena, &events, &count) != OK)
                return false;
        for (size_t i = 0; i < count; i++)
                if (events[i].person == o->actor.id)
                        return true;
        return false;
}

void obey(struct obeying *o)
{
        bool opens = (o->opens || o->wish.opens) && !o->task;
        if (was_obeyed(o))
                return;
        if (opens)
                open_here(o);
        else
                change_fields(o);
        if (!opens)
                settle(o, DO_TASK, OK, STR_NONE);
        undo(o);
        attend(o, o->mail->message);
}

void obey_tell(struct obeying *o)
{
        struct transcript t = {.person = &o->actor,
                .task = o->task,
                .mail = o->mail,
                .outcomes = o->wish.outcomes,
                .count = o->wish.count,
                .more = o->directives.more};
        if (transcript_send(o->site, &t) != OK)
                log_warn("directives: %.*s could not be told what was not done",
                        STR_ARG(o->actor.name));
}

/* ---- a message that opens a task ---- */

enum status obey_by_opening(struct obeying *o, enum refusal *why)
{
        struct task_doing doing = doing_of(o);
        enum status st = task_open(
                o->site, &doing, o->mail, &o->wish.edit, o->arena, &o->done, why);
        if (st != OK && *why == REFUSED_NOT && o->done.text.len) {
                /* some value cannot be: the mail is not lost for it, and the task opens without */
                struct task_edit bare = {.fields = o->wish.edit.fields & 1u << FIELD_TITLE,
                        .title = o->wish.edit.title};
                struct str text = o->done.text;
                st = task_open(o->site, &doing, o->mail, &bare, o->arena, &o->done, why);
                o->done.text = text;
                settle_fields(o, CHANGED);
        } else if (st == OK) {
                settle_fields(o, OK);
        }
        if (st == OK) {
                o->task = o->done.number;
                settle(o, DO_TASK, OK, STR_NONE);
                settle(o, DO_SUMMARY, OK, STR_NONE);
                attend(o, o->mail->message);
        }
        return st;
}

bool obey_opens_itself(struct obeying *o)
{
        struct str header = str_sub(o->mail->bytes, 0, header_length(o->mail->bytes));
        bool answers = header_count(header, "In-Reply-To") || header_count(header, "References");
        return !o->task && (o->opens || (o->wish.opens && !answers));
}

/* ---- one mail to several tasks ---- */

/* It has joined the thread of one; what it asks for is done to this one, too. What is wrong in
 * itself was told with the first. */
static enum status obey_also(const struct obeying *first, struct task *task)
{
        struct str header = str_sub(first->mail->bytes, 0, header_length(first->mail->bytes));
        struct obeying o = {.site = first->site,
                .mail = first->mail,
                .arena = first->arena,
                .actor = first->actor,
                .topic = task->topic,
                .task = task->number,
                .directives = first->directives};
        enum status st = obey_read_wish(&o, header);
        if (st != OK || was_obeyed(&o))
                return st;
        o.directives.more = false;
        for (size_t i = 0; i < o.wish.count; i++)
                if (o.wish.outcomes[i].directive->fault != FAULT_NONE)
                        o.wish.outcomes[i].why = STR_NONE;
        change_fields(&o);
        settle(&o, DO_TASK, OK, STR_NONE);
        undo(&o);
        attend(&o, task->root);
        obey_tell(&o);
        return OK;
}

void obey_others(const struct obeying *first)
{
        const struct submission *mail = first->mail;
        for (size_t i = 0; i <= mail->also_count; i++) {
                uint32_t number = i ? mail->also[i - 1] : mail->about;
                struct task task;
                if (!number || number == first->task)
                        continue;
                enum status st = task_get(first->site->store, number, first->arena, &task);
                if (st == OK)
                        st = obey_also(first, &task);
                if (st != OK)
                        log_warn("directives: %.*s: not obeyed for T-%u: %s",
                                STR_ARG(mail->message_id), number, status_name(st));
        }
}
