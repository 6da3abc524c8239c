#include "imap/fetch_body.h"

struct fetch {
        struct session *session;
        struct items items;
        struct numset *numbers; /* asked for */
        struct numset *newly;   /* of the batch: read by this command */
        struct modseqs modseqs, newly_modseqs;
        bool only_changed, vanished; /* (CHANGEDSINCE since VANISHED) */
        uint64_t since;
        bool begun;             /* the line has an item */
        uint32_t given;
        enum status failed; /* of some message, when others could be given */
};

static bool needs_stored(const struct items *i)
{
        return i->count > 0 || (i->what & (ITEM_ENVELOPE | ITEM_BODY | ITEM_STRUCTURE));
}

static unsigned to_read(const struct items *items)
{
        unsigned read = READ_SIZES;
        read |= items->what & ITEM_ENVELOPE ? READ_ENVELOPE : 0;
        read |= items->what & ITEM_BODY ? READ_BODY : 0;
        read |= items->what & ITEM_STRUCTURE ? READ_STRUCTURE : 0;
        for (size_t i = 0; i < items->count; i++)
                read |= items->pieces[i].path.len ? READ_PARTS | READ_OCTETS : READ_OCTETS;
        return read;
}

static void begin(struct fetch *f, uint32_t number)
{
        imap_begin_fetch(f->session, number);
        f->begun = false;
}

/* The next item's place in the line. */
static struct buf *item(struct fetch *f)
{
        struct buf *out = imap_out(f->session);
        if (f->begun)
                buf_add_char(out, ' ');
        f->begun = true;
        return out;
}

static void named(struct fetch *f, const char *name, struct str ready)
{
        struct buf *out = item(f);
        buf_add_text(out, name);
        buf_add(out, ready);
}

static void print_plain(struct fetch *f, const struct entry *e)
{
        unsigned what = f->items.what;
        if (what & ITEM_UID) {
                buf_add(item(f), STR("UID "));
                buf_add_number(imap_out(f->session), e->number);
        }
        if ((what & ITEM_FLAGS) || (f->newly && numset_has(f->newly, e->number))) {
                buf_add_text(item(f), "FLAGS ");
                imap_print_flags(imap_out(f->session), f->session->selected->marks, e->number);
        }
        uint64_t modseq = modseqs_of(&f->newly_modseqs, e->number);
        if (!modseq)
                modseq = modseqs_of(&f->modseqs, e->number);
        if (f->modseqs.at && modseq)
                buf_addf(item(f), "MODSEQ (%llu)", (unsigned long long)modseq);
        if (what & ITEM_DATE) {
                buf_add_text(item(f), "INTERNALDATE \"");
                date_print_imap(e->date, imap_out(f->session));
                buf_add_char(imap_out(f->session), '"');
        }
        if (what & ITEM_SIZE)
                buf_addf(item(f), "RFC822.SIZE %llu", (unsigned long long)e->size);
}

/* A hundred sections of a megabyte do not wait for each other: what is too much leaves. */
static enum status print_pieces(struct fetch *f, struct reading *r)
{
        enum { GATHERED_MAX = 262144 };
        enum status st = OK;
        for (size_t i = 0; st == OK && i < f->items.count; i++) {
                struct buf *out = item(f);
                st = reading_print(r, &f->items.pieces[i]);
                if (st != OK || out->len < GATHERED_MAX)
                        continue;
                r->streamed = true;
                wire_room(f->session->wire);
                if (wire_gone(f->session->wire))
                        st = CLOSED;
        }
        return st;
}

/* One FETCH response: whole, or none of it. */
static enum status say_message(struct fetch *f, const struct entry *e, const struct stored *stored)
{
        struct buf *out = imap_out(f->session);
        size_t start = out->len;
        struct reading r = {.session = f->session, .entry = e, .stored = stored};
        begin(f, e->number);
        print_plain(f, e);
        if (f->items.what & ITEM_ENVELOPE)
                named(f, "ENVELOPE ", stored->envelope);
        if (f->items.what & ITEM_BODY)
                named(f, "BODY ", stored->body);
        if (f->items.what & ITEM_STRUCTURE)
                named(f, "BODYSTRUCTURE ", stored->structure);
        enum status st = print_pieces(f, &r);
        if (st == OK) {
                imap_line(f->session, ")");
                f->given++;
                if (f->newly && f->session->selected->untold && numset_has(f->newly, e->number))
                        numset_remove(f->session->selected->untold, e->number);
        } else if (r.streamed) {
                wire_close(f->session->wire); /* a literal was promised that cannot be kept */
                st = CLOSED;
        } else {
                out->len = start;
        }
        reading_release(&r);
        return st;
}

static void forget_newly(struct fetch *f)
{
        modseqs_release(&f->newly_modseqs);
        numset_free(f->newly);
        f->newly = NULL;
}

/* \Seen for what this group will show: one change, told in the same responses, and with it what
 * others did to the same messages meanwhile. */
static enum status see(struct fetch *f, const struct batch *b)
{
        struct session *s = f->session;
        struct selected *m = s->selected;
        forget_newly(f);
        if (!f->items.sees || m->read_only)
                return OK;
        f->newly = numset_new();
        for (size_t i = 0; i < b->count; i++)
                if (!numset_has(m->marks->flag[0], b->entries[i].number))
                        numset_add(f->newly, b->entries[i].number);
        if (numset_count(f->newly) == 0)
                return OK;
        struct marking marking = {.mailbox = m->mailbox,
                .person = s->person,
                .how = MARK_ADD,
                .flags = FLAG_SEEN,
                .numbers = f->newly};
        uint64_t before = m->position;
        enum status st = marks_store(s->site->store, &marking);
        if (st == OK)
                st = imap_catch_up(s);
        if (st == OK)
                st = modseqs_load(s, f->newly, before, &f->newly_modseqs);
        return st;
}

