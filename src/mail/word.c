#include "mail/word.h"
#include "base/text.h"

enum { WORD_REACH = 1000, CHARSET_MAX = 64, WORD_MAX = 75 };

struct word {
        struct str charset, text;
        char encoding; /* 'b' or 'q' */
        size_t len;    /* of the whole word */
};

/* RFC 2047 2, with RFC 2231 5's "*language" behind the charset. */
static bool word_read(struct str s, struct word *out)
{
        if (!str_starts(s, STR("=?")))
                return false;
        size_t q = str_chr(str_sub(s, 2, CHARSET_MAX), '?');
        if (q == STR_NOWHERE || 2 + q + 3 > s.len)
                return false;
        struct str charset = str_sub(s, 2, q);
        size_t star = str_chr(charset, '*');
        out->charset = star == STR_NOWHERE ? charset : str_sub(charset, 0, star);
        if (str_chr(charset, ' ') != STR_NOWHERE)
                return false;
        out->encoding = ascii_lower(s.at[2 + q + 1]);
        if ((out->encoding != 'b' && out->encoding != 'q') || s.at[2 + q + 2] != '?')
                return false;
        size_t text = 2 + q + 3;
        size_t end = str_find(str_sub(s, text, WORD_REACH), STR("?="));
        if (end == STR_NOWHERE)
                return false;
        out->text = str_sub(s, text, end);
        out->len = text + end + 2;
        return true;
}

bool word_is_encoded(struct str s)
{
        struct word w;
        return word_read(s, &w) && w.len == s.len;
}

static int hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c = ascii_lower(c);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 2047 4.2: "_" is a blank; anything else that is not "=XX" stands for itself. */
static void q_decode(struct str s, struct buf *out)
{
        for (size_t i = 0; i < s.len; i++) {
                int high = s.at[i] == '=' && i + 2 < s.len ? hex_value(s.at[i + 1]) : -1;
                int low = high >= 0 ? hex_value(s.at[i + 2]) : -1;
                if (low >= 0) {
                        buf_add_char(out, (char)(unsigned char)(high << 4 | low));
                        i += 2;
                } else {
                        buf_add_char(out, s.at[i] == '_' ? ' ' : s.at[i]);
                }
        }
}

/* Encoded words of one charset that wait to be converted together. */
struct pending {
        struct str charset;
        struct buf octets;
};

static void flush(struct pending *p, struct buf *out)
{
        if (p->octets.len)
                text_decode(buf_str(&p->octets), p->charset, out);
        buf_clear(&p->octets);
        p->charset = STR_NONE;
}

static void add_plain(struct str s, struct buf *out)
{
        if (text_is_ascii(s))
                buf_add(out, s);
        else
                text_decode(s, STR_NONE, out);
}

static void drop_controls(struct buf *b, size_t from)
{
        for (size_t i = from; i < b->len; i++) {
                unsigned char c = (unsigned char)b->at[i];
                if (c < ' ' || c == 0x7f)
                        b->at[i] = ' ';
        }
}

void word_decode(struct str s, struct buf *out)
{
        struct pending p = {0};
        struct word w;
        size_t start = out->len, plain = 0, at = 0;
        while (at < s.len) {
                size_t mark = str_find(str_from(s, at), STR("=?"));
                if (mark == STR_NOWHERE)
                        break;
                at += mark;
                if (!word_read(str_from(s, at), &w)) {
                        at += 2;
                        continue;
                }
                struct str between = str_sub(s, plain, at - plain);
                bool joins = p.charset.at && str_trim(between).len == 0;
                if (!joins || !str_same(p.charset, w.charset))
                        flush(&p, out);
                if (!joins)
                        add_plain(between, out);
                p.charset = w.charset;
                if (w.encoding == 'b')
                        base64_decode_lax(w.text, &p.octets);
                else
                        q_decode(w.text, &p.octets);
                at += w.len;
                plain = at;
        }
        flush(&p, out);
        add_plain(str_from(s, plain), out);
        buf_release(&p.octets);
        drop_controls(out, start);
}

/* ---- writing ---- */

static size_t character_length(struct str s)
{
        size_t n = 1;
        while (n < s.len && n < 4 && ((unsigned char)s.at[n] & 0xc0) == 0x80)
                n++;
        return n;
}

/* RFC 2047 5 (3): what may stand for itself even in a phrase. */
static bool q_plain(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '!' || c == '*' || c == '+' || c == '-' || c == '/';
}

static size_t q_length(struct str s)
{
        size_t n = 0;
        for (size_t i = 0; i < s.len; i++)
                n += q_plain(s.at[i]) || s.at[i] == ' ' ? 1 : 3;
        return n;
}

static void q_encode(struct str s, struct buf *out)
{
        for (size_t i = 0; i < s.len; i++) {
                if (q_plain(s.at[i]))
                        buf_add_char(out, s.at[i]);
                else if (s.at[i] == ' ')
                        buf_add_char(out, '_');
                else
                        buf_addf(out, "=%02X", (unsigned)(unsigned char)s.at[i]);
        }
}

static size_t encoded_length(struct str s, bool base64)
{
        return base64 ? (s.len + 2) / 3 * 4 : q_length(s);
}

/* How much of the text fits one word: whole characters, at least one. */
static size_t fitting(struct str text, bool base64, size_t room)
{
        size_t n = character_length(text);
        while (n < text.len) {
                size_t more = n + character_length(str_from(text, n));
                if (encoded_length(str_sub(text, 0, more), base64) > room)
                        break;
                n = more;
        }
        return n;
}

void word_encode(struct str text, size_t column, struct buf *out)
{
        /* Quoted-printable while it is readable at all. */
        bool base64 = 2 * q_length(text) > 3 * encoded_length(text, true);
        size_t most = WORD_MAX - strlen("=?utf-8?q?") - strlen("?=");
        size_t room = column < WORD_MAX / 2 ? most - column : most;
        for (bool first = true; text.len; first = false) {
                size_t n = fitting(text, base64, room);
                room = most;
                if (!first)
                        buf_add_char(out, ' ');
                buf_add_text(out, base64 ? "=?utf-8?b?" : "=?utf-8?q?");
                if (base64)
                        base64_encode(str_sub(text, 0, n), out);
                else
                        q_encode(str_sub(text, 0, n), out);
                buf_add_text(out, "?=");
                text = str_from(text, n);
        }
}
