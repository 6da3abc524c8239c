#include "team/prefix.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/text.h"
#include "mail/header.h"
#include "team/named.h"

/* The "with" of a Received field: RFC 3848, RFC 6531 4.3. */
static const char *protocol_name(const struct sender *sender)
{
        bool utf8 = sender->smtputf8;
        switch (sender->way) {
        case WAY_SMTP:
                return sender->secure ? utf8 ? "UTF8SMTPS" : "ESMTPS" : utf8 ? "UTF8SMTP" : "ESMTP";
        case WAY_SUBMISSION:
                return sender->secure ? utf8 ? "UTF8SMTPSA" : "ESMTPSA"
                                      : utf8 ? "UTF8SMTPA" : "ESMTPA";
        case WAY_LMTP:
                return sender->secure ? utf8 ? "UTF8LMTPS" : "LMTPS" : utf8 ? "UTF8LMTP" : "LMTP";
        case WAY_PIPE:
                return "local";
        case WAY_APPEND:
                return "IMAP";
        case WAY_NEWS:
                return "NNTP";
        case WAY_IMPORT:
        case WAY_SITE:
                break;
        }
        return "import";
}

/* Only printable ASCII of what a client called itself: it stands inside a header field. */
static void add_plain(struct buf *out, struct str text)
{
        for (size_t i = 0; i < text.len && i < 255; i++)
                if (text.at[i] > ' ' && text.at[i] < 0x7f && !strchr("()<>\\;", text.at[i]))
                        buf_add_char(out, text.at[i]);
}

/* A path has been checked when it came; in UTF-8 it stands in the header so (RFC 6532). */
static void add_path(struct buf *out, struct str path)
{
        for (size_t i = 0; i < path.len; i++)
                if ((unsigned char)path.at[i] > ' ' && path.at[i] != 0x7f)
                        buf_add_char(out, path.at[i]);
}

/* From does not say who brought it here: a comment does, in the form in which Postfix has it. */
static void add_filer(struct site *site, uint32_t person, struct buf *out)
{
        struct arena *arena = arena_new();
        struct person p;
        if (person_get(site->store, person, arena, &p) == OK)
                buf_addf(out, "(Authenticated sender: %.*s)\r\n\t", STR_ARG(p.name));
        arena_free(arena);
}

/* RFC 5321 4.4. */
static void add_received(struct site *site, const struct submission *mail, struct str address,
        struct buf *out)
{
        const struct sender *sender = mail->sender;
        if (sender->way == WAY_SITE)
                return; /* it came from nowhere */
        buf_add_text(out, "Received:");
        if (sender->helo.len || sender->address.len) {
                buf_add_text(out, " from ");
                add_plain(out, sender->helo.len ? sender->helo : STR("unknown"));
                buf_add_text(out, " ([");
                add_plain(out, sender->address.len ? sender->address : STR("local"));
                buf_add_text(out, "])\r\n\t");
        } else {
                buf_add_char(out, ' ');
        }
        if (mail->resent)
                add_filer(site, sender->person, out);
        buf_add_text(out, "by ");
        buf_add(out, site_config(site)->host);
        BUF_ADD_ALL(out, STR(" with "), str_of(protocol_name(sender)), STR(" id "));
        random_word(12, out);
        if (address.len) {
                buf_add_text(out, "\r\n\tfor <");
                add_plain(out, address);
                buf_add_char(out, '>');
        }
        buf_add_text(out, "; ");
        date_print(clock_now(), 0, out);
        buf_add_text(out, "\r\n");
}

/* RFC 2919, RFC 2369, RFC 5064. The List-Id has no phrase: filters match it whole. */
static void add_list(struct site *site, struct str message_id, struct str topic, struct buf *out)
{
        static const struct {
                const char *field, *word;
        } commands[] = {{"List-Subscribe: <mailto:", "subscribe"},
                {"List-Unsubscribe: <mailto:", "unsubscribe"}, {"List-Help: <mailto:", "help"},
                {"List-Owner: <mailto:", "owner"}};
        const struct config *config = site_config(site);
        struct str domain = config->domain, separator = str_make(&config->separator, 1);
        BUF_ADD_ALL(out, STR("List-Id: <"), topic, STR("."), domain, STR(">\r\n"));
        BUF_ADD_ALL(out, STR("List-Post: <mailto:"), topic, STR("@"), domain, STR(">\r\n"));
        for (size_t i = 0; i < COUNT_OF(commands); i++)
                BUF_ADD_ALL(out, str_of(commands[i].field), topic, separator,
                        str_of(commands[i].word), STR("@"), domain, STR(">\r\n"));
        BUF_ADD_ALL(out, STR("List-Archive: <nntp://"), config->host, STR("/"), topic, STR(">\r\n"));
        buf_add_text(out, "Archived-At: <news:");
        url_escape(str_sub(message_id, 1, message_id.len - 2), out);
        buf_add_text(out, ">\r\n");
}

