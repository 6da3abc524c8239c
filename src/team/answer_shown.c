#include "team/answer_shown.h"
#include "base/map.h"

enum {
        LONG_ENOUGH = 24, /* octets, without blanks, that nobody writes by chance */
        WHOLE_ENOUGH = 12, /* the same of a whole line */
        TAIL_KEPT = 40,
};

static void squeeze(struct str s, struct buf *out)
{
        for (size_t i = 0; i < s.len; i++) {
                if (s.at[i] == ' ' || s.at[i] == '\t' || s.at[i] == '\r' || s.at[i] == '\n')
                        continue;
                if (str_starts(str_from(s, i), STR("\xc2\xa0"))) {
                        i++;
                        continue;
                }
                buf_add_char(out, s.at[i]);
        }
}

static struct str content_of(struct str line, bool *quoted)
{
        struct str s = str_trim(line);
        *quoted = str_starts(s, STR(">"));
        while (str_starts(s, STR(">")))
                s = str_trim(str_from(s, 1));
        return s;
}

struct known {
        struct str all;      /* what was shown, without blanks */
        struct map *lines;   /* whole lines of it */
        struct buf before;   /* the quoted lines above, without blanks: their end */
        bool gap;            /* a blank line since */
};

static bool was_shown(const struct known *k, struct str plain)
{
        if (plain.len == 0)
                return false;
        if (map_get(k->lines, plain) && (plain.len >= WHOLE_ENOUGH || k->before.len))
                return true;
        if (plain.len >= LONG_ENOUGH && str_find(k->all, plain) != STR_NOWHERE)
                return true;
        if (k->gap || k->before.len < WHOLE_ENOUGH)
                return false;
        struct buf joined = {0};
        buf_add(&joined, buf_str(&k->before));
        buf_add(&joined, plain);
        bool found = str_find(k->all, buf_str(&joined)) != STR_NOWHERE;
        buf_release(&joined);
        return found;
}

static void remember(struct known *k, struct str plain, bool quoted)
{
        k->gap = plain.len == 0;
        if (k->gap)
                return;
        if (!quoted)
                buf_clear(&k->before);
        else
                buf_add(&k->before, plain);
        if (k->before.len > TAIL_KEPT)
                buf_drop(&k->before, k->before.len - TAIL_KEPT);
}

static void mark_lines(struct known *k, struct str text, struct buf *out)
{
        struct str line;
        struct buf plain = {0};
        while (str_line(&text, &line)) {
                bool quoted;
                buf_clear(&plain);
                squeeze(content_of(line, &quoted), &plain);
                bool copy = !quoted && was_shown(k, buf_str(&plain));
                if (copy)
                        buf_add_text(out, "> ");
                buf_add(out, line);
                buf_add_char(out, '\n');
                remember(k, buf_str(&plain), quoted || copy);
        }
        buf_release(&plain);
}

void answer_mark_shown(struct str text, struct str shown, struct buf *out)
{
        struct buf all = {0};
        struct known k = {.lines = map_new()};
        struct str rest = shown, line;
        while (str_line(&rest, &line)) {
                size_t start = all.len;
                squeeze(line, &all);
                struct str plain = str_from(buf_str(&all), start);
                if (plain.len)
                        map_put(k.lines, plain, &k);
        }
        k.all = buf_str(&all);
        if (k.all.len == 0)
                buf_add(out, text);
        else
                mark_lines(&k, text, out);
        map_free(k.lines);
        buf_release(&k.before);
        buf_release(&all);
}
