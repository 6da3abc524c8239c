/* Any text, read as a reply to a digest: parts are of items that there are, in order, each once, and hold
 * no more than was written. First octet: how many items; then what the digest showed, NUL, the reply. */
#include "team/answer.h"

static void must(bool right)
{
        if (!right)
                fail_now("an answer that should not be");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct answer answer;
        struct str text = str_make((const char *)data, size), shown;
        if (size < 2 || size > 64 * 1024)
                return 0;
        struct arena *arena = arena_new();
        struct answer_to to = {.items = data[0] % 41, .item_address = data[0] / 41, .item_message = data[1] % 8,
                .name = STR("Mara Silva")};
        text = str_from(text, 1);
        if (str_cut(&text, '\0', &shown) && text.len)
                to.shown = shown;
        else
                text = shown;
        answer_read(text, &to, arena, &answer);
        size_t written = 0, last = 0;
        for (size_t i = 0; i < answer.count; i++) {
                must(answer.parts[i].item > last && answer.parts[i].item <= to.items);
                must(answer.parts[i].text.len > 0);
                last = answer.parts[i].item;
                written += answer.parts[i].text.len;
        }
        /* "[1][2]..." says a line to ten items at most; a line gets an end, a gap or a mark */
        must(written + answer.rest.len <= 10 * 8 * (size + 1));
        arena_free(arena);
        return 0;
}
