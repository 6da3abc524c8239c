#include "mail/address_plain.h"

static bool is_letter_or_digit(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A dot-atom (RFC 5322 3.2.3) of the signs that are in use. */
static bool is_plain_word(struct str s)
{
        char before = '.';
        for (size_t i = 0; i < s.len; i++) {
                char c = s.at[i];
                bool sign = c == '-' || c == '_' || c == '+' || c == '=';
                if (c == '.' ? before == '.' : !sign && !is_letter_or_digit(c))
                        return false;
                before = c;
        }
        return before != '.';
}

static bool read_spec(struct str s, struct address *out)
{
        size_t mark = str_chr(s, '@');
        if (mark == STR_NOWHERE)
                return false;
        out->local = str_sub(s, 0, mark);
        out->domain = str_from(s, mark + 1);
        return is_plain_word(out->local) && is_plain_word(out->domain);
}

/* Words with one blank between, or one quoted-string: what stands there is the name. */
static bool read_phrase(struct str s, struct str *name)
{
        bool quoted = s.len > 2 && s.at[0] == '"' && s.at[s.len - 1] == '"';
        char before = ' ';
        *name = quoted ? str_sub(s, 1, s.len - 2) : s;
        for (size_t i = 0; i < name->len; i++) {
                char c = name->at[i];
                bool usual = is_letter_or_digit(c) || c == '-' || c == '_' || c == '\'';
                bool sign = quoted && (c == '.' || c == ',' || c == '@' || c == '(' || c == ')');
                if (c == ' ' ? before == ' ' : !usual && !sign)
                        return false;
                before = c;
        }
        return before != ' ';
}

bool address_plain(struct str s, struct address *out)
{
        size_t open = str_rchr(s, '<');
        if (open == STR_NOWHERE)
                return read_spec(s, out);
        if (!str_ends(s, STR(">")) || !read_spec(str_sub(s, open + 1, s.len - open - 2), out))
                return false;
        return open == 0 || (s.at[open - 1] == ' ' &&
                                    read_phrase(str_sub(s, 0, open - 1), &out->raw_name));
}
