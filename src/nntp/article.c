#include "nntp/range.h"
#include "nntp/session.h"
#include "mail/header.h"
#include "mail/msgid.h"

enum { PIECE = 65536 };

/* ---- finding ---- */

static const char no_such_number[] = "423 There is no such article in this newsgroup";
static const char no_such_id[] = "430 There is no such article here";

bool article_refuse(struct session *s, enum status st, const char *absent)
{
        if (st == ABSENT)
                wire_say(s->wire, "%s", absent);
        else
                nntp_no(s, st);
        return false;
}

enum status article_get(
        struct session *s, struct place place, unsigned read, struct found *out)
{
        struct entry entry;
        struct buf prefix = {0};
        struct store *store = s->site->store;
        enum status st = entry_read_whole(store, &place, &entry, &prefix);
        if (st == OK)
                entry_stored(&entry, &out->stored);
        if (st == OK && read != READ_SIZES)
                st = messages_read(store, &entry.message, 1, read, s->arena, &out->stored);
        if (st == OK && !out->stored.id)
                st = ABSENT;
        out->place = place;
        out->shown = place.number;
        out->prefix = arena_copy(s->arena, buf_str(&prefix));
        buf_release(&prefix);
        return st;
}

/* An article is read in the first of its topics that this person may read: the answer does not
 * depend on the selected group. */
CHECKED static enum status readable_place(struct session *s, uint64_t message, struct place *out)
{
        enum status st;
        *out = (struct place){0};
        while ((st = message_place(s->site->store, message, out)) == OK) {
                struct rights rights;
                st = rules_topic(s->site, s->person, out->mailbox, &rights);
                if ((st == OK && rights.read) || (st != OK && st != ABSENT))
                        return st;
                *out = (struct place){.mailbox = out->mailbox + 1};
        }
        return st;
}

bool article_by_id(struct session *s, struct str id, struct place *out)
{
        uint64_t message;
        if (!msgid_is_news(id)) {
                wire_say(s->wire, "501 This is not a Message-ID");
                return false;
        }
        enum status st = message_find(s->site->store, id, &message);
        if (st == OK)
                st = readable_place(s, message, out);
        return st == OK || article_refuse(s, st, no_such_id);
}

static bool by_number(struct session *s, uint32_t n, unsigned read, struct found *out)
{
        if (!s->view) {
                wire_say(s->wire, "412 No newsgroup is selected");
                return false;
        }
        group_reach(s, n);
        if (!s->view || !numset_has(s->view->numbers, n))
                return article_refuse(s, ABSENT, no_such_number);
        enum status st = article_get(s, (struct place){s->view->mailbox, n}, read, out);
        if (st != OK)
                return article_refuse(s, st, no_such_number);
        s->current = n;
        return true;
}

/* The current article may have gone since (RFC 3977 6.2.1). */
static bool current(struct session *s, unsigned read, struct found *out)
{
        if (!s->view) {
                wire_say(s->wire, "412 No newsgroup is selected");
                return false;
        }
        enum status st = ABSENT;
        group_reach(s, 0);
        if (s->view && s->current)
                st = article_get(s, (struct place){s->view->mailbox, s->current}, read, out);
        return st == OK || article_refuse(s, st, "420 No article is selected");
}

bool article_find(struct session *s, struct str which, unsigned read, struct found *out)
{
        struct place place;
        struct named named;
        enum status st = range_named(which, true, &named);
        if (named.kind == NAMED_CURRENT)
                return current(s, read, out);
        if (named.kind == NAMED_NUMBERS && st != OK) {
                nntp_no(s, st);
                return false;
        }
        if (named.kind == NAMED_NUMBERS)
                return by_number(s, named.low, read, out);
        if (!article_by_id(s, which, &place))
                return false;
        st = article_get(s, place, read, out);
        out->shown = 0;
        return st == OK || article_refuse(s, st, no_such_id);
}

/* ---- sending ---- */

/* Which octets of the message without prefix are sent, and what goes before. */
struct extent {
        int code;
        bool prefix;
        uint64_t from, upto;
};

