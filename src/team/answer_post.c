#include "team/answer_post.h"
#include "base/zone.h"
#include "base/log.h"
#include "mail/address.h"
#include "mail/content.h"
#include "mail/header.h"
#include "mail/msgid.h"
#include "store/due.h"
#include "team/accept.h"
#include "team/answer.h"
#include "team/answer_tell.h"
#include "team/digest_items.h"
#include "team/directive.h"

enum {
        A_DAY = 86400,
        WRITTEN_AGO = 30 * A_DAY,
        TEXT_MOST = 64 * 1024,
        SHOWN_MOST = 512 * 1024,
        REFERENCES_MOST = 20
};

/* ---- who may ---- */

static enum status refuse(enum refusal *why, enum refusal reason, enum status st)
{
        *why = reason;
        return st;
}

static uint32_t path_owner(struct site *site, const struct sender *sender)
{
        if (sender->person || sender->reverse_path.len == 0)
                return sender->person;
        return rules_person_of(site, sender->reverse_path);
}

CHECKED enum status answer_may(
        struct site *site, const struct sender *sender, const struct target *to, enum refusal *why)
{
        struct digest_ref ref = {0};
        uint32_t person = path_owner(site, sender);
        if (to->token.len) {
                enum status st = digest_address_read(site, to->token, &ref);
                if (st == TIMEOUT)
                        return refuse(why, REFUSED_OLD, ABSENT);
                if (st != OK)
                        return refuse(why, REFUSED_UNKNOWN, ABSENT);
        }
        if (!person || (!sender->person && ref.person && ref.person != person))
                return refuse(why, REFUSED_ANSWER, FORBIDDEN);
        return OK;
}

/* The one author, as From names him; 0 when it does not, or names several. */
static uint32_t author_of(struct site *site, struct str header, struct arena *arena)
{
        struct str value;
        if (header_count(header, "From") != 1 || !header_find(header, "From", &value))
                return 0;
        struct addresses list = address_list(arena, value);
        return list.count == 1 ? rules_person_of(site, address_text(arena, &list.v[0])) : 0;
}

/* From outside only who writes as himself is known; who has logged in has been looked at. */
static enum status know_author(struct answering *a, const struct submission *mail,
        const struct target *to, enum refusal *why)
{
        a->sender = *mail->sender;
        uint32_t person = path_owner(a->site, mail->sender),
                 author = author_of(a->site, a->header, a->arena);
        enum status st = answer_may(a->site, mail->sender, to, why);
        if (st == OK && (!author || author != person))
                st = refuse(why, REFUSED_ANSWER, FORBIDDEN);
        if (st == OK)
                st = person_get(a->site->store, person, a->arena, &a->person);
        if (st != OK)
                return *why == REFUSED_NOT ? refuse(why, REFUSED_SITE, st) : st;
        if (to->token.len && digest_address_read(a->site, to->token, &a->ref) == OK &&
                a->ref.item && a->ref.person == person)
                a->sender.person = person;
        return OK;
}

/* ---- which digest ---- */

/* The digest that the mail answers, by Message-ID; only one's own. */
static void find_answered(struct answering *a)
{
        struct derived *d = &a->derived;
        for (size_t i = d->reference_count; i > 0 && !a->ref.person; i--)
                if (digest_id_read(a->site, d->references[i - 1], &a->ref) != OK ||
                        a->ref.person != a->person.id)
                        a->ref = (struct digest_ref){0};
        struct str value, id;
        if (a->ref.person || !header_find(a->header, "In-Reply-To", &value))
                return;
        while (!a->ref.person && msgid_next(a->arena, &value, &id))
                if (digest_id_read(a->site, id, &a->ref) != OK || a->ref.person != a->person.id)
                        a->ref = (struct digest_ref){0};
}

/* Both forms, because nobody knows which one was copied. */
static void add_shown(struct arena *arena, const struct part *p, struct buf *out)
{
        struct buf octets = {0};
        for (const struct part *c = p->first; c; c = c->next)
                add_shown(arena, c, out);
        if (p->kind == PART_LEAF && str_eq(p->type, STR("text"))) {
                mime_decode(p, &octets);
                if (str_eq(p->subtype, STR("html")))
                        html_text(buf_str(&octets), out);
                else
                        buf_add(out, buf_str(&octets));
                buf_add_char(out, '\n');
        }
        buf_release(&octets);
}

