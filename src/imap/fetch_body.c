#include "imap/fetch_body.h"
#include "base/encode.h"
#include "mail/header.h"

enum { STREAM_PIECE = 65536 };

void reading_release(struct reading *r)
{
        buf_release(&r->prefix);
}

static enum status read_prefix(struct reading *r)
{
        if (r->prefix_known || r->entry->prefix_size == 0)
                return OK;
        r->prefix_known = true;
        enum status st = prefix_read(r->session->site->store, r->session->selected->mailbox,
                r->entry->number, &r->prefix);
        if (st == OK && r->prefix.len != r->entry->prefix_size)
                st = DAMAGED;
        return st;
}

/* Exactly len octets of the message, appended. */
static enum status octets(struct reading *r, uint64_t from, uint64_t len, struct buf *out)
{
        size_t before = out->len;
        enum status st = stored_octets(r->session->site->store, r->stored, from, len, out);
        return st == OK && out->len - before != len ? DAMAGED : st;
}

enum status reading_header(struct reading *r, struct buf *out)
{
        uint64_t len = r->stored->header_size;
        enum status st = read_prefix(r);
        if (st != OK)
                return st;
        buf_add(out, buf_str(&r->prefix));
        return octets(r, 0, len < HEADER_READ_MAX ? len : HEADER_READ_MAX, out);
}

/* ---- where a section lies ---- */

static enum status range_of(
        struct reading *r, const struct piece *piece, struct range *out, struct str *encoding)
{
        uint64_t header = r->stored->header_size, size = r->stored->size;
        if (piece->path.len)
                return parts_find(r->stored->parts, piece->path, piece->what, out, encoding);
        *out = (struct range){0, size};
        if (piece->what == SECTION_HEADER)
                out->len = header;
        else if (piece->what == SECTION_TEXT)
                *out = (struct range){header, size - header};
        return OK;
}

/* Clips a length to what a partial asks for: pitfall: beyond the end is empty, not absent. */
static struct range clip(const struct piece *piece, uint64_t len)
{
        if (!piece->partial)
                return (struct range){0, len};
        uint64_t from = piece->from < len ? piece->from : len;
        return (struct range){from, piece->len < len - from ? piece->len : len - from};
}

static void print_label(struct buf *out, const struct piece *piece)
{
        buf_add(out, piece->label);
        buf_add_char(out, ' ');
}

/* ---- header fields ---- */

static bool is_named(const struct piece *piece, struct str name)
{
        for (size_t i = 0; i < piece->field_count; i++)
                if (str_same(piece->fields[i], name))
                        return true;
        return false;
}

void fields_filter(struct str header, const struct piece *piece, struct buf *out)
{
        struct field field;
        while (header_next(&header, &field))
                if (is_named(piece, field.name) != piece->without)
                        buf_add(out, field.all);
        if (out->len > 0 && out->at[out->len - 1] != '\n')
                buf_add_text(out, "\r\n");
        buf_add_text(out, "\r\n");
}

static enum status print_fields(
        struct reading *r, const struct piece *piece, const struct range *range)
{
        struct buf header = {0}, chosen = {0};
        uint64_t len = range->len < HEADER_READ_MAX ? range->len : HEADER_READ_MAX;
        enum status st = piece->path.len ? octets(r, range->start, len, &header)
                                         : reading_header(r, &header);
        if (st == OK) {
                struct buf *out = wire_out(r->session->wire);
                fields_filter(buf_str(&header), piece, &chosen);
                struct range part = clip(piece, chosen.len);
                print_label(out, piece);
                buf_addf(out, "{%llu}\r\n", (unsigned long long)part.len);
                buf_add(out, str_sub(buf_str(&chosen), (size_t)part.start, (size_t)part.len));
        }
        buf_release(&header);
        buf_release(&chosen);
        return st;
}

/* ---- whole sections ---- */

