#include "base/text.h"
#include <errno.h>
#include <iconv.h>
#include <unicase.h>
#include <unictype.h>
#include <unigbrk.h>
#include <unilbrk.h>
#include <uninorm.h>
#include <unistr.h>
#include <uniwidth.h>

static const struct str replacement = {"\xef\xbf\xbd", 3}; /* U+FFFD */

static const uint8_t *octets(struct str s)
{
        return (const uint8_t *)s.at;
}

bool text_is_ascii(struct str s)
{
        for (size_t i = 0; i < s.len; i++) {
                char c = s.at[i];
                if ((c < ' ' || c > 0x7e) && c != '\t' && c != '\r' && c != '\n')
                        return false;
        }
        return true;
}

bool text_is_7bit(struct str s)
{
        for (size_t i = 0; i < s.len; i++)
                if ((unsigned char)s.at[i] > 0x7f)
                        return false;
        return true;
}

bool text_is_utf8(struct str s)
{
        return s.len == 0 || u8_check(octets(s), s.len) == NULL;
}

/* ---- charsets ---- */

/* The charsets that mail is found in, each read as the widest that contains it, the way browsers
 * do. A closed list, because the sender chooses the name and iconv would load any converter.
 * Names are compared by letters and digits, without "x-" and "cs" in front. */
struct charset {
        const char *name, *iconv_name;
        enum {
                PLAIN,
                MIXED, /* an octet below 0x80 may be the second half of a letter */
                SEVEN_BIT,
                WIDE,
        } form;
};

