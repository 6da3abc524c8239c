#include "smtp/path.h"
#include "mail/address.h"

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

enum status path_chunk(struct str rest, uint64_t *size, bool *last)
{
        struct str number, word;
        if (!str_word(&rest, &number) || str_u64(number, size) != OK)
                return INVALID;
        *last = str_word(&rest, &word);
        return (!*last || str_same(word, STR("LAST"))) && !str_word(&rest, &word) ? OK : INVALID;
}
