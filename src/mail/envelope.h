/* envelope.h - what IMAP's ENVELOPE shows of a header (RFC 9051 7.5.2), and its octets. */
#pragma once
#include "mail/address.h"

/* Unfolded values as they stand, not decoded; at == NULL when the field is absent. */
struct envelope {
        struct str date, subject, in_reply_to, message_id;
        struct addresses from, sender, reply_to, to, cc, bcc; /* several To, Cc or Bcc are joined */
};

void envelope_read(struct arena *, struct str header, struct envelope *out);
/* "(...)". An absent or empty Sender or Reply-To is From. */
void envelope_write(const struct envelope *, struct buf *out);

/* IMAP's nstring: NIL when at == NULL, quoted when it may be, else a literal. NUL octets, which no
 * literal may have, become blanks. */
void nstring_add(struct buf *out, struct str);
/* A string, never NIL. */
void string_add(struct buf *out, struct str);
/* In quotes, whatever it holds: for what has no controls (UTF-8 under RFC 9051). */
void quoted_add(struct buf *out, struct str);
