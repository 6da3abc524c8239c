/* message.h - messages: filed once, shared by all mailboxes that show them, in CRLF form, octet for
 * octet as they came. What was derived from them at filing lies beside them, ready to be copied. */
#pragma once
#include "mail/derive.h"
#include "store/marks.h"

/* ---- filing ---- */

struct filing_entry {
        uint32_t mailbox;
        struct str prefix; /* header fields that Baton adds, CRLF form; empty for folders */
        bool news;    /* adds Xref to the prefix, with the number given, and an overview record */
        bool private; /* of news: not everybody reads there, so that no other entry's Xref names it */
        time_t date;  /* internal date; 0: now */
        bool history; /* unread for nobody */
        bool shown;   /* in a folder, because it names its owner: \Seen and \Flagged are one with those
                       * of the news entries */
        uint32_t person; /* whose flags these are; 0: none */
        unsigned flags;
        const struct str *keywords;
        size_t keyword_count;
        /* filled by the commit */
        uint32_t number;
        bool already; /* `once`: it was there, under this number */
};
struct filing {
        struct str bytes;              /* the message without prefix */
        const struct derived *derived; /* of those bytes; message_id not empty */
        struct filing_entry *entries;
        size_t entry_count; /* 0 to 130; 0: a later operation of the same change holds it (queue.h) */
        struct str site;    /* server name in Xref */
        bool once; /* delivery: a mailbox that has this very message (id and bytes) keeps its entry
                    */
        bool unique_id;   /* news: EXISTS when any message under this id is filed in a topic already
                           */
        uint64_t message; /* filled */
};
/* Operations of one change see what earlier ones wrote, but what they are given is read when they
 * are added: a later one cannot be given a number or id that an earlier one of the same change will
 * make (but see digest_record.filing). Compresses, hashes and encodes here, on the caller's thread.
 * Bodies over 4 MB are written ahead in several transactions and become visible with the commit.
 * The filing is borrowed until the commit. At the commit, ABSENT: a mailbox has gone; EXISTS:
 * unique_id; TOO_MANY: keywords, or a mailbox has given 2^31 numbers; INVALID: a keyword. */
CHECKED enum status change_file(struct change *, struct filing *);
CHECKED enum status message_file(struct store *, struct filing *); /* a change of its own */

/* ---- reading ---- */

enum {
        READ_SIZES = 0,
        READ_ENVELOPE = 1,
        READ_STRUCTURE = 2,
        READ_BODY = 4,
        READ_PARTS = 8,
        READ_SUMMARY = 16,
        READ_REFERENCES = 32, /* costs next to nothing */
        READ_OCTETS = 64 /* for stored_octets of all of them: read ahead where that is quicker */
};
enum { REFERENCE_SIZE = 16 }; /* a Message-ID or subject as threads know it: the start of its SHA-256 */
struct stored {
        uint64_t id;
        uint64_t size;        /* octets without prefix */
        uint32_t header_size; /* empty line included, without prefix */
        uint32_t lines;
        time_t date; /* of the Date field */
        bool dots, attachment, automatic, reply;
        struct str envelope, structure, body, parts;                   /* as asked */
        struct str message_id, subject, base_subject, from, from_name; /* READ_SUMMARY */
        struct str references; /* READ_REFERENCES: REFERENCE_SIZE octets each, oldest first */
        char reference[REFERENCE_SIZE];   /* how those of others name it */
        char subject_key[REFERENCE_SIZE]; /* of its base subject; zeros: that is empty */
        uint64_t chunks;   /* under which id its octets lie; */
        struct str packed; /* all of them as they lie there, when they were read ahead: */
};                         /* both for stored_octets */
/* What an entry knows of its message is enough for stored_octets; nothing else is filled. */
void entry_stored(const struct entry *, struct stored *out);
/* Reads n messages (ids in any order) into out; strings in the arena. A message that has gone has
 * id 0. */
CHECKED enum status messages_read(struct store *, const uint64_t *ids, size_t n, unsigned what,
        struct arena *, struct stored *out);
/* Appends octets [offset, offset + len) of the message without prefix; clamps at its end.
 * Long bodies: call again and again with at most 64 KiB. DAMAGED: checksum. ABSENT. */
CHECKED enum status message_octets(
        struct store *, uint64_t id, uint64_t offset, uint64_t len, struct buf *out);

/* The same of one whose record has been read. ABSENT: it went meanwhile. */
CHECKED enum status stored_octets(
        struct store *, const struct stored *, uint64_t offset, uint64_t len, struct buf *out);

/* The first message filed under this Message-ID ("<...>"). ABSENT. Waits for its flush. */
CHECKED enum status message_find(struct store *, struct str message_id, uint64_t *id);
/* Where a message lies in topics, as flushed: the first place from *at on, which is set. ABSENT. */
CHECKED enum status message_place(struct store *, uint64_t id, struct place *at);
/* All of them, ascending; at most *count, which is set. */
CHECKED enum status message_places(struct store *, uint64_t id, struct place *out, size_t *count);

/* Threads: the root's id; a ghost (a parent that has not come) has an id too. Messages of a thread,
 * ascending by id, ghosts left out, at most *count, which is set. */
CHECKED enum status thread_root(struct store *, uint64_t message, uint64_t *root);
CHECKED enum status thread_parent(
        struct store *, uint64_t message, uint64_t *parent); /* ABSENT at a root */
CHECKED enum status thread_messages(struct store *, uint64_t root, uint64_t *out, size_t *count);
/* The same, the newest first, without the root. */
CHECKED enum status thread_newest(struct store *, uint64_t root, uint64_t *out, size_t *count);
