#include "base/clock.h"
#include "base/log.h"
#include "store/disk.h"
#include "store/inside.h"
#include <pthread.h>
#include <stdatomic.h>

enum {
        BATCH_OPS = 256,
        BATCH_WEIGHT = 4 << 20,
        WAITING_MOST =
                2048, /* changes in the queue; more is BUSY: the threads that wait are far fewer */
        BEHIND_MOST = 64,      /* batches committed and not flushed, before the writer waits */
        GATHER_MOST = 32,      /* changes that wait for the flush before theirs */
        MODSEQ_JUMP = 1 << 20, /* above what can have been given out and lost */
        BUSY_TRIES = 10,
        FULL_TRIES = 100,
        FULL_WAIT_MS = 100, /* of a flush on a full disk */
        CHECKPOINT_LOOK_MS = 200,
};

struct batch {
        struct change *first, *last;
        size_t count, weight;
        bool wrote;
        uint64_t modseq; /* after it */
        struct batch *next;
};

struct writer {
        struct store *store;
        struct env *env;
        pthread_t writer, flusher, checkpointer;
        pthread_mutex_t lock;
        pthread_cond_t came, committed, flushed, ticked;
        /* under the lock */
        struct change *first, *last;
        size_t waiting, behind;
        struct batch *first_batch, *last_batch;
        uint64_t batches_begun,
                batches_flushed; /* batches taken by the writer, answered by the flusher */
        bool stop, writer_done, flusher_done;
        /* of the writer's thread */
        uint64_t modseq;
        /* shared */
        _Atomic uint64_t flushed_modseq, commits, flushes, messages;
};

/* ---- MODSEQ, kept in the meta table ---- */

static enum status modseq_put(struct txn *txn, uint64_t modseq)
{
        struct buf value = {0};
        buf_add_u8(&value, 1);
        buf_add_u64(&value, modseq);
        enum status st = table_put(txn, TABLE_META, STR("modseq"), buf_str(&value));
        buf_release(&value);
        return st;
}

static enum status modseq_get(struct env *env, uint64_t *out)
{
        struct buf value = {0};
        enum status st = table_get(env, NULL, TABLE_META, STR("modseq"), &value);
        *out = 0;
        if (st == OK) {
                struct reader in = reader_of(buf_str(&value));
                bool known = read_u8(&in) == 1;
                *out = read_u64(&in);
                if (!known || in.bad)
                        st = DAMAGED;
        }
        buf_release(&value);
        return st == ABSENT ? OK : st;
}

static enum status modseq_jump(struct writer *writer)
{
        struct txn *txn;
        enum status st = modseq_get(writer->env, &writer->modseq);
        if (st != OK)
                return st;
        writer->modseq += MODSEQ_JUMP;
        st = txn_begin(writer->env, &txn);
        if (st != OK)
                return st;
        st = modseq_put(txn, writer->modseq);
        if (st == OK)
                st = txn_commit(txn);
        else
                txn_abort(txn);
        if (st == OK)
                st = env_flush(writer->env);
        atomic_store(&writer->flushed_modseq, writer->modseq);
        return st;
}

/* ---- the writer ---- */

/* Not a refusal: the environment could not. */
static bool is_failure(enum status st)
{
        return st == BUSY || st == FULL || st == DAMAGED || st == BROKEN;
}

static enum status change_run(struct txn *txn, struct change *change, uint64_t modseq)
{
        change->refusal = OK;
        for (struct op *op = change->first; op != NULL; op = op->next) {
                op->modseq = modseq;
                enum status st = op->kind->check(txn, op);
                if (st != OK)
                        return st;
        }
        for (struct op *op = change->first; op != NULL; op = op->next) {
                enum status st = op->kind->put(txn, op);
                if (st == OK)
                        continue;
                if (is_failure(st))
                        return st;
                if (st != TOO_MANY)
                        log_error("store: %s: a put was refused: %s", op->kind->name,
                                status_name(st));
                change->refusal = st == TOO_MANY ? TOO_MANY : BROKEN;
                return BROKEN;
        }
        return OK;
}

