#include "imap/fetch_body.h"

struct fetch {
        struct session *session;
        struct items items;
        struct numset *numbers; /* asked for */
        struct numset *newly;   /* of the batch: read by this command */
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
                if (items->pieces[i].path.len)
                        read |= READ_PARTS;
        return read;
}

static void begin(struct fetch *f, uint32_t number)
{
        buf_addf(imap_out(f->session), "* %u FETCH (", imap_sequence(f->session, number));
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
        if (what & ITEM_UID)
                buf_addf(item(f), "UID %u", e->number);
        if ((what & ITEM_FLAGS) || (f->newly && numset_has(f->newly, e->number))) {
                buf_add_text(item(f), "FLAGS ");
                imap_print_flags(imap_out(f->session), f->session->selected->marks, e->number);
        }
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
        } else if (r.streamed) {
                wire_close(f->session->wire); /* a literal was promised that cannot be kept */
                st = CLOSED;
        } else {
                out->len = start;
        }
        reading_release(&r);
        return st;
}

/* \Seen for what this group will show: one change, told in the same responses. */
static enum status see(struct fetch *f, const struct batch *b)
{
        struct session *s = f->session;
        struct selected *m = s->selected;
        numset_free(f->newly);
        f->newly = NULL;
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
        enum status st = marks_store(s->site->store, &marking);
        if (st == OK)
                st = imap_catch_up(s);
        if (st == OK && m->untold)
                numset_andnot(m->untold, f->newly);
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
        enum status st = OK;
        if (s->uid)
                f->items.what |= ITEM_UID;
        if (f->items.count == 0 && !(f->items.what & ~(unsigned)(ITEM_UID | ITEM_FLAGS)))
                say_flags(f);
        else
                st = say_all(f);
        if (st != OK)
                return st;
        if (f->failed != OK)
                return imap_refuse(s, f->failed,
                        "[SERVERBUG] Some of these messages cannot be read: tell whoever runs this "
                        "server");
        if (!s->uid && f->given < numset_count(f->numbers)) /* RFC 9051 7.1 */
                return imap_refuse(
                        s, ABSENT, "[EXPUNGEISSUED] Some of these messages have been removed");
        return OK;
}

enum status imap_fetch(struct session *s, const struct args *a)
{
        struct fetch f = {.session = s};
        struct parse p = imap_arguments(s, a);
        struct str set = parse_set(&p);
        parse_space(&p);
        items_parse(&p, &f.items);
        if (!parse_end(&p))
                return INVALID;
        enum status st = imap_numbers(s, set, s->uid, &f.numbers);
        if (st != OK)
                return st;
        st = run(&f);
        numset_free(f.numbers);
        numset_free(f.newly);
        return st;
}
