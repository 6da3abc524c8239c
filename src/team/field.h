/* field.h - the fields of tasks as text: in the form of their lines ("bo, cem", "2026-11-27",
 * "T-9"), in which events keep them, and in words for people. */
#pragma once
#include "store/task.h"
#include "team/site.h"

extern const char *const field_names[FIELD_COUNT]; /* "Status", "Assign": as directives do */
extern const char *const field_words[FIELD_COUNT]; /* "status", "due date": within a sentence */

/* The value of a field; empty: none. In the arena. */
CHECKED enum status field_value(struct site *, const struct task *, enum task_field, struct arena *,
        struct str *out);
/* A value in words: "Doing" for "doing", "Fri 27 Nov 2026", "Cem Aydin"; "none" for none. */
struct str field_say(struct site *, const struct topic *, enum task_field, struct str value,
        struct arena *);
/* The full name of a person; "Baton" for 0. */
struct str field_person(struct site *, uint32_t person, struct arena *);
struct str field_person_named(struct site *, struct str name, struct arena *);
/* Items of "a, b": those of `all` that are not in `but`. */
size_t field_items(struct str all, struct str but, struct arena *, struct str **out);
/* The column whose word this is: its place, or column_count. */
size_t field_column(const struct topic *, struct str word, struct arena *);
/* In the last column, or dropped. */
bool field_is_closed(const struct topic *, struct str word, struct arena *);
