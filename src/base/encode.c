#include "base/encode.h"

static const char base64_letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int base64_value(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

void base64_encode(struct str s, struct buf *out)
{
        for (size_t i = 0; i < s.len; i += 3) {
                size_t have = s.len - i < 3 ? s.len - i : 3;
                uint32_t bits = 0;
                for (size_t k = 0; k < 3; k++)
                        bits = bits << 8 | (k < have ? (unsigned char)s.at[i + k] : 0);
                for (unsigned k = 0; k < 4; k++) {
                        char letter = base64_letters[bits >> (18 - 6 * k) & 63];
                        buf_add_char(out, k <= have ? letter : '=');
                }
        }
}

/* Feeds one value; an octet comes out whenever eight bits are together. */
static void add_bits(uint32_t *bits, unsigned *count, int value, struct buf *out)
{
        *bits = *bits << 6 | (uint32_t)value;
        *count += 6;
        if (*count < 8)
                return;
        *count -= 8;
        buf_add_char(out, (char)(unsigned char)(*bits >> *count));
        *bits &= (1u << *count) - 1;
}

enum status base64_decode(struct str s, struct buf *out)
{
        size_t start = out->len, padding = 0;
        uint32_t bits = 0;
        unsigned count = 0;
        if (s.len % 4)
                return INVALID;
        while (padding < 2 && s.len && s.at[s.len - 1] == '=') {
                padding++;
                s.len--;
        }
        for (size_t i = 0; i < s.len; i++) {
                int value = base64_value(s.at[i]);
                if (value < 0) {
                        out->len = start;
                        return INVALID;
                }
                add_bits(&bits, &count, value, out);
        }
        if (bits) { /* one text for each value (RFC 4648 3.5) */
                out->len = start;
                return INVALID;
        }
        return OK;
}

void base64_decode_lax(struct str s, struct buf *out)
{
        uint32_t bits = 0;
        unsigned count = 0;
        for (size_t i = 0; i < s.len && s.at[i] != '='; i++) {
                int value = base64_value(s.at[i]);
                if (value >= 0)
                        add_bits(&bits, &count, value, out);
        }
}

static const char base32_letters[] = "abcdefghijklmnopqrstuvwxyz234567";

void base32_encode(struct str s, struct buf *out)
{
        uint32_t bits = 0;
        unsigned count = 0;
        for (size_t i = 0; i < s.len; i++) {
                bits = bits << 8 | (unsigned char)s.at[i];
                for (count += 8; count >= 5; count -= 5)
                        buf_add_char(out, base32_letters[bits >> (count - 5) & 31]);
                bits &= (1u << count) - 1;
        }
        if (count)
                buf_add_char(out, base32_letters[bits << (5 - count) & 31]);
}

static int base32_value(char c)
{
        c = ascii_lower(c);
        if (c >= 'a' && c <= 'z')
                return c - 'a';
        return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

enum status base32_decode(struct str s, struct buf *out)
{
        size_t start = out->len;
        uint32_t bits = 0;
        unsigned count = 0;
        for (size_t i = 0; i < s.len; i++) {
                int value = base32_value(s.at[i]);
                if (value < 0)
                        count = 32;
                if (count == 32)
                        break;
                bits = bits << 5 | (uint32_t)value;
                count += 5;
                if (count < 8)
                        continue;
                count -= 8;
                buf_add_char(out, (char)(unsigned char)(bits >> count));
                bits &= (1u << count) - 1;
        }
        if (count < 5 && !bits) /* one text for each value (RFC 4648 3.5) */
                return OK;
        out->len = start;
        return INVALID;
}

static int hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c = ascii_lower(c);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "=4A" gives the octet; anything else behind '=' is shown as it came (RFC 2045 6.7 note 1). */
static void quoted_line(struct str line, struct buf *out)
{
        for (size_t i = 0; i < line.len; i++) {
                int high = -1, low = -1;
                if (line.at[i] == '=' && line.len - i > 2) {
                        high = hex_value(line.at[i + 1]);
                        low = hex_value(line.at[i + 2]);
                }
                if (high < 0 || low < 0) {
                        buf_add_char(out, line.at[i]);
                        continue;
                }
                buf_add_char(out, (char)(high << 4 | low));
                i += 2;
        }
}

void quoted_decode(struct str s, struct buf *out)
{
        while (s.len) {
                size_t end = str_chr(s, '\n');
                struct str line = str_sub(s, 0, end), ending = {"", 0};
                s = end == STR_NOWHERE ? str_from(s, s.len) : str_from(s, end + 1);
                if (end != STR_NOWHERE)
                        ending = str_ends(line, STR("\r")) ? STR("\r\n") : STR("\n");
                if (end != STR_NOWHERE && ending.len == 2)
                        line.len--;
                /* Blanks at a line's end were put there on the way (RFC 2045 6.7 rule 3). */
                while (line.len && (line.at[line.len - 1] == ' ' || line.at[line.len - 1] == '\t'))
                        line.len--;
                bool soft = str_ends(line, STR("="));
                line.len -= soft;
                quoted_line(line, out);
                if (!soft)
                        buf_add(out, ending);
        }
}

/* Besides what must be, a "From " and a dot at a line's start are encoded, so that neither mbox
 * files nor SMTP change the line (RFC 2049 3). */
static bool quoted_literally(struct str s, size_t i, size_t column)
{
        char c = s.at[i];
        if (c == ' ' || c == '\t') {
                struct str rest = str_from(s, i + 1);
                return rest.len && !str_starts(rest, STR("\n")) && !str_starts(rest, STR("\r\n"));
        }
        if (column == 0 && (c == '.' || str_starts(str_from(s, i), STR("From "))))
                return false;
        return c > ' ' && c < 0x7f && c != '=';
}

void quoted_encode(struct str s, struct buf *out)
{
        size_t column = 0;
        for (size_t i = 0; i < s.len; i++) {
                if (s.at[i] == '\r' && i + 1 < s.len && s.at[i + 1] == '\n')
                        continue;
                if (s.at[i] == '\n') {
                        buf_add_text(out, "\r\n");
                        column = 0;
                        continue;
                }
                bool literally = quoted_literally(s, i, column);
                if (column + (literally ? 1 : 3) > 75) { /* the 76th is for the '=' */
                        buf_add_text(out, "=\r\n");
                        column = 0;
                        literally = quoted_literally(s, i, column);
                }
                if (literally)
                        buf_add_char(out, s.at[i]);
                else
                        buf_addf(out, "=%02X", (unsigned char)s.at[i]);
                column += literally ? 1 : 3;
        }
}

void hex_encode(struct str s, struct buf *out)
{
        for (size_t i = 0; i < s.len; i++)
                buf_addf(out, "%02x", (unsigned char)s.at[i]);
}

void html_escape(struct str s, struct buf *out)
{
        for (size_t i = 0; i < s.len; i++) {
                char c = s.at[i];
                if (c == '&')
                        buf_add_text(out, "&amp;");
                else if (c == '<')
                        buf_add_text(out, "&lt;");
                else if (c == '>')
                        buf_add_text(out, "&gt;");
                else if (c == '"')
                        buf_add_text(out, "&quot;");
                else
                        buf_add_char(out, c);
        }
}

void url_escape(struct str s, struct buf *out)
{
        for (size_t i = 0; i < s.len; i++) {
                char c = s.at[i], lower = ascii_lower(c);
                bool unreserved = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
                                  c == '-' || c == '.' || c == '_' || c == '~';
                if (unreserved)
                        buf_add_char(out, c);
                else
                        buf_addf(out, "%%%02X", (unsigned char)c);
        }
}

/* RFC 3461 4: capital letters only. */
static int xtext_digit(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum status xtext_decode(struct str s, struct buf *out)
{
        size_t start = out->len;
        for (size_t i = 0; i < s.len; i++) {
                char c = s.at[i];
                int high = -1, low = -1;
                if (c == '+' && s.len - i > 2) {
                        high = xtext_digit(s.at[i + 1]);
                        low = xtext_digit(s.at[i + 2]);
                        i += 2;
                }
                bool hexed = high >= 0 && low >= 0, plain = c > ' ' && c <= '~' && c != '=';
                if (c == '+' ? !hexed : !plain) {
                        out->len = start;
                        return INVALID;
                }
                if (hexed)
                        buf_add_u8(out, (uint8_t)(high * 16 + low));
                else
                        buf_add_char(out, c);
        }
        return OK;
}
