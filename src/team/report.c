#include "team/report.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/text.h"
#include "mail/enhanced.h"
#include "mail/header.h"

enum {
        WHOLE_MOST = 64 << 10,       /* of a failed mail, where RET= says nothing */
        WHOLE_ASKED_MOST = 10 << 20, /* and where it says FULL: it lies in memory meanwhile */
        HEADER_MOST = 64 << 10,
        BOUNDARY_RANDOM = 24,
};

struct writing {
        struct site *site;
        const struct report *report;
        struct arena *arena;
        struct str message_id, subject; /* of the mail that this is about; may be empty */
        struct str original;            /* all of it, or its header */
        bool whole;
};

/* What each kind is called, to people and by RFC 3464 2.3.3. */
static const struct {
        const char *title, *words, *action, *status;
} kinds[] = {
        [REPORT_FAILED] = {"Not delivered", "could not be delivered", "failed", "5.0.0"},
        [REPORT_LATE] = {"Not delivered yet", "has not been delivered yet", "delayed", "4.4.1"},
        [REPORT_DELIVERED] = {"Delivered", "has been delivered", "delivered", "2.0.0"},
        [REPORT_RELAYED] = {"Passed on", "has been passed on", "relayed", "2.0.0"},
};

/* RFC 3461 4.3 and 6.2: a failed mail comes back whole if the sender says so, or where he says
 * nothing if it is short; else its header does. */
static bool is_whole(const struct report *r, uint64_t size)
{
        if (r->kind != REPORT_FAILED || r->returned == RETURN_HEADERS)
                return false;
        return size <= (r->returned == RETURN_FULL ? WHOLE_ASKED_MOST : WHOLE_MOST);
}

static enum status read_stored(struct writing *w)
{
        struct buf octets = {0};
        struct stored mail;
        uint64_t message = w->report->message;
        enum status st = messages_read(
                w->site->store, &message, 1, READ_SUMMARY | READ_SIZES, w->arena, &mail);
        if (st != OK || !mail.id)
                return st;
        w->message_id = mail.message_id;
        w->subject = mail.subject;
        w->whole = is_whole(w->report, mail.size);
        uint64_t most = mail.header_size < HEADER_MOST ? mail.header_size : HEADER_MOST;
        st = message_octets(w->site->store, message, 0, w->whole ? mail.size : most, &octets);
        w->original = arena_copy(w->arena, buf_str(&octets));
        buf_release(&octets);
        if (st == ABSENT || st == DAMAGED) { /* the report goes out without it */
                w->original = STR_NONE;
                w->whole = false;
                st = OK;
        }
        return st;
}

static enum status read_original(struct writing *w)
{
        struct str bytes = w->report->bytes;
        if (w->report->message)
                return read_stored(w);
        struct str header = str_sub(bytes, 0, header_length(bytes));
        w->message_id = header_value(w->arena, header, "Message-ID");
        w->subject = header_text(w->arena, header, "Subject");
        w->whole = is_whole(w->report, bytes.len);
        w->original = w->whole ? bytes : str_sub(header, 0, HEADER_MOST);
        return OK;
}

static void add_date(struct buf *out, const char *name, time_t at)
{
        buf_add_text(out, name);
        buf_add_text(out, ": ");
        date_print(at, 0, out);
        buf_add_text(out, "\r\n");
}

static void add_header(struct writing *w, const char *boundary, struct buf *out)
{
        const struct config *c = site_config(w->site);
        const struct report *r = w->report;
        struct buf word = {0};
        random_word(24, &word);
        buf_addf(out, "From: Mail delivery <postmaster@%.*s>\r\n", STR_ARG(c->domain));
        buf_addf(out, "To: <%.*s>\r\n", STR_ARG(r->sender));
        header_add(out, "Subject",
                arena_printf(w->arena, "%s: %.*s", kinds[r->kind].title,
                        STR_ARG(w->subject.len ? w->subject : STR("your mail"))));
        add_date(out, "Date", r->now);
        buf_addf(out, "Message-ID: <dsn.%s@%.*s>\r\n", buf_text(&word), STR_ARG(c->domain));
        if (w->message_id.len) {
                header_add(out, "In-Reply-To", w->message_id);
                header_add(out, "References", w->message_id);
        }
        buf_add_text(out, "Auto-Submitted: auto-replied\r\nBaton-Kind: notice\r\n"
                          "MIME-Version: 1.0\r\n");
        buf_addf(out,
                "Content-Type: multipart/report; report-type=delivery-status;\r\n"
                "\tboundary=\"%s\"\r\n\r\n",
                boundary);
        buf_release(&word);
}

static void add_people(const struct report *r, struct buf *out)
{
        for (size_t i = 0; i < r->to_count; i++) {
                buf_addf(out, "  %.*s\r\n", STR_ARG(r->to[i].address));
                if (r->to[i].reply.len)
                        buf_addf(out, "    %.*s\r\n", STR_ARG(r->to[i].reply));
        }
}

