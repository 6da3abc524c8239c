/* arena.h - memory for what dies together: one per command (reset by the loop), one per message.
 * Grows by blocks without a limit of its own; callers bound what they put in.
 * Built with POISON, a reset fills the memory, so that a view kept too long is caught. */
#pragma once
#include "base/buf.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *); /* NULL is fine */
void arena_reset(struct arena *); /* keeps at most one block (4 KB) */
void *arena_alloc(struct arena *, size_t size); /* zeroed, aligned to 16 */
struct str arena_copy(struct arena *, struct str); /* with a NUL behind it */
struct str arena_printf(struct arena *, const char *format, ...) PRINTF(2, 3);
struct str arena_lower(struct arena *, struct str); /* ASCII lower-case copy */
