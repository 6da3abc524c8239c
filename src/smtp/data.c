#include "smtp/session.h"
#include "base/log.h"
#include "team/room.h"
#include "team/vouch.h"

/* How one filing went, for the reply or replies. */
struct outcome {
        enum status st;
        enum refusal why;
        struct str id;
};

/* One filing holds that many entries. A sender who repeats a mail that was filed for some of its
 * recipients doubles nothing: a mailbox that has the message keeps its entry. */
enum { AT_ONCE = 60 };

static struct outcome file_for(struct session *s, struct str bytes, size_t first, size_t count)
{
        struct sender sender = smtp_sender(s);
        struct outcome out = {.why = REFUSED_NOT, .id = STR("")};
        struct acceptance in = {.mail = {.sender = &sender,
                                        .bytes = bytes,
                                        .envelope_id = s->envelope_id,
                                        .returned = s->returned},
                .to = s->targets + first,
                .to_count = count};
        uint64_t room = 2 * (uint64_t)bytes.len; /* it may be copied, with fields that it lacks */
        if (s->trusted)
                sender.person = vouch_author(s->site, s->mail, bytes);
        out.st = room_take(s->site->room, s->wire, room);
        if (out.st != OK)
                return out;
        struct arena *arena = arena_new();
        out.st = accept_mail(s->site, &in, arena, &out.why);
        if (out.st == OK)
                out.id = arena_copy(s->mail, in.mail.message_id);
        arena_free(arena);
        room_leave(s->site->room, room);
        return out;
}

static bool is_private(struct session *s, const struct target *t)
{
        struct topic topic;
        if (t->kind == TARGET_COMMAND) /* what is refused of it is refused alone */
                return true;
        return t->kind == TARGET_TOPIC &&
               (topic_get(s->site->store, t->id, s->arena, &topic) != OK ||
                       topic.access == ACCESS_MEMBERS);
}

/* How many of the targets from `first` on are filed together. Those who read one of them see in
 * Newsgroups and Xref which the others are, so a topic for members only stands alone. */
static size_t together(struct session *s, size_t first)
{
        size_t n = 1;
        if (is_private(s, &s->targets[first]))
                return n;
        while (n < AT_ONCE && first + n < s->target_count &&
                !is_private(s, &s->targets[first + n]))
                n++;
        return n;
}

/* What is queued for the outside comes last: when a filing fails and the client sends the mail
 * again, mailboxes keep the entry that they have, but a queue would get it twice. What is asked for
 * comes first: it may be refused, and then nothing shall have been filed. */
static void put_in_order(struct session *s)
{
        static const enum target_kind order[] = {TARGET_COMMAND, 0, TARGET_OUTSIDE};
        struct target *sorted = mem_new(s->target_count * sizeof *sorted);
        size_t n = 0;
        for (size_t k = 0; k < COUNT_OF(order); k++) {
                for (size_t i = 0; i < s->target_count; i++) {
                        enum target_kind kind = s->targets[i].kind;
                        bool usual = kind != TARGET_COMMAND && kind != TARGET_OUTSIDE;
                        if (order[k] ? kind == order[k] : usual)
                                sorted[n++] = s->targets[i];
                }
        }
        free(s->targets);
        s->targets = sorted;
}

static struct outcome file_for_all(struct session *s, struct str bytes)
{
        struct outcome out = {.st = OK};
        if (!s->door->lmtp) /* whose replies are in the order of the recipients */
                put_in_order(s);
        for (size_t first = 0, n; first < s->target_count && out.st == OK; first += n) {
                n = together(s, first);
                out = file_for(s, bytes, first, n);
        }
        return out;
}

static void say_outcome(struct session *s, const struct outcome *o)
{
        if (o->st != OK) {
                smtp_refuse(s, o->st, o->why, STR(""));
                return;
        }
        struct str shown = smtp_shown(s, o->id), from = smtp_shown(s, s->reverse_path);
        log_note("%.*s [%.*s]: from <%.*s>: filed %.*s", STR_ARG(wire_peer(s->wire)->listener),
                STR_ARG(wire_peer(s->wire)->address), STR_ARG(from), STR_ARG(shown));
        smtp_say(s, "250 2.0.0 Filed as %.*s", STR_ARG(shown));
        s->errors = s->junk = 0;
}

/* What may be true of one recipient and not of another (RFC 2033 4.2: each has a reply). */
static bool is_about_one(const struct outcome *o)
{
        return o->st == ABSENT || o->st == FORBIDDEN;
}

void smtp_file(struct session *s, struct str bytes)
{
        struct outcome all = file_for_all(s, bytes);
        if (!s->door->lmtp) {
                say_outcome(s, &all);
                return;
        }
        bool singly = is_about_one(&all) && s->target_count > 1;
        for (size_t i = 0; i < s->target_count; i++) {
                struct outcome one = singly ? file_for(s, bytes, i, 1) : all;
                say_outcome(s, &one);
        }
}

void smtp_unfiled(struct session *s, enum status st)
{
        for (size_t i = 0; i < (s->door->lmtp ? s->target_count : 1); i++) {
                if (st == INVALID)
                        smtp_say(s, "550 5.6.0 The message holds a bare CR, a bare LF or a NUL "
                                    "(RFC 5321 2.3.8): send lines that end in CR LF");
                else
                        smtp_no(s, st);
        }
}

void smtp_no_recipients(struct session *s)
{
        smtp_say(s, "%s No valid recipients", s->door->lmtp ? "503 5.5.1" : "554 5.5.1");
}

enum status smtp_data(struct session *s, const struct args *a)
{
        (void)a;
        if (!s->target_count) {
                smtp_no_recipients(s);
                return OK;
        }
        if (s->chunks) { /* RFC 3030 2 */
                smtp_say(s, "503 5.5.1 This mail comes by BDAT: go on with it, or RSET");
                return OK;
        }
        struct spool *spool = spool_new(s->site->tmp);
        smtp_say(s, "354 End data with <CR><LF>.<CR><LF>");
        enum status st = wire_dots(s->wire, site_config(s->site)->message_size, spool);
        if (st == TIMEOUT || st == CLOSED) {
                spool_free(spool);
                smtp_reset(s);
                return st;
        }
        struct str bytes;
        if (st == OK)
                st = spool_view(spool, &bytes);
        if (st == OK)
                smtp_file(s, bytes);
        else
                smtp_unfiled(s, st);
        spool_free(spool);
        smtp_reset(s);
        return OK;
}
