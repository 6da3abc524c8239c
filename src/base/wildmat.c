#include "base/wildmat.h"

/* '?' and '*' count characters, not octets (RFC 3977 4.2). An octet that begins no UTF-8
 * character counts as one of its own. */
static size_t char_size(struct str s)
{
        unsigned char c = (unsigned char)s.at[0];
        size_t size = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 1;
        if (c > 0xf4 || size > s.len)
                return 1;
        for (size_t i = 1; i < size; i++)
                if (((unsigned char)s.at[i] & 0xc0) != 0x80)
                        return 1;
        return size;
}

/* On a mismatch only the last '*' takes one character more: the earlier ones need never be
 * tried again, which bounds the work by pattern times text. */
static bool matches(struct str pattern, struct str text)
{
        size_t p = 0, t = 0, star = STR_NOWHERE, star_text = 0;
        while (t < text.len) {
                if (p < pattern.len && pattern.at[p] == '*') {
                        star = p++;
                        star_text = t;
                } else if (p < pattern.len && pattern.at[p] == '?') {
                        p++;
                        t += char_size(str_from(text, t));
                } else if (p < pattern.len && pattern.at[p] == text.at[t]) {
                        p++;
                        t++;
                } else if (star != STR_NOWHERE) {
                        star_text += char_size(str_from(text, star_text));
                        t = star_text;
                        p = star + 1;
                } else {
                        return false;
                }
        }
        while (p < pattern.len && pattern.at[p] == '*')
                p++;
        return p == pattern.len;
}

bool wildmat(struct str pattern, struct str text)
{
        bool more = true;
        while (more) {
                size_t comma = str_rchr(pattern, ',');
                struct str part = comma == STR_NOWHERE ? pattern : str_from(pattern, comma + 1);
                bool negated = part.len && part.at[0] == '!';
                if (negated)
                        part = str_from(part, 1);
                if (part.len && matches(part, text))
                        return !negated;
                more = comma != STR_NOWHERE;
                pattern = str_sub(pattern, 0, comma);
        }
        return false;
}