/* What procmail and Sieve filters sort by. */
static void add_kind(struct str topic, const char *kind, struct str task, struct buf *out)
{
        BUF_ADD_ALL(out, STR("Baton-Topic: "), topic, STR("\r\nBaton-Kind: "),
                str_of(kind ? kind : "post"), STR("\r\n"));
        if (task.len)
                header_add(out, "Baton-Task", task);
}

static void add_newsgroups(struct site *site, const struct submission *mail, struct arena *arena,
        struct buf *out)
{
        buf_add_text(out, "Newsgroups: ");
        size_t groups = 0;
        for (size_t i = 0; i < mail->to_count; i++) {
                struct topic topic;
                if (topic_get(site->store, mail->to[i].mailbox, arena, &topic) != OK)
                        continue;
                if (groups++)
                        buf_add_char(out, ',');
                buf_add(out, topic.name);
        }
        buf_add_text(out, "\r\n");
}

struct str prefix_topic(struct site *site, const struct submission *mail, const struct topic *topic,
        struct arena *arena)
{
        struct buf out = {0};
        struct str header = str_sub(mail->bytes, 0, header_length(mail->bytes));
        struct str host = site_config(site)->host;
        /* RFC 5536 3.1.5: an article has one Path; ours begins here. RFC 5537 3.5: what is posted
         * here says so, and where. */
        if (mail->path.len)
                buf_addf(&out, "Path: %.*s!%.*s\r\n", STR_ARG(host), STR_ARG(mail->path));
        else if (mail->sender->way == WAY_NEWS)
                buf_addf(&out, "Path: %.*s!.POSTED!not-for-mail\r\nInjection-Info: %.*s\r\n",
                        STR_ARG(host), STR_ARG(host));
        else
                BUF_ADD_ALL(&out, STR("Path: "), host, STR("!not-for-mail\r\n"));
        add_received(site, mail, STR_NONE, &out);
        if (header_count(header, "Newsgroups") == 0)
                add_newsgroups(site, mail, arena, &out);
        add_list(site, mail->message_id, topic->name, &out);
        if (mail->joins.len && !header_count(header, "References") && !header_count(header, "In-Reply-To"))
                buf_addf(&out, "References: %.*s\r\n", STR_ARG(mail->joins));
        add_kind(topic->name, mail->kind, mail->task, &out);
        struct str prefix = arena_copy(arena, buf_str(&out));
        buf_release(&out);
        return prefix;
}

struct str prefix_mailed(struct site *site, const struct submission *mail, const struct topic *topic,
        struct arena *arena)
{
        struct buf out = {0};
        add_received(site, mail, STR_NONE, &out);
        add_list(site, mail->message_id, topic->name, &out);
        add_kind(topic->name, mail->kind, mail->task, &out);
        buf_add_text(&out, "Baton-Reason: subscribed\r\n");
        struct str prefix = arena_copy(arena, buf_str(&out));
        buf_release(&out);
        return prefix;
}

struct str prefix_named(struct site *site, const struct submission *mail, const struct named *named,
        struct arena *arena)
{
        struct buf out = {0};
        buf_add_text(&out, "Return-Path: <");
        add_path(&out, mail->sender->reverse_path);
        buf_add_text(&out, ">\r\nDelivered-To: ");
        add_plain(&out, named->address);
        buf_add_text(&out, "\r\n");
        add_received(site, mail, STR_NONE, &out);
        add_list(site, mail->message_id, named->topic->name, &out);
        add_kind(named->topic->name, mail->kind, mail->task, &out);
        buf_addf(&out, "Baton-Reason: %s\r\n", named->reason);
        struct str prefix = arena_copy(arena, buf_str(&out));
        buf_release(&out);
        return prefix;
}

struct str prefix_person(struct site *site, const struct submission *mail,
        const struct placement *to, struct arena *arena)
{
        struct buf out = {0};
        buf_add_text(&out, "Return-Path: <");
        add_path(&out, mail->sender->reverse_path);
        buf_add_text(&out, ">\r\nDelivered-To: ");
        add_plain(&out, to->address);
        buf_add_text(&out, "\r\n");
        add_received(site, mail, to->address, &out);
        struct str prefix = arena_copy(arena, buf_str(&out));
        buf_release(&out);
        return prefix;
}