static const struct charset charsets[] = { /* clang-format off */
        {"utf8", "UTF-8", PLAIN}, {"unicode11utf8", "UTF-8", PLAIN},
        {"usascii", "CP1252", PLAIN}, {"ascii", "CP1252", PLAIN}, {"ansix341968", "CP1252", PLAIN},
        {"iso88591", "CP1252", PLAIN}, {"latin1", "CP1252", PLAIN}, {"isolatin1", "CP1252", PLAIN},
        {"iso88592", "ISO-8859-2", PLAIN}, {"latin2", "ISO-8859-2", PLAIN},
        {"iso88593", "ISO-8859-3", PLAIN}, {"iso88594", "ISO-8859-4", PLAIN},
        {"iso88595", "ISO-8859-5", PLAIN}, {"iso88596", "ISO-8859-6", PLAIN},
        {"iso88597", "ISO-8859-7", PLAIN}, {"iso88598", "ISO-8859-8", PLAIN},
        {"iso88598i", "ISO-8859-8", PLAIN}, {"iso88598e", "ISO-8859-8", PLAIN},
        {"iso88599", "CP1254", PLAIN}, {"latin5", "CP1254", PLAIN},
        {"iso885910", "ISO-8859-10", PLAIN}, {"iso885911", "CP874", PLAIN},
        {"iso885913", "ISO-8859-13", PLAIN}, {"iso885914", "ISO-8859-14", PLAIN},
        {"iso885915", "ISO-8859-15", PLAIN}, {"latin9", "ISO-8859-15", PLAIN},
        {"iso885916", "ISO-8859-16", PLAIN},
        {"windows1250", "CP1250", PLAIN}, {"cp1250", "CP1250", PLAIN},
        {"windows1251", "CP1251", PLAIN}, {"cp1251", "CP1251", PLAIN},
        {"windows1252", "CP1252", PLAIN}, {"cp1252", "CP1252", PLAIN},
        {"windows1253", "CP1253", PLAIN}, {"cp1253", "CP1253", PLAIN},
        {"windows1254", "CP1254", PLAIN}, {"cp1254", "CP1254", PLAIN},
        {"windows1255", "CP1255", PLAIN}, {"cp1255", "CP1255", PLAIN},
        {"windows1256", "CP1256", PLAIN}, {"cp1256", "CP1256", PLAIN},
        {"windows1257", "CP1257", PLAIN}, {"cp1257", "CP1257", PLAIN},
        {"windows1258", "CP1258", PLAIN}, {"cp1258", "CP1258", PLAIN},
        {"windows874", "CP874", PLAIN}, {"cp874", "CP874", PLAIN}, {"tis620", "CP874", PLAIN},
        {"ibm437", "CP437", PLAIN}, {"cp437", "CP437", PLAIN},
        {"ibm850", "CP850", PLAIN}, {"cp850", "CP850", PLAIN},
        {"ibm852", "CP852", PLAIN}, {"cp852", "CP852", PLAIN},
        {"ibm855", "CP855", PLAIN}, {"cp855", "CP855", PLAIN},
        {"ibm866", "CP866", PLAIN}, {"cp866", "CP866", PLAIN},
        {"koi8r", "KOI8-R", PLAIN}, {"koi8u", "KOI8-U", PLAIN}, {"koi8ru", "KOI8-U", PLAIN},
        {"macintosh", "MACINTOSH", PLAIN}, {"macroman", "MACINTOSH", PLAIN},
        {"maccyrillic", "MAC-CYRILLIC", PLAIN}, {"viscii", "VISCII", PLAIN},
        {"gb2312", "GB18030", MIXED}, {"gbk", "GB18030", MIXED}, {"gb18030", "GB18030", MIXED},
        {"cp936", "GB18030", MIXED}, {"euccn", "GB18030", MIXED},
        {"big5", "BIG5-HKSCS", MIXED}, {"big5hkscs", "BIG5-HKSCS", MIXED},
        {"cp950", "CP950", MIXED}, {"euctw", "EUC-TW", MIXED},
        {"eucjp", "EUC-JP-MS", MIXED}, {"eucpkdfmtjapanese", "EUC-JP-MS", MIXED},
        {"shiftjis", "CP932", MIXED}, {"sjis", "CP932", MIXED}, {"mskanji", "CP932", MIXED},
        {"windows31j", "CP932", MIXED}, {"cp932", "CP932", MIXED},
        {"euckr", "UHC", MIXED}, {"ksc56011987", "UHC", MIXED}, {"ksc5601", "UHC", MIXED},
        {"windows949", "UHC", MIXED}, {"cp949", "UHC", MIXED}, {"uhc", "UHC", MIXED},
        {"johab", "JOHAB", MIXED},
        {"iso2022jp", "ISO-2022-JP", SEVEN_BIT}, {"iso2022jp1", "ISO-2022-JP-2", SEVEN_BIT},
        {"iso2022jp2", "ISO-2022-JP-2", SEVEN_BIT}, {"iso2022kr", "ISO-2022-KR", SEVEN_BIT},
        {"iso2022cn", "ISO-2022-CN", SEVEN_BIT},
        {"utf7", "UTF-7", SEVEN_BIT}, {"unicode11utf7", "UTF-7", SEVEN_BIT},
        {"utf16", "UTF-16", WIDE}, {"utf16be", "UTF-16BE", WIDE}, {"utf16le", "UTF-16LE", WIDE},
}; /* clang-format on */

/* Not declared, or not known: windows-1252. */
static const struct charset *charset_find(struct str name)
{
        static const struct charset fallback = {"", "CP1252", PLAIN};
        char plain[24];
        size_t n = 0;
        if (str_starts_same(name, STR("x-")) || str_starts_same(name, STR("cs")))
                name = str_from(name, 2);
        for (size_t i = 0; i < name.len; i++) {
                char c = ascii_lower(name.at[i]);
                bool counts = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
                if (counts && n == sizeof plain)
                        return &fallback;
                if (counts)
                        plain[n++] = c;
        }
        for (size_t i = 0; i < COUNT_OF(charsets); i++)
                if (str_eq(str_make(plain, n), str_of(charsets[i].name)))
                        return &charsets[i];
        return &fallback;
}

bool text_shows_ascii(struct str charset)
{
        return charset_find(charset)->form == PLAIN;
}

/* Every round takes input, gives output or skips a unit (an octet, or two in UTF-16): no converter
 * can make it loop. */
