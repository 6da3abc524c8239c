#include "team/list_mail.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "mail/address.h"
#include "mail/header.h"
#include "team/bounce.h"
#include "team/help.h"
#include "team/limit.h"
#include "team/list.h"
#include "team/notice.h"
#include "team/prefix.h"
#include "team/token.h"

enum { CONFIRM_DAYS = 7, A_DAY = 24 * 3600, PROOF_SIZE = 5, LOCAL_MOST = 64, LEAVE = 0 };

struct request {
        struct site *site;
        const struct submission *mail;
        const struct target *target;
        struct arena *arena;
        struct topic topic;     /* id 0: the site */
        struct str address;     /* whose subscription it is about */
        bool known;             /* person is filled */
        struct person person;
        bool proven;            /* has logged in */
        struct str domain, message_id;
        enum refusal *why;
};

static enum status refuse(struct request *r, enum refusal why, enum status st)
{
        *r->why = why;
        return st;
}

static struct str secret_of(struct site *site)
{
        return str_make((const char *)site->secret, sizeof site->secret);
}

/* ---- who, and whether they may ---- */

/* Mail lists write From for who wrote; a reverse path may be a machine's. */
static enum status who_asks(struct request *r)
{
        struct str header = str_sub(r->mail->bytes, 0, header_length(r->mail->bytes)), value;
        struct address from;
        uint32_t id = r->mail->sender->person;
        r->proven = id != 0;
        if (header_count(header, "From") != 1 || !header_find(header, "From", &value) ||
                !address_first(r->arena, value, &from) || !from.domain.len)
                return refuse(r, REFUSED_FORM, INVALID);
        r->address = address_text(r->arena, &from);
        r->message_id = header_value(r->arena, header, "Message-ID");
        if (!r->proven)
                id = rules_writer_of(r->site, r->address);
        enum status st = id ? person_get(r->site->store, id, r->arena, &r->person) : ABSENT;
        r->known = st == OK;
        if (r->known && r->person.disabled)
                return refuse(r, REFUSED_MEMBERS, FORBIDDEN);
        return st == ABSENT ? OK : st;
}

/* The world may follow what the world may write to; who is in already may change how. */
static enum status may_follow(struct site *site, uint32_t person, uint32_t topic, bool *may)
{
        struct rights rights;
        enum status st = rules_topic(site, person, topic, &rights);
        *may = st == OK && rights.post;
        return st;
}

static enum status check_token(
        struct site *site, const struct target *target, struct arena *arena, enum refusal *why)
{
        enum token_kind kind = target->what == SUB_CONFIRM ? TOKEN_CONFIRM : TOKEN_BOUNCE;
        struct token token;
        if (token_open(secret_of(site), kind, target->token, arena, &token) == OK)
                return OK;
        *why = REFUSED_TOKEN;
        return FORBIDDEN;
}

/* Answers go to the outside, or to the INBOX of who has logged in. */
enum status list_may_ask(struct site *site, const struct sender *sender,
        const struct target *target, struct arena *arena, enum refusal *why)
{
        bool may;
        if (target->what == SUB_RESERVED) {
                *why = target->id ? REFUSED_COMMAND : REFUSED_UNKNOWN;
                return ABSENT;
        }
        if (target->token.len)
                return check_token(site, target, arena, why);
        if (target->what != SUB_OWNER && !sender->person && !config_relays(site_config(site))) {
                *why = REFUSED_MUTE;
                return FORBIDDEN;
        }
        if (!target->id)
                return OK;
        uint32_t person = sender->person ? sender->person
                                         : rules_writer_of(site, sender->reverse_path);
        enum status st = may_follow(site, person, target->id, &may);
        if (st == OK && may)
                return OK;
        *why = st == OK ? REFUSED_MEMBERS : REFUSED_SITE;
        return st == OK ? FORBIDDEN : st;
}

/* ---- answers ---- */

