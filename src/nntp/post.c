#include "base/clock.h"
#include "base/log.h"
#include "mail/header.h"
#include "mail/msgid.h"
#include "nntp/cancel.h"
#include "nntp/proto.h"
#include "nntp/session.h"
#include "team/room.h"

static void say_fault(struct session *s, const char *why, struct str about)
{
        struct str shown = nntp_shown(s, about);
        log_note("nntp [%.*s]: refused an article of %.*s: %s%s%.*s",
                STR_ARG(wire_peer(s->wire)->address), STR_ARG(buf_str(&s->name)), why,
                shown.len ? ": " : "", STR_ARG(shown));
        wire_say(s->wire, "%s: %s%s%.*s", s->offered.len ? "437 Not taken" : "441 Not posted", why,
                shown.len ? ": " : "", STR_ARG(shown));
}

/* The fault is the server's: what is offered may be offered again (RFC 3977 6.3.2.2). */
static void say_later(struct session *s, const char *why)
{
        if (s->offered.len)
                wire_say(s->wire, "436 Not taken: %s", why);
        else
                say_fault(s, why, STR(""));
}

/* Every newsgroup named must be one that this person may read and post to. False: said. */
static bool place_article(struct session *s, const struct proto *p, struct placement *to)
{
        for (size_t i = 0; i < p->group_count; i++) {
                struct topic topic;
                struct rights rights;
                enum status st = group_find(s, p->groups[i], &topic, &rights);
                if (st == OK && rights.post) {
                        to[i] = (struct placement){.mailbox = topic.id};
                        continue;
                }
                if (st == OK)
                        say_fault(s, "only members may post to this newsgroup", p->groups[i]);
                else if (st == ABSENT)
                        say_fault(s, "there is no such newsgroup here", p->groups[i]);
                else
                        say_later(s, "the server has a fault: try again later");
                return false;
        }
        return true;
}

static void say_refusal(struct session *s, enum status st, enum refusal why, struct str id)
{
        if (st == EXISTS)
                say_fault(s, "an article with this Message-ID is here already", id);
        else if (st == FULL)
                say_later(s, "no room on the server's disk: try again later");
        else if (why != REFUSED_NOT && why != REFUSED_SITE)
                say_fault(s, refusal_text(why), STR(""));
        else
                say_later(s, "the server cannot file it now: try again later");
}

/* False: said. What Supersedes names may have gone before: then the new article is simply posted. */
static bool may_replace(struct session *s, const struct proto *p, struct cancel *out)
{
        enum status st = p->replaces.len ? cancel_find(s, p->replaces, out) : ABSENT;
        if (st == OK || (st == ABSENT && !p->cancels)) {
                out->count = st == OK ? out->count : 0;
                return true;
        }
        if (st == ABSENT)
                say_fault(s, "there is no such article here", p->replaces);
        else if (st == FORBIDDEN)
                say_fault(s, "only its author can cancel or replace an article", p->replaces);
        else
                say_later(s, "the server has a fault: try again later");
        return false;
}

static bool replace(struct session *s, const struct proto *p, const struct cancel *old)
{
        enum status st = old->count ? cancel_commit(s, old) : OK;
        if (old->count)
                log_note("nntp [%.*s]: %.*s %s %.*s%s", STR_ARG(wire_peer(s->wire)->address),
                        STR_ARG(buf_str(&s->name)), p->cancels ? "cancels" : "replaces",
                        STR_ARG(nntp_shown(s, p->replaces)), st == OK ? "" : ": it failed");
        return st == OK;
}

/* A cancel is obeyed and not kept: its effect is all that there is to see of it. */
static void cancel_article(struct session *s, const struct proto *p)
{
        struct cancel old;
        if (!may_replace(s, p, &old))
                return;
        if (!replace(s, p, &old)) {
                say_later(s, "the server has a fault: try again later");
                return;
        }
        wire_say(s->wire, "%s Cancelled %.*s", s->offered.len ? "235" : "240",
                STR_ARG(nntp_shown(s, p->replaces)));
        if (s->view)
                group_refresh(s);
}

