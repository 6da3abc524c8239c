#include "mail/structure.h"
#include "mail/envelope.h"

struct writer {
        struct arena *arena;
        bool extended;
        struct buf *out;
};

static struct str or_nil(struct str s)
{
        return s.len ? s : STR_NONE;
}

static void add_params(struct buf *out, const struct param *p)
{
        if (!p) {
                buf_add_text(out, "NIL");
                return;
        }
        buf_add_char(out, '(');
        for (; p; p = p->next) {
                string_add(out, p->name);
                buf_add_char(out, ' ');
                string_add(out, p->value);
                if (p->next)
                        buf_add_char(out, ' ');
        }
        buf_add_char(out, ')');
}

static void add_disposition(struct buf *out, const struct part *p)
{
        if (p->disposition.len == 0) {
                buf_add_text(out, "NIL");
                return;
        }
        buf_add_char(out, '(');
        string_add(out, p->disposition);
        buf_add_char(out, ' ');
        add_params(out, p->raw_disposition_params);
        buf_add_char(out, ')');
}

/* One language is a string, several are a list (RFC 9051 9 body-fld-lang; RFC 3282). */
static void add_language(struct buf *out, struct str languages)
{
        struct str one;
        if (str_chr(languages, ',') == STR_NOWHERE) {
                nstring_add(out, or_nil(languages));
                return;
        }
        size_t open = out->len;
        while (str_cut(&languages, ',', &one)) {
                one = str_trim(one);
                if (one.len == 0)
                        continue;
                buf_add_char(out, out->len == open ? '(' : ' ');
                string_add(out, one);
        }
        buf_add_text(out, out->len == open ? "NIL" : ")");
}

/* disposition, language, location: the same end for all kinds. */
static void add_extension(struct buf *out, const struct part *p)
{
        buf_add_char(out, ' ');
        add_disposition(out, p);
        buf_add_char(out, ' ');
        add_language(out, p->language);
        buf_add_char(out, ' ');
        nstring_add(out, or_nil(p->location));
}

static void add_part(struct writer *w, const struct part *p);

static void add_multipart(struct writer *w, const struct part *p)
{
        for (const struct part *child = p->first; child; child = child->next)
                add_part(w, child);
        buf_add_char(w->out, ' ');
        string_add(w->out, p->subtype);
        if (!w->extended)
                return;
        buf_add_char(w->out, ' ');
        add_params(w->out, p->raw_params);
        add_extension(w->out, p);
}

static void add_message(struct writer *w, const struct part *p)
{
        struct envelope e;
        envelope_read(w->arena, p->first->header, &e);
        buf_add_char(w->out, ' ');
        envelope_write(&e, w->out);
        buf_add_char(w->out, ' ');
        add_part(w, p->first);
        buf_addf(w->out, " %u", p->lines);
}

static void add_single(struct writer *w, const struct part *p)
{
        struct buf *out = w->out;
        string_add(out, p->type);
        buf_add_char(out, ' ');
        string_add(out, p->subtype);
        buf_add_char(out, ' ');
        add_params(out, p->raw_params);
        buf_add_char(out, ' ');
        nstring_add(out, or_nil(p->id));
        buf_add_char(out, ' ');
        nstring_add(out, or_nil(p->description));
        buf_add_char(out, ' ');
        string_add(out, p->encoding);
        buf_addf(out, " %zu", p->body.len);
        if (p->kind == PART_MESSAGE)
                add_message(w, p);
        else if (str_eq(p->type, STR("text")))
                buf_addf(out, " %u", p->lines);
        if (!w->extended)
                return;
        buf_add_char(out, ' ');
        nstring_add(out, or_nil(p->md5));
        add_extension(out, p);
}

/* Recurses at most MIME_DEPTH_MAX levels. */
static void add_part(struct writer *w, const struct part *p)
{
        buf_add_char(w->out, '(');
        if (p->kind == PART_MULTIPART)
                add_multipart(w, p);
        else
                add_single(w, p);
        buf_add_char(w->out, ')');
}

void structure_write(struct arena *arena, const struct part *top, bool extended, struct buf *out)
{
        struct writer w = {arena, extended, out};
        add_part(&w, top);
}
