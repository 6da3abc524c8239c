#include "imap/inside.h"
#include "base/log.h"

uint32_t imap_sequence(const struct session *s, uint32_t number)
{
        return numset_rank(s->selected->told, number);
}

/* ---- sets ---- */

/* RFC 9051 seq-number: a number above those told of is the client's fault. n:* may be. */
static bool within(struct str set, uint32_t exists)
{
        struct str range;
        while (str_cut(&set, ',', &range)) {
                struct str rest = range, end;
                bool star = str_chr(range, '*') != STR_NOWHERE;
                while (!star && str_cut(&rest, ':', &end)) {
                        uint32_t n;
                        if (str_u32(end, &n) != OK || n > exists)
                                return false;
                }
        }
        return true;
}

/* Sequence numbers -> numbers, a run of them at a time. */
static struct numset *from_sequence(const struct numset *told, const struct numset *sequence)
{
        if (numset_count(sequence) == numset_count(told))
                return numset_copy(told);
        struct numset *out = numset_new();
        struct walk w = numset_walk(sequence);
        uint32_t n = 0, low = 0, high = 0;
        bool more = walk_next(&w, &n);
        while (more) {
                low = high = n;
                while ((more = walk_next(&w, &n)) && n == high + 1)
                        high = n;
                numset_add_range(out, numset_select(told, low), numset_select(told, high));
        }
        numset_and(out, told);
        return out;
}

enum status imap_numbers(struct session *s, struct str set, bool uid, struct numset **out)
{
        const struct selected *m = s->selected;
        struct numset *asked;
        if (str_eq(set, STR("$"))) { /* RFC 5182: what has gone since is not meant */
                *out = m->saved ? numset_copy(m->saved) : numset_new();
                numset_and(*out, m->told);
                return OK;
        }
        if (!uid && !within(set, m->exists))
                return imap_refuse(s, INVALID, "[CLIENTBUG] There are %u messages here", m->exists);
        enum status st = numset_parse(
                set, uid ? numset_high(m->told) : numset_count(m->told), &asked);
        if (st != OK)
                return st;
        if (uid) {
                numset_and(asked, m->told);
                *out = asked;
                return OK;
        }
        *out = from_sequence(m->told, asked);
        numset_free(asked);
        return OK;
}

/* ---- flags ---- */

static const char *const flag_names[FLAG_COUNT] = {
        "\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"};

static void add_name(struct buf *out, struct str name)
{
        if (out->at[out->len - 1] != '(')
                buf_add_char(out, ' ');
        buf_add(out, name);
}

void imap_print_flags(struct buf *out, const struct marks *marks, uint32_t number)
{
        unsigned flags = marks_flags(marks, number);
        buf_add_char(out, '(');
        for (unsigned i = 0; i < FLAG_COUNT; i++)
                if (flags & 1U << i)
                        add_name(out, str_of(flag_names[i]));
        for (size_t i = 0; i < marks->keyword_count; i++)
                if (numset_has(marks->keyword[i], number))
                        add_name(out, marks->keywords[i]);
        buf_add_char(out, ')');
}

static void print_all_flags(struct buf *out, const struct marks *marks)
{
        buf_add_char(out, '(');
        for (unsigned i = 0; i < FLAG_COUNT; i++)
                add_name(out, str_of(flag_names[i]));
        for (size_t i = 0; i < marks->keyword_count; i++)
                add_name(out, marks->keywords[i]);
}

/* For a new keyword: one that is on no message gives its place away. */
static bool has_place(const struct marks *marks)
{
        bool has = marks->keyword_count < KEYWORDS_MAX;
        for (size_t i = 0; !has && i < marks->keyword_count; i++)
                has = !numset_low(marks->keyword[i]);
        return has;
}

/* Of what FLAGS and PERMANENTFLAGS say: another one when they say something else. */
static uint64_t flags_sum(const struct marks *marks)
{
        uint64_t sum = has_place(marks);
        for (size_t i = 0; i < marks->keyword_count; i++)
                sum = sum * 31 + str_hash(marks->keywords[i]);
        return sum;
}

void imap_say_flags(struct session *s)
{
        struct selected *m = s->selected;
        buf_add_text(imap_out(s), "* FLAGS ");
        print_all_flags(imap_out(s), m->marks);
        imap_line(s, ")");
        if (m->read_only) {
                imap_line(s, "* OK [PERMANENTFLAGS ()] Read-only");
        } else {
                buf_add_text(imap_out(s), "* OK [PERMANENTFLAGS ");
                print_all_flags(imap_out(s), m->marks);
                imap_line(s, "%s)] These are kept", has_place(m->marks) ? " \\*" : "");
        }
        m->flags_told = flags_sum(m->marks);
}

void imap_tell_flags(struct session *s)
{
        if (flags_sum(s->selected->marks) != s->selected->flags_told)
                imap_say_flags(s);
}

void imap_begin_fetch(struct session *s, uint32_t number)
{
        struct buf *out = imap_out(s);
        buf_add(out, STR("* "));
        buf_add_number(out, imap_sequence(s, number));
        buf_add(out, STR(" FETCH ("));
}

