/* A list is cut into elements here, comments taken out, and libetpan reads each element. It is
 * believed only where its address stands in the octets as it gave it: libetpan 1.9.4 turns
 * "a b"@x into "ab"@x, `Ana <ana@x` into the address "Ana<ana@x", and stops inside a route. What it
 * is not believed about is read by salvage(). Nothing here recurses, and each octet of a value is
 * looked at a bounded number of times. */
#include "mail/address.h"
#include "base/text.h"
#include "mail/address_plain.h"
#include "mail/header.h"
#include "mail/word.h"
#include <libetpan/mailimf.h>

enum {
        VALUE_MAX = 128 * 1024,
        ADDRESSES_MAX = 999, /* and the end of a group: 1,000 */
        ELEMENT_MAX = 2000,  /* octets; what is longer is no address and is left out */
        LOCAL_MAX = 64,
        DOMAIN_MAX = 255,
        LABEL_MAX = 63,
};

struct scan {
        struct arena *arena;
        struct str in; /* unfolded value */
        size_t at;
        struct buf text;    /* the element so far, without comments */
        struct str comment; /* the last one in it */
        bool too_long, in_angle, in_group, no_quote, no_comment;
        struct addresses out;
        size_t room;
};

/* Octets above 0x7f are parts of letters (RFC 6532 3.2). */
static bool is_letter_or_digit(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (unsigned char)c >= 0x80;
}

