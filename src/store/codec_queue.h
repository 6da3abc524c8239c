/* codec_queue.h - the keys and records of the outgoing queue. Inside store/ only.
 *
 * Three kinds of keys: by id (the row), by time (of rows that are to be tried), by message (of
 * every row: who holds it). */
#pragma once
#include "store/codec.h"
#include "store/queue.h"

struct key key_queue(uint64_t id);
struct key key_queue_rows(void); /* what all rows begin with */
CHECKED bool key_queue_read(struct str key, uint64_t *id);
struct key key_queue_at(time_t, uint64_t id);
struct key key_queue_times(void);
struct key key_queue_until(time_t); /* above all that are to be tried then */
CHECKED bool key_queue_at_read(struct str key, time_t *at, uint64_t *id);
struct key key_queue_of(uint64_t message, uint64_t id);
struct key key_queue_holders(uint64_t message);
CHECKED bool key_queue_of_read(struct str key, uint64_t *message, uint64_t *id);

void queue_write(const struct queue_row *, struct buf *out); /* without the id, which is the key */
/* Strings are copied into the arena. */
CHECKED enum status queue_read(struct str, struct arena *, struct queue_row *out);
/* Is it to be tried at its time? */
bool queue_waits(const struct queue_row *);
