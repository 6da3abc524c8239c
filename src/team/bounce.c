#include "team/bounce.h"
#include "base/clock.h"
#include "base/log.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/mime.h"
#include "team/list.h"
#include "team/notice.h"
#include "team/token.h"

enum {
        A_DAY = 24 * 3600,
        HARD = 100, /* hundredths */
        SOFT = 25,
        FORGOTTEN_DAYS = 14, /* after which one lasting failure is */
        PROBE_DAYS = 7,      /* then it has arrived */
        PATH_DAYS = 30,      /* so late do bounces come */
        LOCAL_MOST = 64,
        TRIES_MOST = 20,
};

/* ---- reverse paths ---- */

static struct str secret_of(struct site *site)
{
        return str_make((const char *)site->secret, sizeof site->secret);
}

struct str bounce_path(struct site *site, const struct bounce *b, struct arena *arena)
{
        const struct config *c = site_config(site);
        struct buf payload = {0}, text = {0};
        struct topic topic;
        buf_add_varint(&payload, b->person);
        buf_add_varint(&payload, b->topic);
        if (b->probe)
                buf_add_u8(&payload, 1);
        struct token token = {.kind = TOKEN_BOUNCE,
                .until = clock_now() + PATH_DAYS * A_DAY,
                .payload = buf_str(&payload)};
        token_seal(secret_of(site), &token, &text);
        struct str name = topic_get(site->store, b->topic, arena, &topic) == OK ? topic.name
                                                                              : STR("help");
        struct str path = arena_printf(arena, "%.*s%cbounce-%s", STR_ARG(name), c->separator,
                buf_text(&text));
        if (path.len > LOCAL_MOST)
                path = arena_printf(arena, "help%cbounce-%s", c->separator, buf_text(&text));
        buf_release(&payload);
        buf_release(&text);
        return arena_printf(arena, "%.*s@%.*s", STR_ARG(path), STR_ARG(c->domain));
}

static enum status open_token(
        struct site *site, struct str text, struct arena *arena, struct bounce *out)
{
        struct token token;
        if (token_open(secret_of(site), TOKEN_BOUNCE, text, arena, &token) != OK)
                return ABSENT;
        struct reader r = reader_of(token.payload);
        out->person = (uint32_t)read_varint(&r);
        out->topic = (uint32_t)read_varint(&r);
        out->probe = r.at != r.end && read_u8(&r) == 1;
        return r.bad ? ABSENT : OK;
}

enum status bounce_of(
        struct site *site, struct str path, struct arena *arena, struct bounce *out)
{
        struct subaddress_parts parts;
        size_t at = str_rchr(path, '@');
        struct str local = arena_lower(arena, str_sub(path, 0, at));
        if (at == STR_NOWHERE || !rules_is_site(site, path) ||
                !subaddress_read(local, site_config(site)->separator, &parts) ||
                parts.what != SUB_BOUNCE)
                return ABSENT;
        return open_token(site, parts.token, arena, out);
}

/* ---- what came back ---- */

/* RFC 3463: class, subject, detail. */
bool bounce_is_hard(struct str status)
{
        struct str class, subject, detail = STR_NONE;
        if (!str_cut(&status, '.', &class) || !str_eq(class, STR("5")) ||
                !str_cut(&status, '.', &subject))
                return false;
        (void)str_cut(&status, '.', &detail);
        if (str_eq(subject, STR("2"))) /* the mailbox: closed, or only full */
                return !str_eq(detail, STR("2")) && !str_eq(detail, STR("3"));
        return str_eq(subject, STR("0")) || str_eq(subject, STR("1")) || str_eq(subject, STR("4"));
}

/* One group of fields of a delivery status (RFC 3464 2.3). */
static enum bounce_kind read_group(struct arena *arena, struct str group)
{
        struct str action = header_value(arena, group, "Action");
        struct str status = header_value(arena, group, "Status"), code;
        if (!action.at)
                return BOUNCE_NONE; /* the group about the whole message */
        if (!str_starts_same(action, STR("failed")))
                return BOUNCE_FINE;
        return str_word(&status, &code) && bounce_is_hard(code) ? BOUNCE_HARD : BOUNCE_SOFT;
}

