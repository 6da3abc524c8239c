/* attention.h - threads that a person has muted, or follows although their mode for the topic would
 * not bring them. A thread is known by its root as it was when they said so. */
#pragma once
#include "store/store.h"

enum attention { ATTENTION_NONE, ATTENTION_MUTED, ATTENTION_FOLLOWED };
enum { ATTENTION_MOST = 100000 }; /* threads of one person */

/* ATTENTION_NONE when nothing was said of the thread. */
CHECKED enum status attention_get(
        struct store *, uint32_t person, uint64_t root, enum attention *out);
struct attended {
        uint64_t root;
        enum attention attention;
};
/* All of a person, ascending by root. *out in the arena. */
CHECKED enum status attention_list(struct store *, uint32_t person, struct arena *,
        struct attended **out, size_t *count);
/* ATTENTION_NONE takes back. At the commit, ABSENT: there is no such person. */
void change_attention(struct change *, uint32_t person, const struct attended *);