/* One transaction; everything from `from` on is taken back when it fails. */
static enum status changes_run(
        struct writer *writer, struct txn *txn, struct change *first, struct change *behind)
{
        bool wrote = false;
        for (struct change *change = first; change != behind; change = change->next) {
                change->status = change_run(txn, change, writer->modseq + 1);
                if (is_failure(change->status))
                        return change->status;
                if (change->status != OK)
                        continue;
                wrote = true;
                writer->modseq++;
        }
        if (!wrote)
                return ABSENT;
        enum status st = rows_put(txn, writer->store);
        if (st == OK)
                st = modseq_put(txn, writer->modseq);
        return st == OK || is_failure(st) ? st : BROKEN;
}

/* ABSENT: all were refused and nothing was written. */
static enum status changes_commit(
        struct writer *writer, struct change *first, struct change *behind)
{
        uint64_t modseq = writer->modseq;
        struct txn *txn;
        enum status st = txn_begin(writer->env, &txn);
        if (st != OK)
                return st;
        st = changes_run(writer, txn, first, behind);
        if (st == OK)
                st = txn_commit(txn);
        else
                txn_abort(txn);
        if (st == OK)
                atomic_fetch_add(&writer->commits, 1);
        if (is_failure(st)) {
                writer->modseq = modseq;
                rows_forget(writer->store);
        }
        return st;
}

static enum status changes_try(struct writer *writer, struct change *first, struct change *behind)
{
        enum status st = BUSY;
        for (int tries = 0; st == BUSY && tries < BUSY_TRIES; tries++)
                st = changes_commit(writer, first, behind);
        return st;
}

static void batch_run(struct writer *writer, struct batch *batch)
{
        enum status st = changes_try(writer, batch->first, NULL);
        batch->wrote = st == OK;
        if (is_failure(st)) {
                for (struct change *change = batch->first; change != NULL; change = change->next) {
                        enum status own = changes_try(writer, change, change->next);
                        if (is_failure(own))
                                change->status = change->refusal != OK ? change->refusal : own;
                        batch->wrote = batch->wrote || own == OK;
                }
        }
        batch->modseq = writer->modseq;
}

static bool batch_takes(const struct batch *batch, const struct change *change)
{
        return batch->first == NULL || (batch->count + change->count <= BATCH_OPS &&
                                               batch->weight + change->weight <= BATCH_WEIGHT);
}

/* A transaction and a flush cost nearly the same for many changes as for few, and the next flush
 * waits for this one's end anyway: while batches are being flushed, changes gather. */
static bool batch_is_due(const struct writer *writer)
{
        if (writer->first == NULL || writer->behind >= BEHIND_MOST)
                return false;
        return writer->behind == 0 || writer->waiting >= GATHER_MOST;
}

/* NULL at the end. */
static struct batch *batch_take(struct writer *writer)
{
        struct batch *batch = NULL;
        pthread_mutex_lock(&writer->lock);
        while (!batch_is_due(writer) && !(writer->first == NULL && writer->stop))
                pthread_cond_wait(&writer->came, &writer->lock);
        if (writer->first != NULL) {
                batch = mem_new(sizeof(*batch));
                writer->batches_begun++;
        }
        while (batch != NULL && writer->first != NULL && batch_takes(batch, writer->first)) {
                struct change *change = writer->first;
                writer->first = change->next;
                writer->waiting--;
                change->next = NULL;
                if (batch->first == NULL)
                        batch->first = change;
                else
                        batch->last->next = change;
                batch->last = change;
                batch->count += change->count;
                batch->weight += change->weight;
        }
        pthread_mutex_unlock(&writer->lock);
        return batch;
}

static void batch_pass(struct writer *writer, struct batch *batch)
{
        pthread_mutex_lock(&writer->lock);
        if (writer->first_batch == NULL)
                writer->first_batch = batch;
        else
                writer->last_batch->next = batch;
        writer->last_batch = batch;
        writer->behind++;
        pthread_mutex_unlock(&writer->lock);
        pthread_cond_signal(&writer->committed); /* who is woken finds the lock free */
}

static void *writer_work(void *arg)
{
        struct writer *writer = arg;
        for (struct batch *batch; (batch = batch_take(writer)) != NULL;) {
                batch_run(writer, batch);
                batch_pass(writer, batch);
        }
        pthread_mutex_lock(&writer->lock);
        writer->writer_done = true;
        pthread_cond_signal(&writer->committed);
        pthread_mutex_unlock(&writer->lock);
        return NULL;
}

