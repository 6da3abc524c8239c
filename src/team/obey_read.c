#include "mail/address.h"
#include "mail/derive.h"
#include "mail/header.h"
#include "team/answered.h"
#include "team/obey.h"

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

bool obey_is_addressed(const struct submission *mail, uint32_t task)
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
        o->addressed = !obey_is_addressed(o->mail, o->task);
        if (o->addressed) { /* a fresh mail to the task: it is about what is so now */
                o->task = addressed;
                o->against = 0;
        }
        return OK;
}

/* ---- what it asks for ---- */

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

enum status obey_read_wish(struct obeying *o, struct str header)
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

enum status obey_read(struct obeying *o, bool *commanding)
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
        return *commanding ? obey_read_wish(o, header) : st;
}
