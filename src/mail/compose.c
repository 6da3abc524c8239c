#include "mail/compose.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/text.h"
#include "mail/header.h"

enum { BOUNDARY_OCTETS = 12, LINE_MOST = 998 };

static bool has_long_line(struct str s)
{
        struct str line;
        while (str_line(&s, &line))
                if (line.len > LINE_MOST)
                        return true;
        return false;
}

static void add_crlf(struct str s, struct buf *out)
{
        struct str line;
        while (str_line(&s, &line)) {
                buf_add(out, line);
                buf_add_text(out, "\r\n");
        }
}

/* The fields of a text part, the empty line and the text, 7-bit either way. */
static void add_text_part(const char *type, struct str text, struct buf *out)
{
        bool plain = text_is_ascii(text) && !has_long_line(text);
        buf_addf(out, "Content-Type: %s\r\n", type);
        buf_addf(out, "Content-Transfer-Encoding: %s\r\n\r\n", plain ? "7bit" : "quoted-printable");
        if (plain)
                add_crlf(text, out);
        else
                quoted_encode(text, out);
        if (!str_ends(buf_str(out), STR("\r\n")))
                buf_add_text(out, "\r\n");
}

/* "=_" cannot stand in quoted-printable (RFC 2045 6.7), and 7-bit text is searched. Made of the
 * Message-ID, so that what is composed again is the same. */
static void make_boundary(const struct composition *c, struct buf *boundary)
{
        struct buf seed = {0};
        unsigned char hash[SHA256_SIZE];
        buf_set(&seed, c->message_id);
        do {
                buf_add_char(&seed, '.');
                sha256(buf_str(&seed), hash);
                buf_clear(boundary);
                buf_add_text(boundary, "=_");
                for (size_t i = 0; i < BOUNDARY_OCTETS; i++)
                        buf_addf(boundary, "%02x", hash[i]);
        } while (str_find(c->text, buf_str(boundary)) != STR_NOWHERE ||
                 str_find(c->html, buf_str(boundary)) != STR_NOWHERE ||
                 str_find(c->calendar, buf_str(boundary)) != STR_NOWHERE);
        buf_release(&seed);
}

static void add_alternative(const struct composition *c, const char *text_type, struct buf *out)
{
        struct buf boundary = {0};
        make_boundary(c, &boundary);
        const char *b = buf_text(&boundary);
        buf_addf(out, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n--%s\r\n", b, b);
        add_text_part(text_type, c->text, out);
        buf_addf(out, "\r\n--%s\r\n", b);
        add_text_part("text/html; charset=utf-8", c->html, out);
        buf_addf(out, "\r\n--%s--\r\n", b);
        buf_release(&boundary);
}

/* A file: clients that know nothing of tasks show the text and pass it by. */
static void add_mixed(const struct composition *c, const char *text_type, struct buf *out)
{
        struct buf boundary = {0};
        make_boundary(c, &boundary);
        const char *b = buf_text(&boundary);
        buf_addf(out, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n--%s\r\n", b, b);
        add_text_part(text_type, c->text, out);
        buf_addf(out, "\r\n--%s\r\n", b);
        buf_addf(out, "Content-Disposition: attachment; filename=\"%.*s\"\r\n",
                STR_ARG(c->calendar_name));
        add_text_part("text/calendar; charset=utf-8; component=vtodo", c->calendar, out);
        buf_addf(out, "\r\n--%s--\r\n", b);
        buf_release(&boundary);
}

static void add_if(struct buf *out, const char *name, struct str value)
{
        if (value.len)
                header_add(out, name, value);
}

void compose(struct arena *arena, const struct composition *c, struct buf *out)
{
        static const char text_type[] = "text/plain; charset=utf-8; format=fixed";
        struct buf date = {0};
        (void)arena;
        date_print(c->date, c->offset, &date);
        header_add(out, "From", c->from);
        add_if(out, "To", c->to);
        header_add(out, "Subject", c->subject);
        header_add(out, "Date", buf_str(&date));
        header_add(out, "Message-ID", c->message_id);
        add_if(out, "In-Reply-To", c->in_reply_to);
        add_if(out, "References", c->references);
        if (c->automatic)
                header_add(out, "Auto-Submitted", STR("auto-generated"));
        buf_add(out, c->fields);
        header_add(out, "MIME-Version", STR("1.0"));
        if (c->calendar.len)
                add_mixed(c, text_type, out);
        else if (c->html.len)
                add_alternative(c, text_type, out);
        else
                add_text_part(text_type, c->text, out);
        buf_release(&date);
}