static void file_article(struct session *s, struct str bytes, const struct proto *p)
{
        struct placement to[PROTO_GROUPS_MAX];
        struct cancel old;
        const struct config *config = site_config(s->site);
        if (!place_article(s, p, to) || !may_replace(s, p, &old))
                return;
        struct sender sender = {
                .way = WAY_NEWS,
                .person = s->person,
                .reverse_path = arena_printf(s->arena, "%.*s@%.*s", STR_ARG(buf_str(&s->name)),
                        STR_ARG(config->domain)),
                .helo = STR(""),
                .address = wire_peer(s->wire)->address,
                .secure = wire_secure(s->wire),
        };
        struct submission article = {
                .sender = &sender,
                .bytes = bytes,
                .to = to,
                .to_count = p->group_count,
                .unique_id = true,
                .path = p->path,
                .message_id = STR(""),
        };
        enum refusal why = REFUSED_NOT;
        enum status st = accept_post(s->site, &article, s->arena, &why);
        if (st != OK) {
                say_refusal(s, st, why, article.message_id);
                return;
        }
        log_note("nntp [%.*s]: from %.*s: filed %.*s", STR_ARG(wire_peer(s->wire)->address),
                STR_ARG(buf_str(&s->name)), STR_ARG(article.message_id));
        (void)replace(s, p, &old); /* the new one is here; that the old one stays is logged */
        wire_say(s->wire, "%s as %.*s", s->offered.len ? "235 Taken" : "240 Posted",
                STR_ARG(article.message_id));
        if (s->view)
                group_refresh(s);
}

/* What was offered by IHAVE is what comes, and it has not been here (RFC 5537 3.6). False: said. */
static bool may_take(struct session *s, const struct proto *p)
{
        enum { OLD_SECONDS = 366 * 86400 };
        struct str id = header_value(s->arena, p->header, "Message-ID");
        if (!str_eq(id, s->offered)) {
                say_fault(s, "the article has another Message-ID than was offered", id);
                return false;
        }
        if (p->date && p->date < clock_now() - OLD_SECONDS) { /* it may have been here and gone */
                say_fault(s, "it is more than a year old: have it imported", STR(""));
                return false;
        }
        if (proto_passed(p, site_config(s->site)->host)) {
                say_fault(s, "its Path says that it has been here", p->path);
                return false;
        }
        return true;
}

static void take_article(struct session *s, struct str bytes)
{
        struct proto p;
        struct buf clean = {0};
        if (proto_read(s->arena, bytes, clock_now(), &p) != OK) {
                say_fault(s, p.fault, p.about);
                return;
        }
        if (s->offered.len && !may_take(s, &p))
                return;
        if (!s->offered.len)
                p.path = STR(""); /* a client's own is dropped (RFC 5537 3.5) */
        if (p.cancels) {
                cancel_article(s, &p);
                return;
        }
        if (proto_clean(p.header, &clean)) {
                buf_add(&clean, str_from(bytes, p.header.len));
                bytes = buf_str(&clean);
        }
        file_article(s, bytes, &p);
        buf_release(&clean);
}

/* Reads the article that the client was told to send. */
static enum status receive(struct session *s)
{
        struct spool *spool = spool_new(s->site->tmp);
        struct str bytes;
        enum status st = wire_dots(s->wire, site_config(s->site)->message_size, spool);
        if (st == OK)
                st = spool_view(spool, &bytes);
        uint64_t room = st == OK ? 2 * (uint64_t)bytes.len : 0;
        if (st == OK)
                st = room_take(s->site->room, s->wire, room);
        if (st == OK) {
                take_article(s, bytes);
                room_leave(s->site->room, room);
        } else if (st == INVALID)
                say_fault(s, "it holds a bare CR, a bare LF or a NUL (RFC 3977 3.6)", STR(""));
        else if (st == TOO_BIG)
                say_fault(s, "it is larger than this server takes", STR(""));
        else if (st != TIMEOUT && st != CLOSED)
                say_refusal(s, st, REFUSED_NOT, STR(""));
        spool_free(spool);
        return st == TIMEOUT || st == CLOSED ? st : OK;
}

enum status nntp_post(struct session *s, const struct args *a)
{
        (void)a;
        s->offered = STR("");
        wire_say(s->wire, "340 Send the article; end it with <CR><LF>.<CR><LF>");
        return receive(s);
}

/* RFC 3977 6.3.2: for programs that hand articles on one by one (rpost, suck). Who offers has the
 * same rights as with POST; the Path that an article brings is kept, and goes on here. */
enum status nntp_ihave(struct session *s, const struct args *a)
{
        uint64_t message;
        if (!msgid_is_news(a->v[0]))
                return INVALID;
        enum status st = message_find(s->site->store, a->v[0], &message);
        if (st == OK) {
                wire_say(s->wire, "435 That article is here");
                return OK;
        }
        if (st != ABSENT) {
                wire_say(s->wire, "436 The server has a fault: try again later");
                return OK;
        }
        struct str offered = arena_copy(s->arena, a->v[0]);
        s->offered = offered;
        wire_say(s->wire, "335 Send the article; end it with <CR><LF>.<CR><LF>");
        st = receive(s);
        s->offered = STR("");
        return st;
}
