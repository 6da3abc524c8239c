#include "imap/search.h"
#include "imap/tree.h"
#include "mail/header.h"

_Static_assert((int)THREAD_ID_SIZE == (int)REFERENCE_SIZE, "ids of threads are the store's");

/* What threads are made of, of a batch of messages. */
static void take_batch(
        struct session *s, const struct batch *b, struct threaded *list, size_t *count)
{
        for (size_t i = 0; i < b->count; i++) {
                const struct stored *m = &b->stored[i];
                if (m->id == 0)
                        continue;
                char id[REFERENCE_SIZE];
                message_reference(m->message_id, id);
                list[(*count)++] = (struct threaded){
                        .shown = s->uid ? b->entries[i].number
                                        : imap_sequence(s, b->entries[i].number),
                        .date = m->date ? m->date : b->entries[i].date,
                        .id = arena_copy(s->arena, str_make(id, sizeof id)),
                        .references = arena_copy(s->arena, m->references),
                        .subject = arena_copy(s->arena, m->base_subject),
                        .reply = header_is_reply(m->subject)};
        }
}

static enum status read_all(struct session *s, const struct numset *found, struct threaded *list,
        size_t *count)
{
        struct batch *b = batch_new(s, found);
        b->stored_too = true;
        b->read = READ_SUMMARY | READ_REFERENCES;
        enum status st = OK;
        while (st == OK && !wire_gone(s->wire)) {
                st = batch_fill(b);
                if (st == OK)
                        take_batch(s, b, list, count);
        }
        batch_free(b);
        return st == ABSENT ? OK : st;
}

static enum status thread(struct session *s, struct key *key, bool by_references)
{
        struct numset *found;
        enum status st = search_run(s, key, &found);
        if (st != OK)
                return st;
        struct threaded *list = mem_new((numset_count(found) + 1) * sizeof *list);
        struct buf text = {0};
        size_t count = 0;
        st = read_all(s, found, list, &count);
        if (st == OK && by_references)
                thread_references(list, count, &text);
        else if (st == OK)
                thread_subjects(list, count, &text);
        if (st == OK) {
                buf_add_text(imap_out(s), count ? "* THREAD " : "* THREAD");
                buf_add(imap_out(s), buf_str(&text));
                imap_end(s);
        }
        buf_release(&text);
        free(list);
        numset_free(found);
        return st;
}

enum status imap_thread(struct session *s, const struct args *a)
{
        struct parse p = imap_arguments(s, a);
        bool bad_charset, by_references = parse_word(&p, "REFERENCES");
        if (!by_references && !parse_word(&p, "ORDEREDSUBJECT"))
                parse_fail(&p);
        parse_space(&p);
        struct key *key = keys_parse_sorted(&p, &bad_charset);
        if (bad_charset)
                return search_bad_charset(s);
        return key ? thread(s, key, by_references) : INVALID;
}
