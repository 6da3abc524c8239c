#include "team/submit.h"
#include "base/clock.h"
#include "mail/header.h"
#include "mail/msgid.h"
#include "store/queue.h"
#include "team/answer_post.h"
#include "team/claim.h"
#include "team/named.h"
#include "team/list_mail.h"
#include "team/list_send.h"
#include "team/prefix.h"
#include "team/report.h"

enum { RECEIVED_MAX = 50, TARGETS_MAX = 60 };

const char *refusal_text(enum refusal why)
{
        static const char *const texts[REFUSED_COUNT] = {
                [REFUSED_NOT] = "done",
                [REFUSED_UNKNOWN] = "no such person or topic here",
                [REFUSED_RELAY] = "not an address of this site, and this server does not relay",
                [REFUSED_FORGED] = "that is an address of this site or of somebody else here: log in as "
                                   "its owner (submission port) to write with it",
                [REFUSED_MEMBERS] = "only members of the topic may post there: ask its owner to "
                                    "subscribe you, and write from an address that is known here",
                [REFUSED_COMMAND] = "the topic exists, but offers no such sub-address: an empty mail to "
                                   "TOPIC+help@ is answered with all there are",
                [REFUSED_LOOP] = "mail loop: the message has passed too many servers, or this one already",
                [REFUSED_FORM] = "not a message: it has no header",
                [REFUSED_SIZE] = "the message is too big",
                [REFUSED_SENDER] = "mail to the outside leaves under an address of your own: write as "
                                   "one, or have an administrator add this one to yours",
                [REFUSED_ANSWER] = "replies to a digest are taken from the person whose it is: write "
                                   "from an address that is known here, or log in",
                [REFUSED_OLD] = "that digest is too old to be answered: write to the topic",
                [REFUSED_LOGIN] = "tasks are opened by who has logged in: send it by the submission "
                                  "port, or write to the topic itself",
                [REFUSED_NAMES] = "it names more than 50 people: each would find it in their INBOX; "
                                  "name fewer, the topic reaches all who follow it",
                [REFUSED_TOKEN] = "the address holds a word that was never given out, has been used, or "
                                  "is too old: ask again, and answer from the address that was asked",
                [REFUSED_MODE] = "who follows a topic from outside gets each message or none: write "
                                 "to +each, +mute or +unsubscribe",
                [REFUSED_AGAIN] = "that address was written to today: answer the mail that lies "
                                  "there, or write again tomorrow",
                [REFUSED_MUTE] = "this site sends no mail to the outside, so it could not answer: log "
                                 "in to write to this address",
                [REFUSED_TASKS] = "a mail opens one task, and this one has another topic's address for "
                                  "that already: write one mail to each",
                [REFUSED_THREAD] = "this mail or what it answers is a task of another topic, and a thread "
                                   "is one task: write a new mail to open one here",
                [REFUSED_AUTHOR] = "a task is opened by who wrote the mail, and its From is no address of "
                                   "yours here: forward it, or copy it to the board's folder",
                [REFUSED_RESENT] = "a mail that is resent (Resent-From) asks for nothing: forward it, or "
                                   "write one of your own",
                [REFUSED_SITE] = "the server cannot file it now: try again later",
        };
        return why < REFUSED_COUNT ? texts[why] : "refused";
}

static enum status refuse(enum refusal *why, enum refusal reason, enum status st)
{
        *why = reason;
        return st;
}

/* ---- who writes, and to whom ---- */

CHECKED enum status submit_sender(struct site *site, const struct sender *sender, enum refusal *why)
{
        *why = REFUSED_NOT;
        if (sender->reverse_path.len == 0)
                return OK;
        if (sender->person) {
                uint32_t owner = rules_person_of(site, sender->reverse_path);
                bool ours = rules_is_site(site, sender->reverse_path);
                if (owner != sender->person && (owner || ours))
                        return refuse(why, REFUSED_FORGED, FORBIDDEN);
                return OK;
        }
        if (rules_is_site(site, sender->reverse_path))
                return refuse(why, REFUSED_FORGED, FORBIDDEN);
        return OK;
}

