#include "imap/search.h"
#include "imap/tree.h"
#include "team/room.h"

/* What a message takes beside its row, as a rule: its references, and its share of the tree. */
enum { USUAL = 400 };

_Static_assert((int)THREAD_ID_SIZE == (int)REFERENCE_SIZE, "ids of threads are the store's");

/* What threads are made of, of a batch of messages. */
struct table {
        struct threaded *rows;
        size_t count;
        struct arena *arena; /* of their references */
};

static void take_batch(struct session *s, const struct batch *b, struct table *t)
{
        for (size_t i = 0; i < b->count; i++) {
                const struct stored *m = &b->stored[i];
                if (m->id == 0)
                        continue;
                struct threaded *row = &t->rows[t->count++];
                uint32_t number = b->entries[i].number;
                row->shown = s->uid ? number : imap_sequence(s, number);
                row->date = m->date ? m->date : b->entries[i].date;
                row->reply = m->reply;
                row->references = arena_copy(t->arena, m->references);
                memcpy(row->id, m->reference, sizeof row->id);
                memcpy(row->subject, m->subject_key, sizeof row->subject);
        }
}

static enum status read_all(struct session *s, const struct numset *found, struct table *t)
{
        struct batch *b = batch_new(s, found);
        b->stored_too = true;
        b->read = READ_REFERENCES;
        enum status st = OK;
        while (st == OK && !wire_gone(s->wire)) {
                st = batch_fill(b);
                if (st == OK)
                        take_batch(s, b, t);
        }
        batch_free(b);
        return st == ABSENT ? OK : st;
}

/* Gathers the answer; its end is said when the memory has been given back. */
static enum status say_threads(struct session *s, const struct numset *found, bool by_references)
{
        uint64_t room = numset_count(found) * (uint64_t)(sizeof(struct threaded) + USUAL);
        enum status st = room_take(s->site->room, s->wire, room);
        if (st != OK)
                return st;
        struct table t = {.rows = mem_new((numset_count(found) + 1) * sizeof *t.rows),
                .arena = arena_new()};
        struct buf text = {0};
        st = read_all(s, found, &t);
        if (st == OK && by_references)
                thread_references(t.rows, t.count, &text);
        else if (st == OK)
                thread_subjects(t.rows, t.count, &text);
        if (st == OK) {
                buf_add_text(imap_out(s), t.count ? "* THREAD " : "* THREAD");
                buf_add(imap_out(s), buf_str(&text));
        }
        buf_release(&text);
        free(t.rows);
        arena_free(t.arena);
        room_leave(s->site->room, room);
        return st;
}

static enum status thread(struct session *s, struct key *key, bool by_references)
{
        struct numset *found;
        enum status st = search_run(s, key, &found);
        if (st != OK)
                return st;
        st = say_threads(s, found, by_references);
        if (st == OK)
                imap_end(s);
        numset_free(found);
        return st;
}

enum status imap_thread(struct session *s, const struct args *a)
{
        struct parse p = imap_arguments(s, a);
        bool by_references = parse_word(&p, "REFERENCES");
        enum charset charset;
        if (!by_references && !parse_word(&p, "ORDEREDSUBJECT"))
                parse_fail(&p);
        parse_space(&p);
        struct key *key = keys_parse_sorted(&p, &charset);
        enum status st = search_charset(s, charset);
        if (st != OK)
                return st;
        return key ? thread(s, key, by_references) : INVALID;
}
