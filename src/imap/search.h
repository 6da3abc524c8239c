/* search.h - finding messages, for SEARCH, SORT and THREAD. */
#pragma once
#include "imap/inside.h"
#include "imap/keys.h"

/* The messages of the selected folder for which the question is true; the caller's. */
CHECKED enum status search_run(struct session *, struct key *, struct numset **found);
/* May the command's texts be in this? INVALID, UNSUPPORTED: the refusal is set. */
CHECKED enum status search_charset(struct session *, enum charset);
