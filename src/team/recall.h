/* recall.h - what a run of digests has read already and is the same for everybody: messages, who
 * wrote in a thread, the one line of a message. Bounded: recall_begin forgets all when it has
 * grown. One thread uses it. */
#pragma once
#include "team/rules.h"

struct recalled {
        uint64_t id, root;
        uint32_t person;                        /* who wrote it; 0: nobody here */
        struct str message_id, author, subject; /* author: a name to show; subject without Re: */
        uint32_t task, version;                 /* a journal of this task, of this version; 0 */
        bool automatic;
};
struct recalled_thread {
        uint32_t *writers; /* persons */
        size_t writer_count;
        uint32_t task;    /* that it is; 0 */
        struct str title; /* the task's */
};

struct recall;
struct recall *recall_new(struct site *);
void recall_free(struct recall *); /* NULL is fine */
/* Before each digest: what came out earlier may be gone afterwards. */
void recall_begin(struct recall *);
/* One for each id; NULL where it has gone. */
CHECKED enum status recall_messages(
        struct recall *, const uint64_t *ids, size_t count, const struct recalled **out);
const struct recalled_thread *recall_thread(struct recall *, uint64_t root);
/* Of a mailbox, for a view of it. */
struct recalled_mailbox {
        const struct numset *history; /* what was imported: nobody's reading */
        const struct numset *unread;  /* the rest: what is unread for who has read nothing */
};
/* Borrowed until recall_begin. */
CHECKED enum status recall_mailbox(
        struct recall *, const struct view *, struct recalled_mailbox *out);
/* The line that tells most of a message; empty when there is none. *words: it says something to
 * people, and does not only command. */
CHECKED enum status recall_line(struct recall *, uint64_t message, struct str *out, bool *words);
