/* idmap.h - a hash table from keys of 16 octets, which are hashes already, to numbers: what is asked
 * some times for each message of a large folder. Which keys fall together is mixed by a secret, so
 * nobody can choose them. Nothing is taken out. Not thread-safe. */
#pragma once
#include "base/str.h"

enum { IDMAP_KEY = 16 };
struct idmap;

struct idmap *idmap_new(size_t expected); /* keys; more is fine */
void idmap_free(struct idmap *);          /* NULL is fine */
/* The place of the key's number, 0 where it is new: the caller puts another there. Good until the
 * next call. */
uint32_t *idmap_at(struct idmap *, const char key[IDMAP_KEY]);
