#include "imap/items.h"
#include "base/text.h"
#include "mail/envelope.h"

static bool is_name(char c)
{
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '.';
}

static struct str name_of(struct parse *p)
{
        const char *start = p->at;
        while (p->at < p->end && is_name(*p->at))
                p->at++;
        if (p->at == start)
                parse_fail(p);
        return str_make(start, (size_t)(p->at - start));
}

/* "1.2" of "1.2.MIME": section-part; the dot behind it is taken. */
static struct str part_path(struct parse *p)
{
        const char *start = p->at, *end = p->at;
        unsigned depth = 0;
        while (p->at < p->end && *p->at >= '1' && *p->at <= '9') {
                (void)parse_number(p);
                end = p->at;
                if (++depth > MIME_DEPTH_MAX)
                        parse_fail(p);
                if (!parse_char(p, '.'))
                        break;
        }
        return p->bad ? STR_NONE : str_make(start, (size_t)(end - start));
}

static bool is_field_name(struct str s)
{
        for (size_t i = 0; i < s.len; i++)
                if (s.at[i] <= 0x20 || s.at[i] >= 0x7f || s.at[i] == ':')
                        return false;
        return s.len > 0;
}

static void field_names(struct parse *p, struct piece *s)
{
        struct str *names = arena_alloc(p->arena, FIELDS_MAX * sizeof *names);
        parse_space(p);
        if (!parse_char(p, '('))
                parse_fail(p);
        do {
                struct str name = parse_astring(p);
                if (!is_field_name(name) || s->field_count == FIELDS_MAX)
                        parse_fail(p);
                else
                        names[s->field_count++] = name;
        } while (parse_char(p, ' ') && !p->bad);
        if (!parse_char(p, ')'))
                parse_fail(p);
        s->fields = names;
}

/* What stands behind "BODY[" up to "]" (RFC 9051 section-spec). */
static void section_spec(struct parse *p, struct piece *s)
{
        s->path = part_path(p);
        bool dot = s->path.len > 0 && p->at[-1] == '.';
        if (parse_peek(p, ']') && !dot)
                return;
        if (s->path.len > 0 && !dot)
                parse_fail(p);
        struct str name = name_of(p);
        if (str_same(name, STR("HEADER"))) {
                s->what = SECTION_HEADER;
        } else if (str_same(name, STR("TEXT"))) {
                s->what = SECTION_TEXT;
        } else if (str_same(name, STR("MIME")) && s->path.len > 0) {
                s->what = SECTION_MIME;
        } else if (str_same(name, STR("HEADER.FIELDS")) ||
                   str_same(name, STR("HEADER.FIELDS.NOT"))) {
                s->what = SECTION_HEADER;
                s->without = str_ends(arena_lower(p->arena, name), STR("not"));
                field_names(p, s);
        } else {
                parse_fail(p);
        }
}

/* "<0.100>": the reply shows the origin only. */
static void partial(struct parse *p, struct piece *s)
{
        if (!parse_char(p, '<'))
                return;
        s->partial = true;
        s->from = parse_number64(p);
        if (!parse_char(p, '.'))
                parse_fail(p);
        s->len = parse_number64(p);
        if (!parse_char(p, '>') || s->len == 0)
                parse_fail(p);
}

static void label(struct parse *p, struct piece *s)
{
        /* clang-format off */
        static const char *const names[] = {
                [SECTION_ALL] = "", [SECTION_HEADER] = "HEADER", [SECTION_TEXT] = "TEXT",
                [SECTION_MIME] = "MIME"};
        /* clang-format on */
        struct buf b = {0};
        buf_addf(&b, "BODY[%.*s", STR_ARG(s->path));
        if (s->path.len > 0 && s->what != SECTION_ALL)
                buf_add_char(&b, '.');
        buf_add_text(&b, names[s->what]);
        if (s->fields)
                buf_add_text(&b, s->without ? ".FIELDS.NOT (" : ".FIELDS (");
        for (size_t i = 0; i < s->field_count; i++) {
                struct parse name = parse_of(p->arena, s->fields[i]);
                (void)parse_astring(&name);
                if (i > 0)
                        buf_add_char(&b, ' ');
                if (parse_end(&name))
                        buf_add(&b, s->fields[i]);
                else
                        string_add(&b, s->fields[i]);
        }
        buf_add_text(&b, s->fields ? ")]" : "]");
        if (s->partial)
                buf_addf(&b, "<%llu>", (unsigned long long)s->from);
        s->label = arena_copy(p->arena, buf_str(&b));
        buf_release(&b);
}

