/* codec.h - the bytes of every key and record. Inside store/ only, and nobody else knows them.
 *
 * Keys are composed of big-endian numbers, so that the order of keys is the order of numbers.
 * Every value begins with an octet that says its version. Strings that a *_read gives are views
 * into the value. What cannot be read is DAMAGED, and logged. */
#pragma once
#include "store/writer.h"
#include "store/attention.h"
#include "store/due.h"
#include "store/message.h"
#include "store/person.h"
#include "store/topic.h"

/* ---- keys ---- */

struct key {
        size_t len;
        char at[48];
};
static inline struct str key_str(const struct key *k)
{
        return str_make(k->at, k->len);
}

enum leftover {
        LEFT_BODY = 'b',
        LEFT_MESSAGE = 'm',
        LEFT_MAILBOX = 'x'
}; /* what a clean-up takes away */
enum derived_part { DERIVED_HEAD = 1, DERIVED_TAIL = 2 };

struct key key_counter(enum counter);
struct key key_leftover(enum leftover, uint64_t id);
struct key key_leftovers(enum leftover); /* what all of a kind begin with */
CHECKED bool key_leftover_read(struct str key, uint64_t *id);
struct key key_body(uint64_t body, uint32_t chunk);
struct key key_message(uint64_t message);
CHECKED bool key_message_read(struct str key, uint64_t *message);
struct key key_derived(uint64_t message, unsigned part);
struct key key_id(const unsigned char hash[32], uint64_t message);
struct key key_ids(const unsigned char hash[32]); /* what all under one Message-ID begin with */
CHECKED bool key_id_read(struct str key, const unsigned char **hash, uint64_t *message);
struct key key_place(uint64_t message, uint32_t mailbox, uint32_t number);
struct key key_places(uint64_t message);
struct key key_places_in(uint64_t message, uint32_t mailbox);
CHECKED bool key_place_read(struct str key, uint64_t *message, struct place *out);
struct key key_shown(uint32_t person, const struct place *from, const struct place *to);
struct key key_shown_from(uint32_t person, uint32_t mailbox, uint32_t number);
CHECKED bool key_shown_read(
        struct str key, uint32_t *person, struct place *from, struct place *to);
struct key key_attention(uint32_t person, uint64_t root);
struct key key_attentions(uint32_t person);
CHECKED bool key_attention_read(struct str key, uint32_t *person, uint64_t *root);
struct key key_thread(uint64_t message);
struct key key_member(uint64_t root, uint64_t message);
struct key key_members(uint64_t root);
CHECKED bool key_thread_read(struct str key, uint64_t *message); /* false: not of this kind */
CHECKED bool key_member_read(struct str key, uint64_t *root, uint64_t *message);
struct key key_mailbox(uint32_t mailbox); /* also topics and persons: a number of 32 bits */
CHECKED bool key_mailbox_read(struct str key, uint32_t *mailbox);
void key_folder(uint32_t owner, struct str name, struct buf *out); /* appends */
CHECKED bool key_folder_read(struct str key, uint32_t *owner, struct str *name);
struct key key_entry(uint32_t mailbox, uint32_t number); /* entry, prefix, overview */
CHECKED bool key_entry_read(struct str key, uint32_t *mailbox, uint32_t *number);
struct key key_mark(uint32_t person, uint32_t mailbox, unsigned flag, uint32_t block);
struct key key_marks(uint32_t person, uint32_t mailbox);
struct key key_marks_of(uint32_t person, uint32_t mailbox, unsigned flag);
CHECKED bool key_mark_read(
        struct str key, uint32_t *person, uint32_t *mailbox, struct place *flag_block);
struct key key_words(uint32_t person, uint32_t mailbox);
struct key key_change(uint32_t mailbox, uint32_t person, uint64_t modseq);
CHECKED bool key_change_read(struct str key, uint64_t *modseq);
struct key key_subscription(uint32_t person, uint32_t topic);
struct key key_subscriptions(uint32_t person);
struct key key_subscriber(uint32_t topic, uint32_t person);
struct key key_subscribers(uint32_t topic);
CHECKED bool key_subscription_read(struct str key, struct subscription *out);
struct key key_digest(uint32_t person, int64_t day);
struct key key_digests(uint32_t person);
CHECKED bool key_digest_read(struct str key, struct digest_record *out);
void key_listed(uint32_t person, struct str name, struct buf *out); /* appends; in TABLE_META */
struct key key_due_at(const struct due *);
struct key key_due_until(time_t until); /* above all that are due then */
struct key key_due_first(void);
CHECKED bool key_due_read(struct str key, struct due *out);
struct key key_due_of(enum due_kind, uint32_t person);

/* ---- numbers ---- */

void number_write(uint64_t, struct buf *out);
CHECKED enum status number_read(struct str, uint64_t *out);
extern const struct str key_modseq; /* in TABLE_META */

/* ---- messages ---- */

enum { HASH_SIZE = 32, CHUNK_SIZE = 65536 };
struct message_record {
        uint64_t body; /* whose chunks: its own id, or one that was reserved to write ahead */
        uint64_t size, modseq;
        uint32_t header_size, lines;
        uint32_t refs; /* entries that show it, and rows of the queue that hold it */
        time_t date;
        bool dots, attachment, automatic, reply;
        unsigned char id_hash[HASH_SIZE], byte_hash[HASH_SIZE];
        char subject_key[REFERENCE_SIZE];
        struct str references; /* as in struct stored */
};
/* What is known of a message before it lies anywhere; `references` is appended to and viewed. */
void message_of(const struct derived *, struct buf *references, struct message_record *out);
void message_write(const struct message_record *, struct buf *out);
CHECKED enum status message_read(struct str, struct message_record *out);

