#include "team/accept.h"
#include "base/log.h"
#include "mail/derive.h"
#include "mail/header.h"
#include "team/answer_post.h"
#include "team/answered.h"
#include "team/list_mail.h"
#include "team/obey.h"

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

static bool is_automatic(const struct submission *mail)
{
        return derive_automatic(str_sub(mail->bytes, 0, header_length(mail->bytes)));
}

/* A thread is one task. Where this very message has opened one elsewhere, it is only filed here; to
 * a +task that is refused, and so is an answer within another topic's task. (An answer to all has
 * that address as well: the task began there.) */
static enum status heed_thread(struct obeying *o, bool *commanding, enum refusal *why)
{
        struct answered opened = {.task = o->task, .topic = o->topic};
        bool here = true;
        enum status st = OK;
        if (!opened.task && obey_opens_itself(o)) {
                st = submit_check(o->site, o->mail, o->arena, why);
                if (st == OK)
                        st = answered_opened(o->site, o->actor.id, o->mail->message_id, o->arena,
                                &opened);
        } else if (!o->mail->opens) {
                return OK;
        }
        if (st == OK && opened.task)
                st = answered_is_in(o->site, opened.task, o->topic, &here);
        here = here && (!opened.task || opened.topic);
        if (st != OK || here)
                return st;
        *commanding = false;
        if (!o->mail->opens)
                return OK;
        *why = REFUSED_THREAD;
        return FORBIDDEN;
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
        enum status st = obey_read(&o, &commanding);
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
        if (commanding && obey_opens_itself(&o)) {
                st = obey_by_opening(&o, why);
        } else {
                st = submit(site, mail, arena, why);
                if (st == OK && commanding)
                        obey(&o);
        }
        if (st == OK && commanding)
                obey_tell(&o);
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
        enum status st = obey_read(&o, &commanding);
        if (st != OK)
                log_warn("directives: %.*s: not obeyed: %s", STR_ARG(mail->message_id),
                        status_name(st));
        else if (commanding) {
                obey(&o);
                obey_tell(&o);
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
                else if (task && !obey_is_addressed(&a->mail, a->to[i].number))
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
