#include "imap/inside.h"

/* What flags will be like if nobody but this command touches them: what differs afterwards was
 * done by another session and must be told, .SILENT or not (RFC 9051 6.4.6). */
struct forecast {
        struct numset *flag[FLAG_COUNT];
        struct numset *keyword[KEYWORDS_MAX];
        struct str names[KEYWORDS_MAX];
        size_t count;
};

static void apply(struct numset *set, const struct marking *m, bool named)
{
        if (named && m->how != MARK_REMOVE)
                numset_or(set, m->numbers);
        else if (named || m->how == MARK_REPLACE)
                numset_andnot(set, m->numbers);
}

static bool names_keyword(const struct marking *m, struct str name)
{
        for (size_t i = 0; i < m->keyword_count; i++)
                if (str_same(m->keywords[i], name))
                        return true;
        return false;
}

static void foresee(struct session *s, const struct marking *m, struct forecast *f)
{
        const struct marks *marks = s->selected->marks;
        for (unsigned i = 0; i < FLAG_COUNT; i++) {
                f->flag[i] = numset_copy(marks->flag[i]);
                apply(f->flag[i], m, m->flags & 1U << i);
        }
        for (size_t i = 0; i < marks->keyword_count && i < KEYWORDS_MAX; i++) {
                f->names[f->count] = arena_copy(s->arena, marks->keywords[i]);
                f->keyword[f->count] = numset_copy(marks->keyword[i]);
                apply(f->keyword[f->count], m, names_keyword(m, marks->keywords[i]));
                f->count++;
        }
}

static void add_difference(
        struct numset *out, const struct numset *now, const struct numset *expected)
{
        struct numset *both = numset_copy(now);
        numset_xor(both, expected);
        numset_or(out, both);
        numset_free(both);
}

static void add_keyword_difference(struct numset *out, const struct marking *m,
        const struct forecast *f, const struct marks *marks, size_t k)
{
        for (size_t i = 0; i < f->count; i++) {
                if (str_same(f->names[i], marks->keywords[k])) {
                        add_difference(out, marks->keyword[k], f->keyword[i]);
                        return;
                }
        }
        struct numset *expected = numset_new(); /* it is new */
        apply(expected, m, names_keyword(m, marks->keywords[k]));
        add_difference(out, marks->keyword[k], expected);
        numset_free(expected);
}

/* The numbers of this command whose flags are not as foreseen stay untold; of the others the
 * client knows. */
static void compare(struct session *s, const struct marking *m, const struct forecast *f)
{
        struct selected *sel = s->selected;
        if (!sel->untold)
                return;
        struct numset *other = numset_new();
        for (unsigned i = 0; i < FLAG_COUNT; i++)
                add_difference(other, sel->marks->flag[i], f->flag[i]);
        for (size_t k = 0; k < sel->marks->keyword_count; k++)
                add_keyword_difference(other, m, f, sel->marks, k);
        numset_and(other, m->numbers);
        numset_and(other, sel->untold);
        numset_andnot(sel->untold, m->numbers);
        numset_or(sel->untold, other);
        numset_free(other);
}

static void forget(struct forecast *f)
{
        for (unsigned i = 0; i < FLAG_COUNT; i++)
                numset_free(f->flag[i]);
        for (size_t i = 0; i < f->count; i++)
                numset_free(f->keyword[i]);
}

static void say_stored(struct session *s, const struct numset *numbers)
{
        struct selected *m = s->selected;
        if (m->marks->keyword_count > m->keywords_told)
                imap_say_flags(s);
        struct walk w = numset_walk(numbers);
        for (uint32_t n; walk_next(&w, &n) && !wire_gone(s->wire);)
                if (numset_has(m->view->numbers, n))
                        imap_say_fetch_flags(s, n);
        if (m->untold)
                numset_andnot(m->untold, numbers);
}

static enum status store_flags(struct session *s, struct marking *m, bool silent)
{
        struct forecast forecast = {0};
        enum status st = imap_catch_up(s); /* what others did up to now */
        if (st != OK)
                return st;
        if (silent)
                foresee(s, m, &forecast);
        st = marks_store(s->site->store, m);
        if (st == OK)
                st = imap_catch_up(s);
        if (st == OK && silent)
                compare(s, m, &forecast);
        else if (st == OK)
                say_stored(s, m->numbers);
        forget(&forecast);
        if (st == TOO_MANY)
                return imap_refuse(s, st, "[LIMIT] A folder may have %d keywords", KEYWORDS_MAX);
        if (st == OK && !s->uid && numset_count_andnot(m->numbers, s->selected->view->numbers) > 0)
                return imap_refuse(
                        s, ABSENT, "[EXPUNGEISSUED] Some of these messages have been removed");
        return st;
}

static enum marking_how how_of(struct parse *p, bool *silent)
{
        enum marking_how how = MARK_REPLACE;
        if (parse_char(p, '+'))
                how = MARK_ADD;
        else if (parse_char(p, '-'))
                how = MARK_REMOVE;
        *silent = parse_word(p, "FLAGS.SILENT");
        if (!*silent && !parse_word(p, "FLAGS"))
                parse_fail(p);
        return how;
}

enum status imap_store(struct session *s, const struct args *a)
{
        struct selected *sel = s->selected;
        struct marking m = {.mailbox = sel->mailbox, .person = s->person};
        struct flag_list flags;
        bool silent;
        struct parse p = imap_arguments(s, a);
        struct str set = parse_set(&p);
        parse_space(&p);
        m.how = how_of(&p, &silent);
        parse_space(&p);
        parse_flags(&p, true, &flags);
        if (!parse_end(&p))
                return INVALID;
        if (sel->read_only)
                return imap_refuse(s, FORBIDDEN, "[NOPERM] This folder is open for reading only");
        struct numset *numbers;
        enum status st = imap_numbers(s, set, s->uid, &numbers);
        if (st != OK)
                return st;
        m.flags = flags.flags;
        m.keywords = flags.keywords;
        m.keyword_count = flags.keyword_count;
        m.numbers = numbers;
        if (numset_count(numbers) > 0)
                st = store_flags(s, &m, silent);
        numset_free(numbers);
        return st;
}
