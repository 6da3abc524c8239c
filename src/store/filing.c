#include "base/crypt.h"
#include "base/clock.h"
#include "store/bases.h"
#include "store/body.h"
#include "store/mark.h"
#include "store/rows.h"
#include "store/shown.h"
#include "store/thread.h"
#include "store/view.h"

enum {
        NUMBER_LAST = 0x7fffffff, /* RFC 3977 6: article numbers fit 31 bits */
        SAME_ID_MOST = 64,        /* messages under one Message-ID that are looked at */
};

struct file_op {
        struct op op;
        struct filing *filing;
        struct message_record record; /* as a new message */
        struct ancestry ancestry;
        struct body chunks;
        struct buf head, tail, references;
        struct buf stored; /* the record of a message that was here before, while it is looked at */
        struct str xref; /* while an entry is put */
        uint64_t ahead; /* body written ahead, or 0 */
        time_t now;
        bool settled, landed; /* the body written ahead is the message's now; and that is flushed.
                               * Else it goes when the change is freed */
};

static enum status check_entry(struct txn *txn, struct op *op, const struct filing_entry *e)
{
        struct row *row;
        enum status st = rows_get(txn, op->store, e->mailbox, &row);
        if (st != OK)
                return st;
        if (row->mailbox.next > NUMBER_LAST - 64)
                return TOO_MANY;
        if (!e->person || !e->keyword_count)
                return OK;
        struct marking m = {.mailbox = e->mailbox,
                .person = e->person,
                .keywords = e->keywords,
                .keyword_count = e->keyword_count};
        return words_check(txn, op, &m);
}

/* The newest message or ghost under the Message-ID below *message, which it becomes. ABSENT. */
static enum status id_before(
        struct txn *txn, const struct file_op *f, uint64_t *message, struct id_record *out)
{
        struct key from = key_ids(f->record.id_hash), upto = key_id(f->record.id_hash, *message);
        struct buf key = {0}, value = {0};
        const unsigned char *hash;
        enum status st = table_last(
                f->op.store->env, txn, TABLE_ID, key_str(&from), key_str(&upto), &key, &value);
        if (st == OK)
                st = id_read(buf_str(&value), out);
        if (st == OK && !key_id_read(buf_str(&key), &hash, message))
                st = codec_damaged("a Message-ID");
        buf_release(&key);
        buf_release(&value);
        return st;
}

/* Is the message in a topic? Goes from mailbox to mailbox: there may be many copies in one. */
static enum status in_topic(struct txn *txn, struct op *op, uint64_t message, bool *is)
{
        struct place at = {0};
        struct row *row;
        enum status st = OK;
        *is = false;
        while (!*is && (st = place_from(op->store, txn, message, &at, NULL)) == OK) {
                st = rows_get(txn, op->store, at.mailbox, &row);
                if (st != OK && st != ABSENT)
                        break;
                *is = st == OK && row->mailbox.kind == MAILBOX_TOPIC;
                at = (struct place){.mailbox = at.mailbox + 1};
        }
        return st == ABSENT ? OK : st;
}

/* An id that so many messages have is not one that news can take. */
static enum status check_unique(struct txn *txn, struct file_op *f)
{
        uint64_t message = UINT64_MAX;
        bool found = false;
        enum status st = OK;
        for (unsigned looked = 0; st == OK && !found; looked++) {
                struct id_record id;
                st = id_before(txn, f, &message, &id);
                if (st == OK && !id.ghost)
                        st = in_topic(txn, &f->op, message, &found);
                found = found || looked == SAME_ID_MOST;
        }
        if (st != OK && st != ABSENT)
                return st;
        return found ? EXISTS : OK;
}

static enum status file_check(struct txn *txn, struct op *op)
{
        struct file_op *f = (struct file_op *)op;
        enum status st = OK;
        for (size_t i = 0; st == OK && i < f->filing->entry_count; i++)
                st = check_entry(txn, op, &f->filing->entries[i]);
        return st == OK && f->filing->unique_id ? check_unique(txn, f) : st;
}

/* ---- the message itself ---- */

static enum status get_message(
        struct txn *txn, struct file_op *f, uint64_t message, struct message_record *out)
{
        struct key key = key_message(message);
        buf_clear(&f->stored);
        enum status st = get_value(f->op.store, txn, TABLE_MESSAGE, &key, &f->stored);
        return st == OK ? message_read(buf_str(&f->stored), out) : st;
}

static enum status put_message(struct txn *txn, uint64_t message, const struct message_record *m)
{
        struct buf value = {0};
        struct key key = key_message(message);
        message_write(m, &value);
        return put_value(txn, TABLE_MESSAGE, &key, &value);
}

