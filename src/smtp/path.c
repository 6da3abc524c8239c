#include "smtp/path.h"
#include "base/encode.h"
#include "base/text.h"
#include "mail/address.h"
#include <string.h>

/* Position behind the '>' that ends a path; quoted strings may hold one (RFC 5321 4.1.2). */
static size_t path_end(struct str s)
{
        bool quoted = false;
        for (size_t i = 1; i < s.len; i++) {
                if (quoted && s.at[i] == '\\')
                        i++;
                else if (s.at[i] == '"')
                        quoted = !quoted;
                else if (s.at[i] == '>' && !quoted)
                        return i + 1;
        }
        return STR_NOWHERE;
}

static struct str without_route(struct str s)
{
        size_t colon = str_chr(s, ':');
        if (!s.len || s.at[0] != '@' || colon == STR_NOWHERE)
                return s;
        return str_from(s, colon + 1);
}

CHECKED static enum status path_text(struct str *rest, struct str *out)
{
        if (!rest->len || rest->at[0] != '<')
                return str_word(rest, out) ? OK : INVALID;
        size_t end = path_end(*rest);
        if (end == STR_NOWHERE)
                return INVALID;
        *out = without_route(str_sub(*rest, 1, end - 2));
        *rest = str_from(*rest, end);
        return !rest->len || rest->at[0] == ' ' || rest->at[0] == '\t' ? OK : INVALID;
}

enum status path_take(struct arena *arena, struct str keyword, struct str *rest, struct str *out)
{
        if (!str_starts_same(*rest, keyword))
                return INVALID;
        *rest = str_trim(str_from(*rest, keyword.len));
        bool framed = rest->len && rest->at[0] == '<';
        struct str text;
        enum status st = path_text(rest, &text);
        if (st != OK)
                return st;
        *rest = str_trim(*rest);
        *out = STR("");
        if (framed && !text.len)
                return OK;
        struct address address;
        st = address_spec(arena, text, true, &address);
        if (st != OK)
                return INVALID;
        *out = address.domain.len ? address_text(arena, &address)
                                  : arena_lower(arena, address.local);
        return OK;
}

/* ---- parameters ---- */

enum { ENVELOPE_ID_MOST = 100, ORIGINAL_MOST = 500 }; /* RFC 3461 4.4, 4.2 */

/* What xtext hides is printable ASCII (RFC 3461 4.2, 4.4): it goes into reports' lines. */
static bool is_plain_xtext(struct str text)
{
        struct buf plain = {0};
        bool right = xtext_decode(text, &plain) == OK;
        for (size_t i = 0; right && i < plain.len; i++)
                right = plain.at[i] >= ' ' && plain.at[i] <= '~';
        buf_release(&plain);
        return right;
}

CHECKED static enum status take_envelope_id(struct str value, struct mail_parameters *p)
{
        if (p->envelope_id.at || value.len > ENVELOPE_ID_MOST || !is_plain_xtext(value))
                return INVALID;
        p->envelope_id = value;
        return OK;
}

CHECKED static enum status take_return(struct str value, struct mail_parameters *p)
{
        if (p->returned != RETURN_USUAL)
                return INVALID;
        if (str_same(value, STR("FULL")))
                p->returned = RETURN_FULL;
        else if (str_same(value, STR("HDRS")))
                p->returned = RETURN_HEADERS;
        else
                return INVALID;
        return OK;
}

CHECKED static enum status parameter(struct str word, struct mail_parameters *p)
{
        struct str key, value = word;
        str_cut(&value, '=', &key);
        if (str_same(key, STR("SIZE")))
                return str_u64(value, &p->size);
        if (str_same(key, STR("BODY")))
                return str_same(value, STR("7BIT")) || str_same(value, STR("8BITMIME")) ? OK
                                                                                        : INVALID;
        if (str_same(word, STR("SMTPUTF8"))) { /* RFC 6531 3.4: without a value */
                p->smtputf8 = true;
                return OK;
        }
        if (str_same(key, STR("SMTPUTF8")))
                return INVALID;
        /* RFC 4954 5: who sent it first. Taken and not relied upon. */
        if (p->may_auth && str_same(key, STR("AUTH")))
                return value.len ? OK : INVALID;
        if (p->may_dsn && str_same(key, STR("RET")))
                return take_return(value, p);
        if (p->may_dsn && str_same(key, STR("ENVID")))
                return take_envelope_id(value, p);
        p->unknown = key;
        return UNSUPPORTED;
}

