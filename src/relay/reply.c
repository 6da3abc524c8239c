#include "relay/reply.h"

void reply_begin(struct reply *r)
{
        r->code = r->lines = 0;
        buf_clear(&r->text);
}

void reply_release(struct reply *r)
{
        buf_release(&r->text);
}

/* What is shown to people and stored: nothing in it moves a terminal or ends a line. */
static void add_plain(struct buf *out, struct str text)
{
        for (size_t i = 0; i < text.len && out->len < REPLY_TEXT_MOST; i++)
                buf_add_char(out, text.at[i] >= ' ' && text.at[i] < 0x7f ? text.at[i] : '?');
}

enum status reply_add(struct reply *r, struct str line)
{
        uint32_t code;
        if (str_u32(str_sub(line, 0, 3), &code) != OK || line.len < 3 || code < 200 || code > 599)
                return INVALID;
        if (line.len > 3 && line.at[3] != ' ' && line.at[3] != '-')
                return INVALID;
        if ((r->lines && code != r->code) || ++r->lines > REPLY_LINES_MOST)
                return INVALID;
        r->code = code;
        if (r->lines == 1)
                buf_addf(&r->text, "%u", code);
        struct str text = str_trim(str_from(line, 4));
        if (text.len && r->text.len < REPLY_TEXT_MOST) {
                buf_add_char(&r->text, ' ');
                add_plain(&r->text, text);
        }
        return line.len > 3 && line.at[3] == '-' ? BUSY : OK;
}

enum verdict reply_verdict(const struct reply *r)
{
        return r->code < 300 ? TAKEN : r->code < 500 ? LATER : NEVER;
}
