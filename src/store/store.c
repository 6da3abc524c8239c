#include "store/store.h"
#include "base/log.h"
#include "store/disk.h"
#include "store/inside.h"
#include "store/kept.h"
#include "store/bases.h"
#include "store/subjects.h"

/* Takes down what there is. */
static void store_free(struct store *store)
{
        if (store->writer != NULL)
                writer_stop(store->writer);
        if (store->views != NULL)
                views_free(store->views);
        cache_free(store->kept);
        cache_free(store->subjects);
        bases_free(store->bases);
        if (store->rows != NULL)
                rows_free(store->rows);
        if (store->env != NULL)
                env_close(store->env);
        free(store);
}

enum status store_open(const struct store_options *options, struct store **out)
{
        struct store *store = mem_new(sizeof(*store));
        *out = NULL;
        enum status st = env_open(options, &store->env);
        if (st == OK) {
                store->rows = rows_new();
                store->views = views_new();
                store->kept = kept_new();
                store->subjects = subjects_new();
                store->bases = bases_new();
                st = store_tidy(store);
        }
        if (st == OK)
                st = writer_start(store, &store->writer);
        if (st != OK) {
                store_free(store);
                return st;
        }
        *out = store;
        return OK;
}

void store_close(struct store *store)
{
        store_free(store);
}

bool store_failed(struct store *store)
{
        return env_failed(store->env);
}

struct change *change_new(struct store *store)
{
        struct change *change = mem_new(sizeof(*change));
        change->store = store;
        sem_init(&change->answered, 0, 0);
        return change;
}

void change_free(struct change *change)
{
        if (change == NULL)
                return;
        for (struct op *next, *op = change->first; op != NULL; op = next) {
                next = op->next;
                op->kind->free(op);
        }
        sem_destroy(&change->answered);
        free(change);
}

void change_op(struct change *change, struct op *op)
{
        op->store = change->store;
        op->next = NULL;
        if (change->first == NULL)
                change->first = op;
        else
                change->last->next = op;
        change->last = op;
        change->count++;
        change->weight += op->weight;
        change->adds = change->adds || op->adds;
}

enum status store_commit(struct change *change)
{
        assert(!change->committed);
        change->committed = true;
        if (change->first == NULL)
                return OK;
        if (env_failed(change->store->env))
                return BROKEN;
        return writer_commit(change->store->writer, change);
}

void store_stats(struct store *store, struct store_stats *out)
{
        struct disk *disk = env_disk(store->env);
        *out = (struct store_stats){0};
        writer_stats(store->writer, out);
        out->full = disk_full(disk);
        out->free_octets = disk_octets(disk);
}

bool store_full(struct store *store)
{
        return disk_full(env_disk(store->env));
}

enum status store_checkpoint(struct store *store)
{
        return env_checkpoint(store->env, true);
}
