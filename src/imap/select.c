#include "imap/inside.h"

static void say_selected(struct session *s)
{
        struct selected *m = s->selected;
        imap_say_flags(s);
        imap_line(s, "* %u EXISTS", m->exists);
        imap_line(s, "* 0 RECENT");
        struct numset *unseen = numset_copy(m->told);
        numset_andnot(unseen, m->marks->flag[0]);
        uint32_t first = numset_low(unseen);
        numset_free(unseen);
        if (first)
                imap_line(
                        s, "* OK [UNSEEN %u] The first that is not read", imap_sequence(s, first));
        imap_line(s, "* OK [UIDVALIDITY %u] UIDs are valid", m->view->uid_validity);
        imap_line(s, "* OK [UIDNEXT %u] The next number", m->view->next);
}

static enum status load(struct session *s, const struct folder *f, struct selected *m)
{
        enum status st = view_open(s->site->store, f->mailbox, &m->view);
        if (st == OK)
                st = marks_load(s->site->store, f->mailbox, s->person, &m->marks);
        if (st != OK)
                return st;
        m->mailbox = f->mailbox;
        m->kind = f->kind;
        m->rights = f->rights;
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
        if (!parse_end(&p))
                return INVALID;
        imap_deselect(s);
        struct folder f;
        enum status st = folder_find(s->site, s->person, name, s->arena, &f);
        if (st == OK && f.mailbox == 0)
                return imap_refuse(s, ABSENT,
                        "[NONEXISTENT] This is a level of the tree and holds no messages");
        if (st != OK)
                return st;
        s->selected = mem_new(sizeof *s->selected);
        st = load(s, &f, s->selected);
        if (st != OK) {
                imap_deselect(s);
                return st;
        }
        s->selected->read_only = read_only || !f.rights.flags;
        say_selected(s);
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

enum status imap_close(struct session *s, const struct args *a)
{
        (void)a;
        enum status st = OK;
        if (!s->selected->read_only && s->selected->rights.expunge)
                st = imap_expunge_deleted(s, NULL);
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
        if (numset_count(numbers) > 0) {
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
        numset_free(among);
        return st;
}