void imap_say_fetch_flags(struct session *s, uint32_t number, uint64_t modseq)
{
        struct buf *out = imap_out(s);
        imap_begin_fetch(s, number);
        if (s->uid || (s->enabled & ENABLED_QRESYNC))
                buf_addf(out, "UID %u ", number);
        buf_add_text(out, "FLAGS ");
        imap_print_flags(out, s->selected->marks, number);
        if (modseq)
                buf_addf(out, " MODSEQ (%llu)", (unsigned long long)modseq);
        imap_line(s, ")");
}

/* ---- keeping up ---- */

/* The client's numbers under the new view: what has gone stays until it may be told. What has come
 * is above all that the client was told of. */
static void keep_told(struct selected *m, const struct view *v, struct numset *vanished)
{
        numset_and(vanished, m->told);
        if (!m->own && numset_low(vanished)) {
                m->own = numset_copy(m->told);
                m->gone = numset_new();
        }
        if (m->own) {
                numset_or(m->gone, vanished);
                if (numset_high(v->numbers) > numset_high(m->own))
                        numset_or(m->own, v->numbers);
        }
        m->told = m->own ? m->own : v->numbers;
}

/* Flags that changed since the session's position: they have been read again. */
static void keep_untold(struct selected *m, struct numset *flags)
{
        numset_and(flags, m->told); /* of new messages the client asks itself */
        if (m->untold)
                numset_or(m->untold, flags);
        else
                m->untold = numset_copy(flags), m->untold_since = m->position;
}

static enum status catch_up(struct session *s, const struct view *v)
{
        struct selected *m = s->selected;
        struct numset *flags = numset_new(), *vanished = numset_new();
        enum status st = mailbox_changes(s->site->store, v, s->person, m->position, flags,
                v->modseq > m->position ? vanished : NULL);
        bool flagged = st == OK && numset_low(flags);
        if (flagged)
                st = marks_refresh(s->site->store, m->marks, flags);
        if (st == OK && flagged)
                keep_untold(m, flags);
        if (st == OK)
                keep_told(m, v, vanished);
        numset_free(flags);
        numset_free(vanished);
        return st;
}

enum status imap_catch_up(struct session *s)
{
        struct selected *m = s->selected;
        const struct view *v;
        enum status st = view_open(s->site->store, m->mailbox, &v);
        if (st != OK)
                return st;
        if (v->position == m->position) {
                view_close(s->site->store, v);
                return OK;
        }
        st = catch_up(s, v);
        if (st != OK) {
                view_close(s->site->store, v);
                return st;
        }
        view_close(s->site->store, m->view);
        m->view = v;
        m->position = v->position;
        return OK;
}

static void tell_expunges(struct session *s)
{
        struct selected *m = s->selected;
        struct numset *gone = m->gone;
        uint32_t last = numset_select(m->own, m->exists), told = 0;
        if (numset_high(gone) > last) /* came and went before it could be told */
                numset_remove_range(gone, last + 1, numset_high(gone));
        struct walk w = numset_walk(gone);
        if (s->enabled & ENABLED_QRESYNC)
                imap_say_vanished(s, gone, false);
        else
                for (uint32_t n; walk_next(&w, &n); told++)
                        imap_line(s, "* %u EXPUNGE", numset_rank(m->own, n) - told);
        m->exists -= numset_count(gone);
        m->told = m->view->numbers;
        numset_free(gone);
        numset_free(m->own);
        m->gone = m->own = NULL;
}

static void tell_flags(struct session *s)
{
        struct selected *m = s->selected;
        struct modseqs modseqs;
        if (modseqs_load(s, m->untold, m->untold_since, &modseqs) != OK)
                return; /* told when the store can be read again */
        struct walk w = numset_walk(m->untold);
        for (uint32_t n; walk_next(&w, &n);)
                if (numset_has(m->view->numbers, n))
                        imap_say_fetch_flags(s, n, modseqs_of(&modseqs, n));
        modseqs_release(&modseqs);
        numset_free(m->untold);
        m->untold = NULL;
}

void imap_tell(struct session *s, bool expunges)
{
        struct selected *m = s->selected;
        imap_tell_flags(s);
        if (expunges && m->own)
                tell_expunges(s);
        if (numset_count(m->told) > m->exists) {
                m->exists = numset_count(m->told);
                imap_line(s, "* %u EXISTS", m->exists);
                if (!(s->enabled & ENABLED_REV2))
                        imap_line(s, "* 0 RECENT");
        }
        if (m->untold)
                tell_flags(s);
}

void imap_update(struct session *s, bool expunges)
{
        struct selected *m = s->selected;
        enum status st = OK;
        if (m->topic) /* rights may have been taken away meanwhile */
                st = rules_topic(s->site, s->person, m->topic, &m->rights);
        if (m->kind == MAILBOX_BOARD) /* a card that is removed comes again */
                m->rights.expunge = true;
        if (st == OK && !m->rights.read)
                st = ABSENT;
        if (st == OK)
                st = imap_catch_up(s);
        if (st == ABSENT) {
                imap_line(s, "* BYE The selected folder has gone");
                wire_close(s->wire);
        } else if (st == OK) {
                imap_tell(s, expunges);
        }
}

void imap_deselect(struct session *s)
{
        struct selected *m = s->selected;
        if (!m)
                return;
        s->selected = NULL;
        if (m->watch) {
                watch_end(s->site->store, m->watch);
                wire_drop(s->wire);
        }
        view_close(s->site->store, m->view);
        numset_free(m->own);
        numset_free(m->gone);
        numset_free(m->untold);
        numset_free(m->saved);
        marks_free(m->marks);
        free(m);
}