/* Where the header's lines end, without the empty line. */
CHECKED static enum status header_end(struct session *s, const struct stored *m, uint64_t *out)
{
        *out = m->header_size < 2 ? m->header_size : m->header_size - 2;
        if (m->header_size < m->size)
                return OK;
        /* no body: there may be no empty line either */
        struct buf tail = {0};
        uint64_t from = m->size < 4 ? 0 : m->size - 4;
        enum status st = stored_octets(s->site->store, m, from, 4, &tail);
        if (!str_ends(buf_str(&tail), STR("\r\n\r\n")) && !str_eq(buf_str(&tail), STR("\r\n")))
                *out = m->size;
        buf_release(&tail);
        return st;
}

/* The Message-ID of an article whose header is here: what was derived is read only when the header
 * has none, or several. */
static enum status fill_id(struct session *s, struct str header, struct stored *m)
{
        struct str value;
        if (m->message_id.len)
                return OK;
        if (header_count(header, "Message-ID") == 1 && header_find(header, "Message-ID", &value) &&
                msgid_next(s->arena, &value, &m->message_id))
                return OK;
        uint64_t id = m->id;
        enum status st = messages_read(s->site->store, &id, 1, READ_SUMMARY, s->arena, m);
        return st == OK && !m->id ? ABSENT : st;
}

/* The first piece is read before anything is said, so that a damaged article is refused; what
 * fails later ends the connection, for a block cannot take anything back. */
static enum status send(struct session *s, struct found *f, struct extent e)
{
        struct store *store = s->site->store;
        struct stored *m = &f->stored;
        struct buf piece = {0};
        enum status st = OK;
        uint64_t at = e.from;
        bool said = false;
        while (st == OK && (at < e.upto || !said) && !wire_gone(s->wire)) {
                uint64_t len = e.upto - at < PIECE ? e.upto - at : PIECE;
                buf_clear(&piece);
                if (len)
                        st = stored_octets(store, m, at, len, &piece);
                if (st == OK && !said)
                        st = fill_id(s, str_sub(buf_str(&piece), 0, m->header_size), m);
                if (st != OK)
                        break;
                if (!said) {
                        wire_say(s->wire, "%d %u %.*s", e.code, f->shown, STR_ARG(m->message_id));
                        if (e.prefix)
                                wire_put_stuffed(s->wire, f->prefix, true);
                }
                said = true;
                wire_put_stuffed(s->wire, buf_str(&piece), m->dots);
                at += len;
        }
        buf_release(&piece);
        if (said && st == OK)
                wire_dot_end(s->wire);
        else if (said)
                wire_close(s->wire);
        return said ? OK : st == ABSENT ? BUSY : st;
}

static struct str which(const struct args *a)
{
        return a->count ? a->v[0] : STR("");
}

enum status nntp_article(struct session *s, const struct args *a)
{
        struct found f;
        if (!article_find(s, which(a), READ_SIZES, &f))
                return OK;
        group_read(s, f.place);
        return send(s, &f, (struct extent){220, true, 0, f.stored.size});
}

enum status nntp_head(struct session *s, const struct args *a)
{
        struct found f;
        uint64_t upto;
        if (!article_find(s, which(a), READ_SIZES, &f))
                return OK;
        enum status st = header_end(s, &f.stored, &upto);
        return st == OK ? send(s, &f, (struct extent){221, true, 0, upto}) : st;
}

enum status nntp_body(struct session *s, const struct args *a)
{
        struct found f;
        if (!article_find(s, which(a), READ_SUMMARY, &f))
                return OK;
        group_read(s, f.place);
        return send(s, &f, (struct extent){222, false, f.stored.header_size, f.stored.size});
}

enum status nntp_stat(struct session *s, const struct args *a)
{
        struct found f;
        if (article_find(s, which(a), READ_SUMMARY, &f))
                wire_say(s->wire, "223 %u %.*s", f.shown, STR_ARG(f.stored.message_id));
        return OK;
}