static enum status load_digest(struct answering *a)
{
        struct digest_record record;
        struct buf octets = {0}, shown = {0};
        if (!a->ref.person)
                return OK;
        enum status st = digest_get(a->site->store, a->ref.person, a->ref.day, a->arena, &record);
        if (st == OK)
                st = digest_items_read(record.items, a->arena, &a->items);
        if (st != OK)
                return st == ABSENT ? OK : st; /* nothing of it is known any more: nothing fits */
        if (record.message)
                st = message_octets(a->site->store, record.message, 0, SHOWN_MOST, &octets);
        if (st == OK && octets.len) {
                struct arena *arena = arena_new();
                add_shown(arena, mime_parse(arena, buf_str(&octets)), &shown);
                a->shown = arena_copy(a->arena, buf_str(&shown));
                arena_free(arena);
        }
        buf_release(&octets);
        buf_release(&shown);
        return st == ABSENT ? OK : st; /* it was deleted: the items stand in the record */
}

/* The item in whose thread the message lies that In-Reply-To names. */
static size_t item_answered(struct answering *a)
{
        struct str value, id;
        uint64_t message, root;
        if (!header_find(a->header, "In-Reply-To", &value))
                return 0;
        while (msgid_next(a->arena, &value, &id)) {
                if (message_find(a->site->store, id, &message) != OK ||
                        thread_root(a->site->store, message, &root) != OK)
                        continue;
                for (size_t i = 0; i < a->items.count; i++)
                        if (a->items.v[i].root == root || a->items.v[i].message == message)
                                return i + 1;
        }
        return 0;
}

static void read_parts(struct answering *a)
{
        struct buf text = {0};
        content_text(a->arena, a->top, TEXT_MOST, &text);
        struct answer_to to = {
                .items = a->items.count,
                .item_address = a->ref.item,
                .item_message = item_answered(a),
                .shown = a->shown,
                .name = a->person.full_name,
        };
        answer_read(arena_copy(a->arena, buf_str(&text)), &to, a->arena, &a->answer);
        buf_release(&text);
}

/* ---- words that do something ---- */

/* "done", "due fri": what stands in a line of its own is what "/done" and "/due fri" are, where it
 * can be read so and the entry is one that it can be said to. */
static bool is_order(const struct answering *a, const struct digest_item *item, struct str line)
{
        struct str rest = line, word;
        struct directives found;
        const struct directive_row *row = str_word(&rest, &word)
                                                  ? directive_row_find(DIRECTIVE_VERB, word)
                                                  : NULL;
        if (!row || row->later || row->takes == TAKES_TEXT || row->takes == TAKES_ANY_TEXT)
                return false;
        if (row->object != ON_THREAD && item->about != ABOUT_TASK)
                return false;
        struct str order = arena_printf(a->arena, "/%.*s\n", STR_ARG(str_trim(line)));
        directive_read_text(order, a->zone, a->now, LENIENT, a->arena, &found);
        return found.count == 1 && found.v[0].fault == FAULT_NONE;
}

/* The lines at the front that are orders get their "/". How many there are. */
static size_t mark_orders(
        const struct answering *a, const struct digest_item *item, struct str text, struct buf *out)
{
        struct str line;
        size_t n = 0;
        for (struct str rest = text; str_line(&rest, &line) && is_order(a, item, line);
                text = rest) {
                buf_addf(out, "/%.*s\n", STR_ARG(str_trim(line)));
                n++;
        }
        buf_add(out, text);
        return n;
}

/* ---- posting ---- */

/* RFC 5322 3.6.4: the answered message's References and its own id. */
static struct str references_of(struct answering *a, const struct stored *answered)
{
        struct buf header = {0}, out = {0};
        struct str raw = STR_NONE, id, first = STR_NONE, last[REFERENCES_MOST];
        size_t count = 0;
        if (message_octets(a->site->store, answered->id, 0, answered->header_size, &header) != OK ||
                (!header_find(buf_str(&header), "References", &raw) &&
                        !header_find(buf_str(&header), "In-Reply-To", &raw)))
                raw = STR_NONE;
        while (msgid_next(a->arena, &raw, &id)) {
                if (!first.len)
                        first = id;
                else
                        last[count++ % REFERENCES_MOST] = id;
        }
        if (first.len)
                buf_addf(&out, "%.*s ", STR_ARG(first));
        for (size_t i = count > REFERENCES_MOST ? count - REFERENCES_MOST : 0; i < count; i++)
                buf_addf(&out, "%.*s ", STR_ARG(last[i % REFERENCES_MOST]));
        buf_add(&out, answered->message_id);
        struct str s = arena_copy(a->arena, buf_str(&out));
        buf_release(&header);
        buf_release(&out);
        return s;
}

static struct str subject_of(struct answering *a, struct str subject)
{
        if (header_is_reply(subject))
                return arena_copy(a->arena, subject);
        return arena_printf(a->arena, "Re: %.*s", STR_ARG(subject));
}