static void convert(iconv_t converter, struct str s, size_t unit, struct buf *out)
{
        enum { ROOM = 4096 };
        char *from = (char *)(uintptr_t)s.at; /* iconv() takes char ** and does not write there */
        size_t left = s.len;
        while (left) {
                char *to = buf_reserve(out, ROOM);
                size_t room = ROOM, left_before = left;
                size_t result = iconv(converter, &from, &left, &to, &room);
                int why = result == (size_t)-1 ? errno : 0;
                out->len += ROOM - room;
                bool moved = left < left_before || room < ROOM;
                if (moved && (why == 0 || why == E2BIG))
                        continue;
                buf_add(out, replacement);
                if (why == EINVAL) /* cut off in a character, at the end */
                        return;
                size_t step = left < unit ? left : unit;
                from += step;
                left -= step;
        }
        char *to = buf_reserve(out, ROOM);
        size_t room = ROOM;
        if (iconv(converter, NULL, NULL, &to, &room) != (size_t)-1)
                out->len += ROOM - room;
}

/* glibc's UTF-8 has characters above U+10FFFF, which nobody else takes for UTF-8. */
static void scrub(struct buf *out, size_t start)
{
        struct str s = str_from(buf_str(out), start);
        if (text_is_utf8(s))
                return;
        struct buf clean = {0};
        while (s.len) {
                ucs4_t c;
                int size = u8_mbtoucr(&c, octets(s), s.len);
                buf_add(&clean, size > 0 ? str_sub(s, 0, (size_t)size) : replacement);
                s = str_from(s, size > 0 ? (size_t)size : 1);
        }
        out->len = start;
        buf_add(out, buf_str(&clean));
        buf_release(&clean);
}

void text_decode(struct str s, struct str charset, struct buf *out)
{
        size_t start = out->len;
        const struct charset *declared = charset_find(charset);
        bool disguised = (declared->form == SEVEN_BIT && text_is_7bit(s)) ||
                         (declared->form == WIDE && str_chr(s, '\0') != STR_NOWHERE);
        if (!disguised && text_is_utf8(s)) {
                buf_add(out, s);
                return;
        }
        iconv_t converter = iconv_open("UTF-8", declared->iconv_name);
        if (converter == (iconv_t)-1) /* a system without this converter */
                converter = iconv_open("UTF-8", "CP1252");
        if (converter == (iconv_t)-1) {
                for (size_t i = 0; i < s.len; i++)
                        buf_add(out, s.at[i] & 0x80 ? replacement : str_sub(s, i, 1));
                return;
        }
        convert(converter, s, declared->form == WIDE ? 2 : 1, out);
        iconv_close(converter);
        scrub(out, start);
}

/* ---- comparing ---- */

/* Normalised first as well, for a compatibility letter may be a capital ("TEL" as one sign). */
static void fold_utf8(struct str s, struct buf *out)
{
        size_t len = 0, folded_len = 0;
        uint8_t *plain = u8_normalize(UNINORM_NFKC, octets(s), s.len, NULL, &len);
        uint8_t *folded = NULL;
        if (plain)
                folded = u8_casefold(plain, len, NULL, UNINORM_NFKC, NULL, &folded_len);
        if (!folded)
                fail_now("out of memory: folding %zu octets", s.len);
        buf_add(out, str_make((const char *)folded, folded_len));
        free(plain);
        free(folded);
}

/* RFC 3454 B.1: of no meaning, as a soft hyphen. */
static bool maps_to_nothing(ucs4_t c)
{
        return c == 0xad || c == 0x34f || c == 0x1806 || (c >= 0x180b && c <= 0x180d) ||
               (c >= 0x200b && c <= 0x200d) || c == 0x2060 || (c >= 0xfe00 && c <= 0xfe0f) ||
               c == 0xfeff;
}

static bool prohibited(ucs4_t c)
{
        return uc_is_general_category(c, UC_CATEGORY_Cc) ||
               uc_is_general_category(c, UC_CATEGORY_Co) || (c & 0xfffe) == 0xfffe ||
               (c >= 0xfdd0 && c <= 0xfdef) || (c >= 0x200e && c <= 0x200f) ||
               (c >= 0x2028 && c <= 0x202e) || (c >= 0x206a && c <= 0x206f) ||
               (c >= 0xfff9 && c <= 0xfffd) || (c >= 0x2ff0 && c <= 0x2ffb);
}

