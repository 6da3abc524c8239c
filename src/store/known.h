/* known.h - what was read lately of the small tables that every mail asks (names, persons, topics,
 * subscriptions), also that something is not there. Inside store/ only.
 *
 * It never answers what the tables would not: the first write of a transaction to one of these
 * tables forgets everything, until that transaction has ended nothing is answered or learned, and
 * what was read before it ended is not learned after. Bounded: some thousand records of at most
 * 2 KB; when it is full it forgets everything. */
#pragma once
#include "store/env.h"

struct known;

struct known *known_new(void);
void known_free(struct known *); /* NULL is fine */
bool known_table(enum table);    /* is it one of these tables? */

/* A question. True: it is known, *st is OK (then the value was appended) or ABSENT. False: ask the
 * table, then tell by known_learn, with the turn that was given here. */
struct question {
        enum table table;
        struct str key;
        uint64_t turn;
};
bool known_ask(struct known *, struct question *, struct buf *value, enum status *st);
void known_learn(struct known *, const struct question *, enum status st, struct str value);

/* Around a transaction's writes to these tables: before the first, and when it has ended. */
void known_change(struct known *);
void known_changed(struct known *);