/* Head: envelope and summary; tail: structure, body, parts. */
void derived_head_write(const struct derived *, struct buf *out);
void derived_tail_write(const struct derived *, struct buf *out);
CHECKED enum status derived_head_read(struct str, struct stored *out);
CHECKED enum status derived_tail_read(struct str, struct stored *out);

/* What stands under key_place: when its entry was made, so that whoever looks for a message's places
 * knows which can be seen. */
void place_write(uint64_t modseq, struct buf *out);
CHECKED enum status place_read(struct str, uint64_t *modseq);

struct id_record {
        bool ghost; /* known from References only */
        uint64_t modseq;
};
void id_write(const struct id_record *, struct buf *out);
CHECKED enum status id_read(struct str, struct id_record *out);

/* A message without record is the root of a thread of its own. */
struct thread_record {
        uint64_t root, parent; /* parent 0: it is the root */
        uint32_t children;
        bool ghost;
        unsigned char id_hash[HASH_SIZE]; /* of a ghost */
};
void thread_write(const struct thread_record *, struct buf *out);
CHECKED enum status thread_read(struct str, struct thread_record *out);
void member_write(bool ghost, struct buf *out);
CHECKED enum status member_read(struct str, bool *ghost);

enum chunk_method { CHUNK_RAW, CHUNK_ZSTD };
struct chunk {
        enum chunk_method method;
        uint32_t crc;  /* of raw octets; zstd's frames have a checksum of their own */
        uint32_t size; /* raw */
        struct str data;
};
void chunk_write(const struct chunk *, struct buf *out);
CHECKED enum status chunk_read(struct str, struct chunk *out);

/* ---- mailboxes ---- */

void mailbox_write(const struct mailbox *, struct buf *out); /* without the id, which is the key */
CHECKED enum status mailbox_read(struct str, struct mailbox *out);
struct folder_record {
        uint32_t mailbox;
        enum special_use use;
};
void folder_write(const struct folder_record *, struct buf *out);
CHECKED enum status folder_read(struct str, struct folder_record *out);
/* A prefix as an entry holds it: how it comes out of another text, its base, which lies in
 * TABLE_PREFIX under a number of the same mailbox. size 0: there is no prefix; base 0: it comes out
 * of nothing. */
struct packed {
        uint32_t base, size;
        struct str steps;
};
void prefix_pack(struct str base, struct str text, struct buf *steps); /* appends */
CHECKED enum status prefix_unpack(struct str base, const struct packed *, struct buf *out);
void entry_write(const struct entry *, const struct packed *, struct buf *out); /* size: packed's */
/* All but the number. */
CHECKED enum status entry_decode(struct str, struct entry *out, struct packed *prefix);
void text_write(struct str, struct buf *out); /* bases of prefixes, and overview lines */
CHECKED enum status text_read(struct str, struct str *out);

/* ---- sets ---- */

enum { BLOCK_BITS = 12, BLOCK_NUMBERS = 1 << BLOCK_BITS, BLOCK_WORDS = BLOCK_NUMBERS / 64 };
struct block {
        uint64_t bits[BLOCK_WORDS];
};
bool block_is_empty(const struct block *);
bool block_has(const struct block *, uint32_t place);
void block_set(struct block *, uint32_t place);
/* The next run of ones at or behind *at; *low to *high; *at moves on. False when there is none. */
bool block_run(const struct block *, uint32_t *at, uint32_t *low, uint32_t *high);
void block_write(const struct block *, struct buf *out); /* runs or bitmap, whichever is shorter */
CHECKED enum status block_read(struct str, struct block *out);

enum change_kind { CHANGE_FLAGS = 1, CHANGE_VANISHED = 2 };
void change_write(enum change_kind, const struct numset *, struct buf *out);
CHECKED enum status change_read(struct str, struct numset *into); /* adds */

struct words {
        struct str at[KEYWORDS_MAX]; /* empty: a free slot */
        size_t count;
};
void words_write(const struct words *, struct buf *out);
CHECKED enum status words_read(struct str, struct words *out);

/* ---- people ---- */

void person_write(const struct person *, struct buf *out);
CHECKED enum status person_read(
        struct str, struct arena *, struct person *out); /* copies into the arena */
struct name_record {
        unsigned kind;
        uint32_t id;
};
void name_write(const struct name_record *, struct buf *out);
CHECKED enum status name_read(struct str, struct name_record *out);
void topic_write(const struct topic *, struct buf *out);
CHECKED enum status topic_read(struct str, struct arena *, struct topic *out);
void subscription_write(const struct subscription *, struct buf *out);
CHECKED enum status subscription_read(struct str, struct subscription *out);
void digest_write(const struct digest_record *, struct buf *out);
CHECKED enum status digest_read(struct str, struct digest_record *out);
void listed_value_write(bool on, struct buf *out);
CHECKED enum status listed_value_read(struct str, bool *on);
void attention_write(enum attention, struct buf *out);
CHECKED enum status attention_read(struct str, enum attention *out);
void time_write(time_t, struct buf *out);
CHECKED enum status time_read(struct str, time_t *out);

CHECKED enum status codec_damaged(const char *what); /* logs; DAMAGED */
CHECKED enum status codec_end(
        const struct reader *, const char *what); /* OK, or DAMAGED when bad */