/* Whose rights to post count: who logged in, else whose known outside address it comes from, as mailing
 * lists do. Such mail is a plain post: it commands nothing. */
static uint32_t posting_person(struct site *site, const struct sender *sender)
{
        if (sender->person || sender->reverse_path.len == 0)
                return sender->person;
        return rules_writer_of(site, sender->reverse_path);
}

/* To the outside: who has logged in, under an address of his own, when somebody takes such mail. */
static enum status outside_target(struct site *site, const struct sender *sender, struct target *out,
        enum refusal *why)
{
        if (sender->way != WAY_SUBMISSION || !sender->person || !config_relays(site_config(site)))
                return refuse(why, REFUSED_RELAY, FORBIDDEN);
        if (sender->reverse_path.len && rules_person_of(site, sender->reverse_path) != sender->person)
                return refuse(why, REFUSED_SENDER, FORBIDDEN);
        out->kind = TARGET_OUTSIDE;
        out->id = 0;
        return OK;
}

static bool opens_task(const struct target *t)
{
        return t->kind == TARGET_COMMAND && t->what == SUB_TASK;
}

static bool leads_to_topic(const struct target *t)
{
        return t->kind == TARGET_TOPIC || t->kind == TARGET_TASK || opens_task(t);
}

CHECKED enum status submit_target(struct site *site, const struct sender *sender, struct str address,
        struct arena *arena, struct target *out, enum refusal *why)
{
        *why = REFUSED_NOT;
        enum status st = rules_target(site, address, arena, out);
        switch (st) {
        case OK:
                break;
        case ABSENT:
                return refuse(why, REFUSED_UNKNOWN, ABSENT);
        case FORBIDDEN:
                return outside_target(site, sender, out, why);
        case UNSUPPORTED:
                return refuse(why, REFUSED_COMMAND, ABSENT);
        default:
                return refuse(why, REFUSED_SITE, st);
        }
        if (out->kind == TARGET_COMMAND && out->what == SUB_ANSWER)
                return answer_may(site, sender, out, why);
        if (out->kind == TARGET_COMMAND && out->what != SUB_TASK) {
                st = list_may_ask(site, sender, out, arena, why);
                if (st == OK && out->what == SUB_OWNER)
                        st = rules_owner(site, out->id, arena, out);
                return st == OK || *why ? st : refuse(why, REFUSED_UNKNOWN, st);
        }
        if (!leads_to_topic(out))
                return OK;
        struct rights rights;
        st = rules_topic(site, posting_person(site, sender), out->id, &rights);
        if (st != OK)
                return refuse(why, REFUSED_SITE, st);
        return rights.post ? OK : refuse(why, REFUSED_MEMBERS, FORBIDDEN);
}

CHECKED enum status submit_beside(const struct target *others, size_t count,
        const struct target *more, enum refusal *why)
{
        *why = REFUSED_NOT;
        for (size_t i = 0; i < count; i++)
                if (opens_task(more) && opens_task(&others[i]) && others[i].id != more->id)
                        return refuse(why, REFUSED_TASKS, FORBIDDEN);
        return OK;
}

static bool has_placement(const struct placement *to, size_t count, uint32_t mailbox)
{
        for (size_t i = 0; i < count; i++)
                if (to[i].mailbox == mailbox)
                        return true;
        return false;
}

