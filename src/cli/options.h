/* options.h - what a subcommand takes: declared in a table, checked and explained from there.
 * Long options only ("--zone Europe/Lisbon" or "--zone=Europe/Lisbon"), "--" ends them, -h and
 * --help print the help. Nothing here is kept between calls or shared between threads. */
#pragma once
#include "base/buf.h"

struct cli;
struct options;

struct option {
        const char *name;  /* "zone"; NULL ends a table */
        const char *value; /* "ZONE" in the help; NULL: a switch */
        const char *help;
};

enum needs { NEEDS_NOTHING, NEEDS_SITE, NEEDS_VERIFIED_SITE };
enum { WORDS_ANY = 255, GIVEN_MAX = 64 };

struct command {
        const char *name;      /* "add"; "" when the family is one command; NULL ends a table */
        const char *arguments; /* "NAME [MODE]" */
        const char *summary;   /* one line */
        int (*run)(struct cli *, const struct options *);
        const struct option *options; /* ended by a NULL name; NULL: none */
        unsigned char min, max;       /* arguments; WORDS_ANY: no limit */
        enum needs needs;
        const char *more; /* further paragraphs of the help; NULL: none */
};

struct family { /* "user" with add, set, list ...; or a single command */
        const char *name, *summary, *group;
        const struct command *commands;
};

struct given {
        const struct option *option;
        const char *value;
};
struct options { /* borrows argv */
        const struct family *family;
        const struct command *command;
        struct given given[GIVEN_MAX];
        size_t given_count;
        char **words; /* the arguments */
        size_t word_count;
};

enum parsed { PARSED, ASKED_HELP, MISUSED };
/* argv is what comes behind the command's name; its words are moved to the front.
 * MISUSED: *reason says why. */
enum parsed options_parse(struct options *, int argc, char **argv, struct buf *reason);
/* "--name VALUE" or "--name=VALUE" at argv[*at], for what stands before a command: takes the value
 * ("" when it is missing) and moves *at onto it. */
bool option_taken(const char *name, char **argv, int *at, const char **out);
bool option_on(const struct options *, const char *name);
const char *option_value(
        const struct options *, const char *name); /* the last one given, or NULL */
/* Each value of an option that may come several times; *at starts at 0. NULL at the end. */
const char *option_each(const struct options *, const char *name, size_t *at);

void options_help(const struct family *, const struct command *, struct buf *out); /* the page */
void family_help(const struct family *, struct buf *out);                          /* what it has */
bool family_single(const struct family *); /* one command, without a name of its own */
