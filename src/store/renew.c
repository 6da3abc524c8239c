#include "store/renew.h"
#include "store/rows.h"
#include "store/view.h"

/* More than a site files, opens or adds between two backups. */
enum { ARTICLES_SKIPPED = 1000, OPS_AT_ONCE = 200 };
static const uint64_t skipped[COUNTER_COUNT] = {
        [COUNTER_MESSAGE] = 1000000,
        [COUNTER_MAILBOX] = 1000,
        [COUNTER_PERSON] = 1000,
        [COUNTER_QUEUE] = 1000000,
        [COUNTER_TASK] = 100, /* these are read aloud: not too many */
};

struct renew_op {
        struct op op;
        uint32_t mailbox; /* 0: the counters */
};

static enum status renew_check(struct txn *txn, struct op *op)
{
        (void)txn;
        (void)op;
        return OK;
}

static enum status renew_counters(struct txn *txn, struct store *store)
{
        uint64_t validity, now = (uint64_t)time(NULL);
        enum status st = counter_take(txn, store, COUNTER_VALIDITY, &validity);
        if (st == OK && now > validity)
                st = counter_skip(txn, store, COUNTER_VALIDITY, now - validity);
        for (unsigned i = 0; i < COUNTER_COUNT && st == OK; i++)
                if (skipped[i] > 0)
                        st = counter_skip(txn, store, (enum counter)i, skipped[i]);
        return st;
}

static enum status renew_put(struct txn *txn, struct op *op)
{
        uint32_t mailbox = ((const struct renew_op *)op)->mailbox;
        uint64_t validity;
        struct row *row;
        if (mailbox == 0)
                return renew_counters(txn, op->store);
        enum status st = rows_get(txn, op->store, mailbox, &row);
        if (st == OK)
                st = counter_take(txn, op->store, COUNTER_VALIDITY, &validity);
        if (st != OK)
                return st;
        row->mailbox.uid_validity = (uint32_t)validity;
        if (row->mailbox.kind == MAILBOX_TOPIC && row->mailbox.next < INT32_MAX - ARTICLES_SKIPPED)
                row->mailbox.next += ARTICLES_SKIPPED;
        row->mailbox.modseq = op->modseq;
        rows_touch(op->store, row);
        return OK;
}

static void renew_free(struct op *op)
{
        free(op);
}

static const struct op_kind renew_kind = {
        .name = "new numbers",
        .check = renew_check,
        .put = renew_put,
        .publish = views_passed,
        .free = renew_free,
};

static void change_renew(struct change *change, uint32_t mailbox)
{
        struct renew_op *r = mem_new(sizeof *r);
        r->op.kind = &renew_kind;
        r->mailbox = mailbox;
        change_op(change, &r->op);
}

/* The next mailboxes above *after; ABSENT: there are none. */
static enum status mailboxes_after(struct store *store, uint32_t *after, struct change *change)
{
        struct key from = key_mailbox(*after + 1);
        struct scan *scan = scan_open(store->env, NULL, TABLE_MAILBOX, key_str(&from), STR_NONE);
        struct str key, value;
        size_t count = 0;
        enum status st = OK;
        while (count < OPS_AT_ONCE && (st = scan_next(scan, &key, &value)) == OK) {
                if (!key_mailbox_read(key, after)) {
                        st = codec_damaged("a mailbox's number");
                        break;
                }
                change_renew(change, *after);
                count++;
        }
        scan_close(scan);
        return st == ABSENT && count > 0 ? OK : st;
}

enum status store_renew(struct store *store)
{
        struct change *change = change_new(store);
        uint32_t after = 0;
        change_renew(change, 0);
        enum status st = store_commit(change);
        change_free(change);
        while (st == OK) {
                change = change_new(store);
                st = mailboxes_after(store, &after, change);
                if (st == OK)
                        st = store_commit(change);
                change_free(change);
        }
        return st == ABSENT ? OK : st;
}