CHECKED enum status submit_placements(struct site *site, const struct target *targets, size_t count,
        struct arena *arena, struct placement **out, size_t *out_count)
{
        struct placement *to = arena_alloc(arena, count * sizeof *to);
        size_t n = 0;
        for (size_t i = 0; i < count; i++) {
                uint32_t mailbox = targets[i].id;
                if (targets[i].kind != TARGET_PERSON && !leads_to_topic(&targets[i]))
                        continue;
                if (targets[i].kind == TARGET_PERSON) {
                        enum status st = mailbox_find_use(site->store, targets[i].id, USE_INBOX, &mailbox);
                        if (st != OK)
                                return st;
                }
                if (!has_placement(to, n, mailbox))
                        to[n++] = (struct placement){.mailbox = mailbox, .address = targets[i].address};
        }
        *out = to;
        *out_count = n;
        return OK;
}

static bool is_outside(const struct target *t)
{
        return t->kind == TARGET_OUTSIDE;
}

static bool is_told(const struct target *t)
{
        return t->kind != TARGET_OUTSIDE && t->notify & NOTIFY_SUCCESS;
}

static bool is_command(const struct target *t)
{
        return t->kind == TARGET_COMMAND;
}

struct targets {
        const struct target *v;
        size_t count;
        struct arena *arena;
};

/* Those of one sort, each address once. */
static const struct target *pick(
        const struct targets *all, bool (*wanted)(const struct target *), size_t *count)
{
        struct target *out = arena_alloc(all->arena, all->count * sizeof *out);
        *count = 0;
        for (size_t i = 0; i < all->count; i++) {
                bool takes = wanted(&all->v[i]);
                for (size_t j = 0; takes && j < *count; j++)
                        takes = !str_same(out[j].address, all->v[i].address);
                if (takes)
                        out[(*count)++] = all->v[i];
        }
        return out;
}

void submit_others(const struct target *targets, size_t count, struct arena *arena,
        struct submission *mail)
{
        const struct targets all = {targets, count, arena};
        mail->outside = pick(&all, is_outside, &mail->outside_count);
        mail->told = pick(&all, is_told, &mail->told_count);
        mail->commands = pick(&all, is_command, &mail->command_count);
}

/* ---- what is written ---- */

struct parsed_mail *submit_parsed(struct submission *mail, struct arena *arena)
{
        bool read = mail->parsed && mail->parsed->bytes.at == mail->bytes.at &&
                    mail->parsed->bytes.len == mail->bytes.len;
        if (!read) {
                mail->parsed = arena_alloc(arena, sizeof *mail->parsed);
                parsed_make(arena, mail->bytes, mail->parsed);
        }
        return mail->parsed;
}

static enum status check_form(struct site *site, struct submission *mail, struct arena *arena,
        enum refusal *why)
{
        struct str header = str_sub(mail->bytes, 0, header_length(mail->bytes));
        struct str rest = header;
        struct field field;
        if (mail->bytes.len > site_config(site)->message_size)
                return refuse(why, REFUSED_SIZE, TOO_BIG);
        if (mail->sender->way == WAY_APPEND) /* a client keeps what it likes, without a header too */
                return OK;
        if (!header_next(&rest, &field))
                return refuse(why, REFUSED_FORM, INVALID);
        if (mail->sender->way != WAY_IMPORT && header_count(header, "Received") > RECEIVED_MAX)
                return refuse(why, REFUSED_LOOP, INVALID);
        enum claim claim = claim_of(site, mail->sender, header, arena);
        if (claim == CLAIM_FORGED)
                return refuse(why, REFUSED_FORGED, FORBIDDEN);
        mail->resent = claim == CLAIM_RESENT;
        return mail->resent && mail->command_count ? refuse(why, REFUSED_RESENT, FORBIDDEN) : OK;
}

/* Message-ID and Date are what a first server adds where they are missing (RFC 6409 8, RFC 5537
 * 3.5). The id is made of the octets, so that mail sent again is known again; but not of what is
 * dated now: "Buy milk" twice is two messages. A date only where the author is here now. Folders of
 * a person's own keep exactly what was appended. */
