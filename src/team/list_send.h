/* list_send.h - a post goes out to who wants each message by mail.
 *
 * The writer of a post puts one row into the queue, however many subscribe. The relay expands it
 * when it comes to it, some hundred at a time: each subscriber gets a row of his own, so that one
 * who cannot be reached holds up nobody, under a reverse path of his own (bounce.h). Nobody gets
 * his own post, nor the same message twice: by way of two topics, or as a recipient besides. The
 * message is not changed, so that signatures hold (DKIM, DMARC). */
#pragma once
#include "store/queue.h"
#include "team/site.h"

struct submission;

/* Adds a row for each topic that the mail goes to and that mails it to anybody, behind the filing
 * in its change. True: there is one. The filing's entries begin with those of mail->to. */
bool list_queue(struct site *, const struct submission *, const struct filing *, struct change *,
        struct arena *);
/* Expands a row of the queue that stands for a topic a bit further; it goes when that was all. */
CHECKED enum status list_expand(struct site *, const struct queue_row *, struct arena *);
/* Has this mail been through a topic that it goes to, before? Its List-Id says so, which we put in
 * front when it went out. Only of what comes as mail. */
bool list_came_back(struct site *, const struct submission *, struct arena *);