/* "eng.backend+word"; where that is too long for an address, the token says which topic. */
static struct str sub_address(const struct request *r, const char *word, struct str token)
{
        const char *dash = token.len ? "-" : "";
        char separator = site_config(r->site)->separator;
        struct str local = arena_printf(r->arena, "%.*s%c%s%s%.*s", STR_ARG(r->topic.name),
                separator, word, dash, STR_ARG(token));
        if (local.len > LOCAL_MOST && token.len)
                local = arena_printf(
                        r->arena, "help%c%s%s%.*s", separator, word, dash, STR_ARG(token));
        return arena_printf(r->arena, "%.*s@%.*s", STR_ARG(local), STR_ARG(r->domain));
}

static enum status answer(struct request *r, struct notice *n)
{
        n->in_reply_to = r->message_id;
        n->from = STR("help");
        return r->proven ? notice_person(r->site, r->person.id, n)
                         : notice_outside(r->site, r->address, n);
}

/* Unasked mail to somebody else's address is what this must not be good for. */
static enum status answer_once(struct request *r, struct limit *limit, struct notice *n)
{
        struct str key = arena_lower(r->arena, r->address);
        enum status st = r->proven ? OK : limit_take(limit, key);
        if (st == EXISTS)
                return refuse(r, REFUSED_AGAIN, FORBIDDEN);
        if (st == OK) {
                st = answer(r, n);
                if (st != OK && !r->proven)
                        limit_forget(limit, key);
        }
        return st == OK ? OK : refuse(r, REFUSED_SITE, st);
}

static const char *way_of(unsigned wish)
{
        static const char *const ways[] = {
                [LEAVE] = "nothing",
                [MODE_EACH] = "each message by mail",
                [MODE_DIGEST] = "what is new in the digest of the day",
                [MODE_NAMED] = "only what names you",
                [MODE_NONE] = "nothing, but may write",
        };
        return ways[wish];
}

static void add_undo(const struct request *r, unsigned wish, struct buf *out)
{
        struct str word = sub_address(r, wish == LEAVE ? "subscribe" : "unsubscribe", STR_NONE);
        buf_addf(out, wish == LEAVE ? "\nTo come back, write to\n  %.*s\n"
                                    : "\nTo stop, write to\n  %.*s\n",
                STR_ARG(word));
        word = sub_address(r, "help", STR_NONE);
        buf_addf(out, "What else there is:\n  %.*s\n", STR_ARG(word));
}

static enum status tell(struct request *r, unsigned wish, bool changed)
{
        struct buf text = {0};
        const struct person *p = &r->person;
        struct notice n = {.subject = arena_printf(r->arena, "%.*s: %s", STR_ARG(r->topic.name),
                                   changed ? "done" : "nothing to do")};
        if (wish == LEAVE)
                buf_addf(&text, "%.*s %s %.*s.\n", STR_ARG(r->address),
                        changed ? "no longer follows" : "does not follow", STR_ARG(r->topic.name));
        else
                buf_addf(&text, "%.*s %s %.*s:\nyou get %s.\n", STR_ARG(r->address),
                        changed ? "now follows" : "follows", STR_ARG(r->topic.name), way_of(wish));
        if (wish == MODE_EACH && !list_address(p).len)
                buf_add_text(&text, "\nNo address outside is known of you, so nothing is mailed: "
                                    "ask an\nadministrator to add one.\n");
        else if (wish == MODE_EACH && !config_relays(site_config(r->site)))
                buf_add_text(&text, "\nThis site mails nothing to the outside, so nothing comes until "
                                    "it does.\n");
        else if (wish == MODE_EACH && !p->outside)
                buf_addf(&text, "\nIt is mailed to %.*s.\n", STR_ARG(list_address(p)));
        add_undo(r, wish, &text);
        n.text = buf_str(&text);
        enum status st = changed ? answer(r, &n) : answer_once(r, r->site->told, &n);
        buf_release(&text);
        return st;
}

/* ---- asking back ---- */