static enum status find_message(
        struct answering *a, const struct digest_item *item, struct stored *out)
{
        uint64_t ids[2] = {item->message, item->root};
        struct stored got[2];
        enum status st = messages_read(a->site->store, ids, 2, READ_SUMMARY, a->arena, got);
        if (st != OK)
                return st;
        *out = got[0].id ? got[0] : got[1];
        return out->id ? OK : ABSENT;
}

/* What goes into the thread. The id is made of the reply and the part, so that the same reply,
 * which comes twice where a connection breaks, is posted once. */
static void compose_part(struct answering *a, const struct answer_part *part,
        const struct stored *answered, struct buf *out)
{
        struct str name = arena_printf(a->arena, "answer %.*s %llu %.*s", STR_ARG(a->reply_id),
                (unsigned long long)a->items.v[part->item - 1].root, STR_ARG(part->text));
        struct composition c = {
                .from = header_unfold(a->arena, a->from),
                .to = a->topic_address,
                .subject = subject_of(a, answered->subject),
                .message_id = msgid_of(a->arena, name, a->domain),
                .in_reply_to = answered->message_id,
                .references = references_of(a, answered),
                .date = a->written ? a->written : a->now,
                .offset = a->offset,
                .text = part->text,
        };
        a->part_id = c.message_id;
        answer_compose(a, &c, a->carrier != NULL, out);
}

/* Where a part goes, and what it answers. */
struct aim {
        const struct digest_item *item;
        struct stored answered;
        struct target target;
};

/* OK with fate->why: nowhere, and that is why. */
static enum status aim_at_topic(struct answering *a, struct aim *aim, struct answer_fate *fate)
{
        struct rights rights;
        struct topic topic;
        enum status st = rules_topic(a->site, a->person.id, aim->item->topic, &rights);
        if (st == OK)
                st = topic_get(a->site->store, aim->item->topic, a->arena, &topic);
        if (st != OK) {
                fate->why = "that topic is not here any more";
                return st == ABSENT ? OK : st;
        }
        if (!rights.post)
                fate->why = refusal_text(REFUSED_MEMBERS);
        aim->target = (struct target){.kind = TARGET_TOPIC, .id = topic.id, .name = topic.name};
        aim->target.address = arena_printf(
                a->arena, "%.*s@%.*s", STR_ARG(topic.name), STR_ARG(a->domain));
        return OK;
}

/* To whom a reply to that mail goes (RFC 5322 3.6.2), from the person's own address here. */
static enum status aim_at_author(struct answering *a, struct aim *aim, struct answer_fate *fate)
{
        struct buf header = {0};
        struct str value;
        struct address to;
        enum refusal why = REFUSED_NOT;
        if (!a->sender.person) {
                fate->why = "mail from outside is no answer to somebody's mail to you: log in";
                return OK;
        }
        a->sender.way = WAY_SUBMISSION;
        a->sender.reverse_path = arena_printf(
                a->arena, "%.*s@%.*s", STR_ARG(a->person.name), STR_ARG(a->domain));
        enum status st = message_octets(
                a->site->store, aim->answered.id, 0, aim->answered.header_size, &header);
        bool found = st == OK &&
                     (header_find(buf_str(&header), "Reply-To", &value) ||
                             header_find(buf_str(&header), "From", &value)) &&
                     address_first(a->arena, value, &to);
        buf_release(&header);
        if (!found) {
                fate->why = "that mail names nobody to answer";
                return st == ABSENT ? OK : st;
        }
        st = submit_target(
                a->site, &a->sender, address_text(a->arena, &to), a->arena, &aim->target, &why);
        if (st != OK && why != REFUSED_SITE)
                fate->why = refusal_text(why);
        else if (st == OK && aim->target.kind == TARGET_COMMAND)
                /* whoever wrote it would command under another's name, or lead here once more */
                fate->why = "that mail wants its answers at an address that asks something of this "
                            "server: if you want that, write to it yourself";
        return fate->why ? OK : st;
}

static enum status aim_at(struct answering *a, struct aim *aim, struct answer_fate *fate)
{
        enum status st = find_message(a, aim->item, &aim->answered);
        if (st == ABSENT) {
                fate->why = "the message that it answers is not here any more";
                return OK;
        }
        if (st != OK)
                return st;
        return aim->item->about == ABOUT_MAIL ? aim_at_author(a, aim, fate)
                                              : aim_at_topic(a, aim, fate);
}

static enum status file_part(
        struct answering *a, struct str bytes, const struct aim *aim, enum refusal *why)
{
        struct acceptance in = {
                .mail = {.sender = &a->sender, .bytes = bytes}, .to = &aim->target, .to_count = 1};
        uint64_t there;
        if (!a->written && message_find(a->site->store, a->part_id, &there) == OK)
                return OK; /* its octets would be others now */
        if (aim->item->about == ABOUT_TASK)
                in.mail.about = aim->item->task;
        /* the same reply gives the same octets: its entry stays, and what it asks for is done once
         */
        return accept_mail(a->site, &in, a->arena, why);
}