static void map_saslprep(struct str s, struct buf *out)
{
        ucs4_t c;
        for (size_t i = 0; i < s.len;) {
                int n = u8_mbtouc(&c, octets(s) + i, s.len - i);
                if (c > 0x7f && uc_is_general_category(c, UC_CATEGORY_Zs))
                        buf_add_char(out, ' ');
                else if (!maps_to_nothing(c))
                        buf_add(out, str_sub(s, i, (size_t)n));
                i += (size_t)n;
        }
}

enum status text_saslprep(struct str s, struct buf *out)
{
        struct buf mapped = {0};
        enum status st = OK;
        ucs4_t c;
        if (!text_is_utf8(s))
                return INVALID;
        map_saslprep(s, &mapped);
        size_t len = 0;
        uint8_t *plain = mapped.len ? u8_normalize(UNINORM_NFKC, octets(buf_str(&mapped)),
                                              mapped.len, NULL, &len)
                                    : NULL;
        if (mapped.len && !plain)
                fail_now("out of memory: normalising %zu octets", s.len);
        for (size_t i = 0; i < len && st == OK;) {
                i += (size_t)u8_mbtouc(&c, plain + i, len - i);
                st = prohibited(c) ? INVALID : OK;
        }
        if (st == OK && len)
                buf_add(out, str_make((const char *)plain, len));
        if (mapped.at)
                explicit_bzero(mapped.at, mapped.cap);
        if (plain)
                explicit_bzero(plain, len);
        free(plain);
        buf_release(&mapped);
        return st;
}

/* Octets of 7 bits at the front that nothing behind them joins: all but the last before a mark. */
static size_t plain_front(struct str s)
{
        size_t n = 0;
        while (n < s.len && !(s.at[n] & 0x80))
                n++;
        return n < s.len && n ? n - 1 : n;
}

void text_fold(struct str s, struct buf *out)
{
        enum { PLAIN_RUN = 32 }; /* shorter ones are not worth a call of their own */
        struct buf decoded = {0};
        if (!text_is_utf8(s)) {
                text_decode(s, STR_NONE, &decoded);
                s = buf_str(&decoded);
        }
        while (s.len) {
                size_t plain = plain_front(s), n = plain, run = 0;
                for (size_t i = 0; i < plain; i++)
                        buf_add_char(out, ascii_lower(s.at[i]));
                for (; n < s.len && run < PLAIN_RUN; n++)
                        run = s.at[n] & 0x80 ? 0 : run + 1;
                n -= run == PLAIN_RUN;
                if (n > plain)
                        fold_utf8(str_sub(s, plain, n - plain), out);
                s = str_from(s, n);
        }
        buf_release(&decoded);
}

/* ---- columns ---- */

/* The character at the front, U+FFFD for an octet that begins none; its size, at least 1. */
static size_t first_char(struct str s, ucs4_t *out)
{
        return (size_t)u8_mbtouc(out, octets(s), s.len);
}

static size_t char_columns(ucs4_t c)
{
        int width = uc_width(c, "UTF-8");
        return width > 0 ? (size_t)width : 0; /* controls are -1 */
}

/* Printing ASCII, in which each octet is a column and a character; no mark that joins the last one
 * can follow. */
static size_t plain_length(struct str s)
{
        size_t n = 0;
        while (n < s.len && s.at[n] >= ' ' && s.at[n] <= '~')
                n++;
        return n == s.len || n == 0 ? n : n - 1;
}

bool text_ends_in_word(struct str s)
{
        size_t at = s.len;
        ucs4_t c;
        while (at && s.len - at < 4) {
                unsigned char octet = (unsigned char)s.at[--at];
                if ((octet & 0xc0) != 0x80)
                        break;
        }
        if (at == s.len || u8_mbtoucr(&c, (const uint8_t *)s.at + at, s.len - at) < 0)
                return false;
        return uc_is_general_category(c, uc_general_category_or(
                       uc_general_category_or(UC_CATEGORY_L, UC_CATEGORY_M), UC_CATEGORY_N));
}