/* Whose address, and what it last confirmed: a token is used up when it has been answered to, and
 * fits no other address. Keyed, so that nobody can look for an address that fits. */
static struct str proof_of(const struct request *r, struct str address, unsigned char room[SHA256_SIZE])
{
        struct buf text = {0};
        buf_add_text(&text, "confirm");
        buf_add_u64(&text, r->known ? (uint64_t)r->person.reach.confirmed : 0);
        buf_add(&text, arena_lower(r->arena, address));
        hmac_sha256(secret_of(r->site), buf_str(&text), room);
        buf_release(&text);
        return str_make((const char *)room, PROOF_SIZE);
}

static struct str make_token(const struct request *r, unsigned wish)
{
        unsigned char room[SHA256_SIZE];
        struct buf payload = {0}, text = {0};
        buf_add_u8(&payload, (uint8_t)wish);
        buf_add_varint(&payload, r->topic.id);
        buf_add(&payload, proof_of(r, r->address, room));
        struct token token = {.kind = TOKEN_CONFIRM,
                .until = clock_now() + CONFIRM_DAYS * A_DAY,
                .payload = buf_str(&payload)};
        token_seal(secret_of(r->site), &token, &text);
        struct str copy = arena_copy(r->arena, buf_str(&text));
        buf_release(&payload);
        buf_release(&text);
        return copy;
}

/* It answers nobody's mail as far as is known, so it quotes nothing of the one that came. */
static enum status ask_back(struct request *r, unsigned wish)
{
        struct buf text = {0};
        struct notice n = {.subject = arena_printf(r->arena, "Please confirm: %.*s",
                                   STR_ARG(r->topic.name))};
        n.reply_to = sub_address(r, "confirm", make_token(r, wish));
        buf_addf(&text, "Somebody asked, we hope you, that\n\n  %.*s\n  %s %.*s of %.*s",
                STR_ARG(r->address), wish == LEAVE ? "no longer follows" : "follows",
                STR_ARG(r->topic.name), STR_ARG(r->domain));
        if (wish != LEAVE)
                buf_addf(&text, "\n  and gets %s", way_of(wish));
        buf_addf(&text,
                ".\n\nAnswer this mail to confirm it; nothing needs to be written. Or write to\n"
                "  %.*s\n\n"
                "If it was not you, do nothing, and nothing happens. The question holds\n"
                "for %d days; there is one a day at most.\n",
                STR_ARG(n.reply_to), CONFIRM_DAYS);
        n.text = buf_str(&text);
        enum status st = answer_once(r, r->site->asked, &n);
        if (st == OK)
                log_note("list: <%.*s> is asked to confirm for %.*s", STR_ARG(r->address),
                        STR_ARG(r->topic.name));
        buf_release(&text);
        return st;
}

/* ---- doing it ---- */

/* Where mail came back from before, an answer that came from there makes good for it. */
static enum status commit(struct request *r, unsigned wish)
{
        struct subscription s = {.person = r->person.id,
                .topic = r->topic.id,
                .mode = wish,
                .since = clock_now()};
        struct reach fresh = {.confirmed = clock_now()};
        struct change *change = change_new(r->site->store);
        if (fresh.confirmed <= r->person.reach.confirmed)
                fresh.confirmed = r->person.reach.confirmed + 1;
        bool again = wish == MODE_EACH && r->person.reach.suspended;
        if (r->proven)
                fresh.confirmed = r->person.reach.confirmed;
        if (!r->proven || again)
                change_person_reach(change, r->person.id, &r->person.reach, &fresh);
        if (wish == LEAVE)
                change_unsubscribe(change, r->person.id, r->topic.id);
        else
                change_subscribe(change, &s);
        enum status st = store_commit(change);
        change_free(change);
        if (st == OK && wish == LEAVE)
                list_left(r->site, r->person.id);
        return st;
}

