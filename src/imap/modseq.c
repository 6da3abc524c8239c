#include "imap/inside.h"

static void say_highest(struct session *s)
{
        uint64_t highest;
        if (imap_highest(s, s->selected->view, &highest) == OK)
                imap_line(s, "* OK [HIGHESTMODSEQ %llu] The last change",
                        (unsigned long long)highest);
}

void imap_condstore(struct session *s)
{
        if (s->enabled & ENABLED_CONDSTORE)
                return;
        s->enabled |= ENABLED_CONDSTORE;
        if (s->selected)
                say_highest(s);
}

enum status imap_highest(struct session *s, const struct view *v, uint64_t *out)
{
        enum status st = mailbox_modseq(s->site->store, v->mailbox, s->person, out);
        if (st != OK)
                return st;
        if (*out > v->position) /* what came after the view has not been told */
                *out = v->position;
        if (*out == 0)
                *out = 1;
        return OK;
}

enum status imap_reply_highest(struct session *s, const char *words)
{
        uint64_t highest;
        if (!(s->enabled & ENABLED_QRESYNC))
                return OK;
        enum status st = imap_catch_up(s);
        if (st == OK)
                st = imap_highest(s, s->selected->view, &highest);
        if (st == OK)
                imap_reply(s, "[HIGHESTMODSEQ %llu] %s", (unsigned long long)highest, words);
        return st;
}

void imap_say_vanished(struct session *s, const struct numset *numbers, bool earlier)
{
        if (numset_count(numbers) == 0)
                return;
        buf_add_text(imap_out(s), earlier ? "* VANISHED (EARLIER) " : "* VANISHED ");
        numset_print(numbers, imap_out(s));
        imap_end(s);
}

enum status modseqs_load(
        struct session *s, const struct numset *which, uint64_t since, struct modseqs *out)
{
        struct changed_since asked = {.person = s->person, .since = since, .which = which};
        const struct view *v = s->selected->view;
        uint32_t count = numset_count(which);
        *out = (struct modseqs){.which = which};
        if (!(s->enabled & ENABLED_CONDSTORE))
                return OK;
        out->at = mem_new((count + 1) * sizeof *out->at);
        enum status st = modseqs_since(s->site->store, v, &asked, out->at);
        for (uint32_t i = 0; st == OK && since && i < count; i++) {
                if (out->at[i] == 0) { /* it had not changed, after all */
                        st = modseqs_read(s->site->store, v, s->person, which, out->at);
                        break;
                }
        }
        for (uint32_t i = 0; st == OK && i < count; i++)
                if (out->at[i] == 0) /* gone by now, and soon told so: later than all else */
                        out->at[i] = v->position;
        if (st != OK)
                modseqs_release(out);
        return st;
}

uint64_t modseqs_of(const struct modseqs *m, uint32_t number)
{
        return m->at && numset_has(m->which, number) ? m->at[numset_rank(m->which, number) - 1] : 0;
}

void modseqs_release(struct modseqs *m)
{
        free(m->at);
        m->at = NULL;
}
