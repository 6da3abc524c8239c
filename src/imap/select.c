#include "imap/board.h"

static void say_selected(struct session *s, struct str name, uint32_t unseen)
{
        struct selected *m = s->selected;
        imap_say_flags(s);
        imap_line(s, "* %u EXISTS", m->exists);
        if (s->enabled & ENABLED_REV2) { /* RFC 9051 6.3.2 */
                buf_add_text(imap_out(s), "* LIST () \"/\" ");
                print_mailbox(imap_out(s), name, true);
                imap_end(s);
        } else {
                imap_line(s, "* 0 RECENT");
        }
        if (unseen && !(s->enabled & ENABLED_REV2))
                imap_line(s, "* OK [UNSEEN %u] The first that is not read",
                        imap_sequence(s, unseen));
        imap_line(s, "* OK [UIDVALIDITY %u] UIDs are valid", m->view->uid_validity);
        imap_line(s, "* OK [UIDNEXT %u] The next number", m->view->next);
}

/* select-params (RFC 7162 3.1.8, 3.2.5). */
struct known {
        bool condstore, resync;
        uint32_t uid_validity;
        uint64_t modseq;
        struct str uids; /* empty: all */
};

/* "(validity modseq [known-uids] [(sequence-set uid-set)])". The last is a hint for servers that
 * forget what has vanished; this one does not, and only checks its form. */
static void resync_argument(struct parse *p, struct known *k)
{
        parse_space(p);
        if (!parse_char(p, '('))
                parse_fail(p);
        k->uid_validity = parse_number(p);
        parse_space(p);
        k->modseq = parse_number64(p);
        bool more = parse_char(p, ' ');
        if (more && !parse_peek(p, '(')) {
                k->uids = parse_known_set(p);
                more = parse_char(p, ' ');
        }
        if (more) {
                if (!parse_char(p, '('))
                        parse_fail(p);
                (void)parse_known_set(p);
                parse_space(p);
                (void)parse_known_set(p);
                if (!parse_char(p, ')'))
                        parse_fail(p);
        }
        if (!parse_char(p, ')'))
                parse_fail(p);
}

static void parameters(struct parse *p, unsigned enabled, struct known *k)
{
        if (!parse_char(p, ' ') || p->at == p->end)
                return;
        if (!parse_char(p, '('))
                parse_fail(p);
        do {
                if (parse_word(p, "CONDSTORE")) {
                        k->condstore = true;
                } else if (parse_word(p, "QRESYNC") && (enabled & ENABLED_QRESYNC)) {
                        k->resync = true;
                        resync_argument(p, k);
                } else {
                        parse_fail(p);
                }
        } while (parse_char(p, ' ') && !p->bad);
        if (!parse_char(p, ')'))
                parse_fail(p);
}

/* As UID FETCH known-uids (FLAGS) (CHANGEDSINCE modseq VANISHED) would (RFC 7162 3.2.5.1). */
static enum status resync(struct session *s, const struct known *k)
{
        const struct selected *m = s->selected;
        struct numset *vanished = numset_new(), *changed = numset_new(), *asked = NULL;
        struct modseqs modseqs = {0};
        enum status st = mailbox_changes(
                s->site->store, m->view, s->person, k->modseq, NULL, vanished);
        if (st == OK)
                st = mailbox_changed(s->site->store, m->view, s->person, k->modseq, changed);
        if (st == OK && k->uids.len)
                st = numset_parse(k->uids, m->view->next - 1, &asked);
        if (asked) {
                numset_and(vanished, asked);
                numset_and(changed, asked);
        }
        if (st == OK)
                st = modseqs_load(s, changed, k->modseq, &modseqs);
        if (st == OK) {
                imap_say_vanished(s, vanished, true);
                struct walk w = numset_walk(changed);
                for (uint32_t n; walk_next(&w, &n) && !wire_gone(s->wire);)
                        imap_say_fetch_flags(s, n, modseqs_of(&modseqs, n));
        }
        modseqs_release(&modseqs);
        numset_free(vanished);
        numset_free(changed);
        numset_free(asked);
        return st;
}

static enum status say_changes(struct session *s, const struct known *k)
{
        const struct selected *m = s->selected;
        uint64_t highest;
        enum status st = imap_highest(s, m->view, &highest);
        if (st != OK)
                return st;
        imap_line(s, "* OK [HIGHESTMODSEQ %llu] The last change", (unsigned long long)highest);
        if (k->condstore)
                s->enabled |= ENABLED_CONDSTORE;
        if (!k->resync || k->uid_validity != m->view->uid_validity)
                return OK;
        return resync(s, k);
}