static void complete(struct site *site, struct submission *mail, bool topic, struct arena *arena)
{
        enum way way = mail->sender->way;
        struct str header = str_sub(mail->bytes, 0, header_length(mail->bytes));
        struct str raw, id = STR_NONE, domain = site_config(site)->domain;
        struct buf fields = {0};
        bool author_is_here =
                way == WAY_SUBMISSION || way == WAY_NEWS || (way == WAY_APPEND && topic);
        bool undated = author_is_here && header_count(header, "Date") == 0;
        if (!header_find(header, "Message-ID", &raw) || !msgid_next(arena, &raw, &id)) {
                id = undated ? msgid_new(arena, domain) : msgid_of(arena, mail->bytes, domain);
                buf_addf(&fields, "Message-ID: %.*s\r\n", STR_ARG(id));
        }
        mail->message_id = id;
        if (undated) {
                buf_add_text(&fields, "Date: ");
                date_print(clock_now(), 0, &fields);
                buf_add_text(&fields, "\r\n");
        }
        if (fields.len && (way != WAY_APPEND || topic)) {
                struct field first;
                if (!header_next(&header, &first) && !str_starts(mail->bytes, STR("\r\n")))
                        buf_add_text(&fields, "\r\n"); /* it is all body */
                buf_add(&fields, mail->bytes);
                mail->bytes = arena_copy(arena, buf_str(&fields));
        }
        buf_release(&fields);
}

CHECKED enum status submit_check(
        struct site *site, struct submission *mail, struct arena *arena, enum refusal *why)
{
        *why = REFUSED_NOT;
        enum status st = check_form(site, mail, arena, why);
        if (st == OK)
                complete(site, mail, false, arena);
        return st;
}

/* ---- filing ---- */

static enum status make_entry(struct site *site, const struct submission *mail,
        const struct placement *to, struct arena *arena, struct filing_entry *out)
{
        struct mailbox box = {.owner = 0};
        struct topic topic;
        enum way way = mail->sender->way;
        enum status st = topic_get(site->store, to->mailbox, arena, &topic);
        out->news = st == OK;
        if (st == ABSENT)
                st = mailbox_get(site->store, to->mailbox, arena, &box);
        if (st == OK && !out->news && box.kind != MAILBOX_FOLDER)
                st = ABSENT;
        if (st != OK)
                return st;
        *out = (struct filing_entry){
                .mailbox = to->mailbox,
                .date = mail->date ? mail->date : clock_now(),
                .news = out->news,
                .private = out->news && topic.access == ACCESS_MEMBERS,
                .history = way == WAY_IMPORT,
                .flags = to->flags,
                .keywords = to->keywords,
                .keyword_count = to->keyword_count,
        };
        if (to->flags || to->keyword_count)
                out->person = mail->sender->person ? mail->sender->person : box.owner;
        if (!out->news) {
                if (way != WAY_APPEND && way != WAY_IMPORT)
                        out->prefix = prefix_person(site, mail, to, arena);
                return OK;
        }
        out->prefix = prefix_topic(site, mail, &topic, arena);
        /* who writes has read it */
        if (mail->sender->person && way != WAY_IMPORT) {
                out->person = mail->sender->person;
                out->flags |= FLAG_SEEN;
        }
        return OK;
}

static bool goes_to_topic(struct site *site, const struct submission *mail, struct arena *arena)
{
        for (size_t i = 0; i < mail->to_count; i++) {
                struct topic topic;
                if (topic_get(site->store, mail->to[i].mailbox, arena, &topic) == OK)
                        return true;
        }
        return false;
}

/* The mail in the INBOX of one whom it names or gives work: an entry that it has there already, which
 * then says why, or one more. */
static void add_shown(struct site *site, const struct submission *mail, struct filing *filing,
        const struct named *named, struct arena *arena)
{
        struct named who = *named;
        size_t at = 0;
        while (at < filing->entry_count && filing->entries[at].mailbox != named->inbox)
                at++;
        filing->entry_count += at == filing->entry_count;
        if (at < mail->to_count && mail->to[at].address.len)
                who.address = mail->to[at].address; /* to which it came */
        filing->entries[at] = (struct filing_entry){.mailbox = named->inbox,
                .date = filing->entries[0].date,
                .prefix = prefix_named(site, mail, &who, arena),
                .shown = true};
}