size_t text_columns(struct str s)
{
        size_t columns = plain_length(s);
        s = str_from(s, columns);
        while (s.len) {
                ucs4_t c;
                s = str_from(s, first_char(s, &c));
                columns += char_columns(c);
        }
        return columns;
}

/* Cuts between grapheme clusters, so that an accent is not taken off its letter. */
struct str text_cut(struct str s, size_t columns)
{
        size_t len = plain_length(s);
        if (len > columns)
                return str_sub(s, 0, columns);
        columns -= len;
        while (len < s.len) {
                const uint8_t *at = octets(s) + len;
                const uint8_t *next = u8_grapheme_next(at, octets(s) + s.len);
                size_t size = (size_t)(next - at), width = text_columns(str_sub(s, len, size));
                if (width > columns)
                        break;
                columns -= width;
                len += size;
        }
        return str_sub(s, 0, len);
}

static bool is_blank(ucs4_t c)
{
        bool no_break = c == 0xa0 || c == 0x2007 || c == 0x202f;
        return uc_is_property_white_space(c) && !no_break;
}

/* Also the marks that turn the direction of what follows: one in a subject would turn the rest of
 * a digest's line (Unicode TR 36). */
static bool is_control(ucs4_t c)
{
        return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
               (c >= 0x2066 && c <= 0x2069);
}

/* Signs and letters of ASCII that stay as they are. */
static size_t visible_run(struct str s)
{
        size_t n = 0;
        while (n < s.len && s.at[n] > ' ' && s.at[n] <= '~')
                n++;
        return n;
}

void text_flatten(struct str s, struct buf *out)
{
        size_t start = out->len;
        bool blank = false;
        while (s.len) {
                ucs4_t c = 'a';
                size_t size = visible_run(s);
                if (!size)
                        size = first_char(s, &c);
                struct str text = c == 0xfffd ? replacement : str_sub(s, 0, size);
                s = str_from(s, size);
                if (is_blank(c)) {
                        blank = true;
                        continue;
                }
                if (is_control(c))
                        continue;
                if (blank && out->len > start)
                        buf_add_char(out, ' ');
                blank = false;
                buf_add(out, text);
        }
}

struct str lines_to_crlf(struct str text, struct buf *scratch)
{
        struct str rest = text;
        size_t at;
        bool clean = true;
        for (size_t from = 0; clean && (at = str_chr(str_from(text, from), '\n')) != STR_NOWHERE;
                from += at + 1)
                clean = from + at > 0 && text.at[from + at - 1] == '\r';
        if (clean)
                return text;
        buf_clear(scratch);
        while (rest.len) {
                at = str_chr(rest, '\n');
                struct str line = str_sub(rest, 0, at);
                rest = at == STR_NOWHERE ? str_from(rest, rest.len) : str_from(rest, at + 1);
                if (line.len && line.at[line.len - 1] == '\r')
                        line.len--;
                buf_add(scratch, line);
                if (at != STR_NOWHERE)
                        buf_add_text(scratch, "\r\n");
        }
        return buf_str(scratch);
}

/* ---- wrapping ---- */

/* A word, or, as Chinese and Japanese have no blanks, the part of one up to where Unicode
 * (UAX 14) lets a line end beside a wide character. */
static struct str next_piece(struct str s, const char *breaks)
{
        size_t len = 0, width_before = 0;
        while (len < s.len && s.at[len] != ' ') {
                ucs4_t c;
                size_t size = first_char(str_from(s, len), &c), width = char_columns(c);
                bool wide = width == 2 || width_before == 2;
                if (len > 0 && wide && breaks[len] == UC_BREAK_POSSIBLE)
                        break;
                len += size;
                width_before = width ? width : width_before;
        }
        return str_sub(s, 0, len);
}