/* The part as it is posted: words of command marked, addresses with tokens struck out. */
static bool make_text(struct answering *a, const struct digest_item *item, struct str *text)
{
        struct buf marked = {0}, struck = {0};
        size_t orders = mark_orders(a, item, *text, &marked);
        digest_strike(a->site, buf_str(&marked), &struck);
        *text = arena_copy(a->arena, buf_str(&struck));
        buf_release(&marked);
        buf_release(&struck);
        return !orders || a->sender.person;
}

static enum status post_part(
        struct answering *a, const struct answer_part *part, struct answer_fate *fate)
{
        struct aim aim = {.item = &a->items.v[part->item - 1]};
        struct sender sender = a->sender;
        struct answer_part clean = *part;
        struct buf bytes = {0};
        enum refusal why = REFUSED_NOT;
        *fate = (struct answer_fate){.item = part->item, .text = part->text};
        enum status st = aim_at(a, &aim, fate);
        if (st == OK && !fate->why && !make_text(a, aim.item, &clean.text))
                fate->why = "it changes something, and mail from outside does that only under the "
                            "entry's "
                            "own address (its links in the HTML form); or log in";
        if (st == OK && !fate->why) {
                a->topic_address = aim.target.address;
                compose_part(a, &clean, &aim.answered, &bytes);
                st = file_part(a, buf_str(&bytes), &aim, &why);
                bool about_it = st != OK && why != REFUSED_SITE && why != REFUSED_NOT;
                fate->why = about_it ? refusal_text(why) : NULL;
                st = about_it ? OK : st;
        }
        fate->subject = aim.answered.subject;
        fate->topic = aim.target.name;
        a->sender = sender;
        buf_release(&bytes);
        return st;
}

static enum status post_all(struct answering *a)
{
        const struct answer *answer = &a->answer;
        enum status st = OK;
        a->fates = arena_alloc(a->arena, (answer->count + 1) * sizeof *a->fates);
        if (answer->count == 1 && answer->rest.len == 0)
                a->carrier = &answer->parts[0];
        for (size_t i = 0; i < answer->count && st == OK; i++) {
                st = post_part(a, &answer->parts[i], &a->fates[i]);
                a->fate_count++;
        }
        return st;
}

/* ---- all of it ---- */

/* What a machine answers is filed, and never acted on. */
static enum status file_automatic(
        struct answering *a, const struct submission *mail, enum refusal *why)
{
        struct placement to = {.address = STR("digest")};
        struct submission copy = *mail;
        enum status st = mailbox_find_use(a->site->store, a->person.id, USE_INBOX, &to.mailbox);
        copy.to = &to;
        copy.to_count = 1;
        copy.commands = NULL;
        copy.command_count = copy.outside_count = 0;
        return st == OK ? submit(a->site, &copy, a->arena, why) : refuse(why, REFUSED_SITE, st);
}

static void begin(struct answering *a, const struct submission *mail)
{
        a->domain = site_config(a->site)->domain;
        a->top = mime_parse(a->arena, mail->bytes);
        a->header = a->top->header;
        derive(a->arena, mail->bytes, &a->derived);
        a->reply_id = mail->message_id.len ? mail->message_id : a->derived.message_id;
        a->now = clock_now();
        bool dated = a->derived.date > a->now - WRITTEN_AGO && a->derived.date <= a->now + A_DAY;
        a->written = dated ? a->derived.date : 0;
        if (!header_find(a->header, "From", &a->from))
                a->from = STR_NONE;
}

static void find_zone(struct answering *a)
{
        if (zone_find(a->person.zone, &a->zone) != OK && zone_find(STR("UTC"), &a->zone) != OK)
                return;
        a->offset = zone_civil(a->zone, a->now).offset;
}

CHECKED enum status answer_obey(struct site *site, const struct submission *mail,
        const struct target *to, struct arena *arena, enum refusal *why)
{
        struct answering a = {.site = site, .arena = arena};
        begin(&a, mail);
        enum status st = know_author(&a, mail, to, why);
        if (st != OK)
                return st;
        if (a.derived.automatic)
                return file_automatic(&a, mail, why);
        find_zone(&a);
        if (!a.ref.person)
                find_answered(&a);
        st = load_digest(&a);
        if (st == OK) {
                read_parts(&a);
                st = post_all(&a);
        }
        if (st == OK)
                st = answer_tell(&a);
        if (st == OK)
                log_note("digest: %.*s answers %zu of %zu entries%s", STR_ARG(a.person.name),
                        a.answer.count, a.items.count, a.answer.rest.len ? ", and more" : "");
        return st == OK ? OK : refuse(why, REFUSED_SITE, st);
}