/* The stored message that is this one: the same Message-ID and the same octets. ABSENT; and then
 * *ghost is the ghost whose place it takes: only the first message under a Message-ID does. 0:
 * none. Of many under one Message-ID, which is nobody's honest work, it looks at the newest. */
static enum status find_same(
        struct txn *txn, struct file_op *f, struct message_record *out, uint64_t *ghost)
{
        uint64_t message = UINT64_MAX;
        bool taken = false, same = false;
        enum status st = OK;
        *ghost = 0;
        for (unsigned looked = 0; st == OK && !same && looked < SAME_ID_MOST; looked++) {
                struct id_record id;
                st = id_before(txn, f, &message, &id);
                if (st != OK)
                        break;
                if (id.ghost) {
                        *ghost = message;
                        continue;
                }
                taken = true;
                st = get_message(txn, f, message, out);
                same = st == OK && memcmp(out->byte_hash, f->record.byte_hash, HASH_SIZE) == 0;
        }
        *ghost = taken ? 0 : *ghost;
        if (same)
                f->filing->message = message;
        return st == OK && !same ? ABSENT : st;
}

static enum status put_part(
        struct txn *txn, uint64_t message, unsigned part, const struct buf *value)
{
        struct key key = key_derived(message, part);
        return table_put(txn, TABLE_DERIVED, key_str(&key), buf_str(value));
}

static enum status put_new(struct txn *txn, struct file_op *f, uint64_t ghost)
{
        struct buf value = {0};
        struct id_record id = {.ghost = false, .modseq = f->op.modseq};
        uint64_t *message = &f->filing->message;
        *message = ghost;
        enum status st = ghost ? thread_awake(txn, &f->op, ghost)
                               : counter_take(txn, f->op.store, COUNTER_MESSAGE, message);
        if (st != OK)
                return st;
        struct key key = key_id(f->record.id_hash, *message);
        id_write(&id, &value);
        st = put_value(txn, TABLE_ID, &key, &value);
        if (st == OK)
                st = put_part(txn, *message, DERIVED_HEAD, &f->head);
        if (st == OK)
                st = put_part(txn, *message, DERIVED_TAIL, &f->tail);
        if (st == OK && f->ahead)
                st = body_settle(txn, f->ahead);
        else if (st == OK)
                st = body_put(txn, *message, 0, &f->chunks);
        if (st == OK)
                st = thread_join(txn, &f->op, *message, &f->ancestry, !ghost);
        return st;
}

/* ---- its entries ---- */

static enum status place_in(
        struct txn *txn, struct op *op, uint64_t message, uint32_t mailbox, uint32_t *number)
{
        struct key prefix = key_places_in(message, mailbox);
        struct scan *scan = scan_prefix(op->store, txn, TABLE_PLACE, &prefix);
        struct str key, value;
        struct place place;
        enum status st = scan_next(scan, &key, &value);
        if (st == OK && key_place_read(key, &message, &place))
                *number = place.number;
        scan_close(scan);
        return st;
}

/* Gives numbers. `stored`: the message was here before, and may lie in some of these mailboxes. */
static enum status give_numbers(struct txn *txn, struct file_op *f, uint64_t message, bool stored)
{
        struct filing *filing = f->filing;
        enum status st = OK;
        for (size_t i = 0; st == OK && i < filing->entry_count; i++) {
                struct filing_entry *e = &filing->entries[i];
                struct row *row;
                e->already = false;
                for (size_t j = 0; filing->once && !e->already && j < i; j++) {
                        e->already = filing->entries[j].mailbox == e->mailbox;
                        e->number = filing->entries[j].number;
                }
                if (stored && filing->once && !e->already) {
                        st = place_in(txn, &f->op, message, e->mailbox, &e->number);
                        e->already = st == OK;
                        st = st == ABSENT ? OK : st;
                }
                if (e->already || st != OK)
                        continue;
                st = rows_get(txn, f->op.store, e->mailbox, &row);
                if (st != OK)
                        continue;
                e->number = row->mailbox.next++;
                row->mailbox.count++;
                row->mailbox.modseq = f->op.modseq;
                rows_touch(f->op.store, row);
        }
        return st;
}

/* "Xref: site group:number ...\r\n" (RFC 5536 3.2.14) of one news entry: the places that all its
 * readers may know. */