/* Groups are parted by empty lines; the path names the recipient, so the worst of them counts. */
static enum bounce_kind read_status(struct arena *arena, const struct part *part)
{
        enum bounce_kind worst = BOUNCE_NONE;
        struct buf text = {0};
        mime_decode(part, &text);
        struct str rest = buf_str(&text);
        while (rest.len) {
                size_t size = header_length(rest);
                enum bounce_kind kind = read_group(arena, str_sub(rest, 0, size));
                worst = kind > worst ? kind : worst;
                rest = str_from(rest, size ? size : rest.len);
        }
        buf_release(&text);
        return worst;
}

static bool is_postmaster(struct arena *arena, struct str header)
{
        struct str value;
        struct address from;
        return header_find(header, "From", &value) && address_first(arena, value, &from) &&
               (str_same(from.local, STR("mailer-daemon")) ||
                       str_same(from.local, STR("postmaster")));
}

/* RFC 3464, RFC 6533. */
static bool is_status(const struct part *p)
{
        return str_eq(p->type, STR("message")) &&
               (str_eq(p->subtype, STR("delivery-status")) ||
                       str_eq(p->subtype, STR("global-delivery-status")));
}

/* Gateways wrap reports into another multipart; what a report holds of the mail that came back may
 * be a report itself, and is not looked into. The tree is bounded (MIME_DEPTH_MAX). */
static const struct part *find_status(const struct part *top)
{
        const struct part *found = NULL;
        if (is_status(top))
                return top;
        if (top->kind != PART_MULTIPART)
                return NULL;
        for (const struct part *p = top->first; p && !found; p = p->next)
                found = find_status(p);
        return found;
}

enum bounce_kind bounce_read(struct arena *arena, struct str message)
{
        const struct part *top = mime_parse(arena, message), *status = find_status(top);
        if (status)
                return read_status(arena, status);
        return is_postmaster(arena, top->header) ? BOUNCE_SOFT : BOUNCE_NONE;
}

/* ---- counting ---- */

static void forget_some(struct reach *reach, time_t now)
{
        uint64_t passed = now > reach->bounced ? (uint64_t)(now - reach->bounced) : 0;
        uint64_t less = passed * HARD / ((uint64_t)FORGOTTEN_DAYS * A_DAY);
        reach->score -= less < reach->score ? (uint32_t)less : reach->score;
}

enum bounce_verdict bounce_judge(struct reach *reach, const struct bounce_event *e)
{
        if (reach->suspended)
                return BOUNCE_IGNORED;
        if (reach->probed && e->now - reach->probed >= PROBE_DAYS * A_DAY) { /* it has arrived */
                reach->probed = 0;
                reach->score = 0;
        }
        if (e->probe) {
                if (!reach->probed)
                        return BOUNCE_IGNORED;
                reach->probed = 0;
                reach->suspended = e->now;
                return BOUNCE_SUSPEND;
        }
        bool again = reach->score && e->now - reach->bounced < A_DAY;
        if (reach->probed || again)
                return BOUNCE_IGNORED;
        forget_some(reach, e->now);
        reach->score += e->hard ? HARD : SOFT;
        reach->bounced = e->now;
        if (reach->score + HARD / 2 < e->limit * HARD) /* what days forget between does not count */
                return BOUNCE_COUNTED;
        reach->probed = e->now;
        return BOUNCE_PROBE;
}

/* ---- what is done then ---- */

