/* Whatever a client sends is read by these: strings, sets, flags, dates, FETCH items, SEARCH keys,
 * LIST patterns. First octet: which. */
#include "imap/items.h"
#include "imap/keys.h"
#include "imap/pattern.h"
#include "mail/envelope.h"

static void strings(struct parse *p)
{
        struct flag_list flags;
        struct buf out = {0};
        string_add(&out, parse_astring(p));
        parse_space(p);
        print_mailbox(&out, parse_mailbox(p), false);
        parse_space(p);
        parse_flags(p, true, &flags);
        parse_space(p);
        (void)parse_date_time(p);
        buf_release(&out);
}

static void one(struct arena *arena, unsigned char which, struct str text)
{
        struct parse p = parse_of(arena, text);
        p.utf8 = which & 64;
        struct items items;
        enum charset charset;
        bool waits;
        uint64_t size;
        size_t start;
        struct str pattern = STR_NONE;
        switch (which % 6) {
        case 0:
                strings(&p);
                break;
        case 1:
                items_parse(&p, &items);
                break;
        case 2:
                (void)keys_parse(&p, &charset);
                break;
        case 3:
                (void)parse_set(&p);
                break;
        case 4:
                (void)literal_announced(text, &size, &waits, &start);
                break;
        default:
                (void)str_cut(&text, '\n', &pattern);
                if (pattern.len < 500 && text.len < 500)
                        (void)pattern_matches(pattern, text);
                break;
        }
        (void)parse_end(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size < 1)
                return 0;
        struct arena *arena = arena_new();
        one(arena, data[0], str_make((const char *)data + 1, size - 1));
        arena_free(arena);
        return 0;
}