static enum status write_xref(
        struct txn *txn, struct file_op *f, const struct filing_entry *of, struct buf *out)
{
        struct filing *filing = f->filing;
        enum status st = OK;
        buf_add_text(out, "Xref: ");
        buf_add(out, filing->site);
        for (size_t i = 0; st == OK && i < filing->entry_count; i++) {
                const struct filing_entry *e = &filing->entries[i];
                struct row *row;
                if (!e->news || (e->private && e != of))
                        continue;
                st = rows_get(txn, f->op.store, e->mailbox, &row);
                if (st == OK)
                        buf_addf(out, " %.*s:%u", STR_ARG(row->mailbox.name), e->number);
        }
        buf_add_text(out, "\r\n");
        return st;
}

static enum status put_overview(
        struct txn *txn, struct file_op *f, const struct filing_entry *e, uint64_t size)
{
        struct buf value = {0};
        struct key key = key_entry(e->mailbox, e->number);
        text_write(f->filing->derived->overview, &value);
        buf_addf(&value, "\t%llu\t%u\t", (unsigned long long)size, f->filing->derived->lines);
        buf_add(&value, f->xref);
        return put_value(txn, TABLE_OVERVIEW, &key, &value);
}

static enum status put_flags(struct txn *txn, struct file_op *f, const struct filing_entry *e)
{
        struct numset *one = numset_new();
        struct mark_place place = {
                .person = HISTORY, .mailbox = e->mailbox, .flag = FLAG_INDEX_SEEN};
        enum status st = OK;
        numset_add(one, e->number);
        if (e->history)
                st = mark_set(txn, &f->op, &place, one, true, NULL);
        place.person = e->person;
        for (unsigned i = 0; st == OK && e->person && i < FLAG_COUNT; i++) {
                place.flag = i;
                if (e->flags >> i & 1)
                        st = mark_set(txn, &f->op, &place, one, true, NULL);
        }
        for (size_t i = 0; st == OK && e->person && i < e->keyword_count; i++) {
                st = words_make(txn, &f->op, &place, e->keywords[i], &place.flag);
                if (st == OK)
                        st = mark_set(txn, &f->op, &place, one, true, NULL);
        }
        if (st == OK && e->person && (e->flags || e->keyword_count))
                st = change_note(txn, &f->op, e->mailbox, e->person, one);
        numset_free(one);
        return st;
}

/* The record that shows the message there, its prefix in it. */
static enum status put_shown_entry(
        struct txn *txn, struct file_op *f, const struct filing_entry *e, struct entry *entry)
{
        struct buf text = {0}, steps = {0}, value = {0};
        struct key key = key_entry(e->mailbox, e->number);
        struct row *row;
        struct packed packed;
        enum status st = rows_get(txn, f->op.store, e->mailbox, &row);
        buf_add(&text, e->prefix);
        if (e->news)
                buf_add(&text, f->xref);
        if (st == OK) {
                struct new_prefix p = {f->op.store, e->number, buf_str(&text), &steps};
                st = bases_pack(txn, row, &p, &packed);
        }
        if (st == OK) {
                entry->size += packed.size;
                entry_write(entry, &packed, &value);
                st = table_put(txn, TABLE_ENTRY, key_str(&key), buf_str(&value));
        }
        buf_release(&text);
        buf_release(&steps);
        buf_release(&value);
        return st;
}

static enum status put_entry(struct txn *txn, struct file_op *f, const struct filing_entry *e,
        const struct message_record *m)
{
        struct entry entry = {.message = f->filing->message,
                .modseq = f->op.modseq,
                .size = m->size,
                .date = e->date ? e->date : f->now,
                .header_size = m->header_size,
                .dots = m->dots,
                .body = m->body};
        struct key place = key_place(entry.message, e->mailbox, e->number);
        enum status st = put_shown_entry(txn, f, e, &entry);
        if (st == OK) {
                struct buf value = {0};
                place_write(entry.modseq, &value);
                st = put_value(txn, TABLE_PLACE, &place, &value);
        }
        if (st == OK && e->news)
                st = put_overview(txn, f, e, entry.size);
        if (st == OK && (e->history || e->person))
                st = put_flags(txn, f, e);
        return st;
}

static enum status put_entries(struct txn *txn, struct file_op *f, struct message_record *m)
{
        struct filing *filing = f->filing;
        struct buf xref = {0};
        enum status st = OK;
        for (size_t i = 0; st == OK && i < filing->entry_count; i++) {
                const struct filing_entry *e = &filing->entries[i];
                if (e->already)
                        continue;
                buf_clear(&xref);
                if (e->news)
                        st = write_xref(txn, f, e, &xref);
                f->xref = buf_str(&xref);
                if (st == OK)
                        st = put_entry(txn, f, e, m);
                m->refs++;
        }
        buf_release(&xref);
        f->xref = STR_NONE;
        return st;
}