static enum status do_it(struct request *r, unsigned wish)
{
        enum status st = OK;
        if (!r->known) {
                st = list_outsider(r->site, r->address, r->arena, &r->person);
                if (st == INVALID)
                        return refuse(r, REFUSED_FORM, INVALID);
                r->known = st == OK;
        }
        if (st == OK)
                st = commit(r, wish);
        if (st == CHANGED) /* two answers at once: the other one counted */
                return refuse(r, REFUSED_TOKEN, FORBIDDEN);
        if (st == ABSENT && wish == LEAVE)
                return tell(r, wish, false);
        if (st != OK)
                return refuse(r, REFUSED_SITE, st);
        log_note("list: <%.*s> %s %.*s: %s", STR_ARG(r->address),
                wish == LEAVE ? "no longer follows" : "follows", STR_ARG(r->topic.name),
                way_of(wish));
        limit_forget(r->site->asked, arena_lower(r->arena, r->address));
        st = tell(r, wish, true);
        if (st != OK) /* it is done; saying so again would not make it better */
                log_warn("list: <%.*s> could not be told: %s", STR_ARG(r->address),
                        status_name(st));
        return OK;
}

static enum status current(const struct request *r, unsigned *mode)
{
        struct subscription s;
        *mode = LEAVE;
        if (!r->known)
                return OK;
        enum status st = subscription_get(r->site->store, r->person.id, r->topic.id, &s);
        if (st == OK)
                *mode = s.mode;
        return st == ABSENT ? OK : st;
}

static unsigned wish_of(const struct request *r, unsigned now)
{
        bool inside = r->known && !r->person.outside;
        switch (r->target->what) {
        case SUB_EACH:
                return MODE_EACH;
        case SUB_DIGEST:
                return MODE_DIGEST;
        case SUB_NAMED:
                return MODE_NAMED;
        case SUB_MUTE:
                return MODE_NONE;
        case SUB_SUBSCRIBE:
                return now != LEAVE ? now : inside ? MODE_DIGEST : MODE_EACH;
        default:
                return LEAVE;
        }
}

static enum status check_wish(struct request *r, unsigned wish)
{
        struct person stranger = {.outside = true};
        bool may = true;
        enum status st = OK;
        if (wish == LEAVE)
                return OK;
        st = may_follow(r->site, r->known ? r->person.id : 0, r->topic.id, &may);
        if (st != OK)
                return refuse(r, REFUSED_SITE, st);
        if (!may)
                return refuse(r, REFUSED_MEMBERS, FORBIDDEN);
        if (!list_mode_fits(r->known ? &r->person : &stranger, wish))
                return refuse(r, REFUSED_MODE, FORBIDDEN);
        return OK;
}

static enum status ask(struct request *r)
{
        unsigned now, wish;
        enum status st = current(r, &now);
        if (st != OK)
                return refuse(r, REFUSED_SITE, st);
        wish = wish_of(r, now);
        st = check_wish(r, wish);
        if (st != OK)
                return st;
        bool comes = !(r->known && wish == MODE_EACH && r->person.reach.suspended);
        if (wish == now && comes)
                return tell(r, wish, false);
        return r->proven ? do_it(r, wish) : ask_back(r, wish);
}

/* ---- the answer to the question ---- */

/* Who has logged in may answer for each address of his. */
static bool fits(struct request *r, struct str proof)
{
        unsigned char room[SHA256_SIZE];
        if (secret_equal(proof_of(r, r->address, room), proof))
                return true;
        for (size_t i = 0; r->proven && i < r->person.address_count; i++)
                if (secret_equal(proof_of(r, r->person.addresses[i], room), proof))
                        return true;
        return false;
}

