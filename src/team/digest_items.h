/* digest_items.h - what a digest showed, as its record keeps it, and the addresses that lead to it.
 * An item's address is r+TOKEN@site: it names the person, the day and the item, and only this site
 * can have made it (token.h). The digest's Message-ID names person and day, and proves nothing. */
#pragma once
#include "team/site.h"

enum digest_about {
        ABOUT_THREAD = 1,
        ABOUT_TASK = 2,
        ABOUT_MAIL = 3 /* to the person alone: no topic */
};
struct digest_item {
        enum digest_about about;
        uint32_t topic;
        uint64_t root;    /* of the thread */
        uint64_t message; /* that an answer answers */
        uint32_t task;    /* its number; 0 */
};
enum { DIGEST_ITEMS_MOST = 255, DIGEST_ANSWER_DAYS = 90 }; /* records are kept for longer: due.h */
struct digest_items {
        uint64_t position;     /* how far it looked */
        struct digest_item *v; /* number 1 first */
        size_t count;
};
void digest_items_write(const struct digest_items *, struct buf *out);
/* DAMAGED. Items of older records are not known: none. */
CHECKED enum status digest_items_read(struct str record, struct arena *, struct digest_items *out);

struct digest_ref {
        uint32_t person;
        int64_t day;   /* local, since 1970-01-01 */
        unsigned item; /* from 1; 0: the digest */
};
/* "r+TOKEN@team.example", good for DIGEST_ANSWER_DAYS after `at`. */
struct str digest_address(struct site *, const struct digest_ref *, time_t at, struct arena *);
/* INVALID: none of ours; TIMEOUT: too old. */
CHECKED enum status digest_address_read(struct site *, struct str token, struct digest_ref *out);
/* Such addresses in a text become digest@...: what is posted gives nobody's token away. */
void digest_strike(struct site *, struct str text, struct buf *out);

struct str digest_id(struct site *, const struct digest_ref *,
        struct arena *); /* "<digest.7.20781@team.example>" */
CHECKED enum status digest_id_read(
        struct site *, struct str id, struct digest_ref *out); /* INVALID */
