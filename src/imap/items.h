/* items.h - what a FETCH asks for (RFC 9051 6.4.5), parsed before anything is read. */
#pragma once
#include "imap/parse.h"
#include "mail/derive.h"

enum {
        ITEM_UID = 1, ITEM_FLAGS = 2, ITEM_DATE = 4, ITEM_SIZE = 8,
        ITEM_ENVELOPE = 16, ITEM_BODY = 32, ITEM_STRUCTURE = 64, ITEM_MODSEQ = 128,
};
enum { PIECES_MAX = 100, FIELDS_MAX = 200 };

struct piece {
        enum section what;      /* of the part, or of the message when path is empty */
        struct str path;        /* "1.2"; checked */
        struct str label;       /* as the reply names it: "BODY[1.MIME]<0>", "RFC822.TEXT" */
        const struct str *fields; /* of HEADER.FIELDS; NULL: the whole */
        size_t field_count;
        bool without;           /* HEADER.FIELDS.NOT */
        bool partial;
        uint64_t from, len;     /* when partial */
};

struct items {
        unsigned what; /* ITEM_ bits */
        struct piece *pieces;
        size_t count;
        bool sees; /* one of them sets \Seen */
};

/* A macro, one item, or a list of them. */
void items_parse(struct parse *, struct items *out);
/* Does this section begin with the prefix that Baton put before the message? */
static inline bool piece_has_prefix(const struct piece *s)
{
        return s->path.len == 0 && s->what != SECTION_TEXT;
}
