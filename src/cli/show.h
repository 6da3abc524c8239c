/* show.h - what a command lists or shows: a table or "name: value" lines for people, JSON for
 * programs
 * (--json), from the same calls. A list is an array of objects, one thing is one object. */
#pragma once
#include "cli/cli.h"

struct show;

/* `list`: many items as rows; else one item as lines. Freed by show_end. */
struct show *show_begin(struct cli *, bool json, bool list);
void show_item(struct show *); /* the next row; not needed for one thing */
/* key: in JSON ("digest_at"). heading: for people; NULL: JSON only. Every row gives the same keys.
 */
void show_text(struct show *, const char *key, const char *heading, struct str);
void show_number(struct show *, const char *key, const char *heading, uint64_t);
/* The width of the caller's terminal, by which a table's last column is cut; 0: it is none. */
unsigned show_terminal(struct cli *);
void show_bool(struct show *, const char *key, const char *heading, bool);
void show_texts(
        struct show *, const char *key, const char *heading, const struct str *, size_t count);
/* "eng.backend (digest), ..."; in JSON an object {"eng.backend": "digest"}. */
struct pair {
        struct str name;
        const char *value;
};
void show_pairs(
        struct show *, const char *key, const char *heading, const struct pair *, size_t count);
void show_time(struct show *, const char *key, const char *heading, time_t); /* 0: none */
void show_size(struct show *, const char *key, const char *heading, uint64_t octets);
bool show_is_json(const struct show *);
/* JSON only: the items from here on are an array of objects under this key of the one thing; nothing of
 * the thing itself may follow. */
void show_inside(struct show *, const char *key);
/* `none` is said when a list has no rows ("No topics yet: ..."). */
void show_end(struct show *, const char *none);
/* "4.2 MB" */
void size_print(uint64_t octets, struct buf *out);
