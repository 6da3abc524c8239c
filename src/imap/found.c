#include "imap/found.h"

void returns_parse(struct parse *p, struct returns *out)
{
        /* clang-format off */
        static const struct { const char *name; unsigned bit; } known[] = {
                {"MIN", RETURN_MIN}, {"MAX", RETURN_MAX}, {"ALL", RETURN_ALL},
                {"COUNT", RETURN_COUNT}, {"SAVE", RETURN_SAVE}};
        /* clang-format on */
        *out = (struct returns){0};
        if (!parse_word(p, "RETURN"))
                return;
        out->extended = true;
        parse_space(p);
        if (!parse_char(p, '('))
                parse_fail(p);
        while (!p->bad && !parse_char(p, ')')) {
                unsigned bit = 0;
                for (size_t i = 0; i < COUNT_OF(known) && !bit; i++)
                        if (parse_word(p, known[i].name))
                                bit = known[i].bit;
                if (!bit)
                        parse_fail(p);
                out->what |= bit;
                if (!parse_peek(p, ')'))
                        parse_space(p);
        }
        parse_space(p);
        if (out->what == 0)
                out->what = RETURN_ALL;
}

/* Those of the result that MIN and MAX name, when nothing but them was asked for. */
static struct numset *named(const struct returns *r, const struct numset *found)
{
        if (!(r->what & (RETURN_MIN | RETURN_MAX)) || (r->what & (RETURN_ALL | RETURN_COUNT)))
                return numset_copy(found);
        struct numset *some = numset_new();
        if ((r->what & RETURN_MIN) && numset_count(found))
                numset_add(some, numset_low(found));
        if ((r->what & RETURN_MAX) && numset_count(found))
                numset_add(some, numset_high(found));
        return some;
}

void found_save(struct session *s, const struct returns *r, const struct numset *found)
{
        if (!(r->what & RETURN_SAVE))
                return;
        numset_free(s->selected->saved);
        s->selected->saved = named(r, found);
}

enum status found_highest(struct session *s, const struct numset *numbers, uint64_t *out)
{
        struct modseqs modseqs;
        uint32_t count = numset_count(numbers);
        enum status st = modseqs_load(s, numbers, 0, &modseqs);
        *out = 0;
        for (uint32_t i = 0; st == OK && i < count; i++)
                if (modseqs.at[i] > *out)
                        *out = modseqs.at[i];
        modseqs_release(&modseqs);
        return st;
}

/* As the client counts: UIDs, or sequence numbers. */
static struct numset *shown(const struct session *s, const struct numset *found)
{
        if (s->uid)
                return numset_copy(found);
        struct numset *out = numset_new();
        struct walk w = numset_walk(found);
        for (uint32_t n; walk_next(&w, &n);)
                numset_add(out, imap_sequence(s, n));
        return out;
}

static void print_extended(struct session *s, const struct returns *r, const struct numset *list)
{
        struct buf *out = imap_out(s);
        bool any = numset_count(list) > 0;
        buf_addf(out, "* ESEARCH (TAG \"%.*s\")%s", STR_ARG(s->tag), s->uid ? " UID" : "");
        if ((r->what & RETURN_MIN) && any)
                buf_addf(out, " MIN %u", numset_low(list));
        if ((r->what & RETURN_MAX) && any)
                buf_addf(out, " MAX %u", numset_high(list));
        if (r->what & RETURN_COUNT)
                buf_addf(out, " COUNT %u", numset_count(list));
        if ((r->what & RETURN_ALL) && any) {
                buf_add_text(out, " ALL ");
                numset_print(list, out);
        }
}

static void print_plain(struct session *s, const struct numset *list)
{
        struct buf *out = imap_out(s);
        struct walk w = numset_walk(list);
        buf_add_text(out, "* SEARCH");
        for (uint32_t n; walk_next(&w, &n);) {
                buf_add_char(out, ' ');
                buf_add_number(out, n);
        }
}

enum status found_say(struct session *s, const struct returns *r, const struct numset *found,
        bool with_modseq)
{
        uint64_t highest = 0;
        enum status st = OK;
        if (r->extended && r->what == RETURN_SAVE)
                return OK; /* RFC 5182 2.1: nothing is said */
        if (with_modseq) {
                struct numset *some = named(r, found);
                st = found_highest(s, some, &highest);
                numset_free(some);
        }
        if (st != OK)
                return st;
        struct numset *list = shown(s, found);
        if (r->extended)
                print_extended(s, r, list);
        else
                print_plain(s, list);
        if (highest)
                buf_addf(imap_out(s), r->extended ? " MODSEQ %llu" : " (MODSEQ %llu)",
                        (unsigned long long)highest);
        imap_end(s);
        numset_free(list);
        return OK;
}
