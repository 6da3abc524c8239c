#include "mail/derive.h"
#include "base/text.h"
#include "mail/date.h"
#include "mail/envelope.h"
#include "mail/header.h"
#include "mail/msgid.h"
#include "mail/parts.h"
#include "mail/structure.h"

enum {
        HEADER_READ = 256 * 1024,
        REFERENCES_READ = 32 * 1024, /* octets of the field, about 500 ids */
        REFERENCES_MAX = 50,
        SUBJECT_READ = 8 * 1024,
        OVERVIEW_FIELD_MAX = 1000,
        OVERVIEW_DATE_MAX = 200,
        OVERVIEW_REFERENCES_MAX = 4 * 1024,
};

/* ---- threads ---- */

struct ids {
        struct str v[REFERENCES_MAX]; /* newest first */
        size_t count;
};

static bool has_id(const struct ids *ids, struct str id)
{
        for (size_t i = 0; i < ids->count; i++)
                if (str_eq(ids->v[i], id))
                        return true;
        return false;
}

/* The last ids matter most (the parent), then the first (the root); what is between may be left
 * out. Of a repeated id the last place counts. A message does not refer to itself. */
static void pick_references(struct arena *arena, struct str value, struct derived *d)
{
        size_t most = value.len / 3 + 1; /* "<x>" is the shortest */
        struct str *all = arena_alloc(arena, most * sizeof *all);
        struct ids picked = {.count = 0};
        size_t count = 0;
        while (count < most && msgid_next(arena, &value, &all[count]))
                count += !str_eq(all[count], d->message_id);
        for (size_t i = count; i-- > 0 && picked.count < REFERENCES_MAX - 1;)
                if (!has_id(&picked, all[i]))
                        picked.v[picked.count++] = all[i];
        if (count && !has_id(&picked, all[0]))
                picked.v[picked.count++] = all[0];
        d->references = arena_alloc(arena, (picked.count + 1) * sizeof *d->references);
        while (picked.count)
                d->references[d->reference_count++] = picked.v[--picked.count];
}

static void set_references(struct arena *arena, struct str header, struct derived *d)
{
        struct str value = STR_NONE, id;
        if (header_find(header, "References", &value))
                pick_references(arena, str_sub(value, 0, REFERENCES_READ), d);
        if (d->reference_count || !header_find(header, "In-Reply-To", &value))
                return;
        value = str_sub(value, 0, REFERENCES_READ);
        /* RFC 5256 REFERENCES (1): the first id of it. */
        if (!msgid_next(arena, &value, &id) || str_eq(id, d->message_id))
                return;
        d->references = arena_alloc(arena, sizeof id);
        d->references[d->reference_count++] = id;
}

/* ---- the overview ---- */

static void add_bounded(struct buf *out, struct str value, size_t most)
{
        value = str_sub(value, 0, most);
        size_t from = out->len;
        buf_add(out, value);
        for (size_t i = from; i < out->len; i++) {
                char c = out->at[i];
                if (c == '\t' || c == '\r' || c == '\n' || c == '\0')
                        out->at[i] = ' ';
        }
}

/* Too many references are cut at an id, the last ones kept: readers thread by them. */
static struct str newest_references(struct str value)
{
        if (value.len <= OVERVIEW_REFERENCES_MAX)
                return value;
        struct str tail = str_from(value, value.len - OVERVIEW_REFERENCES_MAX);
        size_t open = str_chr(tail, '<');
        return open == STR_NOWHERE ? STR_NONE : str_from(tail, open);
}

/* RFC 3977 8.3.2: as they stand, unfolded. */
static struct str overview_of(struct arena *arena, struct str header, const struct derived *d,
        const struct envelope *e)
{
        struct buf b = {0};
        add_bounded(&b, e->subject, OVERVIEW_FIELD_MAX);
        buf_add_char(&b, '\t');
        add_bounded(&b, header_value(arena, header, "From"), OVERVIEW_FIELD_MAX);
        buf_add_char(&b, '\t');
        add_bounded(&b, e->date, OVERVIEW_DATE_MAX);
        buf_add_char(&b, '\t');
        add_bounded(&b, d->message_id, OVERVIEW_FIELD_MAX);
        buf_add_char(&b, '\t');
        struct str references = newest_references(header_value(arena, header, "References"));
        add_bounded(&b, references, OVERVIEW_REFERENCES_MAX);
        struct str s = arena_copy(arena, buf_str(&b));
        buf_release(&b);
        return s;
}

