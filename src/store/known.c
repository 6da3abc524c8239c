#include "store/known.h"
#include "base/map.h"
#include <pthread.h>

enum { RECORDS_MOST = 2048, KEY_MOST = 256, VALUE_MOST = 2048 };

struct record {
        enum status st; /* OK or ABSENT */
        size_t len;
        char octets[];
};

struct known {
        pthread_mutex_t lock;
        struct map *records; /* table and key -> struct record */
        uint64_t turn;       /* of the last change's beginning or end */
        unsigned changing;   /* transactions that have written and not ended */
};

/* The table's number, then the key. */
struct known_key {
        char octets[1 + KEY_MOST];
        size_t len;
};

static bool key_make(const struct question *q, struct known_key *out)
{
        if (q->key.len > KEY_MOST)
                return false;
        out->octets[0] = (char)q->table;
        if (q->key.len)
                memcpy(out->octets + 1, q->key.at, q->key.len);
        out->len = 1 + q->key.len;
        return true;
}

static struct str key_view(const struct known_key *key)
{
        return str_make(key->octets, key->len);
}

struct known *known_new(void)
{
        struct known *known = mem_new(sizeof *known);
        pthread_mutex_init(&known->lock, NULL);
        known->records = map_new();
        return known;
}

static void records_free(struct map *records)
{
        size_t at = 0;
        struct str key;
        void *record;
        while (map_next(records, &at, &key, &record))
                free(record);
        map_free(records);
}

void known_free(struct known *known)
{
        if (!known)
                return;
        records_free(known->records);
        pthread_mutex_destroy(&known->lock);
        free(known);
}

bool known_table(enum table table)
{
        return table == TABLE_NAME || table == TABLE_PERSON || table == TABLE_TOPIC ||
               table == TABLE_SUBSCRIPTION;
}

bool known_ask(struct known *known, struct question *q, struct buf *value, enum status *st)
{
        struct known_key key;
        struct record *record = NULL;
        bool fits = key_make(q, &key);
        pthread_mutex_lock(&known->lock);
        q->turn = known->turn;
        if (fits && !known->changing)
                record = map_get(known->records, key_view(&key));
        if (record) {
                *st = record->st;
                buf_add(value, str_make(record->octets, record->len));
        }
        pthread_mutex_unlock(&known->lock);
        return record != NULL;
}

static void forget(struct known *known)
{
        if (!map_count(known->records))
                return;
        records_free(known->records);
        known->records = map_new();
}

void known_learn(struct known *known, const struct question *q, enum status st, struct str value)
{
        struct known_key key;
        if ((st != OK && st != ABSENT) || value.len > VALUE_MOST || !key_make(q, &key))
                return;
        struct record *record = mem_new(sizeof *record + value.len);
        record->st = st;
        record->len = st == OK ? value.len : 0;
        if (record->len)
                memcpy(record->octets, value.at, record->len);
        pthread_mutex_lock(&known->lock);
        if (!known->changing && known->turn == q->turn) {
                if (map_count(known->records) >= RECORDS_MOST)
                        forget(known);
                struct record *old = map_drop(known->records, key_view(&key));
                map_put(known->records, key_view(&key), record);
                record = old;
        }
        pthread_mutex_unlock(&known->lock);
        free(record);
}

void known_change(struct known *known)
{
        pthread_mutex_lock(&known->lock);
        known->changing++;
        known->turn++;
        forget(known);
        pthread_mutex_unlock(&known->lock);
}

void known_changed(struct known *known)
{
        pthread_mutex_lock(&known->lock);
        assert(known->changing > 0);
        known->changing--;
        known->turn++;
        pthread_mutex_unlock(&known->lock);
}
