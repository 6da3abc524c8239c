/* range.h - the small languages of news commands: ranges, Message-IDs, dates, patterns of XPAT.
 * Pure functions. */
#pragma once
#include "wire/verb.h"

/* "n", "n-", "n-m" (RFC 3977 9.8). Numbers too large are as good as the largest. INVALID. */
CHECKED enum status range_parse(struct str, uint32_t *low, uint32_t *high);

/* "yyyymmdd" or "yymmdd" and "hhmmss", UTC (RFC 3977 7.3.2); `now` decides the century. INVALID. */
CHECKED enum status range_date(struct str date, struct str time, time_t now, time_t *out);

/* The same as arguments: "date time [GMT]" from v[at] on, two of which are there. INVALID. */
CHECKED enum status range_since(const struct args *, size_t at, time_t now, time_t *out);

/* What a command is about: the current article, those of these numbers, or one by its Message-ID. */
enum named_kind { NAMED_CURRENT, NAMED_NUMBERS, NAMED_ID };
struct named {
        enum named_kind kind;
        uint32_t low, high; /* NAMED_NUMBERS; low may be above high */
        struct str id;      /* NAMED_ID: "<...>" */
};
/* `text` empty: the current one. `one`: no range is taken. INVALID: kind says of which form. */
CHECKED enum status range_named(struct str text, bool one, struct named *out);

/* RFC 2980's wildmat: '*', '?', '[a-z]', '[^a-z]', '\' before any of them. Octets. Linear in
 * pattern times text. */
bool range_pattern(struct str pattern, struct str text);