static struct piece *new_piece(struct parse *p, struct items *out)
{
        if (!out->pieces)
                out->pieces = arena_alloc(p->arena, PIECES_MAX * sizeof *out->pieces);
        if (out->count == PIECES_MAX)
                parse_fail(p);
        return &out->pieces[p->bad ? 0 : out->count++];
}

static void body_piece(struct parse *p, struct items *out, bool peek)
{
        struct piece *s = new_piece(p, out);
        p->at++; /* "[" */
        section_spec(p, s);
        if (!parse_char(p, ']'))
                parse_fail(p);
        partial(p, s);
        if (!p->bad)
                label(p, s);
        out->sees |= !peek;
}

/* "BINARY[1.2]<0.100>": a section-binary has part numbers only. */
static void binary_piece(struct parse *p, struct items *out, struct str name)
{
        struct piece *s = new_piece(p, out);
        p->at++; /* "[" */
        s->path = part_path(p);
        if ((s->path.len > 0 && p->at[-1] == '.') || !parse_char(p, ']'))
                parse_fail(p);
        s->decoding = str_same(name, STR("BINARY.SIZE")) ? DECODED_SIZE : DECODED;
        if (s->decoding == DECODED)
                partial(p, s);
        if (p->bad)
                return;
        struct str plain = s->decoding == DECODED ? STR("BINARY") : STR("BINARY.SIZE");
        s->label = arena_printf(p->arena, "%.*s[%.*s]", STR_ARG(plain), STR_ARG(s->path));
        if (s->partial)
                s->label = arena_printf(p->arena, "%.*s<%llu>", STR_ARG(s->label),
                        (unsigned long long)s->from);
        out->sees |= str_same(name, STR("BINARY"));
}

static bool is_binary(struct str name)
{
        return str_same(name, STR("BINARY")) || str_same(name, STR("BINARY.PEEK")) ||
               str_same(name, STR("BINARY.SIZE"));
}

/* RFC822, RFC822.HEADER, RFC822.TEXT are sections by older names. */
static bool old_name(struct parse *p, struct str name, struct items *out)
{
        /* clang-format off */
        static const struct { const char *name; enum section what; } old[] = {
                {"RFC822", SECTION_ALL}, {"RFC822.HEADER", SECTION_HEADER},
                {"RFC822.TEXT", SECTION_TEXT}};
        /* clang-format on */
        for (size_t i = 0; i < COUNT_OF(old); i++) {
                if (!str_same(name, str_of(old[i].name)))
                        continue;
                struct piece *s = new_piece(p, out);
                s->what = old[i].what;
                s->label = str_of(old[i].name);
                out->sees |= s->what != SECTION_HEADER;
                return true;
        }
        return false;
}

static void item(struct parse *p, struct items *out)
{
        /* clang-format off */
        static const struct { const char *name; unsigned what; } plain[] = {
                {"UID", ITEM_UID}, {"FLAGS", ITEM_FLAGS}, {"INTERNALDATE", ITEM_DATE},
                {"RFC822.SIZE", ITEM_SIZE}, {"ENVELOPE", ITEM_ENVELOPE}, {"BODY", ITEM_BODY},
                {"BODYSTRUCTURE", ITEM_STRUCTURE}, {"MODSEQ", ITEM_MODSEQ}};
        /* clang-format on */
        struct str name = name_of(p);
        if (parse_peek(p, '[')) {
                bool peek = str_same(name, STR("BODY.PEEK"));
                if (peek || str_same(name, STR("BODY")))
                        body_piece(p, out, peek);
                else if (is_binary(name))
                        binary_piece(p, out, name);
                else
                        parse_fail(p);
                return;
        }
        for (size_t i = 0; i < COUNT_OF(plain); i++) {
                if (str_same(name, str_of(plain[i].name))) {
                        out->what |= plain[i].what;
                        return;
                }
        }
        if (!old_name(p, name, out))
                parse_fail(p);
}

void items_parse(struct parse *p, struct items *out)
{
        *out = (struct items){0};
        unsigned fast = ITEM_FLAGS | ITEM_DATE | ITEM_SIZE;
        if (parse_word(p, "FAST")) {
                out->what = fast;
        } else if (parse_word(p, "ALL")) {
                out->what = fast | ITEM_ENVELOPE;
        } else if (parse_word(p, "FULL")) {
                out->what = fast | ITEM_ENVELOPE | ITEM_BODY;
        } else if (parse_char(p, '(')) {
                do {
                        item(p, out);
                } while (parse_char(p, ' ') && !p->bad);
                if (!parse_char(p, ')'))
                        parse_fail(p);
        } else {
                item(p, out);
        }
}
