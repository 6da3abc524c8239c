/* check.h - cross-checks the tables: every entry has its message and place, every message its body
 * with the right octets and reference count, counters above all numbers, names both ways, marks
 * only below next, threads joined, each task's card in one column and known by its number. Damage is reported, never repaired silently. */
#pragma once
#include "store/store.h"

struct check_report {
        uint64_t messages, entries, mailboxes, persons, tasks, faults;
        uint64_t ids, ghosts, replies,
                replies_found; /* threads: replies and those whose parent is here */
};
/* say(arg, text) is called once a fault; progress(arg, done, total) now and then (may be NULL). */
struct check_watch {
        void (*say)(void *arg, const char *fault);
        void (*progress)(void *arg, uint64_t done, uint64_t total);
        void *arg;
};
CHECKED enum status store_check(
        struct store *, const struct check_watch *, struct check_report *out);
