#include "team/accept.h"
#include "base/log.h"
#include "mail/address.h"
#include "mail/derive.h"
#include "mail/header.h"
#include "team/answer_post.h"
#include "team/answered.h"
#include "team/list_mail.h"
#include "team/transcript.h"
#include "team/wish.h"

/* One message that may command something. */
struct obeying {
        struct site *site;
        struct submission *mail;
        struct arena *arena;
        struct person actor;
        uint32_t topic;            /* the first that it goes to; 0: none */
        uint32_t task;             /* that it is about; 0: none */
        uint32_t against;          /* the version that the actor saw; 0: the current one */
        bool opens;                /* its address or subject opens a task */
        bool addressed;            /* to T-142@: and so to its thread */
        bool private;              /* to people alone: it is not filed in the topic */
        struct directives directives;
        struct wish wish;
        struct task_done done;
};

static const struct str not_now = {"It could not be done now: send it again.", 40};

/* ---- who commands ---- */

static bool is_own(struct obeying *o, struct str header)
{
        struct addresses list = address_list(o->arena, header_value(o->arena, header, "From"));
        for (size_t i = 0; i < list.count; i++) {
                struct str from = address_text(o->arena, &list.v[i]);
                if (rules_person_of(o->site, from) != o->mail->sender->person)
                        return false;
        }
        return list.count > 0 && header_count(header, "From") == 1;
}

/* False: it is only to be filed. */
static bool commands(struct obeying *o, struct str header)
{
        const struct sender *sender = o->mail->sender;
        return sender->person && sender->way != WAY_IMPORT && !derive_automatic(header) &&
               is_own(o, header) &&
               person_get(o->site->store, sender->person, o->arena, &o->actor) == OK;
}

/* ---- what it is about ---- */

static enum status find_topic(struct obeying *o)
{
        for (size_t i = 0; i < o->mail->to_count && !o->topic; i++) {
                struct topic topic;
                uint32_t mailbox = o->mail->to[i].mailbox;
                enum status st = topic_get(o->site->store, mailbox, o->arena, &topic);
                if (st != OK && st != ABSENT)
                        return st;
                if (st == OK)
                        o->topic = topic.id;
        }
        return OK;
}

/* To people alone, and no copy that a client keeps: it commands in the topic of what it answers. */
static enum status find_private(struct obeying *o, const struct parsed_mail *parsed)
{
        struct answered answered;
        enum way way = o->mail->sender->way;
        if (o->topic || way == WAY_APPEND || way == WAY_NEWS || !directive_may_stand(parsed))
                return OK;
        enum status st = answered_task(
                o->site, o->mail->sender->person, parsed->top->header, o->arena, &answered);
        o->topic = answered.topic;
        o->private = o->topic != 0;
        return st;
}

static bool is_addressed(const struct submission *mail, uint32_t task)
{
        bool is = task == mail->about;
        for (size_t i = 0; i < mail->also_count; i++)
                is = is || task == mail->also[i];
        return is;
}

static enum status find_object(struct obeying *o, struct str header)
{
        uint32_t addressed = o->mail->about;
        struct answered answered;
        enum status st = answered_task(
                o->site, o->mail->sender->person, header, o->arena, &answered);
        o->task = answered.task;
        o->against = answered.against;
        if (st != OK || !addressed)
                return st;
        o->addressed = !is_addressed(o->mail, o->task);
        if (o->addressed) { /* a fresh mail to the task: it is about what is so now */
                o->task = addressed;
                o->against = 0;
        }
        return OK;
}

/* ---- doing it ---- */

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

static void obey(struct obeying *o)
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

static void tell(struct obeying *o)
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

/* ---- reading it ---- */

/* A task that is opened is called as /task, the subject or the field Title says. */
static void find_title(struct obeying *o, struct str subject)
{
        struct task_edit *e = &o->wish.edit;
        struct str title = o->wish.title;
        if (e->fields & 1u << FIELD_TITLE)
                return;
        if (!title.len && !directive_subject_task(subject, &title))
                title = STR_NONE;
        if (title.len) {
                e->title = title;
                e->fields |= 1u << FIELD_TITLE;
        }
}

