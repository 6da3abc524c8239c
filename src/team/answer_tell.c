#include "team/answer_tell.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/msgid.h"
#include "team/page.h"

/* ---- attachments ---- */

/* A signature is one of the whole reply: it fits no part of it. */
static bool goes_along(const struct part *p)
{
        return mime_is_attachment(p) && str_find(p->subtype, STR("signature")) == STR_NOWHERE;
}

static size_t count_attached(const struct part *p)
{
        size_t n = 0;
        for (const struct part *c = p->first; c; c = c->next)
                n += goes_along(c) ? 1 : count_attached(c);
        return n;
}

/* As they stand: the octets of each part, its header and all. */
static void add_attached(const struct part *p, struct str boundary, struct buf *out)
{
        for (const struct part *c = p->first; c; c = c->next) {
                if (!goes_along(c)) {
                        add_attached(c, boundary, out);
                        continue;
                }
                buf_addf(out, "\r\n--%.*s\r\n", STR_ARG(boundary));
                buf_add(out, c->header);
                buf_add(out, c->body);
        }
}

/* None of the reply's lines; and the same for the same message, so that it can be made again. */
static void make_boundary(const struct answering *a, struct str id, struct buf *out)
{
        struct str hash = msgid_of(a->arena, id, STR("b"));
        unsigned n = 0;
        do {
                buf_clear(out);
                buf_addf(out, "=_%.*s.%u", STR_ARG(str_sub(hash, 1, str_chr(hash, '@') - 1)), n++);
        } while (str_find(a->top->body, buf_str(out)) != STR_NOWHERE);
}

void answer_compose(const struct answering *a, const struct composition *c, bool carries, struct buf *out)
{
        struct buf plain = {0}, head = {0}, text = {0}, boundary = {0};
        struct field field;
        compose(a->arena, c, &plain);
        struct str message = buf_str(&plain), header = str_sub(message, 0, header_length(message));
        if (!carries || !count_attached(a->top)) {
                buf_add(out, message);
                buf_release(&plain);
                return;
        }
        struct str rest = header;
        while (header_next(&rest, &field))
                buf_add(str_starts_same(field.name, STR("Content-")) ? &text : &head, field.all);
        make_boundary(a, c->message_id, &boundary);
        struct str b = buf_str(&boundary);
        buf_add(out, buf_str(&head));
        buf_addf(out, "Content-Type: multipart/mixed; boundary=\"%.*s\"\r\n\r\n--%.*s\r\n%.*s\r\n", STR_ARG(b),
                STR_ARG(b), STR_ARG(buf_str(&text)));
        buf_add(out, str_from(message, header.len));
        add_attached(a->top, b, out);
        buf_addf(out, "\r\n--%.*s--\r\n", STR_ARG(b));
        buf_release(&plain);
        buf_release(&head);
        buf_release(&text);
        buf_release(&boundary);
}

/* ---- what is left ---- */

static size_t count_refused(const struct answering *a)
{
        size_t n = 0;
        for (size_t i = 0; i < a->fate_count; i++)
                n += a->fates[i].why != NULL;
        return n;
}

/* What the author sends once more: what fitted nowhere, and what was refused, under its number. */
static struct str left_over(const struct answering *a)
{
        struct buf b = {0}, struck = {0};
        buf_add(&b, a->answer.rest);
        for (size_t i = 0; i < a->fate_count; i++)
                if (a->fates[i].why)
                        buf_addf(&b, "%s[%zu] %.*s", b.len ? "\n" : "", a->fates[i].item,
                                STR_ARG(a->fates[i].text));
        digest_strike(a->site, buf_str(&b), &struck);
        struct str s = arena_copy(a->arena, buf_str(&struck));
        buf_release(&b);
        buf_release(&struck);
        return s;
}

static void add_quoted(struct str text, struct buf *out)
{
        struct str line;
        while (str_line(&text, &line))
                text_wrap(line, PAGE_COLUMNS, STR("> "), STR("> "), out);
        buf_add_char(out, '\n');
}

static void add_wrapped(struct str text, struct buf *out)
{
        text_wrap(text, PAGE_COLUMNS, STR(""), STR(""), out);
}

static void add_fates(const struct answering *a, struct buf *out)
{
        size_t refused = count_refused(a);
        if (a->fate_count > refused)
                buf_add_text(out, "Posted:\n\n");
        for (size_t i = 0; i < a->fate_count; i++)
                if (!a->fates[i].why)
                        text_wrap(arena_printf(a->arena, "[%zu] %.*s%s%.*s", a->fates[i].item,
                                          STR_ARG(a->fates[i].topic), a->fates[i].topic.len ? " - " : "",
                                          STR_ARG(a->fates[i].subject)),
                                PAGE_COLUMNS, STR("  "), STR("      "), out);
        if (a->fate_count > refused)
                buf_add_char(out, '\n');
        for (size_t i = 0; i < a->fate_count; i++) {
                if (!a->fates[i].why)
                        continue;
                add_wrapped(arena_printf(a->arena, "Not posted to [%zu]: %s.", a->fates[i].item,
                                    a->fates[i].why), out);
                buf_add_char(out, '\n');
                add_quoted(a->fates[i].text, out);
        }
}