/* ---- the flusher ---- */

static void pause_ms(unsigned ms)
{
        struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
        (void)nanosleep(&time, NULL);
}

/* What has been committed cannot be refused any more: on a full disk the ballast goes, and then
 * the flush waits for room. */
static enum status flush_surely(struct writer *writer)
{
        enum status st = env_flush(writer->env);
        for (int tries = 0; st == FULL && tries < FULL_TRIES; tries++) {
                if (!disk_drop_ballast(env_disk(writer->env)))
                        pause_ms(FULL_WAIT_MS);
                st = env_flush(writer->env);
        }
        if (st != OK)
                env_fail(writer->env, "the log cannot be flushed");
        atomic_fetch_add(&writer->flushes, 1);
        return st == OK || st == DAMAGED ? st : BROKEN;
}

static void change_publish(struct writer *writer, struct change *change)
{
        for (struct op *op = change->first; op != NULL; op = op->next) {
                if (op->kind->publish != NULL)
                        op->kind->publish(writer->store, op);
                if (op->adds)
                        atomic_fetch_add(&writer->messages, 1);
        }
}

/* The change is its caller's again as soon as it is answered. */
static void batch_answer(struct batch *batch)
{
        struct change *next;
        for (struct change *change = batch->first; change != NULL; change = next) {
                next = change->next;
                sem_post(&change->answered);
        }
        free(batch);
}

static void batch_finish(struct writer *writer, struct batch *batch, enum status flushed)
{
        for (struct change *change = batch->first; change != NULL; change = change->next) {
                if (flushed != OK)
                        change->status = flushed;
                else if (change->status == OK)
                        change_publish(writer, change);
        }
        if (flushed == OK)
                atomic_store(&writer->flushed_modseq, batch->modseq);
        batch_answer(batch);
}

static struct batch *batches_take(struct writer *writer)
{
        pthread_mutex_lock(&writer->lock);
        while (writer->first_batch == NULL && !writer->writer_done)
                pthread_cond_wait(&writer->committed, &writer->lock);
        struct batch *batches = writer->first_batch;
        writer->first_batch = writer->last_batch = NULL;
        pthread_mutex_unlock(&writer->lock);
        return batches;
}

static size_t batches_count(const struct batch *batch)
{
        size_t count = 0;
        for (; batch != NULL; batch = batch->next)
                count++;
        return count;
}

static void *flusher_work(void *arg)
{
        struct writer *writer = arg;
        for (struct batch *batch; (batch = batches_take(writer)) != NULL;) {
                enum status flushed = flush_surely(writer);
                size_t count = batches_count(batch);
                pthread_mutex_lock(&writer->lock);
                writer->behind -= count;
                pthread_mutex_unlock(&writer->lock);
                pthread_cond_signal(&writer->came);
                for (struct batch *next; batch != NULL; batch = next) {
                        next = batch->next;
                        batch_finish(writer, batch, flushed);
                }
                pthread_mutex_lock(&writer->lock);
                writer->batches_flushed += count;
                pthread_cond_broadcast(&writer->flushed);
                pthread_mutex_unlock(&writer->lock);
        }
        return NULL;
}

/* ---- the checkpointer ---- */

struct pressure {
        bool full, told;
};

/* When the disk fills, what is changed is written while there is room, and else into the ballast's:
 * a cache that holds changed pages only cannot read any more. */
static void checkpoint_in_turn(struct writer *writer, struct pressure *before)
{
        struct disk *disk = env_disk(writer->env);
        bool full = disk_full(disk);
        enum status st = env_checkpoint(writer->env, full && !before->full);
        if (st == FULL && disk_drop_ballast(disk))
                st = env_checkpoint(writer->env, true);
        if (st == FULL && !before->told)
                log_warn("store: no room for a checkpoint; the log is kept");
        before->full = full;
        before->told = st == FULL;
        disk_load_ballast(disk);
        env_spares(writer->env);
}