static enum status send_probe(
        struct site *site, const struct bounce *b, struct arena *arena, const struct person *p)
{
        struct bounce probe = {.person = b->person, .topic = b->topic, .probe = true};
        struct str domain = site_config(site)->domain;
        struct notice n = {.subject = STR("Is this address still in use?"),
                .from = STR("help"),
                .reverse_path = bounce_path(site, &probe, arena),
                .text = arena_printf(arena,
                        "Mail from %.*s to %.*s came back several times.\n\n"
                        "If you can read this, all is well, and there is nothing to do. If this\n"
                        "mail comes back too, no more is sent to this address.\n",
                        STR_ARG(domain), STR_ARG(list_address(p)))};
        log_note("list: <%.*s>: too much came back; a probe is sent", STR_ARG(list_address(p)));
        return notice_outside(site, list_address(p), &n);
}

static enum status tell_owner(
        struct site *site, const struct bounce *b, struct arena *arena, const struct person *p)
{
        struct target owner;
        struct str address = list_address(p);
        log_warn("list: <%.*s>: nothing is mailed there any more", STR_ARG(address));
        enum status st = rules_owner(site, b->topic, arena, &owner);
        if (st != OK)
                return st == ABSENT ? OK : st;
        struct notice n = {.subject = arena_printf(arena, "Mail to %.*s comes back", STR_ARG(address)),
                .from = STR("help"),
                .text = arena_printf(arena,
                        "What topics send to %.*s (%.*s) comes back, and so did a\n"
                        "mail that asked whether the address is in use. Nothing more is mailed\n"
                        "there; the subscriptions stay as they are.\n\n"
                        "It goes on when the address confirms again (a mail to TOPIC+each), or by\n"
                        "  baton user resume %.*s\n",
                        STR_ARG(address), STR_ARG(p->name), STR_ARG(p->name))};
        return notice_person(site, owner.id, &n);
}

static enum status act(struct site *site, const struct bounce *b, enum bounce_verdict verdict,
        struct arena *arena, const struct person *p)
{
        if (verdict == BOUNCE_PROBE && list_address(p).len)
                return send_probe(site, b, arena, p);
        return verdict == BOUNCE_SUSPEND ? tell_owner(site, b, arena, p) : OK;
}

static enum status count_once(struct site *site, const struct bounce *b, bool hard)
{
        struct arena *arena = arena_new();
        struct bounce_event event = {.hard = hard,
                .probe = b->probe,
                .now = clock_now(),
                .limit = site_config(site)->bounce_limit};
        enum bounce_verdict verdict = BOUNCE_IGNORED;
        struct person p;
        enum status st = person_get(site->store, b->person, arena, &p);
        if (st == OK) {
                struct reach after = p.reach;
                verdict = bounce_judge(&after, &event);
                if (verdict != BOUNCE_IGNORED) {
                        struct change *change = change_new(site->store);
                        change_person_reach(change, p.id, &p.reach, &after);
                        st = store_commit(change);
                        change_free(change);
                }
        }
        if (st == OK)
                st = act(site, b, verdict, arena, &p);
        arena_free(arena);
        return st == ABSENT ? OK : st; /* gone meanwhile */
}

enum status bounce_count(struct site *site, const struct bounce *b, bool hard)
{
        enum status st = CHANGED;
        for (unsigned i = 0; i < TRIES_MOST && st == CHANGED; i++)
                st = count_once(site, b, hard);
        return st;
}

enum status bounce_take(struct site *site, struct str message, struct str token, bool *read)
{
        struct arena *arena = arena_new();
        struct bounce b;
        enum status st = open_token(site, token, arena, &b);
        enum bounce_kind kind = st == OK ? bounce_read(arena, message) : BOUNCE_NONE;
        *read = kind != BOUNCE_NONE;
        if (st == OK && (kind == BOUNCE_SOFT || kind == BOUNCE_HARD)) {
                log_note("list: mail of topic %u to person %u came back (%s)", b.topic, b.person,
                        kind == BOUNCE_HARD ? "for good" : "for now");
                st = bounce_count(site, &b, kind == BOUNCE_HARD);
        }
        arena_free(arena);
        return st == ABSENT ? OK : st;
}
