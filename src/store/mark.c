#include "store/mark.h"
#include "store/rows.h"

/* A part of a set that lies in one block. */
struct piece {
        uint32_t block;
        struct block bits;
};

/* The next piece; *n is the next number, 0 at the end. */
static bool next_piece(struct walk *walk, uint32_t *n, struct piece *out)
{
        if (!*n)
                return false;
        out->block = *n >> BLOCK_BITS;
        memset(&out->bits, 0, sizeof out->bits);
        do {
                block_set(&out->bits, *n & (BLOCK_NUMBERS - 1));
                if (!walk_next(walk, n))
                        *n = 0;
        } while (*n && *n >> BLOCK_BITS == out->block);
        return true;
}

static struct walk begin(const struct numset *set, uint32_t *n)
{
        struct walk walk = numset_walk(set);
        if (!walk_next(&walk, n))
                *n = 0;
        return walk;
}

static void add_block(struct numset *out, uint32_t block, const struct block *bits)
{
        uint32_t at = 0, low, high, base = block << BLOCK_BITS;
        while (block_run(bits, &at, &low, &high))
                numset_add_range(out, base + low, base + high);
}

static enum status get_block(struct store *store, struct txn *txn, const struct mark_place *p,
        uint32_t block, struct block *out)
{
        struct buf value = {0};
        struct key key = key_mark(p->person, p->mailbox, p->flag, block);
        enum status st = get_value(store, txn, TABLE_MARK, &key, &value);
        if (st == OK)
                st = block_read(buf_str(&value), out);
        else if (st == ABSENT)
                memset(out, 0, sizeof *out), st = OK;
        buf_release(&value);
        return st;
}

static enum status put_block(
        struct txn *txn, const struct mark_place *p, uint32_t block, const struct block *bits)
{
        struct buf value = {0};
        struct key key = key_mark(p->person, p->mailbox, p->flag, block);
        if (block_is_empty(bits))
                return drop_value(txn, TABLE_MARK, &key);
        block_write(bits, &value);
        return put_value(txn, TABLE_MARK, &key, &value);
}

/* What \Seen is relative to. */
static enum status get_base(struct store *store, struct txn *txn, const struct mark_place *p,
        uint32_t block, struct block *out)
{
        struct mark_place history = {
                .person = HISTORY, .mailbox = p->mailbox, .flag = FLAG_INDEX_SEEN};
        if (p->person != HISTORY && p->flag == FLAG_INDEX_SEEN)
                return get_block(store, txn, &history, block, out);
        memset(out, 0, sizeof *out);
        return OK;
}

static enum status set_piece(struct txn *txn, struct op *op, const struct mark_place *p,
        const struct piece *piece, bool on, struct numset *changed)
{
        struct block bits, base;
        enum status st = get_block(op->store, txn, p, piece->block, &bits);
        if (st == OK)
                st = get_base(op->store, txn, p, piece->block, &base);
        if (st != OK)
                return st;
        uint64_t any = 0;
        struct block turned;
        for (unsigned i = 0; i < BLOCK_WORDS; i++) {
                uint64_t has = bits.bits[i] ^ base.bits[i];
                turned.bits[i] = piece->bits.bits[i] & (on ? ~has : has);
                bits.bits[i] ^= turned.bits[i];
                any |= turned.bits[i];
        }
        if (!any)
                return OK;
        if (changed)
                add_block(changed, piece->block, &turned);
        return put_block(txn, p, piece->block, &bits);
}

enum status mark_set(struct txn *txn, struct op *op, const struct mark_place *p,
        const struct numset *set, bool on, struct numset *changed)
{
        uint32_t n;
        struct walk walk = begin(set, &n);
        struct piece piece;
        enum status st = OK;
        while (st == OK && next_piece(&walk, &n, &piece))
                st = set_piece(txn, op, p, &piece, on, changed);
        return st;
}

enum status mark_wipe(
        struct txn *txn, struct op *op, const struct mark_place *p, const struct numset *set)
{
        uint32_t n;
        struct walk walk = begin(set, &n);
        struct piece piece;
        struct block bits;
        enum status st = OK;
        while (st == OK && next_piece(&walk, &n, &piece)) {
                uint64_t any = 0;
                st = get_block(op->store, txn, p, piece.block, &bits);
                for (unsigned i = 0; st == OK && i < BLOCK_WORDS; i++) {
                        any |= bits.bits[i] & piece.bits.bits[i];
                        bits.bits[i] &= ~piece.bits.bits[i];
                }
                if (st == OK && any)
                        st = put_block(txn, p, piece.block, &bits);
        }
        return st;
}

