/* page.h - how a digest looks: the same content as text (72 columns) and as HTML (one table, at
 * most 600 px wide, inline styles, no images, light and dark). */
#pragma once
#include "base/clock.h"
#include "team/gather.h"

enum { PAGE_ITEMS_MAX = 40, PAGE_COLUMNS = 72 };

enum page_section { SECTION_WAITING, SECTION_TASKS, SECTION_NEW, SECTION_COUNT };
struct page_item { /* all of it UTF-8 */
        enum page_section section;
        struct str title;    /* "T-131 Release notes 1.4", a thread's subject */
        struct str topic;    /* empty: none */
        struct str tag;      /* "3 new: Ken, Li", "due today, doing" */
        struct str by, line; /* the one line that matters, and who said it; may be empty */
        struct str changes;  /* what was changed of a task: "now Doing; due Fri 27 Nov (Bo)" */
        bool urgent, task;
        struct str reply_to;    /* its own address */
        struct str in_reply_to; /* Message-ID */
};
struct page {
        const struct person *person;
        struct civil now;        /* of the reader */
        struct str place;        /* "Lisbon" */
        const struct gathered *content;
        struct page_item *items;
        size_t item_count;       /* at most PAGE_ITEMS_MAX */
        unsigned hidden_messages, hidden_threads, hidden_tasks; /* for which there was no room */
        struct str whole;        /* the text of the one message, when there is only one */
        char separator;          /* of sub-addresses */
        struct civil next;       /* when the next one comes; year 0: never */
};
struct str page_subject(const struct page *, struct arena *);
void page_text(const struct page *, struct buf *out); /* LF */
void page_html(const struct page *, struct buf *out);
/* Shared by both forms, plain text. */
extern const char *const page_headings[SECTION_COUNT]; /* "WAITING ON YOU" */
struct str page_greeting(const struct page *, struct arena *); /* "Good morning Ana" */
struct str page_headline(const struct page *, struct arena *); /* "2 things wait on you. 7 new messages..." */
struct str page_who(const struct gather_thread *, struct arena *); /* "3 new: Ken, Li and 2 more" */
struct str page_first_name(struct str name, struct arena *);
struct str page_how(const struct page *, struct arena *);   /* to answer; empty without entries */
struct str page_rest(const struct page *, struct arena *);  /* what is not shown, one or more sentences; may be empty */
struct str page_less(const struct page *, struct arena *);  /* how to get less; may be empty */
struct str page_next(const struct page *, struct arena *);  /* "Wed 25 Nov 07:30 Lisbon (UTC+0)" */
