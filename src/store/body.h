/* body.h - the octets of messages: chunks of 64 KiB, each compressed by itself, with a checksum.
 * zstd, whose frames have one, and crc32, for what is kept raw, are met here only. Inside store/. */
#pragma once
#include "store/codec.h"
#include "store/inside.h"

enum {
        AHEAD_SIZE = 4 << 20,
        AHEAD_CHUNKS = 32
}; /* longer bodies are written before their filing, so many chunks a change */

struct body {
        struct buf octets; /* records, one behind the other */
        size_t *ends;      /* where each ends */
        size_t count;
};
/* Encodes octets [first * CHUNK_SIZE, ...) of the message, at most `most` chunks. */
void body_encode(struct str bytes, size_t first, size_t most, struct body *out);
void body_release(struct body *);
CHECKED enum status body_put(struct txn *, uint64_t body, uint32_t first, const struct body *);
/* Removes chunks [first, upto). */
CHECKED enum status body_remove(struct txn *, uint64_t body, uint32_t first, uint32_t upto);
uint32_t body_chunks(uint64_t size);
/* Appends octets [offset, offset + len), which lie within `size`. DAMAGED. */
CHECKED enum status body_read(
        struct store *, const struct message_record *, struct range, struct buf *out);
/* The same of a message that is one chunk, which was read already: `value` is its record. */
CHECKED enum status body_unpack(
        struct str value, const struct message_record *, struct range, struct buf *out);

/* A long body: written under an id of its own, in changes of its own, which store_tidy takes
 * away again if no filing comes to refer to it. */
CHECKED enum status body_write_ahead(struct store *, struct str bytes, uint64_t *body);
/* In the filing's transaction: it is referred to now. */
CHECKED enum status body_settle(struct txn *, uint64_t body);
/* The filing did not come: removes it. In changes of its own. */
void body_give_up(struct store *, uint64_t body);
