#include "imap/inside.h"

/* clang-format off */
static const struct { const char *name; unsigned bit; } items[] = {
        { "MESSAGES",    STATUS_MESSAGES    },
        { "RECENT",      STATUS_RECENT      },
        { "UIDNEXT",     STATUS_UIDNEXT     },
        { "UIDVALIDITY", STATUS_UIDVALIDITY },
        { "UNSEEN",      STATUS_UNSEEN      },
        { "DELETED",     STATUS_DELETED     },
        { "SIZE",        STATUS_SIZE        },
        { "HIGHESTMODSEQ", STATUS_HIGHEST   },
};
/* clang-format on */

unsigned imap_status_items(struct parse *p)
{
        unsigned all = 0;
        if (!parse_char(p, '('))
                parse_fail(p);
        do {
                unsigned bit = 0;
                for (size_t i = 0; i < COUNT_OF(items) && !bit; i++)
                        if (parse_word(p, items[i].name))
                                bit = items[i].bit;
                if (!bit)
                        parse_fail(p);
                all |= bit;
        } while (parse_char(p, ' ') && !p->bad);
        if (!parse_char(p, ')'))
                parse_fail(p);
        return all;
}

/* What must be counted, because the view does not know it. */
struct counted {
        uint32_t unseen, deleted;
        uint64_t size, highest;
};

static enum status count_marks(
        struct session *s, const struct view *v, unsigned asked, struct counted *c)
{
        struct numset *seen = NULL;
        struct marks *marks = NULL;
        enum status st = OK;
        if (asked & STATUS_DELETED)
                st = marks_load(s->site->store, v->mailbox, s->person, &marks);
        else if (asked & STATUS_UNSEEN)
                st = seen_load(s->site->store, v->mailbox, s->person, &seen);
        if (st == OK && (marks || seen))
                c->unseen = numset_count_andnot(v->numbers, marks ? marks->flag[0] : seen);
        if (st == OK && marks)
                c->deleted = v->count - numset_count_andnot(v->numbers, marks->flag[3]);
        numset_free(seen);
        marks_free(marks);
        return st;
}

static enum status count_size(struct session *s, const struct view *v, struct counted *c)
{
        struct entry entries[BATCH_MAX];
        uint32_t from = 1;
        while (from && !wire_gone(s->wire)) {
                size_t count = COUNT_OF(entries);
                enum status st = entries_read(
                        s->site->store, v->mailbox, v->numbers, &from, entries, &count);
                if (st != OK)
                        return st;
                for (size_t i = 0; i < count; i++)
                        c->size += entries[i].size;
        }
        return OK;
}

static unsigned long long value_of(unsigned bit, const struct view *v, const struct counted *c)
{
        switch (bit) {
        case STATUS_MESSAGES:
                return v->count;
        case STATUS_UIDNEXT:
                return v->next;
        case STATUS_UIDVALIDITY:
                return v->uid_validity;
        case STATUS_UNSEEN:
                return c->unseen;
        case STATUS_DELETED:
                return c->deleted;
        case STATUS_SIZE:
                return c->size;
        case STATUS_HIGHEST:
                return c->highest;
        default: /* STATUS_RECENT: no message is \Recent here */
                return 0;
        }
}

enum status imap_say_status(struct session *s, const struct folder *f, unsigned asked)
{
        const struct view *v;
        struct counted c = {0};
        enum status st = view_open(s->site->store, f->mailbox, &v);
        if (st != OK)
                return st;
        st = count_marks(s, v, asked, &c);
        if (st == OK && (asked & STATUS_SIZE))
                st = count_size(s, v, &c);
        if (st == OK && (asked & STATUS_HIGHEST)) {
                imap_condstore(s);
                st = imap_highest(s, v, &c.highest);
        }
        if (st == OK) {
                struct buf *out = imap_out(s);
                const char *gap = "";
                buf_add_text(out, "* STATUS ");
                print_mailbox(out, f->name, imap_utf8(s));
                buf_add_text(out, " (");
                for (size_t i = 0; i < COUNT_OF(items); i++) {
                        if (!(asked & items[i].bit))
                                continue;
                        buf_addf(out, "%s%s %llu", gap, items[i].name,
                                value_of(items[i].bit, v, &c));
                        gap = " ";
                }
                imap_line(s, ")");
        }
        view_close(s->site->store, v);
        return st;
}

static enum status find(struct session *s, struct str name, struct folder *f)
{
        enum status st = folder_find(s->site, s->person, name, s->arena, f);
        if (st == OK && f->mailbox == 0)
                return imap_refuse(s, ABSENT,
                        "[NONEXISTENT] This is a level of the tree and holds no messages");
        return st;
}

enum status imap_status(struct session *s, const struct args *a)
{
        struct parse p = imap_arguments(s, a);
        struct str name = parse_mailbox(&p);
        parse_space(&p);
        unsigned asked = imap_status_items(&p);
        if (!parse_end(&p))
                return INVALID;
        struct folder f;
        enum status st = find(s, name, &f);
        return st == OK ? imap_say_status(s, &f, asked) : st;
}
