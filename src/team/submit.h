/* submit.h - the one filing path: whatever comes in, by SMTP, LMTP, pipe, IMAP APPEND, news or
 * import, is checked, gets its prefix and is filed here. A message's octets are never changed. */
#pragma once
#include "mail/parsed.h"
#include "store/queue.h"
#include "team/rules.h"

enum way {
        WAY_SMTP,
        WAY_SUBMISSION,
        WAY_LMTP,
        WAY_PIPE,
        WAY_APPEND,
        WAY_NEWS,
        WAY_IMPORT,
        WAY_SITE /* Baton's own, for sender->person: journals */
};

struct sender {
        enum way way;
        uint32_t person;          /* who authenticated; 0: nobody */
        struct str reverse_path;  /* "local@domain"; empty: the null sender */
        struct str helo, address; /* for Received */
        bool secure, smtputf8;
};

/* Why something was refused, for the protocols' texts. */
enum refusal {
        REFUSED_NOT,
        REFUSED_UNKNOWN,  /* no such person or topic */
        REFUSED_RELAY,    /* not our domain */
        REFUSED_FORGED,   /* claims an address of the site without logging in, or another's */
        REFUSED_MEMBERS,  /* only subscribers may post there */
        REFUSED_COMMAND,  /* a sub-address that this site does not offer */
        REFUSED_LOOP,     /* too many Received fields, or our own mail come back */
        REFUSED_FORM,     /* not a message: no header */
        REFUSED_SIZE,
        REFUSED_SITE,     /* the store's fault: see status (FULL, BUSY, ...) */
        REFUSED_SENDER,   /* to the outside under an address that is not one's own */
        REFUSED_ANSWER,   /* a reply to a digest by somebody whom nobody knows, or to another's */
        REFUSED_OLD,      /* a reply to a digest of long ago */
        REFUSED_LOGIN,    /* commands without having logged in */
        REFUSED_NAMES,    /* names more people than a message may */
        REFUSED_TOKEN,    /* a sub-address's token is none of ours, too old or used up */
        REFUSED_MODE,     /* not a way in which somebody outside can follow a topic */
        REFUSED_AGAIN,    /* that address was written to today already */
        REFUSED_MUTE,     /* an answer would have to go out, and no mail does */
        REFUSED_TASKS,    /* another topic's +task, besides one */
        REFUSED_THREAD,   /* to +task, of the thread that is a task of another topic */
        REFUSED_AUTHOR,   /* to +task, what somebody else wrote */
        REFUSED_RESENT,   /* another's mail, passed on to an address that asks for something */
        REFUSED_COUNT
};
const char *refusal_text(enum refusal); /* "no such person or topic here" */

/* May this sender write at all (MAIL FROM)? */
CHECKED enum status submit_sender(struct site *, const struct sender *, enum refusal *why);
/* May it write to this address (RCPT TO)? The target lives in the arena. */
CHECKED enum status submit_target(struct site *, const struct sender *, struct str address, struct arena *,
        struct target *out, enum refusal *why);

/* May it go there besides? A mail opens one task. */
CHECKED enum status submit_beside(
        const struct target *others, size_t count, const struct target *, enum refusal *why);

struct placement { /* where it goes */
        uint32_t mailbox;   /* a topic's or a folder's */
        struct str address; /* the recipient's, for Delivered-To and Received; may be empty */
        unsigned flags;     /* of sender->person: APPEND */
        const struct str *keywords;
        size_t keyword_count;
        /* filled */
        uint32_t number;
        bool already; /* it was there */
};
struct submission {
        const struct sender *sender;
        struct str bytes;      /* CRLF form; for WAY_PIPE and WAY_IMPORT LF is made CRLF by lines_to_crlf first */
        time_t date;           /* internal date; 0: now */
        struct placement *to;
        size_t to_count;
        const struct target *outside; /* recipients elsewhere: queued in the same change */
        size_t outside_count;
        const struct target *told; /* recipients here of whose delivery the sender is told */
        size_t told_count;
        struct str envelope_id;     /* ENVID=, RET= (queue.h) */
        enum queue_return returned;
        const struct target *commands; /* what it asks for besides (accept.h) */
        size_t command_count;
        bool unique_id;        /* news: EXISTS when the id is known in a topic */
        uint32_t about;        /* it is addressed to this task (T-142@); 0: to none */
        const uint32_t *also;  /* and to these; each once */
        size_t also_count;
        struct str joins;      /* Message-ID of what it is put under, whatever it answers; empty: as
                                * its References say */
        bool opens;            /* it is addressed to +task */
        struct str path;       /* news by IHAVE: its Path so far; empty: it begins here */
        const char *kind;      /* Baton-Kind in topics; NULL: "post" */
        struct str task;       /* Baton-Task in topics; empty: none */
        const uint32_t *assigned; /* persons who may read the topic, and find it in INBOX because it gives them work */
        size_t assigned_count;
        /* filled */
        struct parsed_mail *parsed; /* of bytes, once somebody has read it (submit_parsed) */
        bool resent;           /* another's mail that the sender passes on (claim.h) */
        bool queued;           /* something of it waits to leave */
        struct str message_id; /* in the arena */
        uint64_t message;
};
/* Makes placements of targets (a person's is the INBOX), each mailbox once. Those outside and commands have none. */
CHECKED enum status submit_placements(struct site *, const struct target *, size_t count, struct arena *,
        struct placement **out, size_t *out_count);
/* Sets `outside`, `told` and `commands` from targets, each address once; in the arena. */
void submit_others(const struct target *, size_t count, struct arena *, struct submission *);
/* The message as read; lives in the arena in which it was first asked for. */
struct parsed_mail *submit_parsed(struct submission *, struct arena *);
/* May this sender write such a message, wherever it goes? Gives it a Message-ID and a date where they
 * are missing. For what is obeyed and not filed: submit does it itself. */
CHECKED enum status submit_check(
        struct site *, struct submission *, struct arena *, enum refusal *why);
/* Files it, and queues it for the outside. OK: it is on disk everywhere. Else nothing was filed: FORBIDDEN, INVALID, TOO_BIG, EXISTS, FULL, BUSY... */
CHECKED enum status submit(struct site *, struct submission *, struct arena *, enum refusal *why);
/* The same in two steps, for what happens with other operations in one change: before the commit, and after it
 * was OK. *filing and the arena live until then. */
CHECKED enum status submit_add(struct site *, struct change *, struct submission *, struct arena *,
        struct filing *filing, enum refusal *why);
void submit_done(struct site *, struct submission *, const struct filing *);
/* Many at once, for imports: one transaction for all (at most 64). */
CHECKED enum status submit_many(struct site *, struct submission **, size_t count, struct arena *, enum refusal *why);
