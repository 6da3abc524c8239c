/* session.h - one client that brings mail. Inside smtp/ only.
 * A body that has answered returns OK; any other status is answered from the one table in
 * session.c. Every 4yz and 5yz counts, and who collects too many is put out. */
#pragma once
#include "smtp/smtp.h"
#include "team/accept.h"
#include "wire/verb.h"

/* The four ways in. */
struct door {
        enum way way;
        bool lmtp;  /* LHLO, and one reply a recipient after DATA */
        bool login; /* AUTH is offered, and needed before MAIL */
        unsigned most_errors;
};

/* What a row of verbs needs, beside its arguments. */
enum {
        ANYWHERE = 0,
        SMTP_ONLY = 1,
        LMTP_ONLY = 2,
        LOGIN_DOOR = 4, /* submission */
        MAIL_BEGUN = 8,
        NO_MAIL = 16,
        JUNK = 32, /* moves nothing: counted */
};

/* So many commands that move nothing, and recipients over the limit, are no errors. */
enum { MOST_JUNK = 100, MOST_OVER = 1000 };

struct session {
        struct wire *wire;
        struct site *site;
        const struct door *door;
        struct arena *arena;  /* of the command; NULL while idle */
        struct buf helo;      /* as the client calls itself; empty before EHLO */
        uint32_t person;      /* who logged in */
        bool trusted;         /* a local user who may say who wrote (deliver_users) */
        unsigned errors, junk;

        struct arena *mail;   /* of the mail being sent; NULL: no MAIL yet */
        struct str reverse_path, envelope_id; /* ENVID= (RFC 3461) */
        enum queue_return returned;
        bool smtputf8; /* MAIL said so: paths in UTF-8 are taken (RFC 6531) */
        struct target *targets; /* heap */
        size_t target_count;
        struct spool *chunks; /* what BDAT brought; NULL: nothing yet */
        enum status chunked;  /* OK, or why no more of it is kept */
};

/* session.c */
void smtp_say(struct session *, const char *format, ...) PRINTF(2, 3);
void smtp_no(struct session *, enum status); /* the table's reply */
/* The reply to a refusal by the rules; `about` may be empty. */
void smtp_refuse(struct session *, enum status, enum refusal, struct str about);
struct str smtp_shown(struct session *, struct str); /* fit for a reply or the log */
void smtp_reset(struct session *);                   /* forgets the mail */
void smtp_end(struct session *, enum status);        /* TIMEOUT or CLOSED while waiting for input */
bool smtp_may_login(struct session *);
struct sender smtp_sender(struct session *);

/* verbs.c */
extern const struct verb smtp_verbs[];
extern const size_t smtp_verb_count;

/* auth.c */
enum status smtp_auth(struct session *, const struct args *);
enum status smtp_starttls(struct session *, const struct args *);

/* data.c */
enum status smtp_data(struct session *, const struct args *);
void smtp_file(struct session *, struct str bytes); /* files the mail and answers */
void smtp_unfiled(struct session *, enum status);   /* answers for all recipients why not */
void smtp_no_recipients(struct session *);

/* chunk.c */
enum status smtp_bdat(struct session *, const struct args *);
void smtp_chunks_settle(struct session *); /* an idle client costs no memory for its chunks */
