#include "imap/inside.h"

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
        if (!o->silent)
                imap_tell_flags(s);
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

/* Of .SILENT: what this command did the client knows. What it had not been told of before, and what
 * another session did meanwhile, it must be told (RFC 9051 6.4.6): the flags that are read again
 * may be newer than the position, so they cannot say who changed them, but the notes can. */
static enum status keep_silent(
        struct session *s, const struct storing *o, const struct numset *untold_before)
{
        struct selected *m = s->selected;
        if (!m->untold)
                return OK;
        struct own_change own = {s->person, o->before, o->marking.modseq};
        struct numset *others = numset_new();
        enum status st = mailbox_changed_by_others(s->site->store, m->view, &own, others);
        if (st == OK) {
                struct numset *known = numset_copy(o->marking.numbers);
                numset_andnot(known, o->left);
                numset_andnot(known, others);
                if (untold_before)
                        numset_andnot(known, untold_before);
                numset_andnot(m->untold, known);
                numset_free(known);
        }
        numset_free(others);
        return st;
}

/* Stores, and moves the session to where its own change is in its view. */
static enum status store_and_follow(struct session *s, struct storing *o)
{
        struct selected *m = s->selected;
        enum status st = imap_catch_up(s); /* what others did up to now */
        if (st != OK)
                return st;
        struct numset *untold = m->untold ? numset_copy(m->untold) : NULL;
        o->before = m->position;
        st = mark(s, o);
        if (st == OK)
                st = imap_catch_up(s);
        if (st == OK && o->silent)
                st = keep_silent(s, o, untold);
        numset_free(untold);
        return st;
}

static enum status store_flags(struct session *s, struct storing *o)
{
        struct marking *m = &o->marking;
        enum status st = store_and_follow(s, o);
        if (st == OK)
                st = say_stored(s, o);
        if (st == TOO_MANY)
                return imap_refuse(s, st, "[LIMIT] A folder may have %d keywords", KEYWORDS_MAX);
        if (st != OK)
                return st;
        bool some_gone = !s->uid &&
                         numset_count_andnot(m->numbers, s->selected->view->numbers) > 0;
        /* what was not said to have been stored must not be refused, either: RFC 2180 4.2.1 */
        st = some_gone && !o->silent ? ABSENT : OK;
        if (numset_count(o->left) > 0)
                reply_modified(s, o->left);
        else if (some_gone)
                imap_reply(s, "[EXPUNGEISSUED] Some of these messages have been removed");
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
