#include "mail/enhanced.h"
#include <string.h>

/* RFC 3463 2: class.subject.detail, one and up to three digits. */
static bool is_status(struct str word)
{
        struct str part;
        unsigned parts = 0;
        if (word.len < 5 || !strchr("245", word.at[0]) || word.at[1] != '.')
                return false;
        while (str_cut(&word, '.', &part)) {
                uint32_t n;
                if (part.len > 3 || str_u32(part, &n) != OK)
                        return false;
                parts++;
        }
        return parts == 3;
}

struct str enhanced_status(struct str text, struct buf *out)
{
        struct str rest = text, word;
        char class = text.len && (text.at[0] == '2' || text.at[0] == '4') ? text.at[0] : '5';
        bool given = str_word(&rest, &word) && str_word(&rest, &word) && is_status(word) &&
                     word.at[0] == class;
        buf_clear(out);
        if (given)
                buf_add(out, word);
        else
                buf_addf(out, "%c.0.0", class);
        return buf_str(out);
}