static bool asks_for_task(const struct directives *d)
{
        for (size_t i = 0; i < d->count; i++)
                if (d->v[i].name == DO_TASK && d->v[i].fault == FAULT_NONE)
                        return true;
        return false;
}

static enum status read_directives(struct obeying *o, struct parsed_mail *parsed)
{
        struct str subject = header_text(o->arena, parsed->top->header, "Subject"), title;
        const struct zone *zone;
        o->opens = !o->private && (o->mail->opens || directive_subject_task(subject, &title));
        if (!o->opens && !directive_may_stand(parsed))
                return OK;
        if (zone_find(o->actor.zone, &zone) != OK && zone_find(STR("UTC"), &zone) != OK)
                return BROKEN;
        directive_read(parsed, zone, clock_now(), o->opens ? STRICT : LENIENT, &o->directives);
        return OK;
}

static enum status read_wish(struct obeying *o, struct str header)
{
        bool opens = !o->task && (o->opens || asks_for_task(&o->directives));
        struct wishing in = {.site = o->site,
                .person = o->actor.id,
                .topic = o->topic,
                .has_task = o->task || opens};
        enum status st = wish_make(&in, &o->directives, o->arena, &o->wish);
        if (st == OK && opens)
                find_title(o, header_text(o->arena, header, "Subject"));
        return st;
}

/* What it asks for, and what it is about; *commanding: somebody who may ask does. Most mail asks for
 * nothing: only of what does is looked up what it answers, which waits for a flush. */
static enum status prepare(struct obeying *o, bool *commanding)
{
        struct parsed_mail *parsed = submit_parsed(o->mail, o->arena);
        struct str header = parsed->top->header;
        enum status st = find_topic(o);
        *commanding = st == OK && commands(o, header);
        if (*commanding)
                st = find_private(o, parsed);
        *commanding = *commanding && st == OK && o->topic;
        if (*commanding)
                st = read_directives(o, parsed);
        *commanding = *commanding && st == OK && (o->directives.count || o->opens);
        if (st == OK && o->topic && (*commanding || o->mail->about))
                st = find_object(o, header);
        *commanding = *commanding && st == OK;
        return *commanding ? read_wish(o, header) : st;
}

/* The message that opens its thread as a task: filed and opened in one change. */
static enum status file_and_open(struct obeying *o, enum refusal *why)
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

static bool is_automatic(const struct submission *mail)
{
        return derive_automatic(str_sub(mail->bytes, 0, header_length(mail->bytes)));
}

/* An answer that says /task makes a task of the thread that it answers, not of itself. */
static bool opens_itself(struct obeying *o)
{
        struct str header = str_sub(o->mail->bytes, 0, header_length(o->mail->bytes));
        bool answers = header_count(header, "In-Reply-To") || header_count(header, "References");
        return !o->task && (o->opens || (o->wish.opens && !answers));
}

/* A thread is one task. Where this very message has opened one elsewhere, it is only filed here; to a
 * +task that is refused, and so is an answer within another topic's task. (An answer to all has that
 * address as well: the task began there.) */
static enum status heed_thread(struct obeying *o, bool *commanding, enum refusal *why)
{
        uint32_t number = o->task;
        bool here = true;
        enum status st = OK;
        if (!number && opens_itself(o)) {
                st = submit_check(o->site, o->mail, o->arena, why);
                if (st == OK)
                        st = answered_opened(o->site, o->actor.id, o->mail->message_id, o->arena,
                                &number);
        } else if (!o->mail->opens) {
                return OK;
        }
        if (st == OK && number)
                st = answered_is_in(o->site, number, o->topic, &here);
        if (st != OK || here)
                return st;
        *commanding = false;
        if (!o->mail->opens)
                return OK;
        *why = REFUSED_THREAD;
        return FORBIDDEN;
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
        enum status st = read_wish(&o, header);
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
        tell(&o);
        return OK;
}

static void obey_others(const struct obeying *first)
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

