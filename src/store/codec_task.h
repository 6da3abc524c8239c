/* codec_task.h - the keys and records of tasks. Inside store/ only.
 *
 * One table with kinds of keys, each a kind and numbers: the task; its events; the root that opened
 * it; by person, by topic (all, and open ones); who waits for it; what a card's number means; which
 * numbers are gone since which day. */
#pragma once
#include "store/codec.h"
#include "store/task.h"

enum task_key {
        KEY_TASK = 1, /* number */
        KEY_EVENT,    /* number, version */
        KEY_PERSON,   /* person, number: assigned and open */
        KEY_TOPIC,    /* topic, number */
        KEY_OPEN,     /* topic, number: open */
        KEY_AWAITED,  /* number, number of an open one that waits for it */
        KEY_CARD,     /* mailbox, number in it */
        KEY_ROOT,     /* message (64 bits) */
        KEY_GONE      /* day, mailbox, number in it */
};
struct key key_task(uint32_t number);
struct key key_task_pair(enum task_key, uint32_t first, uint32_t second);
struct key key_task_pairs(enum task_key, uint32_t first); /* what all with this first begin with */
struct key key_task_kind(enum task_key);                  /* what all of a kind begin with */
/* A kind with one or two numbers; *second is 0 with one. False: not of this kind. */
CHECKED bool key_task_read(struct str key, enum task_key, uint32_t *first, uint32_t *second);
struct key key_task_root(uint64_t message);
CHECKED bool key_task_root_read(struct str key, uint64_t *message);
struct key key_card_gone(uint32_t day, const struct place *);
CHECKED bool key_card_gone_read(struct str key, uint32_t *day, struct place *out);

struct task_record {
        struct task task; /* without the number, which is the key */
        uint64_t modseq;  /* of the change that wrote it */
};
void task_write(const struct task_record *, struct buf *out);
/* Everything is copied into the arena. */
CHECKED enum status task_read(struct str, struct arena *, struct task_record *out);
void event_write(const struct task_event *, struct buf *out); /* without task and version */
CHECKED enum status event_read(struct str, struct arena *, struct task_event *out);
struct card_record {
        uint32_t task, version;
        uint32_t gone; /* day since 1970-01-01; 0: the card lies there */
};
void card_write(const struct card_record *, struct buf *out);
CHECKED enum status card_read(struct str, struct card_record *out);
