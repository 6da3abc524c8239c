/* verb.h - how every protocol declares its commands: a table of rows. The loop checks state,
 * TLS, rights and argument count and sends the refusal, so a body holds only meaning.
 * HELP, CAPABILITIES and the manual are printed from the rows. */
#pragma once
#include "base/str.h"

struct session; /* each protocol's own */
enum { ARGS_MAX = 64, ARGS_RAW = 255 };

struct args {
        struct str name; /* as typed */
        struct str rest; /* the line behind the name, outer blanks off */
        size_t count;    /* of v, when the row counts arguments */
        struct str v[ARGS_MAX];
};

struct verb {
        const char *name; /* "GROUP", "LIST" */
        enum status (*run)(struct session *, const struct args *);
        unsigned needs; /* flags of the protocol: who may, in which state */
        unsigned char min, max; /* arguments; max ARGS_RAW: the body reads args->rest itself */
        const char *usage;
};

struct verb_table {
        const struct verb *rows;
        size_t count;
};

/* Case-insensitively; NULL: no such verb. */
const struct verb *verb_find(const struct verb *table, size_t count, struct str name);
/* Splits `line` into name and words. TOO_MANY: over ARGS_MAX words. */
CHECKED enum status args_split(struct str line, struct args *out);
bool verb_takes(const struct verb *, const struct args *); /* the count fits */

/* A line, cut up, and the row that it names: all that can be said of it without a session. */
struct spoken {
        const struct verb *verb; /* NULL: none */
        struct args args;        /* views into the line */
};
/* ABSENT: no row has that name (which is empty for a line of blanks); INVALID: too few or too many
 * arguments; TOO_MANY: over ARGS_MAX words, verb and args are not set. */
CHECKED enum status verb_read(struct verb_table, struct str line, struct spoken *out);