enum status mark_get(struct store *store, struct txn *txn, const struct mark_place *p,
        const struct numset *which, struct numset *out)
{
        uint32_t n;
        struct walk walk = begin(which, &n);
        struct piece piece;
        struct block bits, base;
        enum status st = OK;
        while (st == OK && next_piece(&walk, &n, &piece)) {
                st = get_block(store, txn, p, piece.block, &bits);
                if (st == OK)
                        st = get_base(store, txn, p, piece.block, &base);
                for (unsigned i = 0; st == OK && i < BLOCK_WORDS; i++)
                        bits.bits[i] = (bits.bits[i] ^ base.bits[i]) & piece.bits.bits[i];
                if (st == OK)
                        add_block(out, piece.block, &bits);
        }
        return st;
}

/* ---- keywords ---- */

enum status words_get(struct store *store, struct txn *txn, uint32_t person, uint32_t mailbox,
        struct buf *value, struct words *out)
{
        struct key key = key_words(person, mailbox);
        *out = (struct words){0};
        enum status st = get_value(store, txn, TABLE_FLAG, &key, value);
        if (st == OK)
                st = words_read(buf_str(value), out);
        return st == ABSENT ? OK : st;
}

size_t words_find(const struct words *words, struct str word)
{
        size_t i = 0;
        while (i < words->count && !(words->at[i].len && str_same(words->at[i], word)))
                i++;
        return i;
}

