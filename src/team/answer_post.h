/* answer_post.h - what becomes of a reply to a digest (product.md 8): each part is posted as a
 * message of its own, in its thread, with the rights of who wrote it. What fits nowhere is posted
 * nowhere: its author gets one mail that says so, and finds the text in Drafts.
 *
 * An item's address leads there, and with its person's From it is as good as a login, for that item.
 * Mail from outside to digest@, and to a digest's own address, counts as mail from outside does
 * anywhere: it posts where that person may post, and commands nothing. */
#pragma once
#include "team/submit.h"

/* May this sender write to that address (RCPT TO)? */
CHECKED enum status answer_may(
        struct site *, const struct sender *, const struct target *, enum refusal *why);
/* OK: every part is posted, or its author has been told. The same reply again posts nothing twice;
 * after a failure it can be given again. */
CHECKED enum status answer_obey(struct site *, const struct submission *, const struct target *,
        struct arena *, enum refusal *why);
