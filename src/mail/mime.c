/* One pass over the lines with a stack of open multiparts. libetpan's parser is not used for the
 * tree: it reads each level anew (10,000 nested multiparts take 6 s), drops a Content-Type for one
 * bad parameter and then the parts with it, and IMAP needs exact ranges also of what is broken.
 * Here every line is compared with at most MIME_DEPTH_MAX boundaries and nothing recurses. */
#include "mail/mime.h"
#include "base/text.h"
#include "mail/header.h"
#include "mail/params.h"

enum {
        HEADER_READ = 256 * 1024, /* octets of a part's header that are looked at for its fields */
        VALUE_READ = 32 * 1024,   /* octets of one field's value */
        BOUNDARY_MAX = 2000, /* RFC 2046 5.1.1 says 70; real ones are longer */
};

/* The innermost open part, and what its ancestors wait for. */
struct scan {
        struct arena *arena;
        struct str message;
        struct part *part;
        bool in_header;
        unsigned depth, count;
        uint32_t lines;                         /* line ends seen */
        struct part *last[MIME_DEPTH_MAX + 1];   /* by depth: the newest child of the open part */
        struct str boundary[MIME_DEPTH_MAX + 1]; /* none: not a multipart, or ended */
        size_t body[MIME_DEPTH_MAX + 1];         /* where the body begins */
        uint32_t before[MIME_DEPTH_MAX + 1];     /* line ends before it */
};

struct str param_value(const struct param *p, const char *name)
{
        for (; p; p = p->next)
                if (str_same(p->name, str_of(name)))
                        return p->value;
        return STR_NONE;
}

/* ---- the fields of a part ---- */

/* RFC 2045 5.1 token. */
static bool is_token(struct str s)
{
        for (size_t i = 0; i < s.len; i++)
                if (s.at[i] <= ' ' || s.at[i] > '~' || strchr("()<>@,;:\\\"/[]?=", s.at[i]))
                        return false;
        return s.len > 0;
}

static void set_type(struct arena *arena, struct part *p, struct str value)
{
        struct str rest, token = params_token(arena, value, &rest);
        size_t slash = str_chr(token, '/');
        struct str type = str_sub(token, 0, slash), subtype = STR_NONE;
        if (slash != STR_NOWHERE)
                subtype = str_from(token, slash + 1);
        if (!is_token(type) || !is_token(subtype))
                return; /* RFC 2045 5.2: the default stands */
        p->type = type;
        p->subtype = subtype;
        p->raw_params = params_read(arena, rest);
        p->params = params_decode(arena, p->raw_params);
}

static void set_disposition(struct arena *arena, struct part *p, struct str value)
{
        struct str rest, token = params_token(arena, value, &rest);
        if (!is_token(token))
                return;
        p->disposition = token;
        p->raw_disposition_params = params_read(arena, rest);
        p->disposition_params = params_decode(arena, p->raw_disposition_params);
}

static void set_encoding(struct arena *arena, struct part *p, struct str value)
{
        struct str rest, token = params_token(arena, value, &rest);
        if (is_token(token))
                p->encoding = token;
}

static void set_field(struct arena *arena, struct part *p, const struct field *f)
{
        struct str tail = str_from(f->name, strlen("Content-"));
        struct str *plain = NULL;
        if (str_same(tail, STR("id")))
                plain = &p->id;
        else if (str_same(tail, STR("description")))
                plain = &p->description;
        else if (str_same(tail, STR("language")))
                plain = &p->language;
        else if (str_same(tail, STR("location")))
                plain = &p->location;
        else if (str_same(tail, STR("md5")))
                plain = &p->md5;
        struct str value = str_sub(f->value, 0, VALUE_READ);
        if (plain && !plain->at)
                *plain = header_unfold(arena, value);
        else if (str_same(tail, STR("type")) && !p->type.at)
                set_type(arena, p, header_unfold(arena, value));
        else if (str_same(tail, STR("transfer-encoding")) && !p->encoding.at)
                set_encoding(arena, p, header_unfold(arena, value));
        else if (str_same(tail, STR("disposition")) && !p->disposition.at)
                set_disposition(arena, p, header_unfold(arena, value));
}

/* RFC 2045 5.2: text/plain; charset=us-ascii. */
static void set_text_type(struct arena *arena, struct part *p)
{
        struct param *charset = arena_alloc(arena, sizeof *charset);
        charset->name = STR("charset");
        charset->value = STR("us-ascii");
        p->type = STR("text");
        p->subtype = STR("plain");
        p->params = p->raw_params = charset;
}

