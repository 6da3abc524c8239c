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

struct storing {
        struct marking marking;
        struct numset *left; /* UNCHANGEDSINCE: not touched */
        bool silent, conditional;
        uint64_t before; /* the position from which on these changes lie */
};

/* RFC 7162 3.1.3: with .SILENT only the MODSEQ, without flags. */
static void say_modseq(struct session *s, uint32_t number, uint64_t modseq)
{
        struct buf *out = imap_out(s);
        buf_addf(out, "* %u FETCH (", imap_sequence(s, number));
        if (s->uid || (s->enabled & ENABLED_QRESYNC))
                buf_addf(out, "UID %u ", number);
        imap_line(s, "MODSEQ (%llu))", (unsigned long long)modseq);
}

static enum status say_stored(struct session *s, const struct storing *o)
{
        struct selected *m = s->selected;
        struct modseqs modseqs;
        if (o->silent && !(s->enabled & ENABLED_CONDSTORE))
                return OK;
        struct numset *touched = numset_copy(o->marking.numbers);
        numset_andnot(touched, o->left);
        numset_and(touched, m->view->numbers);
        if (o->silent && m->untold) /* changed by others, too: flags are told with it */
                numset_andnot(touched, m->untold);
        enum status st = modseqs_load(s, touched, o->before, &modseqs);
        if (!o->silent && m->marks->keyword_count > m->keywords_told)
                imap_say_flags(s);
        struct walk w = numset_walk(touched);
        for (uint32_t n; st == OK && walk_next(&w, &n) && !wire_gone(s->wire);) {
                if (o->silent)
                        say_modseq(s, n, modseqs_of(&modseqs, n));
                else
                        imap_say_fetch_flags(s, n, modseqs_of(&modseqs, n));
        }
        if (st == OK && m->untold && !o->silent)
                numset_andnot(m->untold, touched);
        modseqs_release(&modseqs);
        numset_free(touched);
        return st;
}

/* [MODIFIED 2,4]: of what was left alone, because it had changed (RFC 7162 3.1.3). */
static void reply_modified(struct session *s, const struct numset *left)
{
        struct buf list = {0};
        struct numset *shown = numset_new();
        struct walk w = numset_walk(left);
        for (uint32_t n; walk_next(&w, &n);)
                numset_add(shown, s->uid ? n : imap_sequence(s, n));
        numset_print(shown, &list);
        imap_reply(s, "[MODIFIED %s] Some had changed meanwhile", buf_text(&list));
        buf_release(&list);
        numset_free(shown);
}

/* UNCHANGEDSINCE 0 is true of no message: each has changed at least once, when it came. */
static enum status mark(struct session *s, struct storing *o)
{
        if (!o->conditional || o->marking.unchanged_since > 0)
                return marks_store(s->site->store, &o->marking);
        numset_or(o->left, o->marking.numbers);
        return OK;
}

static enum status store_flags(struct session *s, struct storing *o)
{
        struct marking *m = &o->marking;
        struct forecast forecast = {0};
        enum status st = imap_catch_up(s); /* what others did up to now */
        if (st != OK)
                return st;
        o->before = s->selected->position;
        st = mark(s, o);
        if (st == OK && o->silent) {
                struct marking done = *m; /* those that were left are as they were */
                struct numset *numbers = numset_copy(m->numbers);
                numset_andnot(numbers, o->left);
                done.numbers = numbers;
                foresee(s, &done, &forecast);
                st = imap_catch_up(s);
                if (st == OK)
                        compare(s, &done, &forecast);
                forget(&forecast);
                numset_free(numbers);
        } else if (st == OK) {
                st = imap_catch_up(s);
        }
        if (st == OK)
                st = say_stored(s, o);
        if (st == TOO_MANY)
                return imap_refuse(s, st, "[LIMIT] A folder may have %d keywords", KEYWORDS_MAX);
        bool some_gone = !s->uid &&
                         numset_count_andnot(m->numbers, s->selected->view->numbers) > 0;
        if (st == OK && numset_count(o->left) > 0) {
                reply_modified(s, o->left);
                return some_gone ? ABSENT : OK;
        }
        if (st == OK && some_gone)
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

/* store-modifiers: "(UNCHANGEDSINCE 7) " */
static void modifiers(struct parse *p, struct storing *o)
{
        if (!parse_char(p, '('))
                return;
        if (!parse_word(p, "UNCHANGEDSINCE"))
                parse_fail(p);
        parse_space(p);
        o->marking.unchanged_since = parse_number64(p);
        o->conditional = true;
        if (!parse_char(p, ')'))
                parse_fail(p);
        parse_space(p);
}

enum status imap_store(struct session *s, const struct args *a)
{
        struct selected *sel = s->selected;
        struct storing o = {.marking = {.mailbox = sel->mailbox, .person = s->person}};
        struct flag_list flags;
        struct parse p = imap_arguments(s, a);
        struct str set = parse_set(&p);
        parse_space(&p);
        modifiers(&p, &o);
        o.marking.how = how_of(&p, &o.silent);
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
        if (o.conditional)
                imap_condstore(s);
        o.left = numset_new();
        o.marking.flags = flags.flags;
        o.marking.keywords = flags.keywords;
        o.marking.keyword_count = flags.keyword_count;
        o.marking.numbers = numbers;
        o.marking.left = o.left;
        if (numset_count(numbers) > 0)
                st = store_flags(s, &o);
        numset_free(numbers);
        numset_free(o.left);
        return st;
}