void text_wrap(struct str s, size_t columns, struct str first, struct str rest, struct buf *out)
{
        struct buf flat = {0};
        text_flatten(s, &flat);
        s = buf_str(&flat);
        char *breaks = mem_new(s.len);
        if (s.len)
                u8_possible_linebreaks(octets(s), s.len, "UTF-8", breaks);
        buf_add(out, first);
        size_t used = text_columns(first);
        bool at_start = true;
        while (s.len) {
                bool blank = s.at[0] == ' ';
                s = str_from(s, blank);
                struct str piece = next_piece(s, breaks + (s.at - flat.at));
                size_t width = text_columns(piece);
                if (!at_start && used + blank + width > columns) {
                        buf_add_char(out, '\n');
                        buf_add(out, rest);
                        used = text_columns(rest);
                        at_start = true;
                }
                if (blank && !at_start) {
                        buf_add_char(out, ' ');
                        used++;
                }
                buf_add(out, piece);
                used += width;
                at_start = false;
                s = str_from(s, piece.len);
        }
        buf_add_char(out, '\n');
        free(breaks);
        buf_release(&flat);
}

/* ---- modified UTF-7 (RFC 3501 5.1.3): what is not printable ASCII is UTF-16BE in base64 ---- */

static void close_shift(struct buf *units, struct buf *out)
{
        struct buf letters = {0};
        if (units->len == 0)
                return;
        base64_encode(buf_str(units), &letters);
        buf_add_char(out, '&');
        for (size_t i = 0; i < letters.len && letters.at[i] != '='; i++)
                buf_add_char(out, letters.at[i] == '/' ? ',' : letters.at[i]);
        buf_add_char(out, '-');
        buf_release(&letters);
        buf_clear(units);
}

void mutf7_encode(struct str s, struct buf *out)
{
        struct buf units = {0};
        while (s.len) {
                ucs4_t c;
                s = str_from(s, first_char(s, &c));
                if (c >= 0x20 && c <= 0x7e) {
                        close_shift(&units, out);
                        buf_add_char(out, (char)c);
                        if (c == '&')
                                buf_add_char(out, '-');
                } else if (c < 0x10000) {
                        buf_add_u16(&units, (uint16_t)c);
                } else {
                        buf_add_u16(&units, (uint16_t)(0xd800 + ((c - 0x10000) >> 10)));
                        buf_add_u16(&units, (uint16_t)(0xdc00 + (c & 0x3ff)));
                }
        }
        close_shift(&units, out);
        buf_release(&units);
}

/* The octets between '&' and '-'. False for halves of surrogate pairs. */
static bool open_shift(struct str letters, struct buf *out)
{
        struct buf plain = {0}, units = {0};
        bool good = true;
        for (size_t i = 0; i < letters.len; i++)
                buf_add_char(&plain, letters.at[i] == ',' ? '/' : letters.at[i]);
        base64_decode_lax(buf_str(&plain), &units);
        struct reader r = reader_of(buf_str(&units));
        while (good && r.end - r.at >= 2) {
                uint8_t utf8[6];
                ucs4_t c = read_u16(&r);
                if (c >= 0xd800 && c < 0xdc00)
                        c = 0x10000 + ((c - 0xd800) << 10) + (ucs4_t)(read_u16(&r) - 0xdc00);
                int size = r.bad ? -1 : u8_uctomb(utf8, c, sizeof utf8);
                good = size > 0;
                if (good)
                        buf_add(out, str_make((const char *)utf8, (size_t)size));
        }
        buf_release(&plain);
        buf_release(&units);
        return good;
}

/* Read loosely, then written again: whatever is not canonical comes out otherwise. */
enum status mutf7_decode(struct str s, struct buf *out)
{
        struct str rest = s, shift;
        struct buf again = {0};
        size_t start = out->len;
        bool good = true;
        while (good && rest.len) {
                size_t plain = str_chr(rest, '&');
                buf_add(out, str_sub(rest, 0, plain));
                if (plain == STR_NOWHERE)
                        break;
                rest = str_from(rest, plain + 1);
                if (!str_cut(&rest, '-', &shift))
                        good = false;
                else if (shift.len == 0)
                        buf_add_char(out, '&');
                else
                        good = open_shift(shift, out);
        }
        if (good)
                mutf7_encode(str_from(buf_str(out), start), &again);
        good = good && str_eq(buf_str(&again), s);
        buf_release(&again);
        if (!good)
                out->len = start;
        return good ? OK : INVALID;
}
