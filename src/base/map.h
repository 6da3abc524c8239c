/* map.h - a hash table from a text to a pointer; keys are copied, values borrowed.
 * The hash is seeded, so a client cannot choose collisions. Not thread-safe. */
#pragma once
#include "base/str.h"

struct map;

struct map *map_new(void);
void map_free(struct map *);                       /* NULL is fine; values are the caller's */
void map_put(struct map *, struct str key, void *value); /* replaces */
void *map_get(const struct map *, struct str key); /* NULL when absent */
void *map_drop(struct map *, struct str key);      /* the value that was there, or NULL */
size_t map_count(const struct map *);
/* Iterates in no order; *at starts at 0. False at the end. Not while the map changes. */
bool map_next(const struct map *, size_t *at, struct str *key, void **value);