static void set_default_type(struct arena *arena, struct part *p)
{
        bool digest = p->parent && p->parent->kind == PART_MULTIPART &&
                      str_eq(p->parent->subtype, STR("digest")); /* RFC 2046 5.1.5 */
        if (!digest) {
                set_text_type(arena, p);
                return;
        }
        p->type = STR("message");
        p->subtype = STR("rfc822");
}

static void read_fields(struct arena *arena, struct part *p)
{
        struct str rest = str_sub(p->header, 0, HEADER_READ);
        struct field f;
        while (header_next(&rest, &f))
                if (str_starts_same(f.name, STR("Content-")))
                        set_field(arena, p, &f);
        if (!p->type.at)
                set_default_type(arena, p);
        if (!p->encoding.at)
                p->encoding = STR("7bit");
}

static struct str boundary_of(const struct part *p)
{
        struct str b = param_value(p->raw_params, "boundary");
        if (b.len == 0)
                b = param_value(p->params, "boundary");
        while (b.len && b.at[b.len - 1] == ' ')
                b.len--;
        return b.len <= BOUNDARY_MAX ? b : STR_NONE;
}

/* ---- the tree ---- */

static void open_part(struct scan *s, struct part *parent, size_t at)
{
        struct part *p = arena_alloc(s->arena, sizeof *p);
        p->header = str_make(s->message.at + at, 0);
        p->parent = parent;
        if (parent && parent->first)
                s->last[s->depth]->next = p;
        else if (parent)
                parent->first = p;
        s->last[s->depth] = p;
        s->part = p;
        s->depth += parent != NULL;
        s->count++;
        s->in_header = true;
}

/* The header of the innermost part ends at `at`, where its body begins. */
static void end_header(struct scan *s, size_t at)
{
        struct part *p = s->part;
        size_t start = (size_t)(p->header.at - s->message.at);
        p->header.len = at > start ? at - start : 0;
        s->body[s->depth] = at > start ? at : start;
        s->before[s->depth] = s->lines;
        s->in_header = false;
        read_fields(s->arena, p);
        bool multipart = str_eq(p->type, STR("multipart"));
        bool message = str_eq(p->type, STR("message")) && str_eq(p->subtype, STR("rfc822"));
        if (!multipart && !message)
                return;
        if (s->depth >= MIME_DEPTH_MAX || s->count >= MIME_PARTS_MAX) {
                p->type = STR("application");
                p->subtype = STR("octet-stream");
                p->params = p->raw_params = NULL;
                return;
        }
        p->kind = multipart ? PART_MULTIPART : PART_MESSAGE;
        s->boundary[s->depth] = multipart ? boundary_of(p) : STR_NONE;
        if (message)
                open_part(s, p, s->body[s->depth]);
}

/* A multipart without any part shows its octets as text; so no reader meets an empty list
 * (RFC 9051 9 body-type-mpart has 1*body). */
static void add_only_child(struct scan *s, struct part *p)
{
        struct part *child = arena_alloc(s->arena, sizeof *child);
        p->first = child;
        child->parent = p;
        child->header = str_make(p->body.at, 0);
        child->body = p->body;
        child->lines = p->lines;
        set_text_type(s->arena, child);
        child->encoding = STR("7bit");
        s->count++;
}

/* The innermost part ends at `end`; `lines` line ends are before that. */
static void close_part(struct scan *s, size_t end, uint32_t lines)
{
        while (s->in_header)
                end_header(s, end);
        struct part *p = s->part;
        size_t body = s->body[s->depth];
        p->body = str_make(s->message.at + body, end > body ? end - body : 0);
        p->lines = end > body ? lines - s->before[s->depth] : 0;
        if (p->kind == PART_MULTIPART && !p->first)
                add_only_child(s, p);
        s->boundary[s->depth] = STR_NONE;
        s->part = p->parent;
        s->depth -= p->parent != NULL;
}

static bool is_boundary(struct str line, struct str boundary, bool *last)
{
        if (!boundary.at || !str_starts(line, boundary))
                return false;
        struct str behind = str_from(line, boundary.len);
        *last = str_eq(behind, STR("--"));
        return *last || behind.len == 0;
}

