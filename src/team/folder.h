/* folder.h - the tree of folders that one person sees over IMAP: INBOX, Digests, Drafts ... of their own, and
 * Topics/eng/backend for every topic that they may read. Names are UTF-8 with '/'. */
#pragma once
#include "team/rules.h"

struct folder {
        struct str name;
        uint32_t mailbox;       /* 0: only a level of the tree (\Noselect) */
        enum mailbox_kind kind; /* MAILBOX_TOPIC, MAILBOX_BOARD: shared */
        uint32_t topic;         /* whose rights count there; 0: it is a folder of the person's own */
        enum special_use use;
        bool children;
        struct rights rights;
};
/* Sorted by name, INBOX first, levels included. */
CHECKED enum status folder_list(struct site *, uint32_t person, struct arena *, struct folder **out, size_t *count);
/* ABSENT: there is none that this person may see. INBOX in any case. */
CHECKED enum status folder_find(struct site *, uint32_t person, struct str name, struct arena *, struct folder *out);
/* May a person make a folder of that name? INVALID: not a folder's name (empty, "//", controls,
 * over 250 octets or 10 levels); FORBIDDEN: in a shared part of the tree (Topics/, Boards/ ...). */
CHECKED enum status folder_name_free(struct str name);
/* "Boards/eng/backend/2 Doing", taken apart: the folder need not be there. */
struct folder_column {
        struct topic topic;
        size_t place; /* 2: counted from 1 */
        struct str name; /* "Doing", in the arena */
};
/* ABSENT: not below the board of a topic that this person may read; INVALID: below one (`topic` is filled), but
 * not a column's name. */
CHECKED enum status folder_column(struct site *, uint32_t person, struct str name, struct arena *, struct folder_column *out);