enum status path_parameters(struct str rest, struct mail_parameters *p)
{
        struct str word;
        while (str_word(&rest, &word)) {
                enum status st = parameter(word, p);
                if (st != OK)
                        return st;
        }
        return OK;
}

/* NEVER stands alone (RFC 3461 4.1). */
CHECKED static enum status take_notify(struct str value, struct rcpt_parameters *p)
{
        static const struct {
                const char *word;
                unsigned bit;
        } words[] = {
                {"SUCCESS", NOTIFY_SUCCESS}, {"FAILURE", NOTIFY_FAILURE}, {"DELAY", NOTIFY_DELAY}};
        struct str part;
        if (p->notify || !value.len || str_ends(value, STR(",")))
                return INVALID;
        if (str_same(value, STR("NEVER"))) {
                p->notify = NOTIFY_NEVER;
                return OK;
        }
        while (str_cut(&value, ',', &part)) {
                unsigned bit = 0;
                for (size_t i = 0; i < COUNT_OF(words); i++)
                        bit |= str_same(part, str_of(words[i].word)) ? words[i].bit : 0;
                if (!bit)
                        return INVALID;
                p->notify |= bit;
        }
        return OK;
}

static bool is_atom(struct str s)
{
        for (size_t i = 0; i < s.len; i++)
                if (s.at[i] <= ' ' || s.at[i] > '~' || strchr("()<>@,;:\\\".[]", s.at[i]))
                        return false;
        return s.len > 0;
}

/* The next character of well-formed UTF-8. */
static uint32_t letter_at(struct str text, size_t *at)
{
        unsigned char first = (unsigned char)text.at[(*at)++];
        unsigned more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
        uint32_t letter = more ? first & (0x3fu >> more) : first;
        for (; more && *at < text.len; more--)
                letter = letter << 6 | ((unsigned char)text.at[(*at)++] & 0x3f);
        return letter;
}

/* RFC 6533 3: \x{E9}, so that it passes where only ASCII may. */
static struct str escape_utf8(struct arena *arena, struct str text)
{
        struct buf out = {0};
        for (size_t at = 0; at < text.len;) {
                uint32_t letter = letter_at(text, &at);
                if (letter < 0x80)
                        buf_add_char(&out, (char)letter);
                else
                        buf_addf(&out, "\\x{%X}", letter);
        }
        struct str escaped = arena_copy(arena, buf_str(&out));
        buf_release(&out);
        return escaped;
}

CHECKED static enum status take_original(
        struct arena *arena, struct str value, struct rcpt_parameters *p)
{
        struct str type, rest = value;
        if (p->original.len || value.len > ORIGINAL_MOST || !str_cut(&rest, ';', &type) ||
                !is_atom(type) || !rest.len)
                return INVALID;
        if (!text_is_ascii(value)) {
                if (!p->smtputf8 || !str_same(type, STR("utf-8")) || !text_is_utf8(value))
                        return INVALID;
                value = rest = escape_utf8(arena, value);
                str_cut(&rest, ';', &type);
        }
        if (!is_plain_xtext(rest))
                return INVALID;
        p->original = value;
        return OK;
}

enum status path_rcpt_parameters(struct arena *arena, struct str rest, struct rcpt_parameters *p)
{
        struct str word;
        while (str_word(&rest, &word)) {
                struct str value = word;
                enum status st = UNSUPPORTED;
                str_cut(&value, '=', &p->unknown);
                if (p->may_dsn && str_same(p->unknown, STR("NOTIFY")))
                        st = take_notify(value, p);
                else if (p->may_dsn && str_same(p->unknown, STR("ORCPT")))
                        st = take_original(arena, value, p);
                if (st != OK)
                        return st;
        }
        return OK;
}

enum status path_chunk(struct str rest, uint64_t *size, bool *last)
{
        struct str number, word;
        if (!str_word(&rest, &number) || str_u64(number, size) != OK)
                return INVALID;
        *last = str_word(&rest, &word);
        return (!*last || str_same(word, STR("LAST"))) && !str_word(&rest, &word) ? OK : INVALID;
}