static struct str notice_text(const struct answering *a)
{
        struct buf b = {0};
        size_t attached = a->carrier ? 0 : count_attached(a->top);
        struct str rest = a->answer.rest;
        add_fates(a, &b);
        if (rest.len) {
                add_wrapped(!a->items.count
                                ? STR("Not posted, because nothing says which digest it answers:")
                                : STR("Not posted, because nothing says which entry of the digest it is about:"),
                        &b);
                buf_add_char(&b, '\n');
                add_quoted(rest, &b);
        } else if (!a->fate_count) {
                add_wrapped(STR("Nothing was posted: there was nothing of your own in your reply."), &b);
                buf_add_char(&b, '\n');
        }
        if (attached)
                add_wrapped(arena_printf(a->arena, "%zu attachment%s %s not posted, because there is more than "
                                    "one entry to go to.", attached, attached == 1 ? "" : "s",
                                    attached == 1 ? "was" : "were"), &b);
        if (attached)
                buf_add_char(&b, '\n');
        if (rest.len || count_refused(a) || attached)
                add_wrapped(STR("It lies in your Drafts, ready to be sent."), &b);
        add_wrapped(a->items.count
                        ? STR("To say it, begin a line with the number of the entry, as in\n")
                        : STR("To say it, reply to the digest itself, or write to the topic."),
                &b);
        if (a->items.count)
                buf_add_text(&b, "\n    [1] I have seen it, too.\n\nand send it; or write to the topic.\n");
        struct str s = arena_copy(a->arena, buf_str(&b));
        buf_release(&b);
        return s;
}

/* ---- the two messages ---- */

static struct str digest_mailbox(const struct answering *a)
{
        struct digest_ref whole = {a->ref.person, a->ref.day, 0};
        if (a->ref.person == a->person.id)
                return digest_address(a->site, &whole, a->now, a->arena);
        return arena_printf(a->arena, "digest@%.*s", STR_ARG(a->domain));
}

static struct str own_address(const struct answering *a)
{
        return address_field(a->arena, a->person.full_name,
                arena_printf(a->arena, "%.*s@%.*s", STR_ARG(a->person.name),
                        STR_ARG(a->domain)));
}

static void compose_notice(const struct answering *a, struct str id, struct buf *out)
{
        size_t posted = a->fate_count - count_refused(a);
        struct str address = digest_mailbox(a);
        struct composition c = {
                .from = address_field(a->arena, STR("Baton"), arena_printf(a->arena, "digest@%.*s",
                                STR_ARG(a->domain))),
                .to = own_address(a),
                .subject = posted ? STR("Your answers to the digest: not all are posted")
                                  : STR("Your answer to the digest is not posted"),
                .message_id = id,
                .in_reply_to = a->reply_id,
                .references = a->reply_id,
                .date = a->now,
                .offset = a->offset,
                .fields = arena_printf(a->arena, "Reply-To: %.*s\r\nBaton-Kind: notice\r\n", STR_ARG(address)),
                .text = notice_text(a),
                .automatic = true,
        };
        compose(a->arena, &c, out);
}

static void compose_draft(const struct answering *a, struct str text, struct buf *out)
{
        struct digest_ref whole = {a->ref.person, a->ref.day, 0};
        struct str subject = a->derived.subject;
        struct composition c = {
                .from = header_unfold(a->arena, a->from),
                .to = digest_mailbox(a),
                .subject = subject.len ? subject : STR("Re: digest"),
                .message_id = msgid_new(a->arena, a->domain),
                .in_reply_to = a->ref.person ? digest_id(a->site, &whole, a->arena) : STR_NONE,
                .date = a->now,
                .offset = a->offset,
                .text = text,
        };
        answer_compose(a, &c, !a->carrier, out);
}

/* Both or none; what Baton itself writes passes no rules. */
static enum status file_both(struct answering *a, struct str notice, struct str draft)
{
        struct filing_entry entries[2] = {{.date = a->now}, {.date = a->now, .person = a->person.id,
                                                                    .flags = FLAG_DRAFT | FLAG_SEEN}};
        struct derived derived[2];
        struct filing filings[2] = {
                {.bytes = notice, .derived = &derived[0], .entries = &entries[0], .entry_count = 1},
                {.bytes = draft, .derived = &derived[1], .entries = &entries[1], .entry_count = 1},
        };
        struct change *change = change_new(a->site->store);
        enum status st = mailbox_find_use(a->site->store, a->person.id, USE_INBOX, &entries[0].mailbox);
        if (st == OK && draft.len)
                st = mailbox_find_use(a->site->store, a->person.id, USE_DRAFTS, &entries[1].mailbox);
        for (size_t i = 0; st == OK && i < (draft.len ? 2 : 1); i++) {
                derive(a->arena, filings[i].bytes, &derived[i]);
                st = change_file(change, &filings[i]);
        }
        if (st == OK)
                st = store_commit(change);
        change_free(change);
        return st;
}

CHECKED enum status answer_tell(struct answering *a)
{
        struct buf notice = {0}, draft = {0};
        struct str left = left_over(a);
        bool loose = !a->carrier && count_attached(a->top);
        uint64_t there;
        struct str id = msgid_of(a->arena,
                arena_printf(a->arena, "notice %.*s %.*s", STR_ARG(a->reply_id), STR_ARG(left)),
                a->domain);
        if (left.len == 0 && a->fate_count && !loose)
                return OK;
        if (message_find(a->site->store, id, &there) == OK)
                return OK; /* the same reply came before */
        compose_notice(a, id, &notice);
        if (left.len || loose)
                compose_draft(a, left, &draft);
        enum status st = file_both(a, buf_str(&notice), buf_str(&draft));
        buf_release(&notice);
        buf_release(&draft);
        return st;
}
