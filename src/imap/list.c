#include "base/text.h"
#include "imap/pattern.h"
#include "imap/subscribe.h"

enum { PATTERNS_MAX = 50 };

/* clang-format off */
enum {
        SELECT_SUBSCRIBED = 1, SELECT_REMOTE = 2, SELECT_RECURSIVE = 4, SELECT_SPECIAL = 8,
        RETURN_SUBSCRIBED = 16, RETURN_CHILDREN = 32, RETURN_SPECIAL = 64, RETURN_STATUS = 128,
};
/* clang-format on */

/* What a LIST asks for (RFC 5258, RFC 5819, RFC 6154). */
struct question {
        struct str patterns[PATTERNS_MAX]; /* with the reference in front, as on the wire */
        size_t count;
        unsigned options;
        unsigned status; /* STATUS_ items of RETURN (STATUS ...) */
        bool extended;
        bool root;       /* the empty pattern: what is asked for is the delimiter */
        bool lsub;
        bool utf8; /* names and patterns are */
};

enum status imap_namespace(struct session *s, const struct args *a)
{
        (void)a;
        imap_line(s, "* NAMESPACE ((\"\" \"/\")) NIL ((\"Topics/\" \"/\")(\"Boards/\" \"/\")(\"Tasks/\" \"/\"))");
        return OK;
}

/* ---- parsing ---- */

static void options(struct parse *p, struct question *q, bool selection)
{
        /* clang-format off */
        static const struct { const char *name; unsigned selecting, returning; } known[] = {
                {"SUBSCRIBED", SELECT_SUBSCRIBED | RETURN_SUBSCRIBED, RETURN_SUBSCRIBED},
                {"REMOTE", SELECT_REMOTE, 0}, {"RECURSIVEMATCH", SELECT_RECURSIVE, 0},
                {"SPECIAL-USE", SELECT_SPECIAL | RETURN_SPECIAL, RETURN_SPECIAL},
                {"CHILDREN", 0, RETURN_CHILDREN}, {"STATUS", 0, RETURN_STATUS}};
        /* clang-format on */
        if (!parse_char(p, '('))
                parse_fail(p);
        q->extended = true;
        while (!p->bad && !parse_char(p, ')')) {
                unsigned bit = 0;
                for (size_t i = 0; i < COUNT_OF(known) && !bit; i++) {
                        unsigned mine = selection ? known[i].selecting
                                                  : known[i].returning;
                        if (mine && parse_word(p, known[i].name))
                                bit = mine;
                }
                if (!bit)
                        parse_fail(p);
                q->options |= bit;
                if (bit == RETURN_STATUS) {
                        parse_space(p);
                        q->status = imap_status_items(p);
                }
                if (!parse_peek(p, ')'))
                        parse_space(p);
        }
}

static void one_pattern(struct parse *p, struct question *q, struct str reference)
{
        struct str raw = parse_pattern(p);
        q->root = raw.len == 0 && q->count == 0;
        if (q->count == PATTERNS_MAX)
                parse_fail(p);
        else
                q->patterns[q->count++] = arena_printf(
                        p->arena, "%.*s%.*s", STR_ARG(reference), STR_ARG(raw));
}

static void question_parse(struct parse *p, struct question *q)
{
        if (!q->lsub && parse_peek(p, '(')) {
                options(p, q, true);
                parse_space(p);
        }
        /* RECURSIVEMATCH alone selects nothing (RFC 5258 3.1) */
        if ((q->options & SELECT_RECURSIVE) && !(q->options & SELECT_SUBSCRIBED))
                parse_fail(p);
        struct str reference = parse_astring(p);
        if (reference.len > 1000)
                parse_fail(p);
        parse_space(p);
        if (!q->lsub && parse_char(p, '(')) {
                q->extended = true;
                do {
                        one_pattern(p, q, reference);
                } while (parse_char(p, ' ') && !p->bad);
                if (!parse_char(p, ')'))
                        parse_fail(p);
        } else {
                one_pattern(p, q, reference);
        }
        if (!q->lsub && parse_char(p, ' ') && p->at < p->end) {
                if (!parse_word(p, "RETURN"))
                        parse_fail(p);
                parse_space(p);
                options(p, q, false);
        }
}

/* ---- answering ---- */

static bool name_matches(const struct question *q, struct str utf8)
{
        struct buf mutf7 = {0};
        bool yes = false;
        mutf7_encode(utf8, &mutf7);
        for (size_t i = 0; i < q->count && !yes; i++) /* UTF-8 in quotes is always one: RFC 6855 3 */
                yes = pattern_matches(q->patterns[i], q->utf8 || !text_is_7bit(q->patterns[i])
                                                              ? utf8
                                                              : buf_str(&mutf7));
        buf_release(&mutf7);
        return yes;
}