static enum status load(
        struct session *s, const struct folder *f, struct selected *m, uint32_t *unseen)
{
        enum status st = view_open(s->site->store, f->mailbox, &m->view);
        if (st == OK)
                st = marks_open(s->site->store, m->view, s->person, &m->marks, unseen);
        if (st != OK)
                return st;
        m->mailbox = f->mailbox;
        m->kind = f->kind;
        m->rights = f->rights;
        m->topic = f->topic;
        m->told = m->view->numbers;
        m->exists = m->view->count;
        m->position = m->view->position;
        return OK;
}

/* A mailbox that was selected is none any more, even when this fails (RFC 9051 6.3.2). */
static enum status open_folder(struct session *s, const struct args *a, bool read_only)
{
        struct parse p = imap_arguments(s, a);
        struct str name = parse_mailbox(&p);
        struct known known = {0};
        parameters(&p, s->enabled, &known);
        if (!parse_end(&p))
                return INVALID;
        if (s->selected) /* RFC 7162 3.2.11 */
                imap_line(s, "* OK [CLOSED] The folder before is closed");
        imap_deselect(s);
        struct folder f;
        enum status st = folder_find(s->site, s->person, name, s->arena, &f);
        if (st == OK && f.mailbox == 0)
                return imap_refuse(s, ABSENT,
                        "[NONEXISTENT] This is a level of the tree and holds no messages");
        if (st != OK)
                return st;
        s->selected = mem_new(sizeof *s->selected);
        uint32_t unseen = 0;
        st = load(s, &f, s->selected, &unseen);
        if (st != OK) {
                imap_deselect(s);
                return st;
        }
        s->selected->read_only = read_only || !f.rights.flags;
        say_selected(s, f.name, unseen);
        st = say_changes(s, &known);
        if (st != OK) {
                imap_deselect(s);
                return st;
        }
        imap_reply(s, "[%s] Selected", s->selected->read_only ? "READ-ONLY" : "READ-WRITE");
        return OK;
}

enum status imap_select(struct session *s, const struct args *a)
{
        return open_folder(s, a, false);
}

enum status imap_examine(struct session *s, const struct args *a)
{
        return open_folder(s, a, true);
}

enum status imap_unselect(struct session *s, const struct args *a)
{
        (void)a;
        imap_deselect(s);
        return OK;
}

/* Has nobody but this session changed anything that it was not told of? */
static bool all_told(struct session *s)
{
        struct selected *m = s->selected;
        struct numset *deleted = numset_copy(m->marks->flag[3]);
        numset_and(deleted, m->told);
        uint32_t left = m->exists - numset_count(deleted);
        numset_free(deleted);
        return imap_catch_up(s) == OK && !m->untold && m->view->count == left &&
               numset_count(m->told) == m->exists;
}

enum status imap_close(struct session *s, const struct args *a)
{
        (void)a;
        struct selected *m = s->selected;
        enum status st = OK;
        if (!m->read_only && m->rights.expunge && numset_count(m->marks->flag[3])) {
                st = imap_expunge_deleted(s, NULL);
                if (st == OK && all_told(s)) /* RFC 7162 3.2.8 */
                        st = imap_reply_highest(s, "Closed");
        }
        imap_deselect(s);
        return st;
}

enum status imap_expunge_deleted(struct session *s, const struct numset *among)
{
        struct selected *m = s->selected;
        /* what another client has undeleted meanwhile stays */
        enum status st = imap_catch_up(s);
        if (st != OK)
                return st;
        struct numset *numbers = numset_copy(m->marks->flag[3]);
        numset_and(numbers, m->view->numbers);
        if (among)
                numset_and(numbers, among);
        if (m->kind == MAILBOX_BOARD) {
                st = imap_board_return(s, numbers);
        } else if (numset_count(numbers) > 0) {
                struct change *change = change_new(s->site->store);
                change_expunge(change, m->mailbox, numbers, NULL);
                st = store_commit(change);
                change_free(change);
        }
        numset_free(numbers);
        return st;
}

enum status imap_expunge(struct session *s, const struct args *a)
{
        struct parse p = imap_arguments(s, a);
        struct numset *among = NULL;
        struct str set = s->uid ? parse_set(&p) : STR_NONE;
        if (!parse_end(&p))
                return INVALID;
        if (s->selected->read_only)
                return imap_refuse(s, FORBIDDEN, "[NOPERM] This folder is open for reading only");
        if (!s->selected->rights.expunge)
                return imap_refuse(s, FORBIDDEN,
                        "[NOPERM] What was posted to a topic stays there for everybody: only its "
                        "owner removes it");
        enum status st = s->uid ? imap_numbers(s, set, true, &among) : OK;
        if (st == OK)
                st = imap_expunge_deleted(s, among);
        if (st == OK)
                st = imap_reply_highest(s, "Expunged");
        numset_free(among);
        return st;
}