static enum status say_batch(struct fetch *f, const struct batch *b)
{
        enum status st = see(f, b);
        for (size_t i = 0; st == OK && i < b->count && !wire_gone(f->session->wire); i++) {
                if (b->stored && b->stored[i].id == 0)
                        continue; /* gone since its entry was read */
                enum status one = say_message(f, &b->entries[i], b->stored ? &b->stored[i] : NULL);
                if (one == CLOSED)
                        st = CLOSED;
                else if (one != OK && one != ABSENT)
                        f->failed = one;
        }
        return st;
}

static enum status say_all(struct fetch *f)
{
        struct batch *b = batch_new(f->session, f->numbers);
        b->stored_too = needs_stored(&f->items);
        b->read = to_read(&f->items);
        enum status st = OK;
        while (st == OK && !wire_gone(f->session->wire)) {
                st = batch_fill(b);
                if (st == OK)
                        st = say_batch(f, b);
        }
        batch_free(b);
        return st == ABSENT ? OK : st;
}

/* UID and FLAGS are known without reading anything. */
static void say_flags(struct fetch *f)
{
        struct session *s = f->session;
        struct walk w = numset_walk(f->numbers);
        for (uint32_t n; walk_next(&w, &n) && !wire_gone(s->wire);) {
                if (!numset_has(s->selected->view->numbers, n))
                        continue;
                begin(f, n);
                print_plain(f, &(struct entry){.number = n});
                imap_line(s, ")");
                f->given++;
        }
}

static enum status run(struct fetch *f)
{
        struct session *s = f->session;
        enum status st = modseqs_load(s, f->numbers, 0, &f->modseqs);
        unsigned known = ITEM_UID | ITEM_FLAGS | ITEM_MODSEQ;
        if (s->uid)
                f->items.what |= ITEM_UID;
        if (st == OK && f->items.count == 0 && !(f->items.what & ~known))
                say_flags(f);
        else if (st == OK)
                st = say_all(f);
        if (st != OK)
                return st;
        if (f->failed == UNSUPPORTED)
                return imap_refuse(s, f->failed,
                        "[UNKNOWN-CTE] A part has a transfer encoding that nobody knows");
        if (f->failed != OK)
                return imap_refuse(s, f->failed,
                        "[SERVERBUG] Some of these messages cannot be read: tell whoever runs this "
                        "server");
        if (!s->uid && f->given < numset_count(f->numbers)) /* RFC 9051 7.1 */
                return imap_refuse(
                        s, ABSENT, "[EXPUNGEISSUED] Some of these messages have been removed");
        return OK;
}

/* fetch-modifiers of RFC 7162: "(CHANGEDSINCE 7 VANISHED)", in any order. */
static void modifiers(struct parse *p, struct fetch *f)
{
        if (!parse_char(p, ' ') || p->at == p->end)
                return;
        if (!parse_char(p, '('))
                parse_fail(p);
        do {
                if (parse_word(p, "CHANGEDSINCE")) {
                        parse_space(p);
                        f->since = parse_number64(p);
                        f->only_changed = true;
                } else if (parse_word(p, "VANISHED")) {
                        f->vanished = true;
                } else {
                        parse_fail(p);
                }
        } while (parse_char(p, ' ') && !p->bad);
        if (!parse_char(p, ')'))
                parse_fail(p);
        const struct session *s = f->session;
        if (f->vanished && !(f->only_changed && s->uid && (s->enabled & ENABLED_QRESYNC)))
                parse_fail(p);
}

/* Leaves what changed since, and says what has vanished since (RFC 7162 3.2.6). */
static enum status only_changed(struct fetch *f, struct str set)
{
        struct session *s = f->session;
        const struct selected *m = s->selected;
        struct numset *changed = numset_new(), *vanished = numset_new(), *asked = NULL;
        enum status st = mailbox_changed(s->site->store, m->view, s->person, f->since, changed);
        numset_and(f->numbers, changed);
        if (st == OK && f->vanished)
                st = mailbox_changes(s->site->store, m->view, s->person, f->since, NULL, vanished);
        if (st == OK && f->vanished && str_eq(set, STR("$")))
                asked = m->saved ? numset_copy(m->saved) : numset_new();
        else if (st == OK && f->vanished)
                st = numset_parse(set, m->view->next - 1, &asked);
        if (st == OK && asked) {
                numset_and(vanished, asked);
                imap_say_vanished(s, vanished, true);
        }
        numset_free(changed);
        numset_free(vanished);
        numset_free(asked);
        return st;
}

enum status imap_fetch(struct session *s, const struct args *a)
{
        struct fetch f = {.session = s};
        struct parse p = imap_arguments(s, a);
        struct str set = parse_set(&p);
        parse_space(&p);
        items_parse(&p, &f.items);
        modifiers(&p, &f);
        if (!parse_end(&p))
                return INVALID;
        if (f.only_changed || (f.items.what & ITEM_MODSEQ))
                imap_condstore(s);
        enum status st = imap_numbers(s, set, s->uid, &f.numbers);
        if (st != OK)
                return st;
        if (f.only_changed)
                st = only_changed(&f, set);
        if (st == OK)
                st = run(&f);
        forget_newly(&f);
        modseqs_release(&f.modseqs);
        numset_free(f.numbers);
        return st;
}