static bool is_below(struct str name, struct str top)
{
        return name.len > top.len && name.at[top.len] == '/' && str_starts(name, top);
}

/* Is something subscribed below this name? `unmatched`: something that the patterns leave out. */
static bool wanted_below(
        const struct question *q, const struct wanted *w, struct str name, bool unmatched)
{
        for (size_t i = 0; i < w->count; i++)
                if (w->subscribed[i] && is_below(w->folders[i].name, name) &&
                        !(unmatched && name_matches(q, w->folders[i].name)))
                        return true;
        return false;
}

/* Why a folder is in the answer. */
enum standing { NOT_ASKED, SELECTED_ITSELF, PARENT_ONLY };

static enum standing standing_of(const struct question *q, const struct wanted *w, size_t i)
{
        const struct folder *f = &w->folders[i];
        bool by_subscription = q->lsub || (q->options & SELECT_SUBSCRIBED);
        if (w->missing[i] && !by_subscription)
                return NOT_ASKED;
        if ((q->options & SELECT_SPECIAL) && f->use <= USE_DIGESTS)
                return NOT_ASKED;
        if (!name_matches(q, f->name))
                return NOT_ASKED;
        if (!by_subscription || w->subscribed[i])
                return SELECTED_ITSELF;
        /* RFC 3501 6.3.9: LSUB with "%" shows the parent of what it cannot show; RFC 5258 3.5 */
        if (q->lsub && wanted_below(q, w, f->name, true))
                return PARENT_ONLY;
        if ((q->options & SELECT_RECURSIVE) && wanted_below(q, w, f->name, false))
                return PARENT_ONLY;
        return NOT_ASKED;
}

static void print_folder(
        struct session *s, const struct question *q, const struct wanted *w, size_t i)
{
        /* clang-format off */
        static const char *const uses[USE_COUNT] = {
                [USE_DRAFTS] = "\\Drafts", [USE_SENT] = "\\Sent", [USE_ARCHIVE] = "\\Archive",
                [USE_JUNK] = "\\Junk", [USE_TRASH] = "\\Trash"};
        /* clang-format on */
        const struct folder *f = &w->folders[i];
        struct buf *out = imap_out(s);
        bool hidden = q->lsub && standing_of(q, w, i) == PARENT_ONLY;
        buf_addf(out, "* %s (%s", q->lsub ? "LSUB" : "LIST",
                f->children ? "\\HasChildren" : "\\HasNoChildren");
        if (w->missing[i])
                buf_add_text(out, q->lsub ? " \\Noselect" : " \\NonExistent");
        else if (f->mailbox == 0 || hidden)
                buf_add_text(out, " \\Noselect");
        if ((q->options & RETURN_SUBSCRIBED) && w->subscribed[i])
                buf_add_text(out, " \\Subscribed");
        if (uses[f->use] && !q->lsub)
                buf_addf(out, " %s", uses[f->use]);
        buf_add_text(out, ") \"/\" ");
        print_mailbox(out, f->name, q->utf8);
        if ((q->options & SELECT_RECURSIVE) && wanted_below(q, w, f->name, false))
                buf_add_text(out, " (\"CHILDINFO\" (\"SUBSCRIBED\"))");
        imap_end(s);
}

static enum status answer(struct session *s, const struct question *q)
{
        struct wanted w;
        enum status st = wanted_read(s, &w);
        for (size_t i = 0; st == OK && i < w.count && !wire_gone(s->wire); i++) {
                if (standing_of(q, &w, i) == NOT_ASKED)
                        continue;
                print_folder(s, q, &w, i);
                if (q->status && w.folders[i].mailbox)
                        st = imap_say_status(s, &w.folders[i], q->status);
                if (st == ABSENT) /* deleted meanwhile */
                        st = OK;
        }
        return st;
}

static enum status list(struct session *s, const struct args *a, struct question *q)
{
        struct parse p = imap_arguments(s, a);
        q->utf8 = p.utf8;
        question_parse(&p, q);
        if (!parse_end(&p))
                return INVALID;
        if (!q->extended && q->root) { /* RFC 9051 6.3.9, whatever the reference */
                imap_line(s, "* %s (\\Noselect) \"/\" \"\"", q->lsub ? "LSUB" : "LIST");
                return OK;
        }
        return answer(s, q);
}

enum status imap_list(struct session *s, const struct args *a)
{
        struct question q = {0};
        return list(s, a, &q);
}

enum status imap_lsub(struct session *s, const struct args *a)
{
        struct question q = {.lsub = true};
        return list(s, a, &q);
}
