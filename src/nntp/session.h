/* session.h - one newsreader. Inside nntp/ only.
 * A body that has answered returns OK; any other status is answered from the one table in
 * session.c (ABSENT: 411). */
#pragma once
#include "nntp/nntp.h"
#include "team/accept.h"
#include "wire/verb.h"

/* What a row of verbs needs, beside its arguments. */
enum {
        ANYONE = 0,
        READER = 1, /* who has logged in: else 480 */
        GROUP = 2,  /* a group is selected: else 412 */
};

struct session {
        struct wire *wire;
        struct site *site;
        struct arena *arena; /* of the command; NULL while idle */

        uint32_t person;
        struct buf name;  /* of who logged in */
        bool marks_reads; /* reading sets \Seen for this person */
        struct buf user;  /* said by AUTHINFO USER, before PASS */
        struct str offered; /* Message-ID, while an article is taken by IHAVE; else empty */
        bool modern;      /* asked for CAPABILITIES: gets the new names in LIST OVERVIEW.FMT */

        /* the selected group; view NULL: none */
        const struct view *view;
        struct buf group;
        uint32_t current; /* article number; 0: none */
        uint64_t check_at; /* ms: rights and numbers are looked at again then */

        /* read and not yet marked: one change for many articles */
        struct numset *read;
        uint32_t read_mailbox;
};

/* ---- session.c ---- */
extern const struct verb nntp_verbs[];
extern const size_t nntp_verb_count;
void nntp_no(struct session *, enum status);
/* A command of two words: finds the row of the second, checks, runs it. */
enum status nntp_second(struct session *, struct verb_table, const struct args *);
struct str nntp_shown(struct session *, struct str); /* fit for a reply or the log */
bool nntp_may_login(struct session *);
void nntp_forget(struct session *); /* who it is and what is selected */

/* ---- auth.c ---- */
enum status nntp_authinfo(struct session *, const struct args *);
enum status nntp_starttls(struct session *, const struct args *);

/* ---- list.c ---- */
enum status nntp_list(struct session *, const struct args *);
enum status nntp_newgroups(struct session *, const struct args *);
enum status nntp_newnews(struct session *, const struct args *);

/* ---- group.c ---- */
enum status nntp_group(struct session *, const struct args *);
enum status nntp_listgroup(struct session *, const struct args *);
enum status nntp_next(struct session *, const struct args *);
enum status nntp_last(struct session *, const struct args *);
/* The topic of that name, which this person may read. ABSENT: there is none to see. */
CHECKED enum status group_find(struct session *, struct str name, struct topic *out,
        struct rights *rights);
/* Brings the selected group's view up to date; deselects it when the person may no longer read
 * it. */
void group_refresh(struct session *);
/* The same only when a number above the view is asked for, or it has not been done for a while. */
void group_reach(struct session *, uint32_t number);
void group_leave(struct session *);
/* This article has been read. Marks are stored when enough are gathered, at a silence and at the
 * end. */
void group_read(struct session *, struct place);
void group_store_read(struct session *);

/* ---- article.c ---- */
enum status nntp_article(struct session *, const struct args *);
enum status nntp_head(struct session *, const struct args *);
enum status nntp_body(struct session *, const struct args *);
enum status nntp_stat(struct session *, const struct args *);

/* One article, wherever the command found it. */
struct found {
        uint32_t shown; /* the number that replies name: 0 when found by Message-ID */
        struct place place;
        struct stored stored;
        struct str prefix; /* in the command's arena */
};
/* By number, by Message-ID, or (`which` empty) the current one; `read`: READ_ bits of what is
 * wanted. False: refused, and said. */
bool article_find(struct session *, struct str which, unsigned read, struct found *out);
CHECKED enum status article_get(
        struct session *, struct place, unsigned read, struct found *out);
/* ABSENT is said as `absent`, anything else by the table. Gives false. */
bool article_refuse(struct session *, enum status, const char *absent);
/* The place of that Message-ID in a topic that this person may read. False: refused, and said. */
bool article_by_id(struct session *, struct str id, struct place *out);

/* ---- over.c ---- */
enum status nntp_over(struct session *, const struct args *);
enum status nntp_xover(struct session *, const struct args *);
/* What OVER and HDR are asked for, and how an empty range is answered. */
struct selection {
        uint32_t low, high;
        bool by_id; /* place tells where; replies say 0 */
        struct place place;
};
/* `which` empty: the current article. False: refused, and said. An empty range is 423, but the old
 * commands (`legacy`) get an empty block, on which Outlook Express relies: low is above high. */
bool over_select(struct session *, struct str which, bool legacy, struct selection *out);
/* The view that a selection is of; the caller closes it. */
CHECKED enum status over_view(struct session *, const struct selection *, const struct view **out);

/* ---- hdr.c ---- */
enum status nntp_hdr(struct session *, const struct args *);
enum status nntp_xhdr(struct session *, const struct args *);
enum status nntp_xpat(struct session *, const struct args *);

/* ---- post.c ---- */
enum status nntp_post(struct session *, const struct args *);
enum status nntp_ihave(struct session *, const struct args *);