/* RFC 5322 3.2.3. */
static bool is_atext(char c)
{
        return is_letter_or_digit(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_dot_atom(struct str s)
{
        char before = '.';
        for (size_t i = 0; i < s.len; i++) {
                if (s.at[i] == '.' ? before == '.' : !is_atext(s.at[i]))
                        return false;
                before = s.at[i];
        }
        return before != '.';
}

/* The content of a quoted-string, or of a comment, without its backslashes. */
static struct str unquote(struct arena *arena, struct str s)
{
        if (str_chr(s, '\\') == STR_NOWHERE)
                return s;
        char *to = arena_alloc(arena, s.len + 1);
        size_t n = 0;
        for (size_t i = 0; i < s.len; i++) {
                if (s.at[i] == '\\' && i + 1 < s.len)
                        i++;
                to[n++] = s.at[i];
        }
        return str_make(to, n);
}

/* Length of the quoted-string that begins s, its marks included; 0 when it is never closed. */
static size_t quoted_length(struct str s)
{
        for (size_t i = 1; i < s.len; i++) {
                if (s.at[i] == '\\')
                        i++;
                else if (s.at[i] == '"')
                        return i + 1;
        }
        return 0;
}

/* Length of the comment that begins s (they nest, RFC 5322 3.2.2); 0 when it is never closed. */
static size_t comment_length(struct str s)
{
        size_t depth = 0;
        for (size_t i = 0; i < s.len; i++) {
                if (s.at[i] == '\\')
                        i++;
                else if (s.at[i] == '(')
                        depth++;
                else if (s.at[i] == ')' && --depth == 0)
                        return i + 1;
        }
        return 0;
}

/* ---- one element ---- */

/* The words of a phrase with one blank between them, quoted ones unquoted. */
static struct str phrase(struct arena *arena, struct str s)
{
        struct buf out = {0};
        bool gap = false;
        for (size_t i = 0; i < s.len; i++) {
                if (s.at[i] == ' ') {
                        gap = out.len > 0;
                        continue;
                }
                if (gap)
                        buf_add_char(&out, ' ');
                gap = false;
                size_t n = s.at[i] == '"' ? quoted_length(str_from(s, i)) : 0;
                if (n)
                        buf_add(&out, unquote(arena, str_sub(s, i + 1, n - 2)));
                else if (s.at[i] != '"')
                        buf_add_char(&out, s.at[i]);
                i += n ? n - 1 : 0;
        }
        struct str r = arena_copy(arena, str_trim(buf_str(&out)));
        buf_release(&out);
        return r;
}

static struct str without_blanks(struct arena *arena, struct str s)
{
        if (str_chr(s, ' ') == STR_NOWHERE)
                return s;
        char *to = arena_alloc(arena, s.len + 1);
        size_t n = 0;
        for (size_t i = 0; i < s.len; i++)
                if (s.at[i] != ' ')
                        to[n++] = s.at[i];
        return str_make(to, n);
}

static void split_spec(struct arena *arena, struct str spec, struct address *out)
{
        spec = str_trim(spec);
        if (str_starts(spec, STR("@"))) { /* a route, RFC 5322 4.4: obsolete and ignored */
                size_t colon = str_chr(spec, ':');
                spec = colon == STR_NOWHERE ? spec : str_trim(str_from(spec, colon + 1));
        }
        size_t quoted = spec.len && spec.at[0] == '"' ? quoted_length(spec) : 0;
        size_t at = str_rchr(str_from(spec, quoted), '@');
        struct str local = at == STR_NOWHERE ? spec : str_sub(spec, 0, quoted + at);
        if (at != STR_NOWHERE)
                out->domain = without_blanks(arena, str_from(spec, quoted + at + 1));
        if (quoted && str_trim(str_from(local, quoted)).len == 0)
                out->local = unquote(arena, str_sub(local, 1, quoted - 2));
        else
                out->local = without_blanks(arena, local);
}

/* The word of a bare element that holds the '@'. */
static struct str spec_word(struct str s)
{
        size_t at = str_rchr(s, '@'), from = at, to = at;
        while (from && s.at[from - 1] != ' ')
                from--;
        while (to < s.len && s.at[to] != ' ')
                to++;
        return str_sub(s, from, to - from);
}

/* "ana @ x . org", the obsolete form of an address, as one word. */
static struct str joined_spec(struct arena *arena, struct str s)
{
        char *to = arena_alloc(arena, s.len + 1);
        size_t n = 0;
        for (size_t i = 0; i < s.len; i++) {
                bool dot = s.at[i] == '.' && n && to[n - 1] == ' ' && i + 1 < s.len &&
                           s.at[i + 1] == ' ';
                bool joins = s.at[i] == '@' || dot;
                while (joins && n && to[n - 1] == ' ')
                        n--;
                to[n++] = s.at[i];
                while (joins && i + 1 < s.len && s.at[i + 1] == ' ')
                        i++;
        }
        return str_make(to, n);
}

static size_t angle_at(struct str s)
{
        for (size_t i = 0; i < s.len; i++) {
                size_t n = s.at[i] == '"' ? quoted_length(str_from(s, i)) : 0;
                if (n)
                        i += n - 1;
                else if (s.at[i] == '<')
                        return i;
        }
        return STR_NOWHERE;
}

/* `phrase <address>`, in which nearly anything may be wrong. */
static void salvage_angle(struct arena *arena, struct str s, size_t open, struct address *out)
{
        size_t close = str_rchr(s, '>');
        close = close == STR_NOWHERE || close < open ? s.len : close;
        struct str inside = str_sub(s, open + 1, close - open - 1);
        while (inside.len && (inside.at[0] == '<' || inside.at[0] == ' '))
                inside = str_from(inside, 1);
        while (inside.len && inside.at[inside.len - 1] == '>')
                inside.len--;
        out->raw_name = phrase(arena, str_sub(s, 0, open));
        split_spec(arena, inside, out);
}

/* An '@' and no '<': an address, or one among words. */
static void salvage_bare(struct arena *arena, struct str s, struct address *out)
{
        size_t quoted = s.at[0] == '"' ? quoted_length(s) : 0;
        struct str behind = str_trim(str_from(s, quoted));
        if (quoted && behind.len == 0) {
                split_spec(arena, unquote(arena, str_sub(s, 1, quoted - 2)), out);
                return;
        }
        if (!quoted)
                s = joined_spec(arena, s);
        if (str_starts(behind, STR("@")) || str_chr(s, ' ') == STR_NOWHERE) {
                split_spec(arena, s, out);
                return;
        }
        struct str spec = spec_word(s);
        struct str before = str_sub(s, 0, (size_t)(spec.at - s.at));
        out->raw_name = phrase(arena, before.len ? before : str_from(s, spec.len));
        split_spec(arena, spec, out);
}

static void salvage(struct arena *arena, struct str s, struct address *out)
{
        size_t open = angle_at(s);
        if (open != STR_NOWHERE)
                salvage_angle(arena, s, open, out);
        else if (str_chr(s, '@') != STR_NOWHERE)
                salvage_bare(arena, s, out);
        else if (str_chr(s, ' ') == STR_NOWHERE)
                out->local = phrase(arena, s);
        else
                out->raw_name = phrase(arena, s);
}

/* The library leaves marks on a quoted-string that holds an encoded-word, and not always both. */
static bool quotes_word(struct str s)
{
        return str_chr(s, '"') != STR_NOWHERE && str_find(s, STR("=?")) != STR_NOWHERE;
}

static bool read_by_library(struct arena *arena, struct str s, struct address *out)
{
        struct mailimf_mailbox *box = NULL;
        size_t at = 0;
        if (quotes_word(s) || mailimf_mailbox_parse(s.at, s.len, &at, &box) != MAILIMF_NO_ERROR)
                return false;
        struct str spec = str_of(box->mb_addr_spec);
        size_t mark = str_rchr(spec, '@');
        bool good = at == s.len && mark != STR_NOWHERE && str_find(s, spec) != STR_NOWHERE &&
                    is_dot_atom(str_sub(spec, 0, mark)) && is_dot_atom(str_from(spec, mark + 1));
        if (good) {
                spec = arena_copy(arena, spec);
                out->local = str_sub(spec, 0, mark);
                out->domain = str_from(spec, mark + 1);
                if (box->mb_display_name)
                        out->raw_name = arena_copy(arena, str_trim(str_of(box->mb_display_name)));
        }
        mailimf_mailbox_free(box);
        return good;
}

/* ---- the list ---- */

static void list_add(struct scan *scan, struct address a)
{
        struct addresses *out = &scan->out;
        if (out->count == ADDRESSES_MAX && !a.group_end)
                return;
        if (out->count == scan->room) {
                size_t room = scan->room ? scan->room * 4 : 4;
                struct address *v = arena_alloc(scan->arena, room * sizeof *v);
                if (out->count)
                        memcpy(v, out->v, out->count * sizeof *v);
                out->v = v;
                scan->room = room;
        }
        out->v[out->count++] = a;
}

/* Some mailers encode the quotation marks with the name. */
static struct str decode_name(struct arena *arena, struct str raw)
{
        if (text_is_ascii(raw) && str_find(raw, STR("=?")) == STR_NOWHERE)
                return raw;
        struct buf b = {0};
        word_decode(raw, &b);
        struct str s = arena_copy(arena, str_trim(buf_str(&b)));
        buf_release(&b);
        if (s.len > 2 && s.at[0] == '"' && s.at[s.len - 1] == '"')
                s = str_trim(str_sub(s, 1, s.len - 2));
        return s;
}

/* The library says the same of what is plain, in ten times the time: where POISON is defined it is
 * asked, too. */
static void read_element(struct arena *arena, struct str s, struct address *out)
{
        bool plain = address_plain(s, out);
#ifdef POISON
        struct address other = {0};
        if (plain && read_by_library(arena, s, &other))
                assert(str_eq(out->local, other.local) && str_eq(out->domain, other.domain) &&
                        str_eq(out->raw_name, other.raw_name));
#endif
        if (plain)
                return;
        *out = (struct address){0};
        if (read_by_library(arena, s, out))
                return;
        *out = (struct address){0};
        salvage(arena, s, out);
}

static void end_element(struct scan *scan)
{
        struct address a = {0};
        struct str s = str_trim(buf_str(&scan->text));
        if (s.len && !scan->too_long) {
                s = arena_copy(scan->arena, s);
                read_element(scan->arena, s, &a);
                /* `ana@team.example (Ana M)`, the old way to give a name */
                if (a.raw_name.len == 0 && scan->comment.len)
                        a.raw_name = phrase(scan->arena, unquote(scan->arena, scan->comment));
                a.name = decode_name(scan->arena, a.raw_name);
                if (a.local.len || a.domain.len || a.raw_name.len)
                        list_add(scan, a);
        }
        buf_clear(&scan->text);
        scan->comment = STR_NONE;
        scan->in_angle = scan->too_long = false;
}

static void begin_group(struct scan *scan)
{
        struct address a = {.group_start = true};
        a.raw_name = phrase(scan->arena, buf_str(&scan->text));
        a.local = a.raw_name;
        a.name = decode_name(scan->arena, a.raw_name);
        buf_clear(&scan->text);
        scan->comment = STR_NONE;
        scan->too_long = false;
        list_add(scan, a);
        scan->in_group = true;
}

static void end_group(struct scan *scan)
{
        end_element(scan);
        if (scan->in_group)
                list_add(scan, (struct address){.group_end = true});
        scan->in_group = false;
}

/* A route's commas (`<@a,@b:ana@x>`) belong to the element. */
static bool in_route(const struct scan *scan)
{
        struct str s = buf_str(&scan->text);
        size_t open = scan->in_angle ? str_rchr(s, '<') : STR_NOWHERE;
        return open != STR_NOWHERE && str_starts(str_trim(str_from(s, open + 1)), STR("@")) &&
               str_chr(str_from(s, open), ':') == STR_NOWHERE;
}

/* `@a:ana@x`, a route that lacks its brackets: no group's name holds an '@' (RFC 5322 3.4). */
static bool in_bare_route(const struct scan *scan)
{
        return str_starts(str_trim(buf_str(&scan->text)), STR("@"));
}

static void text_add(struct scan *scan, struct str s)
{
        if (scan->text.len + s.len > ELEMENT_MAX)
                scan->too_long = true;
        else
                buf_add(&scan->text, s);
}

/* A quoted-string, comment or domain literal at the current place; false when there is none. */
static bool take_span(struct scan *scan)
{
        struct str rest = str_from(scan->in, scan->at);
        size_t n = 0;
        if (rest.at[0] == '"' && !scan->no_quote) {
                n = quoted_length(rest);
                scan->no_quote = n == 0; /* then no later one is closed either */
                text_add(scan, str_sub(rest, 0, n));
        } else if (rest.at[0] == '(' && !scan->no_comment) {
                n = comment_length(rest);
                scan->no_comment = n == 0;
                if (n > 2 && n <= ELEMENT_MAX)
                        scan->comment = str_sub(rest, 1, n - 2);
                if (n)
                        text_add(scan, STR(" "));
        } else if (rest.at[0] == '[') {
                size_t close = str_chr(str_sub(rest, 0, DOMAIN_MAX), ']');
                n = close == STR_NOWHERE ? 0 : close + 1;
                if (str_chr(str_sub(rest, 0, n), '"') != STR_NOWHERE)
                        n = 0;
                text_add(scan, str_sub(rest, 0, n));
        }
        scan->at += n;
        return n > 0;
}

static void take_octet(struct scan *scan)
{
        char c = scan->in.at[scan->at++];
        if (c == ',' && !in_route(scan)) {
                end_element(scan);
        } else if (c == ';') {
                end_group(scan);
        } else if (c == ':' && !scan->in_angle && !scan->in_group && !in_bare_route(scan)) {
                if (str_trim(buf_str(&scan->text)).len)
                        begin_group(scan);
        } else if (c != '"' && c != '(' && c != ')') { /* those here are unclosed or unopened */
                scan->in_angle = c == '<' || (scan->in_angle && c != '>');
                text_add(scan, str_make(&c, 1));
        }
}

/* Octets that mean themselves; false when there is none here. */
static bool take_run(struct scan *scan)
{
        struct str rest = str_from(scan->in, scan->at);
        size_t n = 0;
        while (n < rest.len && (is_letter_or_digit(rest.at[n]) || rest.at[n] == ' ' ||
                                       rest.at[n] == '.' || rest.at[n] == '@' || rest.at[n] == '-'))
                n++;
        text_add(scan, str_sub(rest, 0, n));
        scan->at += n;
        return n > 0;
}

struct addresses address_list(struct arena *arena, struct str raw)
{
        struct scan scan = {.arena = arena};
        scan.in = header_unfold(arena, str_sub(raw, 0, VALUE_MAX));
        while (scan.at < scan.in.len && scan.out.count < ADDRESSES_MAX)
                if (!take_run(&scan) && !take_span(&scan))
                        take_octet(&scan);
        end_group(&scan);
        buf_release(&scan.text);
        return scan.out;
}

bool address_first(struct arena *arena, struct str raw, struct address *out)
{
        struct addresses list = address_list(arena, raw);
        for (size_t i = 0; i < list.count; i++)
                if (list.v[i].local.len && list.v[i].domain.len) {
                        *out = list.v[i];
                        return true;
                }
        return false;
}

/* ---- SMTP paths ---- */

/* RFC 5321 4.1.2 Domain: labels of letters, digits and inner hyphens. */
static bool is_domain(struct str s)
{
        struct str label;
        if (s.len == 0 || s.len > DOMAIN_MAX || s.at[s.len - 1] == '.')
                return false;
        while (str_cut(&s, '.', &label)) {
                if (label.len == 0 || label.len > LABEL_MAX)
                        return false;
                for (size_t i = 0; i < label.len; i++) {
                        char c = label.at[i];
                        bool edge = i == 0 || i + 1 == label.len;
                        if (!is_letter_or_digit(c) && (c != '-' || edge))
                                return false;
                }
        }
        return true;
}

/* RFC 5321 4.1.3: what is in use, and nothing that would end a path: no '>' among others. */
static bool is_literal(struct str s)
{
        if (s.len < 3 || s.len > DOMAIN_MAX || s.at[0] != '[' || s.at[s.len - 1] != ']')
                return false;
        for (size_t i = 1; i + 1 < s.len; i++)
                if (!is_letter_or_digit(s.at[i]) && (!s.at[i] || !strchr(".:-", s.at[i])))
                        return false;
        return true;
}

static bool is_quoted_content(struct str s)
{
        for (size_t i = 0; i < s.len; i++) {
                unsigned char c = (unsigned char)s.at[i];
                if (c < ' ' || c == 0x7f)
                        return false;
        }
        return true;
}

enum status address_spec(struct arena *arena, struct str text, bool utf8, struct address *out)
{
        *out = (struct address){0};
        if (utf8 ? !text_is_utf8(text) : !text_is_ascii(text))
                return INVALID;
        if (str_same(text, STR("postmaster"))) { /* RFC 5321 4.5.1 */
                out->local = text;
                return OK;
        }
        size_t quoted = text.len && text.at[0] == '"' ? quoted_length(text) : 0;
        size_t at = quoted ? quoted : str_chr(text, '@');
        if (at == STR_NOWHERE || at > LOCAL_MAX || at >= text.len || text.at[at] != '@')
                return INVALID;
        struct str local = str_sub(text, 0, at), domain = str_from(text, at + 1);
        if (quoted ? !is_quoted_content(local) : !is_dot_atom(local))
                return INVALID;
        if (!is_domain(domain) && !is_literal(domain))
                return INVALID;
        out->local = quoted ? unquote(arena, str_sub(local, 1, quoted - 2)) : local;
        out->domain = domain;
        return OK;
}

/* ---- writing ---- */

static void add_quoted(struct buf *b, struct str s)
{
        buf_add_char(b, '"');
        for (size_t i = 0; i < s.len; i++) {
                if (s.at[i] == '"' || s.at[i] == '\\')
                        buf_add_char(b, '\\');
                buf_add_char(b, s.at[i]);
        }
        buf_add_char(b, '"');
}

struct str address_text(struct arena *arena, const struct address *a)
{
        struct buf b = {0};
        if (is_dot_atom(a->local))
                buf_add(&b, a->local);
        else
                add_quoted(&b, a->local);
        if (a->domain.len) {
                buf_add_char(&b, '@');
                buf_add(&b, arena_lower(arena, a->domain));
        }
        struct str s = arena_copy(arena, buf_str(&b));
        buf_release(&b);
        return s;
}

static bool is_phrase(struct str s)
{
        for (size_t i = 0; i < s.len; i++)
                if (s.at[i] != ' ' && !is_atext(s.at[i]))
                        return false;
        return true;
}

struct str address_field(struct arena *arena, struct str name, struct str spec)
{
        struct buf flat = {0}, b = {0};
        text_flatten(name, &flat);
        name = str_trim(buf_str(&flat));
        if (name.len == 0) {
                buf_add(&b, spec);
        } else {
                if (!text_is_ascii(name) || str_find(name, STR("=?")) != STR_NOWHERE)
                        word_encode(name, strlen("Reply-To: "), &b);
                else if (is_phrase(name))
                        buf_add(&b, name);
                else
                        add_quoted(&b, name);
                buf_addf(&b, " <%.*s>", STR_ARG(spec));
        }
        struct str s = arena_copy(arena, buf_str(&b));
        buf_release(&flat);
        buf_release(&b);
        return s;
}