static enum status confirm(struct request *r)
{
        struct token token;
        enum status st = token_open(
                secret_of(r->site), TOKEN_CONFIRM, r->target->token, r->arena, &token);
        if (st != OK)
                return refuse(r, REFUSED_TOKEN, FORBIDDEN);
        struct reader reader = reader_of(token.payload);
        unsigned wish = read_u8(&reader);
        uint32_t topic = (uint32_t)read_varint(&reader);
        struct str proof = str_from(token.payload, token.payload.len - PROOF_SIZE);
        if (reader.bad || (size_t)(reader.end - reader.at) != PROOF_SIZE || wish > MODE_NONE ||
                !fits(r, proof))
                return refuse(r, REFUSED_TOKEN, FORBIDDEN);
        st = topic_get(r->site->store, topic, r->arena, &r->topic);
        if (st == ABSENT)
                return refuse(r, REFUSED_TOKEN, FORBIDDEN);
        if (st == OK)
                st = check_wish(r, wish);
        return st == OK ? do_it(r, wish) : st;
}

/* ---- the rest ---- */

static enum status help(struct request *r)
{
        struct buf text = {0};
        struct str about = r->topic.id ? r->topic.name : r->domain;
        struct notice n = {.subject = arena_printf(r->arena, "How %.*s is used", STR_ARG(about))};
        help_text(r->site, r->topic.id ? &r->topic : NULL, &text);
        n.text = buf_str(&text);
        enum status st = answer_once(r, r->site->told, &n);
        buf_release(&text);
        return st;
}

/* What no person wrote is kept where the topic's owner finds it if he looks. */
static enum status set_aside(struct request *r)
{
        struct target owner = {0};
        struct derived derived;
        struct filing_entry entry = {.date = clock_now()};
        struct placement to = {.address = r->target->address};
        enum status st = rules_owner(r->site, r->topic.id, r->arena, &owner);
        if (st == OK)
                st = mailbox_find_use(r->site->store, owner.id, USE_JUNK, &entry.mailbox);
        if (st == ABSENT) {
                log_warn("list: automatic mail to <%.*s> is dropped: nobody is there to keep it",
                        STR_ARG(r->target->address));
                return OK;
        }
        if (st != OK)
                return refuse(r, REFUSED_SITE, st);
        derive(r->arena, r->mail->bytes, &derived);
        derived.message_id = r->mail->message_id;
        entry.prefix = prefix_person(r->site, r->mail, &to, r->arena);
        struct filing filing = {.bytes = r->mail->bytes,
                .derived = &derived,
                .entries = &entry,
                .entry_count = 1,
                .once = true};
        st = message_file(r->site->store, &filing);
        log_note("list: automatic mail to <%.*s> is not acted on: it lies in Junk of %.*s",
                STR_ARG(r->target->address), STR_ARG(owner.name));
        return st == OK ? OK : refuse(r, REFUSED_SITE, st);
}

static bool is_automatic(const struct submission *mail)
{
        struct str header = str_sub(mail->bytes, 0, header_length(mail->bytes));
        return !mail->sender->reverse_path.len || derive_automatic(header);
}

static enum status begin(struct request *r)
{
        enum status st = OK;
        if (r->target->id)
                st = topic_get(r->site->store, r->target->id, r->arena, &r->topic);
        return st == OK ? OK : refuse(r, st == ABSENT ? REFUSED_UNKNOWN : REFUSED_SITE, st);
}

enum status list_obey(struct site *site, const struct submission *mail,
        const struct target *target, struct arena *arena, enum refusal *why)
{
        struct request r = {.site = site,
                .mail = mail,
                .target = target,
                .arena = arena,
                .domain = site_config(site)->domain,
                .why = why};
        enum status st = begin(&r);
        if (st != OK)
                return st;
        if (target->what == SUB_BOUNCE) {
                bool read;
                st = bounce_take(site, mail->bytes, target->token, &read);
                if (st != OK)
                        return refuse(&r, REFUSED_SITE, st);
                return read ? OK : set_aside(&r);
        }
        if (is_automatic(mail))
                return set_aside(&r);
        st = who_asks(&r);
        if (st != OK)
                return *why == REFUSED_NOT ? refuse(&r, REFUSED_SITE, st) : st;
        if (target->what == SUB_HELP)
                return help(&r);
        return target->what == SUB_CONFIRM ? confirm(&r) : ask(&r);
}
