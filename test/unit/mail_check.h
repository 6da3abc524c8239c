/* mail_check.h - what must hold of the mail layer's answers for any octets at all; used by the
 * corpus test and the fuzz target. Each check gives NULL or what is wrong. */
#pragma once
#include "base/text.h"
#include "mail/content.h"
#include "mail/derive.h"

enum { CHECK_TEXT_MAX = 256 * 1024, CHECK_COLUMNS = 60 };

/* Of this thread, so that a busy machine makes nothing slow. */
static inline uint64_t cpu_ms(void)
{
        struct timespec t;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- IMAP's syntax ---- */

/* Skips a string, literal, number or NIL; false when it is none. */
static bool skip_atom(struct str *s)
{
        if (str_starts(*s, STR("\""))) {
                size_t i = 1;
                while (i < s->len && s->at[i] != '"') {
                        if (s->at[i] == '\r' || s->at[i] == '\n' || s->at[i] <= 0)
                                return false;
                        i += s->at[i] == '\\' ? 2 : 1;
                }
                *s = str_from(*s, i + 1);
                return true;
        }
        if (str_starts(*s, STR("{"))) {
                struct str digits;
                uint64_t n;
                *s = str_from(*s, 1);
                if (!str_cut(s, '}', &digits) || str_u64(digits, &n) != OK || n + 2 > s->len)
                        return false;
                *s = str_from(*s, n + 2);
                return true;
        }
        size_t n = 0;
        while (n < s->len && s->at[n] != ' ' && s->at[n] != '(' && s->at[n] != ')')
                n++;
        uint32_t number;
        struct str atom = str_sub(*s, 0, n);
        bool good = str_eq(atom, STR("NIL")) || str_u32(atom, &number) == OK;
        *s = str_from(*s, n);
        return good;
}

static bool is_list(struct str s)
{
        int depth = 0;
        bool gap = true; /* a blank or a parenthesis stands before */
        while (s.len) {
                char c = s.at[0];
                if (c == '(' || c == ')' || c == ' ') {
                        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
                        gap = c != ')';
                        s = str_from(s, 1);
                        if (depth < 0 || (depth == 0 && s.len))
                                return false;
                } else if (!gap || !skip_atom(&s)) {
                        return false;
                } else {
                        gap = false;
                }
        }
        return depth == 0;
}

/* ---- ranges ---- */

static bool is_inside(struct str inner, struct str outer)
{
        return inner.at >= outer.at && inner.at + inner.len <= outer.at + outer.len;
}

static const char *check_part(const struct part *p, struct str message)
{
        if (!is_inside(p->header, message) || !is_inside(p->body, message))
                return "range outside of the message";
        if (p->header.at + p->header.len != p->body.at)
                return "gap between header and body";
        if (p->parent && p->parent->body.len && !is_inside(p->body, p->parent->body))
                return "part outside of its parent";
        if ((p->kind == PART_LEAF) != (p->first == NULL))
                return "kind and children differ";
        if (p->encoding.len == 0 || p->type.len == 0 || p->subtype.len == 0)
                return "no type or encoding";
        return NULL;
}

static const char *check_path(const struct part *top, const struct derived *d, struct str message,
        struct str path)
{
        const struct part *p = mime_find(top, path);
        struct range r;
        if (parts_find(d->parts, path, SECTION_ALL, &r, NULL) != OK)
                return p ? "the index lacks a part" : NULL;
        if (!p)
                return "the index has a part too many";
        if (path.len && (r.len != p->body.len || message.at + r.start != p->body.at))
                return "index and tree differ in a body";
        if (path.len && (parts_find(d->parts, path, SECTION_MIME, &r, NULL) != OK ||
                                r.len != p->header.len || message.at + r.start != p->header.at))
                return "index and tree differ in a header";
        return NULL;
}

static const char *check_tree(const struct part *top, const struct derived *d, struct str message)
{
        static const char *const paths[] = {
                "", "1", "2", "3", "4", "1.1", "1.2", "2.1", "2.2", "2.1.1", "2.1.2", "1.1.1",
                "3.1", "3.1.1", "3.2", "4.1", "1.", ".1", "0", "1.0", "x", "4294967296"};
        for (size_t i = 0; i < COUNT_OF(paths); i++) {
                const char *wrong = check_path(top, d, message, str_of(paths[i]));
                if (wrong)
                        return wrong;
        }
        for (const struct part *p = top; p; p = p->first ? p->first : p->next) {
                const char *wrong = check_part(p, message);
                if (wrong)
                        return wrong;
        }
        return NULL;
}

static const char *check_texts(struct arena *arena, const struct part *top, const struct derived *d)
{
        struct buf text = {0}, own = {0}, line = {0};
        const char *wrong = NULL;
        content_search(arena, top, CHECK_TEXT_MAX, &text);
        if (text.len > CHECK_TEXT_MAX || !text_is_utf8(buf_str(&text)))
                wrong = "text to be searched that is too long, or no UTF-8";
        buf_clear(&text);
        content_text(arena, top, CHECK_TEXT_MAX, &text);
        content_own(buf_str(&text), &own);
        content_line(buf_str(&text), CHECK_COLUMNS, &line);
        struct str one = buf_str(&line);
        const struct str decoded[] = {buf_str(&text), buf_str(&own), one, d->subject, d->from_name,
                d->base_subject};
        for (size_t i = 0; i < COUNT_OF(decoded); i++)
                if (!text_is_utf8(decoded[i]))
                        wrong = "text that is no UTF-8";
        if (text_columns(one) > CHECK_COLUMNS || str_chr(one, '\n') != STR_NOWHERE)
                wrong = "the one line is too long";
        buf_release(&text);
        buf_release(&own);
        buf_release(&line);
        return wrong;
}

static const char *check_overview(struct str s)
{
        unsigned tabs = 0;
        for (size_t i = 0; i < s.len; i++) {
                tabs += s.at[i] == '\t';
                if (s.at[i] == '\r' || s.at[i] == '\n' || s.at[i] == '\0')
                        return "a line end in the overview";
        }
        return tabs == 4 && s.len <= 8192 ? NULL : "overview of a wrong form";
}

static const char *check_mail(struct arena *arena, struct str message)
{
        struct derived d;
        derive(arena, message, &d);
        const struct part *top = mime_parse(arena, message);
        const char *wrong = check_tree(top, &d, message);
        wrong = wrong ? wrong : check_texts(arena, top, &d);
        wrong = wrong ? wrong : check_overview(d.overview);
        if (!wrong && (!is_list(d.envelope) || !is_list(d.structure) || !is_list(d.body)))
                wrong = "no well-formed list";
        return wrong;
}
