#include "mail/envelope.h"
#include "mail/header.h"

enum { HEADER_READ = 256 * 1024, VALUE_READ = 64 * 1024, JOINED_MAX = 50 };

/* ---- reading ---- */

struct addressing {
        struct str from, sender, reply_to, to, cc, bcc; /* raw values */
        unsigned joined;
};

static void take_first(struct str *slot, struct str value)
{
        if (!slot->at)
                *slot = value;
}

static void take_more(struct arena *arena, struct addressing *raw, struct str *slot,
        struct str value)
{
        if (!slot->at)
                *slot = value;
        else if (raw->joined++ < JOINED_MAX && slot->len < VALUE_READ)
                *slot = arena_printf(arena, "%.*s,%.*s", STR_ARG(*slot), STR_ARG(value));
}

static void take_field(struct arena *arena, struct envelope *e, struct addressing *raw,
        const struct field *f)
{
        struct str value = str_sub(f->value, 0, VALUE_READ);
        struct str *text = NULL;
        if (str_same(f->name, STR("date")))
                text = &e->date;
        else if (str_same(f->name, STR("subject")))
                text = &e->subject;
        else if (str_same(f->name, STR("in-reply-to")))
                text = &e->in_reply_to;
        else if (str_same(f->name, STR("message-id")))
                text = &e->message_id;
        else if (str_same(f->name, STR("from")))
                take_first(&raw->from, value);
        else if (str_same(f->name, STR("sender")))
                take_first(&raw->sender, value);
        else if (str_same(f->name, STR("reply-to")))
                take_first(&raw->reply_to, value);
        else if (str_same(f->name, STR("to")))
                take_more(arena, raw, &raw->to, value);
        else if (str_same(f->name, STR("cc")))
                take_more(arena, raw, &raw->cc, value);
        else if (str_same(f->name, STR("bcc")))
                take_more(arena, raw, &raw->bcc, value);
        if (text && !text->at)
                *text = header_unfold(arena, value);
}

static struct addresses read_list(struct arena *arena, struct str raw)
{
        return raw.len ? address_list(arena, raw) : (struct addresses){0};
}

void envelope_read(struct arena *arena, struct str header, struct envelope *out)
{
        struct addressing raw = {0};
        struct str rest = str_sub(header, 0, HEADER_READ);
        struct field f;
        *out = (struct envelope){0};
        while (header_next(&rest, &f))
                take_field(arena, out, &raw, &f);
        out->from = read_list(arena, raw.from);
        out->sender = read_list(arena, raw.sender);
        out->reply_to = read_list(arena, raw.reply_to);
        out->to = read_list(arena, raw.to);
        out->cc = read_list(arena, raw.cc);
        out->bcc = read_list(arena, raw.bcc);
}

/* ---- writing ---- */

/* RFC 9051 9: QUOTED-CHAR is 7-bit without CR, LF and NUL. */
static bool is_quotable(struct str s)
{
        for (size_t i = 0; i < s.len; i++)
                if (s.at[i] == '\r' || s.at[i] == '\n' || s.at[i] <= 0 || s.at[i] == 0x7f)
                        return false;
        return true;
}

void quoted_add(struct buf *out, struct str s)
{
        size_t from = 0;
        buf_add_char(out, '"');
        for (size_t i = 0; i < s.len; i++) {
                if (s.at[i] != '"' && s.at[i] != '\\')
                        continue;
                buf_add(out, str_sub(s, from, i - from));
                buf_add_char(out, '\\');
                from = i;
        }
        buf_add(out, str_from(s, from));
        buf_add_char(out, '"');
}

void string_add(struct buf *out, struct str s)
{
        if (!is_quotable(s)) {
                buf_addf(out, "{%zu}\r\n", s.len);
                size_t from = out->len;
                buf_add(out, s);
                for (size_t i = from; i < out->len; i++)
                        if (out->at[i] == '\0')
                                out->at[i] = ' ';
                return;
        }
        quoted_add(out, s);
}

void nstring_add(struct buf *out, struct str s)
{
        if (s.at)
                string_add(out, s);
        else
                buf_add_text(out, "NIL");
}

/* RFC 9051 7.5.2: a group's start has no host, its end neither host nor mailbox. So a host that a
 * message left out must not be NIL; it is empty. */
static void add_address(struct buf *out, const struct address *a)
{
        if (a->group_end) {
                buf_add_text(out, "(NIL NIL NIL NIL)");
                return;
        }
        buf_add_char(out, '(');
        nstring_add(out, a->raw_name.len && !a->group_start ? a->raw_name : STR_NONE);
        buf_add_text(out, " NIL ");
        string_add(out, a->local);
        buf_add_char(out, ' ');
        if (a->group_start)
                buf_add_text(out, "NIL");
        else
                string_add(out, a->domain);
        buf_add_char(out, ')');
}

static void add_list(struct buf *out, struct addresses list)
{
        buf_add_char(out, ' ');
        if (list.count == 0) {
                buf_add_text(out, "NIL");
                return;
        }
        buf_add_char(out, '(');
        for (size_t i = 0; i < list.count; i++)
                add_address(out, &list.v[i]);
        buf_add_char(out, ')');
}

void envelope_write(const struct envelope *e, struct buf *out)
{
        buf_add_char(out, '(');
        nstring_add(out, e->date);
        buf_add_char(out, ' ');
        nstring_add(out, e->subject);
        add_list(out, e->from);
        add_list(out, e->sender.count ? e->sender : e->from);
        add_list(out, e->reply_to.count ? e->reply_to : e->from);
        add_list(out, e->to);
        add_list(out, e->cc);
        add_list(out, e->bcc);
        buf_add_char(out, ' ');
        nstring_add(out, e->in_reply_to);
        buf_add_char(out, ' ');
        nstring_add(out, e->message_id);
        buf_add_char(out, ')');
}