static void add_words(const struct report *r, struct buf *out)
{
        buf_add_text(out, "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
        buf_addf(out, "Your mail %s%s:\r\n\r\n", kinds[r->kind].words,
                r->kind == REPORT_RELAYED ? " for" : " to");
        add_people(r, out);
        switch (r->kind) {
        case REPORT_FAILED:
                buf_add_text(out, "\r\nIt is not tried again. Look whether the address is right, "
                                  "and send\r\nit again, or reach them another way.\r\n");
                break;
        case REPORT_LATE:
                buf_add_text(out, "\r\nThere is nothing to do: it is tried again until\r\n  ");
                date_print(r->until, 0, out);
                buf_add_text(out, "\r\nand you are told if it fails then.\r\n");
                break;
        case REPORT_DELIVERED:
                buf_add_text(out,
                        "\r\nYou asked to be told. It lies there now; whether it has been "
                        "read is\r\nnot told to anybody.\r\n");
                break;
        case REPORT_RELAYED:
                buf_add_text(out, "\r\nYou asked to be told when it is delivered. The next server "
                                  "took it, but\r\ndoes not tell of deliveries: you may hear "
                                  "nothing more of it.\r\n");
                break;
        case REPORT_KINDS:
                break;
        }
}

/* "rfc822;x+2By@z" as RFC 3464 2.1.2 writes it: "rfc822; x+y@z". */
static void add_original_recipient(struct str given, struct buf *out)
{
        struct buf address = {0};
        struct str type;
        if (str_cut(&given, ';', &type) && xtext_decode(given, &address) == OK)
                buf_addf(out, "Original-Recipient: %.*s; %.*s\r\n", STR_ARG(type),
                        STR_ARG(buf_str(&address)));
        buf_release(&address);
}

/* RFC 3464 2.3. */
static void add_recipient(
        const struct report *r, const struct report_recipient *to, struct buf *out)
{
        struct buf status = {0};
        bool said = to->reply.len >= 3 && to->reply.at[0] >= '2' && to->reply.at[0] <= '5';
        struct str code = str_of(kinds[r->kind].status);
        if (said)
                code = enhanced_status(to->reply, &status);
        buf_add_text(out, "\r\n");
        add_original_recipient(to->original, out);
        buf_addf(out, "Final-Recipient: rfc822; %.*s\r\n", STR_ARG(to->address));
        buf_addf(out, "Action: %s\r\n", kinds[r->kind].action);
        buf_addf(out, "Status: %.*s\r\n", STR_ARG(code));
        if (said && r->next_hop.len)
                buf_addf(out, "Remote-MTA: dns; %.*s\r\nDiagnostic-Code: smtp; %.*s\r\n",
                        STR_ARG(r->next_hop), STR_ARG(to->reply));
        if (r->kind != REPORT_DELIVERED)
                add_date(out, "Last-Attempt-Date", r->now);
        if (r->kind == REPORT_LATE)
                add_date(out, "Will-Retry-Until", r->until);
        buf_release(&status);
}

/* RFC 3464 2.2. */
static void add_status(struct writing *w, struct buf *out)
{
        const struct report *r = w->report;
        const struct config *c = site_config(w->site);
        struct buf envelope_id = {0};
        buf_add_text(out, "Content-Type: message/delivery-status\r\n\r\n");
        if (r->envelope_id.len && xtext_decode(r->envelope_id, &envelope_id) == OK)
                buf_addf(out, "Original-Envelope-Id: %.*s\r\n", STR_ARG(buf_str(&envelope_id)));
        buf_addf(out, "Reporting-MTA: dns; %.*s\r\n", STR_ARG(c->host));
        add_date(out, "Arrival-Date", r->arrived);
        for (size_t i = 0; i < r->to_count; i++)
                add_recipient(r, &r->to[i], out);
        buf_release(&envelope_id);
}

static void add_original(struct writing *w, struct buf *out)
{
        bool ascii = text_is_ascii(w->original);
        buf_addf(out, "Content-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n",
                w->whole ? "message/rfc822" : "text/rfc822-headers", ascii ? "7bit" : "8bit");
        buf_add(out, w->original);
        if (!str_ends(w->original, STR("\r\n")))
                buf_add_text(out, "\r\n");
}

enum status report_build(
        struct site *site, const struct report *report, struct arena *arena, struct str *out)
{
        struct writing w = {.site = site, .report = report, .arena = arena};
        struct buf text = {0}, boundary = {0};
        enum status st = read_original(&w);
        if (st != OK)
                return st;
        do {
                buf_clear(&boundary);
                buf_add_text(&boundary, "=_");
                random_word(BOUNDARY_RANDOM, &boundary);
        } while (str_find(w.original, buf_str(&boundary)) != STR_NOWHERE);
        add_header(&w, buf_text(&boundary), &text);
        buf_addf(&text, "--%s\r\n", buf_text(&boundary));
        add_words(report, &text);
        buf_addf(&text, "\r\n--%s\r\n", buf_text(&boundary));
        add_status(&w, &text);
        buf_addf(&text, "\r\n--%s\r\n", buf_text(&boundary));
        add_original(&w, &text);
        buf_addf(&text, "\r\n--%s--\r\n", buf_text(&boundary));
        *out = arena_copy(arena, buf_str(&text));
        buf_release(&text);
        buf_release(&boundary);
        return OK;
}

enum status report_file(
        struct site *site, const struct report *report, struct change *change, struct arena *arena)
{
        struct filing *f = arena_alloc(arena, sizeof *f);
        struct filing_entry *e = arena_alloc(arena, sizeof *e);
        struct derived *derived = arena_alloc(arena, sizeof *derived);
        struct str bytes;
        if (!report->sender.len || !report->to_count)
                return OK;
        *e = (struct filing_entry){.prefix = STR("Return-Path: <>\r\n"), .date = report->now};
        enum status st = mailbox_find_use(site->store, report->person, USE_INBOX, &e->mailbox);
        if (st == ABSENT) {
                log_warn("report: nobody is left to be told that mail of <%.*s> %s",
                        STR_ARG(report->sender), kinds[report->kind].words);
                return OK;
        }
        if (st == OK)
                st = report_build(site, report, arena, &bytes);
        if (st != OK)
                return st;
        derive(arena, bytes, derived);
        *f = (struct filing){.bytes = bytes, .derived = derived, .entries = e, .entry_count = 1};
        return change_file(change, f);
}
