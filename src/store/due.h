/* due.h - what has to happen at some time, in order of time: finding what is due costs what is due.
 * And the record of digests, keyed by the person's local date. */
#pragma once
#include "store/store.h"

enum due_kind { DUE_ANY = 0, DUE_DIGEST = 1, DUE_CARD = 2 };
struct due {
        time_t at;
        enum due_kind kind;
        uint32_t person; /* DUE_CARD: number of the task whose card may lie in the wrong place */
};
/* What is due up to `until`, of this kind, earliest first, at most *count, which is set. */
CHECKED enum status due_read(
        struct store *, enum due_kind, time_t until, struct due *out, size_t *count);
/* When anything is next due, whatever its kind; ABSENT: never. */
CHECKED enum status due_next(struct store *, time_t *at);
/* A person (or task) has at most one due record of a kind: this replaces it. */
void change_due(struct change *, const struct due *);
void change_due_remove(struct change *, enum due_kind, uint32_t person);

struct filing;
struct digest_record {
        uint32_t person;
        int64_t day;                 /* local date, days since 1970-01-01 */
        time_t at;                   /* when it was built */
        uint64_t message;            /* 0: there was nothing to say */
        const struct filing *filing; /* when not NULL: `message` is this one's, which an earlier
                                      * operation of the same change files. NULL in what is read. */
        struct str items;            /* encoded by team/digest: how far it looked */
};
enum { DIGEST_KEPT_DAYS = 100 };
/* EXISTS at the commit when that day's has been recorded: nobody gets two. The person's records of
 * over DIGEST_KEPT_DAYS before it go. */
void change_digest(struct change *, const struct digest_record *);
CHECKED enum status digest_last(
        struct store *, uint32_t person, struct arena *, struct digest_record *out); /* ABSENT */
CHECKED enum status digest_get(
        struct store *, uint32_t person, int64_t day, struct arena *, struct digest_record *out);
