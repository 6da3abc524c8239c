/* load.h - the load side of the benchmarks: one connection, one message, one scene a client thread.
 * Every fault of the server's ends the program with a word on stderr; a benchmark measures servers that answer. */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the command line asked for; the same for all clients. */
struct plan {
        const char *scene;
        const char *user, *password; /* NULL: no login */
        const char *target;          /* a recipient, a folder or a newsgroup */
        const char *sender;
        const char *command, *after; /* of `ask`: timed, and what undoes it, not timed */
        int port, clients, people;   /* people: so many write From; 0: only the sender */
        int depth;                   /* commands sent together */
        bool random, quickack;
        bool alone;     /* no message answers another: each is a thread */
        double seconds; /* 0: until `count` is done */
        long count;     /* per client */
        size_t size;    /* octets of a message */
        char run[32];   /* makes Message-IDs of this run its own */
};

struct link {
        int fd;
        char *room;
        size_t cap, start, end;
        uint64_t octets; /* received */
};

struct client {
        const struct plan *plan;
        struct link link;
        int number;
        long done, units; /* units: lines, messages listed */
        uint64_t octets;
        double *took, ends;
        size_t took_cap;
};

void die(const char *what, const char *detail) __attribute__((noreturn));
double now(void);

void link_open(struct link *link, int port);
void link_close(struct link *link);
void link_put(struct link *link, const char *at, size_t len);
void link_say(struct link *link, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *link_line(struct link *link);                          /* without its CRLF; lives until the next read */
char *link_expect(struct link *link, const char *code);      /* a reply whose last line begins with `code` */
long link_block(struct link *link);                          /* lines up to the one with a dot alone */
long link_tagged(struct link *link, const char *tag, const char *mark); /* untagged lines that hold `mark` */
long link_answer(struct link *link, const char *tag);        /* how many lines begin with '*'; keeps none of them */
void link_quickack(struct link *link);                       /* acknowledge the next octets at once */

/* A message of about `size` octets, CRLF, unique to (run, client, index): seven in ten plain, two alternative,
 * one with an attachment. `news` adds Newsgroups. Returns its length; `out` has room for size + 2048. */
size_t message_make(char *out, const struct client *client, long index, bool news);

typedef void scene_run(struct client *client); /* calls client_ready once, then client_more in a loop */
scene_run *scene_find(const char *name);
int scene_idle(const struct plan *plan);
int scene_exists(const struct plan *plan);

void client_ready(struct client *client); /* logged in: waits for all the others */
bool client_more(struct client *client);
void client_took(struct client *client, double seconds);

#endif