/* The strongest reason comes last. */
static enum status add_named(struct site *site, const struct submission *mail, struct filing *filing,
        struct arena *arena, enum refusal *why)
{
        struct named *named, *assigned;
        size_t count, assigned_count = 0;
        enum status st = named_find(site, mail, filing->derived, arena, &named, &count);
        if (st == OK)
                st = named_assigned(site, mail, arena, &assigned, &assigned_count);
        if (st != OK)
                return refuse(why, st == TOO_MANY ? REFUSED_NAMES : REFUSED_SITE,
                        st == TOO_MANY ? FORBIDDEN : st);
        size_t room = mail->to_count + count + assigned_count;
        struct filing_entry *all = arena_alloc(arena, room * sizeof *all);
        if (mail->to_count)
                memcpy(all, filing->entries, mail->to_count * sizeof *all);
        filing->entries = all;
        for (size_t i = 0; i < count; i++)
                add_shown(site, mail, filing, &named[i], arena);
        for (size_t i = 0; i < assigned_count; i++)
                add_shown(site, mail, filing, &assigned[i], arena);
        return OK;
}

/* Mail to T-142@ is of that thread, also when its header does not say so: then readers that go by
 * References are told in front of it (prefix.c) and in the overview, which ends with them. */
static void join(const struct submission *mail, struct derived *derived, struct arena *arena)
{
        struct str *references = arena_alloc(arena, sizeof *references);
        bool silent = derived->reference_count == 0;
        *references = mail->joins;
        derived->references = references;
        derived->reference_count = 1;
        if (silent && str_ends(derived->overview, STR("\t")))
                derived->overview = arena_printf(
                        arena, "%.*s%.*s", STR_ARG(derived->overview), STR_ARG(mail->joins));
}

static enum status prepare(struct site *site, struct submission *mail, struct arena *arena,
        struct filing *out, enum refusal *why)
{
        if (mail->to_count + mail->outside_count == 0 || mail->to_count > TARGETS_MAX)
                return refuse(why, REFUSED_FORM, INVALID);
        enum status st = check_form(site, mail, arena, why);
        if (st != OK)
                return st;
        if (list_came_back(site, mail, arena))
                return refuse(why, REFUSED_LOOP, INVALID);
        bool topic = mail->sender->way == WAY_APPEND && goes_to_topic(site, mail, arena);
        complete(site, mail, topic, arena);
        struct derived *derived = arena_alloc(arena, sizeof *derived);
        derive_parsed(submit_parsed(mail, arena), derived);
        derived->message_id = mail->message_id;
        if (mail->joins.len)
                join(mail, derived, arena);
        *out = (struct filing){
                .bytes = mail->bytes,
                .derived = derived,
                .entries = arena_alloc(arena, mail->to_count * sizeof *out->entries),
                .entry_count = mail->to_count,
                .site = site_config(site)->host,
                .once = mail->sender->way != WAY_APPEND,
                .unique_id = mail->unique_id,
        };
        for (size_t i = 0; i < mail->to_count; i++) {
                st = make_entry(site, mail, &mail->to[i], arena, &out->entries[i]);
                if (st != OK)
                        return refuse(why, st == ABSENT ? REFUSED_UNKNOWN : REFUSED_SITE, st);
        }
        return add_named(site, mail, out, arena, why);
}

static bool is_eight_bit(struct str bytes)
{
        for (size_t i = 0; i < bytes.len; i++)
                if ((unsigned char)bytes.at[i] > 0x7f)
                        return true;
        return false;
}

