#include "mail/parts.h"

enum { PARTS_VERSION = 1 };

/* ---- writing ---- */

static void write_one(const struct part *p, unsigned depth, struct str message, struct buf *out)
{
        buf_add_u8(out, (uint8_t)depth);
        buf_add_u8(out, (uint8_t)p->kind);
        buf_add_varint(out, (uint64_t)(p->header.at - message.at));
        buf_add_varint(out, p->header.len);
        buf_add_varint(out, p->body.len);
        buf_add_bytes(out, p->kind == PART_LEAF ? p->encoding : STR_NONE);
}

void parts_write(const struct part *top, struct str message, struct buf *out)
{
        unsigned depth = 0;
        buf_add_u8(out, PARTS_VERSION);
        for (const struct part *p = top; p;) {
                write_one(p, depth, message, out);
                if (p->first) {
                        p = p->first;
                        depth++;
                        continue;
                }
                while (p && p != top && !p->next) {
                        p = p->parent;
                        depth--;
                }
                p = p && p != top ? p->next : NULL;
        }
}

/* ---- finding ---- */

struct node {
        unsigned depth;
        enum part_kind kind;
        struct range header, body;
        struct str encoding;
        struct reader behind; /* where the next one is read */
};

static bool read_node(struct reader *r, struct node *out)
{
        if (r->bad || r->at == r->end)
                return false;
        out->depth = read_u8(r);
        out->kind = (enum part_kind)read_u8(r);
        out->header.start = read_varint(r);
        out->header.len = read_varint(r);
        out->body.start = out->header.start + out->header.len;
        out->body.len = read_varint(r);
        out->encoding = read_bytes(r);
        out->behind = *r;
        return !r->bad;
}

static bool nth_child(const struct node *parent, uint32_t n, struct node *out)
{
        struct reader r = parent->behind;
        while (read_node(&r, out) && out->depth > parent->depth)
                if (out->depth == parent->depth + 1 && --n == 0)
                        return true;
        return false;
}

/* As mime_find: RFC 9051 6.4.5.1. */
static bool step(struct node *at, bool whole_message, uint32_t n)
{
        struct node from = *at;
        if (!whole_message && from.kind == PART_MESSAGE) {
                if (!nth_child(at, 1, &from))
                        return false;
                whole_message = true;
        }
        if (from.kind == PART_MULTIPART)
                return nth_child(&from, n, at);
        *at = from;
        return whole_message && n == 1;
}

static enum status section_of_message(const struct node *top, enum section section,
        struct range *out)
{
        switch (section) {
        case SECTION_ALL:
                *out = (struct range){top->header.start, top->header.len + top->body.len};
                return OK;
        case SECTION_HEADER:
                *out = top->header;
                return OK;
        case SECTION_TEXT:
                *out = top->body;
                return OK;
        case SECTION_MIME:
                break;
        }
        return ABSENT;
}

static enum status section_of_part(const struct node *p, enum section section, struct range *out)
{
        struct node inner;
        if (section == SECTION_ALL || section == SECTION_MIME) {
                *out = section == SECTION_ALL ? p->body : p->header;
                return OK;
        }
        if (p->kind != PART_MESSAGE || !nth_child(p, 1, &inner))
                return ABSENT;
        *out = section == SECTION_HEADER ? inner.header : inner.body;
        return OK;
}

enum status parts_find(struct str parts, struct str path, enum section section, struct range *out,
        struct str *encoding)
{
        struct reader r = reader_of(parts);
        struct node at;
        struct str number;
        uint32_t n;
        if (read_u8(&r) != PARTS_VERSION || !read_node(&r, &at))
                return ABSENT;
        if (encoding)
                *encoding = at.encoding;
        if (path.len == 0)
                return section_of_message(&at, section, out);
        if (path.at[path.len - 1] == '.')
                return ABSENT;
        for (bool first = true; str_cut(&path, '.', &number); first = false)
                if (str_u32(number, &n) != OK || n == 0 || !step(&at, first, n))
                        return ABSENT;
        if (encoding)
                *encoding = at.encoding;
        return section_of_part(&at, section, out);
}
