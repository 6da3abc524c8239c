/* search.h - finding messages, for SEARCH, SORT and THREAD. */
#pragma once
#include "imap/inside.h"
#include "imap/keys.h"

/* The messages of the selected folder for which the question is true; the caller's. */
CHECKED enum status search_run(struct session *, struct key *, struct numset **found);
/* A charset that is not offered: the refusal (RFC 9051 6.4.4). */
CHECKED enum status search_bad_charset(struct session *);