/* The depth of the innermost multipart whose boundary line this is; STR_NOWHERE when none. */
static size_t boundary_depth(const struct scan *s, struct str line, bool *last)
{
        line = str_from(line, 2);
        while (line.len && strchr(" \t\r\n", line.at[line.len - 1]) && line.at[line.len - 1])
                line.len--;
        for (size_t depth = s->depth + 1; depth-- > 0;)
                if (is_boundary(line, s->boundary[depth], last))
                        return depth;
        return STR_NOWHERE;
}

static size_t least_end(const struct scan *s)
{
        return s->in_header ? (size_t)(s->part->header.at - s->message.at) : s->body[s->depth];
}

/* A line that begins with "--"; true when it was a boundary. The line end before it belongs to
 * it (RFC 2046 5.1.1). */
static bool take_boundary(struct scan *s, struct str line)
{
        bool last = false;
        size_t depth = s->count < MIME_PARTS_MAX ? boundary_depth(s, line, &last) : STR_NOWHERE;
        if (depth == STR_NOWHERE)
                return false;
        size_t at = (size_t)(line.at - s->message.at), end = at;
        end -= end > 0 && s->message.at[end - 1] == '\n';
        end -= end > 0 && end < at && s->message.at[end - 1] == '\r';
        /* A line end that already ended a header or a boundary stays with that. */
        if (end < least_end(s))
                end = at;
        while (s->depth > depth)
                close_part(s, end, s->lines - (end < at));
        s->lines += str_ends(line, STR("\n"));
        if (last)
                s->boundary[depth] = STR_NONE; /* what follows is the epilogue */
        else
                open_part(s, s->part, at + line.len);
        return true;
}

static void take_line(struct scan *s, struct str line)
{
        if (str_starts(line, STR("--")) && take_boundary(s, line))
                return;
        s->lines += str_ends(line, STR("\n"));
        if (s->in_header && (str_eq(line, STR("\r\n")) || str_eq(line, STR("\n"))))
                end_header(s, (size_t)(line.at - s->message.at) + line.len);
}

struct part *mime_parse(struct arena *arena, struct str message)
{
        struct scan *s = arena_alloc(arena, sizeof *s);
        if (!message.at)
                message = STR("");
        s->arena = arena;
        s->message = message;
        open_part(s, NULL, 0);
        struct part *top = s->part;
        for (size_t at = 0; at < message.len;) {
                struct str rest = str_from(message, at);
                size_t end = str_chr(rest, '\n');
                struct str line = end == STR_NOWHERE ? rest : str_sub(rest, 0, end + 1);
                take_line(s, line);
                at += line.len;
        }
        while (s->part)
                close_part(s, message.len, s->lines);
        return top;
}

/* ---- what is asked of the tree ---- */

static const struct part *nth_child(const struct part *p, uint32_t n)
{
        const struct part *child = p->first;
        while (child && --n)
                child = child->next;
        return child;
}

/* RFC 9051 6.4.5.1: numbers count the parts of a multipart; a message that is none has part 1. */
static const struct part *step(const struct part *p, bool whole_message, uint32_t n)
{
        if (!whole_message && p->kind == PART_MESSAGE) {
                p = p->first;
                whole_message = true;
        }
        if (p->kind == PART_MULTIPART)
                return nth_child(p, n);
        return whole_message && n == 1 ? p : NULL;
}

const struct part *mime_find(const struct part *top, struct str path)
{
        const struct part *p = top;
        struct str number;
        uint32_t n;
        bool whole_message = true;
        if (path.len && path.at[path.len - 1] == '.')
                return NULL;
        while (p && str_cut(&path, '.', &number)) {
                if (str_u32(number, &n) != OK || n == 0)
                        return NULL;
                p = step(p, whole_message, n);
                whole_message = false;
        }
        return p;
}

void mime_decode(const struct part *p, struct buf *out)
{
        if (str_eq(p->encoding, STR("base64")))
                base64_decode_lax(p->body, out);
        else if (str_eq(p->encoding, STR("quoted-printable")))
                quoted_decode(p->body, out);
        else
                buf_add(out, p->body);
}

struct str mime_filename(const struct part *p)
{
        struct str name = param_value(p->disposition_params, "filename");
        return name.len ? name : param_value(p->params, "name");
}

bool mime_is_attachment(const struct part *p)
{
        if (p->kind == PART_MULTIPART)
                return false;
        return str_eq(p->disposition, STR("attachment")) || mime_filename(p).len > 0;
}
