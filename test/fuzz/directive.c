/* Any message, read for directives and names: what comes out is bounded and UTF-8, each fault has its
 * sentence, and a glance misses nothing. First octet: how strictly. */
#include "base/text.h"
#include "team/directive.h"
#include "team/named.h"

/* Of an immutable zone, so loading it once is no race. */
static const struct zone *utc(void)
{
        static const struct zone *zone;
        if (!zone && zone_find(STR("UTC"), &zone) != OK)
                fail_now("no UTC");
        return zone;
}

static void must(bool right)
{
        if (!right)
                fail_now("a directive that should not be");
}

static void check(const struct directive *d)
{
        struct buf said = {0};
        must(d->line.len <= DIRECTIVE_LINE_MAX && d->argument.len <= DIRECTIVE_LINE_MAX);
        must(text_is_utf8(d->line) && text_is_utf8(d->argument));
        must(str_chr(d->line, '\n') == STR_NOWHERE && d->item_count <= DIRECTIVE_ITEMS_MAX);
        must((d->row == NULL) == (d->fault == FAULT_UNKNOWN));
        must((d->why != NULL) == (d->fault == FAULT_ARGUMENT));
        for (size_t i = 0; i < d->item_count; i++)
                must((d->items[i].text.len == 0) == (d->items[i].number > 0));
        directive_fault_say(d, &said);
        must((said.len == 0) == (d->fault == FAULT_NONE));
        buf_release(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        enum { NOON = 1795348800 };
        if (size < 1)
                return 0;
        struct arena *arena = arena_new();
        struct directives all;
        struct parsed_mail parsed;
        struct str name;
        struct str message = str_make((const char *)data + 1, size - 1);
        parsed_make(arena, message, &parsed);
        directive_read(&parsed, utc(), NOON, data[0] & 1 ? STRICT : LENIENT, &all);
        must(data[0] & 1 || all.count == 0 || directive_may_stand(&parsed));
        must(named_words(parsed_said(&parsed), arena, &name, 1) == 0 || named_may_stand(&parsed));
        must(all.count <= DIRECTIVES_MAX && text_is_utf8(all.rest));
        for (size_t i = 0; i < all.count; i++)
                check(&all.v[i]);
        arena_free(arena);
        return 0;
}