/* ---- people and machines ---- */

static struct str shown_name(struct arena *arena, const struct address *a)
{
        return a->name.len ? a->name : header_decode(arena, address_text(arena, a));
}

static void set_author(struct arena *arena, struct addresses from, struct derived *d)
{
        for (size_t i = 0; i < from.count; i++) {
                const struct address *a = &from.v[i];
                bool real = !a->group_start && !a->group_end;
                if (real && d->from_name.len == 0)
                        d->from_name = shown_name(arena, a);
                if (real && a->local.len && a->domain.len) {
                        d->from = address_text(arena, a);
                        d->from_name = shown_name(arena, a);
                        return;
                }
        }
}

static bool is_one_of(struct str value, const char *const *words)
{
        for (; *words; words++)
                if (str_same(value, str_of(*words)))
                        return true;
        return false;
}

bool derive_automatic(struct str header)
{
        static const char *const bulk[] = {"bulk", "junk", "list", NULL};
        struct str value, word;
        if (header_find(header, "Auto-Submitted", &value)) { /* RFC 3834 5: "no" and parameters */
                if (!str_cut(&value, ';', &word) || !str_same(str_trim(word), STR("no")))
                        return true;
        }
        if (header_find(header, "Precedence", &value) && is_one_of(str_trim(value), bulk))
                return true;
        if (header_find(header, "Return-Path", &value) && str_eq(str_trim(value), STR("<>")))
                return true;
        return header_find(header, "List-Id", &value) ||
               header_find(header, "X-Auto-Response-Suppress", &value);
}

static bool has_attachment(const struct part *top)
{
        for (const struct part *p = top; p;) {
                if (mime_is_attachment(p))
                        return true;
                if (p->first) {
                        p = p->first;
                        continue;
                }
                while (p && !p->next)
                        p = p->parent;
                p = p ? p->next : NULL;
        }
        return false;
}

static bool has_dots(struct str message)
{
        size_t end = 0;
        while (message.len && message.at[0] != '.' && end != STR_NOWHERE) {
                end = str_chr(message, '\n');
                message = str_from(message, end == STR_NOWHERE ? message.len : end + 1);
        }
        return message.len > 0;
}

/* ---- all of it ---- */

static struct str keep(struct arena *arena, struct buf *b)
{
        struct str s = arena_copy(arena, buf_str(b));
        buf_clear(b);
        return s;
}

static void set_octets(struct arena *arena, struct str message, const struct part *top,
        struct derived *d)
{
        struct buf b = {0};
        structure_write(arena, top, true, &b);
        d->structure = keep(arena, &b);
        structure_write(arena, top, false, &b);
        d->body = keep(arena, &b);
        parts_write(top, message, &b);
        d->parts = keep(arena, &b);
        buf_release(&b);
}

static void set_header(struct arena *arena, struct str header, struct derived *d)
{
        struct envelope e;
        struct str rest;
        struct buf b = {0};
        int offset;
        envelope_read(arena, header, &e);
        rest = e.message_id;
        if (!msgid_next(arena, &rest, &d->message_id))
                d->message_id = STR_NONE;
        envelope_write(&e, &b);
        d->envelope = keep(arena, &b);
        if (date_parse(e.date, &d->date, &offset) != OK)
                d->date = 0;
        text_flatten(header_decode(arena, str_sub(e.subject, 0, SUBJECT_READ)), &b);
        d->subject = keep(arena, &b);
        d->base_subject = header_base_subject(arena, d->subject);
        d->reply = header_is_reply(d->subject);
        set_author(arena, e.from, d);
        set_references(arena, header, d);
        d->overview = overview_of(arena, header, d, &e);
        d->automatic = derive_automatic(header);
        buf_release(&b);
}

void derive(struct arena *arena, struct str message, struct derived *out)
{
        struct parsed_mail parsed;
        parsed_make(arena, message, &parsed);
        derive_parsed(&parsed, out);
}

void derive_parsed(const struct parsed_mail *parsed, struct derived *out)
{
        struct arena *arena = parsed->arena;
        struct str message = parsed->bytes;
        const struct part *top = parsed->top;
        *out = (struct derived){0};
        set_header(arena, str_sub(top->header, 0, HEADER_READ), out);
        set_octets(arena, message, top, out);
        out->header_size = (uint32_t)top->header.len;
        out->lines = top->lines + (top->body.len && !str_ends(top->body, STR("\n")));
        out->dots = has_dots(message);
        out->attachment = has_attachment(top);
}
