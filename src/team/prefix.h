/* prefix.h - the header fields that Baton puts in front of a message's octets when it is filed: documented in
 * doc/headers, stable, because people's procmail and Sieve filters sort by them. */
#pragma once
#include "team/submit.h"

/* For a topic: trace, list and news fields (Xref is added by the store, with the number). */
struct str prefix_topic(struct site *, const struct submission *, const struct topic *,
        struct arena *);
/* For a person's INBOX: Return-Path, Delivered-To, trace. */
struct str prefix_person(struct site *, const struct submission *, const struct placement *,
        struct arena *);
/* The same for one who finds it there because a topic's message names them or gives them work, with the topic's
 * list fields and the reason. */
struct named;
struct str prefix_named(struct site *, const struct submission *, const struct named *, struct arena *);
/* For what a topic mails to who wants each message: trace and list fields, none of news. */
struct str prefix_mailed(struct site *, const struct submission *, const struct topic *, struct arena *);
/* What goes before a message that leaves the site: Received alone (RFC 5321 4.4). */
struct str prefix_outside(struct site *, const struct submission *, struct arena *);
/* For a card on a board or in Tasks/: the topic's list fields, and what the task is (card.h). */
struct str prefix_card(struct site *, struct str message_id, const struct topic *, struct str task, struct arena *);
/* What is left of octets that somebody took from a topic and brings back: without the prefix that they had
 * there, or the prefixes. A view; the same when they begin with none of ours. */
struct str prefix_strip(struct site *, struct str bytes);
