/* Any octets as a message: the whole of the mail layer, with the checks of mail_check.h. */
#include "../unit/mail_check.h"
#include "mail/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The parsers get CRLF, as everything that is filed; the raw octets too, for bare line ends. */
static void check_form(struct str octets)
{
        struct arena *arena = arena_new();
        char *exact = mem_copy(octets.at, octets.len);
        const char *wrong = check_mail(arena, str_make(exact, octets.len));
        if (wrong)
                fail_now("%s", wrong);
        free(exact);
        arena_free(arena);
}

/* Whatever the Markdown, nothing is fetched and nothing runs. */
static void check_markdown(struct str text)
{
        struct buf html = {0};
        render_markdown(text, &html);
        if (str_find_same(buf_str(&html), STR("<img")) != STR_NOWHERE ||
                str_find_same(buf_str(&html), STR("<script")) != STR_NOWHERE)
                fail_now("an image or a script");
        buf_release(&html);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str raw = {(const char *)data, size};
        struct buf crlf = {0};
        for (size_t i = 0; i < size; i++) {
                if (raw.at[i] == '\n' && (i == 0 || raw.at[i - 1] != '\r'))
                        buf_add_char(&crlf, '\r');
                buf_add_char(&crlf, raw.at[i]);
        }
        check_form(raw);
        check_form(buf_str(&crlf));
        check_markdown(raw);
        buf_release(&crlf);
        return 0;
}
