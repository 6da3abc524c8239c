/* token.h - short texts in addresses that only this site can have written: what is answered to
 * them needs no table. A token says what it is for (its kind) and until when; what it carries can
 * be read by anybody, but made or changed by nobody (an HMAC by the site's secret). It proves that
 * who sends it has read the mail that it stood in, and nothing about who that is. */
#pragma once
#include "base/arena.h"

enum token_kind {
        TOKEN_CONFIRM = 1, /* list.h */
        TOKEN_BOUNCE = 2,  /* bounce.h */
        TOKEN_REPLY = 3    /* r+TOKEN@ */
};
/* An address has 64 octets before its '@' (RFC 5321 4.5.3.1.1). */
enum { TOKEN_PAYLOAD_MOST = 24, TOKEN_TEXT_MOST = 60 };

struct token {
        enum token_kind kind; /* not in the text: a token of one kind is none of another */
        time_t until;         /* rounded up to the hour */
        struct str payload;   /* at most TOKEN_PAYLOAD_MOST octets; short ones make short tokens */
};

/* Appends [a-z2-7] (base32). The secret is site->secret. */
void token_seal(struct str secret, const struct token *, struct buf *out);
/* In any case of letters. INVALID: not one of ours, or of another kind; TIMEOUT: its time is over
 * (out is filled then, too). The payload lives in the arena. */
CHECKED enum status token_open(struct str secret, enum token_kind, struct str text, struct arena *,
        struct token *out);