/* A keyword that is on no message any more gives its place to a new one. */
static enum status is_unused(
        struct txn *txn, struct op *op, const struct mark_place *p, size_t slot, bool *unused)
{
        struct key prefix = key_marks_of(
                p->person, p->mailbox, FLAG_INDEX_KEYWORDS + (unsigned)slot);
        struct scan *scan = scan_prefix(op->store, txn, TABLE_MARK, &prefix);
        struct str key, value;
        enum status st = scan_next(scan, &key, &value);
        *unused = st == ABSENT;
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

static enum status find_slot(struct txn *txn, struct op *op, const struct mark_place *p,
        const struct words *words, size_t *slot)
{
        bool unused = false;
        *slot = words->count;
        if (words->count < KEYWORDS_MAX)
                return OK;
        for (*slot = 0; *slot < KEYWORDS_MAX; ++*slot) {
                enum status st = is_unused(txn, op, p, *slot, &unused);
                if (st != OK || unused)
                        return st;
        }
        return TOO_MANY;
}

static bool is_listed(const struct str *list, size_t count, struct str word)
{
        for (size_t i = 0; i < count; i++)
                if (str_same(list[i], word))
                        return true;
        return false;
}

enum status words_check(struct txn *txn, struct op *op, const struct marking *m)
{
        struct mark_place place = {.person = m->person, .mailbox = m->mailbox};
        struct buf value = {0};
        struct words words;
        size_t new = 0, unused = 0;
        enum status st = words_get(op->store, txn, m->person, m->mailbox, &value, &words);
        for (size_t i = 0; st == OK && i < m->keyword_count; i++) {
                struct str word = m->keywords[i];
                if (word.len == 0 || word.len > KEYWORD_SIZE_MAX)
                        st = INVALID;
                new += words_find(&words, word) == words.count && !is_listed(m->keywords, i, word);
        }
        if (st == OK && words.count + new > KEYWORDS_MAX) {
                for (size_t i = 0; st == OK && i < words.count; i++) {
                        bool is;
                        st = is_unused(txn, op, &place, i, &is);
                        unused += st == OK && is &&
                                  !is_listed(m->keywords, m->keyword_count, words.at[i]);
                }
                if (st == OK && words.count - unused + new > KEYWORDS_MAX)
                        st = TOO_MANY;
        }
        buf_release(&value);
        return st;
}

enum status words_make(
        struct txn *txn, struct op *op, const struct mark_place *p, struct str word, unsigned *flag)
{
        struct buf value = {0}, record = {0};
        struct key key = key_words(p->person, p->mailbox);
        struct words words;
        enum status st = words_get(op->store, txn, p->person, p->mailbox, &value, &words);
        size_t slot = words_find(&words, word);
        if (st == OK && slot == words.count) {
                st = find_slot(txn, op, p, &words, &slot);
                if (st == OK) {
                        words.at[slot] = word;
                        words.count += slot == words.count;
                        words_write(&words, &record);
                        st = put_value(txn, TABLE_FLAG, &key, &record);
                }
        }
        *flag = FLAG_INDEX_KEYWORDS + (unsigned)slot;
        buf_release(&value);
        return st;
}

/* ---- the index of changes ---- */

/* Notes that many changes have passed are thrown together, so many to one, at one change in so
 * many: the index grows with what changed lately, and a change never pays for more than a group. */
enum { TRIM_BEHIND = 100000, TRIM_GROUP = 64, TRIM_EVERY = 32 };

static bool is_turn(uint64_t modseq)
{
        return modseq > TRIM_BEHIND &&
               (modseq * 0x9e3779b97f4a7c15ULL >> 32) % TRIM_EVERY == 0; /* whatever the rhythm */
}

/* The oldest notes: their MODSEQs, and what they say together. */
struct oldest {
        uint64_t modseqs[TRIM_GROUP];
        size_t count;
        struct numset *numbers;
};

static enum status read_oldest(
        struct txn *txn, struct op *op, const struct noted *n, struct oldest *o)
{
        struct key from = key_change(n->mailbox, n->person, 0),
                   upto = key_change(n->mailbox, n->person, n->upto);
        struct scan *scan = scan_open(
                op->store->env, txn, TABLE_CHANGE, key_str(&from), key_str(&upto));
        struct str key, value;
        enum status st = OK;
        while (o->count < TRIM_GROUP && (st = scan_next(scan, &key, &value)) == OK) {
                if (!key_change_read(key, &o->modseqs[o->count++]))
                        st = codec_damaged("changes");
                else
                        st = change_read(value, o->numbers);
                if (st != OK)
                        break;
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}

/* The last of a group says what all of it did. So who asks what changed since then gets all of it
 * and perhaps more, never less (RFC 7162 3.2.5.2 lets a server say more), and a message's MODSEQ
 * may rise without a change, but stays below all that was given out since. */
static enum status trim_notes(struct txn *txn, struct op *op, uint32_t mailbox, uint32_t person)
{
        struct noted old = {mailbox, person, 0, op->modseq - TRIM_BEHIND};
        struct oldest o = {.numbers = numset_new()};
        struct buf value = {0};
        enum status st = read_oldest(txn, op, &old, &o);
        bool whole = st == OK && o.count == TRIM_GROUP;
        for (size_t i = 0; whole && st == OK && i + 1 < TRIM_GROUP; i++) {
                struct key key = key_change(mailbox, person, o.modseqs[i]);
                st = drop_value(txn, TABLE_CHANGE, &key);
        }
        if (whole && st == OK) {
                struct key key = key_change(mailbox, person, o.modseqs[TRIM_GROUP - 1]);
                change_write(person ? CHANGE_FLAGS : CHANGE_VANISHED, o.numbers, &value);
                st = put_value(txn, TABLE_CHANGE, &key, &value);
        }
        numset_free(o.numbers);
        return st;
}

enum status change_note(
        struct txn *txn, struct op *op, uint32_t mailbox, uint32_t person, const struct numset *set)
{
        struct key key = key_change(mailbox, person, op->modseq);
        struct buf value = {0};
        if (!numset_low(set))
                return OK;
        enum status st = is_turn(op->modseq) ? trim_notes(txn, op, mailbox, person) : OK;
        if (st != OK)
                return st;
        st = get_value(op->store, txn, TABLE_CHANGE, &key, &value);
        if (st == ABSENT) {
                change_write(person ? CHANGE_FLAGS : CHANGE_VANISHED, set, &value);
                return put_value(txn, TABLE_CHANGE, &key, &value);
        }
        /* Another operation of the same change has noted something there. */
        struct numset *all = numset_copy(set);
        if (st == OK)
                st = change_read(buf_str(&value), all);
        buf_clear(&value);
        change_write(person ? CHANGE_FLAGS : CHANGE_VANISHED, all, &value);
        if (st == OK)
                st = table_put(txn, TABLE_CHANGE, key_str(&key), buf_str(&value));
        numset_free(all);
        buf_release(&value);
        return st;
}

enum status change_noted(
        struct store *store, struct txn *txn, const struct noted *n, struct numset *out)
{
        if (n->since >= n->upto)
                return OK;
        struct key from = key_change(n->mailbox, n->person, n->since + 1);
        struct key upto = key_change(
                n->mailbox, n->person, n->upto < UINT64_MAX ? n->upto + 1 : UINT64_MAX);
        struct scan *scan = scan_open(
                store->env, txn, TABLE_CHANGE, key_str(&from), key_str(&upto));
        struct str key, value;
        enum status st;
        while ((st = scan_next(scan, &key, &value)) == OK) {
                st = change_read(value, out);
                if (st != OK)
                        break;
        }
        scan_close(scan);
        return st == ABSENT ? OK : st;
}
