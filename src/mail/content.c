#include "mail/content.h"
#include "base/text.h"
#include "mail/header.h"

enum {
        DECODE_SLACK = 4096,
        PLAIN_GROWTH = 4, /* encoded octets looked at per octet wanted */
        HTML_GROWTH = 20,
        META_READ = 2048,
};

/* ---- one part ---- */

static void add_lf(struct str s, struct buf *out)
{
        struct str line;
        while (str_cut(&s, '\n', &line)) {
                if (line.len && line.at[line.len - 1] == '\r')
                        line.len--;
                buf_add(out, line);
                buf_add_char(out, '\n');
        }
}

struct flow {
        struct buf *out;
        bool delete_space; /* DelSp=yes */
        bool open;         /* the paragraph goes on in the next line */
        size_t depth;      /* of quoting, of the open paragraph */
};

static void end_paragraph(struct flow *f)
{
        if (f->open)
                buf_add_char(f->out, '\n');
        f->open = false;
}

/* RFC 3676 4: quote marks, then the stuffed blank, then a trailing blank that means "goes on". */
static void flow_line(struct flow *f, struct str line)
{
        size_t depth = 0;
        while (depth < line.len && line.at[depth] == '>')
                depth++;
        line = str_from(line, depth);
        if (str_starts(line, STR(" ")))
                line = str_from(line, 1);
        bool signature = str_eq(line, STR("-- "));
        bool flowed = !signature && str_ends(line, STR(" "));
        if (flowed && f->delete_space)
                line.len--;
        if (f->open && (f->depth != depth || signature))
                end_paragraph(f);
        for (size_t i = 0; !f->open && i < depth; i++)
                buf_add_char(f->out, '>');
        if (!f->open && depth)
                buf_add_char(f->out, ' ');
        buf_add(f->out, line);
        f->depth = depth;
        f->open = true;
        if (!flowed)
                end_paragraph(f);
}

static void unflow(struct str s, bool delete_space, struct buf *out)
{
        struct flow f = {out, delete_space, false, 0};
        struct str line;
        while (str_line(&s, &line))
                flow_line(&f, line);
        end_paragraph(&f);
}

/* <meta charset=...> or http-equiv, for HTML whose part does not say. */
static struct str meta_charset(struct str html)
{
        struct str head = str_sub(html, 0, META_READ);
        size_t at = str_find_same(head, STR("charset="));
        if (at == STR_NOWHERE)
                return STR_NONE;
        struct str value = str_from(head, at + strlen("charset="));
        if (value.len && (value.at[0] == '"' || value.at[0] == '\''))
                value = str_from(value, 1);
        size_t n = 0;
        while (n < value.len && value.at[n] && !strchr("\"' />;\r\n", value.at[n]))
                n++;
        return str_sub(value, 0, n);
}

static bool is_html(const struct part *p)
{
        return str_eq(p->subtype, STR("html"));
}

/* As much of it as is looked at for `max` octets of text. */
static struct part clipped_leaf(const struct part *p, size_t max)
{
        struct part clipped = *p;
        clipped.body = str_sub(
                p->body, 0, max * (is_html(p) ? HTML_GROWTH : PLAIN_GROWTH) + DECODE_SLACK);
        return clipped;
}

static bool deletes_space(const struct part *p)
{
        return str_same(param_value(p->params, "delsp"), STR("yes"));
}

static void add_leaf(const struct part *p, size_t max, struct buf *out)
{
        bool html = is_html(p);
        struct part clipped = clipped_leaf(p, max);
        struct buf octets = {0}, text = {0};
        mime_decode(&clipped, &octets);
        struct str charset = param_value(p->params, "charset");
        if (html && charset.len == 0)
                charset = meta_charset(buf_str(&octets));
        text_decode(buf_str(&octets), charset, &text);
        if (html)
                html_text(buf_str(&text), out);
        else if (str_same(param_value(p->params, "format"), STR("flowed")))
                unflow(buf_str(&text), deletes_space(p), out);
        else
                add_lf(buf_str(&text), out);
        buf_release(&octets);
        buf_release(&text);
}

/* ---- the tree ---- */

/* What is wanted of it: at most so many octets; everything in which words may be looked for. */
struct wish {
        struct arena *arena;
        size_t max;
        bool everything;
};

static bool is_readable(const struct part *p, bool everything)
{
        static const char *const subtypes[] = {
                "plain", "html", "markdown", "x-markdown", "enriched"};
        if (!str_eq(p->type, STR("text")))
                return false;
        if (everything) /* patches, tables and appointments, too */
                return true;
        if (p->parent && mime_is_attachment(p))
                return false;
        for (size_t i = 0; i < COUNT_OF(subtypes); i++)
                if (str_eq(p->subtype, str_of(subtypes[i])))
                        return true;
        return false;
}

static bool is_blank(struct str s)
{
        return str_trim(s).len == 0;
}

static bool is_alternative(const struct part *p)
{
        return p->kind == PART_MULTIPART && str_eq(p->subtype, STR("alternative"));
}

static bool is_plain_text(const struct part *p)
{
        return p->kind == PART_LEAF && str_eq(p->subtype, STR("plain"));
}

static void add_part(const struct part *p, const struct wish *w, struct buf *out);