/* A fresh mail to a task joins its thread; an answer within it stays where it is. */
static enum status join_thread(struct obeying *o)
{
        struct stored root;
        struct task task;
        enum status st = task_get(o->site->store, o->task, o->arena, &task);
        if (st == OK)
                st = messages_read(o->site->store, &task.root, 1, READ_SUMMARY, o->arena, &root);
        if (st == OK && root.id)
                o->mail->joins = root.message_id;
        return st;
}

CHECKED enum status accept_post(
        struct site *site, struct submission *mail, struct arena *arena, enum refusal *why)
{
        struct obeying o = {.site = site, .mail = mail, .arena = arena};
        bool commanding;
        *why = REFUSED_NOT;
        if (mail->opens && !mail->sender->person) {
                *why = REFUSED_LOGIN;
                return FORBIDDEN;
        }
        enum status st = prepare(&o, &commanding);
        if (st == OK && mail->opens && !commanding && !is_automatic(mail)) {
                *why = REFUSED_AUTHOR;
                return FORBIDDEN;
        }
        if (st == OK && commanding)
                st = heed_thread(&o, &commanding, why);
        if (st == OK && o.addressed)
                st = join_thread(&o);
        if (st != OK) {
                *why = *why ? *why : REFUSED_SITE;
                return st;
        }
        if (commanding && opens_itself(&o)) {
                st = file_and_open(&o, why);
        } else {
                st = submit(site, mail, arena, why);
                if (st == OK && commanding)
                        obey(&o);
        }
        if (st == OK && commanding)
                tell(&o);
        if (st == OK && commanding)
                obey_others(&o);
        return st;
}

void accept_obey(struct site *site, const struct submission *mail)
{
        struct arena *arena = arena_new();
        struct submission copy = *mail;
        copy.parsed = NULL; /* its arena may be gone */
        struct obeying o = {.site = site, .mail = &copy, .arena = arena};
        bool commanding;
        enum status st = prepare(&o, &commanding);
        if (st != OK)
                log_warn("directives: %.*s: not obeyed: %s", STR_ARG(mail->message_id),
                        status_name(st));
        else if (commanding) {
                obey(&o);
                tell(&o);
        }
        arena_free(arena);
}

/* ---- mail to addresses ---- */

/* What is about one task only is filed in its topic. */
static void note_purpose(struct acceptance *a, struct arena *arena)
{
        uint32_t *also = arena_alloc(arena, (a->to_count + 1) * sizeof *also);
        a->mail.also = also;
        for (size_t i = 0; i < a->to_count; i++) {
                bool task = a->to[i].kind == TARGET_TASK;
                if (task && !a->mail.about)
                        a->mail.about = a->to[i].number;
                else if (task && !is_addressed(&a->mail, a->to[i].number))
                        also[a->mail.also_count++] = a->to[i].number;
                if (a->to[i].kind == TARGET_COMMAND && a->to[i].what == SUB_TASK)
                        a->mail.opens = true;
        }
}

/* What is asked of topics comes first: when it is refused, nothing has been filed. */
static enum status obey_commands(
        struct site *site, struct submission *mail, struct arena *arena, enum refusal *why)
{
        enum status st = submit_check(site, mail, arena, why);
        for (size_t i = 0; st == OK && i < mail->command_count; i++)
                if (mail->commands[i].what == SUB_ANSWER)
                        st = answer_obey(site, mail, &mail->commands[i], arena, why);
                else if (mail->commands[i].what != SUB_TASK)
                        st = list_obey(site, mail, &mail->commands[i], arena, why);
        return st;
}

CHECKED enum status accept_mail(
        struct site *site, struct acceptance *a, struct arena *arena, enum refusal *why)
{
        struct submission *mail = &a->mail;
        *why = REFUSED_NOT;
        enum status st = submit_placements(
                site, a->to, a->to_count, arena, &mail->to, &mail->to_count);
        if (st != OK) {
                *why = REFUSED_SITE;
                return st;
        }
        submit_others(a->to, a->to_count, arena, mail);
        note_purpose(a, arena);
        bool files = mail->to_count + mail->outside_count > 0;
        if (mail->command_count)
                st = obey_commands(site, mail, arena, why);
        return st == OK && files ? accept_post(site, mail, arena, why) : st;
}
