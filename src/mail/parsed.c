#include "mail/parsed.h"
#include "mail/content.h"

void parsed_make(struct arena *arena, struct str bytes, struct parsed_mail *out)
{
        if (!bytes.at)
                bytes = STR("");
        *out = (struct parsed_mail){
                .arena = arena, .bytes = bytes, .top = mime_parse(arena, bytes)};
}

struct str parsed_said(struct parsed_mail *parsed)
{
        struct buf text = {0}, said = {0};
        if (parsed->said_read)
                return parsed->said;
        content_text(parsed->arena, parsed->top, PARSED_TEXT_MAX, &text);
        if (content_said(buf_str(&text), &said)) /* else nothing is the author's */
                parsed->said = arena_copy(parsed->arena, buf_str(&said));
        parsed->said_read = true;
        buf_release(&text);
        buf_release(&said);
        return parsed->said;
}