/* `part` counts from the section's start: the prefix, then the message from `start` on. */
static enum status stream(struct reading *r, struct range part, uint64_t prefix, uint64_t start)
{
        if (part.start < prefix) {
                struct str head = str_from(buf_str(&r->prefix), (size_t)part.start);
                head = str_sub(head, 0, part.len < head.len ? (size_t)part.len : head.len);
                buf_add(wire_out(r->session->wire), head);
                part.start += head.len;
                part.len -= head.len;
        }
        start += part.start > prefix ? part.start - prefix : 0;
        while (part.len > 0) {
                uint64_t len = part.len < STREAM_PIECE ? part.len : STREAM_PIECE;
                enum status st = octets(r, start, len, wire_out(r->session->wire));
                if (st != OK)
                        return st;
                start += len;
                part.len -= len;
                if (part.len > 0) {
                        r->streamed = true;
                        wire_room(r->session->wire);
                        if (wire_gone(r->session->wire))
                                return CLOSED;
                }
        }
        return OK;
}

/* ---- BINARY (RFC 3516) ---- */

static bool is_identity(struct str encoding)
{
        return encoding.len == 0 || str_same(encoding, STR("7bit")) ||
               str_same(encoding, STR("8bit")) || str_same(encoding, STR("binary"));
}

/* A part without its transfer encoding. UNSUPPORTED: nobody knows that encoding. */
static enum status decode(
        struct reading *r, const struct range *range, struct str encoding, struct buf *out)
{
        bool base64 = str_same(encoding, STR("base64"));
        if (!base64 && !str_same(encoding, STR("quoted-printable")))
                return UNSUPPORTED;
        struct buf raw = {0};
        enum status st = OK;
        for (uint64_t at = 0; st == OK && at < range->len; at += STREAM_PIECE)
                st = octets(r, range->start + at,
                        range->len - at < STREAM_PIECE ? range->len - at : STREAM_PIECE, &raw);
        if (st == OK && base64)
                base64_decode_lax(buf_str(&raw), out);
        else if (st == OK)
                quoted_decode(buf_str(&raw), out);
        buf_release(&raw);
        return st;
}

static enum status print_decoded(struct reading *r, const struct piece *piece,
        const struct range *range, struct str encoding)
{
        struct buf *out = wire_out(r->session->wire), whole = {0};
        enum status st = decode(r, range, encoding, &whole);
        if (st == OK && piece->decoding == DECODED_SIZE) {
                print_label(out, piece);
                buf_addf(out, "%zu", whole.len);
        } else if (st == OK) {
                struct range part = clip(piece, whole.len);
                print_label(out, piece);
                buf_addf(out, "~{%llu}\r\n", (unsigned long long)part.len);
                buf_add(out, str_sub(buf_str(&whole), (size_t)part.start, (size_t)part.len));
        }
        buf_release(&whole);
        return st;
}

enum status reading_print(struct reading *r, const struct piece *piece)
{
        struct range range;
        struct buf *out = wire_out(r->session->wire);
        struct str encoding = STR_NONE;
        enum status st = range_of(r, piece, &range, &encoding);
        if (st == ABSENT) {
                print_label(out, piece);
                buf_add_text(out, piece->decoding == DECODED_SIZE ? "0" : "NIL");
                return OK;
        }
        if (st == OK && piece->fields)
                return print_fields(r, piece, &range);
        if (st == OK && piece->decoding != AS_IT_IS && !is_identity(encoding))
                return print_decoded(r, piece, &range, encoding);
        if (st == OK && piece_has_prefix(piece))
                st = read_prefix(r);
        if (st != OK)
                return st;
        uint64_t prefix = piece_has_prefix(piece) ? r->prefix.len : 0;
        struct range part = clip(piece, prefix + range.len);
        print_label(out, piece);
        if (piece->decoding == DECODED_SIZE) {
                buf_addf(out, "%llu", (unsigned long long)(prefix + range.len));
                return OK;
        }
        buf_addf(out, "%s{%llu}\r\n", piece->decoding == DECODED ? "~" : "",
                (unsigned long long)part.len);
        return stream(r, part, prefix, range.start);
}
