#include "relay/dsn.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/text.h"
#include "mail/header.h"
#include "relay/reply.h"

enum { WHOLE_MOST = 64 << 10, HEADER_MOST = 64 << 10, BOUNDARY_RANDOM = 24 };

struct report {
        struct site *site;
        const struct dsn *dsn;
        struct arena *arena;
        struct stored mail;  /* the one that this is about; id 0: it cannot be read */
        struct str original; /* all of it, or its header */
        bool whole;
};

/* A short mail comes back whole, of a long one the header. */
static enum status read_original(struct report *r)
{
        struct buf octets = {0};
        uint64_t message = r->dsn->row->message;
        enum status st = messages_read(
                r->site->store, &message, 1, READ_SUMMARY | READ_SIZES, r->arena, &r->mail);
        if (st != OK || !r->mail.id)
                return st;
        r->whole = r->mail.size <= WHOLE_MOST;
        uint64_t most = r->mail.header_size < HEADER_MOST ? r->mail.header_size : HEADER_MOST;
        st = message_octets(r->site->store, message, 0, r->whole ? r->mail.size : most, &octets);
        r->original = arena_copy(r->arena, buf_str(&octets));
        buf_release(&octets);
        if (st == ABSENT || st == DAMAGED) { /* the report goes out without it */
                r->original = STR_NONE;
                r->whole = false;
                st = OK;
        }
        return st;
}

static void add_date(struct buf *out, const char *name, time_t at)
{
        buf_add_text(out, name);
        buf_add_text(out, ": ");
        date_print(at, 0, out);
        buf_add_text(out, "\r\n");
}

static void add_header(struct report *r, const char *boundary, struct buf *out)
{
        const struct config *c = site_config(r->site);
        bool failed = r->dsn->kind == DSN_FAILED;
        struct str subject = r->mail.id && r->mail.subject.len ? r->mail.subject : STR("your mail");
        struct buf word = {0};
        random_word(12, &word);
        buf_addf(out, "From: Mail delivery <postmaster@%.*s>\r\n", STR_ARG(c->domain));
        buf_addf(out, "To: <%.*s>\r\n", STR_ARG(r->dsn->row->sender));
        header_add(out, "Subject",
                arena_printf(r->arena, "%s: %.*s", failed ? "Not delivered" : "Not delivered yet",
                        STR_ARG(subject)));
        add_date(out, "Date", r->dsn->now);
        buf_addf(out, "Message-ID: <dsn.%llu.%s@%.*s>\r\n", (unsigned long long)r->dsn->row->id,
                buf_text(&word), STR_ARG(c->domain));
        if (r->mail.id) {
                header_add(out, "In-Reply-To", r->mail.message_id);
                header_add(out, "References", r->mail.message_id);
        }
        buf_add_text(out, "Auto-Submitted: auto-replied\r\nBaton-Kind: notice\r\n"
                          "MIME-Version: 1.0\r\n");
        buf_addf(out,
                "Content-Type: multipart/report; report-type=delivery-status;\r\n"
                "\tboundary=\"%s\"\r\n\r\n",
                boundary);
        buf_release(&word);
}

static void add_people(struct report *r, struct buf *out)
{
        const struct dsn *d = r->dsn;
        for (size_t i = 0; i < d->row->recipient_count; i++) {
                const struct queue_recipient *to = &d->row->recipients[i];
                if (d->about[i])
                        buf_addf(out, "  %.*s\r\n    %.*s\r\n", STR_ARG(to->address),
                                STR_ARG(to->reply));
        }
}

static void add_words(struct report *r, struct buf *out)
{
        const struct dsn *d = r->dsn;
        buf_add_text(out, "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
        if (d->kind == DSN_FAILED)
                buf_add_text(out, "Your mail could not be delivered to:\r\n\r\n");
        else
                buf_add_text(out, "Your mail has not been delivered yet to:\r\n\r\n");
        add_people(r, out);
        if (d->kind == DSN_FAILED) {
                buf_add_text(out, "\r\nIt is not tried again. Look whether the address is right, "
                                  "and send\r\nit again, or reach them another way.\r\n");
                return;
        }
        buf_add_text(out, "\r\nThere is nothing to do: it is tried again until\r\n  ");
        date_print(d->until, 0, out);
        buf_add_text(out, "\r\nand you are told if it fails then.\r\n");
}

/* RFC 3464 2.2 and 2.3. */
static void add_status(struct report *r, struct buf *out)
{
        const struct dsn *d = r->dsn;
        const struct config *c = site_config(r->site);
        struct buf status = {0};
        buf_add_text(out, "Content-Type: message/delivery-status\r\n\r\n");
        buf_addf(out, "Reporting-MTA: dns; %.*s\r\n", STR_ARG(c->host));
        add_date(out, "Arrival-Date", d->row->created);
        for (size_t i = 0; i < d->row->recipient_count; i++) {
                const struct queue_recipient *to = &d->row->recipients[i];
                bool said = to->reply.len >= 3 && to->reply.at[0] >= '2' && to->reply.at[0] <= '5';
                if (!d->about[i])
                        continue;
                struct str code = said ? reply_status(to->reply, &status) : STR("4.4.1");
                buf_addf(out, "\r\nFinal-Recipient: rfc822; %.*s\r\n", STR_ARG(to->address));
                buf_addf(out, "Action: %s\r\n", d->kind == DSN_FAILED ? "failed" : "delayed");
                buf_addf(out, "Status: %.*s\r\n", STR_ARG(code));
                if (said)
                        buf_addf(out, "Remote-MTA: dns; %.*s\r\nDiagnostic-Code: smtp; %.*s\r\n",
                                STR_ARG(d->next_hop), STR_ARG(to->reply));
                add_date(out, "Last-Attempt-Date", d->now);
                if (d->kind == DSN_LATE)
                        add_date(out, "Will-Retry-Until", d->until);
        }
        buf_release(&status);
}

static void add_original(struct report *r, struct buf *out)
{
        bool ascii = text_is_ascii(r->original);
        buf_addf(out, "Content-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n",
                r->whole ? "message/rfc822" : "text/rfc822-headers", ascii ? "7bit" : "8bit");
        buf_add(out, r->original);
        if (!str_ends(r->original, STR("\r\n")))
                buf_add_text(out, "\r\n");
}

enum status dsn_build(
        struct site *site, const struct dsn *dsn, struct arena *arena, struct str *out)
{
        struct report r = {.site = site, .dsn = dsn, .arena = arena};
        struct buf text = {0}, boundary = {0};
        enum status st = read_original(&r);
        if (st != OK)
                return st;
        do {
                buf_clear(&boundary);
                buf_add_text(&boundary, "=_");
                random_word(BOUNDARY_RANDOM, &boundary);
        } while (str_find(r.original, buf_str(&boundary)) != STR_NOWHERE);
        add_header(&r, buf_text(&boundary), &text);
        buf_addf(&text, "--%s\r\n", buf_text(&boundary));
        add_words(&r, &text);
        buf_addf(&text, "\r\n--%s\r\n", buf_text(&boundary));
        add_status(&r, &text);
        buf_addf(&text, "\r\n--%s\r\n", buf_text(&boundary));
        add_original(&r, &text);
        buf_addf(&text, "\r\n--%s--\r\n", buf_text(&boundary));
        *out = arena_copy(arena, buf_str(&text));
        buf_release(&text);
        buf_release(&boundary);
        return OK;
}