static void *checkpointer_work(void *arg)
{
        struct writer *writer = arg;
        struct pressure pressure = {0};
        pthread_mutex_lock(&writer->lock);
        while (!writer->stop) {
                struct timespec until;
                clock_gettime(CLOCK_REALTIME, &until);
                until.tv_nsec += CHECKPOINT_LOOK_MS * 1000000L;
                until.tv_sec += until.tv_nsec / 1000000000;
                until.tv_nsec %= 1000000000;
                pthread_cond_timedwait(&writer->ticked, &writer->lock, &until);
                if (writer->stop)
                        break;
                pthread_mutex_unlock(&writer->lock);
                checkpoint_in_turn(writer, &pressure);
                pthread_mutex_lock(&writer->lock);
        }
        pthread_mutex_unlock(&writer->lock);
        return NULL;
}

/* ---- for the callers ---- */

enum status writer_start(struct store *store, struct writer **out)
{
        struct writer *writer = mem_new(sizeof(*writer));
        writer->store = store;
        writer->env = store->env;
        enum status st = modseq_jump(writer);
        *out = NULL;
        if (st != OK) {
                free(writer);
                return st;
        }
        pthread_mutex_init(&writer->lock, NULL);
        pthread_cond_init(&writer->came, NULL);
        pthread_cond_init(&writer->committed, NULL);
        pthread_cond_init(&writer->flushed, NULL);
        pthread_cond_init(&writer->ticked, NULL);
        store->writer = *out = writer;
        if (pthread_create(&writer->writer, NULL, writer_work, writer) != 0 ||
                pthread_create(&writer->flusher, NULL, flusher_work, writer) != 0 ||
                pthread_create(&writer->checkpointer, NULL, checkpointer_work, writer) != 0)
                fail_now("store: no thread to write with");
        return OK;
}

void writer_stop(struct writer *writer)
{
        pthread_mutex_lock(&writer->lock);
        writer->stop = true;
        pthread_cond_signal(&writer->came);
        pthread_cond_signal(&writer->ticked);
        pthread_mutex_unlock(&writer->lock);
        pthread_join(writer->writer, NULL);
        pthread_join(writer->flusher, NULL);
        pthread_join(writer->checkpointer, NULL);
        pthread_mutex_destroy(&writer->lock);
        pthread_cond_destroy(&writer->came);
        pthread_cond_destroy(&writer->committed);
        pthread_cond_destroy(&writer->flushed);
        pthread_cond_destroy(&writer->ticked);
        free(writer);
}

enum status writer_commit(struct writer *writer, struct change *change)
{
        struct disk *disk = env_disk(writer->env);
        if ((change->adds && disk_full(disk)) || disk_exhausted(disk))
                return FULL;
        pthread_mutex_lock(&writer->lock);
        bool taken = writer->waiting < WAITING_MOST && !writer->stop;
        if (taken) {
                if (writer->first == NULL)
                        writer->first = change;
                else
                        writer->last->next = change;
                writer->last = change;
                writer->waiting++;
        }
        bool due = batch_is_due(writer);
        pthread_mutex_unlock(&writer->lock);
        if (!taken)
                return BUSY;
        if (due)
                pthread_cond_signal(&writer->came);
        while (sem_wait(&change->answered) != 0)
                continue; /* a signal */
        return change->status;
}

uint64_t writer_flushed(struct writer *writer)
{
        return atomic_load(&writer->flushed_modseq);
}

enum status writer_settle(struct writer *writer)
{
        pthread_mutex_lock(&writer->lock);
        uint64_t begun = writer->batches_begun;
        while (writer->batches_flushed < begun)
                pthread_cond_wait(&writer->flushed, &writer->lock);
        pthread_mutex_unlock(&writer->lock);
        return env_failed(writer->env) ? BROKEN : OK;
}

void writer_stats(struct writer *writer, struct store_stats *out)
{
        pthread_mutex_lock(&writer->lock);
        out->queued = writer->waiting;
        pthread_mutex_unlock(&writer->lock);
        out->commits = atomic_load(&writer->commits);
        out->flushes = atomic_load(&writer->flushes);
        out->messages = atomic_load(&writer->messages);
        out->modseq = atomic_load(&writer->flushed_modseq);
}