/* Who is named sees it in a folder of their own, and at home. */
static enum status put_shown(struct txn *txn, struct file_op *f, const struct filing_entry *e)
{
        struct place here = {e->mailbox, e->number};
        struct row *row;
        enum status st = rows_get(txn, f->op.store, e->mailbox, &row);
        for (size_t i = 0; st == OK && i < f->filing->entry_count; i++) {
                const struct filing_entry *home = &f->filing->entries[i];
                struct place there = {home->mailbox, home->number};
                if (home->news)
                        st = shown_put(txn, row->mailbox.owner, &here, &there);
        }
        return st;
}

static enum status file_put(struct txn *txn, struct op *op)
{
        struct file_op *f = (struct file_op *)op;
        struct message_record m = {0};
        uint64_t ghost;
        enum status st = find_same(txn, f, &m, &ghost);
        bool stored = st == OK;
        if (st == ABSENT) {
                m = f->record;
                m.modseq = op->modseq;
                st = put_new(txn, f, ghost);
                m.body = f->ahead ? f->ahead : f->filing->message;
        }
        uint32_t refs = m.refs;
        if (st == OK)
                st = give_numbers(txn, f, f->filing->message, stored);
        if (st == OK)
                st = put_entries(txn, f, &m);
        for (size_t i = 0; st == OK && i < f->filing->entry_count; i++)
                if (f->filing->entries[i].shown)
                        st = put_shown(txn, f, &f->filing->entries[i]);
        if (st == OK && (m.refs != refs || !stored))
                st = put_message(txn, f->filing->message, &m);
        f->settled = m.body == f->ahead;
        return st;
}

static void file_publish(struct store *store, struct op *op)
{
        struct file_op *f = (struct file_op *)op;
        struct filing *filing = f->filing;
        f->landed = f->settled;
        for (size_t i = 0; i < filing->entry_count; i++) {
                const struct filing_entry *e = &filing->entries[i];
                if (!e->already)
                        views_added(op, e->mailbox, e->number, e->number);
        }
        views_passed(store, op);
}

static void file_free(struct op *op)
{
        struct file_op *f = (struct file_op *)op;
        if (f->ahead && !f->landed)
                body_give_up(op->store, f->ahead);
        body_release(&f->chunks);
        buf_release(&f->head);
        buf_release(&f->tail);
        buf_release(&f->references);
        buf_release(&f->stored);
        free(f);
}

static const struct op_kind file_kind = {
        .name = "filing",
        .check = file_check,
        .put = file_put,
        .publish = file_publish,
        .free = file_free,
};

/* The parent is the last reference that is not the message itself. */
static void find_ancestry(const struct derived *d, struct ancestry *out)
{
        size_t last = d->reference_count;
        while (last && str_eq(d->references[last - 1], d->message_id))
                last--;
        if (!last)
                return;
        out->parent = true;
        sha256(d->references[last - 1], out->parent_hash);
        out->first = last > 1 && !str_eq(d->references[0], d->message_id) &&
                     !str_eq(d->references[0], d->references[last - 1]);
        if (out->first)
                sha256(d->references[0], out->first_hash);
}

enum status change_file(struct change *change, struct filing *filing)
{
        const struct derived *d = filing->derived;
        struct file_op *f = mem_new(sizeof *f);
        enum status st = OK;
        f->op.kind = &file_kind;
        f->op.adds = true;
        f->filing = filing;
        f->now = clock_now();
        message_of(d, &f->references, &f->record);
        f->record.size = filing->bytes.len;
        sha256(filing->bytes, f->record.byte_hash);
        find_ancestry(d, &f->ancestry);
        derived_head_write(d, &f->head);
        derived_tail_write(d, &f->tail);
        if (filing->bytes.len > AHEAD_SIZE)
                st = body_write_ahead(change->store, filing->bytes, &f->ahead);
        else
                body_encode(filing->bytes, 0, SIZE_MAX, &f->chunks);
        if (st != OK) {
                f->ahead = 0;
                f->op.store = change->store;
                file_free(&f->op);
                return st;
        }
        f->op.weight = f->chunks.octets.len + f->head.len + f->tail.len + f->references.len +
                       1024 * filing->entry_count;
        change_op(change, &f->op);
        return OK;
}

enum status message_file(struct store *store, struct filing *filing)
{
        struct change *change = change_new(store);
        enum status st = change_file(change, filing);
        if (st == OK)
                st = store_commit(change);
        change_free(change);
        return st;
}