/* The plain text if there is some, else the last form that gives any (RFC 2046 5.1.4). */
static void add_alternative(const struct part *p, const struct wish *w, struct buf *out)
{
        struct buf text = {0}, last = {0};
        bool found = false;
        for (const struct part *c = p->first; c && !found; c = c->next) {
                buf_clear(&text);
                add_part(c, w, &text);
                if (is_blank(buf_str(&text)))
                        continue;
                buf_set(&last, buf_str(&text));
                found = is_plain_text(c);
        }
        buf_add(out, buf_str(&last));
        buf_release(&text);
        buf_release(&last);
}

static void add_children(const struct part *p, const struct wish *w, struct buf *out)
{
        size_t start = out->len;
        for (const struct part *c = p->first; c && out->len - start < w->max; c = c->next) {
                size_t before = out->len;
                if (before > start)
                        buf_add_char(out, '\n');
                size_t from = out->len;
                add_part(c, w, out);
                if (is_blank(str_from(buf_str(out), from)))
                        out->len = before;
        }
}

/* A message inside is an attachment, but for a digest's and where it is the whole. */
static bool shows_message(const struct part *p)
{
        return !p->parent || (p->parent->kind == PART_MULTIPART &&
                                     str_eq(p->parent->subtype, STR("digest")));
}

/* A message inside of another; who searches finds the fields of its header, too. */
static void add_message(const struct part *top, const struct wish *w, struct buf *out)
{
        struct str rest = str_sub(top->header, 0, w->max);
        struct field field;
        while (w->everything && header_next(&rest, &field)) {
                buf_add(out, field.name);
                buf_add_text(out, ": ");
                buf_add(out, header_decode(w->arena, field.value));
                buf_add_char(out, '\n');
        }
        add_part(top, w, out);
}

/* Who searches finds an attachment by its name, which stands in the body, too. */
static void add_name(const struct part *p, struct buf *out)
{
        struct str name = mime_filename(p);
        if (name.len == 0)
                return;
        buf_add(out, name);
        buf_add_char(out, '\n');
}

/* Recurses at most MIME_DEPTH_MAX levels. Where words are looked for, every alternative counts: the
 * plain one may say no more than that the other should be read. */
static void add_part(const struct part *p, const struct wish *w, struct buf *out)
{
        if (w->everything && p->parent)
                add_name(p, out);
        if (is_alternative(p) && !w->everything)
                add_alternative(p, w, out);
        else if (p->kind == PART_MULTIPART)
                add_children(p, w, out);
        else if (p->kind == PART_MESSAGE && (w->everything || shows_message(p)))
                add_message(p->first, w, out);
        else if (p->kind == PART_LEAF && is_readable(p, w->everything))
                add_leaf(p, w->max, out);
}

/* Not in the middle of a character. */
static void clip(struct buf *out, size_t start, size_t max)
{
        if (out->len - start <= max)
                return;
        out->len = start + max;
        while (out->len > start && ((unsigned char)out->at[out->len] & 0xc0) == 0x80)
                out->len--;
}

static void add_content(const struct part *top, struct wish w, struct buf *out)
{
        size_t start = out->len, most = SIZE_MAX / (2 * HTML_GROWTH);
        w.max = w.max < most ? w.max : most;
        add_part(top, &w, out);
        clip(out, start, w.max);
}

void content_text(struct arena *arena, const struct part *top, size_t max, struct buf *out)
{
        add_content(top, (struct wish){arena, max, false}, out);
}

void content_search(struct arena *arena, const struct part *top, size_t max, struct buf *out)
{
        add_content(top, (struct wish){arena, max, true}, out);
}

/* ---- at a glance ---- */

bool content_is_open(const struct part *leaf)
{
        return !is_html(leaf) && !deletes_space(leaf) &&
               text_shows_ascii(param_value(leaf->params, "charset"));
}

struct glance {
        size_t max;
        bool (*may)(const struct part *leaf, struct str octets);
        bool found;
};

static bool holds_letter(struct str octets)
{
        octets = str_sub(octets, 0, DECODE_SLACK);
        for (size_t i = 0; i < octets.len; i++) {
                char c = ascii_lower(octets.at[i]);
                if (c >= 'a' && c <= 'z')
                        return true;
        }
        return false;
}

/* True: it is a plain text that is not blank. */
static bool glance_at_leaf(const struct part *p, struct glance *g)
{
        struct part clipped = clipped_leaf(p, g->max);
        struct buf decoded = {0};
        struct str octets = clipped.body;
        if (str_eq(p->encoding, STR("base64")) || str_eq(p->encoding, STR("quoted-printable"))) {
                mime_decode(&clipped, &decoded);
                octets = buf_str(&decoded);
        }
        g->found = g->found || g->may(p, octets);
        bool shown = is_plain_text(p) && content_is_open(p) && holds_letter(octets);
        buf_release(&decoded);
        return shown;
}

/* True: of an alternative's other forms none is shown. Recurses at most MIME_DEPTH_MAX levels. */
static bool glance_at(const struct part *p, struct glance *g)
{
        if (p->kind == PART_LEAF)
                return is_readable(p, false) && glance_at_leaf(p, g);
        if (p->kind == PART_MESSAGE && !shows_message(p))
                return false;
        for (const struct part *c = p->first; c && !g->found; c = c->next)
                if (glance_at(c, g) && is_alternative(p))
                        break;
        return false;
}

bool content_any(const struct part *top, size_t max,
        bool (*may)(const struct part *leaf, struct str octets))
{
        struct glance g = {.max = max, .may = may};
        (void)glance_at(top, &g);
        return g.found;
}
