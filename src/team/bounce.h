/* bounce.h - mail from lists that comes back. Each copy leaves under a reverse path of its own
 * (VERP: TOPIC+bounce-TOKEN@), so what comes back says for whom, whatever it looks like.
 *
 * Bounces are counted by person: one a day, a lasting failure as one, a passing one as a quarter,
 * and one is forgotten in two weeks. At [lists] bounce-limit one probe is sent; when that comes back
 * too, nothing more is mailed until the person confirms again or an administrator says so, and the
 * topic's owner is told, once. How somebody subscribes stays as it was. */
#pragma once
#include "team/site.h"

struct bounce { /* what a reverse path stands for */
        uint32_t person, topic;
        bool probe;
};
/* The reverse path, "local@domain" in the arena. */
struct str bounce_path(struct site *, const struct bounce *, struct arena *);
/* ABSENT: not one of ours, or too old. */
CHECKED enum status bounce_of(struct site *, struct str reverse_path, struct arena *, struct bounce *out);

/* An enhanced status code (RFC 3463): is it about the address, for good? What is about this one mail
 * (too big, its content, policy) or passes is not. */
bool bounce_is_hard(struct str status);
/* What a mail says that came to such a path. */
enum bounce_kind {
        BOUNCE_NONE, /* no bounce: an auto-reply, or something else */
        BOUNCE_FINE, /* a report of no failure: delayed, relayed */
        BOUNCE_SOFT,
        BOUNCE_HARD
};
enum bounce_kind bounce_read(struct arena *, struct str message);

enum bounce_verdict { BOUNCE_IGNORED, BOUNCE_COUNTED, BOUNCE_PROBE, BOUNCE_SUSPEND };
struct bounce_event {
        bool hard, probe; /* probe: it is the probe that came back */
        time_t now;
        unsigned limit; /* lasting failures */
};
/* Counts it in `reach`; what is to be done then. */
enum bounce_verdict bounce_judge(struct reach *, const struct bounce_event *);

/* Counts it for the person, and does what is due then. */
CHECKED enum status bounce_count(struct site *, const struct bounce *, bool hard);
/* The same for a mail that came to TOPIC+bounce-TOKEN@. *read false: it is none (nothing is done). */
CHECKED enum status bounce_take(struct site *, struct str message, struct str token, bool *read);