/* The queue's row, in the change that files: mail to both sides is taken whole or not at all. */
static void queue(struct site *site, const struct submission *mail, const struct filing *filing,
        struct change *change, struct arena *arena)
{
        struct queue_row *row = arena_alloc(arena, sizeof *row);
        *row = (struct queue_row){
                .filing = filing,
                .person = mail->sender->person,
                .sender = mail->sender->reverse_path,
                .fields = prefix_outside(site, mail, arena),
                .recipients = arena_alloc(arena, mail->outside_count * sizeof *row->recipients),
                .recipient_count = mail->outside_count,
                .envelope_id = mail->envelope_id,
                .returned = mail->returned,
                .created = clock_now(),
                .next = clock_now(),
                .eight_bit = is_eight_bit(mail->bytes),
        };
        for (size_t i = 0; i < mail->outside_count; i++)
                row->recipients[i] = (struct queue_recipient){
                        .address = mail->outside[i].address, .state = QUEUE_WAITING,
                        .notify = mail->outside[i].notify, .original = mail->outside[i].original};
        change_queue_add(change, row);
}

/* Who asked for it is told of deliveries here (RFC 3461 5.2.4), in the change that makes them. */
static enum status tell(struct site *site, const struct submission *mail, struct change *change,
        struct arena *arena)
{
        struct report_recipient *to = arena_alloc(arena, mail->told_count * sizeof *to);
        struct report *report = arena_alloc(arena, sizeof *report);
        for (size_t i = 0; i < mail->told_count; i++)
                to[i] = (struct report_recipient){.address = mail->told[i].address,
                        .original = mail->told[i].original};
        *report = (struct report){
                .kind = REPORT_DELIVERED,
                .person = mail->sender->person,
                .sender = mail->sender->reverse_path,
                .envelope_id = mail->envelope_id,
                .returned = mail->returned,
                .bytes = mail->bytes,
                .to = to,
                .to_count = mail->told_count,
                .arrived = clock_now(),
                .now = clock_now(),
        };
        return report_file(site, report, change, arena);
}

static void report(struct submission *mail, const struct filing *filing)
{
        mail->message = filing->message;
        for (size_t i = 0; i < mail->to_count; i++) {
                mail->to[i].number = filing->entries[i].number;
                mail->to[i].already = filing->entries[i].already;
        }
}

CHECKED enum status submit_add(struct site *site, struct change *change, struct submission *mail,
        struct arena *arena, struct filing *filing, enum refusal *why)
{
        enum status st = prepare(site, mail, arena, filing, why);
        if (st == OK)
                st = change_file(change, filing);
        if (st == OK && mail->outside_count)
                queue(site, mail, filing, change, arena);
        if (st == OK && mail->told_count)
                st = tell(site, mail, change, arena);
        mail->queued = mail->outside_count > 0;
        if (st == OK && list_queue(site, mail, filing, change, arena))
                mail->queued = true;
        return st;
}

void submit_done(struct site *site, struct submission *mail, const struct filing *filing)
{
        report(mail, filing);
        if (mail->queued)
                site_queued(site);
}

CHECKED enum status submit_many(struct site *site, struct submission **mails, size_t count,
        struct arena *arena, enum refusal *why)
{
        struct filing *filings = arena_alloc(arena, count * sizeof *filings);
        struct change *change = change_new(site->store);
        enum status st = OK;
        *why = REFUSED_NOT;
        for (size_t i = 0; i < count && st == OK; i++)
                st = submit_add(site, change, mails[i], arena, &filings[i], why);
        if (st == OK)
                st = store_commit(change);
        if (st != OK && *why == REFUSED_NOT)
                *why = REFUSED_SITE;
        change_free(change);
        for (size_t i = 0; i < count && st == OK; i++)
                submit_done(site, mails[i], &filings[i]);
        return st;
}

CHECKED enum status submit(struct site *site, struct submission *mail, struct arena *arena,
        enum refusal *why)
{
        return submit_many(site, &mail, 1, arena, why);
}