/* "for" names a recipient only where there is one: others' are not told (RFC 5321 7.6). */
struct str prefix_outside(struct site *site, const struct submission *mail, struct arena *arena)
{
        struct buf out = {0};
        bool alone = mail->outside_count == 1 && mail->to_count == 0;
        add_received(site, mail, alone ? mail->outside[0].address : STR_NONE, &out);
        struct str prefix = arena_copy(arena, buf_str(&out));
        buf_release(&out);
        return prefix;
}

struct str prefix_card(struct site *site, struct str message_id, const struct topic *topic, struct str task,
        struct arena *arena)
{
        struct buf out = {0};
        add_list(site, message_id, topic->name, &out);
        add_kind(topic->name, "card", task, &out);
        struct str prefix = arena_copy(arena, buf_str(&out));
        buf_release(&out);
        return prefix;
}

/* ---- what comes back ---- */

/* What the functions above and the store write, in this order, each once. */
enum { IN_TOPIC = 1, ELSEWHERE = 2, BOTH = 3, ALWAYS = 4 };
static const struct {
        const char *name;
        unsigned where;
} parts[] = {{"Path", IN_TOPIC}, {"Injection-Info", IN_TOPIC}, {"Return-Path", ELSEWHERE},
        {"Delivered-To", ELSEWHERE}, {"Received", BOTH}, {"Newsgroups", IN_TOPIC},
        {"List-Id", BOTH | ALWAYS}, {"List-Post", BOTH | ALWAYS}, {"List-Subscribe", BOTH | ALWAYS},
        {"List-Unsubscribe", BOTH | ALWAYS}, {"List-Help", BOTH | ALWAYS},
        {"List-Owner", BOTH | ALWAYS}, {"List-Archive", BOTH | ALWAYS},
        {"Archived-At", BOTH | ALWAYS}, {"References", IN_TOPIC}, {"Baton-Topic", BOTH | ALWAYS},
        {"Baton-Kind", BOTH | ALWAYS}, {"Baton-Task", BOTH}, {"Baton-Reason", ELSEWHERE},
        {"Xref", IN_TOPIC}};

/* Which of the parts from `next` on the field is. COUNT_OF(parts): none that can stand here. */
static size_t part_of(struct str name, unsigned where, size_t next)
{
        for (size_t i = next; i < COUNT_OF(parts); i++) {
                if (parts[i].where & where && str_same(name, str_of(parts[i].name)))
                        return i;
                if (parts[i].where & ALWAYS)
                        break;
        }
        return COUNT_OF(parts);
}

/* "<eng.backend.team.example>" of the topic that Baton-Topic names: this site wrote both. */
static bool fit(struct site *site, struct str list_id, struct str topic)
{
        struct str domain = site_config(site)->domain;
        return list_id.len == topic.len + domain.len + strlen("<.>") &&
               str_starts(list_id, STR("<")) &&
               str_same(str_sub(list_id, 1, topic.len), topic) &&
               list_id.at[1 + topic.len] == '.' &&
               str_same(str_sub(list_id, topic.len + 2, domain.len), domain) &&
               str_ends(list_id, STR(">"));
}

/* Length of the prefix of a topic's message that begins the header; 0 when there is none. */
static size_t prefix_length(struct site *site, struct str header)
{
        struct str rest = header, list_id = STR_NONE, topic = STR_NONE;
        struct field field;
        unsigned where = 0;
        size_t next = 0, length = 0;
        bool whole = false;
        while (header_next(&rest, &field)) {
                if (!where)
                        where = str_same(field.name, STR("Path")) ? IN_TOPIC : ELSEWHERE;
                size_t part = part_of(field.name, where, next);
                if (part == COUNT_OF(parts))
                        break;
                if (str_same(field.name, STR("List-Id")))
                        list_id = str_trim(field.value);
                if (str_same(field.name, STR("Baton-Topic")))
                        topic = str_trim(field.value);
                whole = whole || str_same(field.name, STR("Baton-Kind")); /* what follows may lack */
                next = part + 1;
                length = (size_t)(rest.at - header.at);
        }
        return whole && fit(site, list_id, topic) ? length : 0;
}

struct str prefix_strip(struct site *site, struct str bytes)
{
        struct str header = str_sub(bytes, 0, header_length(bytes));
        size_t length = 1, all = 0;
        for (; length; all += length) {
                length = prefix_length(site, header);
                header = str_from(header, length);
        }
        return all < bytes.len ? str_from(bytes, all) : bytes;
}
